//! Columns of JSON, read as text by our own reader: sqlx hands them to serde_json's parser, which obeys keys.

use sea_orm::{ColIdx, DbErr, QueryResult, TryGetError};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use sqlx::{
    Decode, Postgres, Row, Type,
    error::BoxDynError,
    postgres::{PgTypeInfo, PgValueFormat, PgValueRef},
};

/// The version of the binary form of `jsonb`.
const JSONB_VERSION: u8 = 1;

/// What a column holds.
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
        // No text of JSON begins with that byte, and `json` has the same form as its text.
        let text = bytes.strip_prefix(&[JSONB_VERSION]).filter(|_| is_binary).unwrap_or(bytes);
        Ok(Self(json_reader::read_as(text, &json_reader::Limits::STORED)?))
    }
}

/// Reads a value as it is. serde_json's own reading would obey keys that an older release has stored.
pub(super) fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<serde_json::Value, D::Error> {
    json_reader::Json::deserialize(deserializer).map(|json| json.to_serde())
}

/// The same, of a value that may be left out.
pub(super) fn exact_if_any<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<serde_json::Value>, D::Error> {
    let json = Option::<json_reader::Json>::deserialize(deserializer)?;
    Ok(json.map(|json| json.to_serde()))
}

/// Reads a column of JSON.
///
/// # Errors
/// When it is NULL, when it is not JSON that our reader takes, or not of this type.
pub(super) fn column<T: DeserializeOwned, I: ColIdx>(row: &QueryResult, at: I) -> Result<T, TryGetError> {
    let named = format!("{at:?}");
    let row = row.try_as_pg_row().ok_or_else(|| DbErr::Type("a row of another database".to_owned()))?;
    let read = row.try_get::<Option<Column<T>>, _>(at.as_sqlx_postgres_index());
    let read = read.map_err(|err| DbErr::Type(format!("{named}: {err}")))?;
    read.map(|Column(read)| read).ok_or(TryGetError::Null(named))
}

/// What sea-orm wants of a type that a column of `jsonb` holds: it is read by [`column`], and written as serde has it.
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
                // What we serialize has text for keys, so it can't fail.
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
