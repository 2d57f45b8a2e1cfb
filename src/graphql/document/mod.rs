//! Which document an operation means: the text that it carries, or one that is known by its hash or its id.
//!
//! Persisted queries are Apollo's protocol: a client sends `extensions.persistedQuery` alone, and with the text when it
//! is told PERSISTED_QUERY_NOT_FOUND. When there is a list of trusted documents, no other is run, however it is named.
//! What is found here goes through the guard like any other text.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Operation;

mod cache;
mod trusted;

use cache::Cache;
pub use trusted::{ManifestError, TrustedDocuments};

/// The SHA-256 of a document's text.
type Hash = [u8; 32];

/// The most documents that are remembered by their hashes.
const ENTRIES_MAX: usize = 1_000;
/// The most bytes of text in all of them.
const BYTES_MAX: usize = 8 * 1024 * 1024;
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
    #[error("write extensions.persistedQuery as {{version: 1, sha256Hash: \"…\"}}")]
    Malformed,
    /// The hash is that of another document.
    #[error("the hash is not that of the document")]
    Mismatch,
    /// There is a list of trusted documents, and it is not in it.
    #[error("the document is not one that this service trusts")]
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

/// The text that an operation means.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) text: String,
    /// The hash that the client says it has.
    claimed: Option<Hash>,
}

impl Found {
    /// Whether the text has the hash that the client says. It costs as much as the text is long.
    pub(super) fn verify(&self) -> Result<(), Refusal> {
        match self.claimed {
            Some(claimed) if claimed != hash(&self.text) => Err(Refusal::Mismatch),
            _ => Ok(()),
        }
    }
}

/// The documents that are known here.
#[derive(Debug)]
pub(super) struct Documents {
    cache: Cache,
    trusted: Option<TrustedDocuments>,
}

impl Documents {
    pub(super) fn new(trusted: Option<TrustedDocuments>) -> Self {
        Self { cache: Cache::new(ENTRIES_MAX, BYTES_MAX), trusted }
    }

    /// The document that this operation means, which is taken out of it.
    pub(super) fn find(&self, operation: &mut Operation) -> Result<Found, Refusal> {
        let (text, id) = (operation.query.take(), operation.document_id.take());
        let claimed = operation.persisted().map(claimed).transpose()?;
        if let Some(trusted) = &self.trusted {
            let text = trusted.find(text, id.as_deref(), claimed).ok_or(Refusal::NotTrusted)?;
            return Ok(Found { text, claimed: None });
        }
        let id = id.map(|id| id.strip_prefix(HASH_PREFIX).map(str::to_owned).ok_or(Refusal::NotFound));
        let by_id = id.transpose()?;
        let claimed = match (claimed, by_id.as_deref()) {
            (Some(claimed), Some(id)) if claimed != id => return Err(Refusal::Mismatch),
            (claimed, id) => claimed.or(id),
        };
        match (text, claimed.map(read)) {
            (Some(text), None) => Ok(Found { text, claimed: None }),
            (Some(text), Some(claimed)) => {
                Ok(Found { text, claimed: Some(claimed.ok_or(Refusal::Mismatch)?) })
            }
            (None, claimed) => {
                let text = claimed.flatten().and_then(|hash| self.cache.get(&hash));
                Ok(Found { text: text.ok_or(Refusal::NotFound)?.to_string(), claimed: None })
            }
        }
    }

    /// Remembers a document that was accepted, when its client said its hash.
    pub(super) fn keep(&self, found: &Found) {
        if let Some(hash) = found.claimed {
            self.cache.keep(hash, &found.text);
        }
    }
}

/// The hash that the extension names.
fn claimed(extension: &Value) -> Result<&str, Refusal> {
    match extension.get("version") {
        Some(version) if *version == 1 => {}
        Some(Value::Number(_)) => return Err(Refusal::NotSupported),
        _ => return Err(Refusal::Malformed),
    }
    extension.get("sha256Hash").and_then(Value::as_str).ok_or(Refusal::Malformed)
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text).into()
}

fn read(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}
