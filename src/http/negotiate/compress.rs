//! Compresses responses with gzip or brotli. Excludes small bodies, event streams, which compression would delay, and
//! responses with a secret next to text that someone else chose, since their compressed length leaks the secret
//! (BREACH).

use axum::{
    Router,
    body::HttpBody,
    extract::Request,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    middleware::{self, Next},
};
use tower_http::compression::{CompressionLayer, CompressionLevel, Predicate};

use super::{content_type::quality, etag, header_list::members};

/// The minimum size of a body for compression, in bytes. A smaller one fits into one packet anyway.
const BYTES_MIN: u64 = 1024;
/// The compression level. It favours speed: brotli's highest level takes a hundred times as long.
const LEVEL: CompressionLevel = CompressionLevel::Precise(4);

/// Whether a body of this many bytes is large enough to be compressed.
pub(in crate::http) fn is_large_enough(bytes: usize) -> bool {
    u64::try_from(bytes).is_ok_and(|bytes| bytes >= BYTES_MIN)
}

/// A response extension that prevents compression.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Uncompressed;

#[derive(Clone, Copy)]
struct IsCompressible;

impl Predicate for IsCompressible {
    fn should_compress<B: HttpBody>(&self, response: &Response<B>) -> bool {
        let headers = response.headers();
        let said = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let told = said(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        // A body of unknown length is a stream, which isn't compressed. A response to HEAD has no body, but the
        // length of one in its header.
        let bytes = told.or(response.body().size_hint().exact()).unwrap_or(0);
        let is_stream = said(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/event-stream"));
        bytes >= BYTES_MIN && !is_stream && response.extensions().get::<Uncompressed>().is_none()
    }
}

/// Adds compression to these routes, for clients whose `Accept-Encoding` allows it.
pub(in crate::http) fn compress_responses<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    let layer = CompressionLayer::new().gzip(true).br(true).quality(LEVEL).compress_when(IsCompressible);
    routes.layer(layer).layer(middleware::from_fn(negotiate))
}

/// Replaces `Accept-Encoding` by the single coding to use, and weakens the entity tag of a compressed response.
async fn negotiate(mut request: Request, next: Next) -> axum::response::Response {
    let coding = coding(request.headers());
    // Otherwise tower-http returns 406 to clients that accept none of its codings, after the request has run.
    request.headers_mut().remove(header::ACCEPT_ENCODING);
    if let Some(coding) = coding {
        request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(coding));
    }
    let has_weak = etag::has_weak_tag(request.headers());
    let mut response = next.run(request).await;
    let is_weak = match response.status() {
        // A weak tag in the request says that the client's copy was compressed. A full response would be again.
        StatusCode::NOT_MODIFIED => coding.is_some() && has_weak,
        _ => response.headers().contains_key(header::CONTENT_ENCODING),
    };
    if is_weak && let Some(tag) = response.headers().get(header::ETAG).and_then(weakened) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    if response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    response
}

/// Turns a strong entity tag into a weak one: same content, other bytes (RFC 9110, section 8.8.1).
fn weakened(tag: &HeaderValue) -> Option<HeaderValue> {
    let tag = tag.to_str().ok().filter(|tag| !tag.starts_with("W/"))?;
    HeaderValue::from_str(&format!("W/{tag}")).ok()
}

/// The client's preferred coding among brotli and gzip. `None` for no compression.
fn coding(request: &HeaderMap) -> Option<&'static str> {
    let members: Vec<(&str, u16)> = members(request, header::ACCEPT_ENCODING)
        .map(|member| {
            let (name, parameters) = member.split_once(';').unwrap_or((member, ""));
            (name.trim(), quality(parameters.split(';').map(str::trim)))
        })
        .collect();
    let liked = |names: &[&str]| {
        let named = members.iter().find(|(name, _)| names.iter().any(|own| name.eq_ignore_ascii_case(own)));
        named.or_else(|| members.iter().find(|(name, _)| *name == "*")).map_or(0, |(_, weight)| *weight)
    };
    let as_it_is = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("identity"));
    let as_it_is = as_it_is.map_or(0, |(_, weight)| *weight);
    let (gzip, brotli) = (liked(&["gzip", "x-gzip"]), liked(&["br"]));
    match gzip.max(brotli) {
        0 => None,
        best if best < as_it_is => None,
        best if best == brotli => Some("br"),
        _ => Some("gzip"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses_the_coding() {
        for (lines, expected) in [
            (&[][..], None),
            (&[""], None),
            (&["identity"], None),
            (&["zstd, deflate"], None),
            (&["gzip"], Some("gzip")),
            (&["GZip"], Some("gzip")),
            (&["x-gzip"], Some("gzip")),
            (&["gzip, deflate, br, zstd"], Some("br")),
            (&["gzip", "br"], Some("br")),
            (&["br;q=0.5, gzip"], Some("gzip")),
            (&["br;q=0, gzip;q=0"], None),
            (&["*"], Some("br")),
            (&["*, br;q=0"], Some("gzip")),
            (&["*;q=0"], None),
            (&["*;q=0, gzip"], Some("gzip")),
            (&["identity;q=0"], None),
            (&["identity;q=0, *;q=0"], None),
            (&["identity, gzip;q=0.5"], None),
            (&["identity;q=0.5, gzip;q=0.5"], Some("gzip")),
            (&["gzip;q=2"], Some("gzip")),
            (&["gzip;q=.5, br;q=.2"], Some("gzip")),
            (&["gzip;q=x"], Some("gzip")),
            (&["gzip;level=9"], Some("gzip")),
            (&["gzip;q=.0"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::ACCEPT_ENCODING, line.parse().unwrap());
            }
            assert_eq!(coding(&headers), expected, "{lines:?}");
        }
    }
}
