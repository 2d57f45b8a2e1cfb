//! What versions hold, kept in memory once it was read: a published version never changes.
//!
//! Whose it is, and whether its reader may see it, is asked of the database each time, by the version's summary; only the
//! content itself is not read again. The one thing that takes content away, erasure, changes its size, which is part of the
//! key: so what was kept before is not found any more, on any instance and in no snapshot from after it. It doesn't stay in
//! memory either: each instance evicts it when the log tells of the erasure, and keeps nothing of that customer's from then on.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use quick_cache::{Weighter, sync::Cache};
use serde_json::Value;

use super::version::{Tool, Tools, VersionBody, VersionSummary};
use crate::{
    id::{CustomerId, VersionId},
    task::lock,
};

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
pub(super) struct Contents {
    kept: Cache<BodyKey, Arc<VersionBody>, Size>,
    /// Customers whose erasure this instance has seen: a reading that began before may end after it.
    erased: Mutex<HashSet<CustomerId>>,
}

impl Default for Contents {
    fn default() -> Self {
        Self { kept: Cache::with_weighter(ENTRIES, BYTES_MAX, Size), erased: Mutex::default() }
    }
}

impl Contents {
    pub(super) fn get(&self, key: &BodyKey) -> Option<Arc<VersionBody>> {
        self.kept.get(key)
    }

    pub(super) fn keep(&self, key: BodyKey, body: &Arc<VersionBody>) {
        self.kept.insert(key, Arc::clone(body));
        // After it was kept: whoever erases either finds it there, or is found here.
        if lock(&self.erased).contains(&key.customer_id) {
            self.kept.remove(&key);
        }
    }

    /// Evicts what this customer's versions held, and keeps nothing of theirs any more.
    pub(super) fn clear(&self) {
        self.kept.clear();
    }

    pub(super) fn forget(&self, customer: CustomerId) {
        lock(&self.erased).insert(customer);
        self.kept.retain(|key, _| key.customer_id != customer);
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::entity::agent_version::ModelParameters;

    #[test]
    fn nothing_of_an_erased_customer_is_kept_also_by_a_reading_that_ends_later() {
        let contents = Contents::default();
        let key = |customer: u128, version: u128| BodyKey {
            id: VersionId::from(Uuid::from_u128(version)),
            customer_id: CustomerId::from(Uuid::from_u128(customer)),
            bytes: 6,
        };
        let body = |key: BodyKey| {
            let system_prompt = "prompt".to_owned();
            let (model_parameters, tools) = (ModelParameters::default(), Tools::default());
            Arc::new(VersionBody { id: key.id, system_prompt, model_parameters, tools })
        };
        let (before, late, other) = (key(1, 1), key(1, 2), key(2, 3));
        contents.keep(before, &body(before));
        contents.keep(other, &body(other));
        contents.forget(before.customer_id);
        contents.keep(late, &body(late));
        assert!(contents.get(&before).is_none());
        assert!(contents.get(&late).is_none());
        assert!(contents.get(&other).is_some());
    }
}
