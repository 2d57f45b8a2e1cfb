//! Typed reads: serde's `Deserializer` for [`Json`], with paths in its errors.

use std::fmt;

use serde::{
    de::{
        DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Unexpected,
        VariantAccess, Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};

use crate::{Json, Number, Object, Path, Segment, exact::EXACT, object, path::shortened};

/// The maximum length of a message, in characters. serde quotes unexpected values in full.
const MESSAGE_CHARS_MAX: usize = 300;

/// Why a value doesn't have the requested type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeError {
    pub(crate) message: String,
    pub(crate) path: Path,
    /// Whether the message names the last segment of the path: a member that is missing or unknown.
    pub(crate) names_member: bool,
}

impl TypeError {
    /// Returns the problem of the value at [`TypeError::path`].
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the path of the wrong, missing or unknown value.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn within(self, parent: Segment) -> Self {
        Self { path: self.path.within(parent), ..self }
    }
}

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, path, names_member } = self;
        let path = if *names_member { &path.parent() } else { path };
        if path.is_root() { f.write_str(message) } else { write!(f, "{message}, at `{path}`") }
    }
}

impl std::error::Error for TypeError {}

impl Error for TypeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let mut message = message.to_string();
        if let Some((end, _)) = message.char_indices().nth(MESSAGE_CHARS_MAX) {
            message.truncate(end);
            message.push('…');
        }
        Self { message, path: Path::default(), names_member: false }
    }

    /// The path leads to the missing member.
    fn missing_field(field: &'static str) -> Self {
        Self::of_member("missing", field)
    }

    /// The path leads to the unknown member. The message leaves out the known ones, which may be many.
    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::of_member("unknown", field)
    }
}

impl TypeError {
    fn of_member(problem: &str, name: &str) -> Self {
        let path = Path::new(vec![Segment::Key(name.to_owned())]);
        Self { message: format!("{problem} field `{}`", shortened(name)), path, names_member: true }
    }
}

/// Reads a `T` from a tree. Structs are read from objects only.
///
/// # Errors
/// [`TypeError`] when the tree isn't a `T`.
pub fn from_json<T: DeserializeOwned>(json: &Json) -> Result<T, TypeError> {
    T::deserialize(json)
}

pub(crate) fn unexpected(json: &Json) -> Unexpected<'_> {
    match json {
        Json::Null => Unexpected::Unit,
        Json::Bool(value) => Unexpected::Bool(*value),
        Json::Number(_) => Unexpected::Other("number"),
        Json::String(text) => Unexpected::Str(text),
        Json::Array(_) => Unexpected::Seq,
        Json::Object(_) => Unexpected::Map,
    }
}

impl<'de> Deserializer<'de> for &'de Json {
    type Error = TypeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypeError> {
        match self {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Number(number) => number.visit(visitor),
            Json::String(text) => visitor.visit_borrowed_str(text),
            Json::Array(items) => sequence(items, visitor),
            Json::Object(object) => map(object, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypeError> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypeError> {
        match self {
            Json::Object(object) => map(object, visitor),
            other => Err(TypeError::invalid_type(unexpected(other), &"an object")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TypeError> {
        match self {
            Json::Number(number) if name == EXACT => visitor.visit_borrowed_bytes(number.as_str().as_bytes()),
            _ if name == EXACT => self.deserialize_any(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypeError> {
        match self {
            Json::String(name) => visitor.visit_enum(Variant { name, content: None }),
            Json::Object(object) if object.len() == 1 => match object.iter().next() {
                Some((name, content)) => visitor.visit_enum(Variant { name, content: Some(content) }),
                None => Err(TypeError::invalid_type(Unexpected::Map, &"a string")),
            },
            other => Err(TypeError::invalid_type(unexpected(other), &"a string")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

impl Number {
    fn visit<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, TypeError> {
        match (self.as_u64(), self.as_i64()) {
            // Integers can't represent negative zero.
            _ if self.as_str() == "-0" => visitor.visit_f64(-0.0),
            (Some(number), _) => visitor.visit_u64(number),
            (None, Some(number)) => visitor.visit_i64(number),
            (None, None) => visitor.visit_f64(self.as_f64()),
        }
    }
}

fn sequence<'de, V: Visitor<'de>>(items: &'de [Json], visitor: V) -> Result<V::Value, TypeError> {
    let mut access = Items { items, at: 0 };
    let value = visitor.visit_seq(&mut access)?;
    if access.at == items.len() {
        return Ok(value);
    }
    Err(TypeError::invalid_length(items.len(), &format!("{} items", access.at).as_str()))
}

struct Items<'de> {
    items: &'de [Json],
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = TypeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, TypeError> {
        let Some(item) = self.items.get(self.at) else { return Ok(None) };
        let at = self.at;
        self.at += 1;
        seed.deserialize(item).map(Some).map_err(|err| err.within(Segment::Index(at)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.at)
    }
}

fn map<'de, V: Visitor<'de>>(object: &'de Object, visitor: V) -> Result<V::Value, TypeError> {
    visitor.visit_map(Members { members: object.iter(), current: None })
}

struct Members<'de> {
    members: object::Iter<'de>,
    current: Option<(&'de str, &'de Json)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = TypeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, TypeError> {
        self.current = self.members.next();
        let Some((key, _)) = self.current else { return Ok(None) };
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, TypeError> {
        let (key, value) =
            self.current.take().ok_or_else(|| TypeError::custom("a value was requested before its key"))?;
        seed.deserialize(value).map_err(|err| err.within(Segment::Key(key.to_owned())))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.members.len())
    }
}

/// A key of an object, read as a string or as a type that is read from a string, such as an id.
struct Key<'de>(&'de str);

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = TypeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypeError> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TypeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypeError> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypeError> {
        visitor.visit_enum(Variant { name: self.0, content: None })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// A variant of an enum: a name, or an object whose only key is the name and whose value is the content.
struct Variant<'de> {
    name: &'de str,
    content: Option<&'de Json>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = TypeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), TypeError> {
        let name: StrDeserializer<'_, TypeError> = StrDeserializer::new(self.name);
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> Variant<'de> {
    fn content(&self, expected: &str) -> Result<&'de Json, TypeError> {
        self.content.ok_or_else(|| TypeError::invalid_type(Unexpected::UnitVariant, &expected))
    }

    fn within<T>(&self, read: Result<T, TypeError>) -> Result<T, TypeError> {
        read.map_err(|err| err.within(Segment::Key(self.name.to_owned())))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = TypeError;

    fn unit_variant(self) -> Result<(), TypeError> {
        match self.content {
            None | Some(Json::Null) => Ok(()),
            Some(other) => self.within(Err(TypeError::invalid_type(unexpected(other), &"null"))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, TypeError> {
        let read = self.content("a value")?;
        self.within(seed.deserialize(read))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, TypeError> {
        let read = self.content("an array")?;
        self.within(read.deserialize_any(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypeError> {
        let read = self.content("an object")?;
        self.within(read.deserialize_struct("", fields, visitor))
    }
}
