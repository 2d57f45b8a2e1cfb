//! When agents were last changed, as their reader may know it.

use sea_orm::{FromQueryResult, SelectModel, SelectorRaw};

use super::{EnvironmentFilter, TenantFilter, keys, sql::Sql, uuids};
use crate::{clock::Instant, id::AgentId};

/// The time of an agent's last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct AgentUpdate {
    /// The agent.
    pub agent_id: AgentId,
    /// When its own fields, its versions, or what it serves within the reader's reach last changed.
    pub at: Instant,
}

/// The last change of each of these agents that `tenants` admits: of its own fields, of its versions, and of what it serves in
/// environments within `reach`. A reader of all environments gets the time that lists are ordered by (`listed_agents`). For
/// others it is computed without what they don't reach, by one index descent for the version and one for each environment.
pub fn of_agents(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    agents: &[AgentId],
) -> SelectorRaw<SelectModel<AgentUpdate>> {
    let mut sql = Sql::default();
    sql.within("a", tenants);
    let conditions = sql.where_clause();
    let agents = sql.bind(uuids(agents));
    let select = match reach {
        EnvironmentFilter::All => format!(
            "SELECT a.agent_id, a.updated_at AS at FROM registry.listed_agents AS a \
             WHERE a.agent_id = ANY({agents}::uuid[]) AND {conditions}"
        ),
        EnvironmentFilter::Only(admitted) => {
            let admitted = sql.bind(keys(admitted));
            format!(
                "SELECT a.id AS agent_id, greatest(a.updated_at, v.created_at, s.activated_at) AS at \
                 FROM registry.agents AS a \
                 LEFT JOIN registry.agent_versions AS v ON v.agent_id = a.id AND v.number = a.latest_number \
                 LEFT JOIN LATERAL (\
                 SELECT max(t.activated_at) AS activated_at FROM unnest({admitted}::text[]) AS e (key) CROSS JOIN LATERAL (\
                 SELECT t.activated_at FROM registry.activations AS t \
                 WHERE t.agent_id = a.id AND t.environment_key = e.key ORDER BY t.id DESC LIMIT 1) AS t) AS s ON true \
                 WHERE a.id = ANY({agents}::uuid[]) AND {conditions}"
            )
        }
    };
    AgentUpdate::find_by_statement(sql.statement(select))
}
