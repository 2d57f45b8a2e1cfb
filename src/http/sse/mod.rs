//! `/graphql` with `Accept: text/event-stream`: the distinct connections mode of GraphQL over server-sent events
//! (enisdenjo/graphql-sse, PROTOCOL.md). One request is one operation; its results are events. What lasts is in `stream`.
//!
//! Once an operation is known, all that is wrong with it is told as an event. Before that, and when there is no room
//! for a stream, a status says so, as over HTTP.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, header},
    response::Response,
};

use super::{
    Door, caller,
    graphql::{Asked, Refused, read},
    line::Peer,
};
use crate::{domain::Error, graphql::Answer};

mod stream;

use stream::Stream;

/// The last event of an operation that has ended. It has a `data` line, though an empty one: without it, browsers do not
/// tell of an event.
const COMPLETE: &str = "event: complete\ndata:\n\n";

/// Runs one operation, and answers its events; or says why it is not run.
pub(super) async fn answer(door: &Door, id: &str, request: Request) -> Result<Response, Box<Refused>> {
    let peer = Peer::of(request.extensions());
    let Asked { caller, since, operation, body: _, may_write, head } = read(door, id, request).await?;
    let bytes = operation.document_bytes();
    let accepted = match door.api.accept(operation, &caller) {
        Ok(accepted) => accepted,
        Err(refusal) => {
            caller::charge(door, &caller, &head.headers, (&refusal, bytes));
            return Ok(whole(&refusal));
        }
    };
    if !accepted.is_subscription() {
        if !may_write && !accepted.is_query() {
            return Err(Refused::write_by_get(id));
        }
        let answer = door.api.execute(Arc::clone(&caller), accepted).await;
        caller::charge(door, &caller, &head.headers, (&answer, bytes));
        return Ok(whole(&answer));
    }
    let refuse = |err: &Error| Refused::error(err, id);
    let bearer = caller::bearer(&head.headers).map_err(|err| refuse(&err))?;
    let bearer =
        bearer.map(Arc::from).ok_or_else(|| refuse(&Error::Unauthenticated("give a bearer token")))?;
    let seat = door.sockets.seat_of(&caller).map_err(|err| refuse(&err))?;
    let stream = Stream { door: door.clone(), caller, bearer, since, accepted, seat, peer };
    let mut response = events(stream.open());
    // So the line ends with the stream, and not before the client has all of it.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(response)
}

/// The one result of an operation that has ended already.
fn whole(answer: &Answer) -> Response {
    events((next(&answer.written()) + COMPLETE).into())
}

fn events(body: Body) -> Response {
    let mut response = Response::new(body);
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        // Whoever compresses gathers first, and who waits for an event waits on.
        (header::CACHE_CONTROL, "no-store, no-transform"),
        (header::VARY, "Accept, Authorization"),
        // nginx gathers too, if it is not told.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A result, which is written already, as an event. JSON that nobody has made pretty is one line.
fn next(written: &str) -> String {
    ["event: next\ndata: ", written, "\n\n"].concat()
}
