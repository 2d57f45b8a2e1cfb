//! Pages and counts of lists in orders of their own. The keys of an order stand in an index, with the ids of its rows;
//! rows without a value come last in both directions, so they are read from a part of the index of their own. Filters are
//! served as `search.rs` serves them: each condition's index is read up to [`LOOKUP_MAX`] matches, and if there are fewer,
//! these are looked up and sorted.

use sea_orm::Value;

use super::{
    KeysetPage,
    count::COUNTED_ROWS_MAX,
    list_filter::{IndexMatches, ListCondition},
    list_position::{ListPosition, SortKey, SortKind},
    search::LOOKUP_MAX,
    sql::{Sql, limit},
};

/// The index that a list is read from.
#[derive(Clone, Debug)]
pub(super) struct ListOrder {
    /// The table with the values.
    pub(super) table: &'static str,
    /// Its column with the list's ids.
    pub(super) id: &'static str,
    /// Its column with the values; `None` when the list is ordered by ids alone.
    pub(super) key: Option<&'static str>,
    /// What the values are.
    pub(super) kind: SortKind,
    /// A further condition on the table's row, in which `@` stands for the row.
    pub(super) within: Option<String>,
    /// The rows that the filter can pass.
    pub(super) parts: Parts,
    /// Descending instead of ascending.
    pub(super) is_descending: bool,
}

impl ListOrder {
    /// The order of the ids of this table.
    pub(super) fn by_id(table: &'static str, is_descending: bool) -> Self {
        let (id, key, kind, within) = ("id", None, SortKind::Id, None);
        Self { table, id, key, kind, within, parts: Parts::Values, is_descending }
    }
}

/// Which parts of an order a filter can pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// The rows with a value; all of them have one, or the filter passes only those.
    Values,
    /// The rows without a value.
    Nothing,
    /// Both.
    Both,
}

/// A list: the table of its rows, with an id in the column `id`, and the filter.
pub(super) struct OrderedList<'a> {
    pub(super) table: &'static str,
    pub(super) order: &'a ListOrder,
    pub(super) conditions: &'a [ListCondition],
    /// Returns the condition that a row, by its alias and its column with the list's id, is of the list's customers.
    pub(super) whose: &'a dyn Fn(&str, &str) -> String,
}

impl ListOrder {
    /// The column of a page's rows that holds the value.
    pub(super) fn column(&self) -> &'static str {
        match self.kind {
            SortKind::Id | SortKind::Text => "sort_text",
            SortKind::Time => "sort_time",
        }
    }

    /// The order of the rows `table`, as their own select and as a page of pages have them.
    pub(super) fn order_by(&self, key: Option<&str>, id: &str, is_backward: bool) -> String {
        let direction = if self.is_descending == is_backward { "ASC" } else { "DESC" };
        match key {
            None => format!("ORDER BY {id} {direction}"),
            Some(key) => {
                let nulls = if is_backward { "DESC" } else { "ASC" };
                format!("ORDER BY ({key} IS NULL) {nulls}, {key} {direction}, {id} {direction}")
            }
        }
    }

    /// The operators of what is after a position, and before it.
    fn operators(&self) -> [&'static str; 2] {
        if self.is_descending { ["<", ">"] } else { [">", "<"] }
    }
}

/// A bound of a page: its operator, and the placeholders of its value and its id.
struct Bound {
    operator: &'static str,
    is_after: bool,
    value: Option<String>,
    id: String,
    is_id: bool,
}

impl Bound {
    /// The condition on a row with a value; `None` when no such row meets it.
    fn on_value(&self, key: &str, id: &str) -> Option<String> {
        let Self { operator, is_after, value, id: bound, is_id } = self;
        match value {
            Some(value) => Some(format!(" AND ({key}, {id}) {operator} ({value}, {bound})")),
            None if *is_id => Some(format!(" AND {id} {operator} {bound}")),
            None if *is_after => None,
            None => Some(String::new()),
        }
    }

    /// The condition on a row without a value; `None` when no such row meets it.
    fn on_nothing(&self, id: &str) -> Option<String> {
        let Self { operator, is_after, value, id: bound, .. } = self;
        match value {
            None => Some(format!(" AND {id} {operator} {bound}")),
            Some(_) if *is_after => Some(String::new()),
            Some(_) => None,
        }
    }

