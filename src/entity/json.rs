//! Reads JSON columns with `json-reader`. sqlx would use serde_json's parser, which gives a special meaning to
//! keys that begin with `$serde_json::private::`.

use json_reader::Json;
use sea_orm::{
    ColIdx, ColumnType, DbErr, QueryResult, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, Nullable, ValueType, ValueTypeErr},
};
use serde::de::DeserializeOwned;
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

/// A `jsonb` column. PostgreSQL keeps neither the order of keys nor the tokens of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jsonb(pub Json);

impl TryGetable for Jsonb {
    fn try_get_by<I: ColIdx>(row: &QueryResult, at: I) -> Result<Self, TryGetError> {
        column(row, at).map(Self)
    }
}

impl From<Jsonb> for Value {
    fn from(Jsonb(json): Jsonb) -> Self {
        json.to_serde().into()
    }
}

impl ValueType for Jsonb {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        match value {
            Value::Json(Some(json)) => Ok(Self((*json).into())),
            _ => Err(ValueTypeErr),
        }
    }

    fn type_name() -> String {
        stringify!(Jsonb).to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::Json
    }

    fn column_type() -> ColumnType {
        ColumnType::JsonBinary
    }
}

impl Nullable for Jsonb {
    fn null() -> Value {
        Value::Json(None)
    }
}
