//! The table `changes` as an audit log: filtered pages, newest first, and counts.

use sea_orm::{
    ActiveEnum, DbBackend, EntityTrait, FromQueryResult, SelectModel, SelectorRaw, Statement, Value,
    sea_query::ArrayType,
};
use uuid::Uuid;

use super::{
    Reach, Slice,
    change::{Action, ActorKind, Entity, Model, Place},
    sql::{self, Sql},
    uuids,
};
use crate::id::{AgentId, CustomerId};

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
    pub actions: Option<Vec<Action>>,
    /// Only entries of this commit and later ones.
    pub from: Option<i64>,
    /// Only entries of commits before this one.
    pub until: Option<i64>,
}

/// The customers whose entries a list contains.
#[derive(Clone, Debug)]
pub enum Of {
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
fn filter(sql: &mut Sql, filter: &Filter) {
    let Filter { agent_id, actor_id, actor_kind, actions: _, from, until } = filter;
    sql.only("t.agent_id", "=", *agent_id);
    sql.only("t.actor_id", "=", *actor_id);
    if let Some(kind) = actor_kind {
        // As a literal, not a parameter: the index is partial, on `actor_kind <> 'USER'`.
        sql.when(format!("t.actor_kind = '{}'", kind.to_value()));
    }
    sql.only("t.revision", ">=", *from);
    sql.only("t.revision", "<", *until);
}

/// Binds the filter's actions, sorted and without duplicates; none when the filter names no actions.
fn kinds(sql: &mut Sql, filter: &Filter) -> Option<String> {
    let mut names: Vec<String> = filter.actions.as_ref()?.iter().map(ActiveEnum::to_value).collect();
    names.sort();
    names.dedup();
    let names = names.into_iter().map(|name| Value::String(Some(name))).collect();
    Some(sql.value(Value::Array(ArrayType::String, Some(Box::new(names)))))
}

/// Adds all of the filter's conditions.
fn whole(sql: &mut Sql, of: &Filter) {
    filter(sql, of);
    if let Some(kinds) = kinds(sql, of) {
        sql.when(format!("t.action = ANY({kinds})"));
    }
}

/// Returns the select of a page of entries that meet the conditions of `sql` and pass the filter: of the whole
/// table, or of each parent.
fn slice(sql: &mut Sql, of: &Filter, slice: &Slice<Place>, parents: Option<Parents<'_>>) -> String {
    // The list is newest first, so `after` means older.
    for (is, place) in [("<", slice.after), (">", slice.before)] {
        if let Some(Place { revision, position }) = place {
            let (revision, position) = (sql.value(revision), sql.value(position));
            sql.when(format!("(t.revision, t.position) {is} ({revision}, {position})"));
        }
    }
    filter(sql, of);
    let direction = if slice.backward { "ASC" } else { "DESC" };
    let limit = sql.value(sql::limit(slice.limit));
    let order = format!("ORDER BY t.revision {direction}, t.position {direction} LIMIT {limit}");
    let parent = parents.map(|parents| (parents.column(), sql.value(parents.ids())));
    if let Some((column, _)) = &parent {
        sql.when(format!("t.{column} = parent.id"));
    }
    // Indexes hold the entries of one action in order, but not those of several. So each action gets its own page,
    // unless the list is of one agent or one caller, which has few entries.
    let is_narrow =
        matches!(parents, Some(Parents::Agents(_))) || of.agent_id.is_some() || of.actor_id.is_some();
    let page = match kinds(sql, of) {
        Some(kinds) if is_narrow => {
            let conditions = sql.so_far();
            format!(
                "SELECT t.* FROM registry.changes AS t WHERE {conditions} AND t.action = ANY({kinds}) {order}"
            )
        }
        Some(kinds) => {
            let conditions = sql.so_far();
            format!(
                "SELECT t.* FROM unnest({kinds}) AS kind (name) CROSS JOIN LATERAL (\
                 SELECT t.* FROM registry.changes AS t WHERE {conditions} AND t.action = kind.name {order}) AS t {order}"
            )
        }
        None => format!("SELECT t.* FROM registry.changes AS t WHERE {} {order}", sql.so_far()),
    };
    match parent {
        None => page,
        Some((_, ids)) => {
            format!("SELECT t.* FROM unnest({ids}::uuid[]) AS parent (id) CROSS JOIN LATERAL ({page}) AS t")
        }
    }
}

/// A page of the log entries of these customers, newest first.
pub fn page(of: &Of, filter: &Filter, slice: &Slice<Place>) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let text = match of {
        Of::Everyone => self::slice(&mut sql, filter, slice, None),
        // A page for each customer from its index, then the page of these. No index orders the entries of several
        // customers.
        Of::Customers(customers) => {
            let each = self::slice(&mut sql, filter, slice, Some(Parents::Customers(customers)));
            let direction = if slice.backward { "ASC" } else { "DESC" };
            let limit = sql.value(sql::limit(slice.limit));
            format!("{each} ORDER BY t.revision {direction}, t.position {direction} LIMIT {limit}")
        }
    };
    Entity::find().from_raw_sql(sql.statement(text))
}

