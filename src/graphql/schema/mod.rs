//! What clients see: one file for each noun of the schema. A resolver takes its arguments apart, calls the domain and shapes
//! the answer. Rules and rights are in the domain.

pub(in crate::graphql) mod activation;
pub(in crate::graphql) mod agent;
pub(in crate::graphql) mod api_key;
pub(in crate::graphql) mod billing;
pub(in crate::graphql) mod change;
pub(in crate::graphql) mod config;
pub(in crate::graphql) mod customer;
pub(in crate::graphql) mod diff;
pub(in crate::graphql) mod error;
pub(in crate::graphql) mod invitation;
pub(in crate::graphql) mod member;
pub(in crate::graphql) mod node;
pub(in crate::graphql) mod page;
pub(in crate::graphql) mod scalar;
pub(in crate::graphql) mod service_token;
pub(in crate::graphql) mod subscription;
pub(in crate::graphql) mod user;
pub(in crate::graphql) mod version;
pub(in crate::graphql) mod watcher;
