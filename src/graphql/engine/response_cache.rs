//! Answers that are ready. Who asks for one active configuration and for nothing else is answered the same to the same
//! request for as long as that very configuration is the one in memory; which one is, the log decides (`feed::configs`).

use std::sync::{Arc, OnceLock, Weak};

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType, Selection};
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};

use crate::{feed::Hot, id::AgentId};

/// How many answers are thought to be kept; what bounds them is their size.
const ENTRIES: usize = 10_000;
/// About the most bytes that all of them take, with their requests.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What one takes beside that.
const OVERHEAD: usize = 256;
/// A longer request is answered the ordinary way.
pub const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// The field that answers what an agent serves.
const FIELD: &str = "activeConfig";

/// Where a resolver puts the configuration that it has shown.
pub(in crate::graphql) type Shown = Arc<OnceLock<Arc<Hot>>>;

/// The answer to a request.
#[derive(Clone)]
struct Made {
    agent: AgentId,
    /// Of which configuration. Its place is no other's while this is kept.
    of: Weak<Hot>,
    body: Bytes,
}

#[derive(Clone)]
struct Size;

impl Weighter<Bytes, Made> for Size {
    fn weight(&self, asked: &Bytes, made: &Made) -> u64 {
        u64::try_from(OVERHEAD + asked.len() + made.body.len()).unwrap_or(u64::MAX)
    }
}

/// The answers that are ready, by the body of their request. Clones are the same.
#[derive(Clone)]
pub(in crate::graphql) struct Ready(Arc<Cache<Bytes, Made, Size>>);

impl Default for Ready {
    fn default() -> Self {
        Self(Arc::new(Cache::with_weighter(ENTRIES, BYTES_MAX, Size)))
    }
}

impl Ready {
    /// The answer to this request, if it is that of what `at_hand` has of its agent.
    pub(in crate::graphql) fn get(
        &self,
        asked: &[u8],
        at_hand: impl FnOnce(AgentId) -> Option<Arc<Hot>>,
    ) -> Option<Bytes> {
        let Made { agent, of, body } = self.0.get(asked)?;
        let hot = at_hand(agent)?;
        std::ptr::eq(of.as_ptr(), Arc::as_ptr(&hot)).then_some(body)
    }

    /// Drops all answers.
    pub(in crate::graphql) fn clear(&self) {
        self.0.clear();
    }

    /// Keeps the answer to this request, which shows this and depends on nothing else.
    pub(in crate::graphql) fn keep(&self, asked: &Bytes, hot: &Arc<Hot>, body: Bytes) {
        let made = Made { agent: hot.config.agent_id, of: Arc::downgrade(hot), body };
        // A copy: the request may be a part of something larger.
        self.0.insert(Bytes::copy_from_slice(asked), made);
    }
}

/// Whether this normalised operation asks for what one agent serves, and for nothing else. What it asks of it is its own: an
/// active configuration leads to no other object.
pub(in crate::graphql) fn is_of_one_config(operation: &ExecutableDocument) -> bool {
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
            let found = prepared.is_ok_and(|prepared| is_of_one_config(&prepared.executable));
            assert_eq!(found, expected, "{text}");
        }
    }
}
