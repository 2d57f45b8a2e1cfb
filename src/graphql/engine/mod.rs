//! How a document becomes an execution: text, then a document that was checked and normalised, then an operation with its
//! variables. Also what resolvers share while it runs: snapshots, loaders, and the caches of what was rendered.

pub(in crate::graphql) mod api;
pub(in crate::graphql) mod context;
pub(in crate::graphql) mod document;
pub(in crate::graphql) mod front;
pub(in crate::graphql) mod loader;
pub(in crate::graphql) mod loaders;
pub(in crate::graphql) mod operation;
pub(in crate::graphql) mod render_cache;
pub(in crate::graphql) mod response;
