//! Maps a log entry to the configurations that it affects.

use crate::{
    domain::{
        change::{Change, ConfigEffect},
        environment::EnvironmentKey,
    },
    id::{AgentId, CustomerId},
};

/// The configurations that a log entry may have changed.
pub(super) enum AffectedConfigs {
    Nothing,
    /// The agent's configuration in one environment: it was activated or deactivated there.
    Serving(AgentId, EnvironmentKey),
    /// The agent's configurations in all environments: it has another name.
    Agent(AgentId),
    /// All configurations of a customer: it was suspended or canceled, or is served again.
    Customer(CustomerId),
}

/// Returns the configurations that this entry may have changed.
pub(super) fn affected_configs(change: &Change) -> AffectedConfigs {
    match change.action.effects().configs {
        ConfigEffect::OfRenamedAgent if !change.renames() => AffectedConfigs::Nothing,
        ConfigEffect::OfRenamedAgent => {
            change.agent_id.map_or(AffectedConfigs::Nothing, AffectedConfigs::Agent)
        }
        ConfigEffect::OfAgent => change.agent_id.map_or(AffectedConfigs::Nothing, |agent| {
            AffectedConfigs::Serving(agent, change.environment_key())
        }),
        ConfigEffect::OfCustomer if change.starts_or_stops_serving() => {
            change.customer_id.map_or(AffectedConfigs::Nothing, AffectedConfigs::Customer)
        }
        ConfigEffect::Nothing | ConfigEffect::OfCustomer => AffectedConfigs::Nothing,
    }
}
