//! Service tokens: the credentials of the platform's own services, the Gateway and the Orchestrator.

use std::collections::{BTreeSet, HashMap};

use sea_orm::Set;
use serde_json::json;
use uuid::Uuid;

use super::{
    BoundedCount, Caller, Error, Input, Outcome, Page, PageArgs, Reading, Registry, Result, ServiceScope,
    WriteResult,
    auth::opaque_token::{OpaqueToken, TokenKind},
    change::ChangeAction,
    content::at_most,
    credential::{self, Expiry, Rotated},
    environment::parse_keys,
    idempotency::{ReplayIds, Replayable},
    policy::{self, Action},
    right::{GrantedTxn, OpenTxn},
    text,
};
use crate::{
    clock::{Clock, Instant},
    db::{Actor, ChangeRecord},
    entity::{
        change::{self, ActorKind, last_of_platform},
        count::Counted,
        customer, service_token,
    },
    id::{CustomerId, ServiceTokenId},
};

/// The most customers that a service token can be limited to.
pub const CUSTOMERS_MAX: usize = 100;

pub use service_token::Model as ServiceToken;

/// The fields of a new service token.
#[derive(Clone, Debug)]
pub struct CreateServiceToken {
    /// The purpose, such as `gateway`; 1 to 200 characters.
    pub name: String,
    /// The token's scopes; at least one.
    pub scopes: BTreeSet<ServiceScope>,
    /// The only customers that the token is valid for, 1 to [`CUSTOMERS_MAX`]; `None` for all.
    pub customer_ids: Option<BTreeSet<CustomerId>>,
    /// The keys of the environments that the token reaches at each customer; `None` for all.
    pub environments: Option<Vec<String>>,
    /// When the token expires; `None` for never.
    pub expires_at: Option<Instant>,
}

impl CreateServiceToken {
    /// A token for all customers that doesn't expire.
    pub fn for_all(name: impl Into<String>, scopes: impl IntoIterator<Item = ServiceScope>) -> Self {
        let scopes = scopes.into_iter().collect();
        Self { name: name.into(), scopes, customer_ids: None, environments: None, expires_at: None }
    }
}

/// The service token to rotate.
#[derive(Clone, Copy, Debug)]
pub struct RotateServiceToken {
    /// The token.
    pub id: ServiceTokenId,
    /// For how long the old token is still accepted, in seconds: at most [`credential::OVERLAP_SECONDS_MAX`], and
    /// [`credential::OVERLAP_SECONDS_DEFAULT`] when left out.
    pub overlap_seconds: Option<i64>,
}

/// A new service token with its secret, which is returned only once.
#[derive(Clone, Debug)]
pub struct NewServiceToken {
    /// The row.
    pub token: ServiceToken,
    /// The bearer token; `None` when an idempotent write is replayed.
    pub secret: Option<String>,
}

impl Replayable for ServiceToken {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        txn.allow(Action::ManagePlatform).await?;
        txn.one(service_token::by_id(subject.id.into())).await?.ok_or(Error::NotFound("service token"))
    }
}

impl Replayable for NewServiceToken {
    fn replay_ids(&self) -> ReplayIds {
        self.token.replay_ids()
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        Ok(Self { token: ServiceToken::replay(txn, subject).await?, secret: None })
    }
}

impl Replayable for (NewServiceToken, ServiceToken) {
    fn replay_ids(&self) -> ReplayIds {
        self.0.replay_ids().and(self.1.id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let old = ServiceToken::replay(txn, ReplayIds::row(subject.other()?)).await?;
        Ok((NewServiceToken::replay(txn, subject).await?, old))
    }
}

impl Registry {
    /// Creates a service token.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator; [`Error::NotFound`] for one of the customers;
    /// [`Error::Invalid`] for its name, scopes, customers or expiry; [`Error::TooLarge`] for more than
    /// [`CUSTOMERS_MAX`] customers.
    pub async fn create_service_token(
        &self,
        caller: &Caller,
        input: impl Into<Input<CreateServiceToken>>,
    ) -> Result<WriteResult<NewServiceToken>> {
        policy::allow(caller, Action::ManagePlatform)?;
        let (input, mut errors) = input.into().open();
        let CreateServiceToken { name, scopes, customer_ids, environments, expires_at } = input;
        let name = errors.take(text::normal_name("name", &name)).unwrap_or_default();
        if scopes.is_empty() {
            errors.note(Err(Error::invalid("scopes", "give at least one scope")));
        }
        errors.note(check_customers(customer_ids.as_ref()));
        let environments = environments.and_then(|keys| errors.take(parse_keys("environments", &keys)));
        let expiry = Expiry::new(expires_at, self.clock(), &mut errors);
        errors.into_result()?;
        let scopes = scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
        let grant = TokenGrant {
            name,
            scopes,
            customer_ids: customer_ids.map(|customers| customers.into_iter().collect()),
            environments: environments.map(|keys| keys.iter().map(ToString::to_string).collect()),
            expires_at,
        };
        let clock = self.clock().clone();
        self.write(caller, move |txn| async move {
            expiry.check()?;
            let txn = txn.platform(Action::ManagePlatform).await?;
            require_customers(&txn, grant.customer_ids.as_deref()).await?;
            let made = insert(&txn, &clock, grant).await?;
            let ServiceToken { id, name, scopes, customer_ids, environments, expires_at, .. } = &made.token;
            let after = json!({
                "name": name, "scopes": scopes, "customer_ids": customer_ids, "environments": environments,
                "expires_at": expires_at,
            });
            let entry = ChangeRecord::platform(ChangeAction::ServiceTokenCreated).subject(*id);
            txn.record(entry.details(json!({ "after": after })));
            Ok(Outcome::Changed(made))
        })
        .await
    }

