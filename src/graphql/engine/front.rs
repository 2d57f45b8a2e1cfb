//! Builds the front (`graphql-front`), which checks documents and coerces variables before the library sees them.
//! The scalars of the schema decide which values they accept.

use std::sync::LazyLock;

use async_graphql::{ScalarType, ServerError};
use graphql_front::{ConstValue, Error, ErrorKind, Front, Limits, ScalarRule, SchemaError};
use json_reader::{Json, Path};

use crate::graphql::{
    schema::scalar::{Cursor, Date, DateTime, Revision},
    sdl,
};

/// Built once per process, because the schema never changes.
static FRONT: LazyLock<Result<Front, SchemaError>> = LazyLock::new(|| {
    let own = |accepted, coerce| ScalarRule { accepted, accepts_names: false, coerce };
    let rules = [
        ("Cursor", own("a Cursor, as a string", coerce::<Cursor>)),
        ("Date", own("a Date such as \"2026-11-29\"", coerce::<Date>)),
        ("DateTime", own("a DateTime such as \"2026-11-22T12:00:00Z\"", coerce::<DateTime>)),
        ("Revision", own("a Revision, as a decimal number in a string", coerce::<Revision>)),
        ("JSON", ScalarRule { accepted: "JSON", accepts_names: true, coerce: exact }),
    ];
    Front::new(&sdl(), rules, Limits::DEFAULT)
});

/// Returns the front of this schema.
///
/// # Errors
/// [`SchemaError`], which is a bug of the service.
pub fn front() -> Result<Front, SchemaError> {
    FRONT.clone()
}

/// Passes on a string or a number that the scalar accepts.
fn coerce<T: ScalarType>(json: &Json) -> Result<ConstValue, Path> {
    let value = match json {
        Json::String(text) => ConstValue::String(text.clone()),
        Json::Number(number) => ConstValue::Number(number.to_serde()),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => return Err(Path::default()),
    };
    T::parse(value.clone()).map(|_| value).map_err(|_| Path::default())
}

/// Passes on JSON as its exact text, because the library's numbers are those of serde_json, which can't hold every
/// token.
fn exact(json: &Json) -> Result<ConstValue, Path> {
    Ok(ConstValue::Binary(json.to_text().into()))
}

/// Makes the entry of `errors` for an error that the front found.
pub(in crate::graphql) fn error_entry(error: Error) -> ServerError {
    let Error { kind, message, locations, costliest_path: _ } = error;
    let code = match kind {
        ErrorKind::TooComplex { .. } => "QUERY_TOO_COMPLEX",
        ErrorKind::Syntax | ErrorKind::Validation | ErrorKind::Operation | ErrorKind::Variable => {
            "BAD_USER_INPUT"
        }
    };
    let mut entry = ServerError::new(message, None);
    entry.locations = locations;
    entry.extensions.get_or_insert_default().set("code", code);
    entry
}
