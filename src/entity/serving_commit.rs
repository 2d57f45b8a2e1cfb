//! Which commits changed what serves in an environment. Reads the table `activations`.

use sea_orm::{FromQueryResult, SelectModel, SelectorRaw};

use super::{EnvironmentFilter, TenantFilter, keys, sql::Sql, uuids};
use crate::{
    clock::Instant,
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId, Revision},
};

/// How many of an environment's newest commits are read.
pub const NEWEST_MAX: i64 = 1000;

/// The reasons of activations, by which the indexes of `activations` are ordered.
const REASONS: &str = "(VALUES ('ACTIVATE'), ('PUBLISH'), ('ROLLBACK'), ('PROMOTE'), ('DEACTIVATE'), ('ARCHIVE')) AS reason (name)";
/// The expression that the indexes have.
const REASON: &str = "(CASE WHEN a.promoted_from IS NULL THEN a.reason ELSE 'PROMOTE' END)";

/// A commit that changed what an agent serves.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct ServingCommit {
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// The agent's customer.
    pub customer_id: CustomerId,
    /// The agent.
    pub agent_id: AgentId,
    /// The commit.
    pub revision: Revision,
}

/// The last commit that changed what a customer's agents serve in an environment.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct LastCommit {
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// The customer.
    pub customer_id: CustomerId,
    /// The commit.
    pub revision: Revision,
}

/// When a commit was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct CommitTime {
    /// The time.
    pub at: Instant,
}

/// The newest commits in each of these environments, of customers that `tenants` admits: [`NEWEST_MAX`] of each reason at most.
pub fn newest(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    environments: &[EnvironmentKey],
) -> SelectorRaw<SelectModel<ServingCommit>> {
    let mut sql = Sql::default();
    sql.within("a", tenants);
    sql.reaching("a.environment_key", reach);
    let (environments, most) = (sql.bind(keys(environments)), sql.bind(NEWEST_MAX));
    let conditions = sql.where_clause();
    ServingCommit::find_by_statement(sql.statement(format!(
        "SELECT c.* FROM unnest({environments}::text[]) AS e (key) CROSS JOIN {REASONS} CROSS JOIN LATERAL (\
         SELECT a.environment_key, a.customer_id, a.agent_id, a.revision FROM registry.activations AS a \
         WHERE a.environment_key = e.key AND {REASON} = reason.name AND {conditions} \
         ORDER BY a.revision DESC, a.position DESC LIMIT {most}) AS c"
    )))
}

/// The last commit of each of these customers in each of these environments.
pub fn last(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    places: &[(CustomerId, EnvironmentKey)],
) -> SelectorRaw<SelectModel<LastCommit>> {
    let mut sql = Sql::default();
    sql.within("a", tenants);
    sql.reaching("a.environment_key", reach);
    let customers: Vec<CustomerId> = places.iter().map(|(customer, _)| *customer).collect();
    let customers = sql.bind(uuids(&customers));
    let environments = sql.bind(keys(places.iter().map(|(_, key)| key)));
    let conditions = sql.where_clause();
    LastCommit::find_by_statement(sql.statement(format!(
        "SELECT p.customer_id, p.key AS environment_key, max(c.revision) AS revision \
         FROM unnest({customers}::uuid[], {environments}::text[]) AS p (customer_id, key) CROSS JOIN {REASONS} CROSS JOIN LATERAL (\
         SELECT a.revision FROM registry.activations AS a \
         WHERE a.customer_id = p.customer_id AND a.environment_key = p.key AND {REASON} = reason.name AND {conditions} \
         ORDER BY a.revision DESC, a.position DESC LIMIT 1) AS c GROUP BY 1, 2"
    )))
}

/// When this commit changed something of this customer, if `tenants` admits it.
pub fn time(
    tenants: &TenantFilter,
    customer: CustomerId,
    revision: Revision,
) -> SelectorRaw<SelectModel<CommitTime>> {
    let mut sql = Sql::default();
    sql.within("c", tenants);
    sql.and_compare("c.customer_id", "=", Some(customer));
    sql.and_compare("c.revision", "=", Some(revision));
    let conditions = sql.where_clause();
    CommitTime::find_by_statement(
        sql.statement(format!("SELECT c.at FROM registry.changes AS c WHERE {conditions} LIMIT 1")),
    )
}
