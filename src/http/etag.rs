//! Entity tags (RFC 9110, section 8.8.3): what a client has already, it is not sent again.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use super::list::members;

/// The strong tag of this body: the first 128 bits of its hash, quoted.
pub fn of(body: &[u8]) -> String {
    let digest = hex::encode(Sha256::digest(body));
    format!("\"{}\"", digest.get(..32).unwrap_or(&digest))
}

/// `If-None-Match`, compared weakly as RFC 9110 wants it: a proxy that compresses may have weakened the tag.
pub fn is_known(request: &HeaderMap, etag: &str) -> bool {
    members(request, header::IF_NONE_MATCH)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// This body with this tag and these headers, or that it is known already, which says what the whole answer would say
/// (RFC 9110, section 15.4.5).
pub fn answer<const N: usize>(
    request: &HeaderMap,
    etag: &str,
    headers: [(HeaderName, &'static str); N],
    body: impl Into<Body>,
) -> Response {
    let tag = [(header::ETAG, etag)];
    if is_known(request, etag) {
        let mut response = (StatusCode::NOT_MODIFIED, tag, headers).into_response();
        // It has no content to be of a type.
        response.headers_mut().remove(header::CONTENT_TYPE);
        return response;
    }
    (tag, headers, body.into()).into_response()
}

/// Whether the first tag in `If-None-Match` is a weak one.
pub fn is_named_weakly(request: &HeaderMap) -> bool {
    let first = request.get(header::IF_NONE_MATCH);
    first.is_some_and(|value| value.as_bytes().trim_ascii_start().starts_with(b"W/"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn known_is_what_has_the_same_tag() {
        let tag = of(b"x");
        assert_eq!(tag.len(), 34);
        assert_ne!(tag, of(b"y"));
        let known = |sent: &str| {
            let value = HeaderValue::from_str(sent).into_iter();
            is_known(&value.map(|value| (header::IF_NONE_MATCH, value)).collect(), &tag)
        };
        assert!(known(&tag));
        assert!(known(&format!("\"other\", W/{tag}")));
        assert!(known("*"));
        assert!(!known("\"other\""));
        assert!(!is_known(&HeaderMap::new(), &tag));
    }
}
