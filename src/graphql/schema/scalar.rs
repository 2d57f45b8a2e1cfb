//! The scalars that the schema defines, and conversions from and to ids and JSON.

use async_graphql::{ID, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use json_reader::Limits;

use crate::{
    clock::{self, Instant},
    domain::{self, Error, change},
    graphql::engine::json_text::exact_value,
    id::Id,
};

pub use crate::id::Revision;

/// The number of a commit, as a decimal string, because JSON numbers are exact only up to 2^53. Each commit's
/// number is one more than the one before, across all customers.
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
        parsed.map(Self).ok_or_else(|| InputValueError::custom("a Revision must be a decimal integer"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An instant in UTC, as RFC 3339 writes it, always with six digits: `2026-11-22T12:00:00.120000Z`. So the strings sort
/// as the instants do. Input may have any offset, and any number of digits.
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

/// An instant in UTC, as RFC 3339 writes it, always with six digits: `2026-11-22T12:00:00.120000Z`. So the strings sort
/// as the instants do. Input may have any offset, and any number of digits.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        let parsed = clock::from_text(text);
        parsed.map(Self).ok_or_else(|| InputValueError::custom("a DateTime must follow RFC 3339"))
    }

    fn to_value(&self) -> Value {
        Value::String(clock::to_text(self.0))
    }
}

/// A calendar day, `2026-11-29`, in the time zone that the query names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub chrono::NaiveDate);

/// A calendar day, `2026-11-29`, in the time zone that the query names.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/local-date")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        let parsed = text.parse().map_err(|_| InputValueError::custom("a Date is written as 2026-11-29"));
        parsed.map(Self)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A position in the audit log, as an event or a record gave it. A bare revision is accepted too, and means the end
/// of that commit. A cursor of another database fails with CURSOR_INVALID; one from before the kept part of the log,
/// with CURSOR_TOO_OLD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A position in the audit log, as an event or a record gave it. A bare revision is accepted too, and means the end
/// of that commit. A cursor of another database fails with CURSOR_INVALID; one from before the kept part of the log,
/// with CURSOR_TOO_OLD.
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
    /// Parses the cursor's text; whether the log has it is checked later.
    pub(in crate::graphql) fn read(&self) -> domain::Result<change::Cursor> {
        self.0.parse()
    }
}

/// Any JSON value, as its text was given: the order of keys and the numbers stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(pub String);

/// Any JSON value, as its text was given: the order of keys and the numbers stay.
#[Scalar(name = "JSON", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259")]
impl ScalarType for Json {
    /// Reads the value's exact text, which `front` passes on because the library's own numbers can't hold every
    /// JSON number. `front` has also checked its size.
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::Binary(text) = &value else { return Err(InputValueError::expected_type(value)) };
        str::from_utf8(text).map(|text| Self(text.to_owned())).map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        exact_value(self.0.clone())
    }
}

impl Json {
    /// Parses the text.
    pub(in crate::graphql) fn read(&self) -> domain::Result<json_reader::Json> {
        json_reader::read(self.0.as_bytes(), &Limits::DEPTH_ONLY)
            .map_err(|err| Error::Internal(Box::new(err)))
    }
}

/// Parses the text that stands for a value of the scalar JSON.
fn read(text: &[u8]) -> Result<serde_json::Value, String> {
    let read = json_reader::read(text, &Limits::DEPTH_ONLY);
    read.map(|json| json.to_serde()).map_err(|err| err.to_string())
}

/// Converts a coerced argument to JSON, and parses values of the scalar JSON from their text.
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

/// Parses the UUID that an input field holds, as the id of one type.
pub(in crate::graphql) fn id<T: Id + std::str::FromStr>(field: &str, id: &ID) -> domain::Result<T> {
    id.parse().map_err(|_| Error::invalid(field, format!("{field} must be a UUID")))
}

/// An id as clients see it: the row's UUID.
pub(in crate::graphql) fn to_id(id: impl ToString) -> ID {
    ID(id.to_string())
}
