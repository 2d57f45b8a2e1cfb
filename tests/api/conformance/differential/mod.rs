//! Requests made from the schema, each with the verdict that graphql-js reaches, against the service: what is wrong is
//! refused before any of it runs, and what stands twice under one response key is run once.

mod case;
mod door;
mod merged;
mod once;
mod verdict;
