//! Between our tree and serde_json's, without any text in between.

use serde_json::Value;

use crate::{Json, Number, Object};

impl Number {
    /// The same number in serde_json: an integer when its token is one's and 64 bits hold it, else the double next to it.
    #[must_use]
    pub fn to_serde(&self) -> serde_json::Number {
        let integer = || match self.as_str() {
            // No integer is negative zero, and serde_json reads it as a double.
            "-0" => None,
            _ => self.as_i64().map(Into::into).or_else(|| self.as_u64().map(Into::into)),
        };
        let double = || serde_json::Number::from_f64(self.as_f64());
        // Every token is of a finite double.
        integer().or_else(double).unwrap_or_else(|| 0.into())
    }
}

impl Json {
    /// The same value in serde_json: as its parser would have read it. The order of keys is lost, as are the tokens of
    /// numbers: `1.0` and `1e0` are one there, and an integer beyond 64 bits is rounded to a double.
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

/// As serde_json would write it. The keys that only serde_json gives a meaning are kept too: nothing here interprets
/// them.
impl From<Value> for Json {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => {
                // serde_json writes numbers of JSON, and none that is infinite.
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
