//! Limits for slow clients: timeouts, and a minimum rate for sending bodies and reading responses. A slow client
//! occupies a connection and the memory that is buffered for it.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::connection::{ConnectionHandle, count_slow};

/// The minimum average rate at which a client must send a body or read a response, in bytes per second.
const BYTES_PER_SECOND_MIN: u32 = 16 * 1024;

/// The maximum number of connections of an instance, and the timeouts of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The maximum number of connections that are served. Further ones wait until one closes.
    pub connections: u32,
    /// The maximum number of connections before sign-in from one address (IPv6: /64). Further ones wait.
    pub of_one_address: usize,
    /// The maximum number of connections of one customer or user. Further ones are answered 429.
    pub of_one_caller: usize,
    /// The timeout for a complete request head: from the opening of the connection for the first, and from its first
    /// byte for each later one.
    pub head: Duration,
    /// The timeout for the next request: from the end of an answer to the end of the next head. hyper closes the
    /// connection when it is reached.
    pub idle: Duration,
    /// The total time that a client may lag behind the minimum rate while it sends a body.
    pub body: Duration,
    /// The total time that a client may lag behind the minimum rate while it reads responses. Also the TCP user
    /// timeout.
    pub take: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 12_000,
            of_one_address: 1_000,
            of_one_caller: 1_000,
            head: Duration::from_secs(10),
            // Longer than the minute for which proxies keep idle connections. The proxy must be the side that
            // closes, or its next request may meet a closed connection.
            idle: Duration::from_secs(75),
            body: Duration::from_secs(10),
            take: Duration::from_secs(30),
        }
    }
}

/// A deadline.
#[derive(Debug)]
pub(in crate::http) struct Deadline(Pin<Box<Sleep>>);

impl Deadline {
    pub(in crate::http) fn within(most: Duration) -> Self {
        Self(Box::pin(sleep(most)))
    }

    /// Whether the deadline has passed. Otherwise wakes the task when it does.
    pub(in crate::http) fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.0.as_mut().poll(cx).is_ready()
    }
}

/// A time budget for waiting on a client. Waiting uses it up. Each byte that the client sends or reads earns time at
/// [`BYTES_PER_SECOND_MIN`], up to the initial budget.
#[derive(Debug)]
pub(in crate::http) struct TimeBudget {
    most: Duration,
    left: Duration,
    waiting: Option<(Instant, Deadline)>,
}

impl TimeBudget {
    pub(in crate::http) fn new(most: Duration) -> Self {
        Self { most, left: most, waiting: None }
    }

    /// Whether the budget is used up. `moved` is the number of bytes of a completed step. `None` means that the step is
    /// pending; then the task is woken when the budget is used up.
    pub(in crate::http) fn is_exhausted(&mut self, cx: &mut Context<'_>, moved: Option<usize>) -> bool {
        let Some(bytes) = moved else {
            let left = self.left;
            return self
                .waiting
                .get_or_insert_with(|| (Instant::now(), Deadline::within(left)))
                .1
                .is_over(cx);
        };
        if let Some((since, _)) = self.waiting.take() {
            self.account(since.elapsed(), bytes);
        }
        false
    }

    /// Accounts for a wait, and the bytes that it ended with.
    fn account(&mut self, waited: Duration, bytes: usize) {
        let earned = Duration::from_secs(bytes as u64) / BYTES_PER_SECOND_MIN;
        self.left = self.left.saturating_add(earned).saturating_sub(waited).min(self.most);
    }
}

/// The client sent its body too slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body arrived too slowly")]
pub(in crate::http) struct TooSlow;

/// Whether an error of the type `E` is among the causes of this error, or is this error.
pub(in crate::http) fn is_caused_by<E: Error + 'static>(err: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(err), |&err| err.source()).any(|err| err.is::<E>())
}

/// A request body that fails with [`TooSlow`] if the client sends it below the minimum rate for too long.
pub(in crate::http) struct TimedBody<B> {
    body: B,
    slack: TimeBudget,
}

impl<B> TimedBody<B> {
    pub(in crate::http) fn new(body: B, most: Duration) -> Self {
        Self { body, slack: TimeBudget::new(most) }
    }
}

impl<B> HttpBody for TimedBody<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let moved = match &frame {
            Poll::Ready(Some(Ok(frame))) => Some(frame.data_ref().map_or(0, Bytes::len)),
            Poll::Ready(_) => Some(0),
            Poll::Pending => None,
        };
        if self.slack.is_exhausted(cx, moved) {
            count_slow("body");
            return Poll::Ready(Some(Err(TooSlow.into())));
        }
        Poll::Ready(ready!(frame).map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response body. Its connection waits for the next request once the body is dropped, at its end.
pub(in crate::http) struct ResponseBody {
    body: Body,
    peer: ConnectionHandle,
    /// Whether the connection is upgraded after this response, and carries no further requests.
    is_last: bool,
}

impl ResponseBody {
    pub(in crate::http) fn new(body: Body, peer: ConnectionHandle, is_last: bool) -> Self {
        Self { body, peer, is_last }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if !self.is_last {
            self.peer.end_answer();
        }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_moves_enough_has_time_and_who_moves_too_little_has_none_left() {
        let second = Duration::from_secs(1);
        for (bytes, ended) in [(16 * 1024, None), (1024 * 1024, None), (8 * 1024, Some(11)), (0, Some(6))] {
            let mut slack = TimeBudget::new(Duration::from_millis(5_500));
            let rounds = (1..=100).find(|_| {
                slack.account(second, bytes);
                slack.left.is_zero()
            });
            assert_eq!(rounds, ended, "{bytes} bytes a second");
            // A fast client earns no more than the initial budget.
            assert!(slack.left <= slack.most);
        }
    }

    #[test]
    fn what_is_too_slow_is_known_behind_other_errors() {
        let err = axum::Error::new(axum::Error::new(TooSlow));
        assert!(is_caused_by::<TooSlow>(&err));
        assert!(!is_caused_by::<TooSlow>(&axum::Error::new(std::io::Error::other("x"))));
    }
}
