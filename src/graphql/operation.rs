//! What a client asks for, as it comes over the wire, and the same once it was accepted.

use std::sync::Arc;

use async_graphql::{Variables, parser::types::OperationType};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{document::Document, ready};

/// What a client asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Wire")]
pub struct Operation {
    /// The document. It may be left out when one of `document_id` and `extensions` says which one is meant.
    pub query: Option<String>,
    /// The id of a document that the service knows (GraphQL over HTTP, appendix A).
    pub document_id: Option<String>,
    /// Which of its operations, when it has several.
    pub operation_name: Option<String>,
    /// The values of its variables.
    pub variables: Option<Map<String, Value>>,
    /// For protocol extensions: `persistedQuery` is known.
    pub extensions: Option<Map<String, Value>>,
}

/// An operation that does not say which document it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it needs `query`, `documentId`, or `extensions.persistedQuery`")]
pub struct NoDocument;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    extensions: Option<Map<String, Value>>,
}

impl TryFrom<Wire> for Operation {
    type Error = NoDocument;

    fn try_from(wire: Wire) -> Result<Self, NoDocument> {
        let Wire { query, document_id, operation_name, variables, extensions } = wire;
        Self { query, document_id, operation_name, variables, extensions }.checked()
    }
}

impl Operation {
    /// The same without an empty `operationName`, if it says which document it means.
    ///
    /// # Errors
    /// [`NoDocument`].
    pub fn checked(mut self) -> Result<Self, NoDocument> {
        // Clients with a field for it send it empty.
        self.operation_name.take_if(|name| name.is_empty());
        let says = self.query.is_some() || self.document_id.is_some() || self.persisted().is_some();
        if says { Ok(self) } else { Err(NoDocument) }
    }

    /// How long the document is that it carries, in bytes.
    #[must_use]
    pub fn document_bytes(&self) -> usize {
        self.query.as_ref().map_or(0, String::len)
    }

    /// The extension `persistedQuery`.
    pub(super) fn persisted(&self) -> Option<&Value> {
        self.extensions.as_ref()?.get("persistedQuery").filter(|value| !value.is_null())
    }
}

/// An operation that was accepted: parsed, measured, ready to run.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub(super) document: Arc<Document>,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Variables,
    pub(super) kind: OperationType,
    /// The body of the request that asks for it, if its answer may be kept by that.
    pub(super) asked: Option<Bytes>,
}

impl Accepted {
    /// The same, asked for by a request with this body and nothing beside it: the answer may be ready for the next one.
    #[must_use]
    pub fn by(self, asked: Bytes) -> Self {
        let may_be_kept =
            asked.len() <= ready::REQUEST_BYTES_MAX && ready::is_of_one_config(&self.document.parsed);
        Self { asked: may_be_kept.then_some(asked), ..self }
    }

    /// The same, as the library runs it.
    pub(super) fn request(&self) -> async_graphql::Request {
        let mut request = async_graphql::Request::new("").variables(self.variables.clone());
        request.operation_name.clone_from(&self.operation_name);
        request.set_parsed_query(self.document.parsed.clone());
        request
    }

    /// Whether it may be run by a request that must change nothing.
    #[must_use]
    pub fn is_query(&self) -> bool {
        matches!(self.kind, OperationType::Query)
    }

    /// Whether it answers a stream.
    #[must_use]
    pub fn is_subscription(&self) -> bool {
        matches!(self.kind, OperationType::Subscription)
    }
}
