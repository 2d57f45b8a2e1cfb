//! API keys: the credentials of a customer's own programs.

use std::collections::{BTreeSet, HashMap};

use sea_orm::Set;
use serde_json::json;
use uuid::Uuid;

use super::{
    BoundedCount, Caller, Error, Input, KeyScope, Outcome, Page, PageArgs, Reading, Registry, Result,
    WriteResult,
    auth::opaque_token::{OpaqueToken, TokenKind},
    change::ChangeAction,
    credential::{self, Expiry, Rotated},
    environment::{EnvironmentKey, parse_keys},
    idempotency::{ReplayIds, Replayable, require_allowed},
    limit::{self, QuotaKind},
    policy::{self, Action},
    right::{GrantedTxn, OpenTxn},
    text,
};
use crate::{
    clock::{Clock, Instant},
    db::{Actor, ChangeRecord},
    entity::{api_key, change::last_of_row, environment},
    id::{ApiKeyId, CustomerId},
};

pub use api_key::Model as ApiKey;

/// The fields of a new API key.
#[derive(Clone, Debug)]
pub struct CreateApiKey {
    /// The customer that the key belongs to.
    pub customer_id: CustomerId,
    /// The purpose; 1 to 200 characters.
    pub name: String,
    /// The key's scopes; at least one.
    pub scopes: BTreeSet<KeyScope>,
    /// When the key expires; `None` for never.
    pub expires_at: Option<Instant>,
    /// The keys of the environments that the key reaches; `None` for all.
    pub environments: Option<Vec<String>>,
}

/// The API key to rotate.
#[derive(Clone, Copy, Debug)]
pub struct RotateApiKey {
    /// The key.
    pub id: ApiKeyId,
    /// For how long the old key is still accepted, in seconds: at most [`credential::OVERLAP_SECONDS_MAX`], and
    /// [`credential::OVERLAP_SECONDS_DEFAULT`] when left out.
    pub overlap_seconds: Option<i64>,
}

/// A new API key with its secret, which is returned only once.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The row.
    pub api_key: ApiKey,
    /// The bearer token; `None` when an idempotent write is replayed.
    pub secret: Option<String>,
}

impl Replayable for ApiKey {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let found = txn.one(api_key::by_id(txn.tenant_filter(), subject.id.into())).await?;
        require_allowed(found, txn, Action::RevokeKeys, "API key", |row| row.customer_id).await
    }
}

impl Replayable for NewApiKey {
    fn replay_ids(&self) -> ReplayIds {
        self.api_key.replay_ids()
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        Ok(Self { api_key: ApiKey::replay(txn, subject).await?, secret: None })
    }
}

impl Replayable for (NewApiKey, ApiKey) {
    fn replay_ids(&self) -> ReplayIds {
        self.0.replay_ids().and(self.1.id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let old = ApiKey::replay(txn, ReplayIds::row(subject.other()?)).await?;
        Ok((NewApiKey::replay(txn, subject).await?, old))
    }
}

impl Registry {
    /// Creates an API key.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer, [`Error::Forbidden`] unless the caller is an ADMIN there or the platform,
    /// [`Error::Suspended`], [`Error::LimitReached`], [`Error::Invalid`] for its name, scopes or expiry.
    pub async fn create_api_key(
        &self,
        caller: &Caller,
        input: impl Into<Input<CreateApiKey>>,
    ) -> Result<WriteResult<NewApiKey>> {
        let (input, mut errors) = input.into().open();
        let CreateApiKey { customer_id, name, scopes, expires_at, environments } = input;
        errors.allow_on(caller, Action::ManageKeys, customer_id, "customer")?;
        let name = errors.take(text::normal_name("name", &name)).unwrap_or_default();
        if scopes.is_empty() {
            errors.note(Err(Error::invalid("scopes", "give at least one scope")));
        }
        let environments = environments.and_then(|keys| {
            errors.note(check_limited_scopes(&scopes));
            errors.take(parse_keys("environments", &keys))
        });
        let expiry = Expiry::new(expires_at, self.clock(), &mut errors);
        errors.into_result()?;
        let now = self.clock().now();
        let scopes = scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
        let clock = self.clock().clone();
        self.write(caller, move |txn| async move {
            expiry.check()?;
            let (txn, customer) = txn.customer(Action::ManageKeys, customer_id, "customer").await?;
            limit::check_quota(&txn, &customer, QuotaKind::ApiKeys, 1, now).await?;
            let reached = match environments {
                Some(keys) => Some(reached(&txn, customer_id, &keys).await?),
                None => None,
            };
            let made = insert(&txn, &clock, customer_id, name, scopes, expires_at, reached).await?;
            let entry = ChangeRecord::of(ChangeAction::ApiKeyCreated, customer_id).subject(made.api_key.id);
            txn.record(entry.details(json!({ "after": logged_fields(&made.api_key) })));
            Ok(Outcome::Changed(made))
        })
        .await
    }

