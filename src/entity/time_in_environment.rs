//! How long a version has been active in an environment, told by the records of activations. The database's function
//! reads them beyond the environments that the caller reaches, and returns nothing else about them.

use sea_orm::{DbBackend, FromQueryResult, SelectModel, SelectorRaw, Statement};

use crate::{
    clock::Instant,
    environment_key::EnvironmentKey,
    id::{AgentId, EnvironmentId, VersionId},
};

/// How long a version has been active in an environment.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct TimeInEnvironment {
    /// The environment's key.
    pub environment_key: EnvironmentKey,
    /// How many times the version was activated there.
    pub periods: i64,
    /// The length of the periods that have ended, together, in whole seconds.
    pub ended_seconds: i64,
    /// When the period that hasn't ended began.
    pub active_since: Option<Instant>,
}

/// How long this version of an agent has been active in an environment; never, for `None`. Nothing for an environment
/// of a customer that the caller doesn't reach.
pub fn of_version(
    agent: AgentId,
    environment: EnvironmentId,
    version: Option<VersionId>,
) -> SelectorRaw<SelectModel<TimeInEnvironment>> {
    let sql = "SELECT environment_key, periods, ended_seconds, active_since FROM registry.time_in_environment($1, $2, $3)";
    let values = [agent.into(), environment.into(), version.into()];
    TimeInEnvironment::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}
