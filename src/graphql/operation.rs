//! What a client asks for, as it comes over the wire, and the same once it was accepted.

use std::sync::Arc;

use bytes::Bytes;
use graphql_front::{Document, OperationType, Prepared};
use json_reader::{Json, Object};

use super::ready;

/// What a client asks for.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// The document. It may be left out when one of `document_id` and `extensions` says which one is meant.
    pub query: Option<String>,
    /// The id of a document that the service knows (GraphQL over HTTP, appendix A).
    pub document_id: Option<String>,
    /// Which of its operations, when it has several.
    pub operation_name: Option<String>,
    /// The values of its variables.
    pub variables: Option<Object>,
    /// For protocol extensions: `persistedQuery` is known.
    pub extensions: Option<Object>,
}

/// Why JSON is not an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnOperation {
    /// It is no object.
    #[error("it must be a JSON object, not {0}")]
    NotAnObject(&'static str),
    /// A member is of another type.
    #[error("`{member}` must be {expected}, not {found}")]
    Member {
        /// Its key.
        member: &'static str,
        /// What it must be, null aside.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// It names no document.
    #[error("it needs `query`, `documentId`, or `extensions.persistedQuery`")]
    NoDocument,
}

impl TryFrom<Json> for Operation {
    type Error = NotAnOperation;

    fn try_from(json: Json) -> Result<Self, NotAnOperation> {
        let mut members = match json {
            Json::Object(members) => members,
            other => return Err(NotAnOperation::NotAnObject(other.kind())),
        };
        let mut text = |member| match members.remove(member) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(NotAnOperation::Member { member, expected: "a string", found: other.kind() }),
        };
        let (query, document_id, operation_name) =
            (text("query")?, text("documentId")?, text("operationName")?);
        let mut object = |member| match members.remove(member) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Object(object)) => Ok(Some(object)),
            Some(other) => Err(NotAnOperation::Member { member, expected: "an object", found: other.kind() }),
        };
        let (variables, extensions) = (object("variables")?, object("extensions")?);
        Self { query, document_id, operation_name, variables, extensions }.checked()
    }
}

impl Operation {
    /// The same without an empty `operationName`, if it says which document it means.
    ///
    /// # Errors
    /// [`NotAnOperation::NoDocument`].
    pub fn checked(mut self) -> Result<Self, NotAnOperation> {
        // Clients with a field for it send it empty.
        self.operation_name.take_if(|name| name.is_empty());
        let says = self.query.is_some() || self.document_id.is_some() || self.persisted().is_some();
        if says { Ok(self) } else { Err(NotAnOperation::NoDocument) }
    }

    /// How long the document is that it carries, in bytes.
    #[must_use]
    pub fn document_bytes(&self) -> usize {
        self.query.as_ref().map_or(0, String::len)
    }

    /// The extension `persistedQuery`.
    pub(super) fn persisted(&self) -> Option<&Json> {
        self.extensions.as_ref()?.get("persistedQuery").filter(|value| !value.is_null())
    }
}

/// An operation that was accepted: checked whole, its variables coerced, ready to run.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub(super) document: Arc<Document>,
    pub(super) operation_name: Option<String>,
    /// Of a subscription: the variables as the client gave them, written as JSON. With the document and the name, they say what
    /// is asked.
    pub(super) variables: Arc<str>,
    pub(super) prepared: Prepared,
    /// Whether the request carries the document. A hash means the document to its tenant only, so an answer isn't kept by it.
    pub(super) carries_text: bool,
    /// The body of the request that asks for it, if its answer may be kept by that.
    pub(super) asked: Option<Bytes>,
}

impl Accepted {
    /// The same, asked for by a request with this body and nothing beside it: the answer may be ready for the next one.
    #[must_use]
    pub fn by(self, asked: Bytes) -> Self {
        let may_be_kept = self.carries_text
            && asked.len() <= ready::REQUEST_BYTES_MAX
            && ready::is_of_one_config(&self.prepared.executable);
        Self { asked: may_be_kept.then_some(asked), ..self }
    }

    /// The same, as the library runs it.
    pub(super) fn request(&self) -> async_graphql::Request {
        let mut request = async_graphql::Request::new("");
        request.set_parsed_query(self.prepared.executable.clone());
        request
    }

    /// Whether it may be run by a request that must change nothing.
    #[must_use]
    pub fn is_query(&self) -> bool {
        matches!(self.prepared.kind, OperationType::Query)
    }

    /// Whether it answers a stream.
    #[must_use]
    pub fn is_subscription(&self) -> bool {
        matches!(self.prepared.kind, OperationType::Subscription)
    }
}
