//! The right to write, read again inside the transaction that writes. A request may have waited long since its caller was
//! known, and a removal may have been answered meanwhile.
//!
//! A verb is given an [`OpenTxn`], which reads and locks but writes nothing. Each of its locks (`lock.rs`) reads the caller's
//! right anew, asks the policy with what it finds, and only then answers a [`GrantedTxn`], which writes. Membership and API
//! keys are read after the customer is locked, by a later statement, because under READ COMMITTED a row that is joined into
//! the locking statement keeps the snapshot from before the wait. Removals and revocations lock the customer exclusively, so
//! a write that is granted commits before a removal is answered, and one that comes later finds it.
//!
//! Nothing else in the domain may call [`crate::db::Db::write`].

use std::{collections::BTreeMap, future::Future, ops::Deref, sync::Arc};

use sea_orm::Set;

use super::{
    Caller, Error, KeyPrincipal, Principal, Registry, Result, UserPrincipal,
    auth::{REFUSED, parse_scopes},
    change::ChangeAction,
    policy::{self, Action},
};
use crate::{
    clock::{Clock, Instant},
    db::{Actor, Author, Committed, Entry, Fault, Permit, Query, Scope, Txn},
    entity::{Reach, api_key, idempotency_key::Earlier, membership, operator, user},
    id::{ApiKeyId, CustomerId, UserId},
};

mod lock;

pub(super) use lock::refuse_state;

/// What a caller's right to write rests on, and so what is read again of it.
#[derive(Clone, Debug)]
enum WriteRight {
    /// The command line, or the service itself: no row gives it the right, and none can take it.
    System,
    /// A row of `operators`. It is locked until the write ends, since there may be no customer that a removal would wait for.
    Operator { issuer: String, subject: String },
    /// A row of `memberships`, at the customer that is written to.
    Member(UserId),
    /// A row of `api_keys`.
    ApiKey(ApiKeyId),
}

impl WriteRight {
    /// What this principal's right rests on.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token: no scope of theirs writes, and their transactions can't.
    fn of(principal: &Principal) -> Result<Self> {
        match principal {
            Principal::System => Ok(Self::System),
            Principal::User(UserPrincipal { issuer, subject, operator: true, .. }) => {
                Ok(Self::Operator { issuer: issuer.clone(), subject: subject.clone() })
            }
            Principal::User(user) => Ok(Self::Member(user.id)),
            Principal::ApiKey(key) => Ok(Self::ApiKey(key.id)),
            Principal::Service(_) => Err(Error::Forbidden("a service token writes nothing")),
        }
    }
}

/// An open transaction that has not been granted a write yet. Clones are the same transaction.
#[derive(Clone, Debug)]
pub(super) struct OpenTxn {
    txn: Arc<Txn>,
    caller: Caller,
    clock: Clock,
}

/// An open transaction whose caller was found, inside it, to have the right to write.
#[derive(Debug)]
pub(super) struct GrantedTxn {
    txn: Arc<Txn>,
    /// The caller with the rights that it has now, at the customer that is written to.
    caller: Caller,
}

impl Deref for GrantedTxn {
    type Target = Txn;

    fn deref(&self) -> &Txn {
        &self.txn
    }
}

impl GrantedTxn {
    /// Refuses unless the caller may also do this to what was locked.
    ///
    /// # Errors
    /// As [`policy::allow_on`].
    pub(super) fn also(&self, action: Action, customer: CustomerId, what: &'static str) -> Result<()> {
        policy::allow_on(&self.caller, action, customer, what)
    }
}

impl OpenTxn {
    /// The rows that each query must name.
    pub(super) fn reach(&self) -> &Reach {
        self.txn.reach()
    }

    /// The first row of `query`.
    ///
    /// # Errors
    /// Any [`Fault`] of the database.
    pub(super) async fn one<Q: Query>(&self, query: Q) -> std::result::Result<Option<Q::Row>, Fault> {
        self.txn.one(query).await
    }

    /// Claims an idempotency key, as [`Txn::claim`] does.
    ///
    /// # Errors
    /// Any [`Fault`] of the database.
    pub(super) async fn claim(
        &self,
        key_hash: [u8; 32],
        request_hash: [u8; 32],
        now: Instant,
        over: Instant,
    ) -> std::result::Result<Option<Earlier>, Fault> {
        self.txn.claim(key_hash, request_hash, now, over).await
    }

    /// Notes what the write with a claimed key came to, as [`Txn::came_to`] does.
    pub(super) fn came_to(&self, subject: uuid::Uuid, other: Option<uuid::Uuid>, since: i64) {
        self.txn.came_to(subject, other, since);
    }

    /// Refuses unless the caller still may do this at this customer. It locks nothing of the customer, so it grants no write:
    /// it is for what only reads.
    ///
    /// # Errors
    /// As [`policy::allow_on`]; [`Error::Unauthenticated`] when its credential is over.
    pub(super) async fn allow_on(
        &self,
        action: Action,
        customer: CustomerId,
        what: &'static str,
    ) -> Result<()> {
        policy::allow_on(&self.renewed(Some(customer)).await?, action, customer, what)
    }

