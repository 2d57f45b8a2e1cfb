//! The executable schema with all that its resolvers use: accepts requests, and runs queries and mutations.
//! `render_cache` runs subscriptions.

use std::{sync::Arc, time::Duration};

use async_graphql::ServerError;
use graphql_front::{Errors, Front, OperationType, SchemaError};
use json_reader::Json;
use tokio::time::timeout;

use super::{
    context::Request,
    document::{DocumentLookup, DocumentOwner, Documents, Refusal, TrustedDocuments},
    front::{error_entry, front},
    operation::{CheckedOperation, Operation, library_request},
    render_cache::RenderCache,
    response::GraphQlResponse,
};
use crate::{
    domain::{Caller, Registry},
    feed::Hub,
    graphql::{ApiSchema, schema, schema::error},
};

/// The longest that a query or a mutation may run; then the client gets UNAVAILABLE. A write that has begun runs to
/// its end.
const DEADLINE: Duration = Duration::from_secs(15);

/// The executable schema with all that its resolvers use. Clones share everything.
#[derive(Clone)]
pub struct Api {
    pub(super) schema: ApiSchema,
    pub(super) registry: Registry,
    pub(super) hub: Hub,
    pub(super) front: Front,
    documents: Arc<Documents>,
    pub(super) render_cache: RenderCache,
}

impl Api {
    /// Builds the schema over these operations and this hub. With a list of trusted documents, it runs no others.
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
    pub fn accept(
        &self,
        mut operation: Operation,
        caller: &Caller,
    ) -> Result<CheckedOperation, GraphQlResponse> {
        let request_id = caller.request_id();
        let unknown =
            |refusal: Refusal| GraphQlResponse::refusal(refusal.to_string(), refusal.code(), request_id);
        let refuse = |errors: Errors| {
            let errors = errors.into_iter().map(error_entry).collect();
            GraphQlResponse { data: None, errors }.with_request_id(request_id, self.front.limits().errors)
        };
        let owner = DocumentOwner::of(caller);
        let found = self.documents.find(&mut operation, &owner).map_err(unknown)?;
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
            self.documents.keep(&document, owner, claim);
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
    pub async fn execute(&self, caller: Arc<Caller>, accepted: CheckedOperation) -> GraphQlResponse {
        let request_id = caller.request_id().to_owned();
        let CheckedOperation { prepared, .. } = accepted;
        let is_mutation = prepared.kind == OperationType::Mutation;
        let data = Request::new(&self.registry, &self.hub, caller, None);
        let answer =
            timeout(DEADLINE, self.schema.execute(library_request(prepared.executable).data(data))).await;
        self.hub.wait_until_caught_up().await;
        match answer {
            Ok(mut response) => {
                if is_mutation {
                    drop_payload_forbidden_errors(&mut response.errors);
                }
                GraphQlResponse::of(response, &request_id, self.front.limits().errors)
            }
            Err(_) => GraphQlResponse::refusal(
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
