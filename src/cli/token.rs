//! `token`: credentials. The bare token is the last line of standard output, so that a shell can catch it.

use std::{collections::BTreeSet, str::FromStr, time::Duration};

use clap::{Args, Subcommand};

use super::{Failure, in_workshop, say};
use crate::{
    app::Workshop,
    config::{Common, duration},
    domain::{
        Caller, Error, ServiceScope,
        auth::jwt::{LOCAL_ISSUER, TokenSubject},
        member::{Role, SetMember},
        service_token::CreateServiceToken,
    },
    id::{CustomerId, ServiceTokenId},
};

/// The longest life of a local token: a day's work.
const TTL_MAX: Duration = Duration::from_secs(24 * 3600);

/// Make credentials
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Sign a user's token with the local key
    User(User),
    /// Make a service token, shown this once
    Service(Service),
    /// Print all service tokens, one a line: id, name, scopes, whether it is accepted
    List,
    /// Refuse a service token from now on
    Revoke(Revoke),
}

/// Whom to sign for.
#[derive(Debug, Args)]
pub(super) struct User {
    /// The user's name: the `sub` of the token
    #[arg(long)]
    subject: String,
    /// Its e-mail address, which the token says is verified: with it come the invitations to that address
    #[arg(long)]
    email: Option<String>,
    /// Its name, as people call it
    #[arg(long)]
    name: Option<String>,
    /// Also make it an operator: a user of the platform itself, for all customers
    #[arg(long)]
    operator: bool,
    /// Also make it a member of a customer: ID:VIEWER, ID:EDITOR or ID:ADMIN; may be repeated
    #[arg(long = "member", value_name = "CUSTOMER:ROLE")]
    members: Vec<Place>,
    /// How long the token is valid, such as 30m, 8h; at most 24h
    #[arg(long, default_value = "8h", value_parser = ttl)]
    ttl: Duration,
}

/// What service to make a token for.
#[derive(Debug, Args)]
pub(super) struct Service {
    /// What it is for, such as gateway
    #[arg(long)]
    name: String,
    /// What it may do: configs:read, activations:watch; may be repeated
    #[arg(long = "scope", required = true, value_parser = ServiceScope::from_str)]
    scopes: Vec<ServiceScope>,
}

/// Which service token to refuse.
#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// Its id, as `token list` prints it
    #[arg(long)]
    id: ServiceTokenId,
}

/// A place at a customer.
#[derive(Clone, Copy, Debug)]
struct Place {
    customer: CustomerId,
    role: Role,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (customer, role) = text.split_once(':').ok_or("write it as CUSTOMER:ROLE")?;
        let role = match role.to_ascii_uppercase().as_str() {
            "VIEWER" => Role::Viewer,
            "EDITOR" => Role::Editor,
            "ADMIN" => Role::Admin,
            _ => return Err("the role is VIEWER, EDITOR or ADMIN".to_owned()),
        };
        Ok(Self { customer: customer.parse().map_err(|_| "the customer is a UUID")?, role })
    }
}

/// How long a token may be valid.
fn ttl(text: &str) -> Result<Duration, String> {
    let ttl = duration(text)?;
    if ttl.is_zero() || ttl > TTL_MAX {
        return Err("it must be more than nothing and at most 24h".to_owned());
    }
    Ok(ttl)
}

impl Token {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        if let (Self::User(_), Some(issuer)) = (&self, &common.jwt_issuer) {
            let message = format!("users' tokens come from {issuer} (JWT_ISSUER); this service signs none");
            return Err(Failure::Usage(message));
        }
        if let Some(token) = in_workshop(common, async |workshop| self.act(workshop).await).await? {
            say(format_args!("{token}"))?;
        }
        Ok(())
    }

    async fn act(self, workshop: &Workshop) -> Result<Option<String>, Failure> {
        let (registry, system) = (&workshop.registry, Caller::system("token"));
        match self {
            Self::User(User { subject, email, name, operator, members, ttl }) => {
                let signed = TokenSubject { subject: subject.clone(), email: email.clone(), name };
                let token = registry.mint(signed, ttl)?;
                // Whatever can be refused is so before anything is done.
                let customers: Vec<CustomerId> = members.iter().map(|place| place.customer).collect();
                let found = registry.customers_by_ids(&registry.reading(&system), &customers).await?;
                if customers.iter().any(|customer| found.iter().all(|found| found.id != *customer)) {
                    return Err(Error::NotFound("customer").into());
                }
                for Place { customer, role } in members {
                    let (issuer, subject, email) = (LOCAL_ISSUER.to_owned(), subject.clone(), email.clone());
                    let input = SetMember { customer_id: customer, issuer, subject, email, role };
                    registry.set_member(&system, input).await?;
                }
                if operator {
                    registry.add_operator(&system, LOCAL_ISSUER, &subject).await?;
                }
                Ok(Some(token))
            }
            Self::Service(Service { name, scopes }) => {
                let scopes: BTreeSet<ServiceScope> = scopes.into_iter().collect();
                let made =
                    registry.create_service_token(&system, CreateServiceToken { name, scopes }).await?;
                say(format_args!("id {}", made.value.token.id))?;
                Ok(made.value.secret)
            }
            Self::List => {
                for token in registry.service_tokens(&system).await? {
                    let state = if token.revoked_at.is_some() { "revoked" } else { "accepted" };
                    say(format_args!("{}\t{}\t{}\t{state}", token.id, token.name, token.scopes.join(",")))?;
                }
                Ok(None)
            }
            Self::Revoke(Revoke { id }) => {
                registry.revoke_service_token(&system, id).await?;
                say(format_args!("{id} is refused from now on"))?;
                Ok(None)
            }
        }
    }
}
