//! Answers that are sent piece by piece.

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::sync::mpsc;

use crate::domain::{Error, Result};

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
