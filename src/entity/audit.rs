//! The table `changes` as an audit log: filtered pages, newest first, and counts.

use sea_orm::{
    ActiveEnum, DbBackend, EntityTrait, FromQueryResult, SelectModel, SelectorRaw, Statement, Value,
    sea_query::ArrayType,
};
use uuid::Uuid;

use super::{
    KeysetPage, TenantFilter,
    change::{ActorKind, ChangeAction, Entity, LogPosition, Model},
    count::{self, COUNTED_ROWS_MAX, SelectCounts},
    sql::{self, Sql},
    uuids,
};
use crate::id::{AgentId, CustomerId, Revision};

/// The filter of a list of log entries. All conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Only entries about this agent.
    pub agent_id: Option<AgentId>,
    /// Only entries by this caller.
    pub actor_id: Option<Uuid>,
    /// Only entries by callers of this kind.
    pub actor_kind: Option<ActorKind>,
    /// Only entries with one of these actions.
    pub actions: Option<Vec<ChangeAction>>,
    /// Only entries of this commit and later ones.
    pub from: Option<Revision>,
    /// Only entries of commits before this one.
    pub until: Option<Revision>,
}

/// The customers whose entries a list contains.
#[derive(Clone, Debug)]
pub enum AuditScope {
    /// All customers, and the platform's own entries.
    Everyone,
    /// The listed customers.
    Customers(Vec<CustomerId>),
}

/// The parents of a batch of lists: each has its own list of entries.
#[derive(Clone, Copy, Debug)]
pub enum Parents<'a> {
    /// The entries of each of these customers.
    Customers(&'a [CustomerId]),
    /// The entries about each of these agents.
    Agents(&'a [AgentId]),
}

impl Parents<'_> {
    fn column(self) -> &'static str {
        match self {
            Self::Customers(_) => "customer_id",
            Self::Agents(_) => "agent_id",
        }
    }

    fn ids(self) -> Value {
        match self {
            Self::Customers(ids) => uuids(ids),
            Self::Agents(ids) => uuids(ids),
        }
    }
}

/// Adds all of the filter's conditions but the actions.
fn conditions_but_actions(sql: &mut Sql, filter: &Filter) {
    let Filter { agent_id, actor_id, actor_kind, actions: _, from, until } = filter;
    sql.and_compare("t.agent_id", "=", *agent_id);
    sql.and_compare("t.actor_id", "=", *actor_id);
    if let Some(kind) = actor_kind {
        // As a literal, not a parameter: the index is partial, on `actor_kind <> 'USER'`.
        sql.and_where(format!("t.actor_kind = '{}'", kind.to_value()));
    }
    sql.and_compare("t.revision", ">=", *from);
    sql.and_compare("t.revision", "<", *until);
}

/// Binds the filter's actions, sorted and without duplicates; none when the filter names no actions.
fn kinds(sql: &mut Sql, filter: &Filter) -> Option<String> {
    let mut names: Vec<String> = filter.actions.as_ref()?.iter().map(ActiveEnum::to_value).collect();
    names.sort();
    names.dedup();
    let names = names.into_iter().map(|name| Value::String(Some(name))).collect();
    Some(sql.bind(Value::Array(ArrayType::String, Some(Box::new(names)))))
}

/// Returns the select of these columns of a page of the entries that meet the conditions of `sql` and pass the
/// filter: of the whole table, or of the parent `parent.id`. Entries of several actions are in no order, and more than
/// a page.
pub(super) fn rows_select(
    columns: &str,
    sql: &mut Sql,
    of: &Filter,
    page: &KeysetPage<LogPosition>,
    parents: Option<Parents<'_>>,
) -> String {
    // The list is newest first, so `after` means older.
    for (is, place) in [("<", page.after), (">", page.before)] {
        if let Some(LogPosition { revision, position }) = place {
            let (revision, position) = (sql.bind(revision), sql.bind(position));
            sql.and_where(format!("(t.revision, t.position) {is} ({revision}, {position})"));
        }
    }
    conditions_but_actions(sql, of);
    let limit = sql.bind(sql::limit(page.limit));
    let order = format!("{} LIMIT {limit}", newest_first(page));
    if let Some(parents) = parents {
        sql.and_where(format!("t.{} = parent.id", parents.column()));
    }
    // Indexes hold the entries of one action in order, but not those of several. So each action gets its own page,
    // unless the list is of one agent or one caller, which has few entries.
    let is_narrow =
        matches!(parents, Some(Parents::Agents(_))) || of.agent_id.is_some() || of.actor_id.is_some();
    let (kinds, conditions) = (kinds(sql, of), sql.where_clause());
    let select = format!("SELECT {columns} FROM registry.changes AS t WHERE {conditions}");
    match kinds {
        Some(kinds) if is_narrow => format!("{select} AND t.action = ANY({kinds}) {order}"),
        Some(kinds) => format!(
            "SELECT {columns} FROM unnest({kinds}) AS kind (name) CROSS JOIN LATERAL (\
             {select} AND t.action = kind.name {order}) AS t"
        ),
        None => format!("{select} {order}"),
    }
}

