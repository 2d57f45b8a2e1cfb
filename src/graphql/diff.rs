//! What differs between two versions, in the graph.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::Object;
use serde_json::Value;

use super::{error::refuse, version::AgentVersion};
use crate::domain::version as verbs;

/// What differs between two versions of an agent.
pub struct VersionDiff {
    pub(super) from: AgentVersion,
    pub(super) to: AgentVersion,
}

/// What differs between two versions of an agent.
#[Object]
impl VersionDiff {
    /// The older one.
    async fn from(&self) -> AgentVersion {
        self.from.clone()
    }

    /// The newer one.
    async fn to(&self) -> AgentVersion {
        self.to.clone()
    }

    /// Whether nothing that the runtime gets differs.
    async fn is_same(&self) -> bool {
        self.from.row.content_hash == self.to.row.content_hash
    }

    /// How the prompt differs, line by line, as a unified diff; null when it is the same. A diff that takes too long to
    /// make small is given larger than it need be.
    async fn system_prompt(&self) -> async_graphql::Result<Option<String>> {
        let (lens, from, to) = (&self.to.lens, &self.from.row, &self.to.row);
        // What it shows is at most both.
        lens.weigh(from.system_prompt.len() + to.system_prompt.len())?;
        lens.registry.diff_prompts(from, to).await.map_err(|err| refuse(&err))
    }

    /// Whether the model's name differs.
    async fn model_name_changed(&self) -> bool {
        self.from.row.model_name != self.to.row.model_name
    }

    /// The top-level keys of the model parameters that differ, in alphabetical order.
    async fn model_parameters_changed(&self) -> Vec<String> {
        fn entries(version: &verbs::AgentVersion) -> BTreeMap<&String, &Value> {
            version.model_parameters.as_object().into_iter().flatten().collect()
        }
        let (from, to) = (entries(&self.from.row), entries(&self.to.row));
        let keys: BTreeSet<&String> = from.keys().chain(to.keys()).copied().collect();
        keys.into_iter().filter(|key| from.get(key) != to.get(key)).cloned().collect()
    }

    /// The names of tools that only the newer one has, in its order.
    async fn tools_added(&self) -> Vec<String> {
        self.tools(&self.to, |other| other.is_none(), &self.from)
    }

    /// The names of tools that only the older one has, in its order.
    async fn tools_removed(&self) -> Vec<String> {
        self.tools(&self.from, |other| other.is_none(), &self.to)
    }

    /// The names of tools that both have, but not the same, in the newer one's order.
    async fn tools_changed(&self) -> Vec<String> {
        let names = |tool: &verbs::Tool| find(&self.from, &tool.name).is_some_and(|other| other != tool);
        self.to.row.tools.0.iter().filter(|tool| names(tool)).map(|tool| tool.name.clone()).collect()
    }
}

impl VersionDiff {
    fn tools(
        &self,
        of: &AgentVersion,
        keep: impl Fn(Option<&verbs::Tool>) -> bool,
        other: &AgentVersion,
    ) -> Vec<String> {
        of.row
            .tools
            .0
            .iter()
            .filter(|tool| keep(find(other, &tool.name)))
            .map(|tool| tool.name.clone())
            .collect()
    }
}

fn find<'a>(version: &'a AgentVersion, name: &str) -> Option<&'a verbs::Tool> {
    version.row.tools.0.iter().find(|tool| tool.name == name)
}
