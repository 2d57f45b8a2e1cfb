//! `member`: adds members by issuer and subject, and links further identities to users.

use clap::{Args, Subcommand};

use super::{Failure, operator::named_or_only, print_line, with_context};
use crate::{
    app::{CliContext, parse_role},
    config::Common,
    domain::{
        Caller,
        email::normalize_email,
        identity::LinkIdentity,
        member::{AddMember, Role},
    },
    id::{CustomerId, UserId},
};

/// Add members, and link identities to users
#[derive(Debug, Subcommand)]
pub(super) enum Member {
    /// Make a person or a machine a member of a customer, without an invitation
    Add(New),
    /// Link a further identity to a user, so that both sign in as the same person
    Link(Link),
}

/// A new member, identified by the claims of its tokens.
#[derive(Debug, Args)]
pub(super) struct New {
    /// The customer's id
    #[arg(long)]
    customer: CustomerId,
    /// The `sub` claim of the member's tokens
    #[arg(long)]
    subject: String,
    /// The `iss` claim of the member's tokens [default: the only issuer: JWT_ISSUER if set, else this service]
    #[arg(long)]
    issuer: Option<String>,
    /// The role: VIEWER, EDITOR or ADMIN
    #[arg(long, value_parser = parse_role)]
    role: Role,
}

/// A user, and the identity to link to it.
#[derive(Debug, Args)]
pub(super) struct Link {
    /// The user's id
    #[arg(long, required_unless_present = "email", conflicts_with = "email")]
    user: Option<UserId>,
    /// The user's e-mail address, in place of the id
    #[arg(long)]
    email: Option<String>,
    /// The `sub` claim of the new identity's tokens
    #[arg(long)]
    subject: String,
    /// The `iss` claim of the new identity's tokens [default: the only issuer: JWT_ISSUER if set, else this service]
    #[arg(long)]
    issuer: Option<String>,
}

impl Member {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        with_context(common, async |context| self.act(context).await).await
    }

    async fn act(self, context: &CliContext) -> Result<(), Failure> {
        let (registry, system) = (&context.registry, Caller::system("member"));
        match self {
            Self::Add(New { customer, subject, issuer, role }) => {
                let input = AddMember { customer_id: customer, issuer, subject: subject.clone(), role };
                let made = registry.add_member(&system, input).await?;
                print_line(format_args!("{subject} is a member; the user's id is {}", made.value.user_id))?;
            }
            Self::Link(Link { user, email, subject, issuer }) => {
                let user_id = match user {
                    Some(user) => user,
                    None => find_by_email(context, &system, &email.unwrap_or_default()).await?,
                };
                let issuer = named_or_only(registry, issuer)?;
                let input = LinkIdentity { user_id, issuer: issuer.clone(), subject: subject.clone() };
                registry.link_identity(&system, input).await?;
                print_line(format_args!("{subject} of {issuer} signs in as the user {user_id}"))?;
            }
        }
        Ok(())
    }
}

/// Returns the only user with this address.
async fn find_by_email(context: &CliContext, system: &Caller, email: &str) -> Result<UserId, Failure> {
    let email = normalize_email(email)?;
    let users = context.registry.users_by_email(system, &email).await?;
    match users.as_slice() {
        [only] => Ok(only.id),
        [] => Err(Failure::Usage(format!("no user has the address {email}"))),
        several => {
            let ids: Vec<String> = several.iter().map(|user| user.id.to_string()).collect();
            let ids = ids.join(", ");
            Err(Failure::Usage(format!("several users have the address {email}; name one by --user: {ids}")))
        }
    }
}