    /// Creates a successor of a service token, with the same name, scopes, customers and expiry. The old token is
    /// accepted for `overlap_seconds` more, but not beyond its own expiry. If the old token's predecessor is still
    /// accepted, it is revoked: at most two tokens of a line are valid at a time.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator; [`Error::NotFound`]; [`Error::Invalid`] for a token that
    /// has expired, was revoked or has a successor already, and for an overlap beyond
    /// [`credential::OVERLAP_SECONDS_MAX`].
    pub async fn rotate_service_token(
        &self,
        caller: &Caller,
        input: impl Into<Input<RotateServiceToken>>,
    ) -> Result<WriteResult<(NewServiceToken, ServiceToken)>> {
        policy::allow(caller, Action::ManagePlatform)?;
        let (RotateServiceToken { id, overlap_seconds }, errors) = input.into().open();
        let overlap = errors.and(credential::checked_overlap(overlap_seconds))?;
        let (now, clock) = (self.clock().now(), self.clock().clone());
        self.write(caller, move |txn| async move {
            let txn = txn.platform(Action::ManagePlatform).await?;
            let old = txn.one(service_token::locked(id)).await?.ok_or(Error::NotFound("service token"))?;
            let rotated = Rotated {
                expires_at: old.expires_at,
                is_revoked: old.revoked_at.is_some(),
                is_replaced: old.replaced_by.is_some(),
            };
            let end = rotated.end("serviceTokenId", "token", now, overlap)?;
            if let Some(oldest) = txn.one(service_token::locked_predecessor(id, now)).await? {
                revoke(&txn, oldest, now).await?;
            }
            let made = insert(&txn, &clock, TokenGrant::of(&old)).await?;
            let successor = made.token.id;
            let row = service_token::ActiveModel {
                expires_at: Set(Some(end)),
                replaced_by: Set(Some(successor)),
                ..old.into()
            };
            let old = txn.update(row).await?;
            let entry = ChangeRecord::platform(ChangeAction::ServiceTokenRotated).subject(id);
            txn.record(entry.details(rotated.details(successor, end)));
            Ok(Outcome::Changed((made, old)))
        })
        .await
    }

    /// The service tokens with these ids: for the platform. Other readers get none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn service_tokens_by_ids(
        &self,
        reading: &Reading,
        ids: &[ServiceTokenId],
    ) -> Result<Vec<ServiceToken>> {
        if policy::allow(&reading.caller, Action::ManagePlatform).is_err() {
            return Ok(Vec::new());
        }
        Ok(reading.view.all(service_token::by_ids(ids)).await?)
    }

