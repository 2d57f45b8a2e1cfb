//! Tests of the service over its public interfaces: a real service on a real Postgres, with a database for each
//! test. One file for each topic.

#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests parse the service's own responses, and compare `json-reader` with serde_json"
)]

mod activation;
mod agent;
mod api_key;
mod applied;
mod audit;
mod auth;
mod billing;
mod canary;
mod client;
mod configs;
mod conformance;
mod console;
mod content;
mod copies;
mod cost;
mod coverage;
mod customer;
mod environment;
mod erasure;
mod express;
mod gateway;
mod graph;
mod graphiql;
mod growth;
mod hangup;
mod hot;
mod http;
mod idempotency;
mod identity;
mod issuer;
mod json;
mod limit;
mod line;
mod linear;
mod lists;
mod log;
mod matrix;
mod member;
mod memory;
mod messages;
mod not_served;
mod pages;
mod pinned;
mod plain;
mod plan;
mod points;
mod pool;
mod processors;
mod readme;
mod rest;
mod rights;
mod role;
mod rollback;
mod rolling;
mod search;
mod service_token;
mod session;
mod share;
mod silent;
mod soak;
mod socket;
mod sse;
mod statements;
mod support;
mod transfer;
mod version;
