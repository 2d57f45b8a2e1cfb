//! Environments: the places where a customer's agents serve, and the rules for what may serve there.

use std::collections::HashMap;

use sea_orm::Set;
use serde_json::json;

use super::{
    Caller, Error, Input, Outcome, Reading, Registry, Result, WriteResult,
    change::{ChangeAction, archival_details},
    customer::Customer,
    idempotency::{ReplayIds, Replayable, require_allowed},
    limit::{self, QuotaKind},
    member::Role,
    policy::{self, Action},
    right::{GrantedTxn, OpenTxn},
    text,
};
use crate::{
    clock::{Clock, Instant},
    db::ChangeRecord,
    entity::{change::last_of_row, environment},
    id::{CustomerId, EnvironmentId, Revision},
};

mod rules;

pub use crate::environment_key::{DEFAULT as DEFAULT_KEY, EnvironmentKey};
pub use environment::{BreakingPolicy, Model as Environment};
pub use rules::{EnvironmentRules, activation_place, key_or_default, keys_or_default, parse_keys};
use rules::{check_rules, parse_key, with_rules};

/// The fields of a new environment.
#[derive(Clone, Debug)]
pub struct CreateEnvironment {
    /// The customer.
    pub customer_id: CustomerId,
    /// The key, unique within the customer.
    pub key: String,
    /// The name; 1 to 200 characters.
    pub name: String,
    /// The rules. CONFIRM and EDITOR when they are left out.
    pub rules: EnvironmentRules,
}

/// Changes to an environment. `None` keeps a field.
#[derive(Clone, Debug)]
pub struct UpdateEnvironment {
    /// The environment.
    pub id: EnvironmentId,
    /// The new name.
    pub name: Option<String>,
    /// The new rules.
    pub rules: EnvironmentRules,
}

impl Replayable for Environment {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let select = environment::by_ids(txn.tenant_filter(), txn.environment_filter(), &[subject.id.into()]);
        let found = txn.one(select).await?;
        require_allowed(found, txn, Action::ManageEnvironments, "environment", |row| row.customer_id).await
    }
}

impl Registry {
    /// Creates an environment, in which nothing serves yet.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer, [`Error::Forbidden`], [`Error::Suspended`], [`Error::LimitReached`],
    /// [`Error::AlreadyExists`] for the key, [`Error::Invalid`] or [`Error::TooLarge`] for a field.
    pub async fn create_environment(
        &self,
        caller: &Caller,
        input: impl Into<Input<CreateEnvironment>>,
    ) -> Result<WriteResult<Environment>> {
        let (CreateEnvironment { customer_id, key, name, rules }, mut errors) = input.into().open();
        errors.allow_on(caller, Action::ManageEnvironments, customer_id, "customer")?;
        let key = errors.take(parse_key("key", &key)).unwrap_or_default();
        let name = errors.take(text::normal_name("name", &name)).unwrap_or_default();
        check_rules(&rules, &mut errors);
        errors.into_result()?;
        let clock = self.clock().clone();
        self.write(caller, move |txn| async move {
            let (txn, customer) = txn.customer(Action::ManageEnvironments, customer_id, "customer").await?;
            let known = known(&txn, customer_id).await?;
            if known.iter().any(|other| other.key == key) {
                let message =
                    "the customer already has an environment with this key, perhaps an archived one";
                return Err(Error::AlreadyExists { field: "key", message });
            }
            limit::check_quota(&txn, &customer, QuotaKind::Environments, 1, clock.now()).await?;
            let last = known.iter().map(|other| other.rank).max().unwrap_or(0);
            let now = clock.now();
            let blank = Environment {
                id: clock.id(),
                customer_id,
                key,
                name,
                rank: last.saturating_add(1),
                is_default: false,
                promote_from: None,
                min_soak_seconds: 0,
                on_breaking: BreakingPolicy::Confirm,
                allowed_models: None,
                activate_role: Role::Editor,
                created_at: now,
                updated_at: now,
                archived_at: None,
            };
            let environment = with_rules(blank, rules, &known)?;
            txn.insert(environment::ActiveModel::from(environment.clone())).await?;
            let details = json!({ "after": logged_fields(&environment) });
            txn.record(entry(ChangeAction::EnvironmentCreated, &environment).details(details));
            Ok(Outcome::Changed(environment))
        })
        .await
    }

