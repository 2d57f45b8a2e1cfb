//! Which text may be stored, and the canonical form of JSON.

use json_reader::{Json, Path, Segment, lossy_number};
use serde_json::Value;

use super::{Error, Result};

/// The longest name of anything, in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// The longest description or message, in characters: a few paragraphs.
pub const DESCRIPTION_CHARS_MAX: usize = 2000;
/// The deepest nesting of JSON, in levels. Real schemas stay under 20, and recursion to this depth is safe on any
/// stack.
pub const JSON_DEPTH_MAX: usize = 32;
/// The largest integer in JSON: up to here a double holds each integer exactly (RFC 7493, section 2.2).
pub const INTEGER_MAX: i64 = (1 << 53) - 1;
/// From here on, the canonical form writes a number with an exponent instead of as an integer (ECMA-262,
/// Number::toString).
const EXPONENT_FROM: f64 = 1e21;

/// Checks a name: 1 to [`NAME_CHARS_MAX`] characters, not all blank, no control characters.
pub(super) fn check_name(field: &str, text: &str) -> Result<()> {
    at_most(field, text, NAME_CHARS_MAX)?;
    if text.trim().is_empty() {
        return Err(Error::invalid(field, format!("{field} must not be blank")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(field, format!("{field} must not contain control characters")));
    }
    Ok(())
}

/// Checks a part of a name to search for: 1 to [`NAME_CHARS_MAX`] characters, no U+0000.
pub(super) fn check_part(field: &str, text: &str) -> Result<()> {
    at_most(field, text, NAME_CHARS_MAX)?;
    if text.is_empty() {
        return Err(Error::invalid(field, format!("{field} must not be empty; leave it out to list all")));
    }
    check_no_nul(field, text)
}

/// Checks a description or a message: at most [`DESCRIPTION_CHARS_MAX`] characters, no U+0000.
pub(super) fn check_description(field: &str, text: &str) -> Result<()> {
    at_most(field, text, DESCRIPTION_CHARS_MAX)?;
    check_no_nul(field, text)
}

fn at_most(field: &str, text: &str, limit: usize) -> Result<()> {
    let actual = text.chars().count();
    if actual > limit {
        return Err(Error::TooLarge { field: field.to_owned(), actual, limit, unit: "characters" });
    }
    Ok(())
}

/// Checks that a text doesn't contain U+0000, the one character that Postgres can't store.
pub(super) fn check_no_nul(field: &str, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::invalid(field, format!("{field} must not contain the character U+0000")));
    }
    Ok(())
}

/// Checks that JSON survives being stored and hashed (I-JSON, RFC 7493): at most [`JSON_DEPTH_MAX`] levels deep, no
/// U+0000, and no integer that a double can't hold.
pub(super) fn check_json(field: &str, value: &Value) -> Result<()> {
    json_at(field, value, JSON_DEPTH_MAX)
}

fn json_at(field: &str, value: &Value, depth: usize) -> Result<()> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::invalid(
            field,
            format!("{field} is nested more than {JSON_DEPTH_MAX} levels deep"),
        ));
    };
    match value {
        Value::Null | Value::Bool(_) => Ok(()),
        Value::Number(number) if is_exact(number) => Ok(()),
        Value::Number(_) => Err(Error::invalid(
            field,
            format!(
                "{field} contains an integer beyond ±(2^53−1), which JSON does not carry exactly; use a string"
            ),
        )),
        Value::String(text) => check_no_nul(field, text),
        Value::Array(values) => values.iter().try_for_each(|value| json_at(field, value, depth)),
        Value::Object(entries) => entries.iter().try_for_each(|(key, value)| {
            check_no_nul(field, key)?;
            json_at(field, value, depth)
        }),
    }
}

/// Checks, before anything rounds it, that JSON contains no number that a double can't hold exactly.
///
/// # Errors
/// [`Error::Invalid`], with the number's path.
pub fn check_exact(json: &Json) -> Result<()> {
    let Some(path) = lossy_number(json) else { return Ok(()) };
    let message =
        format!("`{path}` is an integer beyond ±(2^53−1), which JSON does not carry exactly; use a string");
    Err(Error::Invalid { field: field(&path), message })
}

/// The field that a path leads to or into, as error messages name fields: `tools.1.name`. `None` for the root.
#[must_use]
pub fn field(path: &Path) -> Option<String> {
    let key = |segment: Option<&Segment>| match segment {
        Some(Segment::Key(key)) => Some(key.clone()),
        _ => None,
    };
    let segments = path.segments();
    let mut field = key(segments.first())?;
    if let Some(Segment::Index(index)) = segments.get(1) {
        field += &format!(".{index}");
        if let Some(key) = key(segments.get(2)) {
            field += &format!(".{key}");
        }
    }
    Some(field)
}

/// Whether the number's canonical form isn't an integer, or is one within ±[`INTEGER_MAX`]. The canonical form writes
/// `1e18` as an integer, so a stored `1e18` couldn't be sent to the registry again.
fn is_exact(number: &serde_json::Number) -> bool {
    if let Some(integer) = number.as_i64() {
        return (-INTEGER_MAX..=INTEGER_MAX).contains(&integer);
    }
    // A number that isn't an `i64` is a larger integer or a double.
    #[expect(clippy::cast_precision_loss, reason = "2^53−1 is exact as a double")]
    let largest = INTEGER_MAX as f64;
    number.as_f64().is_some_and(|number| number.abs() <= largest || number.abs() >= EXPONENT_FROM)
}

/// The approximate length of JSON as text, in bytes.
pub(super) fn approximate_bytes(value: &Value) -> usize {
    /// Of a number, a literal, or the punctuation of a member.
    const TOKEN: usize = 4;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => TOKEN,
        Value::String(text) => TOKEN + text.len(),
        Value::Array(values) => values.iter().map(|value| TOKEN + approximate_bytes(value)).sum(),
        Value::Object(entries) => {
            entries.iter().map(|(key, value)| TOKEN + key.len() + approximate_bytes(value)).sum()
        }
    }
}

/// The canonical form (RFC 8785) as bytes.
pub(super) fn canonical(value: &Value) -> Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).map_err(|err| Error::Internal(Box::new(err)))
}
