//! `token`: issues, rotates, lists and revokes tokens. The bare token is the last line of standard output, so that a shell
//! script can capture it.

use std::{collections::BTreeSet, str::FromStr, time::Duration};

use chrono::TimeDelta;
use clap::{Args, Subcommand};

use super::{Failure, print_line, with_context};
use crate::{
    app::{CliContext, parse_role},
    clock::{self, Instant},
    config::{Common, duration},
    domain::{
        Caller, Error, ServiceScope,
        auth::jwt::{LOCAL_ISSUER, TokenSubject},
        email::normalize_email,
        member::{Role, SetMember},
        service_token::{CreateServiceToken, RotateServiceToken, ServiceToken},
    },
    id::{CustomerId, ServiceTokenId},
};

/// The maximum lifetime of a local token.
const TTL_MAX: Duration = Duration::from_secs(24 * 3600);

/// Issue, rotate, list and revoke tokens
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Sign a user token with the local key
    User(User),
    /// Create a service token; it is shown only once
    Service(Service),
    /// Create a successor of a service token, with the same name, scopes, customers and expiry; it is shown only once
    Rotate(Rotate),
    /// Print all service tokens, one per line: id, name, scopes, accepted, expired or revoked, customers (all, or their
    /// ids), expiry (never, or a time), environments (all, or their keys)
    List,
    /// Revoke a service token
    Revoke(Revoke),
}

/// The user to sign a token for.
#[derive(Debug, Args)]
pub(super) struct User {
    /// The user's identifier: the `sub` claim of the token
    #[arg(long)]
    subject: String,
    /// The user's e-mail address, marked as verified; makes the user a member of each customer that invited this
    /// address
    #[arg(long, value_parser = email)]
    email: Option<String>,
    /// The user's display name
    #[arg(long)]
    name: Option<String>,
    /// Also make the user an operator, with access to all customers
    #[arg(long)]
    operator: bool,
    /// Also make the user a member of a customer: ID:VIEWER, ID:EDITOR or ID:ADMIN; repeatable
    #[arg(long = "member", value_name = "CUSTOMER:ROLE")]
    members: Vec<MembershipArg>,
    /// The token's lifetime, such as 30m or 8h; at most 24h
    #[arg(long, default_value = "8h", value_parser = ttl)]
    ttl: Duration,
}

/// The service to create a token for.
#[derive(Debug, Args)]
pub(super) struct Service {
    /// The token's name, such as gateway
    #[arg(long)]
    name: String,
    /// A scope of the token: configs:read or activations:watch; repeatable
    #[arg(long = "scope", required = true, value_parser = ServiceScope::from_str)]
    scopes: Vec<ServiceScope>,
    /// The UUID of a customer that the token is limited to, at most 100; repeatable. All customers when left out
    #[arg(long = "customer", value_name = "CUSTOMER")]
    customers: Vec<CustomerId>,
    /// The key of an environment that the token is limited to, the same for every customer; repeatable. All environments
    /// when left out
    #[arg(long = "environment", value_name = "KEY")]
    environments: Vec<String>,
    /// When the token stops being accepted: a time, such as 2027-01-31T00:00:00Z, or after how long, such as 90d. Never
    /// when left out
    #[arg(long, value_name = "TIME|DURATION")]
    expires: Option<ExpiryArg>,
}

/// The service token to rotate.
#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// The token's id, as printed by `token list`
    #[arg(long)]
    id: ServiceTokenId,
    /// For how long the old token is still accepted; at most 7d
    #[arg(long, default_value = "1h", value_parser = duration)]
    overlap: Duration,
}

/// The service token to revoke.
#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The token's id, as printed by `token list`
    #[arg(long)]
    id: ServiceTokenId,
}

/// When a token expires.
#[derive(Clone, Copy, Debug)]
enum ExpiryArg {
    At(Instant),
    After(Duration),
}

impl FromStr for ExpiryArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = "expected a time, such as 2027-01-31T00:00:00Z, or a duration, such as 90d";
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        duration(text).map(Self::After).map_err(|_| wrong.to_owned())
    }
}

impl ExpiryArg {
    /// The time; `None` beyond the calendar.
    fn instant(self, now: Instant) -> Option<Instant> {
        match self {
            Self::At(at) => Some(at),
            Self::After(time) => now.checked_add_signed(TimeDelta::from_std(time).ok()?),
        }
    }
}

/// A membership: a customer and a role there.
#[derive(Clone, Copy, Debug)]
struct MembershipArg {
    customer: CustomerId,
    role: Role,
}

impl FromStr for MembershipArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (customer, role) = text.split_once(':').ok_or("expected CUSTOMER:ROLE")?;
        let role = parse_role(role)?;
        Ok(Self { customer: customer.parse().map_err(|_| "the customer must be a UUID")?, role })
    }
}

