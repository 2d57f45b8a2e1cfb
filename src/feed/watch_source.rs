//! What watches read from, and how a watch begins.

use std::{collections::VecDeque, sync::Arc};

use super::{
    config_read_cache::ConfigReadCache,
    event_hub::EventHub,
    freshness::Freshness,
    subscriber_registry::{SubscriberRegistry, Watched},
    watch::Watch,
};
use crate::{
    domain::{
        Caller, Error, Registry, Result, TenantFilter,
        activation::Activation,
        change::{Change, Cursor, LogPosition},
        environment::EnvironmentKey,
        policy::{self, Action},
    },
    id::{AgentId, CustomerId, Revision},
    share::{KeyedSemaphore, ShareHolder},
};

/// The maximum number of watches of one caller that replay the log at a time. Further ones wait.
pub(super) const REPLAYS_MAX: usize = 64;
/// The maximum number of them that read a page of the log at a time. A page can have a megabyte, and reading it takes a
/// processor.
pub(super) const PAGE_READS_MAX: usize = 2;

/// Which entries of the log a watcher receives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchFilter {
    /// Only entries of this customer.
    pub customer_id: Option<CustomerId>,
    /// Only entries about these agents.
    pub agent_ids: Option<Arc<[AgentId]>>,
    /// Of the activations, only those in these environments; all when `None`.
    pub environments: Option<Arc<[EnvironmentKey]>>,
}

impl WatchFilter {
    pub(super) fn passes(&self, change: &Change) -> bool {
        let Self { customer_id, agent_ids, environments } = self;
        let is_within = |keys: &Arc<[EnvironmentKey]>| {
            Activation::recorded_by(change).is_none() || keys.contains(&change.environment_key())
        };
        customer_id.is_none_or(|id| change.customer_id == Some(id))
            && agent_ids.as_ref().is_none_or(|ids| change.agent_id.is_some_and(|id| ids.contains(&id)))
            && environments.as_ref().is_none_or(is_within)
    }
}

/// The log, its broadcast, and what watchers share. Cheap to clone; clones share state.
#[derive(Clone, Debug)]
pub(super) struct WatchSource {
    pub(super) registry: Registry,
    pub(super) events: EventHub,
    pub(super) freshness: Freshness,
    /// Configurations that watchers have read, shared between watchers of equal scope.
    pub(super) config_reads: ConfigReadCache,
    pub(super) subscribers: SubscriberRegistry,
    /// Limits the watches of one caller that replay the log at a time, each of which holds a page of it.
    pub(super) replays: KeyedSemaphore<ShareHolder>,
    /// Limits those of them that read a page.
    pub(super) page_reads: KeyedSemaphore<ShareHolder>,
}

impl WatchSource {
    /// Starts a watch of the entries that `caller` may see and `filter` admits: those after `after`, or new ones
    /// only.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::NotFound`] for a customer that the caller may not see, and for an environment that
    /// none of its customers has or that it doesn't reach;
    /// [`Error::CursorInvalid`]; [`Error::CursorTooOld`]; [`Error::Unavailable`] when the tail hasn't started
    /// within two seconds, or the database is unavailable.
    pub(super) async fn watch(
        &self,
        caller: Arc<Caller>,
        watched: Watched,
        filter: WatchFilter,
        after: Option<Cursor>,
    ) -> Result<Watch> {
        let action = match watched {
            Watched::Activations | Watched::Configs => Action::WatchActivations,
            Watched::Changes => Action::ReadChanges,
            Watched::CustomerEvents => Action::ReadAgents,
        };
        let tenants = policy::tenant_filter(&caller, action)?;
        if let Some(customer) = filter.customer_id {
            policy::allow_on(&caller, action, customer, "customer")?;
            // Any other caller sees this customer, so it exists.
            if tenants == TenantFilter::All {
                self.registry.check_customer_exists(&caller, customer).await?;
            }
        }
        if let Some(environments) = &filter.environments {
            let reading = self.registry.reading(&caller);
            for key in environments.iter() {
                self.registry.check_environment_exists(&reading, filter.customer_id, key).await?;
            }
        }
        if watched == Watched::Changes && tenants == TenantFilter::Only(Vec::new()) {
            return Err(Error::Forbidden("only ADMINs of a customer read its audit"));
        }
        // Nothing is broadcast before the tail has started. The subscription precedes the position, so a commit
        // between the two is broadcast. A position from memory may be a moment old; later commits are broadcast
        // too.
        self.freshness.wait_for_revision(Revision::ZERO).await?;
        let epoch = self.events.epoch();
        let live = self.events.subscribe();
        let (place, behind, cursor) = match after {
            Some(cursor) => (self.registry.resolve_cursor(cursor).await?, true, cursor),
            None => {
                // A snapshot must include the newest commit, also of another instance, so it reads the head.
                // Without a snapshot, the cached end suffices: newer commits are broadcast.
                let cursor = match self.freshness.end().filter(|_| watched != Watched::Configs) {
                    Some(end) => end,
                    None => {
                        let head = Box::pin(self.registry.head()).await?;
                        Cursor::new(head.revision, head.position, &head.chain_hash)
                    }
                };
                (LogPosition::end_of(cursor.revision()), false, cursor)
            }
        };
        // A watch of configurations filters its agents itself, since entries about a customer name none.
        let agent_ids = filter.agent_ids.clone().filter(|_| watched != Watched::Configs);
        let of_entries = WatchFilter { agent_ids, ..filter.clone() };
        let registration =
            self.subscribers.register(self.registry.clock(), watched, Arc::clone(&caller), filter);
        registration.record_progress(place.revision);
        Ok(Watch {
            source: self.clone(),
            caller,
            action,
            tenants,
            epoch,
            registration,
            filter: of_entries,
            live,
            place,
            behind,
            cursor,
            ready: VecDeque::new(),
            commit: Vec::new(),
            replaying: None,
        })
    }
}
