//! The service as its callers meet it: a real one on a real Postgres, a database each. One file a noun.

#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    reason = "what tests read is our own answers, and serde_json is what ours is compared with"
)]

mod activation;
mod agent;
mod api_key;
mod audit;
mod auth;
mod billing;
mod canary;
mod client;
mod configs;
mod conformance;
mod copies;
mod cost;
mod coverage;
mod customer;
mod erasure;
mod express;
mod gateway;
mod graphiql;
mod growth;
mod hangup;
mod hot;
mod http;
mod idempotency;
mod issuer;
mod json;
mod limit;
mod line;
mod linear;
mod log;
mod matrix;
mod member;
mod pages;
mod plain;
mod readme;
mod rest;
mod rights;
mod role;
mod rolling;
mod search;
mod share;
mod silent;
mod soak;
mod socket;
mod sse;
mod statements;
mod support;
mod transfer;
mod version;
