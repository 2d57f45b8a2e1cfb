//! Which text may be stored, and the canonical form of JSON.

use json_reader::{Json, Object, Path, Segment, lossy_integer};
use serde_json::Value;
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;

use super::{Error, Result};

/// The longest name of anything, in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// The longest description or message, in characters: a few paragraphs.
pub const DESCRIPTION_CHARS_MAX: usize = 2000;
/// The deepest nesting of JSON, in levels. Real schemas stay under 20, and recursion to this depth is safe on any
/// stack.
pub const JSON_DEPTH_MAX: usize = 32;
/// The longest name of an input field, in bytes.
const FIELD_BYTES_MAX: usize = 64;

/// Checks the name of something of ours, and returns it in Unicode's normal form C, so that names which look the same
/// are the same: 1 to [`NAME_CHARS_MAX`] characters, one of them visible, no white space at its ends, no control and no
/// format characters.
pub(super) fn normal_name(field: &str, text: &str) -> Result<String> {
    let name: String = text.nfc().collect();
    check_name(field, &name)?;
    if name.trim() != name {
        let message = format!("{field} must not begin or end with white space");
        return Err(Error::invalid(field, message));
    }
    if let Some(hidden) = name.chars().find(|char| is_hidden_in_names(*char)) {
        let message = format!(
            "{field} must not contain the invisible character U+{:04X}: names that look the same must be the same",
            u32::from(hidden)
        );
        return Err(Error::invalid(field, message));
    }
    Ok(name)
}

/// Checks a name within a content, which stays as it is given: 1 to [`NAME_CHARS_MAX`] characters, one of them visible,
/// no control characters.
pub(super) fn check_name(field: &str, text: &str) -> Result<()> {
    at_most(field, text, NAME_CHARS_MAX)?;
    if !text.chars().any(is_visible) {
        return Err(Error::invalid(field, format!("{field} must not be blank")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(field, format!("{field} must not contain control characters")));
    }
    Ok(())
}

/// Whether a character that shows nothing, or breaks the line, would make a twin of a name.
fn is_hidden_in_names(char: char) -> bool {
    use GeneralCategory::{Format, LineSeparator, ParagraphSeparator};
    let category = get_general_category(char);
    matches!(category, Format | LineSeparator | ParagraphSeparator) || is_filler(char)
}

/// Fillers of Hangul, inherent vowels of Khmer and the joiner of graphemes, which are never shown.
fn is_filler(char: char) -> bool {
    matches!(char, '\u{34f}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}')
}

/// Whether a character shows anything by itself.
fn is_visible(char: char) -> bool {
    let category = get_general_category(char);
    let is_blank = match char {
        // The empty pattern of Braille, fillers of Hangul that others need, and characters that only change others
        // (DerivedCoreProperties.txt, Default_Ignorable_Code_Point).
        '\u{115f}' | '\u{1160}' | '\u{2800}' => true,
        '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}' => true,
        _ => is_filler(char) || char.is_whitespace(),
    };
    let is_hidden = matches!(
        category,
        GeneralCategory::Format
            | GeneralCategory::Control
            | GeneralCategory::Unassigned
            | GeneralCategory::Surrogate
    );
    !is_blank && !is_hidden
}

/// Checks a part of a name to search for: at most [`NAME_CHARS_MAX`] characters, no U+0000. An empty one filters
/// nothing.
pub(super) fn check_part(field: &str, text: &str) -> Result<()> {
    at_most(field, text, NAME_CHARS_MAX)?;
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

/// Renames the keys of an object from the spelling of GraphQL to that of REST and of files. Leaves its values as they
/// are, and any other JSON.
///
/// # Errors
/// [`Error::Invalid`] when the object has a field in both spellings.
pub fn with_snake_case_keys(json: Json) -> Result<Json> {
    let Json::Object(object) = json else { return Ok(json) };
    let mut renamed = Object::new();
    for (key, value) in object {
        let snake = snake_case(&key);
        if renamed.contains_key(&snake) {
            let message = format!("`{snake}` occurs twice, in the spelling of REST and in that of GraphQL");
            return Err(Error::Invalid { field: Some(snake), message });
        }
        renamed.insert(snake, value);
    }
    Ok(Json::Object(renamed))
}

/// Converts a field's name from the camelCase of GraphQL to the snake_case of REST and of files.
#[must_use]
pub fn snake_case(field: &str) -> String {
    let mut snake = String::with_capacity(field.len() + 4);
    for character in field.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

/// The field that a path leads to or into, as error messages name fields: `tools.1.name`. `None` for the root, and for
/// a key that can't be a field's name, so that a path is never split within a key.
#[must_use]
pub fn field(path: &Path) -> Option<String> {
    let is_name = |key: &str| {
        key.len() <= FIELD_BYTES_MAX && key.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
    };
    let key = |segment: Option<&Segment>| match segment {
        Some(Segment::Key(key)) if is_name(key) => Some(key.clone()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_however_it_is_composed() {
        assert_eq!(normal_name("name", "Cafe\u{301}").unwrap(), "Café");
        for name in ["Bot", "Ä 🦀", "دستیار", "⚙\u{fe0f}", "한국어", "a\u{301}"] {
            assert!(normal_name("name", name).is_ok(), "{name:?}");
        }
        // Limits count the normal form.
        assert!(normal_name("name", &"e\u{301}".repeat(NAME_CHARS_MAX)).is_ok());
    }

    #[test]
    fn a_name_shows_something_and_hides_nothing() {
        let blank = [
            "",
            " ",
            "\u{200b}",
            "\u{2060}",
            "\u{ad}",
            "\u{2800}",
            "\u{115f}",
            "\u{3164}",
            "\u{fe0f}",
            "\u{34f}\u{a0}",
        ];
        for name in blank {
            assert!(normal_name("name", name).is_err() && check_name("name", name).is_err(), "{name:?}");
        }
        let hidden = [
            "Bot ",
            " Bot",
            "\u{2003}Bot",
            "B\u{200b}ot",
            "Bot\u{202e}toB",
            "\u{feff}Bot",
            "B\u{ad}ot",
            "a\u{2066}b",
            "a\u{34f}b",
            "a\u{2028}b",
            "a\u{2029}b",
            "a\u{3164}b",
        ];
        for name in hidden {
            assert!(normal_name("name", name).is_err(), "{name:?}");
            assert!(check_name("name", name).is_ok(), "a content keeps {name:?}");
        }
        assert!(normal_name("name", "a\nb").is_err() && check_name("name", "a\nb").is_err());
    }
}
