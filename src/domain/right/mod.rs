//! The right to write, read again inside the transaction that writes: the caller's rights may have been removed after
//! the request was authenticated, and the removal may have been confirmed already.
//!
//! An operation gets an [`OpenTxn`], which reads and locks but can't write. Each of its locks (`lock.rs`) reads the
//! caller's right again, asks the policy with it, and then returns a [`GrantedTxn`], which can write. Memberships and
//! API keys are read by a statement after the one that locks the customer: under READ COMMITTED, a row that is joined
//! into the locking statement keeps the snapshot from before the wait. Removals and revocations lock the customer
//! exclusively, and the end of a session locks the session. So a write that was granted commits before a removal is confirmed, and a later write sees the
//! removal.
//!
//! Nothing else in the domain may grant a [`Permit`].

use std::{collections::BTreeMap, sync::Arc};

use sea_orm::Set;

use super::{
    Caller, Error, KeyPrincipal, Principal, Result, UserPrincipal,
    auth::{REFUSED, parse_scopes},
    change::ChangeAction,
    policy::{self, Action},
};
use crate::{
    clock::{Clock, Instant},
    db::{Actor, ChangeRecord, DbError, Permit, Query, Txn},
    entity::{
        EnvironmentFilter, TenantFilter, api_key,
        idempotency_key::StoredResult,
        membership,
        operator::{self, OperatorName},
        session, user,
    },
    id::{ApiKeyId, CustomerId, Revision, UserId},
};

mod granted;
mod lock;

pub(super) use granted::GrantedTxn;

/// The row that a caller's right to write depends on. It is read again inside the transaction.
#[derive(Clone, Debug)]
enum WriteRight {
    /// The command line, or the service itself: no row is needed.
    System,
    /// A row of `operators`. It is locked until the write ends, since there may be no customer whose lock a removal
    /// would wait for.
    Operator(OperatorName),
    /// A row of `memberships`, at the customer that the write changes.
    Member(UserId),
    /// A row of `api_keys`.
    ApiKey(ApiKeyId),
}

impl WriteRight {
    /// What this principal's right depends on.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token: it has no scope that writes, and its transactions are read-only.
    fn of(principal: &Principal) -> Result<Self> {
        match principal {
            Principal::System => Ok(Self::System),
            Principal::User(user) if user.operator => Ok(Self::Operator(user.operator_name())),
            Principal::User(user) => Ok(Self::Member(user.id)),
            Principal::ApiKey(key) => Ok(Self::ApiKey(key.id)),
            Principal::Service(_) => Err(Error::Forbidden("a service token can't write")),
        }
    }
}

/// An open transaction that can't write yet. Clones share the transaction.
#[derive(Clone, Debug)]
pub(super) struct OpenTxn {
    txn: Arc<Txn>,
    caller: Caller,
    clock: Clock,
}

impl OpenTxn {
    /// Only for `write.rs`, which opens and commits the transaction.
    pub(super) fn new(txn: Arc<Txn>, caller: Caller, clock: Clock) -> Self {
        Self { txn, caller, clock }
    }

    /// Creates a user's profile before the right is confirmed. The commit fails unless a lock grants the write later.
    pub(super) async fn make_profile(&self, user: &UserPrincipal, now: Instant) -> Result<()> {
        make_profile(&self.txn, user, now).await
    }

    /// The tenants whose rows each query must be narrowed to.
    pub(super) fn tenant_filter(&self) -> &TenantFilter {
        self.txn.tenant_filter()
    }

    /// The environments to which each query must be narrowed.
    pub(super) fn environment_filter(&self) -> &EnvironmentFilter {
        self.txn.environment_filter()
    }

