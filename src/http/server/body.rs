//! Bodies: JSON in UTF-8, of a bounded size.

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, StatusCode, header},
};
use json_reader::{Json, Limits, Number, ReadError, ReadErrorKind};
use serde::{Deserialize, Deserializer, de::Error};

use super::timeouts::TooSlow;
use crate::http::negotiate::header_list::members;

/// The largest body, in bytes: a prompt of 512 KiB in which each character is escaped, and as much again of tools.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What the JSON of one request may hold, whichever way it comes: a hundred tools with large schemas, twice.
pub const LIMITS: Limits = Limits { bytes: BODY_BYTES_MAX, ..Limits::DEFAULT };

/// Why a body is not looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It says that it is something else. A page of another origin can't send JSON without asking first.
    #[error("send application/json in UTF-8")]
    NotJson,
    /// It is compressed, which only answers may be.
    #[error("send the body as it is, without Content-Encoding")]
    Encoded,
    /// It is too large, or ended before its time, in which case nobody reads this.
    #[error("the body is larger than {BODY_BYTES_MAX} bytes, or was cut off")]
    TooLarge,
    /// It is short, and would be large when it was read.
    #[error("the body holds more than {} values", LIMITS.values)]
    TooMany,
    /// It is not JSON, or none that is read.
    #[error("the body is not JSON: {0}")]
    Malformed(ReadError),
    /// It comes too slowly.
    #[error("the body did not come in time")]
    TooSlow,
}

impl Refused {
    /// What it is in HTTP.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotJson | Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge | Self::TooMany => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// The whole body, as it came and as it was read, if it says that it is JSON in UTF-8. A byte order mark before it is ignored (RFC 8259,
/// section 8.1).
///
/// # Errors
/// [`Refused`].
pub async fn json(headers: &HeaderMap, body: Body) -> Result<(Bytes, Json), Refused> {
    if !is_json_in_utf8(headers) {
        return Err(Refused::NotJson);
    }
    if !is_as_it_is(headers) {
        return Err(Refused::Encoded);
    }
    let whole = to_bytes(body, BODY_BYTES_MAX).await;
    let whole =
        whole.map_err(|err| if TooSlow::is_behind(&err) { Refused::TooSlow } else { Refused::TooLarge })?;
    match json_reader::read(&whole, &LIMITS) {
        Ok(json) => Ok((whole, json)),
        Err(err) if matches!(err.kind(), ReadErrorKind::TooManyValues { .. }) => Err(Refused::TooMany),
        Err(err) => Err(Refused::Malformed(err)),
    }
}

/// Whether no coding was applied. `identity` names none, and so does an empty member (RFC 9110, sections 8.4.1 and 5.6.1).
fn is_as_it_is(headers: &HeaderMap) -> bool {
    let is_text = headers.get_all(header::CONTENT_ENCODING).iter().all(|line| line.to_str().is_ok());
    let mut codings = members(headers, header::CONTENT_ENCODING);
    is_text && codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
}

/// Whether `Content-Type` is there once, and says so. JSON that names no charset is in UTF-8 (RFC 8259, section 8.1).
pub(in crate::http) fn is_json_in_utf8(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    let mut parts = line.to_str().unwrap_or_default().split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.all(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let charset = value.trim().trim_matches('"');
        // Without the hyphen it is no registered name, and yet what some clients call it.
        !name.trim().eq_ignore_ascii_case("charset")
            || ["utf-8", "utf8"].iter().any(|name| charset.eq_ignore_ascii_case(name))
    });
    is_json && is_utf8
}

/// An integer or null. JSON has one kind of number, so that 2.0 is as good as 2.
///
/// # Errors
/// Another number, or no number.
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else { return Ok(None) };
    let written = number.as_i64().and_then(|number| number.try_into().ok());
    // Every i32 is a double, so that nothing is lost on the way.
    let range = f64::from(i32::MIN)..=f64::from(i32::MAX);
    let whole = Some(number.as_f64()).filter(|number| number.fract() == 0.0 && range.contains(number));
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and within the range")]
    let number = written.or(whole.map(|number| number as i32));
    number.map(Some).ok_or_else(|| D::Error::custom("not an integer of 32 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_is_one_however_it_is_written() {
        let read = |text: &str| integer(&json_reader::read(text.as_bytes(), &LIMITS).unwrap()).ok();
        for (text, number) in
            [("2", 2), ("2.0", 2), ("-0.0", 0), ("-48.0", -48), ("2e3", 2000), ("2147483647", i32::MAX)]
        {
            assert_eq!(read(text), Some(Some(number)), "{text}");
        }
        assert_eq!(read("null"), Some(None));
        for text in ["1.5", "2147483648", "2147483647.5", "-2147483649", "1e300", "\"2\"", "true", "[]"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
