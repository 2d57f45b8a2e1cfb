//! `operator`: adds, removes and lists operators.

use clap::{Args, Subcommand};

use super::{Failure, print_line, with_context};
use crate::{
    app::CliContext,
    config::Common,
    domain::{Caller, Error, Registry},
};

/// Manage operators
#[derive(Debug, Subcommand)]
pub(super) enum Operator {
    /// Make a user an operator
    Add(Name),
    /// Remove a user from the operators; exits with 4 if the user isn't one
    Remove(Name),
    /// Print all operators, one per line: issuer, subject
    List,
}

/// A user, identified by the claims of their tokens.
#[derive(Debug, Args)]
pub(super) struct Name {
    /// The `sub` claim of the user's tokens
    #[arg(long)]
    subject: String,
    /// The `iss` claim of the user's tokens [default: the only issuer: JWT_ISSUER if set, else this service]
    #[arg(long)]
    issuer: Option<String>,
}

impl Operator {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        with_context(common, async |context| self.act(context).await).await
    }

    async fn act(self, context: &CliContext) -> Result<(), Failure> {
        let (registry, system) = (&context.registry, Caller::system("operator"));
        match self {
            Self::Add(Name { subject, issuer }) => {
                let issuer = named_or_only(registry, issuer)?;
                let is_new = registry.add_operator(&system, &issuer, &subject).await?;
                print_line(format_args!(
                    "{subject} {}",
                    if is_new { "is now an operator" } else { "was already an operator" }
                ))?;
            }
            Self::Remove(Name { subject, issuer }) => {
                let issuer = named_or_only(registry, issuer)?;
                if !registry.remove_operator(&system, &issuer, &subject).await? {
                    return Err(Failure::Nobody(format!(
                        "{subject} isn't an operator of the issuer {issuer:?}; nothing was removed"
                    )));
                }
                print_line(format_args!("{subject} is no longer an operator"))?;
            }
            Self::List => {
                for operator in registry.operators(&system).await? {
                    print_line(format_args!("{}\t{}", operator.issuer, operator.subject))?;
                }
            }
        }
        Ok(())
    }
}

/// Returns the issuer that was named, else the service's only one.
pub(super) fn named_or_only(registry: &Registry, issuer: Option<String>) -> Result<String, Error> {
    match issuer {
        Some(issuer) => Ok(issuer),
        None => registry.issuer().map(str::to_owned),
    }
}
