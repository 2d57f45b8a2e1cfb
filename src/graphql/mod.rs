//! The schema: one file a noun. What a field may do is decided below it, in the domain.

use std::{sync::Arc, time::Duration};

use async_graphql::{MergedObject, Schema, ServerError, ValidationMode};
use bytes::Bytes;
pub use graphql_front::SchemaError;
use graphql_front::{Errors, Front, OperationType};
use json_reader::Json;
use serde::Serialize;
use tokio::time::timeout;

use crate::{
    domain::{Caller, Registry},
    feed::{Hot, Hub},
    id::AgentId,
};

mod activation;
mod agent;
mod api_key;
mod batch;
mod billing;
mod change;
mod config;
mod context;
mod customer;
mod diff;
mod document;
mod error;
mod front;
mod invitation;
mod loader;
mod member;
mod node;
mod operation;
mod page;
mod plain;
mod ready;
mod scalar;
mod service_token;
mod share;
mod subscription;
mod user;
mod version;
mod watcher;

use context::Request;
use document::{Documents, Found, Tenant};
pub use document::{ManifestError, TrustedDocuments};
pub use front::front;
pub use operation::{Accepted, NotAnOperation, Operation};
pub use ready::REQUEST_BYTES_MAX as READY_BYTES_MAX;
use ready::Ready;
use share::Share;
pub use share::Told;

/// How long a query or a mutation may run before its client is told UNAVAILABLE. A write that has begun runs to its end.
const DEADLINE: Duration = Duration::from_secs(15);
/// The longest message of an error, in characters: a parser's message repeats the text that it refuses.
const MESSAGE_CHARS_MAX: usize = 1000;

/// All queries.
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

/// All mutations.
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

type Registered = Schema<QueryRoot, MutationRoot, subscription::SubscriptionRoot>;

fn schema() -> Registered {
    Schema::build(QueryRoot::default(), MutationRoot::default(), subscription::SubscriptionRoot)
        // Suggestions tell the names of fields to whoever asks for something like them.
        .disable_suggestions()
        // What it runs was checked whole by `front`, which knows rules that the library doesn't.
        .validation_mode(ValidationMode::Fast)
        .finish()
}

/// The schema in its own language, as `schema.graphql` holds it.
#[must_use]
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new();
    schema().sdl_with_options(
        options.sorted_fields().prefer_single_line_descriptions().use_space_ident().indent_width(2),
    )
}

/// What an operation came to, as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// What was asked for. Left out when the operation was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<async_graphql::Value>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ServerError>,
}

impl Answer {
    /// Whether the operation was refused before any of it ran.
    #[must_use]
    pub fn is_request_error(&self) -> bool {
        self.data.is_none()
    }

    /// Whether the operation was given up before its end, and another try may do.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        let code = self.errors.first().and_then(|err| err.extensions.as_ref()?.get("code"));
        self.is_request_error() && code == Some(&"UNAVAILABLE".into())
    }

    /// Whether it was refused, and another try will not do.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.is_request_error() && !self.is_given_up()
    }

    /// Whether a root field failed, and left nothing.
    fn is_root_failure(&self) -> bool {
        let nothing = self.data.as_ref().is_none_or(|data| *data == async_graphql::Value::Null);
        nothing && self.errors.iter().any(|err| err.path.len() == 1)
    }

    /// The response of an operation that was run, or the refusal of one that was not.
    ///
    /// # Errors
    /// The same answer, when it is a refusal.
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

    /// The refusal of an operation that was not run.
    #[must_use]
    pub fn refusal(message: impl Into<String>, code: &str, request_id: &str) -> Self {
        let mut error = ServerError::new(message, None);
        error.extensions.get_or_insert_default().set("code", code);
        Self { data: None, errors: vec![error] }.stamped(request_id, 1)
    }

    /// The entries of `errors` alone, as a socket's `error` message carries them.
    #[must_use]
    pub fn into_errors(self) -> Vec<ServerError> {
        self.errors
    }

    fn of(response: async_graphql::Response, request_id: &str, errors_max: usize) -> Self {
        Self::raw(response).stamped(request_id, errors_max)
    }

    fn raw(response: async_graphql::Response) -> Self {
        let async_graphql::Response { data, errors, .. } = response;
        // Whatever ran names the field that failed; a request error names none.
        let has_run = errors.is_empty()
            || data != async_graphql::Value::Null
            || errors.iter().any(|err| !err.path.is_empty());
        Self { data: has_run.then_some(data), errors }
    }

    /// As it goes over the wire.
    #[must_use]
    pub fn written(&self) -> Arc<str> {
        // What we serialize has text for keys, so it can't fail.
        serde_json::to_string(self).unwrap_or_default().into()
    }

    /// Whether some of it could not be read, and another try may do.
    fn is_for_want_of_database(&self) -> bool {
        let code = |err: &ServerError| err.extensions.as_ref()?.get("code").cloned();
        self.errors.iter().any(|err| code(err) == Some("UNAVAILABLE".into()))
    }

    /// The same with at most so many errors, each bounded and naming its request.
    fn stamped(mut self, request_id: &str, errors_max: usize) -> Self {
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

/// The schema, ready to answer. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    schema: Registered,
    registry: Registry,
    hub: Hub,
    front: Front,
    documents: Arc<Documents>,
    share: Share,
    ready: Ready,
}

