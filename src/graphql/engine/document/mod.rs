//! Finds the document that a request identifies: by its text, by its hash, or by its id in the list of trusted
//! documents.
//!
//! Persisted queries follow Apollo's protocol: a client sends only `extensions.persistedQuery`, and repeats the
//! request with the text if the answer is PERSISTED_QUERY_NOT_FOUND. A hash finds a document only for the tenant
//! that registered it; otherwise a tenant could find out what others ask. With a list of trusted documents, no
//! other document runs, however a request identifies it.
//!
//! Requests with the same text share one checked document.

use std::sync::Arc;

use graphql_front::Document;
use json_reader::Json;
use sha2::{Digest, Sha256};

use crate::{
    cache::{Weighed, WeighedCache, weighed_cache},
    domain::{Caller, Principal},
    graphql::Operation,
    id::CustomerId,
};

mod trusted;

pub use trusted::{ManifestError, TrustedDocuments};

/// The SHA-256 of a document's text.
type Hash = [u8; 32];

/// The number of documents that each cache is sized for. The limit is on bytes, not on this.
const ENTRIES: usize = 1_000;
/// The most bytes that the documents of each cache take, roughly.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// One shard, because a part of the cache would refuse a document of many tokens.
const SHARD_BYTES: u64 = BYTES_MAX;
/// The longest text that is cached without a registered hash. Hashing longer texts costs more than it saves.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// The prefix of an id that is a hash (GraphQL over HTTP, appendix A).
const HASH_PREFIX: &str = "sha256:";

/// Why a request's document isn't run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No document with this hash or id is cached: the client sends its text. Clients match on exactly this
    /// message.
    #[error("PersistedQueryNotFound")]
    NotFound,
    /// Another version of the protocol. Clients match on exactly this message.
    #[error("PersistedQueryNotSupported")]
    NotSupported,
    /// The extension doesn't have the protocol's form.
    #[error("extensions.persistedQuery must be {{version: 1, sha256Hash: \"…\"}}")]
    Malformed,
    /// The hash belongs to another document, or isn't a hash.
    #[error("the given hash does not match the document")]
    Mismatch,
    /// The document isn't in the list of trusted documents.
    #[error("the document is not in this service's list of trusted documents")]
    NotTrusted,
}

impl Refusal {
    /// The error's code on the wire.
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

/// The callers who share the documents registered by hash: a customer's API keys, the platform's services, or one
/// user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) enum DocumentOwner {
    Customer(CustomerId),
    /// Issuer and subject, because the id of a user without a profile isn't stable.
    User(String, String),
    Platform,
}

impl DocumentOwner {
    /// The tenant that this caller belongs to.
    pub(in crate::graphql) fn of(caller: &Caller) -> Self {
        match &caller.principal {
            Principal::ApiKey(key) => Self::Customer(key.customer_id),
            Principal::User(user) => Self::User(user.issuer.clone(), user.subject.clone()),
            Principal::Service(_) | Principal::System => Self::Platform,
        }
    }
}

/// The document that a request identifies.
#[derive(Debug)]
pub(in crate::graphql) enum DocumentLookup {
    /// A cached document, which is checked already.
    Known(Arc<Document>, ClaimedHash),
    /// A text that isn't cached.
    Unchecked(UncheckedText),
}

/// The hash that a client sent together with the text: the client will send only the hash from then on.
pub(in crate::graphql) type ClaimedHash = Option<Hash>;

/// A text that isn't cached, with its claimed hash.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::graphql) struct UncheckedText {
    pub(in crate::graphql) text: Arc<str>,
    pub(in crate::graphql) claimed: ClaimedHash,
}

impl UncheckedText {
    /// Checks that the claimed hash is the text's. Hashes the whole text.
    pub(in crate::graphql) fn verify(&self) -> Result<(), Refusal> {
        match self.claimed {
            Some(claimed) if claimed != hash(&self.text) => Err(Refusal::Mismatch),
            _ => Ok(()),
        }
    }
}

/// The document caches, and the list of trusted documents.
#[derive(Debug)]
pub(in crate::graphql) struct Documents {
    /// All checked documents, by the hash of their text.
    checked: WeighedCache<Hash, Arc<Document>>,
    /// Registered documents, by the tenant that sent text and hash together, and the hash.
    registered: WeighedCache<(DocumentOwner, Hash), Arc<Document>>,
    trusted: Option<TrustedDocuments>,
}

impl Documents {
    pub(in crate::graphql) fn new(trusted: Option<TrustedDocuments>) -> Self {
        let (checked, registered) =
            (weighed_cache(ENTRIES, BYTES_MAX, SHARD_BYTES), weighed_cache(ENTRIES, BYTES_MAX, SHARD_BYTES));
        Self { checked, registered, trusted }
    }

    /// Finds the document that a request of `owner` identifies. Takes the text and the id out of the request.
    pub(in crate::graphql) fn find(
        &self,
        operation: &mut Operation,
        owner: &DocumentOwner,
    ) -> Result<DocumentLookup, Refusal> {
        let (text, id) = (operation.query.take(), operation.document_id.take());
        let claimed = operation.persisted().map(read_claimed_hash).transpose()?;
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
        match (text, claimed.map(decode_hash)) {
            (Some(text), None) => Ok(self.known_or_new(text.into(), None)),
            (Some(text), Some(claimed)) => {
                Ok(self.known_or_new(text.into(), Some(claimed.ok_or(Refusal::Mismatch)?)))
            }
            (None, claimed) => {
                let document = claimed.flatten().and_then(|hash| self.registered.get(&(owner.clone(), hash)));
                Ok(DocumentLookup::Known(document.ok_or(Refusal::NotFound)?.value, None))
            }
        }
    }

    fn known_or_new(&self, text: Arc<str>, claimed: Option<Hash>) -> DocumentLookup {
        if text.len() <= TEXT_BYTES_MAX {
            let hash = hash(&text);
            let is_claimed = claimed.is_none_or(|claimed| claimed == hash);
            if let Some(document) = self.checked.get(&hash).filter(|_| is_claimed) {
                return DocumentLookup::Known(document.value, claimed);
            }
        }
        DocumentLookup::Unchecked(UncheckedText { text, claimed })
    }

    /// Removes all documents, after an erasure: a literal in one may be an erased prompt. Clients send their texts
    /// again.
    pub(in crate::graphql) fn clear(&self) {
        self.checked.clear();
        self.registered.clear();
    }

    /// Caches the document of an accepted request: by its text's hash for everyone, and by the claimed hash for
    /// this tenant.
    pub(in crate::graphql) fn keep(
        &self,
        document: &Arc<Document>,
        owner: DocumentOwner,
        claimed: ClaimedHash,
    ) {
        let text = document.text();
        let weighed = || Weighed::new(Arc::clone(document), document.weight());
        if text.len() <= TEXT_BYTES_MAX {
            let hash = claimed.unwrap_or_else(|| hash(text));
            if self.checked.peek(&hash).is_none() {
                self.checked.insert(hash, weighed());
            }
        }
        if let Some(hash) = claimed.filter(|_| self.trusted.is_none()) {
            self.registered.insert((owner, hash), weighed());
        }
    }
}

/// Reads the hash from the extension `persistedQuery`.
fn read_claimed_hash(extension: &Json) -> Result<&str, Refusal> {
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

fn decode_hash(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}
