//! Serialises a tree without white space. Numbers are written as their tokens, keys in their order.

use std::fmt::{self, Write};

use crate::{Json, Object, lexer};

impl Json {
    /// Serialises the value.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(true) => f.write_str("true"),
            Self::Bool(false) => f.write_str("false"),
            Self::Number(number) => f.write_str(number.as_str()),
            Self::String(text) => string(f, text),
            Self::Array(items) => {
                let mut before = '[';
                for item in items {
                    f.write_char(before)?;
                    fmt::Display::fmt(item, f)?;
                    before = ',';
                }
                f.write_str(if items.is_empty() { "[]" } else { "]" })
            }
            Self::Object(object) => fmt::Display::fmt(object, f),
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = '{';
        for (key, value) in self {
            f.write_char(before)?;
            string(f, key)?;
            f.write_char(':')?;
            fmt::Display::fmt(value, f)?;
            before = ',';
        }
        f.write_str(if self.is_empty() { "{}" } else { "}" })
    }
}

/// Writes a string in quotes, with minimal escaping.
fn string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    let mut rest = text;
    loop {
        let plain = lexer::plain(rest.as_bytes());
        // A run of plain bytes ends before an ASCII byte, hence at a character boundary.
        let (before, behind) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        f.write_str(before)?;
        let mut characters = behind.chars();
        match characters.next() {
            None => return f.write_char('"'),
            Some('"') => f.write_str("\\\"")?,
            Some('\\') => f.write_str("\\\\")?,
            Some('\u{8}') => f.write_str("\\b")?,
            Some('\u{c}') => f.write_str("\\f")?,
            Some('\n') => f.write_str("\\n")?,
            Some('\r') => f.write_str("\\r")?,
            Some('\t') => f.write_str("\\t")?,
            Some(control) => write!(f, "\\u{:04x}", u32::from(control))?,
        }
        rest = characters.as_str();
    }
}
