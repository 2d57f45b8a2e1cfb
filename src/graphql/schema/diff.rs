//! What differs between two versions, in the graph.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_graphql::Object;
use serde_json::Value;

use super::{
    error::{Nullable, nullable, refuse},
    version::AgentVersion,
};
use crate::domain::version::{Tool, VersionBody};

/// What differs between two versions of an agent.
pub struct VersionDiff {
    pub(in crate::graphql) from: AgentVersion,
    pub(in crate::graphql) to: AgentVersion,
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
    async fn system_prompt(&self) -> Nullable<String> {
        nullable(async {
            let (from, to) = self.bodies().await?;
            let lens = &self.to.lens;
            // What it shows is at most both.
            lens.weigh(from.system_prompt.len() + to.system_prompt.len())?;
            lens.registry.diff_prompts(&from, &to).await.map_err(|err| refuse(&err))
        })
        .await
    }

    /// Whether the model's name differs.
    async fn model_name_changed(&self) -> bool {
        self.from.row.model_name != self.to.row.model_name
    }

    /// The top-level keys of the model parameters that differ, in alphabetical order.
    async fn model_parameters_changed(&self) -> async_graphql::Result<Vec<String>> {
        fn entries(body: &VersionBody) -> BTreeMap<&String, &Value> {
            body.model_parameters.0.as_object().into_iter().flatten().collect()
        }
        let (from, to) = self.bodies().await?;
        let (from, to) = (entries(&from), entries(&to));
        let keys: BTreeSet<&String> = from.keys().chain(to.keys()).copied().collect();
        Ok(keys.into_iter().filter(|key| from.get(key) != to.get(key)).cloned().collect())
    }

    /// The names of tools that only the newer one has, in its order.
    async fn tools_added(&self) -> async_graphql::Result<Vec<String>> {
        let (from, to) = self.bodies().await?;
        Ok(names(&to, |tool| find(&from, &tool.name).is_none()))
    }

    /// The names of tools that only the older one has, in its order.
    async fn tools_removed(&self) -> async_graphql::Result<Vec<String>> {
        let (from, to) = self.bodies().await?;
        Ok(names(&from, |tool| find(&to, &tool.name).is_none()))
    }

    /// The names of tools that both have, but not the same, in the newer one's order.
    async fn tools_changed(&self) -> async_graphql::Result<Vec<String>> {
        let (from, to) = self.bodies().await?;
        Ok(names(&to, |tool| find(&from, &tool.name).is_some_and(|other| other != tool)))
    }
}

impl VersionDiff {
    /// What both hold.
    async fn bodies(&self) -> async_graphql::Result<(Arc<VersionBody>, Arc<VersionBody>)> {
        futures_util::try_join!(self.from.body(), self.to.body())
    }
}

fn names(of: &VersionBody, keep: impl Fn(&Tool) -> bool) -> Vec<String> {
    of.tools.0.iter().filter(|tool| keep(tool)).map(|tool| tool.name.clone()).collect()
}

fn find<'a>(of: &'a VersionBody, name: &str) -> Option<&'a Tool> {
    of.tools.0.iter().find(|tool| tool.name == name)
}
