//! What text may be stored, and how JSON is made canonical.

use json_reader::{Json, Path, Segment, lossy_number};
use serde_json::Value;

use super::{Error, Result};

/// The longest name of anything, in characters: a line of a list, with room.
pub const NAME_CHARS_MAX: usize = 200;
/// The longest description or message, in characters: a few paragraphs; more belongs in a document of its own.
pub const DESCRIPTION_CHARS_MAX: usize = 2000;
/// The deepest JSON, in levels: real schemas stay under 20, and recursion over it must be safe on any stack.
pub const JSON_DEPTH_MAX: usize = 32;
/// The largest integer in JSON: what a double holds exactly, and the next one too (RFC 7493, section 2.2).
pub const INTEGER_MAX: i64 = (1 << 53) - 1;
/// From here on the canonical form writes a number with an exponent, not as an integer (ECMA-262, Number::toString).
const EXPONENT_FROM: f64 = 1e21;

/// A name: 1 to [`NAME_CHARS_MAX`] characters, not all blank, no control characters.
pub(super) fn name(field: &str, text: &str) -> Result<()> {
    at_most(field, text, NAME_CHARS_MAX)?;
    if text.trim().is_empty() {
        return Err(Error::invalid(field, format!("{field} must not be blank")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(field, format!("{field} must not hold control characters")));
    }
    Ok(())
}

/// A part of a name to look for: 1 to [`NAME_CHARS_MAX`] characters.
pub(super) fn part(field: &str, text: &str) -> Result<()> {
    at_most(field, text, NAME_CHARS_MAX)?;
    if text.is_empty() {
        return Err(Error::invalid(field, format!("{field} must not be empty; leave it out to find all")));
    }
    no_nul(field, text)
}

/// A description or a message: at most [`DESCRIPTION_CHARS_MAX`] characters.
pub(super) fn description(field: &str, text: &str) -> Result<()> {
    at_most(field, text, DESCRIPTION_CHARS_MAX)?;
    no_nul(field, text)
}

fn at_most(field: &str, text: &str, limit: usize) -> Result<()> {
    let actual = text.chars().count();
    if actual > limit {
        return Err(Error::TooLarge { field: field.to_owned(), actual, limit, unit: "characters" });
    }
    Ok(())
}

/// Postgres keeps every character but this one.
pub(super) fn no_nul(field: &str, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::invalid(field, format!("{field} must not hold the character U+0000")));
    }
    Ok(())
}

/// JSON that survives being stored and hashed (I-JSON, RFC 7493): at most [`JSON_DEPTH_MAX`] deep, no U+0000, no
/// integer that a double can't hold.
pub(super) fn json(field: &str, value: &Value) -> Result<()> {
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
                "{field} holds an integer beyond ±(2^53−1), which JSON does not carry exactly; use a string"
            ),
        )),
        Value::String(text) => no_nul(field, text),
        Value::Array(values) => values.iter().try_for_each(|value| json_at(field, value, depth)),
        Value::Object(entries) => entries.iter().try_for_each(|(key, value)| {
            no_nul(field, key)?;
            json_at(field, value, depth)
        }),
    }
}

/// Refuses JSON with a number that a double does not carry safely, before anything rounds it.
///
/// # Errors
/// [`Error::Invalid`], with the number's path.
pub fn exact(json: &Json) -> Result<()> {
    let Some(path) = lossy_number(json) else { return Ok(()) };
    let message = format!(
        "`{path}` holds an integer beyond ±(2^53−1), which JSON does not carry exactly; use a string"
    );
    Err(Error::Invalid { field: field(&path), message })
}

/// The field that a path leads to or into, as errors name fields: `tools.1.name`. None of the whole.
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

/// Whether its canonical form is no integer, or one within [`INTEGER_MAX`]: `1e18` is written as an integer there, so
/// that what is stored of it could not be given back to the registry if it were taken.
fn is_exact(number: &serde_json::Number) -> bool {
    if let Some(integer) = number.as_i64() {
        return (-INTEGER_MAX..=INTEGER_MAX).contains(&integer);
    }
    // What is no `i64` is beyond it or a double.
    #[expect(clippy::cast_precision_loss, reason = "2^53−1 is exact as a double")]
    let largest = INTEGER_MAX as f64;
    number.as_f64().is_some_and(|number| number.abs() <= largest || number.abs() >= EXPONENT_FROM)
}

/// The canonical form of RFC 8785, in bytes.
pub(super) fn canonical(value: &Value) -> Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).map_err(|err| Error::Internal(Box::new(err)))
}
