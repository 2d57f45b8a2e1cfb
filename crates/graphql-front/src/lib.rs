#![doc = include_str!("../README.md")]
//!
//! The stages, in order, each in a module of its own:
//!
//! 1. `text` scans the tokens once and limits bytes, tokens, names and nesting.
//! 2. `apollo-compiler` parses the text and validates it against the schema; `check` drives it.
//! 3. `measure` computes the size of the expanded document, before anything walks the expansion.
//! 4. `literal` and `usage` check every literal and every use of a variable against the expected type.
//! 5. `variable` coerces the values of the operation's variables.
//! 6. `normalize` resolves `@skip` and `@include`, inlines fragments and merges equal response keys.
//! 7. `bind` builds the operation, with all values inserted, as the tree that async-graphql executes.
//!
//! **Invariant:** all errors of a request are found before stage 7 ends, hence before any field runs.

mod bind;
mod check;
mod document;
mod error;
mod limits;
mod literal;
mod measure;
mod normalize;
mod scalar;
mod schema;
mod text;
mod usage;
mod variable;

pub use async_graphql_parser::{Pos, types::ExecutableDocument, types::OperationType};
pub use async_graphql_value::{ConstValue, RAW_VALUE_TOKEN};
pub use document::{Document, Prepared};
pub use error::{Error, ErrorKind, Errors};
pub use limits::{Figure, Limits};
pub use scalar::{Coerce, ScalarRule};
pub use schema::{Front, SchemaError};