    /// Changes an environment's name, rank or rules. Its key never changes.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Suspended`], [`Error::Invalid`] or [`Error::TooLarge`] for a
    /// field.
    pub async fn update_environment(
        &self,
        caller: &Caller,
        input: impl Into<Input<UpdateEnvironment>>,
    ) -> Result<WriteResult<Environment>> {
        policy::allow(caller, Action::ManageEnvironments)?;
        let (UpdateEnvironment { id, name, rules }, mut errors) = input.into().open();
        let name = name.and_then(|name| errors.take(text::normal_name("name", &name)));
        check_rules(&rules, &mut errors);
        errors.into_result()?;
        let clock = self.clock().clone();
        self.write(caller, move |txn| async move {
            let (txn, _, before) = lock(txn, id).await?;
            let known = known(&txn, before.customer_id).await?;
            let renamed = Environment { name: name.unwrap_or_else(|| before.name.clone()), ..before.clone() };
            let after = with_rules(renamed, rules, &known)?;
            if after == before {
                let since = since(&txn, &before, ChangeAction::EnvironmentUpdated).await?;
                return Ok(Outcome::Unchanged { value: before, since });
            }
            let details = json!({ "before": logged_fields(&before), "after": logged_fields(&after) });
            txn.record(entry(ChangeAction::EnvironmentUpdated, &before).details(details));
            let row = environment::ActiveModel { updated_at: Set(clock.now()), ..environment::rules(after) };
            Ok(Outcome::Changed(txn.update(row).await?))
        })
        .await
    }

    /// Archives an environment in which nothing serves. Its key stays taken.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Suspended`]; [`Error::Invalid`] for the default environment,
    /// one in which an agent serves, and one from which another one promotes.
    pub async fn archive_environment(
        &self,
        caller: &Caller,
        id: EnvironmentId,
    ) -> Result<WriteResult<Environment>> {
        policy::allow(caller, Action::ManageEnvironments)?;
        let clock = self.clock().clone();
        self.write(caller, move |txn| async move {
            let (txn, _, before) = lock(txn, id).await?;
            if before.archived_at.is_some() {
                let since = since(&txn, &before, ChangeAction::EnvironmentArchived).await?;
                return Ok(Outcome::Unchanged { value: before, since });
            }
            let refuse = |message: String| Err(Error::invalid("environmentId", message));
            if before.is_default {
                return refuse(format!("`{DEFAULT_KEY}` is the default environment and can't be archived"));
            }
            let known = known(&txn, before.customer_id).await?;
            if let Some(other) =
                known.iter().find(|other| other.archived_at.is_none() && other.promote_from == Some(id))
            {
                let message = format!("`{}` promotes from this environment; change that first", other.key);
                return refuse(message);
            }
            let serving = txn.one(environment::is_serving(before.customer_id, &before.key)).await?;
            if serving.is_some_and(|serving| serving.exists) {
                return refuse("an agent serves in this environment; deactivate it there first".to_owned());
            }
            Ok(Outcome::Changed(set_archived(&txn, before, Some(clock.now()), &clock).await?))
        })
        .await
    }

    /// Restores an archived environment.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Suspended`], [`Error::LimitReached`].
    pub async fn restore_environment(
        &self,
        caller: &Caller,
        id: EnvironmentId,
    ) -> Result<WriteResult<Environment>> {
        policy::allow(caller, Action::ManageEnvironments)?;
        let clock = self.clock().clone();
        self.write(caller, move |txn| async move {
            let (txn, customer, before) = lock(txn, id).await?;
            if before.archived_at.is_none() {
                let since = since(&txn, &before, ChangeAction::EnvironmentRestored).await?;
                return Ok(Outcome::Unchanged { value: before, since });
            }
            limit::check_quota(&txn, &customer, QuotaKind::Environments, 1, clock.now()).await?;
            Ok(Outcome::Changed(set_archived(&txn, before, None, &clock).await?))
        })
        .await
    }

