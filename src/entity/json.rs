//! Reads JSON columns with `json-reader`. sqlx would use serde_json's parser, which gives a special meaning to
//! keys that begin with `$serde_json::private::`.

use sea_orm::{ColIdx, DbErr, QueryResult, TryGetError};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use sqlx::{
    Decode, Postgres, Row, Type,
    error::BoxDynError,
    postgres::{PgTypeInfo, PgValueFormat, PgValueRef},
};

/// The version byte of the binary format of `jsonb`.
const JSONB_VERSION: u8 = 1;

/// The value of a column.
struct Column<T>(T);

impl<T> Type<Postgres> for Column<T> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("jsonb")
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <sqlx::types::Json<()> as Type<Postgres>>::compatible(ty)
    }
}

impl<T: DeserializeOwned> Decode<'_, Postgres> for Column<T> {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let is_binary = value.format() == PgValueFormat::Binary;
        let bytes = value.as_bytes()?;
        // JSON text never begins with that byte. The binary format of `json` is its text.
        let text = bytes.strip_prefix(&[JSONB_VERSION]).filter(|_| is_binary).unwrap_or(bytes);
        Ok(Self(json_reader::read_as(text, &json_reader::Limits::STORED)?))
    }
}

/// Reads a JSON value without serde_json's parser, because rows of older releases may contain keys with a special
/// meaning.
pub(super) fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<serde_json::Value, D::Error> {
    json_reader::Json::deserialize(deserializer).map(|json| json.to_serde())
}

/// Reads an optional JSON value like [`exact`].
pub(super) fn exact_if_any<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<serde_json::Value>, D::Error> {
    let json = Option::<json_reader::Json>::deserialize(deserializer)?;
    Ok(json.map(|json| json.to_serde()))
}

/// Reads a JSON column.
///
/// # Errors
/// When the column is NULL, when `json-reader` rejects its text, or when it isn't of this type.
pub(super) fn column<T: DeserializeOwned, I: ColIdx>(row: &QueryResult, at: I) -> Result<T, TryGetError> {
    let named = format!("{at:?}");
    let row = row.try_as_pg_row().ok_or_else(|| DbErr::Type("not a PostgreSQL row".to_owned()))?;
    let read = row.try_get::<Option<Column<T>>, _>(at.as_sqlx_postgres_index());
    let read = read.map_err(|err| DbErr::Type(format!("{named}: {err}")))?;
    read.map(|Column(read)| read).ok_or(TryGetError::Null(named))
}

/// Implements what sea-orm requires of the type of a `jsonb` column. It is read by [`column`] and written with its
/// serde implementation.
macro_rules! json_column {
    ($name:ident) => {
        impl sea_orm::TryGetable for $name {
            fn try_get_by<I: sea_orm::ColIdx>(
                row: &sea_orm::QueryResult,
                at: I,
            ) -> Result<Self, sea_orm::TryGetError> {
                $crate::entity::json::column(row, at)
            }
        }

        impl From<$name> for sea_orm::Value {
            fn from(column: $name) -> Self {
                // Can't fail: all keys that we serialise are strings.
                serde_json::to_value(column).unwrap_or_default().into()
            }
        }

        impl sea_orm::sea_query::ValueType for $name {
            fn try_from(value: sea_orm::Value) -> Result<Self, sea_orm::sea_query::ValueTypeErr> {
                let sea_orm::Value::Json(Some(json)) = value else {
                    return Err(sea_orm::sea_query::ValueTypeErr);
                };
                json_reader::from_json(&(*json).into()).map_err(|_| sea_orm::sea_query::ValueTypeErr)
            }

            fn type_name() -> String {
                stringify!($name).to_owned()
            }

            fn array_type() -> sea_orm::sea_query::ArrayType {
                sea_orm::sea_query::ArrayType::Json
            }

            fn column_type() -> sea_orm::sea_query::ColumnType {
                sea_orm::sea_query::ColumnType::JsonBinary
            }
        }

        impl sea_orm::sea_query::Nullable for $name {
            fn null() -> sea_orm::Value {
                sea_orm::Value::Json(None)
            }
        }
    };
}

pub(super) use json_column;
