//! The executable schema with all that its resolvers use: accepts requests, and runs queries and mutations.
//! `render_cache` runs subscriptions.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_graphql::ServerError;
use graphql_front::{
    ErrorKind, Errors, ExecutableDocument, Figure, Front, OperationType, Prepared, SchemaError,
};
use json_reader::Json;
use tokio::time::timeout;

use super::{
    context::Request,
    document::{DocumentLookup, DocumentOwner, Documents, Refusal, TrustedDocuments},
    front::{error_entry, front},
    json_text,
    memory::AnswerMemory,
    operation::{CheckedOperation, Operation, OperationCost, library_request, points},
    render_cache::RenderCache,
    response::GraphQlResponse,
};
use crate::{
    domain::{Caller, Error, Registry},
    feed::Hub,
    graphql::{ApiSchema, schema, schema::error},
    share::{BudgetFull, MemoryBudget, MemoryShare, Reservation},
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
    pub(super) budget: MemoryBudget,
    documents: Arc<Documents>,
    pub(super) render_cache: RenderCache,
}

impl Api {
    /// Builds the schema over these operations and this hub. With a list of trusted documents, it runs no others.
    /// Operations take their memory from the budget.
    ///
    /// # Errors
    /// [`SchemaError`] if the schema is invalid, which is a bug of the service.
    pub fn new(
        registry: Registry,
        hub: Hub,
        trusted: Option<TrustedDocuments>,
        budget: MemoryBudget,
    ) -> Result<Self, SchemaError> {
        let documents = Arc::new(Documents::new(trusted));
        let render_cache = RenderCache::default();
        hub.on_invalidation({
            let (render_cache, documents) = (render_cache.clone(), Arc::clone(&documents));
            move || {
                render_cache.clear();
                documents.clear();
            }
        });
        Ok(Self { schema: schema(), registry, hub, front: front()?, budget, documents, render_cache })
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
        Ok(CheckedOperation { document, operation_name, variables, prepared })
    }

    /// Runs a query or a mutation. Reserves the memory of its answer first. A query that runs short of memory is
    /// dropped, waits for as much as any query may need, and runs again.
    pub async fn execute(&self, caller: Arc<Caller>, accepted: CheckedOperation) -> Answer {
        let CheckedOperation { prepared, .. } = accepted;
        let share = self.budget.share(caller.share_holder());
        let answer = self.execute_within(&share, &caller, prepared).await;
        self.hub.wait_until_caught_up().await;
        answer.unwrap_or_else(|full| Answer::without_memory(full, caller.request_id()))
    }

    async fn execute_within(
        &self,
        share: &MemoryShare,
        caller: &Arc<Caller>,
        prepared: Prepared,
    ) -> Result<Answer, BudgetFull> {
        let Prepared { kind, executable, cost, .. } = prepared;
        let memory = AnswerMemory::for_operation(share, cost).await?;
        let is_mutation = kind == OperationType::Mutation;
        let again = (!is_mutation).then(|| executable.clone());
        let response = self.run(Arc::clone(caller), executable, is_mutation, &memory).await;
        let (Some(executable), Some(_)) = (again, memory.shortage()) else {
            return Ok(Answer { response, memory: memory.into_reservation(None) });
        };
        drop((response, memory));
        let memory = AnswerMemory::for_any_operation(share, cost).await?;
        let response = self.run(Arc::clone(caller), executable, is_mutation, &memory).await;
        if memory.shortage().is_some() {
            return Ok(Answer { response: AnswerMemory::refusal(caller.request_id()), memory: None });
        }
        Ok(Answer { response, memory: memory.into_reservation(None) })
    }

    async fn run(
        &self,
        caller: Arc<Caller>,
        executable: ExecutableDocument,
        is_mutation: bool,
        memory: &AnswerMemory,
    ) -> GraphQlResponse {
        let request_id = caller.request_id().to_owned();
        let data = Request::new(&self.registry, &self.hub, caller, None, memory.clone());
        match timeout(DEADLINE, self.schema.execute(library_request(executable).data(data))).await {
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

/// The answer to a query or a mutation, with the memory that is reserved for it.
#[derive(Debug)]
pub struct Answer {
    /// The response.
    pub response: GraphQlResponse,
    memory: Option<Reservation>,
}

/// The size up to which the library serialises an answer, in bytes. It doubles its buffer as the text grows.
const SMALL_BYTES: usize = 256 * 1024;

impl Answer {
    fn without_memory(full: BudgetFull, request_id: &str) -> Self {
        let err = Error::NoMemory(full);
        let response = GraphQlResponse::refusal(err.to_string(), err.code().as_str(), request_id);
        Self { response, memory: None }
    }

    /// Adds the operation's cost, and the points that its caller has left. `None` for a caller without a limit.
    #[must_use]
    pub fn with_cost(self, cost: OperationCost, remaining: Option<u64>) -> Self {
        Self { response: self.response.with_cost(cost, remaining), ..self }
    }

    /// Whether the answer is large, so that it should be serialised with [`Answer::into_text`].
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.bytes() > SMALL_BYTES)
    }

    /// The response and its memory. Keep the memory until the response is written.
    #[must_use]
    pub fn into_parts(self) -> (GraphQlResponse, Option<Reservation>) {
        (self.response, self.memory)
    }

    /// Serialises the response, between two texts. Keep the memory until the text is written.
    #[must_use]
    pub fn into_text(self, before: &str, after: &str) -> (Vec<u8>, Option<Reservation>) {
        let Self { response, mut memory } = self;
        let text = json_text::into_text(response, before, after);
        if let Some(memory) = &mut memory {
            memory.shrink_to(text.len());
        }
        (text, memory)
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

/// Removes errors about missing rights to read what a mutation's payload shows: those fields are null. The write
/// has succeeded, and a client that takes `errors` for a failure would write again.
fn drop_payload_forbidden_errors(errors: &mut Vec<ServerError>) {
    errors.retain(|err| err.path.len() <= 1 || !err.extensions.as_ref().is_some_and(error::is_forbidden));
}