impl Api {
    /// The schema on these verbs and this hub; when documents are trusted, it runs no others.
    ///
    /// # Errors
    /// [`SchemaError`] when the schema is not valid, which is a fault of ours.
    pub fn new(registry: Registry, hub: Hub, trusted: Option<TrustedDocuments>) -> Result<Self, SchemaError> {
        let documents = Arc::new(Documents::new(trusted));
        let (share, ready) = (Share::default(), Ready::default());
        hub.when_erased({
            let (share, ready, documents) = (share.clone(), ready.clone(), Arc::clone(&documents));
            move || {
                share.clear();
                ready.clear();
                documents.clear();
            }
        });
        Ok(Self { schema: schema(), registry, hub, front: front()?, documents, share, ready })
    }

    /// Finds the document that an operation means, checks it whole, and coerces its variables: what is wrong with a request is
    /// found here, before any of it runs.
    ///
    /// # Errors
    /// The answer that says why not.
    pub fn accept(&self, mut operation: Operation, caller: &Caller) -> Result<Accepted, Answer> {
        let request_id = caller.request_id();
        let unknown =
            |refusal: document::Refusal| Answer::refusal(refusal.to_string(), refusal.code(), request_id);
        let refuse = |errors: Errors| {
            let errors = errors.into_iter().map(front::entry).collect();
            Answer { data: None, errors }.stamped(request_id, self.front.limits().errors)
        };
        let tenant = Tenant::of(caller);
        let carries_text = operation.query.is_some();
        let found = self.documents.find(&mut operation, &tenant).map_err(unknown)?;
        let Operation { query: _, document_id: _, operation_name, variables, extensions: _ } = operation;
        let is_known = matches!(&found, Found::Known(..));
        let (document, claim) = match found {
            Found::Known(document, claim) => (document, claim),
            Found::New(new) => {
                new.verify().map_err(unknown)?;
                (Arc::new(self.front.check(new.text).map_err(refuse)?), new.claimed)
            }
        };
        let prepared = self.front.prepare(&document, operation_name.as_deref(), variables.as_ref());
        let prepared = prepared.map_err(refuse)?;
        if !is_known || claim.is_some() {
            self.documents.keep(&document, tenant, claim);
        }
        // Subscribers who ask the same share what they are sent.
        let variables = match (prepared.kind, variables) {
            (OperationType::Subscription, Some(given)) => Json::Object(given).to_text(),
            _ => String::new(),
        };
        let variables = variables.into();
        Ok(Accepted { document, operation_name, variables, prepared, carries_text, asked: None })
    }

    /// The answer to a request with this body, if it is ready: one that shows what `at_hand` answers of an agent.
    pub fn ready(&self, asked: &[u8], at_hand: impl FnOnce(AgentId) -> Option<Arc<Hot>>) -> Option<Bytes> {
        self.ready.get(asked, at_hand)
    }

    /// Runs a query or a mutation.
    pub async fn execute(&self, caller: Arc<Caller>, accepted: Accepted) -> Answer {
        let request_id = caller.request_id().to_owned();
        let is_mutation = accepted.prepared.kind == OperationType::Mutation;
        let data = Request::new(&self.registry, &self.hub, caller, None);
        let shown = Arc::clone(&data.shown);
        let answer = timeout(DEADLINE, self.schema.execute(accepted.request().data(data))).await;
        self.hub.settle().await;
        match answer {
            Ok(mut response) => {
                if is_mutation {
                    keep_to_what_was_not_done(&mut response.errors);
                }
                let answer = Answer::of(response, &request_id, self.front.limits().errors);
                if let (Some(asked), Some(hot), []) = (&accepted.asked, shown.get(), answer.errors.as_slice())
                {
                    self.ready.keep(asked, hot, answer.written().as_bytes().to_vec().into());
                }
                answer
            }
            Err(_) => Answer::refusal(
                "the operation took longer than 15 s; a write that has begun still runs to its end",
                "UNAVAILABLE",
                &request_id,
            ),
        }
    }
}

/// Takes away the errors of a mutation that are about what its payload shows. A write that is committed succeeded, whatever its
/// writer has no right to read: that is null, and clients that take `errors` for a failure would do it again.
fn keep_to_what_was_not_done(errors: &mut Vec<ServerError>) {
    errors.retain(|err| err.path.len() <= 1 || !err.extensions.as_ref().is_some_and(error::is_forbidden));
}
