//! Scalars of our own.

use async_graphql::{ID, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::SecondsFormat;
use json_reader::Limits;

use crate::{
    clock::Instant,
    domain::{self, Error, change},
    id::Id,
};

/// The number of a commit: a decimal string, because JSON numbers stop being exact at 2^53. Later commits have greater
/// numbers, without gap, whatever the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision(pub i64);

/// The number of a commit: a decimal string, because JSON numbers stop being exact at 2^53. Later commits have greater
/// numbers, without gap, whatever the customer.
#[Scalar]
impl ScalarType for Revision {
    fn parse(value: Value) -> InputValueResult<Self> {
        let parsed = match &value {
            Value::String(text) => {
                text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
            }
            Value::Number(number) => number.as_i64().filter(|number| *number >= 0),
            _ => return Err(InputValueError::expected_type(value)),
        };
        parsed.map(Self).ok_or_else(|| InputValueError::custom("a revision is a decimal number"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An instant, in UTC, as RFC 3339 has it: `2026-11-22T12:00:00.123456Z`, to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(Instant);

impl DateTime {
    /// The instant itself, cut to microseconds.
    pub(in crate::graphql) fn instant(self) -> Instant {
        chrono::SubsecRound::trunc_subsecs(self.0, 6)
    }
}

impl From<Instant> for DateTime {
    fn from(instant: Instant) -> Self {
        Self(instant)
    }
}

/// An instant, in UTC, as RFC 3339 has it: `2026-11-22T12:00:00.123456Z`, to the microsecond.
#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        let parsed =
            text.parse().map_err(|_| InputValueError::custom("an instant is written as RFC 3339 has it"));
        parsed.map(Self)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

/// A place in the change log, as an event carried it; or a bare revision, which means the end of that commit. Cursors
/// of another database are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A place in the change log, as an event carried it; or a bare revision, which means the end of that commit. Cursors
/// of another database are refused.
#[Scalar]
impl ScalarType for Cursor {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) => Ok(Self(number.to_string())),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl Cursor {
    /// The same, read.
    pub(in crate::graphql) fn read(&self) -> domain::Result<change::Cursor> {
        self.0.parse()
    }
}

/// A scalar that can represent any JSON value.
#[derive(Clone, Debug, PartialEq)]
pub struct Json(pub serde_json::Value);

/// A scalar that can represent any JSON value.
#[Scalar(name = "JSON")]
impl ScalarType for Json {
    /// The value comes as its exact text, since the library's own numbers could not hold it, and within bounds (`front`).
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::Binary(text) = &value else { return Err(InputValueError::expected_type(value)) };
        read(text).map(Self).map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

/// What the text says that stands for a value of the scalar JSON.
fn read(text: &[u8]) -> Result<serde_json::Value, String> {
    let read = json_reader::read(text, &Limits::DEPTH_ONLY);
    read.map(|json| json.to_serde()).map_err(|err| err.to_string())
}

/// A coerced argument as JSON. A value of the scalar JSON is in it as what its text says.
pub(in crate::graphql) fn to_json(value: Value) -> Result<serde_json::Value, String> {
    Ok(match value {
        Value::Binary(text) => read(&text)?,
        Value::List(values) => values.into_iter().map(to_json).collect::<Result<_, _>>()?,
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| Ok((name.to_string(), to_json(value)?)));
            serde_json::Value::Object(fields.collect::<Result<_, String>>()?)
        }
        plain => plain.into_json().map_err(|err| err.to_string())?,
    })
}

/// The id of this noun that an input field names.
pub(in crate::graphql) fn id<T: Id + std::str::FromStr>(field: &str, id: &ID) -> domain::Result<T> {
    id.parse().map_err(|_| Error::invalid(field, format!("{field} is not an id: ids are UUIDs")))
}

/// An id as clients see it: the row's UUID.
pub(in crate::graphql) fn to_id(id: impl ToString) -> ID {
    ID(id.to_string())
}
