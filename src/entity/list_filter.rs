//! The conditions of a list's filter as SQL: on the list's own rows, and as an index that finds the rows which meet them.
//! Text is compared in ways for which row-level security permits an index (see `0007_search.up.sql`), and without regard to
//! case by `registry.fold_case`.

use unicode_normalization::UnicodeNormalization;

/// How many characters of each suffix of a name the tables of suffixes store.
const ENDING_CHARS: usize = 40;
/// Ends the range of texts that begin with `from`: `from <= text < from || END`.
const END: &str = "chr(1114111)";

/// A text in the normal form of names.
pub(super) fn normal(text: &str) -> String {
    text.nfc().collect()
}

/// One condition of a filter: on the list's own row, and as an index that finds the rows which meet it.
pub(super) struct ListCondition {
    /// The condition on the list's row. Written so that Postgres uses no index for it: it might scan that index instead of a
    /// list's order.
    row: Comparison,
    /// `None` when nearly all rows meet the condition.
    index: Option<IndexMatches>,
    /// Whether the index has exactly one row for each row that meets the condition, and none for others.
    has_one_row_each: bool,
}

/// The rows of an index that a condition selects.
pub(super) struct IndexMatches {
    /// The column with the id of the list's row.
    pub(super) column: &'static str,
    /// The table, or a select in parentheses.
    pub(super) from: String,
    comparison: Comparison,
}

/// A condition on a row.
pub(super) enum Comparison {
    /// The column equals the value.
    Equals(&'static str, String),
    /// The column begins with the value, as a range.
    InRange(&'static str, String),
    /// The column begins with the value, without an index.
    Begins(&'static str, String),
    /// The column contains the value.
    Contains(&'static str, String),
    /// The column is null, or isn't.
    IsNull(&'static str, bool),
    /// This condition, in which `@` stands for the row.
    Meets(String),
    /// A row of this table, by its column with the list's id, meets this condition, in which `@` stands for that row.
    Has(&'static str, &'static str, String),
    /// Both: the comparison, and this condition, in which `@` stands for the row.
    Both(Box<Comparison>, String),
}

impl Comparison {
    /// The column contains a text that begins with the value, as a range of a table of suffixes.
    pub(super) fn ends_with(column: &'static str, part: &str) -> Self {
        Self::InRange(column, format!("left({part}, {ENDING_CHARS})"))
    }

    /// This comparison, together with a condition in which `@` stands for the row.
    pub(super) fn and(self, condition: String) -> Self {
        Self::Both(Box::new(self), condition)
    }

    /// The comparison in the row `alias`.
    fn on(&self, alias: &str) -> String {
        match self {
            Self::Equals(column, value) => format!("{alias}.{column} = {value}"),
            Self::InRange(column, from) => {
                format!("{alias}.{column} >= {from} AND {alias}.{column} < {from} || {END}")
            }
            Self::Begins(column, start) => format!("strpos({alias}.{column}, {start}) = 1"),
            Self::Contains(column, part) => format!("strpos({alias}.{column}, {part}) > 0"),
            Self::IsNull(column, true) => format!("{alias}.{column} IS NULL"),
            Self::IsNull(column, false) => format!("{alias}.{column} IS NOT NULL"),
            Self::Meets(condition) => condition.replace('@', alias),
            Self::Both(one, condition) => format!("{} AND {}", condition.replace('@', alias), one.on(alias)),
            // A scalar subquery, because Postgres might turn EXISTS into a join that begins with all rows of the table.
            Self::Has(table, column, condition) => format!(
                "(SELECT true FROM registry.{table} AS u WHERE u.{column} = {alias}.id AND {})",
                condition.replace('@', "u")
            ),
        }
    }
}

impl IndexMatches {
    /// A condition on a table, by its column with the id of the list's row.
    pub(super) fn of(table: &'static str, column: &'static str, comparison: Comparison) -> Self {
        Self { column, from: format!("registry.{table}"), comparison }
    }

    /// All rows of a select.
    pub(super) fn of_select(select: &str, column: &'static str) -> Self {
        Self { column, from: format!("({select})"), comparison: Comparison::Meets("true".to_owned()) }
    }

    /// The condition on the table's row `alias`, without one on the customer.
    pub(super) fn on(&self, alias: &str) -> String {
        self.comparison.on(alias)
    }
}

impl ListCondition {
    /// A condition that an index finds rows for. It has one row for each of them.
    pub(super) fn indexed(row: Comparison, index: IndexMatches) -> Self {
        Self { row, index: Some(index), has_one_row_each: true }
    }

    /// A condition for which an index has several rows for each row of the list, or rows that don't meet it.
    pub(super) fn roughly_indexed(row: Comparison, index: IndexMatches) -> Self {
        Self { row, index: Some(index), has_one_row_each: false }
    }

    /// A condition that nearly all rows meet.
    pub(super) fn frequent(row: Comparison) -> Self {
        Self { row, index: None, has_one_row_each: false }
    }

    /// The condition on the list's row `alias` alone.
    pub(super) fn on(&self, alias: &str) -> String {
        self.row.on(alias)
    }

    /// The index.
    pub(super) fn index(&self) -> Option<&IndexMatches> {
        self.index.as_ref()
    }

    /// Whether the index has exactly one row for each row that meets the condition, and none for others.
    pub(super) fn has_one_row_each(&self) -> bool {
        self.has_one_row_each
    }
}
