//! Reads JSON text (RFC 8259, restricted as I-JSON, RFC 7493) within limits.
//!
//! [`read`] builds a [`Json`] tree, which keeps the order of keys and the exact token of each number. It rejects
//! duplicate keys, keys that serde_json interprets, lone surrogates, and text beyond the [`Limits`]. [`read_as`]
//! reads into a type that implements serde's `Deserialize`. Both take time linear in the text. Parsing doesn't
//! recurse.
//!
//! [`Splitter`] reads an object that is too large for memory, piece by piece.
//!
//! This crate never calls serde_json's parser. It depends on serde_json only to convert between the two trees.

mod convert;
mod error;
mod exact;
mod lexer;
mod limits;
mod lossy;
mod number;
mod object;
mod path;
mod reader;
mod split;
mod text;
mod typed;
mod value;
mod write;

pub use error::{Position, ReadError, ReadErrorKind};
pub use limits::Limits;
pub use lossy::{INTEGER_MAX, lossy_integer};
pub use number::Number;
pub use object::{IntoIter, Iter, Object};
pub use path::{Path, Segment};
pub use split::{Piece, RawItem, SplitLimits, Splitter};
pub use text::{JsonText, serialize_text};
pub use typed::{TypeError, from_json};
pub use value::Json;

use serde::de::DeserializeOwned;

/// Reads one JSON value from UTF-8 text. A byte order mark before it is skipped.
///
/// # Errors
/// [`ReadError`], with path, line and column.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Json, ReadError> {
    reader::read(bytes, limits)
}

/// Reads one JSON value into a `T`. Structs are read from objects only, never from arrays of their fields' values.
///
/// # Errors
/// [`ReadError`], of the kind [`ReadErrorKind::Type`] when the text is JSON but not a `T`.
pub fn read_as<T: DeserializeOwned>(bytes: &[u8], limits: &Limits) -> Result<T, ReadError> {
    let json = read(bytes, limits)?;
    from_json(&json).map_err(ReadError::from)
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
