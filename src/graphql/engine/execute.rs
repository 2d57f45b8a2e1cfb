//! Runs queries and mutations, within the memory of their callers. Subscriptions run in `render_cache`.

use std::{sync::Arc, time::Duration};

use async_graphql::ServerError;
use graphql_front::{ExecutableDocument, OperationType, Prepared};
use tokio::time::{Instant, timeout_at};

use super::{
    api::Api,
    context::Request,
    json_text,
    memory::AnswerMemory,
    operation::{CheckedOperation, OperationCost, library_request},
    response::GraphQlResponse,
    schema_description::DescriptionPlaces,
};
use crate::{
    domain::{self, Caller, Error},
    graphql::schema::error,
    share::{BudgetFull, MemoryShare, Reservation},
};

/// The longest that a query or a mutation may run; then the client gets UNAVAILABLE. A write that has begun runs to
/// its end.
const DEADLINE: Duration = Duration::from_secs(15);
/// The size up to which the library serialises an answer, in bytes. It doubles its buffer as the text grows.
const SMALL_BYTES: usize = 256 * 1024;

impl Api {
    /// Runs a query or a mutation, that of a large request on the threads for computations. Reserves the memory of its
    /// answer first.
    ///
    /// A query releases its snapshot while it computes, and grows its memory without waiting. If it couldn't continue the
    /// snapshot, or ran short of memory, everything of it is dropped, and it runs once more: with a snapshot that it
    /// keeps, and with as much memory as any query may need.
    pub async fn execute(&self, caller: Arc<Caller>, accepted: CheckedOperation) -> Answer {
        if !accepted.is_large {
            return self.execute_prepared(&caller, accepted.prepared).await;
        }
        let (api, by) = (self.clone(), Arc::clone(&caller));
        let work = async move { api.execute_prepared(&by, accepted.prepared).await };
        let answer = self.registry.compute_polls(&caller, "operation", work).await;
        answer.unwrap_or_else(|err| Answer::refusal(GraphQlResponse::of_error(&err, caller.request_id())))
    }

    async fn execute_prepared(&self, caller: &Arc<Caller>, prepared: Prepared) -> Answer {
        let share = self.budget.share(caller.share_holder());
        let answer = match prepared.kind {
            OperationType::Mutation => self.run_mutation(&share, caller, prepared).await,
            OperationType::Query | OperationType::Subscription => {
                self.run_query(&share, caller, prepared).await
            }
        };
        self.hub.wait_until_caught_up().await;
        answer.unwrap_or_else(|full| {
            Answer::refusal(GraphQlResponse::of_error(&Error::NoMemory(full), caller.request_id()))
        })
    }

    async fn run_mutation(
        &self,
        share: &MemoryShare,
        caller: &Arc<Caller>,
        prepared: Prepared,
    ) -> Result<Answer, BudgetFull> {
        let memory = AnswerMemory::for_operation(share, prepared.cost).await?;
        let request = Request::new(&self.registry, &self.hub, Arc::clone(caller), None, memory.clone());
        let mut response = self.run(request, prepared.executable).await;
        if response.data.is_some() {
            drop_payload_forbidden_errors(&mut response.errors);
        }
        Ok(Answer::new(response, memory))
    }

    async fn run_query(
        &self,
        share: &MemoryShare,
        caller: &Arc<Caller>,
        prepared: Prepared,
    ) -> Result<Answer, BudgetFull> {
        let Prepared { executable, cost, .. } = prepared;
        let memory = AnswerMemory::for_operation(share, cost).await?;
        let request = Request::new(&self.registry, &self.hub, Arc::clone(caller), None, memory.clone());
        let view = request.view();
        view.reading().allow_release();
        let response = self.run_while_wanted(request, executable.clone(), &memory).await;
        let is_short = memory.shortage().is_some();
        if !is_short && !view.reading().has_moved() {
            return Ok(Answer::new(response, memory));
        }
        drop((response, view, memory));
        let memory = match is_short {
            true => AnswerMemory::for_any_operation(share, cost).await?,
            false => AnswerMemory::for_operation(share, cost).await?,
        };
        let request = Request::new(&self.registry, &self.hub, Arc::clone(caller), None, memory.clone());
        let response = self.run_while_wanted(request, executable, &memory).await;
        match memory.shortage() {
            // No amount of waiting helps.
            Some(_) if is_short => Ok(Answer::refusal(AnswerMemory::never_fits(caller.request_id()))),
            Some(full) => Err(full),
            None => Ok(Answer::new(response, memory)),
        }
    }

