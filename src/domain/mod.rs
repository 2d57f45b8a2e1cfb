//! The only rules. GraphQL, REST and the command line all come through here; each verb asks the policy first.

use std::{collections::HashMap, hash::Hash, ops::Deref, sync::Arc};

use sea_orm::Select;

use crate::{
    clock::Clock,
    db::{Committed, Db, Txn},
    entity,
    id::CustomerId,
};
use change::ChangeAction;

pub mod activation;
pub mod agent;
pub mod api_key;
pub mod audit;
pub mod auth;
mod billing;
mod caller;
pub mod change;
pub mod config;
mod content;
pub mod customer;
pub mod diff;
pub mod erasure;
mod error;
mod idempotency;
pub mod invitation;
pub mod limit;
pub mod member;
pub mod operator;
pub mod page;
pub mod policy;
mod right;
pub mod service_token;
pub mod text;
pub mod transfer;
pub mod user;
pub mod version;
mod visibility;

pub use crate::{
    db::{Origin, Scope},
    entity::Reach,
};
pub use caller::{
    Caller, KeyPrincipal, KeyScope, Principal, Reading, ServicePrincipal, ServiceScope, UserPrincipal,
};
pub use error::{Error, ErrorCode, Result};
pub use idempotency::{IdempotencyKey, KEY_CHARS_MAX};
pub use page::{PAGE_DEFAULT, PAGE_MAX, Page, PageArgs};
pub use text::{DESCRIPTION_CHARS_MAX, INTEGER_MAX, JSON_DEPTH_MAX, NAME_CHARS_MAX};
pub use visibility::VisibilityKey;

/// All verbs. Clones are the same.
#[derive(Clone, Debug)]
pub struct Registry(Arc<Means>);

impl Deref for Registry {
    type Target = Means;

    fn deref(&self) -> &Means {
        &self.0
    }
}

/// What the verbs work with.
#[derive(Debug)]
pub struct Means {
    db: Db,
    clock: Clock,
    auth: auth::Auth,
    contents: content::Contents,
}

/// What a write came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed<T> {
    /// The row as it is now.
    pub value: T,
    /// The commit that made it so: this one, or an earlier one when all was so already.
    pub revision: i64,
}

/// A change to a nullable column that an input may leave out.
pub type Patch<T> = Option<Option<T>>;

impl Registry {
    /// The verbs on this database, for users that this issuer vouches for.
    #[must_use]
    pub fn new(db: Db, clock: Clock, issuer: auth::Issuer) -> Self {
        let (auth, contents) = (auth::Auth::new(issuer), content::Contents::default());
        Self(Arc::new(Means { db, clock, auth, contents }))
    }

    /// A snapshot for this caller, opened at its first question.
    #[must_use]
    pub fn reading(&self, caller: &Caller) -> Reading {
        Reading { caller: Arc::new(caller.clone()), view: self.db.view(caller.scope()) }
    }

    /// The clock that all of this goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The last commit that these verbs have seen; 0 when there was none.
    #[must_use]
    pub fn seen(&self) -> i64 {
        self.db.seen()
    }

    /// Notes that the log ends here: what was seen beyond is not in it any more.
    pub fn seen_at_most(&self, revision: i64) {
        self.db.seen_at_most(revision);
    }

    /// Hears of changes that are in the log: what was taken away is not kept in memory either.
    pub fn note(&self, changes: &[Arc<change::Change>]) {
        for change in changes {
            if let (ChangeAction::CustomerErased, Some(customer)) = (change.action, change.customer_id) {
                self.contents.forget(customer);
            }
        }
    }

    /// Drops the content of versions that is kept in memory: an erasure may have been missed.
    pub fn clear_contents(&self) {
        self.contents.clear();
    }

    /// How many statements have been run.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.db.statements()
    }
}

impl<T> Committed<T> {
    /// A write that always changes something.
    fn changed(self) -> Result<Changed<T>> {
        let Self { value, revision } = self;
        let revision = revision.ok_or_else(|| Error::Internal("a write recorded nothing".into()))?;
        Ok(Changed { value, revision })
    }
}

impl<T> Committed<(T, i64)> {
    /// A write that may find all as it should be: then the revision is the one that made it so.
    fn or_since(self) -> Changed<T> {
        let Self { value: (value, since), revision } = self;
        Changed { value, revision: revision.unwrap_or(since) }
    }
}

/// The revision of the last change of this kind to this customer, or of its creation when there was none: since then
/// it is as it is.
async fn last_change_of_customer(txn: &Txn, id: CustomerId, action: ChangeAction) -> Result<i64> {
    let actions = [action, ChangeAction::CustomerCreated];
    since(txn, entity::change::last_of_customer(id, actions)).await
}

/// The revision of this entry, or, when it is not kept any more, the last that is not: it was so by then.
async fn since(txn: &Txn, entry: Select<entity::change::Entity>) -> Result<i64> {
    if let Some(entry) = txn.one(entry).await? {
        return Ok(entry.revision);
    }
    Ok(txn.one(entity::log::floor()).await?.map_or(0, |floor| floor.revision))
}

/// Those parents that the reading may see at all.
fn visible<P: Copy>(reading: &Reading, parents: &[P], customer: impl Fn(&P) -> CustomerId) -> Vec<P> {
    let reach = reading.view.reach();
    parents.iter().copied().filter(|parent| reach.holds(customer(parent))).collect()
}

/// Those customers at which the reader may do this.
///
/// # Errors
/// [`Error::Forbidden`] when it may nowhere.
fn permitted(reading: &Reading, action: policy::Action, customers: &[CustomerId]) -> Result<Vec<CustomerId>> {
    policy::allow(&reading.caller, action)?;
    let may = |id: &CustomerId| reading.allow_on(action, *id, "customer").is_ok();
    Ok(customers.iter().copied().filter(may).collect())
}

/// Sorts rows that were read for many parents into a page for each.
fn page_each<P: Copy + Eq + Hash, T, K: Clone>(
    parents: &[P],
    rows: Vec<T>,
    parent_of: impl Fn(&T) -> P,
    args: &PageArgs<K>,
) -> Vec<(P, Page<T>)> {
    let mut groups: HashMap<P, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(parent_of(&row)).or_default().push(row);
    }
    parents.iter().map(|parent| (*parent, args.page(groups.remove(parent).unwrap_or_default()))).collect()
}

/// Counts that were read for many parents: one for each, 0 where nothing was counted.
fn zero_filled<P: Copy + Eq + Hash>(parents: &[P], counted: Vec<(P, i64)>) -> Vec<(P, u64)> {
    let counted: HashMap<P, i64> = counted.into_iter().collect();
    let count = |parent| counted.get(parent).and_then(|count| u64::try_from(*count).ok()).unwrap_or(0);
    parents.iter().map(|parent| (*parent, count(parent))).collect()
}
