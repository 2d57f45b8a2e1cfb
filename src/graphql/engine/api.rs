//! The executable schema with all that its resolvers use: accepts requests. `execute` runs queries and mutations,
//! `render_cache` subscriptions.

use std::{collections::BTreeMap, sync::Arc};

use graphql_front::{ErrorKind, Errors, Figure, Front, OperationType, SchemaError};
use json_reader::Json;

use super::{
    context::PublicUrl,
    document::{DocumentLookup, DocumentOwner, Documents, Refusal, TrustedDocuments},
    front::{error_entry, front},
    operation::{CheckedOperation, Operation, OperationCost, points},
    render_cache::RenderCache,
    response::GraphQlResponse,
};
use crate::{
    domain::{Caller, Registry},
    feed::Hub,
    graphql::{ApiSchema, schema},
    share::MemoryBudget,
};

/// The executable schema with all that its resolvers use. Clones share everything.
#[derive(Clone)]
pub struct Api {
    pub(super) schema: ApiSchema,
    pub(super) registry: Registry,
    pub(super) hub: Hub,
    pub(super) front: Front,
    pub(super) budget: MemoryBudget,
    documents: Arc<Documents>,
    pub(super) render_cache: RenderCache,
}

impl Api {
    /// Builds the schema over these operations and this hub. With a list of trusted documents, it runs no others.
    /// Operations take their memory from the budget. Links to pages begin with the public address, if there is one.
    ///
    /// # Errors
    /// [`SchemaError`] if the schema is invalid, which is a bug of the service.
    pub fn new(
        registry: Registry,
        hub: Hub,
        trusted: Option<TrustedDocuments>,
        budget: MemoryBudget,
        public_url: Option<Arc<str>>,
    ) -> Result<Self, SchemaError> {
        let schema = schema(PublicUrl(public_url));
        let documents = Arc::new(Documents::new(trusted));
        let render_cache = RenderCache::default();
        hub.on_invalidation({
            let (render_cache, documents) = (render_cache.clone(), Arc::clone(&documents));
            move || {
                render_cache.clear();
                documents.clear();
            }
        });
        Ok(Self { schema, registry, hub, front: front()?, budget, documents, render_cache })
    }

    /// Accepts a request, a large one on the threads for computations; its operation also runs there.
    ///
    /// # Errors
    /// The response that rejects the request.
    pub async fn accept_in_turn(
        &self,
        operation: Operation,
        caller: &Arc<Caller>,
        is_large: bool,
    ) -> Result<CheckedOperation, GraphQlResponse> {
        if !is_large {
            return self.accept(operation, caller);
        }
        let (api, by) = (self.clone(), Arc::clone(caller));
        let accept = move || Ok(CheckedOperation { is_large, ..api.accept(operation, &by)? });
        let accepted = self.registry.compute(caller, "document", accept).await;
        accepted.unwrap_or_else(|err| Err(GraphQlResponse::of_error(&err, caller.request_id())))
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
            let cost = errors.iter().find_map(too_dear);
            let errors = errors.into_iter().map(error_entry).collect();
            let answer = GraphQlResponse { data: None, errors, extensions: BTreeMap::new() }
                .with_request_id(request_id, self.front.limits().errors);
            match cost {
                Some((cost, path)) => answer.with_cost(cost, None).with_costliest_path(path),
                None => answer,
            }
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
        Ok(CheckedOperation { document, operation_name, variables, prepared, is_large: false })
    }
}

/// The cost of an operation that is rejected for it, and the path of the field that makes it dear.
fn too_dear(error: &graphql_front::Error) -> Option<(OperationCost, Option<String>)> {
    match error.kind {
        ErrorKind::TooComplex { figure: Figure::Cost, found, limit } => {
            let cost = OperationCost { requested: points(found), limit: points(limit) };
            Some((cost, error.costliest_path.clone()))
        }
        _ => None,
    }
}
