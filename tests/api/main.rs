//! The service as its callers meet it: a real one on a real Postgres, a database each. One file a noun.

#![cfg(test)]

mod activation;
mod agent;
mod auth;
mod billing;
mod client;
mod cost;
mod coverage;
mod customer;
mod embedded;
mod graphiql;
mod hangup;
mod http;
mod log;
mod policy;
mod readme;
mod rest;
mod socket;
mod statements;
mod support;
mod transfer;
mod version;
