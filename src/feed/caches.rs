//! All caches whose entries a commit can make stale, and the order in which a commit evicts from them.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use super::{
    config_cache::ConfigCache, config_read_cache::ConfigReadCache, credential_cache::CredentialCache,
};
use crate::{
    domain::{Registry, change::Change},
    task::lock,
};

/// A callback that empties a response cache.
struct InvalidationHook(Box<dyn Fn() + Send + Sync>);

impl fmt::Debug for InvalidationHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvalidationHook")
    }
}

/// The caches that follow the log. The parts that answer from one of them hold a clone of it.
#[derive(Debug)]
pub(super) struct Caches {
    /// For its cache of the contents of versions.
    pub(super) registry: Registry,
    pub(super) configs: ConfigCache,
    pub(super) credentials: CredentialCache,
    pub(super) config_reads: ConfigReadCache,
    /// The response caches of the outer layers.
    pub(super) responses: ResponseCaches,
}

/// Callbacks that empty the response caches of the outer layers. They run when a customer is erased, and when
/// commits may have been missed.
#[derive(Debug, Default)]
pub(super) struct ResponseCaches(Mutex<Vec<InvalidationHook>>);

impl Caches {
    /// Evicts what a commit may have changed, before the commit is broadcast.
    pub(super) fn invalidate(&self, changes: &[Arc<Change>]) {
        self.credentials.invalidate(changes);
        self.configs.invalidate(changes);
        self.registry.apply_changes(changes);
        if changes.iter().any(|change| change.action.effects().erases) {
            self.clear_responses();
        }
    }

    /// Evicts all entries: commits may have been missed, one of them with an erasure, or the log has diverged.
    pub(super) fn clear(&self) {
        self.credentials.clear();
        self.configs.clear();
        self.registry.clear_contents();
        self.clear_responses();
    }

    /// Empties all response caches: they don't record whose data they contain, and erasures are rare.
    fn clear_responses(&self) {
        self.config_reads.clear();
        self.responses.clear();
    }
}

impl ResponseCaches {
    /// Registers a callback that empties a response cache.
    pub(super) fn on_invalidation(&self, clear: impl Fn() + Send + Sync + 'static) {
        lock(&self.0).push(InvalidationHook(Box::new(clear)));
    }

    fn clear(&self) {
        lock(&self.0).iter().for_each(|InvalidationHook(clear)| clear());
    }
}