    /// The first row of `query`, if any.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub(super) async fn one<Q: Query>(&self, query: Q) -> std::result::Result<Option<Q::Row>, DbError> {
        self.txn.one(query).await
    }

    /// All rows of `query`.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub(super) async fn all<Q: Query>(&self, query: Q) -> std::result::Result<Vec<Q::Row>, DbError> {
        self.txn.all(query).await
    }

    /// Claims an idempotency key, as [`Txn::claim`] does.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub(super) async fn claim(
        &self,
        key_hash: [u8; 32],
        request_hash: [u8; 32],
        now: Instant,
        over: Instant,
    ) -> std::result::Result<Option<StoredResult>, DbError> {
        self.txn.claim(key_hash, request_hash, now, over).await
    }

    /// Stores the result of a write with a claimed key, as [`Txn::complete_idempotency_key`] does.
    pub(super) fn complete_idempotency_key(
        &self,
        subject: uuid::Uuid,
        other: Option<uuid::Uuid>,
        since: Revision,
    ) {
        self.txn.complete_idempotency_key(subject, other, since);
    }

    /// Checks that the caller may still do this at this customer. Locks nothing of the customer, and so grants no
    /// write: only for reading.
    ///
    /// # Errors
    /// As [`policy::allow_on`]; [`Error::Unauthenticated`] when the caller's credential has expired or was revoked.
    pub(super) async fn allow_on(
        &self,
        action: Action,
        customer: CustomerId,
        what: &'static str,
    ) -> Result<()> {
        policy::allow_on(&self.reload_caller(Some(customer)).await?, action, customer, what)
    }

    /// Checks that the caller may still do this to the platform's own data.
    ///
    /// # Errors
    /// As [`OpenTxn::allow_on`].
    pub(super) async fn allow(&self, action: Action) -> Result<()> {
        policy::allow(&self.reload_caller(None).await?, action)
    }

    /// Whether this profile is the caller's own.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub(super) async fn is_own_profile(&self, id: UserId) -> std::result::Result<bool, DbError> {
        let Principal::User(UserPrincipal { issuer, subject, .. }) = &self.caller.principal else {
            return Ok(false);
        };
        let own = self.txn.one(user::by_subject(issuer, subject)).await?;
        Ok(own.is_some_and(|own| own.id == id))
    }

    /// The caller with its current rights: at this customer, or without one, those for the platform's own data.
    async fn reload_caller(&self, customer: Option<CustomerId>) -> Result<Caller> {
        self.hold_session().await?;
        let (txn, mut caller) = (&self.txn, self.caller.clone());
        match WriteRight::of(&caller.principal)? {
            WriteRight::System => {}
            WriteRight::Operator(person) => {
                let held = txn.one(operator::locked_against_removal(&person)).await?;
                renew_operator(&mut caller, held.is_some())?;
            }
            WriteRight::Member(id) => {
                let place = match customer {
                    Some(customer) => txn.one(membership::of(customer, id)).await?,
                    None => None,
                };
                if let Principal::User(user) = &mut caller.principal {
                    user.memberships =
                        place.map_or_else(BTreeMap::new, |place| [(place.customer_id, place.role)].into());
                }
            }
            WriteRight::ApiKey(id) => {
                let key = txn.one(api_key::by_id(txn.tenant_filter(), id)).await?.ok_or(REFUSED)?;
                if key.revoked_at.is_some() {
                    return Err(REFUSED);
                }
                if let Principal::ApiKey(KeyPrincipal { scopes: has, expires_at, .. }) = &mut caller.principal
                {
                    (*has, *expires_at) = (parse_scopes(&key.scopes)?, key.expires_at);
                }
            }
        }
        if caller.has_expired(self.clock.now()) {
            return Err(REFUSED);
        }
        Ok(caller)
    }

    /// Locks the session that the caller is signed in by, if it is, against being ended until the transaction ends.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it was ended.
    async fn hold_session(&self) -> Result<()> {
        let Some(id) = self.caller.session() else { return Ok(()) };
        match self.txn.one(session::hold(id)).await? {
            Some(session::Held { held: true }) => Ok(()),
            Some(session::Held { held: false }) | None => Err(REFUSED),
        }
    }

    /// Allows the transaction to write and record what `permit` covers.
    fn grant(self, caller: Caller, permit: Permit) -> GrantedTxn {
        self.txn.permit(permit);
        GrantedTxn::new(self.txn, caller)
    }
}

/// Fails when the caller was an operator when the request began and isn't one any more. The caller must send a new
/// request to use its rights as a member, because this transaction has the platform's scope.
fn renew_operator(caller: &mut Caller, is_operator: bool) -> Result<()> {
    if is_operator {
        return Ok(());
    }
    if let Principal::User(user) = &mut caller.principal {
        user.operator = false;
    }
    Err(Error::Forbidden("you are no longer an operator"))
}

/// Creates a user's profile. If another of its first writes has just created it, continues with that one as the
/// actor.
async fn make_profile(txn: &Txn, principal: &UserPrincipal, now: Instant) -> Result<()> {
    let row = user::ActiveModel {
        id: Set(principal.id),
        issuer: Set(principal.issuer.clone()),
        subject: Set(principal.subject.clone()),
        email: Set(principal.verified_email().map(str::to_owned)),
        name: Set(principal.name.clone()),
        created_at: Set(now),
        chosen_name: Set(None),
    };
    if txn.insert_new(row).await? {
        txn.record(ChangeRecord::platform(ChangeAction::UserCreated).subject(principal.id));
        return Ok(());
    }
    let made = txn.one(user::by_subject(&principal.issuer, &principal.subject)).await?;
    let made = made.ok_or(Error::Unavailable("your profile is being created"))?;
    let actor = Actor { id: Some(made.id.into()), ..txn.actor() };
    txn.act_as(actor);
    Ok(())
}