    /// Creates a successor of an API key, with the same name, scopes and expiry. The old key is accepted for
    /// `overlap_seconds` more, but not beyond its own expiry. If the old key's predecessor is still accepted, it is revoked:
    /// at most two keys of a line are valid at a time, or rotating would bypass the plan's limit.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] unless the caller is an ADMIN of its customer or the platform,
    /// [`Error::Suspended`], [`Error::Invalid`] for a key that has expired, was revoked or has a successor already,
    /// and for an overlap beyond [`credential::OVERLAP_SECONDS_MAX`].
    pub async fn rotate_api_key(
        &self,
        caller: &Caller,
        input: impl Into<Input<RotateApiKey>>,
    ) -> Result<WriteResult<(NewApiKey, ApiKey)>> {
        policy::allow(caller, Action::ManageKeys)?;
        let (RotateApiKey { id, overlap_seconds }, errors) = input.into().open();
        let overlap = errors.and(credential::checked_overlap(overlap_seconds))?;
        let (now, clock) = (self.clock().now(), self.clock().clone());
        self.write(caller, move |txn| async move {
            let (txn, old) = lock(txn, Action::ManageKeys, id).await?;
            let rotated = Rotated {
                expires_at: old.expires_at,
                is_revoked: old.revoked_at.is_some(),
                is_replaced: old.replaced_by.is_some(),
            };
            let end = rotated.end("apiKeyId", "key", now, overlap)?;
            if let Some(oldest) = txn.one(api_key::locked_predecessor(txn.tenant_filter(), id, now)).await? {
                let (customer, oldest_id) = (oldest.customer_id, oldest.id);
                txn.update(api_key::ActiveModel { revoked_at: Set(Some(now)), ..oldest.into() }).await?;
                txn.record(revocation(customer, oldest_id, now));
            }
            // Not limited by the plan: the successor replaces the old key, which is only valid for a while
            // longer.
            let (name, scopes, ends) = (old.name.clone(), old.scopes.clone(), old.expires_at);
            let environments = old.environment_ids.clone();
            let made = insert(&txn, &clock, old.customer_id, name, scopes, ends, environments).await?;
            let entry = ChangeRecord::of(ChangeAction::ApiKeyRotated, old.customer_id).subject(id);
            let successor = made.api_key.id;
            let row = api_key::ActiveModel {
                expires_at: Set(Some(end)),
                replaced_by: Set(Some(successor)),
                ..old.into()
            };
            let old = txn.update(row).await?;
            txn.record(entry.details(rotated.details(successor, end)));
            Ok(Outcome::Changed((made, old)))
        })
        .await
    }

    /// Revokes an API key. Sockets and streams that were opened with it end within a second. Also possible at
    /// suspended and canceled customers, since it only removes a right.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] unless the caller is an ADMIN of its customer or the platform.
    pub async fn revoke_api_key(&self, caller: &Caller, id: ApiKeyId) -> Result<WriteResult<ApiKey>> {
        policy::allow(caller, Action::RevokeKeys)?;
        let now = self.clock().now();
        self.write(caller, move |txn| async move {
            let (txn, before) = lock(txn, Action::RevokeKeys, id).await?;
            let customer = before.customer_id;
            if before.revoked_at.is_some() {
                let last = last_of_row(customer, id.into(), ChangeAction::ApiKeyRevoked);
                return Ok(Outcome::Unchanged {
                    value: before,
                    since: super::write::since(&txn, last).await?,
                });
            }
            let row = api_key::ActiveModel { revoked_at: Set(Some(now)), ..before.into() };
            let after = txn.update(row).await?;
            txn.record(revocation(customer, id, now));
            Ok(Outcome::Changed(after))
        })
        .await
    }

    /// For each of these customers, the same page of API keys, newest first and without their secrets.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for an API key or a service token. Customers whose keys the reader may not read get an
    /// empty page.
    pub async fn api_keys_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
        page: &PageArgs<ApiKeyId>,
    ) -> Result<Vec<(CustomerId, Page<ApiKey>)>> {
        let visible = super::permitted(reading, Action::ReadKeys, customers)?;
        let rows = reading.view.all(api_key::page_each(&visible, &page.keyset_page())).await?;
        Ok(super::page_each(customers, rows, |key| key.customer_id, page))
    }

