//! Which document an operation means: the text that it carries, or one that is known by its hash or its id.
//!
//! Persisted queries are Apollo's protocol: a client sends `extensions.persistedQuery` alone, and with the text when the
//! answer is PERSISTED_QUERY_NOT_FOUND. A document is found by its hash by its own tenant only, so that nobody can find
//! out what others ask. When there is a list of trusted documents, no other runs, however it is named.
//!
//! A checked document is shared by all who send its text.

use std::sync::Arc;

use graphql_front::Document;
use json_reader::Json;
use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use sha2::{Digest, Sha256};

use super::Operation;
use crate::{
    domain::{Caller, Principal},
    id::CustomerId,
};

mod trusted;

pub use trusted::{ManifestError, TrustedDocuments};

/// The SHA-256 of a document's text.
type Hash = [u8; 32];

/// How many documents are thought to be remembered; what bounds them is their size.
const ENTRIES: usize = 1_000;
/// About the most bytes that all of them take.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// One shard: a cache of several takes nothing that is heavier than a shard, and a document of many tokens is.
const SHARDS: usize = 1;
/// A longer text is remembered only for a client that names its hash: to find that of every text would be work for nothing.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// With this before it, an id is a hash (GraphQL over HTTP, appendix A).
const HASH_PREFIX: &str = "sha256:";

/// Why a document is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No document of this hash or id is known here: send its text. Clients match on this very message.
    #[error("PersistedQueryNotFound")]
    NotFound,
    /// Another version of the protocol. Clients match on this very message.
    #[error("PersistedQueryNotSupported")]
    NotSupported,
    /// The extension is not as the protocol says.
    #[error("extensions.persistedQuery must be {{version: 1, sha256Hash: \"…\"}}")]
    Malformed,
    /// The hash is that of another document.
    #[error("the given hash does not match the document")]
    Mismatch,
    /// There is a list of trusted documents, and it is not in it.
    #[error("the document is not in this service's list of trusted documents")]
    NotTrusted,
}

impl Refusal {
    /// Its name on the wire.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::NotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::Malformed | Self::Mismatch => "BAD_USER_INPUT",
            Self::NotTrusted => "DOCUMENT_NOT_TRUSTED",
        }
    }
}

/// Who shares what was registered by hash: a customer's programs, the platform's own services, or one person.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Tenant {
    Customer(CustomerId),
    /// By issuer and subject, since who has no profile yet has no lasting id.
    User(String, String),
    Platform,
}

impl Tenant {
    /// The tenant of this caller.
    pub(super) fn of(caller: &Caller) -> Self {
        match &caller.principal {
            Principal::ApiKey(key) => Self::Customer(key.customer_id),
            Principal::User(user) => Self::User(user.issuer.clone(), user.subject.clone()),
            Principal::Service(_) | Principal::System => Self::Platform,
        }
    }
}

/// The document that an operation means.
#[derive(Debug)]
pub(super) enum Found {
    /// One that was checked.
    Known(Arc<Document>, Claim),
    /// One that was not.
    New(New),
}

/// The hash that the client says a text has, when it sent both: it wants to send the hash alone from now on.
pub(super) type Claim = Option<Hash>;

/// A text that is not known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct New {
    pub(super) text: Arc<str>,
    pub(super) claimed: Claim,
}

