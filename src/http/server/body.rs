//! Request bodies: JSON in UTF-8, within limits.

use axum::{
    body::{Body, HttpBody, to_bytes},
    http::{HeaderMap, StatusCode, header},
};
use json_reader::{Json, Limits, Number, ReadError, ReadErrorKind};
use serde::{Deserialize, Deserializer, de};

use super::timeouts::{TooSlow, is_caused_by};
use crate::{
    domain::{Caller, Error},
    http::{AppState, negotiate::header_list::members, problem::status},
    share::Reservation,
};

/// The maximum size of a body, in bytes. It fits a prompt of 512 KiB with every character escaped, and as much for
/// tools.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The size of a text above which it is parsed on the threads for computations, in bytes. Parsing a smaller one takes
/// less than a millisecond.
pub const LARGE_BYTES: usize = 64 * 1024;

/// The memory that a request takes, as a multiple of its body's length: the body as it arrives and joined, then the
/// values that are parsed from it.
pub const BODY_MEMORY: usize = 3;

/// The JSON limits of a request, over HTTP and on sockets. They fit a hundred tools with large schemas, twice.
pub const LIMITS: Limits = Limits { bytes: BODY_BYTES_MAX, ..Limits::DEFAULT };

/// The reason for which a body is rejected.
#[derive(Debug, thiserror::Error)]
pub enum BodyRejection {
    /// `Content-Type` isn't JSON in UTF-8. Pages of other origins can't send JSON without a CORS preflight.
    #[error("Content-Type must be application/json in UTF-8")]
    NotJson,
    /// The body is compressed. Only responses may be.
    #[error("the body must not be compressed: send it without Content-Encoding")]
    Encoded,
    /// The body is too large.
    #[error("the body exceeds {BODY_BYTES_MAX} bytes")]
    TooLarge,
    /// The body ends before its declared length, or its chunks are malformed.
    #[error("the body is incomplete, or its chunks are malformed")]
    Incomplete,
    /// The body has more JSON values than the limit, which bounds the memory of the parsed tree.
    #[error("the body has more than {} JSON values", LIMITS.values)]
    TooMany,
    /// The body is not JSON, or exceeds another limit of the reader.
    #[error("the body is not JSON: {0}")]
    Malformed(ReadError),
    /// There is no memory for the body, or too much of the caller's work is waiting for a processor.
    #[error(transparent)]
    Busy(#[from] Error),
    /// The body arrives too slowly.
    #[error("the body arrived too slowly")]
    TooSlow,
}

impl BodyRejection {
    /// The HTTP status of the rejection.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotJson | Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge | Self::TooMany => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Malformed(_) | Self::Incomplete => StatusCode::BAD_REQUEST,
            Self::Busy(err) => status(err),
        }
    }
}

/// Reads a whole body and parses it as JSON. Ignores a byte order mark (RFC 8259, section 8.1). Reserves the memory
/// first; keep it as long as the request is handled.
///
/// # Errors
/// [`BodyRejection`], also if the headers don't declare uncompressed JSON in UTF-8.
pub async fn json(
    headers: &HeaderMap,
    body: Body,
    state: &AppState,
    caller: &Caller,
) -> Result<(Json, Reservation), BodyRejection> {
    if !is_in_utf8(headers, "application/json") {
        return Err(BodyRejection::NotJson);
    }
    if !is_uncompressed(headers) {
        return Err(BodyRejection::Encoded);
    }
    // Without a length, the body may be of any size up to the limit.
    let length =
        body.size_hint().exact().map_or(BODY_BYTES_MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if length > BODY_BYTES_MAX {
        return Err(BodyRejection::TooLarge);
    }
    let share = state.budget.share(caller.share_holder());
    let mut memory = share.reserve(BODY_MEMORY * length).await.map_err(Error::NoMemory)?;
    let whole = to_bytes(body, BODY_BYTES_MAX).await;
    let whole = whole.map_err(|err| {
        if is_caused_by::<TooSlow>(&err) {
            BodyRejection::TooSlow
        } else if is_caused_by::<hyper::Error>(&err) {
            BodyRejection::Incomplete
        } else {
            BodyRejection::TooLarge
        }
    })?;
    let bytes = whole.len();
    let read = move || json_reader::read(&whole, &LIMITS);
    let json = match bytes > LARGE_BYTES {
        true => state.registry.compute(caller, "request", read).await?,
        false => read(),
    };
    match json {
        Ok(json) => {
            memory.shrink_to(BODY_MEMORY * bytes);
            Ok((json, memory))
        }
        Err(err) if matches!(err.kind(), ReadErrorKind::TooManyValues { .. }) => Err(BodyRejection::TooMany),
        Err(err) => Err(BodyRejection::Malformed(err)),
    }
}

/// Whether `Content-Encoding` names no coding. `identity` and empty members count as none (RFC 9110, sections 8.4.1
/// and 5.6.1).
pub fn is_uncompressed(headers: &HeaderMap) -> bool {
    let is_text = headers.get_all(header::CONTENT_ENCODING).iter().all(|line| line.to_str().is_ok());
    let mut codings = members(headers, header::CONTENT_ENCODING);
    is_text && codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
}

/// Whether there is a single `Content-Type`, with this media type in UTF-8. Without a charset, JSON is UTF-8 (RFC 8259,
/// section 8.1).
pub fn is_in_utf8(headers: &HeaderMap, media_type: &str) -> bool {
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    let mut parts = line.to_str().unwrap_or_default().split(';').map(str::trim);
    let is_it = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(media_type));
    let is_utf8 = parts.all(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let charset = value.trim().trim_matches('"');
        // `utf8` isn't a registered name, but some clients send it.
        !name.trim().eq_ignore_ascii_case("charset")
            || ["utf-8", "utf8"].iter().any(|name| charset.eq_ignore_ascii_case(name))
    });
    is_it && is_utf8
}

/// Deserialises a 32-bit integer or null. JSON has a single number type, so 2.0 is accepted as 2.
///
/// # Errors
/// For a fraction, a number out of range, or another type.
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else { return Ok(None) };
    let written = number.as_i64().and_then(|number| number.try_into().ok());
    // A double represents every i32 exactly.
    let range = f64::from(i32::MIN)..=f64::from(i32::MAX);
    let whole = Some(number.as_f64()).filter(|number| number.fract() == 0.0 && range.contains(number));
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and within the range")]
    let number = written.or(whole.map(|number| number as i32));
    number.map(Some).ok_or_else(|| de::Error::custom("not a 32-bit integer"))
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