    /// Serialises an answer, between two texts: a large one on the threads for computations. Keep the memory until the
    /// text is written.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when too much work of the caller is waiting.
    pub async fn write_answer(
        &self,
        caller: &Caller,
        answer: Answer,
        before: String,
        after: &'static str,
    ) -> domain::Result<(Vec<u8>, Option<Reservation>)> {
        if !answer.is_large() {
            return Ok(answer.into_text(&before, after));
        }
        self.registry.compute(caller, "serialisation", move || answer.into_text(&before, after)).await
    }

    async fn run(&self, request: Request, executable: ExecutableDocument) -> GraphQlResponse {
        let request_id = request.caller.request_id().to_owned();
        let descriptions = DescriptionPlaces::of(&executable);
        let (began, extension) = (Instant::now(), request.extension());
        let mut work = Box::pin(self.schema.execute(library_request(executable).data(request)));
        let mut until = DEADLINE;
        let done = loop {
            match timeout_at(began + until, &mut work).await {
                // A field has said since that it waits.
                Err(_) if DEADLINE + extension() > until => until = DEADLINE + extension(),
                done => break done,
            }
        };
        match done {
            Ok(mut response) => {
                descriptions.describe(&mut response.data);
                GraphQlResponse::of(response, &request_id, self.front.limits().errors)
            }
            Err(_) => GraphQlResponse::refusal(
                "the operation took longer than 15 s; a write that has begun still runs to its end",
                "UNAVAILABLE",
                &request_id,
            ),
        }
    }

    /// Runs a query until its end, or until its answer is too large or finds no memory: nobody needs a part of it.
    async fn run_while_wanted(
        &self,
        request: Request,
        executable: ExecutableDocument,
        memory: &AnswerMemory,
    ) -> GraphQlResponse {
        let request_id = request.caller.request_id().to_owned();
        let response = tokio::select! {
            biased;
            () = memory.refused() => None,
            response = self.run(request, executable) => Some(response),
        };
        match response {
            Some(response) if !memory.is_refused() => response,
            _ => AnswerMemory::too_large(&request_id),
        }
    }
}

/// The answer to a query or a mutation, with the memory that is reserved for it.
#[derive(Debug)]
pub struct Answer {
    /// The response.
    pub response: GraphQlResponse,
    memory: Option<Reservation>,
    /// The bytes of its texts, as they are written.
    text_bytes: usize,
}

impl Answer {
    fn refusal(response: GraphQlResponse) -> Self {
        Self { response, memory: None, text_bytes: 0 }
    }

    fn new(response: GraphQlResponse, memory: AnswerMemory) -> Self {
        let text_bytes = memory.written();
        Self { response, memory: memory.into_reservation(), text_bytes }
    }

    /// Adds the operation's cost, and the points that its caller has left. `None` for a caller without a limit.
    #[must_use]
    pub fn with_cost(self, cost: OperationCost, remaining: Option<u64>) -> Self {
        Self { response: self.response.with_cost(cost, remaining), ..self }
    }

    /// Whether the answer is large, so that it should be serialised with [`Api::write_answer`].
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.text_bytes > SMALL_BYTES
    }

    /// The response and its memory. Keep the memory until the response is written.
    #[must_use]
    pub fn into_parts(self) -> (GraphQlResponse, Option<Reservation>) {
        (self.response, self.memory)
    }

    /// Serialises the response, between two texts.
    fn into_text(self, before: &str, after: &str) -> (Vec<u8>, Option<Reservation>) {
        let Self { response, mut memory, text_bytes: _ } = self;
        let text = json_text::into_text(response, before, after);
        if let Some(memory) = &mut memory {
            memory.shrink_to(text.len());
        }
        (text, memory)
    }
}

/// Removes errors about missing rights to read what a mutation's payload shows: those fields are null. The write
/// has succeeded, and a client that takes `errors` for a failure would write again.
fn drop_payload_forbidden_errors(errors: &mut Vec<ServerError>) {
    errors.retain(|err| err.path.len() <= 1 || !err.extensions.as_ref().is_some_and(error::is_forbidden));
}
