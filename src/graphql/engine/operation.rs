//! A GraphQL request as a client sends it (`Operation`), and the same after its checks (`CheckedOperation`).

use std::sync::Arc;

use graphql_front::{Document, ExecutableDocument, OperationType, Prepared};
use json_reader::{Json, Object};

/// A GraphQL request.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// The document's text. It may be left out if `document_id` or `extensions` identifies the document.
    pub query: Option<String>,
    /// The id of a document that the service has: `sha256:` and its hash, or an id from the list of trusted
    /// documents (GraphQL over HTTP, appendix A).
    pub document_id: Option<String>,
    /// The name of the operation to run, if the document has several.
    pub operation_name: Option<String>,
    /// The variables' values, as the client sent them.
    pub variables: Option<Object>,
    /// Protocol extensions. Only `persistedQuery` is read.
    pub extensions: Option<Object>,
}

/// Why a JSON value isn't a GraphQL request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnOperation {
    /// The value isn't an object.
    #[error("it must be a JSON object, not {0}")]
    NotAnObject(&'static str),
    /// A member has the wrong type.
    #[error("`{member}` must be {expected}, not {found}")]
    Member {
        /// The member's key.
        member: &'static str,
        /// The accepted type; null is accepted too.
        expected: &'static str,
        /// The type that was found.
        found: &'static str,
    },
    /// No member identifies a document.
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
    /// Checks that something identifies the document, and drops an empty `operationName`.
    ///
    /// # Errors
    /// [`NotAnOperation::NoDocument`].
    pub fn checked(mut self) -> Result<Self, NotAnOperation> {
        // Clients that have an input for the name send it empty.
        self.operation_name.take_if(|name| name.is_empty());
        let says = self.query.is_some() || self.document_id.is_some() || self.persisted().is_some();
        if says { Ok(self) } else { Err(NotAnOperation::NoDocument) }
    }

    /// The length of the document's text in bytes; 0 without a text.
    #[must_use]
    pub fn document_bytes(&self) -> usize {
        self.query.as_ref().map_or(0, String::len)
    }

    /// The extension `persistedQuery`; `None` if it's absent or null.
    pub(in crate::graphql) fn persisted(&self) -> Option<&Json> {
        self.extensions.as_ref()?.get("persistedQuery").filter(|value| !value.is_null())
    }
}

/// A request that passed all checks: its document is valid, its variables are coerced, and it can be run.
#[derive(Clone, Debug)]
pub struct CheckedOperation {
    pub(in crate::graphql) document: Arc<Document>,
    pub(in crate::graphql) operation_name: Option<String>,
    /// For a subscription: the variables as the client sent them, written as JSON. Together with the document and
    /// the operation's name, they identify the question. Empty for other operations.
    pub(in crate::graphql) variables: Arc<str>,
    pub(in crate::graphql) prepared: Prepared,
}

impl CheckedOperation {
    /// Returns whether the operation is a query, which a `GET` may run.
    #[must_use]
    pub fn is_query(&self) -> bool {
        matches!(self.prepared.kind, OperationType::Query)
    }

    /// Returns whether the operation is a subscription, which answers with a stream.
    #[must_use]
    pub fn is_subscription(&self) -> bool {
        matches!(self.prepared.kind, OperationType::Subscription)
    }
}

/// Makes the request that the library executes.
pub(in crate::graphql) fn library_request(executable: ExecutableDocument) -> async_graphql::Request {
    let mut request = async_graphql::Request::new("");
    request.set_parsed_query(executable);
    request
}
