//! The list of trusted documents. If there is one, no other document is run.
//!
//! The list is a JSON object that maps ids to documents, as Relay's compiler writes it, or Apollo's manifest
//! (`generate-persisted-query-manifest`).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use json_reader::{Json, Limits, ReadError, from_json, read as read_json};
use serde::Deserialize;

use graphql_front::{ErrorKind, Front};

use super::{HASH_PREFIX, hash};

/// The value of `format` in Apollo's manifest.
const APOLLO: &str = "apollo-persisted-query-manifest";

/// Why a list can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file isn't JSON.
    #[error("not a JSON object: {0}")]
    Json(ReadError),
    /// The JSON value isn't an object.
    #[error("not a JSON object, but {0}")]
    NotAnObject(&'static str),
    /// The object has neither of the two known forms.
    #[error("neither an object that maps ids to documents, nor version 1 of Apollo's manifest")]
    Form,
    /// The list is empty, so nothing could be run.
    #[error("the list holds no documents")]
    Empty,
    /// Two different documents have the same id.
    #[error("two different documents have the id {0:?}")]
    Twice(String),
    /// A document doesn't parse, or exceeds a limit.
    #[error("the document {0:?} can't be run: {1}")]
    Document(String, String),
}

/// The documents that may be run.
#[derive(Clone, Debug, Default)]
pub struct TrustedDocuments {
    /// The documents by their ids, and by their hashes in hexadecimal digits.
    by_id: HashMap<String, Arc<str>>,
    texts: HashSet<Arc<str>>,
}

#[derive(Deserialize)]
struct Manifest {
    version: u32,
    operations: Vec<ManifestEntry>,
}

#[derive(Deserialize)]
struct ManifestEntry {
    id: String,
    body: String,
}

impl TrustedDocuments {
    /// Parses a list, in either form.
    ///
    /// # Errors
    /// [`ManifestError`]; the message is one line.
    pub fn parse(json: &str, front: &Front) -> Result<Self, ManifestError> {
        let listed = read(json)?;
        if listed.is_empty() {
            return Err(ManifestError::Empty);
        }
        let mut this = Self::default();
        for ManifestEntry { id, body } in listed {
            check_document(&body, front).map_err(|why| ManifestError::Document(id.clone(), why))?;
            let text: Arc<str> = body.into();
            this.texts.insert(Arc::clone(&text));
            let id = id.strip_prefix(HASH_PREFIX).map(str::to_owned).unwrap_or(id);
            match this.by_id.insert(id.clone(), Arc::clone(&text)) {
                Some(other) if other != text => return Err(ManifestError::Twice(id)),
                _ => {}
            }
        }
        for text in &this.texts {
            // `or_insert_with`: an id from the list takes precedence over a hash.
            this.by_id.entry(hex::encode(hash(text))).or_insert_with(|| Arc::clone(text));
        }
        Ok(this)
    }

    /// Adds the documents of another list. An id of both lists means this list's document.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        let Self { by_id, texts } = other;
        for (id, text) in by_id {
            self.by_id.entry(id).or_insert(text);
        }
        self.texts.extend(texts);
        self
    }

    /// The number of different documents.
    #[must_use]
    pub fn count(&self) -> usize {
        self.texts.len()
    }

    /// Finds the document that text, id and hash identify. `None` if one of them isn't in the list, or two identify
    /// different documents.
    pub(super) fn find(
        &self,
        text: Option<String>,
        id: Option<&str>,
        hash: Option<&str>,
    ) -> Option<Arc<str>> {
        let mut meant: Option<&Arc<str>> = None;
        let known = |id: &str| self.by_id.get(id.strip_prefix(HASH_PREFIX).unwrap_or(id));
        let text = text.map(|text| self.texts.get(text.as_str()));
        for known in [text, id.map(known), hash.map(known)].into_iter().flatten() {
            let known = known?;
            if meant.replace(known).is_some_and(|other| other != known) {
                return None;
            }
        }
        meant.cloned()
    }
}

/// Reads the entries of a list in either form.
fn read(json: &str) -> Result<Vec<ManifestEntry>, ManifestError> {
    let list = read_json(json.as_bytes(), &Limits::DEPTH_ONLY).map_err(ManifestError::Json)?;
    if list.get("format").and_then(Json::as_str) == Some(APOLLO) {
        let manifest: Manifest = from_json(&list).map_err(|_| ManifestError::Form)?;
        return if manifest.version == 1 { Ok(manifest.operations) } else { Err(ManifestError::Form) };
    }
    let object = match list {
        Json::Object(object) => object,
        other => return Err(ManifestError::NotAnObject(other.kind())),
    };
    let listed = object.into_iter().map(|(id, body)| match body {
        Json::String(body) => Ok(ManifestEntry { id, body }),
        _ => Err(ManifestError::Form),
    });
    listed.collect()
}

/// Rejects a text that doesn't parse or exceeds a limit. A text that doesn't fit the schema is accepted here, and
/// rejected when a client sends it: a list may hold documents of an older version's clients.
fn check_document(text: &str, front: &Front) -> Result<(), String> {
    let Err(errors) = front.check(text.into()) else { return Ok(()) };
    let unfit = errors
        .into_iter()
        .find(|error| matches!(error.kind, ErrorKind::Syntax | ErrorKind::TooComplex { .. }));
    unfit.map_or(Ok(()), |error| Err(error.message))
}
