//! Parses headers whose value is a list: comma-separated, on one line or several (RFC 9110, section 5.6.1).

use axum::http::{HeaderMap, header::AsHeaderName};

/// Iterates over the trimmed members of this header, in order. Skips lines that aren't visible ASCII.
pub fn members(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}
