//! The schema as `graphql-front` checks documents against it, before the library sees anything of them. Which values the
//! schema's own scalars take is what the scalars themselves say.

use std::sync::LazyLock;

use async_graphql::{ScalarType, ServerError};
use graphql_front::{ConstValue, Error, ErrorKind, Front, Limits, ScalarRule, SchemaError};
use json_reader::{Json, Number, Path};

use super::{
    scalar::{Cursor, DateTime, Revision},
    sdl,
};

/// Made once a process: it is the same for every service in it.
static FRONT: LazyLock<Result<Front, SchemaError>> = LazyLock::new(|| {
    let own = |accepted, coerce| ScalarRule { accepted, accepts_names: false, coerce };
    let rules = [
        ("Cursor", own("a Cursor, as a string", coerce::<Cursor>)),
        ("DateTime", own("a DateTime such as \"2026-11-22T12:00:00Z\"", coerce::<DateTime>)),
        ("Revision", own("a Revision, as a decimal number in a string", coerce::<Revision>)),
        (
            "JSON",
            ScalarRule {
                accepted: "JSON without integers beyond 64 bits",
                accepts_names: true,
                coerce: exact,
            },
        ),
    ];
    Front::new(&sdl(), rules, Limits::DEFAULT)
});

/// The front of our schema.
///
/// # Errors
/// [`SchemaError`], which is a fault of ours.
pub fn front() -> Result<Front, SchemaError> {
    FRONT.clone()
}

/// A string or a number that the scalar takes, as it is.
fn coerce<T: ScalarType>(json: &Json) -> Result<ConstValue, Path> {
    let value = match json {
        Json::String(text) => ConstValue::String(text.clone()),
        Json::Number(number) => ConstValue::Number(number.to_serde()),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => return Err(Path::default()),
    };
    T::parse(value.clone()).map(|_| value).map_err(|_| Path::default())
}

/// JSON as its exact text: the library's numbers are serde_json's, which can't hold every token. Integers beyond 64 bits are
/// refused, since what stores the value would round them.
fn exact(json: &Json) -> Result<ConstValue, Path> {
    match json.find_number(&Number::is_beyond_64_bits) {
        Some(path) => Err(path),
        None => Ok(ConstValue::Binary(json.to_text().into())),
    }
}

/// An entry of `errors` for what the front has found.
pub(super) fn entry(error: Error) -> ServerError {
    let Error { kind, message, locations } = error;
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
