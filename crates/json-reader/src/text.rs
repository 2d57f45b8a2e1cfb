//! Checked text of one JSON value.

use std::{fmt, sync::Arc};

use serde::{
    Deserialize,
    de::Deserializer,
    ser::{Error, Serialize, Serializer},
};

use crate::{Json, Limits, ReadError, read};

/// The text of one JSON value as it was given: keys in their order, the tokens of numbers. White space is left out,
/// and strings are escaped only where they must be. Clones share the text.
///
/// serde_json writes it as it is. Texts are equal if they are the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JsonText(Arc<str>);

impl JsonText {
    /// Writes the text of a tree.
    #[must_use]
    pub fn of(json: &Json) -> Self {
        Self(json.to_text().into())
    }

    /// Reads a text, within the limits of stored text, and removes its white space.
    ///
    /// # Errors
    /// [`ReadError`] when it isn't JSON.
    pub fn read(text: &[u8]) -> Result<Self, ReadError> {
        read(text, &Limits::STORED).map(|json| Self::of(&json))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses the text.
    #[must_use]
    pub fn parse(&self) -> Json {
        // A text that was written from a tree always parses.
        read(self.0.as_bytes(), &Limits::STORED).unwrap_or_default()
    }
}

impl Default for JsonText {
    fn default() -> Self {
        Self::of(&Json::Null)
    }
}

impl fmt::Display for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_text(&self.0, serializer)
    }
}

/// Serialises the text of a JSON value as it is, with serde_json.
///
/// # Errors
/// When the text isn't JSON.
pub fn serialize_text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    #[expect(clippy::disallowed_types, reason = "it is written, never read: no key of it means anything")]
    let raw = serde_json::value::RawValue::from_string(text.to_owned());
    raw.map_err(S::Error::custom)?.serialize(serializer)
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::deserialize(deserializer).map(|json| Self::of(&json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_as_it_was_given_but_for_white_space() {
        let given = r#" { "b" : 1.0, "a" : [ 1e0, -0, 115792089237316195423570985008687907853269984665640564039457584007913129639935 ],
            "\u0041\n" : "\u00e9\/" } "#;
        let text = JsonText::read(given.as_bytes()).unwrap();
        let expected = r#"{"b":1.0,"a":[1e0,-0,115792089237316195423570985008687907853269984665640564039457584007913129639935],"A\n":"é/"}"#;
        assert_eq!(text.as_str(), expected);
        assert_eq!(serde_json::to_string(&[&text]).unwrap(), format!("[{expected}]"));
        assert_eq!(JsonText::of(&text.parse()), text);
        let again: JsonText = crate::read_as(given.as_bytes(), &Limits::DEFAULT).unwrap();
        assert_eq!(again, text);
    }
}
