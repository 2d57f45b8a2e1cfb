//! `Deserialize` for [`Json`], [`Number`] and [`Object`], so that they can be fields of other types. With this
//! crate's deserialiser they keep the tokens of numbers.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor},
};

use crate::{Json, Number, Object, path::shortened, typed::unexpected};

/// The newtype name with which a type requests exact values from this crate's deserialiser. Names of Rust types
/// aren't part of the input, so no text can contain it.
pub(crate) const EXACT: &str = "json_reader::Json";

impl<'de> Deserialize<'de> for Json {
    /// Reads a tree. This crate's deserialiser passes exact tokens. With other deserialisers, numbers are limited to
    /// serde's data model.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(EXACT, Exact)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Number(number) => Ok(number),
            other => Err(D::Error::invalid_type(unexpected(&other), &"a number")),
        }
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Object(object) => Ok(object),
            other => Err(D::Error::invalid_type(unexpected(&other), &"an object")),
        }
    }
}

struct Exact;

impl<'de> Visitor<'de> for Exact {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        Json::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Json, E> {
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Json, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Json, E> {
        Number::from_f64(number).map(Json::Number).ok_or_else(|| E::custom("JSON has no infinite numbers"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Json, E> {
        Ok(text.into())
    }

    /// Reads the token of a number, as passed by this crate's deserialiser.
    fn visit_bytes<E: Error>(self, token: &[u8]) -> Result<Json, E> {
        let number = str::from_utf8(token).ok().and_then(Number::from_token);
        number.map(Json::Number).ok_or_else(|| E::invalid_type(Unexpected::Bytes(token), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Json::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Object::new();
        while let Some((key, value)) = members.next_entry::<String, Json>()? {
            if object.contains_key(&key) {
                return Err(Error::custom(format!("the key {:?} occurs twice", shortened(&key))));
            }
            object.insert(key, value);
        }
        Ok(Json::Object(object))
    }
}
