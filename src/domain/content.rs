//! What versions hold, kept in memory once it was read: a published version never changes.
//!
//! Whose it is, and whether its reader may see it, is asked of the database each time, by the version's summary; only the
//! content itself is not read again. The one thing that takes content away, erasure, changes its size, which is part of the
//! key: so what was kept before is not found any more, on any instance and in no snapshot from after it.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};
use serde_json::Value;

use super::version::{Tool, Tools, VersionBody, VersionSummary};
use crate::id::{CustomerId, VersionId};

/// How many versions are thought to be kept; what bounds them is their size.
const ENTRIES: usize = 16 * 1024;
/// About the most bytes that all of them take.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What one takes beside its content.
const OVERHEAD: usize = 256;
/// What a value of JSON takes beside its text, in bytes: itself, with the room that lists and objects keep for more.
const VALUE: usize = 3 * size_of::<Value>();

/// What a version holds, as its summary names it: who has read that in a snapshot may read this in the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BodyKey {
    /// Which version.
    pub id: VersionId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// How many bytes of text it is.
    pub bytes: usize,
}

impl BodyKey {
    /// What the version of this summary holds.
    #[must_use]
    pub fn of(summary: &VersionSummary) -> Self {
        let bytes = usize::try_from(summary.content_bytes).unwrap_or(usize::MAX);
        Self { id: summary.id, customer_id: summary.customer_id, bytes }
    }
}

#[derive(Clone, Debug)]
struct Size;

impl Weighter<BodyKey, Arc<VersionBody>> for Size {
    fn weight(&self, _: &BodyKey, body: &Arc<VersionBody>) -> u64 {
        let VersionBody { id: _, system_prompt, model_parameters, tools } = &**body;
        u64::try_from(OVERHEAD + weight(system_prompt, &model_parameters.0, tools)).unwrap_or(u64::MAX)
    }
}

/// The contents that were read of late.
#[derive(Debug)]
pub(super) struct Contents(Cache<BodyKey, Arc<VersionBody>, Size>);

impl Default for Contents {
    fn default() -> Self {
        Self(Cache::with_weighter(ENTRIES, BYTES_MAX, Size))
    }
}

impl Contents {
    pub(super) fn get(&self, key: &BodyKey) -> Option<Arc<VersionBody>> {
        self.0.get(key)
    }

    pub(super) fn keep(&self, key: BodyKey, body: &Arc<VersionBody>) {
        self.0.insert(key, Arc::clone(body));
    }

    /// Forgets what this customer's versions held.
    pub(super) fn forget(&self, customer: CustomerId) {
        self.0.retain(|key, _| key.customer_id != customer);
    }
}

/// About how much memory a version's texts and JSON take.
#[must_use]
pub fn weight(system_prompt: &str, model_parameters: &Value, tools: &Tools) -> usize {
    let tool = |tool: &Tool| {
        let description = tool.description.as_ref().map_or(0, String::len);
        VALUE + tool.name.len() + description + tool.input_schema.as_ref().map_or(0, weight_of_json)
    };
    system_prompt.len() + weight_of_json(model_parameters) + tools.0.iter().map(tool).sum::<usize>()
}

fn weight_of_json(value: &Value) -> usize {
    VALUE
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(values) => values.iter().map(weight_of_json).sum(),
            Value::Object(entries) => {
                entries.iter().map(|(key, value)| VALUE + key.len() + weight_of_json(value)).sum()
            }
        }
}
