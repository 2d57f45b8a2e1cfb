//! The library behind the program `agent-registry`. Each module is a layer. The README follows.
#![doc = include_str!("../README.md")]

// In layer order: a module imports only modules listed above it.
pub mod cache;
pub mod clock;
pub mod environment_key;
pub mod id;
pub mod share;
pub mod task;

mod entity;

pub mod db;

pub mod domain;

pub mod feed;

pub mod graphql;

pub mod http;

pub mod config;
pub mod telemetry;

pub mod app;

pub mod cli;
