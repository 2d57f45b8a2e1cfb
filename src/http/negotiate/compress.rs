//! Answers by gzip or brotli, where that pays: not what is small, not events that must not wait for each other, and not
//! what has a secret in it beside text of somebody else's choice, whose length would tell of the secret (BREACH).

use axum::{
    Router,
    body::HttpBody,
    extract::Request,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    middleware::{self, Next},
};
use tower_http::compression::{CompressionLayer, CompressionLevel, Predicate};

use super::{content_type::quality, etag, header_list::members};

/// From how many bytes on it pays: less fits into one packet anyway.
const BYTES_MIN: u64 = 1024;
/// As much as can be had for little time: brotli at its best takes a hundred times as long.
const LEVEL: CompressionLevel = CompressionLevel::Precise(4);

/// Whether a body of so many bytes is sent in other ways to those who take them.
pub(in crate::http) fn pays(bytes: usize) -> bool {
    u64::try_from(bytes).is_ok_and(|bytes| bytes >= BYTES_MIN)
}

/// Says of an answer that it is sent as it is.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct AsItIs;

#[derive(Clone, Copy)]
struct Pays;

impl Predicate for Pays {
    fn should_compress<B: HttpBody>(&self, response: &Response<B>) -> bool {
        let headers = response.headers();
        let said = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let told = said(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        // A body of unknown length is one that goes on; the answer to HEAD has none, and says how long it would be.
        let bytes = told.or(response.body().size_hint().exact()).unwrap_or(0);
        let is_stream = said(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/event-stream"));
        bytes >= BYTES_MIN && !is_stream && response.extensions().get::<AsItIs>().is_none()
    }
}

/// These routes, with answers that are compressed for clients that say they take it.
pub(in crate::http) fn answers<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    let layer = CompressionLayer::new().gzip(true).br(true).quality(LEVEL).compress_when(Pays);
    routes.layer(layer).layer(middleware::from_fn(negotiate))
}

/// Settles what the client takes, and whose the tag of the answer is.
async fn negotiate(mut request: Request, next: Next) -> axum::response::Response {
    let coding = coding(request.headers());
    // The library would answer 406 to who takes nothing that it has, after the request was done.
    request.headers_mut().remove(header::ACCEPT_ENCODING);
    if let Some(coding) = coding {
        request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(coding));
    }
    let has_weak = etag::is_named_weakly(request.headers());
    let mut response = next.run(request).await;
    let is_weak = match response.status() {
        // What it has was compressed for it, and would be again.
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

/// The tag of the same content in other bytes (RFC 9110, section 8.8.1).
fn weakened(tag: &HeaderValue) -> Option<HeaderValue> {
    let tag = tag.to_str().ok().filter(|tag| !tag.starts_with("W/"))?;
    HeaderValue::from_str(&format!("W/{tag}")).ok()
}

/// The coding that the client likes best of those that we have; none for the bytes as they are.
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
