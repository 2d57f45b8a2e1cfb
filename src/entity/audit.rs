//! `changes` as those read it who ask what happened: pages, newest first, of one moment of the log.

use sea_orm::{
    ActiveEnum, DbBackend, EntityTrait, FromQueryResult, SelectModel, SelectorRaw, Statement, Value,
    sea_query::ArrayType,
};
use uuid::Uuid;

use super::{
    Reach, Slice,
    change::{Action, ActorKind, Entity, Model, Place},
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

/// A statement as it grows: its values, and the conditions that name them.
#[derive(Default)]
struct Sql {
    values: Vec<Value>,
    conditions: Vec<String>,
}

impl Sql {
    /// Takes a value; answers its name.
    fn value(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Only rows of which `column` stands so to this value.
    fn only(&mut self, column: &str, is: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let value = self.value(value);
            self.conditions.push(format!("{column} {is} {value}"));
        }
    }

    fn filter(&mut self, filter: &Filter) {
        let Filter { agent_id, actor_id, actor_kind, actions, from, until } = filter;
        self.only("t.agent_id", "=", *agent_id);
        self.only("t.actor_id", "=", *actor_id);
        self.only("t.actor_kind", "=", actor_kind.as_ref().map(ActiveEnum::to_value));
        self.only("t.revision", ">=", *from);
        self.only("t.revision", "<", *until);
        if let Some(actions) = actions {
            let names = actions.iter().map(|action| Value::String(Some(action.to_value()))).collect();
            let names = self.value(Value::Array(ArrayType::String, Some(Box::new(names))));
            self.conditions.push(format!("t.action = ANY({names})"));
        }
    }

    fn within(&mut self, reach: &Reach) {
        if let Reach::Only(customers) = reach {
            let ids = self.value(uuids(customers));
            self.conditions.push(format!("t.customer_id = ANY({ids}::uuid[])"));
        }
    }

    fn beyond(&mut self, is: &str, place: Option<Place>) {
        if let Some(Place { revision, position }) = place {
            let (revision, position) = (self.value(revision), self.value(position));
            self.conditions.push(format!("(t.revision, t.position) {is} ({revision}, {position})"));
        }
    }

    /// What the conditions so far come to.
    fn so_far(&self) -> String {
        if self.conditions.is_empty() { "true".to_owned() } else { self.conditions.join(" AND ") }
    }

    /// The rows of a page that meet the conditions so far: those of the table, or of each parent's.
    fn slice(&mut self, slice: &Slice<Place>, parents: Option<Parents<'_>>) -> String {
        let Slice { after, before, limit, backward } = slice;
        // Newest first, so what comes after a place is older.
        self.beyond("<", *after);
        self.beyond(">", *before);
        let direction = if *backward { "ASC" } else { "DESC" };
        let limit = self.value(i64::try_from(*limit).unwrap_or(i64::MAX));
        let conditions = self.so_far();
        let order = format!("ORDER BY t.revision {direction}, t.position {direction} LIMIT {limit}");
        match parents {
            None => format!("SELECT t.* FROM registry.changes AS t WHERE {conditions} {order}"),
            Some(parents) => {
                let (column, ids) = (parents.column(), self.value(parents.ids()));
                format!(
                    "SELECT t.* FROM unnest({ids}::uuid[]) AS parent (id) CROSS JOIN LATERAL (\
                     SELECT t.* FROM registry.changes AS t WHERE t.{column} = parent.id AND {conditions} {order}) AS t"
                )
            }
        }
    }

    fn statement(self, sql: String) -> Statement {
        Statement::from_sql_and_values(DbBackend::Postgres, sql, self.values)
    }
}

/// A page of the entries of all these.
pub fn page(of: &Of, filter: &Filter, slice: &Slice<Place>) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    sql.filter(filter);
    let text = match of {
        Of::Everyone => sql.slice(slice, None),
        // First a page of each, because an index has each customer's entries in order, and then a page of these.
        Of::Customers(customers) => {
            let each = sql.slice(slice, Some(Parents::Customers(customers)));
            let direction = if slice.backward { "ASC" } else { "DESC" };
            let limit = sql.value(i64::try_from(slice.limit).unwrap_or(i64::MAX));
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
    sql.filter(filter);
    sql.within(reach);
    let text = sql.slice(slice, Some(parents));
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
    sql.filter(filter);
    if let Of::Customers(customers) = of {
        let ids = sql.value(uuids(customers));
        sql.conditions.push(format!("t.customer_id = ANY({ids}::uuid[])"));
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
    sql.filter(filter);
    sql.within(reach);
    let (column, ids) = (parents.column(), sql.value(parents.ids()));
    sql.conditions.push(format!("t.{column} = ANY({ids}::uuid[])"));
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
