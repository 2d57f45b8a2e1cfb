//! Server-sent events: the distinct connections mode of enisdenjo/graphql-sse's PROTOCOL.md.

mod client;
mod ends;
mod protocol;
mod rights;
mod stuck;
