//! Keys of environments, such as `production` and `staging`.

use std::{fmt, str::FromStr, sync::Arc};

use sea_orm::{
    DbErr, QueryResult, TryFromU64, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The key of each customer's default environment.
pub const DEFAULT: &str = "production";
/// The greatest number of characters of a key.
const LENGTH_MAX: usize = 32;

/// The key of an environment: `^[a-z][a-z0-9-]{0,31}$`. The default value is `production`, which takes no memory.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct EnvironmentKey(Option<Arc<str>>);

/// A text isn't the key of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an environment's key has 1 to 32 lower-case letters of English, digits and hyphens, and begins with a letter, such as staging"
)]
pub struct NotAKey;

impl EnvironmentKey {
    /// The default environment's key, `production`.
    pub const DEFAULT: Self = Self(None);

    /// The key as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or(DEFAULT)
    }

    /// Whether this is the key of the default environment.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0.is_none()
    }
}

impl FromStr for EnvironmentKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match text.as_bytes() {
            _ if text == DEFAULT => Ok(Self(None)),
            [b'a'..=b'z', rest @ ..]
                if rest.len() < LENGTH_MAX && rest.iter().all(|byte| is_inner(*byte)) =>
            {
                Ok(Self(Some(text.into())))
            }
            _ => Err(NotAKey),
        }
    }
}

impl fmt::Display for EnvironmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for EnvironmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnvironmentKey({})", self.as_str())
    }
}

impl PartialOrd for EnvironmentKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// By the text.
impl Ord for EnvironmentKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Serialize for EnvironmentKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EnvironmentKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl From<EnvironmentKey> for Value {
    fn from(key: EnvironmentKey) -> Self {
        key.as_str().into()
    }
}

impl TryGetable for EnvironmentKey {
    fn try_get_by<I: sea_orm::ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        let text = String::try_get_by(row, index)?;
        text.parse().map_err(|err: NotAKey| TryGetError::DbErr(DbErr::Type(err.to_string())))
    }
}

impl ValueType for EnvironmentKey {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <String as ValueType>::try_from(value)?.parse().map_err(|_| ValueTypeErr)
    }

    fn type_name() -> String {
        "EnvironmentKey".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::Text
    }
}

impl sea_orm::sea_query::postgres_array::NotU8 for EnvironmentKey {}

// sea-orm requires this trait of every part of a primary key, but a key isn't a number.
impl TryFromU64 for EnvironmentKey {
    fn try_from_u64(_: u64) -> Result<Self, DbErr> {
        Err(DbErr::ConvertFromU64("EnvironmentKey"))
    }
}

impl Nullable for EnvironmentKey {
    fn null() -> Value {
        <String as Nullable>::null()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn production_is_the_default_however_it_is_made() {
        assert_eq!("production".parse(), Ok(EnvironmentKey::default()));
        assert!(EnvironmentKey::default().is_default());
        assert_eq!(EnvironmentKey::default().to_string(), "production");
        assert_ne!("staging".parse::<EnvironmentKey>().ok(), Some(EnvironmentKey::default()));
    }

    #[test]
    fn other_texts_are_no_keys() {
        for text in ["", "Staging", "1st", "-x", "a_b", "a b", "ä", &"a".repeat(33), "prod\n"] {
            assert_eq!(text.parse::<EnvironmentKey>(), Err(NotAKey), "{text:?}");
        }
        assert!("a".repeat(32).parse::<EnvironmentKey>().is_ok());
    }

    proptest! {
        #[test]
        fn a_key_is_written_as_it_was_read(text in "[a-z][a-z0-9-]{0,31}") {
            let key: EnvironmentKey = text.parse().unwrap();
            prop_assert_eq!(key.as_str(), &text);
        }
    }
}
