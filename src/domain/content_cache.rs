//! An in-memory cache of versions' contents. A published version never changes, so entries need no invalidation but
//! for erasure.
//!
//! Each request still reads the version's summary from the database, which decides whether its reader may see the
//! version; only the content comes from the cache. Erasure changes the content's size, and the size is part of the
//! key. So after an erasure no instance finds the old content in a newer snapshot. Each instance also evicts the
//! customer's entries when it reads the erasure in the log, and caches nothing of that customer afterwards.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use super::{
    Reading, Registry, Result,
    content::at_most,
    version::{Extensions, ModelParameters, READ_BYTES_MAX, Tools, VersionBody, VersionSummary},
};
use crate::{
    cache::{Weighed, WeighedCache, weighed_cache},
    entity::agent_version,
    id::{CustomerId, VersionId},
    task::lock,
};

/// How many entries the cache is sized for. The actual bound is [`BYTES_MAX`].
const ENTRIES: usize = 16 * 1024;
/// The most memory that all entries may take, in bytes, as estimated by [`weight`].
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The least memory of a shard. A version heavier than that isn't cached.
const SHARD_BYTES: u64 = 4 * 1024 * 1024;
/// The memory that an entry takes in addition to its content, in bytes.
const ENTRY_BYTES: usize = 256;
/// The key of a version's content, made from its summary. A reader that has read the summary in a snapshot may read
/// the content with this key in that snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BodyKey {
    /// The version.
    pub id: VersionId,
    /// The version's customer.
    pub customer_id: CustomerId,
    /// The size of the content, in bytes of text.
    pub bytes: usize,
}

impl BodyKey {
    /// The key for the content of this version.
    #[must_use]
    pub fn of(summary: &VersionSummary) -> Self {
        let bytes = usize::try_from(summary.content_bytes).unwrap_or(usize::MAX);
        Self { id: summary.id, customer_id: summary.customer_id, bytes }
    }
}

/// Cached contents of versions.
#[derive(Debug)]
pub(super) struct ContentCache {
    kept: WeighedCache<BodyKey, Arc<VersionBody>>,
    /// Customers whose erasure this instance has read in the log. A read that began before the erasure may try to
    /// cache its result after it.
    erased: Mutex<HashSet<CustomerId>>,
}

impl Default for ContentCache {
    fn default() -> Self {
        Self { kept: weighed_cache(ENTRIES, BYTES_MAX, SHARD_BYTES), erased: Mutex::default() }
    }
}

impl ContentCache {
    pub(super) fn get(&self, key: &BodyKey) -> Option<Arc<VersionBody>> {
        self.kept.get(key).map(|entry| entry.value)
    }

    pub(super) fn insert(&self, key: BodyKey, body: &Arc<VersionBody>) {
        let VersionBody { id: _, system_prompt, model_parameters, tools, extensions, bytes_hash: _ } =
            &**body;
        let bytes = ENTRY_BYTES + weight(system_prompt, model_parameters, tools, extensions);
        self.kept.insert(key, Weighed::new(Arc::clone(body), bytes));
        // Checked after inserting: an erasure in parallel either evicts the new entry, or is seen here.
        if lock(&self.erased).contains(&key.customer_id) {
            self.kept.remove(&key);
        }
    }

    /// Evicts all entries.
    pub(super) fn clear(&self) {
        self.kept.clear();
    }

    /// Evicts this customer's entries and refuses new ones from now on.
    pub(super) fn evict_customer(&self, customer: CustomerId) {
        lock(&self.erased).insert(customer);
        self.kept.retain(|key, _| key.customer_id != customer);
    }
}

/// Checks that contents with these keys may be read together.
///
/// # Errors
/// [`super::Error::TooLarge`] for more than [`READ_BYTES_MAX`].
pub(super) fn check_size(wanted: &[BodyKey]) -> Result<()> {
    let bytes = wanted.iter().fold(0_usize, |sum, key| sum.saturating_add(key.bytes));
    at_most("versions", bytes, READ_BYTES_MAX, "bytes of content")
}

impl Registry {
    /// The contents with these keys, of customers that the reader may see: from memory, and those that aren't there in one
    /// statement. Asks no policy: the caller has decided that the reader may read these versions' contents.
    pub(super) async fn bodies(
        &self,
        reading: &Reading,
        wanted: impl IntoIterator<Item = BodyKey>,
    ) -> Result<HashMap<BodyKey, Arc<VersionBody>>> {
        let tenants = reading.view.tenant_filter();
        let (mut found, mut missing) = (HashMap::new(), HashMap::new());
        for key in wanted.into_iter().filter(|key| tenants.admits(key.customer_id)) {
            match self.contents().get(&key) {
                Some(body) => drop(found.insert(key, body)),
                None => drop(missing.insert(key.id, key)),
            }
        }
        if !missing.is_empty() {
            let ids: Vec<VersionId> = missing.keys().copied().collect();
            for body in reading.view.all(agent_version::bodies(&tenants, &ids)).await? {
                let Some(key) = missing.get(&body.id) else { continue };
                let body = Arc::new(body);
                self.contents().insert(*key, &body);
                found.insert(*key, body);
            }
        }
        Ok(found)
    }
}

/// An estimate of the memory that a version's texts take, in bytes.
#[must_use]
pub fn weight(
    system_prompt: &str,
    model_parameters: &ModelParameters,
    tools: &Tools,
    extensions: &Extensions,
) -> usize {
    system_prompt.len() + model_parameters.0.as_str().len() + tools.weight() + extensions.bytes()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn nothing_of_an_erased_customer_is_kept_also_by_a_reading_that_ends_later() {
        let contents = ContentCache::default();
        let key = |customer: u128, version: u128| BodyKey {
            id: VersionId::from(Uuid::from_u128(version)),
            customer_id: CustomerId::from(Uuid::from_u128(customer)),
            bytes: 6,
        };
        let body = |key: BodyKey| {
            Arc::new(VersionBody {
                id: key.id,
                system_prompt: "prompt".to_owned(),
                model_parameters: ModelParameters::default(),
                tools: Tools::default(),
                extensions: Extensions::default(),
                bytes_hash: Vec::new(),
            })
        };
        let (before, late, other) = (key(1, 1), key(1, 2), key(2, 3));
        contents.insert(before, &body(before));
        contents.insert(other, &body(other));
        contents.evict_customer(before.customer_id);
        contents.insert(late, &body(late));
        assert!(contents.get(&before).is_none());
        assert!(contents.get(&late).is_none());
        assert!(contents.get(&other).is_some());
    }
}
