//! Negotiation in headers: content type, encoding, origin (CORS) and validators (RFC 9110, sections 12 and 13).

pub(in crate::http) mod coding;
pub(in crate::http) mod compress;
pub(in crate::http) mod content_type;
pub(in crate::http) mod cors;
pub(in crate::http) mod etag;
pub(in crate::http) mod header_list;
mod large_body;
pub(in crate::http) mod static_body;

pub use cors::{Origin, Origins};
