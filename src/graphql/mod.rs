//! The GraphQL schema, one file for each noun, and its execution. Rights and rules are decided in the domain, never
//! here.

use std::{sync::Arc, time::Duration};

use async_graphql::{MergedObject, Schema, ServerError, ValidationMode};
pub use graphql_front::SchemaError;
use graphql_front::{Errors, Front, OperationType};
use json_reader::Json;
use serde::Serialize;
use tokio::time::timeout;

use crate::{
    domain::{Caller, Registry},
    feed::Hub,
};

mod engine;
mod schema;

use engine::{
    context::Request,
    document::{self, DocumentLookup, Documents, Tenant},
    front,
    render_cache::RenderCache,
};
use schema::{
    activation, agent, api_key, billing, change, config, customer, error, invitation, member, node,
    service_token, subscription, user, version, watcher,
};

pub use engine::{
    document::{ManifestError, TrustedDocuments},
    front::front,
    operation::{CheckedOperation, NotAnOperation, Operation},
    render_cache::SubscriptionMessage,
};

/// The longest that a query or a mutation may run; then the client gets UNAVAILABLE. A write that has begun runs to
/// its end.
const DEADLINE: Duration = Duration::from_secs(15);
/// The longest message of an error, in characters: a parser's message repeats the text that it rejects.
const MESSAGE_CHARS_MAX: usize = 1000;

/// Queries read, and change nothing. The fields of one query read one snapshot of the database, apart from
/// `activeConfig` and `watchers`. A query may run for 15 seconds.
#[derive(Default, MergedObject)]
#[graphql(name = "Query")]
pub struct QueryRoot(
    user::UserQuery,
    node::NodeQuery,
    customer::CustomerQuery,
    agent::AgentQuery,
    config::ConfigQuery,
    change::ChangeQuery,
    watcher::WatcherQuery,
);

/// Mutations write. Each field is a transaction of its own, and they run in order. Failures that you can correct
/// are in the payload's `userErrors`, and nothing is written then; missing rights and outages are in `errors`.
#[derive(Default, MergedObject)]
#[graphql(name = "Mutation")]
pub struct MutationRoot(
    customer::CustomerMutation,
    billing::BillingMutation,
    member::MemberMutation,
    invitation::InvitationMutation,
    api_key::ApiKeyMutation,
    agent::AgentMutation,
    version::VersionMutation,
    activation::ActivationMutation,
    service_token::ServiceTokenMutation,
);

type ApiSchema = Schema<QueryRoot, MutationRoot, subscription::SubscriptionRoot>;

fn schema() -> ApiSchema {
    Schema::build(QueryRoot::default(), MutationRoot::default(), subscription::SubscriptionRoot)
        // A suggestion would name fields that the client didn't name.
        .disable_suggestions()
        // `front` has checked the document completely, with rules that the library doesn't have.
        .validation_mode(ValidationMode::Fast)
        .finish()
}

/// The schema in the schema definition language, as `schema.graphql` holds it.
#[must_use]
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new();
    schema().sdl_with_options(
        options.sorted_fields().prefer_single_line_descriptions().use_space_ident().indent_width(2),
    )
}

/// The response to a GraphQL request, as it's sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The result. Left out if the operation wasn't run.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<async_graphql::Value>,
    /// The errors, at most as many as the limits allow. Left out if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ServerError>,
}

impl Answer {
    /// Returns whether the operation was rejected before any of it ran.
    #[must_use]
    pub fn is_request_error(&self) -> bool {
        self.data.is_none()
    }