    /// The environments of each of these customers that the reader may see, archived ones too, by rank.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`.
    pub async fn environments_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
    ) -> Result<HashMap<CustomerId, Vec<Environment>>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        let visible = super::visible(reading, customers, |id| *id);
        let rows =
            reading.view.all(environment::of_customers(&visible, &reading.view.environment_filter())).await?;
        Ok(super::grouped(rows, |row| row.customer_id))
    }

    /// The environments with these ids that the reader may see. For references from other objects.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a credential without any scope.
    pub async fn environments_by_ids(
        &self,
        reading: &Reading,
        ids: &[EnvironmentId],
    ) -> Result<Vec<Environment>> {
        policy::allow(&reading.caller, Action::ReadServing)?;
        let (tenants, reach) = (reading.view.tenant_filter(), reading.view.environment_filter());
        Ok(reading.view.all(environment::by_ids(&tenants, &reach, ids)).await?)
    }

    /// Checks that the reader reaches an environment with this key at a customer that it may see: this one, or any.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub(crate) async fn check_environment_exists(
        &self,
        reading: &Reading,
        customer: Option<CustomerId>,
        key: &EnvironmentKey,
    ) -> Result<()> {
        let missing = || Err(Error::NotFound("environment"));
        let reach = reading.view.environment_filter();
        if !reading.caller.principal.environments().admits(key) {
            return missing();
        }
        // Every customer has it.
        if key.is_default() {
            return Ok(());
        }
        let tenants = customer.map_or_else(
            || reading.view.tenant_filter(),
            |customer| crate::entity::TenantFilter::Only(vec![customer]),
        );
        let found = reading.view.one(environment::exists(&tenants, &reach, key)).await?;
        if found.is_some_and(|found| found.exists) { Ok(()) } else { missing() }
    }
}

/// All environments of a locked customer.
async fn known(txn: &GrantedTxn, customer: CustomerId) -> Result<Vec<Environment>> {
    Ok(txn.all(environment::of_customers(&[customer], txn.environment_filter())).await?)
}

/// Locks the environment's customer, so that nothing changes what serves there, and then the environment.
async fn lock(txn: OpenTxn, id: EnvironmentId) -> Result<(GrantedTxn, Customer, Environment)> {
    let missing = || Error::NotFound("environment");
    let select = environment::by_ids(txn.tenant_filter(), txn.environment_filter(), &[id]);
    let customer = txn.one(select).await?.ok_or_else(missing)?.customer_id;
    let (txn, customer) = txn.customer(Action::ManageEnvironments, customer, "environment").await?;
    let found = txn.one(environment::locked(txn.tenant_filter(), id)).await?.ok_or_else(missing)?;
    Ok((txn, customer, found))
}

async fn set_archived(
    txn: &GrantedTxn,
    before: Environment,
    archived_at: Option<Instant>,
    clock: &Clock,
) -> Result<Environment> {
    let mut details = archival_details(before.archived_at, archived_at);
    if let Some(details) = details.as_object_mut() {
        details.insert("environment".to_owned(), json!(before.key));
    }
    let action = if archived_at.is_some() {
        ChangeAction::EnvironmentArchived
    } else {
        ChangeAction::EnvironmentRestored
    };
    let entry = entry(action, &before).details(details);
    let row = environment::ActiveModel {
        archived_at: Set(archived_at),
        updated_at: Set(clock.now()),
        ..before.into()
    };
    let after = txn.update(row).await?;
    txn.record(entry);
    Ok(after)
}

fn entry(action: ChangeAction, environment: &Environment) -> ChangeRecord {
    ChangeRecord::of(action, environment.customer_id).subject(environment.id)
}

async fn since(txn: &GrantedTxn, environment: &Environment, action: ChangeAction) -> Result<Revision> {
    super::write::since(txn, last_of_row(environment.customer_id, environment.id.into(), action)).await
}

/// The environment's fields that log entries contain: no text of people, since entries outlive an erasure.
fn logged_fields(environment: &Environment) -> serde_json::Value {
    let Environment {
        key,
        rank,
        promote_from,
        min_soak_seconds,
        on_breaking,
        allowed_models,
        activate_role,
        ..
    } = environment;
    json!({
        "environment": key, "rank": rank, "promote_from": promote_from, "min_soak_seconds": min_soak_seconds,
        "on_breaking": sea_orm::ActiveEnum::to_value(on_breaking), "allowed_models": allowed_models,
        "activate_role": sea_orm::ActiveEnum::to_value(activate_role),
    })
}
