//! Counts of lists. Each stops at a limit, so that the count of a very long list costs no more than that of a long one.

use sea_orm::{FromQueryResult, SelectModel, SelectorRaw, Value};
use uuid::Uuid;

use super::sql::Sql;

/// The greatest count of a list. A dashboard shows "10,000+" for a longer one, and counting 10,000 rows takes
/// milliseconds.
pub const COUNT_MAX: u64 = 10_000;

/// The most rows that a count reads: one more than [`COUNT_MAX`], to know whether there are more.
pub(super) const COUNTED_ROWS_MAX: u64 = COUNT_MAX + 1;

/// The number of rows of a list, or that it has more than [`COUNT_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BoundedCount(u64);

impl BoundedCount {
    /// The count of a list of which at least this many rows were read.
    #[must_use]
    pub fn of(rows: u64) -> Self {
        Self(rows)
    }

    /// The number of rows, at most [`COUNT_MAX`].
    #[must_use]
    pub fn total(self) -> u64 {
        self.0.min(COUNT_MAX)
    }

    /// Whether the list has exactly [`BoundedCount::total`] rows; false when it has more.
    #[must_use]
    pub fn is_exact(self) -> bool {
        self.0 <= COUNT_MAX
    }
}

/// A row of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Counted {
    /// The parent. `None` for a count of one list.
    pub parent_id: Option<Uuid>,
    /// The number of rows, at most one more than [`COUNT_MAX`].
    pub count: i64,
}

impl Counted {
    /// The count.
    #[must_use]
    pub fn bounded(self) -> BoundedCount {
        BoundedCount::of(u64::try_from(self.count).unwrap_or(0))
    }
}

/// A raw select of counts.
pub type SelectCounts = SelectorRaw<SelectModel<Counted>>;

/// Counts the rows that `select` returns. The limit stops the select itself, so it must not sort what no index sorts.
pub(super) fn of_select(sql: Sql, select: &str) -> SelectCounts {
    Counted::find_by_statement(sql.statement(format!(
        "SELECT NULL::uuid AS parent_id, count(*) AS count FROM ({select} LIMIT {COUNTED_ROWS_MAX}) AS t"
    )))
}

/// As [`of_select`], for each of these parents; `select` names its parent `parent.id`. Returns a row for each parent.
pub(super) fn of_each(mut sql: Sql, parents: Value, select: &str) -> SelectCounts {
    let parents = sql.bind(parents);
    Counted::find_by_statement(sql.statement(format!(
        "SELECT parent.id AS parent_id, counted.count FROM unnest({parents}::uuid[]) AS parent (id) CROSS JOIN LATERAL \
         (SELECT count(*) AS count FROM ({select} LIMIT {COUNTED_ROWS_MAX}) AS t) AS counted"
    )))
}

/// Counts the rows of a table `t` that meet the conditions of `sql`, for each of these parents. The rows are read in
/// the order of `key`, for which an index exists below each parent, so that the plan uses this index.
pub(super) fn of_rows_under_each(
    sql: Sql,
    table: &str,
    (parent, parents): (&str, Value),
    key: &str,
) -> SelectCounts {
    let conditions = sql.where_clause();
    let select = format!(
        "SELECT FROM registry.{table} AS t WHERE t.{parent} = parent.id AND {conditions} ORDER BY t.{key}"
    );
    of_each(sql, parents, &select)
}

#[cfg(test)]
mod tests {
    use super::{BoundedCount, COUNT_MAX, of_rows_under_each, of_select};
    use crate::entity::{sql::Sql, uuids};

    #[test]
    fn a_count_is_exact_up_to_its_limit() {
        let counted = |rows| (BoundedCount::of(rows).total(), BoundedCount::of(rows).is_exact());
        assert_eq!(counted(0), (0, true));
        assert_eq!(BoundedCount::of(0), BoundedCount::default());
        assert_eq!(counted(COUNT_MAX - 1), (9_999, true));
        assert_eq!(counted(COUNT_MAX), (10_000, true));
        assert_eq!(counted(COUNT_MAX + 1), (10_000, false));
        assert_eq!(counted(u64::MAX), (10_000, false));
    }

    #[test]
    fn a_count_reads_one_row_more_than_it_returns() {
        let one = of_select(Sql::default(), "SELECT FROM registry.agents").into_statement().to_string();
        assert!(one.contains("FROM (SELECT FROM registry.agents LIMIT 10001) AS t"), "{one}");
        let each = of_rows_under_each(Sql::default(), "agents", ("owner_id", uuids::<uuid::Uuid>(&[])), "id");
        let each = each.into_statement().to_string();
        assert!(
            each.contains("WHERE t.owner_id = parent.id AND true ORDER BY t.id LIMIT 10001) AS t"),
            "{each}"
        );
    }
}
