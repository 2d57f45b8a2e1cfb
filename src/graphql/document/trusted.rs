//! The list of trusted documents: when there is one, no other document is run.
//!
//! It is a JSON object from ids to documents, as Relay's compiler writes it, or a manifest of Apollo's
//! (`generate-persisted-query-manifest`).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use json_reader::{Json, Limits, ReadError, from_json, read as read_json};
use serde::Deserialize;

use graphql_front::{ErrorKind, Front};

use super::{HASH_PREFIX, hash};

/// How a manifest of Apollo's names its form.
const APOLLO: &str = "apollo-persisted-query-manifest";

/// Why a list can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It is not JSON.
    #[error("not a JSON object: {0}")]
    Json(ReadError),
    /// It is JSON, but no object.
    #[error("not a JSON object, but {0}")]
    NotAnObject(&'static str),
    /// It is no list that is known here.
    #[error("neither an object that maps ids to documents, nor version 1 of Apollo's manifest")]
    Form,
    /// Nothing is in it, and so nothing would be run.
    #[error("the list holds no documents")]
    Empty,
    /// Two documents have one id.
    #[error("two different documents have the id {0:?}")]
    Twice(String),
    /// A document that could never be run.
    #[error("the document {0:?} can't be run: {1}")]
    Document(String, String),
}

/// The documents that may be run.
#[derive(Clone, Debug, Default)]
pub struct TrustedDocuments {
    /// By its id, and by its hash in hexadecimal digits.
    by_id: HashMap<String, Arc<str>>,
    texts: HashSet<Arc<str>>,
}

#[derive(Deserialize)]
struct Manifest {
    version: u32,
    operations: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    body: String,
}

impl TrustedDocuments {
    /// Reads a list.
    ///
    /// # Errors
    /// [`ManifestError`]; the message is one line.
    pub fn parse(json: &str, front: &Front) -> Result<Self, ManifestError> {
        let listed = read(json)?;
        if listed.is_empty() {
            return Err(ManifestError::Empty);
        }
        let mut this = Self::default();
        for Listed { id, body } in listed {
            runnable(&body, front).map_err(|why| ManifestError::Document(id.clone(), why))?;
            let text: Arc<str> = body.into();
            this.texts.insert(Arc::clone(&text));
            let id = id.strip_prefix(HASH_PREFIX).map(str::to_owned).unwrap_or(id);
            match this.by_id.insert(id.clone(), Arc::clone(&text)) {
                Some(other) if other != text => return Err(ManifestError::Twice(id)),
                _ => {}
            }
        }
        for text in &this.texts {
            // An id that the list gives means what the list says.
            this.by_id.entry(hex::encode(hash(text))).or_insert_with(|| Arc::clone(text));
        }
        Ok(this)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.texts.len()
    }

    /// The one that is meant; none when it is not in the list, or when what the client says contradicts itself.
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

/// What the list holds, in whichever of its forms.
fn read(json: &str) -> Result<Vec<Listed>, ManifestError> {
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
        Json::String(body) => Ok(Listed { id, body }),
        _ => Err(ManifestError::Form),
    });
    listed.collect()
}

/// Refuses a text that is no document, or is past a limit. One that doesn't fit the schema is refused when a client asks for it:
/// a list may hold the documents of clients of an older version.
fn runnable(text: &str, front: &Front) -> Result<(), String> {
    let Err(errors) = front.check(text.into()) else { return Ok(()) };
    let unfit = errors
        .into_iter()
        .find(|error| matches!(error.kind, ErrorKind::Syntax | ErrorKind::TooComplex { .. }));
    unfit.map_or(Ok(()), |error| Err(error.message))
}
