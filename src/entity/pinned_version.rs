//! Versions that serve or have served, for conversations that began with them. The table `activations` has a row for each
//! activation, and none is ever deleted.

use sea_orm::{FromQueryResult, QueryResult, SelectModel, SelectorRaw, entity::prelude::*};

use super::{
    EnvironmentFilter, TenantFilter,
    agent_version::{SUMMARY, Summary},
    customer::CustomerStatus,
    sql::Sql,
    uuids,
};
use crate::id::{AgentId, VersionId};

/// A version that serves or has served, and the status of its customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedVersion {
    /// The version without its content.
    pub version: Summary,
    /// The customer's status, which decides whether the content may be served.
    pub status: CustomerStatus,
}

impl FromQueryResult for PinnedVersion {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            version: FromQueryResult::from_query_result(row, prefix)?,
            status: FromQueryResult::from_query_result(row, prefix)?,
        })
    }
}

/// The versions with these pairs of agent and id that `tenants` admits and that were ever activated in an environment within
/// `reach`. A pair whose version belongs to another agent has no row.
pub fn by_pairs(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    pairs: &[(AgentId, VersionId)],
) -> SelectorRaw<SelectModel<PinnedVersion>> {
    let (agents, versions): (Vec<AgentId>, Vec<VersionId>) = pairs.iter().copied().unzip();
    let mut sql = Sql::default();
    let (agents, versions) = (sql.bind(uuids(&agents)), sql.bind(uuids(&versions)));
    sql.reaching("x.environment_key", reach);
    let reached = sql.take_where_clause();
    sql.within("t", tenants);
    let admitted = sql.where_clause();
    PinnedVersion::find_by_statement(sql.statement(format!(
        "SELECT {SUMMARY}, c.plan, c.billing_status, c.erased_at \
         FROM unnest({agents}::uuid[], {versions}::uuid[]) AS wanted (agent_id, version_id) \
         JOIN registry.agent_versions AS t ON t.id = wanted.version_id AND t.agent_id = wanted.agent_id \
         JOIN registry.customers AS c ON c.id = t.customer_id \
         WHERE {admitted} AND EXISTS (SELECT FROM registry.activations AS x \
         WHERE x.agent_id = t.agent_id AND x.version_id = t.id AND {reached})"
    )))
}
