//! `operator`: who is a user of the platform itself.

use clap::{Args, Subcommand};

use super::{Failure, in_workshop, say};
use crate::{app::Workshop, config::Common, domain::Caller};

/// Name operators
#[derive(Debug, Subcommand)]
pub(super) enum Operator {
    /// Make a user an operator
    Add(Name),
    /// Make a user an operator no longer
    Remove(Name),
    /// Print all operators, one a line: issuer, subject
    List,
}

/// A user, by the name its tokens carry.
#[derive(Debug, Args)]
pub(super) struct Name {
    /// The `sub` of its tokens
    #[arg(long)]
    subject: String,
    /// The `iss` of its tokens [default: JWT_ISSUER where that is set, else this service itself]
    #[arg(long)]
    issuer: Option<String>,
}

impl Operator {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        in_workshop(common, async |workshop| self.act(workshop).await).await
    }

    async fn act(self, workshop: &Workshop) -> Result<(), Failure> {
        let (registry, system) = (&workshop.registry, Caller::system("operator"));
        match self {
            Self::Add(Name { subject, issuer }) => {
                let issuer = issuer.unwrap_or_else(|| registry.issuer().to_owned());
                let is_new = registry.add_operator(&system, &issuer, &subject).await?;
                say(format_args!(
                    "{subject} {}",
                    if is_new { "is an operator now" } else { "was an operator already" }
                ))?;
            }
            Self::Remove(Name { subject, issuer }) => {
                let issuer = issuer.unwrap_or_else(|| registry.issuer().to_owned());
                let was = registry.remove_operator(&system, &issuer, &subject).await?;
                say(format_args!(
                    "{subject} {}",
                    if was { "is no operator any more" } else { "was no operator" }
                ))?;
            }
            Self::List => {
                for operator in registry.operators(&system).await? {
                    say(format_args!("{}\t{}", operator.issuer, operator.subject))?;
                }
            }
        }
        Ok(())
    }
}