/// One page of log entries for each of these parents, newest first; only entries that `reach` admits.
pub fn page_each(
    reach: &Reach,
    parents: Parents<'_>,
    filter: &Filter,
    slice: &Slice<Place>,
) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let text = match parents {
        // Filters the parents instead of the rows: no index orders the entries of several customers.
        Parents::Customers(ids) => {
            let ids: Vec<CustomerId> = ids.iter().copied().filter(|id| reach.holds(*id)).collect();
            self::slice(&mut sql, filter, slice, Some(Parents::Customers(&ids)))
        }
        Parents::Agents(_) => {
            sql.within("t", reach);
            self::slice(&mut sql, filter, slice, Some(parents))
        }
    };
    Entity::find().from_raw_sql(sql.statement(text))
}

/// A count of log entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Count {
    /// The parent; none when the count isn't by parent.
    pub parent_id: Option<Uuid>,
    /// The number of entries.
    pub count: i64,
}

/// Counts the log entries of these customers.
pub fn count(of: &Of, filter: &Filter) -> SelectorRaw<SelectModel<Count>> {
    let mut sql = Sql::default();
    whole(&mut sql, filter);
    if let Of::Customers(customers) = of {
        let ids = sql.value(uuids(customers));
        sql.when(format!("t.customer_id = ANY({ids}::uuid[])"));
    }
    let text = format!(
        "SELECT NULL::uuid AS parent_id, count(*) AS count FROM registry.changes AS t WHERE {}",
        sql.so_far()
    );
    Count::find_by_statement(sql.statement(text))
}

/// Counts the log entries of each of these parents that `reach` admits. Returns no row for a parent without any.
pub fn count_each(reach: &Reach, parents: Parents<'_>, filter: &Filter) -> SelectorRaw<SelectModel<Count>> {
    let mut sql = Sql::default();
    whole(&mut sql, filter);
    sql.within("t", reach);
    let (column, ids) = (parents.column(), sql.value(parents.ids()));
    sql.when(format!("t.{column} = ANY({ids}::uuid[])"));
    let text = format!(
        "SELECT t.{column} AS parent_id, count(*) AS count FROM registry.changes AS t WHERE {} GROUP BY t.{column}",
        sql.so_far()
    );
    Count::find_by_statement(sql.statement(text))
}

/// The hash of an entry, without its content. All customers may see it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Hash {
    /// The entry's commit.
    pub revision: i64,
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
    Place { revision, position }: Place,
    until: i64,
    limit: u64,
) -> SelectorRaw<SelectModel<Hash>> {
    let read = "SELECT revision, position, row_hash, customer_id IS NOT DISTINCT FROM $1 AS is_own \
        FROM registry.changes WHERE (revision, position) > ($2, $3) AND revision <= $4 ORDER BY revision, position LIMIT $5";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [customer.into(), revision.into(), position.into(), until.into(), limit.into()];
    Hash::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, read, values))
}
