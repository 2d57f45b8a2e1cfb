//! Entity tags and conditional requests (RFC 9110, sections 8.8.3 and 13).

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use super::header_list::members;
use crate::http::problem::{Problem, ProblemKind};

/// Computes the strong entity tag of a body: the first 128 bits of its SHA-256 hash, in quoted hex.
pub fn strong(body: &[u8]) -> String {
    let digest = hex::encode(Sha256::digest(body));
    format!("\"{}\"", digest.get(..32).unwrap_or(&digest))
}

/// The result of evaluating a request's conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Send the full response.
    Met,
    /// The client's copy is current: 304.
    NotModified,
    /// `If-Match` lists only other tags: 412.
    Failed,
}

/// Evaluates `If-Match`, then `If-None-Match` (RFC 9110, section 13.2.2), against the response's tag.
pub fn condition(request: &HeaderMap, etag: &str) -> Condition {
    // Strong comparison: a weak tag never matches (section 13.1.1).
    let is_wanted = |tag: &str| tag == "*" || tag == etag;
    if request.contains_key(header::IF_MATCH) && !members(request, header::IF_MATCH).any(is_wanted) {
        return Condition::Failed;
    }
    // Weak comparison: a compressing proxy may have weakened the tag (section 13.1.2).
    let is_known = |tag: &str| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag;
    match members(request, header::IF_NONE_MATCH).any(is_known) {
        true => Condition::NotModified,
        false => Condition::Met,
    }
}

/// Responds with this body, tag and headers. Depending on the request's conditions, responds 304 instead, with the
/// headers of the full response (RFC 9110, section 15.4.5), or 412.
pub fn answer<const N: usize>(
    request: &HeaderMap,
    request_id: &str,
    etag: &str,
    headers: [(HeaderName, &'static str); N],
    body: impl Into<Body>,
) -> Response {
    let tag = [(header::ETAG, etag)];
    match condition(request, etag) {
        Condition::Met => (tag, headers, body.into()).into_response(),
        Condition::NotModified => {
            let mut response = (StatusCode::NOT_MODIFIED, tag, headers).into_response();
            // A response without content has no content type.
            response.headers_mut().remove(header::CONTENT_TYPE);
            response
        }
        Condition::Failed => {
            let detail = "the current ETag matches none of the tags in If-Match";
            Problem::request(ProblemKind::PreconditionFailed, detail, request_id).into_response()
        }
    }
}

/// Whether the first tag in `If-None-Match` is a weak one.
pub fn has_weak_tag(request: &HeaderMap) -> bool {
    let first = request.get(header::IF_NONE_MATCH);
    first.is_some_and(|value| value.as_bytes().trim_ascii_start().starts_with(b"W/"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn conditions_are_taken_in_their_order() {
        let tag = strong(b"x");
        assert_eq!(tag.len(), 34);
        assert_ne!(tag, strong(b"y"));
        let (weak, among) = (format!("W/{tag}"), format!("\"other\", W/{tag}"));
        let (other, met) = ("\"other\"", Condition::Met);
        for (if_match, if_none_match, expected) in [
            (None, None, met),
            (None, Some(tag.as_str()), Condition::NotModified),
            (None, Some(among.as_str()), Condition::NotModified),
            (None, Some("*"), Condition::NotModified),
            (None, Some(other), met),
            (Some(tag.as_str()), None, met),
            (Some("*"), None, met),
            (Some(among.as_str()), None, Condition::Failed),
            (Some(weak.as_str()), None, Condition::Failed),
            (Some(other), None, Condition::Failed),
            (Some(""), None, Condition::Failed),
            (Some(other), Some(tag.as_str()), Condition::Failed),
            (Some(tag.as_str()), Some(tag.as_str()), Condition::NotModified),
            (Some("*"), Some(other), met),
        ] {
            let mut request = HeaderMap::new();
            for (name, value) in [(header::IF_MATCH, if_match), (header::IF_NONE_MATCH, if_none_match)] {
                if let Some(value) = value {
                    request.insert(name, HeaderValue::from_str(value).unwrap());
                }
            }
            assert_eq!(condition(&request, &tag), expected, "{request:?}");
        }
    }
}
