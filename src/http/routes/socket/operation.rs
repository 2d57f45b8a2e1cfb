//! One operation of a socket, from `subscribe` to its last message. Authentication, rate limits, document checks and
//! execution are those of GraphQL over HTTP.

use std::{
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, Mutex},
};

use futures_util::{FutureExt, StreamExt, future::AbortHandle};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use uuid::Uuid;

use super::{
    MESSAGE_BYTES_MAX,
    message::{around_result, text},
    session_rights::SessionRights,
    transport::{OutboundMessage, Outbox},
};
use crate::{
    domain::{CallOrigin, Caller, ClientConnection, Error, Registry, change::Channel},
    feed::Hub,
    graphql::{Api, CheckedOperation, GraphQlResponse, Operation, OperationCost, SubscriptionMessage},
    http::{
        Limiter,
        caller::{self, ClientAddress},
        meter::Meter,
        server::body::{BODY_MEMORY, LARGE_BYTES},
    },
    share::Reservation,
    task::lock,
};

/// Counts in the gauge of running operations until it is dropped.
struct RunningGauge;

impl RunningGauge {
    fn new() -> Self {
        metrics::counter!("registry_socket_operations_total").increment(1);
        metrics::gauge!("registry_socket_operations").increment(1);
        Self
    }
}

impl Drop for RunningGauge {
    fn drop(&mut self) {
        metrics::gauge!("registry_socket_operations").decrement(1);
    }
}

/// An operation of a client, and what it needs to run.
pub(super) struct Run {
    pub(super) api: Api,
    pub(super) registry: Registry,
    pub(super) limiter: Limiter,
    pub(super) hub: Hub,
    /// The credential of the socket.
    pub(super) bearer: Arc<str>,
    pub(super) client: ClientAddress,
    /// What the client said about itself.
    pub(super) connection: Option<Arc<ClientConnection>>,
    /// The rights that the socket rechecks.
    pub(super) rights: SessionRights,
    pub(super) id: String,
    pub(super) outbox: Outbox,
    pub(super) of: AbortHandle,
    /// The memory of the client's message, whose variables a subscription keeps.
    pub(super) memory: Mutex<Option<Reservation>>,
}

/// An operation that passed all checks, and its caller.
struct Accepted {
    operation: CheckedOperation,
    caller: Arc<Caller>,
    meter: Meter,
    /// The length of the document's text, in bytes.
    bytes: usize,
}

/// The socket's credential is no longer accepted.
pub(super) struct CredentialRejected;

impl Run {
    /// Runs the operation to its end. Dropping the future ends a subscription; a write that has begun runs to
    /// completion.
    pub(super) async fn run(self: Box<Self>, operation: Box<Operation>) -> Result<(), CredentialRejected> {
        let _running = RunningGauge::new();
        let request_id = self.registry.clock().id::<Uuid>().to_string();
        // A panic ends this operation only, as it ends a single request over HTTP.
        let work = AssertUnwindSafe(self.answer(operation, &request_id));
        if let Ok(answered) = work.catch_unwind().await {
            return answered;
        }
        tracing::error!(request_id, "an operation panicked");
        let refusal = GraphQlResponse::refusal("something went wrong on our side", "INTERNAL", &request_id);
        self.error(refusal).await;
        Ok(())
    }

    async fn answer(&self, operation: Box<Operation>, request_id: &str) -> Result<(), CredentialRejected> {
        // Short-lived futures are boxed, so that a long-lived subscription doesn't keep memory for them.
        let Some(accepted) = Box::pin(self.accept(operation, request_id)).await? else { return Ok(()) };
        let is_complete = match accepted.operation.is_subscription() {
            true => self.send_events(accepted, request_id).await,
            false => Box::pin(self.execute(accepted, request_id)).await,
        };
        if is_complete {
            self.send("complete", None::<()>).await;
        }
        Ok(())
    }

    async fn caller(&self, request_id: &str) -> Result<Caller, Error> {
        self.limiter.check_wait(&self.bearer)?;
        let ClientAddress(address) = self.client;
        let origin =
            CallOrigin::new(request_id, caller::channel(&self.bearer, Channel::Socket), Some(address));
        let origin = match &self.connection {
            Some(connection) => origin.over(Arc::clone(connection)),
            None => origin,
        };
        let proven = self.registry.verify_credential(&self.bearer).await?;
        let caller = self.hub.look_up(proven, &self.bearer, &origin).await?;
        self.limiter.count_request(&caller, &self.bearer)?;
        Ok(caller)
    }

