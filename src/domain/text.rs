//! Which text may be stored, and the canonical form of JSON.

use json_reader::{Json, Path, Segment, lossy_integer};
use serde_json::Value;

use super::{Error, Result};

/// The longest name of anything, in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// The longest description or message, in characters: a few paragraphs.
pub const DESCRIPTION_CHARS_MAX: usize = 2000;
/// The deepest nesting of JSON, in levels. Real schemas stay under 20, and recursion to this depth is safe on any
/// stack.
pub const JSON_DEPTH_MAX: usize = 32;

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

/// Checks that JSON can be stored: at most [`JSON_DEPTH_MAX`] levels deep, no U+0000.
pub(super) fn check_json(field: &str, value: &Json) -> Result<()> {
    json_at(field, value, JSON_DEPTH_MAX)
}

fn json_at(field: &str, value: &Json, depth: usize) -> Result<()> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::invalid(
            field,
            format!("{field} is nested more than {JSON_DEPTH_MAX} levels deep"),
        ));
    };
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => Ok(()),
        Json::String(text) => check_no_nul(field, text),
        Json::Array(values) => values.iter().try_for_each(|value| json_at(field, value, depth)),
        Json::Object(entries) => entries.iter().try_for_each(|(key, value)| {
            check_no_nul(field, key)?;
            json_at(field, value, depth)
        }),
    }
}

/// Checks that JSON contains no integer that programs which read doubles would round (I-JSON, RFC 7493).
pub(super) fn check_integers(field: &str, value: &Json) -> Result<()> {
    let Some(path) = lossy_integer(value) else { return Ok(()) };
    let path = path.within(Segment::Key(field.to_owned()));
    let message = format!(
        "`{path}` is an integer beyond ±(2^53−1), which most programs and models' APIs would round; send a smaller one, or \
         a string"
    );
    Err(Error::invalid(field, message))
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

/// The approximate length of JSON as text, in bytes.
pub(super) fn approximate_bytes(value: &Json) -> usize {
    /// Of a number, a literal, or the punctuation of a member.
    const TOKEN: usize = 4;
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => TOKEN,
        Json::String(text) => TOKEN + text.len(),
        Json::Array(values) => values.iter().map(|value| TOKEN + approximate_bytes(value)).sum(),
        Json::Object(entries) => {
            entries.iter().map(|(key, value)| TOKEN + key.len() + approximate_bytes(value)).sum()
        }
    }
}

/// The canonical form (RFC 8785) as bytes.
pub(super) fn canonical(value: &Value) -> Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).map_err(|err| Error::Internal(Box::new(err)))
}
