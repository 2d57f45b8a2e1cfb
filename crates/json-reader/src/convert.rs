//! Conversions between this crate's tree and serde_json's, without a text in between.

use serde_json::Value;

use crate::{Json, Number, Object};

impl Number {
    /// Converts to serde_json: to an integer if the token is an integer that fits 64 bits, else to the nearest double.
    #[must_use]
    pub fn to_serde(&self) -> serde_json::Number {
        let integer = || match self.as_str() {
            // serde_json parses negative zero as a double, since no integer represents it.
            "-0" => None,
            _ => self.as_i64().map(Into::into).or_else(|| self.as_u64().map(Into::into)),
        };
        let double = || serde_json::Number::from_f64(self.as_f64());
        // `0` is unreachable: every token is a finite double.
        integer().or_else(double).unwrap_or_else(|| 0.into())
    }
}

impl Json {
    /// Converts to serde_json, with the result of its own parser. Loses the order of keys and the tokens of
    /// numbers: `1.0` and `1e0` become the same, and an integer beyond 64 bits is rounded to a double.
    #[must_use]
    pub fn to_serde(&self) -> Value {
        self.clone().into()
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => Self::Number(number.to_serde()),
            Json::String(text) => Self::String(text),
            Json::Array(items) => Self::Array(items.into_iter().map(Into::into).collect()),
            Json::Object(object) => Self::Object(object.into()),
        }
    }
}

impl From<Object> for serde_json::Map<String, Value> {
    fn from(object: Object) -> Self {
        object.into_iter().map(|(key, value)| (key, value.into())).collect()
    }
}

/// Converts from serde_json. Keys that serde_json interprets are kept as ordinary keys.
impl From<Value> for Json {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => {
                // `Null` is unreachable: serde_json formats finite JSON numbers.
                Number::from_token(&number.to_string()).map_or(Self::Null, Self::Number)
            }
            Value::String(text) => Self::String(text),
            Value::Array(items) => Self::Array(items.into_iter().map(Into::into).collect()),
            Value::Object(members) => Self::Object(members.into()),
        }
    }
}

impl From<serde_json::Map<String, Value>> for Object {
    fn from(members: serde_json::Map<String, Value>) -> Self {
        members.into_iter().map(|(key, value)| (key, value.into())).collect()
    }
}
