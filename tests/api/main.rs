//! The service as its callers meet it: a real one on a real Postgres, a database each. One file a noun.

#![cfg(test)]

mod activation;
mod agent;
mod customer;
mod embedded;
mod hangup;
mod log;
mod readme;
mod statements;
mod support;
mod version;
