//! `changes` as those read it who ask what happened: pages, newest first, of one moment of the log.

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

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Only about this agent.
    pub agent_id: Option<AgentId>,
    /// Only by this caller.
    pub actor_id: Option<Uuid>,
    /// Only by callers of this kind.
    pub actor_kind: Option<ActorKind>,
    /// Only of these kinds.
    pub actions: Option<Vec<Action>>,
    /// Only of this commit and later ones.
    pub from: Option<i64>,
    /// Only of commits before this one.
    pub until: Option<i64>,
}

/// Whose entries a list holds.
#[derive(Clone, Debug)]
pub enum Of {
    /// Everybody's, and the platform's own.
    Everyone,
    /// These customers'.
    Customers(Vec<CustomerId>),
}

/// Below which rows a list of its own stands.
#[derive(Clone, Copy, Debug)]
pub enum Parents<'a> {
    /// Each of these customers.
    Customers(&'a [CustomerId]),
    /// Each of these agents.
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

/// Only entries that the filter lets pass, but for their kinds.
fn filter(sql: &mut Sql, filter: &Filter) {
    let Filter { agent_id, actor_id, actor_kind, actions: _, from, until } = filter;
    sql.only("t.agent_id", "=", *agent_id);
    sql.only("t.actor_id", "=", *actor_id);
    if let Some(kind) = actor_kind {
        // Its name and no value: there is an index for some of them only.
        sql.when(format!("t.actor_kind = '{}'", kind.to_value()));
    }
    sql.only("t.revision", ">=", *from);
    sql.only("t.revision", "<", *until);
}

/// The kinds that the filter lets pass, each once.
fn kinds(sql: &mut Sql, filter: &Filter) -> Option<String> {
    let mut names: Vec<String> = filter.actions.as_ref()?.iter().map(ActiveEnum::to_value).collect();
    names.sort();
    names.dedup();
    let names = names.into_iter().map(|name| Value::String(Some(name))).collect();
    Some(sql.value(Value::Array(ArrayType::String, Some(Box::new(names)))))
}

/// All that the filter says, as conditions of `sql`.
fn whole(sql: &mut Sql, of: &Filter) {
    filter(sql, of);
    if let Some(kinds) = kinds(sql, of) {
        sql.when(format!("t.action = ANY({kinds})"));
    }
}

/// A page of the rows that meet the conditions of `sql` and pass the filter: those of the table, or of each parent's.
fn slice(sql: &mut Sql, of: &Filter, slice: &Slice<Place>, parents: Option<Parents<'_>>) -> String {
    // Newest first, so what comes after a place is older.
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
    // An index has the entries of each kind in order, but not those of several; one agent's or one caller's are few.
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

/// A page of the entries of all these.
pub fn page(of: &Of, filter: &Filter, slice: &Slice<Place>) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let text = match of {
        Of::Everyone => self::slice(&mut sql, filter, slice, None),
        // First a page of each, because an index has each customer's entries in order, and then a page of these.
        Of::Customers(customers) => {
            let each = self::slice(&mut sql, filter, slice, Some(Parents::Customers(customers)));
            let direction = if slice.backward { "ASC" } else { "DESC" };
            let limit = sql.value(sql::limit(slice.limit));
            format!("{each} ORDER BY t.revision {direction}, t.position {direction} LIMIT {limit}")
        }
    };
    Entity::find().from_raw_sql(sql.statement(text))
}

/// The same page of the entries within reach of each of these.
pub fn page_each(
    reach: &Reach,
    parents: Parents<'_>,
    filter: &Filter,
    slice: &Slice<Place>,
) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let text = match parents {
        // By the parents alone: of several customers at once no index has the entries in order.
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

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Count {
    /// Of which parent; none for all together.
    pub parent_id: Option<Uuid>,
    /// So many.
    pub count: i64,
}

/// How many entries all these have.
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

/// How many entries within reach each of these has; none for one without.
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

/// The bare hash of an entry: what others may know of it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Hash {
    /// Its commit.
    pub revision: i64,
    /// Its place in that.
    pub position: i32,
    /// SHA-256 over what it says.
    pub row_hash: Vec<u8>,
    /// Whether it is the customer's own.
    pub is_own: bool,
}

/// The hashes of all entries after a place and up to a commit, in order, and which are this customer's.
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
