//! The rules of the registry. GraphQL, REST and the command line call the methods of [`Registry`], and each method
//! asks the policy first. May not use axum or async-graphql.

use std::{
    collections::HashMap,
    future::poll_fn,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::FutureExt;
use uuid::Uuid;

use crate::{
    clock::Clock,
    db::{Db, DbError, LeaseClass},
    entity::count::Counted,
    id::{CustomerId, Revision},
    task::{CpuError, is_computing},
};

pub mod activation;
pub mod activation_plan;
pub mod agent;
pub mod api_key;
pub mod audit;
pub mod auth;
mod billing;
mod caller;
pub mod change;
pub mod chart;
pub mod config;
mod content;
mod content_cache;
pub mod credential;
pub mod customer;
pub mod customer_list;
pub mod diff;
pub mod email;
pub mod environment;
pub mod erasure;
mod error;
mod error_code;
pub mod extensions;
pub mod gateway;
mod idempotency;
pub mod identity;
pub mod in_use;
mod input;
pub mod invitation;
mod joining;
pub mod limit;
pub mod member;
pub mod not_served;
pub mod operator;
pub mod page;
pub mod pending_invitation;
pub mod permission;
pub mod pinned;
pub mod plan;
pub mod policy;
mod right;
pub mod rollback;
mod scopes;
pub mod service_token;
pub mod serving;
pub mod session;
pub mod text;
pub mod transfer;
pub mod user;
pub mod user_list;
pub mod version;
mod visibility;
pub mod warning;
mod write;

pub use crate::{
    db::{Access, Actor, CallOrigin, ClientConnection, Scope},
    entity::{BoundedCount, COUNT_MAX, EnvironmentFilter, TenantFilter},
};
pub use caller::{Caller, KeyPrincipal, Principal, Reading, ServicePrincipal, UserPrincipal};
pub use error::{Error, ExpectedNumber, Result};
pub use error_code::ErrorCode;
pub use idempotency::{IdempotencyKey, KEY_CHARS_MAX};
pub use input::{Input, InputErrors};
pub use json_reader::INTEGER_MAX;
pub use page::{PAGE_DEFAULT, PAGE_MAX, Page, PageArgs};
pub use scopes::{KeyScope, ServiceScope};
pub use text::{DESCRIPTION_CHARS_MAX, JSON_DEPTH_MAX, NAME_CHARS_MAX};
pub use visibility::VisibilityKey;
use write::Outcome;
pub use write::WriteResult;

/// All operations of the registry. Clones share one state.
#[derive(Clone, Debug)]
pub struct Registry(Arc<RegistryInner>);

/// What the operations use: the database, the clock, authentication, and the cache of versions' contents.
#[derive(Debug)]
struct RegistryInner {
    db: Db,
    clock: Clock,
    auth: auth::Auth,
    contents: content_cache::ContentCache,
    content_checks: AtomicU64,
}

/// A change of a nullable column: `None` keeps it, `Some(None)` sets it to null.
pub type Patch<T> = Option<Option<T>>;

impl Registry {
    /// The operations on this database, for users whose tokens come from this issuer.
    #[must_use]
    pub fn new(db: Db, clock: Clock, issuer: auth::Issuer) -> Self {
        let (auth, contents) = (auth::Auth::new(issuer), content_cache::ContentCache::default());
        let content_checks = AtomicU64::default();
        Self(Arc::new(RegistryInner { db, clock, auth, contents, content_checks }))
    }

    /// A snapshot under this caller's scope. Its transaction is opened by the first query.
    #[must_use]
    pub fn reading(&self, caller: &Caller) -> Reading {
        self.reading_as(caller, LeaseClass::Read)
    }

    /// A snapshot for a short read of an operation that may have a snapshot of [`Registry::reading`] open. It has a
    /// place of its own in the caller's share, so that it doesn't wait for that one.
    #[must_use]
    pub fn nested_reading(&self, caller: &Caller) -> Reading {
        self.reading_as(caller, LeaseClass::Nested)
    }

    fn reading_as(&self, caller: &Caller, class: LeaseClass) -> Reading {
        let view = self.db().view(caller.access(), caller.share_holder(), class);
        Reading { caller: Arc::new(caller.clone()), view }
    }

    /// The clock that all operations use.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn db(&self) -> &Db {
        &self.0.db
    }

    fn auth(&self) -> &auth::Auth {
        &self.0.auth
    }

    fn contents(&self) -> &content_cache::ContentCache {
        &self.0.contents
    }

    /// The highest revision that this instance has read or written; 0 when there is none.
    #[must_use]
    pub fn observed_revision(&self) -> Revision {
        self.db().observed_revision()
    }

    /// Lowers the highest revision to this one at most. For a log that was set back, for example by a restored
    /// backup.
    pub fn lower_observed_revision(&self, revision: Revision) {
        self.db().lower_observed_revision(revision);
    }

    /// Applies log entries to what is kept in memory: evicts the contents of customers that were erased, and reads the
    /// issuers' keys again.
    pub fn apply_changes(&self, changes: &[Arc<change::Change>]) {
        for change in changes {
            if change.action == change::ChangeAction::IssuerKeysRefreshed {
                self.read_issuer_keys();
            }
            if change.action.effects().erases
                && let Some(customer) = change.customer_id
            {
                self.contents().evict_customer(customer);
            }
        }
    }

    /// Evicts the contents of all versions from memory. For when log entries, and so an erasure, may have been
    /// missed.
    pub fn clear_contents(&self) {
        self.contents().clear();
    }

    /// How many large contents this instance has begun to check.
    #[must_use]
    pub fn content_checks(&self) -> u64 {
        self.0.content_checks.load(Ordering::Relaxed)
    }

    fn count_content_check(&self) {
        self.0.content_checks.fetch_add(1, Ordering::Relaxed);
    }

    /// Runs CPU-bound work on the caller's account, and adds its time to the caller's.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when too much work of the caller is waiting. [`Error::Internal`] when the work panicked
    /// or the service is shutting down.
    pub async fn compute<T: Send + 'static>(
        &self,
        caller: &Caller,
        kind: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        if is_computing() {
            // Its time is that of the work around it.
            return Ok(work());
        }
        let time = caller.processor_time.clone();
        let work = move || {
            let began = std::time::Instant::now();
            let done = work();
            time.add(began.elapsed());
            done
        };
        let done = self.db().tasks().spawn_cpu(&caller.share_holder(), kind, work).await;
        done.map_err(not_computed)
    }

    /// Runs a future whose polls compute much: each poll counts as CPU-bound work of the caller.
    ///
    /// # Errors
    /// As [`Registry::compute`]. After [`Error::RateLimited`], nothing of it has run.
    pub async fn compute_polls<T: Send + 'static>(
        &self,
        caller: &Caller,
        kind: &'static str,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T> {
        let time = caller.processor_time.clone();
        let mut work = work.boxed();
        let work = poll_fn(move |cx| {
            let began = std::time::Instant::now();
            let polled = work.poll_unpin(cx);
            time.add(began.elapsed());
            polled
        });
        self.db().tasks().poll_cpu(&caller.share_holder(), kind, work).await.map_err(not_computed)
    }

    /// Returns why the last connection to the database couldn't be opened, in words that name no host and no role. `None` if
    /// it could.
    #[must_use]
    pub fn database_failure(&self) -> Option<String> {
        self.db().connect_failure().map(|failure| failure.to_string())
    }

    /// How many statements this instance has run.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.db().statements()
    }
}

