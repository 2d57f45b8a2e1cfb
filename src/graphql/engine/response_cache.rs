//! A cache of responses to requests that ask for exactly one active configuration.
//!
//! Such a response depends on nothing but the request's body and the configuration. So an entry is valid as long as
//! its configuration is the very object in memory, which `feed::configs` replaces as it follows the log; nothing
//! needs to invalidate an entry.

use std::sync::{Arc, OnceLock, Weak};

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType, Selection};
use bytes::Bytes;

use crate::{
    cache::{Weighed, WeighedCache, weighed_cache},
    feed::RenderedConfig,
    id::AgentId,
};

/// The number of responses that the cache is sized for. The limit is on bytes, not on this.
const ENTRIES: usize = 10_000;
/// The most bytes that all responses take together with their requests, roughly.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The least bytes of a shard. A response heavier than that isn't cached.
const SHARD_BYTES: u64 = 4 * 1024 * 1024;
/// What an entry takes in addition to its request and response, in bytes.
const OVERHEAD: usize = 256;
/// The longest request body whose response is cached.
pub const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// The root field that returns an active configuration.
const FIELD: &str = "activeConfig";

/// Where the resolver of `activeConfig` puts the configuration that it returned.
pub(in crate::graphql) type ShownConfig = Arc<OnceLock<Arc<RenderedConfig>>>;

/// A cached response.
#[derive(Clone)]
struct CachedResponse {
    agent: AgentId,
    /// The configuration that it shows, compared by address. Holding the `Weak` keeps the allocation from being
    /// reused, so equal addresses mean the same object.
    of: Weak<RenderedConfig>,
    body: Bytes,
}

/// The cached responses, by their requests' bodies. Clones share one cache.
#[derive(Clone)]
pub(in crate::graphql) struct ResponseCache(Arc<WeighedCache<Bytes, CachedResponse>>);

impl Default for ResponseCache {
    fn default() -> Self {
        Self(Arc::new(weighed_cache(ENTRIES, BYTES_MAX, SHARD_BYTES)))
    }
}

impl ResponseCache {
    /// Returns the response to a request with this body, if it shows the configuration that `current_config` returns for
    /// its agent.
    pub(in crate::graphql) fn get(
        &self,
        request_body: &[u8],
        current_config: impl FnOnce(AgentId) -> Option<Arc<RenderedConfig>>,
    ) -> Option<Bytes> {
        let CachedResponse { agent, of, body } = self.0.get(request_body)?.value;
        let hot = current_config(agent)?;
        std::ptr::eq(of.as_ptr(), Arc::as_ptr(&hot)).then_some(body)
    }

    /// Evicts all responses.
    pub(in crate::graphql) fn clear(&self) {
        self.0.clear();
    }

    /// Caches the response to a request with this body. The response must depend only on this configuration.
    pub(in crate::graphql) fn keep(&self, request_body: &Bytes, hot: &Arc<RenderedConfig>, body: Bytes) {
        let bytes = OVERHEAD + request_body.len() + body.len();
        let made = CachedResponse { agent: hot.config.agent_id, of: Arc::downgrade(hot), body };
        // Copied, because a slice of a larger buffer would keep all of the buffer in memory.
        self.0.insert(Bytes::copy_from_slice(request_body), Weighed::new(made, bytes));
    }
}

/// Returns whether this normalised operation is a query of exactly one `activeConfig`. Its fields lead to no other
/// object.
pub(in crate::graphql) fn asks_for_one_config(operation: &ExecutableDocument) -> bool {
    let DocumentOperations::Single(operation) = &operation.operations else { return false };
    let [only] = operation.node.selection_set.node.items.as_slice() else { return false };
    let is_query = operation.node.ty == OperationType::Query;
    is_query && matches!(&only.node, Selection::Field(field) if field.node.name.node == FIELD)
}

#[cfg(test)]
mod tests {
    use super::{super::front::front, *};

    #[test]
    fn only_an_operation_that_asks_for_one_configuration_is_kept() {
        for (text, expected) in [
            ("{ activeConfig(agentId: 1) { name } }", true),
            (
                "query ($id: ID = 1) { mine: activeConfig(agentId: $id) { ...on ActiveConfig { name } } }",
                true,
            ),
            ("{ activeConfig(agentId: 1) { name } viewer { kind } }", false),
            ("{ a: activeConfig(agentId: 1) { name } b: activeConfig(agentId: 2) { name } }", false),
            ("{ ...f } fragment f on Query { activeConfig(agentId: 1) { name } }", true),
            (
                "{ ...on Query { activeConfig(agentId: 1) { name } } activeConfig(agentId: 1) { agentId } }",
                true,
            ),
            ("{ activeConfig: viewer { kind } }", false),
            ("subscription { activations { id } }", false),
        ] {
            let front = front().unwrap();
            let prepared = front.check(text.into()).and_then(|document| front.prepare(&document, None, None));
            let found = prepared.is_ok_and(|prepared| asks_for_one_config(&prepared.executable));
            assert_eq!(found, expected, "{text}");
        }
    }
}
