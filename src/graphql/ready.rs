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
pub(super) type Shown = Arc<OnceLock<Arc<Hot>>>;

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
pub(super) struct Ready(Arc<Cache<Bytes, Made, Size>>);

impl Default for Ready {
    fn default() -> Self {
        Self(Arc::new(Cache::with_weighter(ENTRIES, BYTES_MAX, Size)))
    }
}

impl Ready {
    /// The answer to this request, if it is that of what `at_hand` has of its agent.
    pub(super) fn get(
        &self,
        asked: &[u8],
        at_hand: impl FnOnce(AgentId) -> Option<Arc<Hot>>,
    ) -> Option<Bytes> {
        let Made { agent, of, body } = self.0.get(asked)?;
        let hot = at_hand(agent)?;
        std::ptr::eq(of.as_ptr(), Arc::as_ptr(&hot)).then_some(body)
    }

    /// Drops all answers.
    pub(super) fn clear(&self) {
        self.0.clear();
    }

    /// Keeps the answer to this request, which shows this and depends on nothing else.
    pub(super) fn keep(&self, asked: &Bytes, hot: &Arc<Hot>, body: Bytes) {
        let made = Made { agent: hot.config.agent_id, of: Arc::downgrade(hot), body };
        // A copy: the request may be a part of something larger.
        self.0.insert(Bytes::copy_from_slice(asked), made);
    }
}

/// Whether this asks for what one agent serves, and for nothing else. What it asks of it is its own: an active
/// configuration leads to no other object.
pub(super) fn is_of_one_config(document: &ExecutableDocument) -> bool {
    let DocumentOperations::Single(operation) = &document.operations else { return false };
    let fields = operation.node.selection_set.node.items.as_slice();
    let [only] = fields else { return false };
    let is_query = operation.node.ty == OperationType::Query;
    is_query && matches!(&only.node, Selection::Field(field) if field.node.name.node == FIELD)
}

#[cfg(test)]
mod tests {
    use super::{super::parse::parse, *};

    #[test]
    fn only_what_asks_for_one_configuration_is_ready() {
        for (text, expected) in [
            ("{ activeConfig(agentId: 1) { name } }", true),
            ("query ($id: ID!) { mine: activeConfig(agentId: $id) { ...on ActiveConfig { name } } }", true),
            ("{ activeConfig(agentId: 1) { name } me { id } }", false),
            ("{ a: activeConfig(agentId: 1) { name } b: activeConfig(agentId: 2) { name } }", false),
            ("{ ...f } fragment f on Query { activeConfig(agentId: 1) { name } }", false),
            ("{ ...on Query { activeConfig(agentId: 1) { name } } }", false),
            ("{ activeConfig: me { id } }", false),
            ("mutation { activeConfig(agentId: 1) { name } }", false),
            ("subscription { activeConfig(agentId: 1) { name } }", false),
            ("query a { activeConfig(agentId: 1) { name } } query b { me { id } }", false),
        ] {
            assert_eq!(is_of_one_config(&parse(text).unwrap()), expected, "{text}");
        }
    }
}
