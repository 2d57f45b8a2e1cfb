//! What versions hold, kept in memory once it was read: a published version never changes.
//!
//! Whose it is, and whether its reader may see it, is asked of the database each time, by the version's summary; only the
//! content itself is not read again. The one thing that takes content away, erasure, changes its size, which is part of the
//! key: so what was kept before is not found any more, on any instance and in no snapshot from after it.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};

use super::version::{VersionBody, VersionSummary};
use crate::id::{CustomerId, VersionId};

/// How many versions are thought to be kept; what bounds them is their size.
const ENTRIES: usize = 16 * 1024;
/// About the most bytes that all of them take.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What one takes beside its content.
const OVERHEAD: usize = 256;
/// How much more memory JSON takes than its text.
const JSON_IN_MEMORY: usize = 4;

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
    fn weight(&self, key: &BodyKey, body: &Arc<VersionBody>) -> u64 {
        let prompt = body.system_prompt.len();
        let json = key.bytes.saturating_sub(prompt).saturating_mul(JSON_IN_MEMORY);
        u64::try_from(OVERHEAD.saturating_add(prompt).saturating_add(json)).unwrap_or(u64::MAX)
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
