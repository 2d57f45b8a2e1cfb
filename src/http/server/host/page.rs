//! The authority that a request is for, and whether the page that sent it has the same one.

use axum::http::{HeaderMap, HeaderValue, Uri, header, uri::Authority};

/// The authority that a request is for, which `Hosts::check` has checked: that of the request target, otherwise that of
/// `Host`.
pub(in crate::http) fn requested_authority(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let named = || headers.get(header::HOST)?.to_str().ok()?.parse::<Authority>().ok();
    uri.authority().cloned().or_else(named)
}

/// Whether this `Origin` has the request's host and port (RFC 6455, section 10.2).
pub(in crate::http) fn is_same_authority(origin: &HeaderValue, uri: &Uri, headers: &HeaderMap) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let (Some(host), Some(origin)) = (requested_authority(uri, headers), origin) else {
        return false;
    };
    let usual = match origin.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return false,
    };
    origin.authority().is_some_and(|page| {
        page.host().eq_ignore_ascii_case(host.host())
            && page.port_u16().unwrap_or(usual) == host.port_u16().unwrap_or(usual)
    })
}