/// Converts the reason for which work of a caller has no result.
fn not_computed(err: CpuError) -> Error {
    match err {
        CpuError::QueueFull => Error::RateLimited { retry_after_seconds: 1 },
        CpuError::Failed(err) => DbError::from(err).into(),
    }
}

/// The parents whose customers the reader may see.
fn visible<P: Copy>(reading: &Reading, parents: &[P], customer: impl Fn(&P) -> CustomerId) -> Vec<P> {
    let tenants = reading.view.tenant_filter();
    parents.iter().copied().filter(|parent| tenants.admits(customer(parent))).collect()
}

/// The customers at which the reader may do this.
///
/// # Errors
/// [`Error::Forbidden`] when the reader may do it at no customer.
fn permitted(reading: &Reading, action: policy::Action, customers: &[CustomerId]) -> Result<Vec<CustomerId>> {
    policy::allow(&reading.caller, action)?;
    let may = |id: &CustomerId| reading.allow_on(action, *id, "customer").is_ok();
    Ok(customers.iter().copied().filter(may).collect())
}

/// Groups rows that were read for many parents, in the order of the rows.
fn grouped<P: Eq + Hash, T>(rows: Vec<T>, parent_of: impl Fn(&T) -> P) -> HashMap<P, Vec<T>> {
    let mut groups: HashMap<P, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(parent_of(&row)).or_default().push(row);
    }
    groups
}

/// Groups rows that were read for many parents into one page for each parent, in the parents' order.
fn page_each<P: Copy + Eq + Hash, T, K: Clone>(
    parents: &[P],
    rows: Vec<T>,
    parent_of: impl Fn(&T) -> P,
    args: &PageArgs<K>,
) -> Vec<(P, Page<T>)> {
    let mut groups = grouped(rows, parent_of);
    parents.iter().map(|parent| (*parent, args.page(groups.remove(parent).unwrap_or_default()))).collect()
}

/// One count for each parent, in the parents' order: 0 for a parent without a row.
fn zero_filled<P: Copy + Eq + Hash + From<Uuid>>(
    parents: &[P],
    rows: Vec<Counted>,
) -> Vec<(P, BoundedCount)> {
    let parent_of = |row: &Counted| row.parent_id.map(P::from);
    let counts: HashMap<P, BoundedCount> =
        rows.into_iter().filter_map(|row| Some((parent_of(&row)?, row.bounded()))).collect();
    parents.iter().map(|parent| (*parent, counts.get(parent).copied().unwrap_or_default())).collect()
}