/// The order of a page of entries.
fn newest_first(page: &KeysetPage<LogPosition>) -> String {
    let direction = if page.backward { "ASC" } else { "DESC" };
    format!("ORDER BY t.revision {direction}, t.position {direction}")
}

/// Returns the select of a page of entries that meet the conditions of `sql` and pass the filter: of the whole
/// table, or of each parent.
fn page_select(
    sql: &mut Sql,
    of: &Filter,
    page: &KeysetPage<LogPosition>,
    parents: Option<Parents<'_>>,
) -> String {
    let rows = rows_select("t.*", sql, of, page, parents);
    let (order, limit) = (newest_first(page), sql.bind(sql::limit(page.limit)));
    let page = format!("SELECT t.* FROM ({rows}) AS t {order} LIMIT {limit}");
    match parents {
        None => page,
        Some(parents) => {
            let ids = sql.bind(parents.ids());
            format!("SELECT t.* FROM unnest({ids}::uuid[]) AS parent (id) CROSS JOIN LATERAL ({page}) AS t")
        }
    }
}

/// A page of the log entries of these customers, newest first.
pub fn page(
    of: &AuditScope,
    filter: &Filter,
    page: &KeysetPage<LogPosition>,
) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let text = match of {
        AuditScope::Everyone => page_select(&mut sql, filter, page, None),
        // A page for each customer from its index, then the page of these. No index orders the entries of several
        // customers.
        AuditScope::Customers(customers) => {
            let each = page_select(&mut sql, filter, page, Some(Parents::Customers(customers)));
            let (order, limit) = (newest_first(page), sql.bind(sql::limit(page.limit)));
            format!("{each} {order} LIMIT {limit}")
        }
    };
    Entity::find().from_raw_sql(sql.statement(text))
}

/// One page of log entries for each of these parents, newest first; only entries that `tenants` admits.
pub fn page_each(
    tenants: &TenantFilter,
    parents: Parents<'_>,
    filter: &Filter,
    page: &KeysetPage<LogPosition>,
) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let text = match parents {
        // Filters the parents instead of the rows: no index orders the entries of several customers.
        Parents::Customers(ids) => {
            let ids: Vec<CustomerId> = ids.iter().copied().filter(|id| tenants.admits(*id)).collect();
            page_select(&mut sql, filter, page, Some(Parents::Customers(&ids)))
        }
        Parents::Agents(_) => {
            sql.within("t", tenants);
            page_select(&mut sql, filter, page, Some(parents))
        }
    };
    Entity::find().from_raw_sql(sql.statement(text))
}

/// Returns the select of the entries to count: the first page of that length, because no other select is sure to
/// begin at the index of the filter.
fn counted_select(sql: &mut Sql, of: &Filter, parents: Option<Parents<'_>>) -> String {
    let page = KeysetPage { after: None, before: None, limit: COUNTED_ROWS_MAX, backward: false };
    format!("SELECT FROM ({}) AS t", rows_select("t.revision", sql, of, &page, parents))
}

/// Counts the log entries of these customers.
pub fn count(of: &AuditScope, filter: &Filter) -> SelectCounts {
    let mut sql = Sql::default();
    let select = match of {
        AuditScope::Everyone => counted_select(&mut sql, filter, None),
        AuditScope::Customers(customers) => {
            let each = counted_select(&mut sql, filter, Some(Parents::Customers(customers)));
            let ids = sql.bind(uuids(customers));
            format!("SELECT FROM unnest({ids}::uuid[]) AS parent (id) CROSS JOIN LATERAL ({each}) AS t")
        }
    };
    count::of_select(sql, &select)
}

/// Counts the log entries of each of these parents that `tenants` admits.
pub fn count_each(tenants: &TenantFilter, parents: Parents<'_>, filter: &Filter) -> SelectCounts {
    let mut sql = Sql::default();
    sql.within("t", tenants);
    let select = counted_select(&mut sql, filter, Some(parents));
    count::of_each(sql, parents.ids(), &select)
}

/// The hash of an entry, without its content. All customers may see it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct EntryHash {
    /// The entry's commit.
    pub revision: Revision,
    /// The entry's position in the commit.
    pub position: i32,
    /// SHA-256 over the entry's content.
    pub row_hash: Vec<u8>,
    /// Whether the entry is the customer's own.
    pub is_own: bool,
}

/// The hashes of all entries after a position and up to the commit `until`, oldest first, with those of `customer`
/// marked.
pub fn hashes(
    customer: CustomerId,
    LogPosition { revision, position }: LogPosition,
    until: Revision,
    limit: u64,
) -> SelectorRaw<SelectModel<EntryHash>> {
    let read = "SELECT revision, position, row_hash, customer_id IS NOT DISTINCT FROM $1 AS is_own \
        FROM registry.changes WHERE (revision, position) > ($2, $3) AND revision <= $4 ORDER BY revision, position LIMIT $5";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [customer.into(), revision.into(), position.into(), until.into(), limit.into()];
    EntryHash::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, read, values))
}