    /// The condition on any row.
    fn on_any(&self, key: &str, id: &str) -> String {
        let with = self.on_value(key, id).map(|bound| format!("{key} IS NOT NULL{bound}"));
        let without = self.on_nothing(id).map(|bound| format!("{key} IS NULL{bound}"));
        let either: Vec<String> = with.into_iter().chain(without).collect();
        format!(" AND ({})", either.join(" OR "))
    }
}

impl OrderedList<'_> {
    /// Returns the select of a page's rows, with the columns `t.*` and the value in `sort_text` or `sort_time`.
    pub(super) fn page<I>(&self, page: &KeysetPage<ListPosition<I>>, sql: &mut Sql) -> String
    where
        I: Clone + Into<Value>,
    {
        let Self { table, order, conditions, whose } = self;
        let bounds = bounds(order, page, sql);
        let (rows, lookup_max) = (sql.bind(limit(page.limit)), LOOKUP_MAX.max(limit(page.limit)));
        let passes: String =
            conditions.iter().map(|condition| format!(" AND {}", condition.on("t"))).collect();
        let of_list = whose("t", "id");
        let (value, column) = (order.key.map_or("NULL::text", |_| "o.sort_key"), order.column());
        let other =
            if column == "sort_text" { "NULL::timestamptz AS sort_time" } else { "NULL::text AS sort_text" };
        let columns = format!("t.*, {value} AS {column}, {other}");
        let (mut looked, mut ways, mut many) = (Vec::new(), Vec::new(), String::new());
        for (nth, index) in conditions.iter().filter_map(ListCondition::index).enumerate() {
            looked.push(self.looked_up(nth, index, lookup_max));
            let sorted = order.order_by(order.key.map(|_| "o.sort_key"), "t.id", page.backward);
            let beyond: String = match order.key {
                Some(_) => bounds.iter().map(|bound| bound.on_any("o.sort_key", "t.id")).collect(),
                None => bounds.iter().filter_map(|bound| bound.on_value("", "t.id")).collect(),
            };
            let value = self.value_of("t.id");
            ways.push(format!(
                "(SELECT {columns} FROM (SELECT DISTINCT id FROM i{nth}) AS w CROSS JOIN LATERAL \
                 (SELECT t.* FROM registry.{table} AS t WHERE t.id = w.id AND {of_list}{passes} OFFSET 0) AS t{value} \
                 WHERE (SELECT count(*) FROM i{nth}) < {lookup_max}{many}{beyond} {sorted} LIMIT {rows})"
            ));
            many += &format!(" AND (SELECT count(*) FROM i{nth}) >= {lookup_max}");
        }
        let scans = self.scans(&bounds, page.backward);
        if !scans.is_empty() {
            ways.push(format!(
                "(SELECT {columns} FROM ({}) AS o CROSS JOIN LATERAL \
                 (SELECT t.* FROM registry.{table} AS t WHERE t.id = o.id AND {of_list}{passes} OFFSET 0) AS t \
                 WHERE true{many} LIMIT {rows})",
                scans.join(" UNION ALL ")
            ));
        }
        let with = if looked.is_empty() { String::new() } else { format!("WITH {} ", looked.join(", ")) };
        let sorted = order.order_by(order.key.map(|_| column), "id", page.backward);
        format!("{with}SELECT * FROM ({}) AS p {sorted} LIMIT {rows}", ways.join(" UNION ALL "))
    }

    /// Returns the select of the rows to count, at most [`COUNTED_ROWS_MAX`]. The list must be in the order of ids. A single
    /// condition whose index has one row for each row of the list is counted there.
    pub(super) fn counted<I>(&self, sql: &mut Sql) -> String
    where
        I: Clone + Into<Value>,
    {
        let all = |from: &str, column: &str, condition: &str| {
            let of_list = (self.whose)("x", column);
            format!("SELECT FROM {from} AS x WHERE {of_list} AND {condition} LIMIT {COUNTED_ROWS_MAX}")
        };
        let rows = match self.conditions {
            [] => Some(all(&format!("registry.{}", self.table), "id", "true")),
            [only] if only.has_one_row_each() => {
                only.index().map(|index| all(&index.from, index.column, &index.on("x")))
            }
            _ => None,
        };
        let rows = rows.unwrap_or_else(|| {
            let page = KeysetPage { after: None, before: None, limit: COUNTED_ROWS_MAX, backward: false };
            self.page::<I>(&page, sql)
        });
        // A select of its own, because the caller may add a LIMIT to it.
        format!("SELECT FROM ({rows}) AS t")
    }

    /// Returns the index's matches as a common table expression.
    fn looked_up(&self, nth: usize, index: &IndexMatches, lookup_max: i64) -> String {
        let IndexMatches { column, from, .. } = index;
        let (of_list, condition) = ((self.whose)("x", column), index.on("x"));
        format!(
            "i{nth} AS MATERIALIZED (SELECT x.{column} AS id FROM {from} AS x WHERE {of_list} AND {condition} \
             LIMIT {lookup_max})"
        )
    }

    /// Returns the join that reads the value of the row with this id; nothing when the list is ordered by ids.
    fn value_of(&self, id: &str) -> String {
        let ListOrder { table, id: column, key, within, .. } = self.order;
        let Some(key) = key else { return String::new() };
        let within =
            within.as_ref().map_or(String::new(), |within| format!(" AND {}", within.replace('@', "x")));
        format!(
            " CROSS JOIN LATERAL (SELECT x.{key} AS sort_key FROM registry.{table} AS x WHERE x.{column} = {id}{within} \
             OFFSET 0) AS o"
        )
    }

    /// Returns the selects that read the order's index from the page's bounds on, in the page's direction: of the rows with
    /// a value, and of those without one. The second is run when the first doesn't fill the page.
    fn scans(&self, bounds: &[Bound], is_backward: bool) -> Vec<String> {
        let ListOrder { table, id, key, within, parts, is_descending, .. } = self.order;
        let direction = if *is_descending == is_backward { "ASC" } else { "DESC" };
        let mut of_list = (self.whose)("x", id);
        if let Some(within) = within {
            of_list += &format!(" AND {}", within.replace('@', "x"));
        }
        let column = format!("x.{id}");
        let Some(key) = key else {
            let beyond: String = bounds.iter().filter_map(|bound| bound.on_value("", &column)).collect();
            return vec![format!(
                "(SELECT {column} AS id FROM registry.{table} AS x WHERE {of_list}{beyond} ORDER BY {column} {direction})"
            )];
        };
        let value = format!("x.{key}");
        // Rows without a value are ordered by it too, since only so does Postgres see that the index has them in order.
        let select = |is: &str, beyond: String| {
            format!(
                "(SELECT {column} AS id, {value} AS sort_key FROM registry.{table} AS x \
                 WHERE {of_list} AND {value} {is}{beyond} ORDER BY {value} {direction}, {column} {direction})"
            )
        };
        let with: Option<String> = bounds.iter().map(|bound| bound.on_value(&value, &column)).collect();
        let with = with.filter(|_| *parts != Parts::Nothing).map(|beyond| select("IS NOT NULL", beyond));
        let without: Option<String> = bounds.iter().map(|bound| bound.on_nothing(&column)).collect();
        let without = without.filter(|_| *parts != Parts::Values).map(|beyond| select("IS NULL", beyond));
        let mut scans: Vec<String> = with.into_iter().chain(without).collect();
        if is_backward {
            scans.reverse();
        }
        scans
    }
}

/// Binds the positions between which a page lies.
fn bounds<I: Clone + Into<Value>>(
    order: &ListOrder,
    page: &KeysetPage<ListPosition<I>>,
    sql: &mut Sql,
) -> Vec<Bound> {
    let [beyond, short_of] = order.operators();
    let ends = [(beyond, true, &page.after), (short_of, false, &page.before)];
    let bound = |(operator, is_after, position): (&'static str, bool, &Option<ListPosition<I>>)| {
        let ListPosition { key, id } = position.clone()?;
        let value = key.value().map(|value| sql.bind(value));
        Some(Bound { operator, is_after, value, id: sql.bind(id), is_id: key == SortKey::Id })
    };
    ends.into_iter().filter_map(bound).collect()
}