    /// Returns whether the operation was aborted with UNAVAILABLE, so that a retry may succeed.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        let code = self.errors.first().and_then(|err| err.extensions.as_ref()?.get("code"));
        self.is_request_error() && code == Some(&"UNAVAILABLE".into())
    }

    /// Returns whether the operation was rejected, and a retry would be too.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.is_request_error() && !self.is_aborted()
    }

    /// Returns whether a root field failed, and the response has no data.
    fn is_root_failure(&self) -> bool {
        let nothing = self.data.as_ref().is_none_or(|data| *data == async_graphql::Value::Null);
        nothing && self.errors.iter().any(|err| err.path.len() == 1)
    }

    /// Converts the response of an operation that was run.
    ///
    /// # Errors
    /// The response itself, if the operation was rejected.
    pub fn into_executed(self) -> Result<async_graphql::Response, Self> {
        match self {
            Self { data: Some(data), errors } => {
                let mut response = async_graphql::Response::new(data);
                response.errors = errors;
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
        Self { data: None, errors: vec![error] }.with_request_id(request_id, 1)
    }

    /// Returns only the entries of `errors`, which a socket's `error` message carries.
    #[must_use]
    pub fn into_errors(self) -> Vec<ServerError> {
        self.errors
    }

    fn of(response: async_graphql::Response, request_id: &str, errors_max: usize) -> Self {
        Self::raw(response).with_request_id(request_id, errors_max)
    }

    fn raw(response: async_graphql::Response) -> Self {
        let async_graphql::Response { data, errors, .. } = response;
        // An error of an operation that ran has the path of the field that failed; a request error has none.
        let has_run = errors.is_empty()
            || data != async_graphql::Value::Null
            || errors.iter().any(|err| !err.path.is_empty());
        Self { data: has_run.then_some(data), errors }
    }

    /// Serializes the response as JSON.
    #[must_use]
    pub fn to_json(&self) -> Arc<str> {
        // All map keys are strings, so serialization can't fail.
        serde_json::to_string(self).unwrap_or_default().into()
    }

    /// Returns whether a field failed with UNAVAILABLE, so that a retry may succeed.
    fn is_unavailable(&self) -> bool {
        let code = |err: &ServerError| err.extensions.as_ref()?.get("code").cloned();
        self.errors.iter().any(|err| code(err) == Some("UNAVAILABLE".into()))
    }

    /// Keeps at most `errors_max` errors, shortens their messages, and adds codes and the request's id.
    fn with_request_id(mut self, request_id: &str, errors_max: usize) -> Self {
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

/// The executable schema with all that its resolvers use. Clones share everything.
#[derive(Clone)]
pub struct Api {
    schema: ApiSchema,
    registry: Registry,
    hub: Hub,
    front: Front,
    documents: Arc<Documents>,
    render_cache: RenderCache,
}

impl Api {
    /// Builds the schema over these verbs and this hub. With a list of trusted documents, it runs no others.
    ///
    /// # Errors
    /// [`SchemaError`] if the schema is invalid, which is a bug of the service.
    pub fn new(registry: Registry, hub: Hub, trusted: Option<TrustedDocuments>) -> Result<Self, SchemaError> {
        let documents = Arc::new(Documents::new(trusted));
        let render_cache = RenderCache::default();
        hub.on_invalidation({
            let (render_cache, documents) = (render_cache.clone(), Arc::clone(&documents));
            move || {
                render_cache.clear();
                documents.clear();
            }
        });
        Ok(Self { schema: schema(), registry, hub, front: front()?, documents, render_cache })
    }

    /// Finds the request's document, validates it, and coerces its variables. All errors of a request are found
    /// here, before any of it runs.
    ///
    /// # Errors
    /// The response that rejects the request.
    pub fn accept(&self, mut operation: Operation, caller: &Caller) -> Result<CheckedOperation, Answer> {
        let request_id = caller.request_id();
        let unknown =
            |refusal: document::Refusal| Answer::refusal(refusal.to_string(), refusal.code(), request_id);
        let refuse = |errors: Errors| {
            let errors = errors.into_iter().map(front::error_entry).collect();
            Answer { data: None, errors }.with_request_id(request_id, self.front.limits().errors)
        };
        let tenant = Tenant::of(caller);
        let found = self.documents.find(&mut operation, &tenant).map_err(unknown)?;
        let Operation { query: _, document_id: _, operation_name, variables, extensions: _ } = operation;
        let is_known = matches!(&found, DocumentLookup::Known(..));
        let (document, claim) = match found {
            DocumentLookup::Known(document, claim) => (document, claim),
            DocumentLookup::Unchecked(new) => {
                new.verify().map_err(unknown)?;
                (Arc::new(self.front.check(new.text).map_err(refuse)?), new.claimed)
            }
        };
        let prepared = self.front.prepare(&document, operation_name.as_deref(), variables.as_ref());
        let prepared = prepared.map_err(refuse)?;
        if !is_known || claim.is_some() {
            self.documents.keep(&document, tenant, claim);
        }
        // Part of the render cache's key: subscribers with equal questions share rendered events.
        let variables = match (prepared.kind, variables) {
            (OperationType::Subscription, Some(given)) => Json::Object(given).to_text(),
            _ => String::new(),
        };
        let variables = variables.into();
        Ok(CheckedOperation { document, operation_name, variables, prepared })
    }

    /// Runs a query or a mutation.
    pub async fn execute(&self, caller: Arc<Caller>, accepted: CheckedOperation) -> Answer {
        let request_id = caller.request_id().to_owned();
        let is_mutation = accepted.prepared.kind == OperationType::Mutation;
        let data = Request::new(&self.registry, &self.hub, caller, None);
        let answer = timeout(DEADLINE, self.schema.execute(accepted.request().data(data))).await;
        self.hub.wait_until_caught_up().await;
        match answer {
            Ok(mut response) => {
                if is_mutation {
                    drop_payload_forbidden_errors(&mut response.errors);
                }
                Answer::of(response, &request_id, self.front.limits().errors)
            }
            Err(_) => Answer::refusal(
                "the operation took longer than 15 s; a write that has begun still runs to its end",
                "UNAVAILABLE",
                &request_id,
            ),
        }
    }
}

/// Removes errors about missing rights to read what a mutation's payload shows: those fields are null. The write
/// has succeeded, and a client that takes `errors` for a failure would write again.
fn drop_payload_forbidden_errors(errors: &mut Vec<ServerError>) {
    errors.retain(|err| err.path.len() <= 1 || !err.extensions.as_ref().is_some_and(error::is_forbidden));
}
