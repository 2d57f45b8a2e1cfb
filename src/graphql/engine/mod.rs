//! Turns a document into an execution: checks and normalises the text, prepares the operation with its variables, and
//! runs it. Also holds what resolvers share: views, loaders, caches.

pub(in crate::graphql) mod api;
pub(in crate::graphql) mod context;
pub(in crate::graphql) mod document;
pub(in crate::graphql) mod execute;
pub(in crate::graphql) mod front;
pub(in crate::graphql) mod json_text;
pub(in crate::graphql) mod loader;
pub(in crate::graphql) mod loaders;
pub(in crate::graphql) mod memory;
pub(in crate::graphql) mod operation;
mod question;
pub(in crate::graphql) mod render_cache;
pub(in crate::graphql) mod response;
pub(in crate::graphql) mod schema_description;