/// Checks an e-mail address. It keeps its spelling: the service compares addresses in lower case.
fn email(text: &str) -> Result<String, String> {
    normalize_email(text).map(|_| text.to_owned()).map_err(|err| err.to_string())
}

/// Parses a token lifetime.
fn ttl(text: &str) -> Result<Duration, String> {
    let ttl = duration(text)?;
    if ttl.is_zero() || ttl > TTL_MAX {
        return Err("the lifetime must be more than 0 and at most 24h".to_owned());
    }
    Ok(ttl)
}

impl Token {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        if let (Self::User(_), Some(issuer)) = (&self, &common.identity.jwt_issuer) {
            let message =
                format!("JWT_ISSUER is set, so this service signs no user tokens: get one from {issuer}");
            return Err(Failure::Usage(message));
        }
        if let (Self::User(_), Some(file)) = (&self, &common.identity.jwt_issuers) {
            let message = format!(
                "JWT_ISSUERS is set, so this service signs no user tokens: get one from an issuer in {}",
                file.display()
            );
            return Err(Failure::Usage(message));
        }
        if let Some(token) = with_context(common, async |context| self.act(context).await).await? {
            print_line(format_args!("{token}"))?;
        }
        Ok(())
    }

    async fn act(self, context: &CliContext) -> Result<Option<String>, Failure> {
        let (registry, system) = (&context.registry, Caller::system("token"));
        match self {
            Self::User(User { subject, email, name, operator, members, ttl }) => {
                let signed =
                    TokenSubject { subject: subject.clone(), email: email.clone(), name: name.clone() };
                let token = registry.mint(signed, ttl)?;
                // Checks that can fail come before the first write.
                let customers: Vec<CustomerId> = members.iter().map(|place| place.customer).collect();
                let found = registry.customers_by_ids(&registry.reading(&system), &customers).await?;
                if customers.iter().any(|customer| found.iter().all(|found| found.id != *customer)) {
                    return Err(Error::NotFound("customer").into());
                }
                for MembershipArg { customer, role } in members {
                    let (issuer, subject) = (LOCAL_ISSUER.to_owned(), subject.clone());
                    let (email, name) = (email.clone(), name.clone());
                    let input = SetMember { customer_id: customer, issuer, subject, email, name, role };
                    registry.set_member(&system, input).await?;
                }
                if operator {
                    registry.add_operator(&system, LOCAL_ISSUER, &subject).await?;
                }
                Ok(Some(token))
            }
            Self::Service(Service { name, scopes, customers, environments, expires }) => {
                let now = registry.clock().now();
                let too_late = || Error::invalid("expires", "--expires is beyond the calendar");
                let input = CreateServiceToken {
                    name,
                    scopes: scopes.into_iter().collect(),
                    customer_ids: Some(customers.into_iter().collect())
                        .filter(|some: &BTreeSet<_>| !some.is_empty()),
                    environments: Some(environments).filter(|some| !some.is_empty()),
                    expires_at: expires.map(|at| at.instant(now).ok_or_else(too_late)).transpose()?,
                };
                let made = registry.create_service_token(&system, input).await?.value;
                print_line(format_args!("id {}", made.token.id))?;
                Ok(made.secret)
            }
            Self::Rotate(Rotate { id, overlap }) => {
                let overlap_seconds = Some(i64::try_from(overlap.as_secs()).unwrap_or(i64::MAX));
                let input = RotateServiceToken { id, overlap_seconds };
                let (made, old) = registry.rotate_service_token(&system, input).await?.value;
                print_line(format_args!("id {}", made.token.id))?;
                print_line(format_args!("{id} is accepted until {}", expiry_text(old.expires_at)))?;
                Ok(made.secret)
            }
            Self::List => {
                let now = registry.clock().now();
                for token in registry.service_tokens(&system).await? {
                    print_line(format_args!("{}", token_line(&token, now)))?;
                }
                Ok(None)
            }
            Self::Revoke(Revoke { id }) => {
                registry.revoke_service_token(&system, id).await?;
                print_line(format_args!("{id} is revoked"))?;
                Ok(None)
            }
        }
    }
}

/// The line of `token list` for a token.
fn token_line(token: &ServiceToken, now: Instant) -> String {
    let state = match (token.revoked_at, token.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(at)) if at <= now => "expired",
        (None, _) => "accepted",
    };
    let customers = token.customer_ids.as_ref().map_or_else(
        || "all".to_owned(),
        |customers| customers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    );
    let environments = token.environments.as_ref().map_or_else(|| "all".to_owned(), |keys| keys.join(","));
    let (scopes, expiry) = (token.scopes.join(","), expiry_text(token.expires_at));
    format!("{}\t{}\t{scopes}\t{state}\t{customers}\t{expiry}\t{environments}", token.id, token.name)
}

/// A token's expiry: a time, or `never`.
fn expiry_text(at: Option<Instant>) -> String {
    at.map_or_else(|| "never".to_owned(), clock::to_text)
}
