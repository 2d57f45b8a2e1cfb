//! Requests generated from the schema, each with the verdict of graphql-js. The service must reject a wrong request
//! before any of it runs, and run a repeated response key once.

mod case;
mod door;
mod merged;
mod once;
mod verdict;
