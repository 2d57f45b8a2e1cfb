//! Answers that are sent piece by piece.

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::{sync::mpsc, time::timeout};

use super::{export::pace, stream_permit::SEND_TIMEOUT};
use crate::{
    domain::{Caller, Error, Result},
    http::{
        AppState,
        caller::{RevocationCount, may_have_lost_rights},
        meter::Meter,
    },
};

/// A piece of an answer.
pub(super) enum Piece<T> {
    /// The next part of the text.
    Part(T),
    /// The end: the answer is complete.
    End,
    /// The answer can't be completed.
    Cut(Error),
}

impl<T> From<Result<Option<T>>> for Piece<T> {
    fn from(read: Result<Option<T>>) -> Self {
        match read {
            Ok(Some(part)) => Self::Part(part),
            Ok(None) => Self::End,
            Err(err) => Self::Cut(err),
        }
    }
}

/// A text that is read piece by piece for a caller.
pub(super) trait PieceSource: Send {
    /// Names the text in the service's log.
    const NAME: &'static str;

    /// The caller.
    fn caller(&self) -> &Caller;

    /// The next piece, which isn't empty; `None` after the last one.
    fn next(&mut self) -> impl Future<Output = Result<Option<String>>> + Send;
}

/// Sends the pieces of a text, and charges them to the meter. Stops before the end when the caller may have lost rights,
/// when reading fails, or when the client doesn't take a piece within [`SEND_TIMEOUT`]. Reads a piece only when the one
/// before was taken: while the client is slow, the text has one piece in memory and no connection of the database.
pub(super) async fn send_pieces<S: PieceSource>(
    state: &AppState,
    mut source: S,
    since: RevocationCount,
    meter: Option<Meter>,
    pieces: mpsc::Sender<Piece<String>>,
) {
    let mut sent = 0;
    while let Ok(Ok(place)) = timeout(SEND_TIMEOUT, pieces.reserve()).await {
        let piece = if may_have_lost_rights(state, since, source.caller()) {
            Err(Error::Unauthenticated("the caller may have lost rights since the request began"))
        } else {
            source.next().await
        };
        let piece = piece.inspect_err(|err| log_cut(S::NAME, err));
        let bytes = piece.as_ref().ok().and_then(Option::as_ref).map(String::len);
        place.send(piece.into());
        let Some(bytes) = bytes else { return };
        if let Some(meter) = &meter {
            let begin = sent;
            sent += u64::try_from(bytes).unwrap_or(u64::MAX);
            meter.charge_part(begin, sent);
            meter.charge_time(source.caller().processor_time.take());
            pace(meter).await;
        }
    }
}

/// Logs why a text was cut off. Lost rights and a pruned log are ordinary; only a failure of the service is a warning.
fn log_cut(name: &'static str, err: &Error) {
    match err {
        Error::Unavailable(_) | Error::Internal(_) => tracing::warn!(error = %err, "{name} was cut off"),
        _ => tracing::debug!(error = %err, "{name} was cut off"),
    }
}

/// The body of an answer that is received piece by piece. Without [`Piece::End`] the connection ends without the last
/// chunk, so that no client takes a part for the whole: also when the sender stops because the client doesn't read.
pub(super) fn body_of<T: Into<Bytes> + Send + 'static>(taken: mpsc::Receiver<Piece<T>>) -> Body {
    Body::from_stream(stream::try_unfold(taken, async |mut taken| match taken.recv().await {
        Some(Piece::Part(part)) => Ok(Some((part, taken))),
        Some(Piece::End) => Ok(None),
        Some(Piece::Cut(err)) => Err(err),
        None => Err(Error::Unavailable("the answer was cut off")),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn received(pieces: Vec<Piece<&'static str>>) -> Option<Bytes> {
        let (sender, taken) = mpsc::channel(8);
        for piece in pieces {
            sender.send(piece).await.unwrap();
        }
        drop(sender);
        axum::body::to_bytes(body_of(taken), 100).await.ok()
    }

    #[tokio::test]
    async fn an_answer_without_its_end_is_an_error() {
        use Piece::{Cut, End, Part};
        assert_eq!(received(vec![Part("a"), Part("b"), End]).await.unwrap(), "ab");
        assert_eq!(received(vec![End]).await.unwrap(), "");
        assert_eq!(received(vec![Part("a")]).await, None);
        assert_eq!(received(vec![]).await, None);
        assert_eq!(received(vec![Part("a"), Cut(Error::Archived)]).await, None);
    }
}
