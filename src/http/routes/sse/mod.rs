//! `/graphql` with `Accept: text/event-stream`: the distinct connections mode of GraphQL over server-sent events
//! (enisdenjo/graphql-sse, PROTOCOL.md). One request is one operation; its results are events. What lasts is in `stream`.
//!
//! Once an operation is known, all that is wrong with it is told as an event. Before that, and when there is no room
//! for a stream, a status says so, as over HTTP.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, header, request::Parts},
    response::Response,
};

use crate::{
    domain::{Caller, Error},
    graphql::{Accepted, Answer},
    http::{
        Door,
        caller::{self, Since},
        server::connection::Peer,
    },
};

mod stream;

use stream::Stream;

/// The last event of an operation that has ended. It has a `data` line, though an empty one: without it, browsers do not
/// tell of an event.
const COMPLETE: &str = "event: complete\ndata:\n\n";

/// Opens the stream of a subscription.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::RateLimited`] or [`Error::Unavailable`] when there is no room for another stream.
pub(in crate::http) fn subscribe(
    door: &Door,
    head: &Parts,
    caller: Arc<Caller>,
    since: Since,
    accepted: Accepted,
) -> Result<Response, Error> {
    let bearer = caller::bearer(&head.headers)?.ok_or(Error::Unauthenticated("give a bearer token"))?;
    let (bearer, seat, peer) =
        (Arc::from(bearer), door.sockets.seat_of(&caller)?, Peer::of(&head.extensions));
    let stream = Stream { door: door.clone(), caller, bearer, since, accepted, seat, peer };
    let mut response = events(stream.open());
    // So the line ends with the stream, and not before the client has all of it.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(response)
}

/// The one result of an operation that has ended already.
pub(in crate::http) fn whole(answer: &Answer) -> Response {
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