impl New {
    /// Whether the text has the hash that the client says. It costs as much as the text is long.
    pub(super) fn verify(&self) -> Result<(), Refusal> {
        match self.claimed {
            Some(claimed) if claimed != hash(&self.text) => Err(Refusal::Mismatch),
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Debug)]
struct Size;

impl<K> Weighter<K, Arc<Document>> for Size {
    fn weight(&self, _: &K, document: &Arc<Document>) -> u64 {
        u64::try_from(document.weight()).unwrap_or(u64::MAX)
    }
}

fn cache<K: Eq + std::hash::Hash + Clone>() -> Cache<K, Arc<Document>, Size> {
    let options = OptionsBuilder::new()
        .estimated_items_capacity(ENTRIES)
        .weight_capacity(BYTES_MAX)
        .shards(SHARDS)
        .build();
    match options {
        Ok(options) => {
            Cache::with_options(options, Size, DefaultHashBuilder::default(), DefaultLifecycle::default())
        }
        // It fails when a number is missing, and none is.
        Err(_) => Cache::with_weighter(ENTRIES, BYTES_MAX, Size),
    }
}

/// The documents that are known here.
#[derive(Debug)]
pub(super) struct Documents {
    /// By the hash of a text that was sent.
    checked: Cache<Hash, Arc<Document>, Size>,
    /// By the hash alone, for the tenant that has sent it together with its text.
    registered: Cache<(Tenant, Hash), Arc<Document>, Size>,
    trusted: Option<TrustedDocuments>,
}

impl Documents {
    pub(super) fn new(trusted: Option<TrustedDocuments>) -> Self {
        Self { checked: cache(), registered: cache(), trusted }
    }

    /// The document that this operation of `tenant` means. Takes it out of the operation.
    pub(super) fn find(&self, operation: &mut Operation, tenant: &Tenant) -> Result<Found, Refusal> {
        let (text, id) = (operation.query.take(), operation.document_id.take());
        let claimed = operation.persisted().map(claimed).transpose()?;
        if let Some(trusted) = &self.trusted {
            let text = trusted.find(text, id.as_deref(), claimed).ok_or(Refusal::NotTrusted)?;
            return Ok(self.known_or_new(text, None));
        }
        let id = id.map(|id| id.strip_prefix(HASH_PREFIX).map(str::to_owned).ok_or(Refusal::NotFound));
        let by_id = id.transpose()?;
        let claimed = match (claimed, by_id.as_deref()) {
            (Some(claimed), Some(id)) if !claimed.eq_ignore_ascii_case(id) => return Err(Refusal::Mismatch),
            (claimed, id) => claimed.or(id),
        };
        match (text, claimed.map(read)) {
            (Some(text), None) => Ok(self.known_or_new(text.into(), None)),
            (Some(text), Some(claimed)) => {
                Ok(self.known_or_new(text.into(), Some(claimed.ok_or(Refusal::Mismatch)?)))
            }
            (None, claimed) => {
                let document =
                    claimed.flatten().and_then(|hash| self.registered.get(&(tenant.clone(), hash)));
                Ok(Found::Known(document.ok_or(Refusal::NotFound)?, None))
            }
        }
    }

    fn known_or_new(&self, text: Arc<str>, claimed: Option<Hash>) -> Found {
        if text.len() <= TEXT_BYTES_MAX {
            let hash = hash(&text);
            let is_claimed = claimed.is_none_or(|claimed| claimed == hash);
            if let Some(document) = self.checked.get(&hash).filter(|_| is_claimed) {
                return Found::Known(document, claimed);
            }
        }
        Found::New(New { text, claimed })
    }

    /// Forgets all documents: a literal in one may be a prompt that was erased. Clients send them again.
    pub(super) fn clear(&self) {
        self.checked.clear();
        self.registered.clear();
    }

    /// Remembers a document of which an operation was accepted: for all who send its text, and for this tenant by the hash
    /// that it has named.
    pub(super) fn keep(&self, document: &Arc<Document>, tenant: Tenant, claimed: Claim) {
        let text = document.text();
        if text.len() <= TEXT_BYTES_MAX {
            let hash = claimed.unwrap_or_else(|| hash(text));
            if self.checked.peek(&hash).is_none() {
                self.checked.insert(hash, Arc::clone(document));
            }
        }
        if let Some(hash) = claimed.filter(|_| self.trusted.is_none()) {
            self.registered.insert((tenant, hash), Arc::clone(document));
        }
    }
}

/// The hash that the extension names.
fn claimed(extension: &Json) -> Result<&str, Refusal> {
    match extension.get("version") {
        Some(Json::Number(version)) if version.as_i64() == Some(1) => {}
        Some(Json::Number(_)) => return Err(Refusal::NotSupported),
        _ => return Err(Refusal::Malformed),
    }
    extension.get("sha256Hash").and_then(Json::as_str).ok_or(Refusal::Malformed)
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text).into()
}

fn read(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}
