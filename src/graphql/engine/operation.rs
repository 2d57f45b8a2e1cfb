//! A GraphQL request as a client sends it (`Operation`), and the same after its checks (`CheckedOperation`).

use std::sync::Arc;

use graphql_front::{Document, ExecutableDocument, Limits, OperationType, Prepared};
use json_reader::{Json, Object};

use crate::domain::limit::POINTS_PER_REQUEST;

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
    /// Whether the request is so large that converting its values takes a processor for long.
    pub(in crate::graphql) is_large: bool,
}

impl CheckedOperation {
    /// Returns whether the operation is a query, which a `GET` may run.
    #[must_use]
    pub fn is_query(&self) -> bool {
        matches!(self.prepared.kind, OperationType::Query)
    }

    /// Returns the operation's cost before it runs. A query costs its points, at least those of a request. Each field
    /// of a mutation costs a request, since it is a transaction of its own. A subscription costs a request.
    #[must_use]
    pub fn cost(&self) -> OperationCost {
        let Prepared { executable, kind, cost } = &self.prepared;
        let roots = || {
            let operations = executable.operations.iter();
            operations.map(|(_, operation)| operation.node.selection_set.node.items.len()).sum()
        };
        let (requests, cost) = match kind {
            OperationType::Query => (1, *cost),
            OperationType::Mutation => (roots(), *cost),
            OperationType::Subscription => (1, 0),
        };
        let requested = (points(requests) * POINTS_PER_REQUEST).max(points(cost));
        let limit = match kind {
            OperationType::Mutation => OperationCost::MAX,
            OperationType::Query | OperationType::Subscription => points(Limits::COST),
        };
        OperationCost { requested, limit }
    }

    /// Returns whether the operation is a subscription, which answers with a stream.
    #[must_use]
    pub fn is_subscription(&self) -> bool {
        matches!(self.prepared.kind, OperationType::Subscription)
    }
}

/// The cost of an operation, in points of the rate limit: see [`POINTS_PER_REQUEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationCost {
    /// The points that are charged before the operation runs.
    pub requested: u64,
    /// The most points that one operation of its type may cost.
    pub limit: u64,
}

impl OperationCost {
    /// The most points that any operation may cost: those of a mutation with as many fields as are allowed.
    const MAX: u64 = Limits::ROOT_FIELDS as u64 * POINTS_PER_REQUEST;

    /// The cost of a request whose operation isn't known yet.
    pub const REQUEST: Self = Self { requested: POINTS_PER_REQUEST, limit: Self::MAX };
}

/// A number of points. Saturates.
pub(in crate::graphql) fn points(count: usize) -> u64 {
    count.try_into().unwrap_or(u64::MAX)
}

/// Makes the request that the library executes.
pub(in crate::graphql) fn library_request(executable: ExecutableDocument) -> async_graphql::Request {
    let mut request = async_graphql::Request::new("");
    request.set_parsed_query(executable);
    request
}
