//! The difference between two versions in the GraphQL schema.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_graphql::Object;
use serde_json::Value;

use super::{
    error::{Nullable, nullable, to_graphql_error},
    version::AgentVersion,
};
use crate::domain::version::{Tool, VersionBody};

/// The difference between two versions of one agent. All fields but `from`, `to`, `isSame` and `modelNameChanged`
/// read the content of both.
pub struct VersionDiff {
    pub(in crate::graphql) from: AgentVersion,
    pub(in crate::graphql) to: AgentVersion,
}

/// The difference between two versions of one agent. All fields but `from`, `to`, `isSame` and `modelNameChanged`
/// read the content of both.
#[Object]
impl VersionDiff {
    /// The version that is compared from.
    async fn from(&self) -> AgentVersion {
        self.from.clone()
    }

    /// The version that is compared to.
    async fn to(&self) -> AgentVersion {
        self.to.clone()
    }

    /// True if both versions have the same content, so the runtime gets the same.
    async fn is_same(&self) -> bool {
        self.from.row.content_hash == self.to.row.content_hash
    }

    /// The difference of the prompts as a unified diff by lines, with three lines of context; null if they are
    /// equal. The search for the smallest diff stops after 100 ms, so a diff can be longer than necessary.
    async fn system_prompt(&self) -> Nullable<String> {
        nullable(async {
            let (from, to) = self.bodies().await?;
            let view = &self.to.view;
            // The diff is estimated at the size of both prompts, before it is computed.
            view.weigh(from.system_prompt.len() + to.system_prompt.len())?;
            let answer = view.clone();
            let is_wanted = move || !answer.is_refused();
            let diff = view.registry().diff_prompts(view.reading(), &from, &to, is_wanted).await;
            let diff = diff.map_err(|err| to_graphql_error(&err))?;
            view.weigh_text(diff.as_deref().unwrap_or_default())?;
            Ok(diff)
        })
        .await
    }

    /// True if the versions name different models.
    async fn model_name_changed(&self) -> bool {
        self.from.row.model_name != self.to.row.model_name
    }

    /// The top-level keys of the model parameters that were added, removed or changed, in alphabetical order.
    async fn model_parameters_changed(&self) -> async_graphql::Result<Vec<String>> {
        fn entries(body: &VersionBody) -> BTreeMap<&String, &Value> {
            body.model_parameters.0.as_object().into_iter().flatten().collect()
        }
        let (from, to) = self.bodies().await?;
        let (from, to) = (entries(&from), entries(&to));
        let keys: BTreeSet<&String> = from.keys().chain(to.keys()).copied().collect();
        Ok(keys.into_iter().filter(|key| from.get(key) != to.get(key)).cloned().collect())
    }

    /// The names of tools that only `to` has, in the order of its tools.
    async fn tools_added(&self) -> async_graphql::Result<Vec<String>> {
        let (from, to) = self.bodies().await?;
        Ok(names(&to, |tool| find(&from, &tool.name).is_none()))
    }

    /// The names of tools that only `from` has, in the order of its tools.
    async fn tools_removed(&self) -> async_graphql::Result<Vec<String>> {
        let (from, to) = self.bodies().await?;
        Ok(names(&from, |tool| find(&to, &tool.name).is_none()))
    }

    /// The names of tools that both have, with another description or schema, in the order of the tools of `to`.
    async fn tools_changed(&self) -> async_graphql::Result<Vec<String>> {
        let (from, to) = self.bodies().await?;
        Ok(names(&to, |tool| find(&from, &tool.name).is_some_and(|other| other != tool)))
    }
}

impl VersionDiff {
    /// Loads the content of both versions.
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