    /// The same for what is no customer's.
    ///
    /// # Errors
    /// As [`OpenTxn::allow_on`].
    pub(super) async fn allow(&self, action: Action) -> Result<()> {
        policy::allow(&self.renewed(None).await?, action)
    }

    /// The caller with the rights that it has at this statement: at this customer, or beyond all of them.
    async fn renewed(&self, customer: Option<CustomerId>) -> Result<Caller> {
        let (txn, mut caller) = (&self.txn, self.caller.clone());
        match WriteRight::of(&caller.principal)? {
            WriteRight::System => {}
            WriteRight::Operator { issuer, subject } => {
                let held = txn.one(operator::held(&issuer, &subject)).await?;
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
                let key = txn.one(api_key::by_id(txn.reach(), id)).await?.ok_or(REFUSED)?;
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

    /// Lets the caller write: what is its own customer's, or anything.
    fn grant(self, caller: Caller, permit: Permit) -> GrantedTxn {
        self.txn.permit(permit);
        GrantedTxn { txn: self.txn, caller }
    }
}

/// Refuses who was an operator when the request began and is none any more. What it may do as a member, it may ask for anew:
/// this transaction has the platform's scope.
fn renew_operator(caller: &mut Caller, is_operator: bool) -> Result<()> {
    if is_operator {
        return Ok(());
    }
    if let Principal::User(user) = &mut caller.principal {
        user.operator = false;
    }
    Err(Error::Forbidden("you are not an operator any more"))
}

impl Registry {
    /// One write on behalf of `caller`, whatever idempotency key it comes with: verbs use [`Registry::write`]. An operator's
    /// profile is made by its first one; a member has one, and nobody else's write comes to anything.
    pub(super) async fn run<T, F, W>(&self, caller: &Caller, work: F) -> Result<Committed<T>>
    where
        T: Send + 'static,
        F: FnOnce(OpenTxn) -> W + Send + 'static,
        W: Future<Output = Result<T>> + Send,
    {
        let newcomer = match &caller.principal {
            Principal::User(user) if user.operator && !user.has_profile => Some(user.clone()),
            _ => None,
        };
        let (now, clock, by) = (self.clock.now(), self.clock.clone(), caller.clone());
        let made = self
            .db
            .write(caller.scope(), caller.author(), move |txn| async move {
                if let Some(user) = newcomer {
                    make_profile(&txn, &user, now).await?;
                }
                work(OpenTxn { txn, caller: by, clock }).await
            })
            .await;
        if !made.as_ref().is_ok_and(|made| made.revision.is_some()) {
            // The result may depend on a commit that this call didn't make. Record the current head, so that later reads on
            // this instance are at least as new.
            drop(self.db.head().await);
        }
        made
    }

    /// The write by which `caller` accepts an invitation of this customer. It has no right there yet: the invitation gives it
    /// one, and [`OpenTxn::invitation`] reads that.
    pub(super) async fn run_joining<T, F, W>(
        &self,
        caller: Caller,
        customer: CustomerId,
        work: F,
    ) -> Result<Committed<T>>
    where
        T: Send + 'static,
        F: FnOnce(OpenTxn) -> W + Send + 'static,
        W: Future<Output = Result<T>> + Send,
    {
        let actor = Actor { kind: super::change::ActorKind::User, ..caller.actor() };
        let (author, clock) = (Author { actor, origin: caller.origin.clone() }, self.clock.clone());
        let work = move |txn| work(OpenTxn { txn, caller, clock });
        self.db.write(Scope::Joining(customer), author, work).await
    }

    /// Notes that a key was used, unless that was noted after `before`. Needs no right and enters no log: it changes nothing.
    pub(super) async fn touch_key(
        &self,
        id: ApiKeyId,
        customer: CustomerId,
        now: Instant,
        before: Instant,
    ) -> Result<()> {
        let author = Caller::system("note").author();
        let touch = async move |txn: Arc<Txn>| -> Result<u64> {
            Ok(txn.update_all(api_key::touch(id, now, before)).await?)
        };
        self.db.write(Scope::Customers(vec![customer]), author, touch).await.map(drop)
    }
}

/// Makes a user's profile, unless another of its first writes has just done so.
pub(super) async fn make_profile(txn: &Txn, principal: &UserPrincipal, now: Instant) -> Result<()> {
    let row = user::ActiveModel {
        id: Set(principal.id),
        issuer: Set(principal.issuer.clone()),
        subject: Set(principal.subject.clone()),
        email: Set(principal.email.clone()),
        name: Set(principal.name.clone()),
        created_at: Set(now),
    };
    if txn.insert_new(row).await? {
        txn.record(Entry::platform(ChangeAction::UserCreated).subject(principal.id));
        return Ok(());
    }
    let made = txn.one(user::by_subject(&principal.issuer, &principal.subject)).await?;
    let made = made.ok_or(Error::Unavailable("your profile is being made"))?;
    let actor = Actor { id: Some(made.id.into()), ..txn.actor() };
    txn.act_as(actor);
    Ok(())
}
