//! The response to a GraphQL request as it goes over the wire: `data`, `errors`, or both.

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::{Name, ServerError, Value, indexmap::IndexMap};
use serde::Serialize;

use super::operation::OperationCost;
use crate::domain::Error;

/// The longest that an error's message may be, in characters: a parser's message repeats the text that it rejects.
const MESSAGE_CHARS_MAX: usize = 1000;

/// The response to a GraphQL request, as it's sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GraphQlResponse {
    /// The result. Left out if the operation wasn't run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::graphql) data: Option<Value>,
    /// The errors, at most as many as the limits allow. Left out if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::graphql) errors: Vec<ServerError>,
    /// Facts about the operation: its cost. Left out if there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::graphql) extensions: BTreeMap<String, Value>,
}

/// The entry of `extensions` with the operation's cost.
const COST: &str = "cost";

impl GraphQlResponse {
    /// Returns whether the operation was rejected before any of it ran.
    #[must_use]
    pub fn is_request_error(&self) -> bool {
        self.data.is_none()
    }

    /// Returns whether the operation was aborted with UNAVAILABLE, so that a retry may succeed.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        self.is_request_error() && self.has_code("UNAVAILABLE")
    }

    /// Returns whether the operation found no memory in its caller's share, so that a retry may succeed.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.is_request_error() && self.has_code("RATE_LIMITED")
    }

    fn has_code(&self, code: &str) -> bool {
        let first = self.errors.first().and_then(|err| err.extensions.as_ref()?.get("code"));
        first == Some(&code.into())
    }

    /// Returns whether the operation was rejected, and a retry would be too.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.is_request_error() && !self.is_aborted() && !self.is_rate_limited()
    }

    /// Returns whether a root field failed, and the response has no data.
    pub(in crate::graphql) fn is_root_failure(&self) -> bool {
        let nothing = self.data.as_ref().is_none_or(|data| *data == Value::Null);
        nothing && self.errors.iter().any(|err| err.path.len() == 1)
    }

    /// Converts the response of an operation that was run.
    ///
    /// # Errors
    /// The response itself, if the operation was rejected.
    pub fn into_executed(self) -> Result<async_graphql::Response, Self> {
        match self {
            Self { data: Some(data), errors, extensions } => {
                let mut response = async_graphql::Response::new(data);
                (response.errors, response.extensions) = (errors, extensions);
                Ok(response)
            }
            refusal => Err(refusal),
        }
    }

    /// Makes the response that rejects an operation before it runs.
    #[must_use]
    pub fn refusal(message: impl Into<String>, code: &str, request_id: &str) -> Self {
        let mut error = ServerError::new(message, None);
        error.extensions.get_or_insert_default().set("code", code);
        Self { data: None, errors: vec![error], extensions: BTreeMap::new() }.with_request_id(request_id, 1)
    }

    /// Makes the response that rejects an operation with this error.
    #[must_use]
    pub fn of_error(err: &Error, request_id: &str) -> Self {
        Self::refusal(err.to_string(), err.code().as_str(), request_id)
    }

    /// Adds the operation's cost, and the points that its caller has left. `None` for a caller without a limit.
    #[must_use]
    pub fn with_cost(mut self, cost: OperationCost, remaining: Option<u64>) -> Self {
        let OperationCost { requested, limit } = cost;
        self.add_cost([("requested", requested.into()), ("limit", limit.into())]);
        self.with_points_left(remaining)
    }

    /// Adds the points that the caller has left, if the response has the operation's cost.
    #[must_use]
    pub fn with_points_left(mut self, remaining: Option<u64>) -> Self {
        if self.extensions.contains_key(COST) {
            self.add_cost([("remaining", remaining.map_or(Value::Null, Value::from))]);
        }
        self
    }

    /// Adds the path of the field that makes the operation dear.
    pub(in crate::graphql) fn with_costliest_path(mut self, path: Option<String>) -> Self {
        self.add_cost(path.map(|path| ("costliestPath", path.into())));
        self
    }

    fn add_cost(&mut self, entries: impl IntoIterator<Item = (&'static str, Value)>) {
        let cost = self.extensions.entry(COST.to_owned()).or_insert_with(|| Value::Object(IndexMap::new()));
        if let Value::Object(cost) = cost {
            cost.extend(entries.into_iter().map(|(name, value)| (Name::new(name), value)));
        }
    }

    /// Returns only the entries of `errors`, which a socket's `error` message carries. The operation's cost moves to
    /// the first of them.
    #[must_use]
    pub fn into_errors(mut self) -> Vec<ServerError> {
        if let (Some(error), Some(cost)) = (self.errors.first_mut(), self.extensions.remove(COST)) {
            error.extensions.get_or_insert_default().set(COST, cost);
        }
        self.errors
    }

    /// Converts the library's response, with at most `errors_max` errors that carry this request's id.
    pub(in crate::graphql) fn of(
        response: async_graphql::Response,
        request_id: &str,
        errors_max: usize,
    ) -> Self {
        Self::raw(response).with_request_id(request_id, errors_max)
    }

    /// Converts the library's response as it is: its errors have no request's id yet.
    pub(in crate::graphql) fn raw(response: async_graphql::Response) -> Self {
        let async_graphql::Response { data, errors, .. } = response;
        // An error of an operation that ran has the path of the field that failed; a request error has none.
        let has_run =
            errors.is_empty() || data != Value::Null || errors.iter().any(|err| !err.path.is_empty());
        Self { data: has_run.then_some(data), errors, extensions: BTreeMap::new() }
    }

    /// Serialises the response as JSON.
    #[must_use]
    pub fn to_json(&self) -> Arc<str> {
        // All map keys are strings, so serialisation can't fail.
        serde_json::to_string(self).unwrap_or_default().into()
    }

    /// Returns whether a field failed with UNAVAILABLE, so that a retry may succeed.
    pub(in crate::graphql) fn is_unavailable(&self) -> bool {
        let code = |err: &ServerError| err.extensions.as_ref()?.get("code").cloned();
        self.errors.iter().any(|err| code(err) == Some("UNAVAILABLE".into()))
    }

    /// Keeps at most `errors_max` errors, shortens their messages, and adds codes and the request's id.
    pub(in crate::graphql) fn with_request_id(mut self, request_id: &str, errors_max: usize) -> Self {
        self.errors.truncate(errors_max);
        for error in &mut self.errors {
            if let Some((end, _)) = error.message.char_indices().nth(MESSAGE_CHARS_MAX) {
                error.message.truncate(end);
            }
            let extensions = error.extensions.get_or_insert_default();
            if extensions.get("code").is_none() {
                extensions.set("code", "BAD_USER_INPUT");
            }
            extensions.set("requestId", request_id);
        }
        self
    }
}