    /// The API keys with these ids, without their secrets. For references from other objects. Leaves out keys that the
    /// reader may not read.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn api_keys_by_ids(&self, reading: &Reading, ids: &[ApiKeyId]) -> Result<Vec<ApiKey>> {
        let Ok(tenants) = reading.tenant_filter(Action::ReadKeys) else { return Ok(Vec::new()) };
        Ok(reading.view.all(api_key::by_ids(&tenants, ids)).await?)
    }

    /// The names of these API keys, which say who did something. Leaves out keys of customers that the reader may not
    /// see, and all keys for a reader who may not see people.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn api_key_names(
        &self,
        reading: &Reading,
        ids: &[ApiKeyId],
    ) -> Result<HashMap<ApiKeyId, String>> {
        let Ok(tenants) = reading.tenant_filter(Action::ReadPeople) else { return Ok(HashMap::new()) };
        let rows = reading.view.all(api_key::by_ids(&tenants, ids)).await?;
        Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// For each of these customers, how many API keys it has ever had.
    ///
    /// # Errors
    /// As [`Registry::api_keys_of_each`].
    pub async fn count_api_keys_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
    ) -> Result<Vec<(CustomerId, BoundedCount)>> {
        let visible = super::permitted(reading, Action::ReadKeys, customers)?;
        let rows = reading.view.all(api_key::count_each(&visible)).await?;
        Ok(super::zero_filled(customers, rows))
    }
}

/// Checks that none of these scopes reaches beyond environments. A change of an agent's name, or its archiving, is one in
/// all of them, and so is the audit log.
fn check_limited_scopes(scopes: &BTreeSet<KeyScope>) -> Result<()> {
    let beyond =
        [KeyScope::AgentsWrite, KeyScope::ChangesRead].into_iter().find(|scope| scopes.contains(scope));
    beyond.map_or(Ok(()), |scope| {
        let message = format!("a key with the scope {} reaches every environment", scope.as_str());
        Err(Error::invalid("environments", message))
    })
}

/// The environments with these keys, which the customer must have.
async fn reached(txn: &GrantedTxn, customer: CustomerId, keys: &[EnvironmentKey]) -> Result<Vec<Uuid>> {
    let known = txn.all(environment::of_customers(&[customer], txn.environment_filter())).await?;
    let id = |key: &EnvironmentKey| {
        let found = known.iter().find(|environment| environment.key == *key);
        found
            .map(|found| found.id.into())
            .ok_or_else(|| Error::invalid("environments", format!("the customer has no environment `{key}`")))
    };
    keys.iter().map(id).collect()
}

async fn insert(
    txn: &GrantedTxn,
    clock: &Clock,
    customer_id: CustomerId,
    name: String,
    scopes: Vec<String>,
    expires_at: Option<Instant>,
    environment_ids: Option<Vec<Uuid>>,
) -> Result<NewApiKey> {
    let id: ApiKeyId = clock.id();
    let key = OpaqueToken::new(TokenKind::Api, id.into(), clock.secret());
    let Actor { kind, id: by } = txn.actor();
    let api_key = ApiKey {
        id,
        customer_id,
        name,
        secret_hash: key.stored_hash(environment_ids.is_some()).to_vec(),
        scopes,
        created_by_kind: kind,
        created_by_id: by,
        created_at: clock.now(),
        expires_at,
        last_used_at: None,
        revoked_at: None,
        replaced_by: None,
        environment_ids,
    };
    txn.insert(api_key::ActiveModel::from(api_key.clone())).await?;
    Ok(NewApiKey { api_key, secret: Some(key.to_string()) })
}

/// Locks the key's customer, then the key, and checks the caller's right to do this.
async fn lock(txn: OpenTxn, action: Action, id: ApiKeyId) -> Result<(GrantedTxn, ApiKey)> {
    let missing = || Error::NotFound("API key");
    let customer = txn.one(api_key::by_id(txn.tenant_filter(), id)).await?.ok_or_else(missing)?.customer_id;
    let (txn, _) = txn.customer(action, customer, "API key").await?;
    let key = txn.one(api_key::locked(txn.tenant_filter(), id)).await?.ok_or_else(missing)?;
    Ok((txn, key))
}

/// The key's fields that log entries contain. Without its name, which is erased with its customer, while entries
/// never change.
fn logged_fields(key: &ApiKey) -> serde_json::Value {
    match &key.environment_ids {
        None => json!({ "scopes": key.scopes, "expires_at": key.expires_at }),
        Some(ids) => {
            json!({ "scopes": key.scopes, "expires_at": key.expires_at, "environment_ids": ids })
        }
    }
}

/// The log entry for a revoked key.
fn revocation(customer: CustomerId, key: ApiKeyId, now: Instant) -> ChangeRecord {
    let details = credential::revocation_details(now);
    ChangeRecord::of(ChangeAction::ApiKeyRevoked, customer).subject(key).details(details)
}
