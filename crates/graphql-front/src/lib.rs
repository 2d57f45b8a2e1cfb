#![doc = include_str!("../README.md")]
//!
//! The stages, in order, each in a module of its own:
//!
//! 1. `text` reads the tokens once: bytes, tokens, names, nesting.
//! 2. `apollo-compiler` parses the text and validates it against the schema; `check` drives it.
//! 3. `measure` counts what the document expands to, before anything walks the expansion.
//! 4. `literal` and `usage` check every literal and every place where a variable stands, by type.
//! 5. `variable` coerces the values of the operation's variables.
//! 6. `normalize` resolves `@skip` and `@include`, inlines fragments and merges equal response keys.
//! 7. `bind` writes the operation, with all values in place, as the tree that async-graphql executes.
//!
//! **Invariant:** whatever is wrong with a request is found before stage 7 ends, so nothing of it has run by then.

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
pub use async_graphql_value::ConstValue;
pub use document::{Document, Prepared};
pub use error::{Error, ErrorKind, Errors};
pub use limits::{Figure, Limits};
pub use scalar::{Coerce, ScalarRule};
pub use schema::{Front, SchemaError};
