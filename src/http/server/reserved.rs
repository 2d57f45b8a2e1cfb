//! Bytes of a response with the memory that is reserved for them.

use axum::body::Bytes;

use crate::share::Reservation;

/// A text and its reservation.
struct Reserved<T> {
    text: T,
    _memory: Reservation,
}

impl<T: AsRef<[u8]>> AsRef<[u8]> for Reserved<T> {
    fn as_ref(&self) -> &[u8] {
        self.text.as_ref()
    }
}

/// Wraps a text so that its memory is returned when the last reference to it is dropped. hyper keeps one until it has
/// written the last byte; it drops the response's body before.
pub(in crate::http) fn reserved_bytes<T>(text: T, memory: Option<Reservation>) -> Bytes
where
    T: AsRef<[u8]> + Into<Bytes> + Send + 'static,
{
    match memory {
        Some(memory) => Bytes::from_owner(Reserved { text, _memory: memory }),
        None => text.into(),
    }
}
