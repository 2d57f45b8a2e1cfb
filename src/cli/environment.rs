//! `environment`: creates, lists, archives and restores the environments of a customer.

use clap::{Args, Subcommand};

use super::{Failure, print_line, with_context};
use crate::{
    app::{CliContext, parse_role},
    config::Common,
    domain::{
        Caller, Error,
        environment::{BreakingPolicy, CreateEnvironment, Environment, EnvironmentKey, EnvironmentRules},
        member::Role,
    },
    id::CustomerId,
};

/// Create, list, archive and restore the environments of a customer
#[derive(Debug, Subcommand)]
pub(super) enum EnvironmentCommand {
    /// Create an environment; the last line printed is its id
    Create(New),
    /// Print a customer's environments by rank, one per line: id, key, name, active or archived
    List(Of),
    /// Archive an environment in which nothing serves; its key stays reserved
    Archive(Which),
    /// Restore an archived environment
    Restore(Which),
}

/// A new environment.
#[derive(Debug, Args)]
pub(super) struct New {
    /// The id of the customer
    #[arg(long, value_name = "ID")]
    customer: CustomerId,
    /// The key, such as staging: 1 to 32 lower-case letters, digits and hyphens; it never changes
    #[arg(long)]
    key: EnvironmentKey,
    /// The name, 1 to 200 characters [default: the key]
    #[arg(long)]
    name: Option<String>,
    /// The place in lists, ascending [default: after the last one]
    #[arg(long, allow_negative_numbers = true)]
    rank: Option<i32>,
    /// The key of the environment in which a version must have been active before
    #[arg(long, value_name = "KEY")]
    promote_from: Option<EnvironmentKey>,
    /// For how many seconds it must have been active there
    #[arg(long, value_name = "SECONDS", requires = "promote_from")]
    min_soak: Option<i32>,
    /// What happens to an activation that may break conversations or executors: allow, confirm or refuse
    #[arg(long, default_value = "confirm", value_parser = on_breaking)]
    on_breaking: BreakingPolicy,
    /// A model that versions may use; repeatable [default: every model]
    #[arg(long = "allowed-model", value_name = "NAME")]
    allowed_models: Vec<String>,
    /// The lowest role that may activate: EDITOR or ADMIN
    #[arg(long, default_value = "EDITOR", value_parser = parse_role)]
    activate_role: Role,
}

/// The customer whose environments are listed.
#[derive(Debug, Args)]
pub(super) struct Of {
    /// The id of the customer
    #[arg(long, value_name = "ID")]
    customer: CustomerId,
}

/// An environment of a customer.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The id of the customer
    #[arg(long, value_name = "ID")]
    customer: CustomerId,
    /// The key of the environment
    #[arg(long)]
    key: EnvironmentKey,
}

/// Parses a breaking policy.
fn on_breaking(text: &str) -> Result<BreakingPolicy, String> {
    match text {
        "allow" => Ok(BreakingPolicy::Allow),
        "confirm" => Ok(BreakingPolicy::Confirm),
        "refuse" => Ok(BreakingPolicy::Refuse),
        _ => Err("expected allow, confirm or refuse".to_owned()),
    }
}

impl EnvironmentCommand {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        with_context(common, async |context| self.act(context).await).await
    }

    async fn act(self, context: &CliContext) -> Result<(), Failure> {
        let (registry, system) = (&context.registry, Caller::system("environment"));
        match self {
            Self::Create(new) => {
                let made = registry.create_environment(&system, new.into_input()).await?;
                print_line(format_args!("{}", made.value.id))?;
            }
            Self::List(Of { customer }) => {
                for environment in all(context, &system, customer).await? {
                    let Environment { id, key, name, archived_at, .. } = environment;
                    let state = if archived_at.is_some() { "archived" } else { "active" };
                    print_line(format_args!("{id}\t{key}\t{name}\t{state}"))?;
                }
            }
            Self::Archive(which) => {
                let id = which.find(context, &system).await?.id;
                registry.archive_environment(&system, id).await?;
                print_line(format_args!("{} is archived", which.key))?;
            }
            Self::Restore(which) => {
                let id = which.find(context, &system).await?.id;
                registry.restore_environment(&system, id).await?;
                print_line(format_args!("{} is active", which.key))?;
            }
        }
        Ok(())
    }
}

impl New {
    fn into_input(self) -> CreateEnvironment {
        let Self {
            customer,
            key,
            name,
            rank,
            promote_from,
            min_soak,
            on_breaking,
            allowed_models,
            activate_role,
        } = self;
        let rules = EnvironmentRules {
            rank,
            promote_from: Some(promote_from.map(|key| key.to_string())),
            min_soak_seconds: min_soak,
            on_breaking: Some(on_breaking),
            allowed_models: Some(Some(allowed_models).filter(|models| !models.is_empty())),
            activate_role: Some(activate_role),
        };
        let name = name.unwrap_or_else(|| key.to_string());
        CreateEnvironment { customer_id: customer, key: key.to_string(), name, rules }
    }
}

impl Which {
    async fn find(&self, context: &CliContext, system: &Caller) -> Result<Environment, Failure> {
        let mut all = all(context, system, self.customer).await?.into_iter();
        let found = all.find(|environment| environment.key == self.key);
        Ok(found.ok_or(Error::NotFound("environment"))?)
    }
}

/// The environments of a customer, which must exist: each has at least one.
async fn all(
    context: &CliContext,
    system: &Caller,
    customer: CustomerId,
) -> Result<Vec<Environment>, Failure> {
    let (registry, reading) = (&context.registry, context.registry.reading(system));
    let found = registry.environments_of_each(&reading, &[customer]).await?.remove(&customer);
    Ok(found.ok_or(Error::NotFound("customer"))?)
}
