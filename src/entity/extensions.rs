//! A version's extensions, as they are stored and served: the text of a JSON object, or nothing.

use json_reader::{Json, JsonText, Object, ReadError};
use serde::{Serialize, Serializer};

/// The extensions of a version: an object whose keys are URIs or reverse domains. An empty object is the same as none, and
/// has no text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions(Option<JsonText>);

impl Extensions {
    /// Writes the text of this object.
    #[must_use]
    pub fn of(object: &Object) -> Self {
        Self((!object.is_empty()).then(|| JsonText::of(&Json::Object(object.clone()))))
    }

    /// Reads the text of a column.
    pub(super) fn read(text: Option<&str>) -> Result<Self, ReadError> {
        text.map(|text| JsonText::read(text.as_bytes())).transpose().map(Self)
    }

    /// The text; `None` without extensions.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.0.as_ref().map(JsonText::as_str)
    }

    /// The text that is served: an empty object without extensions.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text().unwrap_or("{}")
    }

    /// The size of the text in bytes; 0 without extensions.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text().map_or(0, str::len)
    }

    /// Parses the text; `None` without extensions.
    #[must_use]
    pub fn parse(&self) -> Option<Json> {
        self.0.as_ref().map(JsonText::parse)
    }
}

impl Serialize for Extensions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json_reader::serialize_text(self.as_str(), serializer)
    }
}
