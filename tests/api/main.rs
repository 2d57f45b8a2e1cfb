//! The service as its callers meet it: a real one on a real Postgres, a database each. One file a noun.

#![cfg(test)]

mod agent;
mod client;
mod customer;
mod support;
mod transfer;