    /// The creators of these service tokens, from the log: for tokens whose row doesn't have it. Leaves out tokens whose
    /// entry has been pruned. For the platform; other readers get none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn service_token_creators(
        &self,
        reading: &Reading,
        ids: &[ServiceTokenId],
    ) -> Result<HashMap<ServiceTokenId, Actor>> {
        if policy::allow(&reading.caller, Action::ManagePlatform).is_err() {
            return Ok(HashMap::new());
        }
        let ids: Vec<_> = ids.iter().map(|id| (*id).into()).collect();
        let entries = reading.view.all(change::of_platform(&ids, ChangeAction::ServiceTokenCreated)).await?;
        let creator = |entry: change::Model| {
            Some((entry.subject_id?.into(), Actor { kind: entry.actor_kind, id: entry.actor_id }))
        };
        Ok(entries.into_iter().filter_map(creator).collect())
    }

    /// All service tokens, oldest first, without their secrets.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator.
    pub async fn service_tokens(&self, caller: &Caller) -> Result<Vec<ServiceToken>> {
        policy::allow(caller, Action::ManagePlatform)?;
        Ok(self.reading(caller).view.all(service_token::all()).await?)
    }

    /// A page of the service tokens, newest first, revoked ones too.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the reader is an operator.
    pub async fn service_token_page(
        &self,
        reading: &Reading,
        page: &PageArgs<ServiceTokenId>,
    ) -> Result<Page<ServiceToken>> {
        policy::allow(&reading.caller, Action::ManagePlatform)?;
        Ok(page.page(reading.view.all(service_token::page(&page.keyset_page())).await?))
    }

    /// How many service tokens there are.
    ///
    /// # Errors
    /// As [`Registry::service_token_page`].
    pub async fn count_service_tokens(&self, reading: &Reading) -> Result<BoundedCount> {
        policy::allow(&reading.caller, Action::ManagePlatform)?;
        Ok(reading.view.one(service_token::count()).await?.map(Counted::bounded).unwrap_or_default())
    }

    /// The names of these service tokens: for the platform. Other readers get none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn service_token_names(
        &self,
        reading: &Reading,
        ids: &[ServiceTokenId],
    ) -> Result<HashMap<ServiceTokenId, String>> {
        let rows = self.service_tokens_by_ids(reading, ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// Revokes a service token.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator; [`Error::NotFound`].
    pub async fn revoke_service_token(
        &self,
        caller: &Caller,
        id: ServiceTokenId,
    ) -> Result<WriteResult<ServiceToken>> {
        policy::allow(caller, Action::ManagePlatform)?;
        let now = self.clock().now();
        self.write(caller, move |txn| async move {
            let txn = txn.platform(Action::ManagePlatform).await?;
            let before = txn.one(service_token::locked(id)).await?.ok_or(Error::NotFound("service token"))?;
            if before.revoked_at.is_some() {
                let last = last_of_platform(id.into(), ChangeAction::ServiceTokenRevoked);
                return Ok(Outcome::Unchanged {
                    value: before,
                    since: super::write::since(&txn, last).await?,
                });
            }
            Ok(Outcome::Changed(revoke(&txn, before, now).await?))
        })
        .await
    }
}

impl ServiceToken {
    /// The caller that created the token; `None` when only the log knows, if it does.
    #[must_use]
    pub fn creator(&self) -> Option<(ActorKind, Option<Uuid>)> {
        self.created_by_kind.map(|kind| (kind, self.created_by_id))
    }
}

/// What a token and its successor have in common.
#[derive(Debug)]
struct TokenGrant {
    name: String,
    scopes: Vec<String>,
    customer_ids: Option<Vec<CustomerId>>,
    environments: Option<Vec<String>>,
    expires_at: Option<Instant>,
}

impl TokenGrant {
    fn of(token: &ServiceToken) -> Self {
        Self {
            name: token.name.clone(),
            scopes: token.scopes.clone(),
            customer_ids: token.customer_ids.clone(),
            environments: token.environments.clone(),
            expires_at: token.expires_at,
        }
    }
}

/// Checks the number of customers. An empty list is rejected, because it could be meant as none or as all.
fn check_customers(customers: Option<&BTreeSet<CustomerId>>) -> Result<()> {
    let Some(customers) = customers else { return Ok(()) };
    if customers.is_empty() {
        let message = "customerIds must name a customer; leave it out for all customers";
        return Err(Error::invalid("customerIds", message));
    }
    at_most("customerIds", customers.len(), CUSTOMERS_MAX, "ids")
}

/// Checks that these customers exist. Rows of customers are never deleted, so none of them needs a lock.
async fn require_customers(txn: &GrantedTxn, customers: Option<&[CustomerId]>) -> Result<()> {
    let Some(customers) = customers else { return Ok(()) };
    let found = txn.all(customer::by_ids(txn.tenant_filter(), customers)).await?;
    if found.len() == customers.len() { Ok(()) } else { Err(Error::NotFound("customer")) }
}

async fn insert(txn: &GrantedTxn, clock: &Clock, grant: TokenGrant) -> Result<NewServiceToken> {
    let TokenGrant { name, scopes, customer_ids, environments, expires_at } = grant;
    let id: ServiceTokenId = clock.id();
    let key = OpaqueToken::new(TokenKind::Service, id.into(), clock.secret());
    let is_limited = customer_ids.is_some() || environments.is_some();
    let Actor { kind, id: by } = txn.actor();
    let token = ServiceToken {
        id,
        name,
        secret_hash: key.stored_hash(is_limited).to_vec(),
        scopes,
        created_at: clock.now(),
        revoked_at: None,
        customer_ids,
        created_by_kind: Some(kind),
        created_by_id: by,
        expires_at,
        replaced_by: None,
        environments,
        last_used_at: None,
    };
    txn.insert(service_token::ActiveModel::from(token.clone())).await?;
    Ok(NewServiceToken { token, secret: Some(key.to_string()) })
}

async fn revoke(txn: &GrantedTxn, token: ServiceToken, now: Instant) -> Result<ServiceToken> {
    let id = token.id;
    let row = service_token::ActiveModel { revoked_at: Set(Some(now)), ..token.into() };
    let revoked = txn.update(row).await?;
    let entry = ChangeRecord::platform(ChangeAction::ServiceTokenRevoked).subject(id);
    txn.record(entry.details(credential::revocation_details(now)));
    Ok(revoked)
}
