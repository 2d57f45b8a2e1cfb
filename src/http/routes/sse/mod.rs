//! `/graphql` with `Accept: text/event-stream`: the distinct connections mode of GraphQL over server-sent events
//! (enisdenjo/graphql-sse, PROTOCOL.md). One request is one operation, and its results are events. Subscriptions run in
//! `stream`.
//!
//! Once the operation is parsed, its errors are events. Earlier errors, and the lack of a permit for the stream, are
//! HTTP statuses.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, header, request::Parts},
    response::Response,
};

use crate::{
    domain::{Caller, Error},
    graphql::{Answer, CheckedOperation, GraphQlResponse},
    http::{
        AppState,
        caller::RevocationCount,
        server::{body::BODY_MEMORY, connection::ConnectionHandle, reserved::reserved_bytes},
    },
    share::Reservation,
};

mod stream;

use stream::Stream;

/// The beginning of an event with a result.
const NEXT: &str = "event: next\ndata: ";
/// The end of an event.
const END: &str = "\n\n";
/// The end of an event, and the last event after it.
const END_COMPLETE: &str = "\n\nevent: complete\ndata:\n\n";
/// The last event of a completed operation. Its empty `data` line is needed, since browsers don't dispatch events
/// without data.
const COMPLETE: &str = "event: complete\ndata:\n\n";

/// Opens the stream of a subscription. It keeps the memory of its request.
///
/// # Errors
/// [`Error::RateLimited`] or [`Error::Unavailable`] if the caller or the instance has
/// reached its limit of streams.
pub(in crate::http) fn subscribe(
    state: &AppState,
    head: &Parts,
    (caller, credential): (Arc<Caller>, Arc<str>),
    since: RevocationCount,
    (accepted, mut memory): (CheckedOperation, Option<Reservation>),
) -> Result<Response, Error> {
    // It keeps its variables.
    memory.iter_mut().for_each(|memory| memory.shrink_to(memory.bytes() / BODY_MEMORY));
    let (permit, peer) = (state.sockets.acquire_for_caller(&caller)?, ConnectionHandle::of(&head.extensions));
    let stream =
        Stream { state: state.clone(), caller, bearer: credential, since, accepted, memory, permit, peer };
    let mut response = events(stream.open());
    // The connection closes with the stream, after the client has received all of it.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(response)
}

/// An event stream with the single result of a completed operation. Its bytes keep their memory until they are written.
///
/// # Errors
/// [`Error::RateLimited`] when too much work of the caller is waiting.
pub(in crate::http) async fn single_answer(
    state: &AppState,
    caller: &Caller,
    answer: Answer,
) -> Result<Response, Error> {
    let (text, memory) = state.api.write_answer(caller, answer, NEXT.to_owned(), END_COMPLETE).await?;
    Ok(events(reserved_bytes(text, memory).into()))
}

/// An event stream with the single rejection of an operation.
pub(in crate::http) fn single_rejection(refusal: &GraphQlResponse) -> Response {
    events((next(&refusal.to_json()) + COMPLETE).into())
}

fn events(body: Body) -> Response {
    let mut response = Response::new(body);
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        // `no-transform`: a proxy that compresses would buffer events.
        (header::CACHE_CONTROL, "no-store, no-transform"),
        (header::VARY, "Accept, Authorization, Cookie"),
        // nginx buffers responses unless this header turns it off.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Wraps an already serialised result in an event. Compact JSON has no line breaks, so it needs a single `data` line.
fn next(written: &str) -> String {
    [NEXT, written, END].concat()
}