    /// Authenticates the client and accepts the operation. `None` after a rejection, which was sent.
    async fn accept(
        &self,
        operation: Box<Operation>,
        request_id: &str,
    ) -> Result<Option<Box<Accepted>>, CredentialRejected> {
        // Each operation authenticates like a request: it runs with the caller's current rights.
        let since = self.hub.revocation_log().count();
        let caller = match self.caller(request_id).await {
            Ok(caller) => Arc::new(caller),
            Err(Error::Unauthenticated(_)) => return Err(CredentialRejected),
            Err(err) => {
                tracing::debug!(error = %err, request_id, "rejecting an operation");
                let mut refusal = GraphQlResponse::of_error(&err, request_id);
                if matches!(err, Error::RateLimited { .. }) {
                    refusal = refusal.with_cost(OperationCost::REQUEST, Some(0));
                }
                self.error(refusal).await;
                return Ok(None);
            }
        };
        self.rights.adopt(&caller, since);
        let bytes = operation.document_bytes();
        let meter = Meter::new(self.limiter.clone(), Arc::clone(&caller), Arc::clone(&self.bearer));
        let reserved = lock(&self.memory).as_ref().map_or(0, Reservation::bytes);
        let large = reserved > BODY_MEMORY * LARGE_BYTES;
        let operation = match self.api.accept_in_turn(*operation, &caller, large).await {
            Ok(operation) => operation,
            Err(refusal) => {
                meter.charge_refusal(&refusal, bytes);
                self.error(refusal.with_points_left(meter.points_left())).await;
                return Ok(None);
            }
        };
        // A query that runs short waits for most of its caller's share, so it must hold nothing of it. A subscription
        // keeps its variables.
        if operation.is_subscription() {
            lock(&self.memory).iter_mut().for_each(|memory| memory.shrink_to(reserved / BODY_MEMORY));
        } else if operation.is_query() {
            lock(&self.memory).take();
        }
        Ok(Some(Box::new(Accepted { operation, caller, meter, bytes })))
    }

    /// Sends the events of a subscription. Returns whether it has completed; if not, an error was sent.
    async fn send_events(&self, accepted: Box<Accepted>, request_id: &str) -> bool {
        let Accepted { operation, caller, meter, bytes } = *accepted;
        let mut answers = pin!(self.api.subscribe(caller, operation));
        while let Some(told) = answers.next().await {
            let goes_on = match told {
                SubscriptionMessage::Event(written, memory) => {
                    let (before, after) = around_result(&self.id);
                    let text = [&before, &*written, after].concat();
                    self.next(text.into_bytes(), memory, request_id).await
                }
                SubscriptionMessage::Rejected(refusal) => {
                    meter.charge_refusal(&refusal, bytes);
                    self.error(refusal).await;
                    false
                }
            };
            if !goes_on {
                return false;
            }
        }
        true
    }

    /// Runs a query or a mutation, and sends its answer. Returns whether it has completed; if not, an error was sent.
    async fn execute(&self, accepted: Box<Accepted>, request_id: &str) -> bool {
        let Accepted { operation, caller, meter, bytes } = *accepted;
        let cost = operation.cost();
        if let Err(err) = meter.charge_cost(cost) {
            let refusal = GraphQlResponse::of_error(&err, request_id);
            self.error(refusal.with_cost(cost, meter.points_left())).await;
            return false;
        }
        let _work = meter.charge_work();
        let answer = self.api.execute(Arc::clone(&caller), operation).await;
        meter.charge_refusal(&answer.response, bytes);
        if answer.response.is_request_error() {
            self.error(answer.response).await;
            return false;
        }
        let (before, after) = around_result(&self.id);
        let answer = answer.with_cost(cost, meter.points_left());
        let (text, memory) = match self.api.write_answer(&caller, answer, before, after).await {
            Ok(written) => written,
            Err(err) => {
                self.error(GraphQlResponse::of_error(&err, request_id)).await;
                return false;
            }
        };
        meter.charge_bytes(text.len());
        self.next(text, memory, request_id).await
    }

    /// Sends a `next` message. Returns false if it was too large: then an error was sent, and the operation has ended.
    async fn next(&self, text: Vec<u8>, memory: Option<Reservation>, request_id: &str) -> bool {
        if text.len() > MESSAGE_BYTES_MAX {
            let refusal = GraphQlResponse::refusal(
                format!("the result exceeds {MESSAGE_BYTES_MAX} bytes; select fewer fields or items"),
                "TOO_LARGE",
                request_id,
            );
            self.error(refusal).await;
            return false;
        }
        // JSON is UTF-8.
        self.post(Utf8Bytes::try_from(text).unwrap_or_default(), memory).await;
        true
    }

    /// Sends `error`, which ends the operation.
    async fn error(&self, refusal: GraphQlResponse) {
        self.send("error", Some(refusal.into_errors())).await;
    }

    /// Rejects the operation without running it.
    pub(super) async fn refuse(self, message: String, code: &'static str) {
        let request_id = self.registry.clock().id::<Uuid>().to_string();
        self.error(GraphQlResponse::refusal(message, code, &request_id)).await;
    }

    async fn send<T: serde::Serialize>(&self, kind: &'static str, payload: Option<T>) {
        self.post(text(kind, Some(&self.id), payload), None).await;
    }

    async fn post(&self, text: Utf8Bytes, memory: Option<Reservation>) {
        let (message, of) = (Message::Text(text), Some(self.of.clone()));
        let message = Box::new(OutboundMessage { message, of, memory, written: None });
        // It only fails when the socket closes, which drops this operation too.
        let _ = self.outbox.send(message).await;
    }
}
