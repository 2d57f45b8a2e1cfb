//! How slow a client may be: with the head of a request, with its body, and in taking its answer. Whoever is slower keeps
//! a line, and what was gathered for it, from others.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::connection::{Peer, count_slow};

/// The fewest bytes a second, on average, that a client may send of a body or take of an answer.
const BYTES_PER_SECOND_MIN: u32 = 16 * 1024;

/// How many lines an instance has, and how patient it is with each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineLimits {
    /// The most lines at once. Whoever comes later waits until another ends.
    pub connections: u32,
    /// Within which time a head must be there: the first one since the line was opened, each other since its first byte.
    pub head: Duration,
    /// How long a line may be kept without a request.
    pub idle: Duration,
    /// How long a client may be slower with a body than it should, in all.
    pub body: Duration,
    /// How long it may be slower in taking an answer than it should.
    pub take: Duration,
}

impl Default for LineLimits {
    fn default() -> Self {
        Self {
            connections: 12_000,
            head: Duration::from_secs(10),
            // Longer than the minute that proxies keep lines for: who ends a line must be who asks over it.
            idle: Duration::from_secs(75),
            body: Duration::from_secs(10),
            take: Duration::from_secs(30),
        }
    }
}

/// A moment by which something must have happened.
#[derive(Debug)]
pub(in crate::http) struct Bound(Pin<Box<Sleep>>);

impl Bound {
    pub(in crate::http) fn within(most: Duration) -> Self {
        Self(Box::pin(sleep(most)))
    }

    /// Whether it is over. Whoever asks is woken when it is.
    pub(in crate::http) fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.0.as_mut().poll(cx).is_ready()
    }
}

/// For how long a client may still be waited for. What it moves gives it more, up to what it began with; only the time
/// in which it is waited for is taken from it.
#[derive(Debug)]
pub(in crate::http) struct Slack {
    most: Duration,
    left: Duration,
    waiting: Option<(Instant, Bound)>,
}

impl Slack {
    pub(in crate::http) fn new(most: Duration) -> Self {
        Self { most, left: most, waiting: None }
    }

    /// Whether it has none left, after it has moved so many bytes, or none yet. Whoever waits for it is woken then.
    pub(in crate::http) fn is_used_up(&mut self, cx: &mut Context<'_>, moved: Option<usize>) -> bool {
        let Some(bytes) = moved else {
            let left = self.left;
            return self.waiting.get_or_insert_with(|| (Instant::now(), Bound::within(left))).1.is_over(cx);
        };
        if let Some((since, _)) = self.waiting.take() {
            self.settle(since.elapsed(), bytes);
        }
        false
    }

    /// After it was waited for so long, and has moved so many bytes.
    fn settle(&mut self, waited: Duration, bytes: usize) {
        let earned = Duration::from_secs(bytes as u64) / BYTES_PER_SECOND_MIN;
        self.left = self.left.saturating_add(earned).saturating_sub(waited).min(self.most);
    }
}

/// The client was too slow with its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body did not come in time")]
pub(in crate::http) struct TooSlow;

impl TooSlow {
    /// Whether this is why.
    pub(in crate::http) fn is_behind(err: &(dyn Error + 'static)) -> bool {
        let mut cause = Some(err);
        while let Some(err) = cause {
            if err.is::<Self>() {
                return true;
            }
            cause = err.source();
        }
        false
    }
}

/// A body that must come fast enough.
pub(in crate::http) struct Sent<B> {
    body: B,
    slack: Slack,
}

impl<B> Sent<B> {
    pub(in crate::http) fn new(body: B, most: Duration) -> Self {
        Self { body, slack: Slack::new(most) }
    }
}

impl<B> HttpBody for Sent<B>
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
        if self.slack.is_used_up(cx, moved) {
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

/// An answer's body. When it ends, it is the client's turn again.
pub(in crate::http) struct Answered {
    body: Body,
    peer: Peer,
    /// Whether the line carries something else from then on.
    is_last: bool,
}

impl Answered {
    pub(in crate::http) fn new(body: Body, peer: Peer, is_last: bool) -> Self {
        Self { body, peer, is_last }
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        if !self.is_last {
            self.peer.turn();
        }
    }
}

impl HttpBody for Answered {
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
            let mut slack = Slack::new(Duration::from_millis(5_500));
            let rounds = (1..=100).find(|_| {
                slack.settle(second, bytes);
                slack.left.is_zero()
            });
            assert_eq!(rounds, ended, "{bytes} bytes a second");
            // However fast it was, it has no more than it began with.
            assert!(slack.left <= slack.most);
        }
    }

    #[test]
    fn what_is_too_slow_is_known_behind_other_errors() {
        let err = axum::Error::new(axum::Error::new(TooSlow));
        assert!(TooSlow::is_behind(&err));
        assert!(!TooSlow::is_behind(&axum::Error::new(std::io::Error::other("x"))));
    }
}
