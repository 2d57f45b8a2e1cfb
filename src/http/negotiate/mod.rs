//! What a request and its response agree on in headers: content type, encoding, origin and validator (RFC 9110, section 12).

pub(in crate::http) mod compress;
pub(in crate::http) mod content_type;
pub(in crate::http) mod cors;
pub(in crate::http) mod etag;
pub(in crate::http) mod header_list;

pub use cors::{Origin, Origins};
