//! Headers that are lists (RFC 9110, section 5.6.1): on one line or on several, with commas between their members.

use axum::http::{HeaderMap, header::AsHeaderName};

/// The members of this header, in their order. Lines that are no text have none.
pub fn members(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}
