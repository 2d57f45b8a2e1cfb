//! The difference between two versions in the GraphQL schema.

use std::sync::Arc;

use async_graphql::Object;
use tokio::sync::OnceCell;

use super::{
    error::{Nullable, nullable, to_graphql_error},
    finding::{ChangeImpact, DiffHunk, FieldChange, Finding},
    version::AgentVersion,
};
use crate::domain::{
    diff::{ComparedContent, ContentDiff, ContentImpact},
    version::VersionBody,
};

/// The difference between two versions of one agent. All fields but `from`, `to`, `isSame` and `modelNameChanged`
/// read the content of both.
pub struct VersionDiff {
    from: AgentVersion,
    to: AgentVersion,
    content: OnceCell<ContentDiff>,
    impact: OnceCell<ContentImpact>,
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

    /// True if both versions have the same content: then no field of this object names a difference. The order of keys
    /// and the spelling of numbers may differ, as between `1` and `1.0`; `AgentVersion.bytesHash` tells these apart.
    async fn is_same(&self) -> bool {
        self.from.row.content_hash == self.to.row.content_hash
    }

    /// The difference of the prompts as a unified diff by lines, which end at LF alone, with three lines of context;
    /// null if they are equal. The search for the smallest diff stops after 100 ms, so a diff can be longer than necessary.
    async fn system_prompt(&self) -> Nullable<String> {
        nullable(async {
            let (from, to) = self.bodies().await?;
            let view = &self.to.view;
            // The diff is estimated at the size of both prompts, before it is computed.
            view.weigh(from.system_prompt.len() + to.system_prompt.len())?;
            let diff = view.registry().diff_prompts(view.reading(), &from, &to, view.is_wanted()).await;
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
        Ok(self.content().await?.parameters.clone())
    }

    /// The names of tools that only `to` has, in the order of its tools.
    async fn tools_added(&self) -> async_graphql::Result<Vec<String>> {
        Ok(self.content().await?.tools_added.clone())
    }

    /// The names of tools that only `from` has, in the order of its tools.
    async fn tools_removed(&self) -> async_graphql::Result<Vec<String>> {
        Ok(self.content().await?.tools_removed.clone())
    }

    /// The names of tools that both have and that differ in anything, in the order of the tools of `to`.
    async fn tools_changed(&self) -> async_graphql::Result<Vec<String>> {
        Ok(self.content().await?.tools_changed.clone())
    }

    /// True if the tools that both have are in another order.
    async fn tools_reordered(&self) -> async_graphql::Result<bool> {
        Ok(self.content().await?.is_reordered)
    }

    /// What the change may do to running conversations and deployed executors: the worst of the findings; SAME without
    /// any.
    async fn impact(&self) -> async_graphql::Result<ChangeImpact> {
        Ok(self.classified().await?.impact.into())
    }

    /// Each thing that differs and what it may do, in the order of the content. At most 1,000, and then a last one that
    /// says how many are left out.
    async fn findings(&self) -> async_graphql::Result<Vec<Finding>> {
        Finding::all(&self.classified().await?.findings, &self.to.view)
    }

    /// The values of parameters, tools and extensions that differ, by path; at most 1,000. An object with more changes is one change.
    async fn changes(&self) -> async_graphql::Result<Vec<FieldChange>> {
        FieldChange::all(&self.classified().await?.changes, &self.to.view)
    }

    /// The lines of the prompts that differ, with three lines of context. `systemPrompt` has the same as a unified diff.
    async fn hunks(&self) -> async_graphql::Result<Vec<DiffHunk>> {
        let (from, to) = self.bodies().await?;
        let view = &self.to.view;
        view.weigh(from.system_prompt.len() + to.system_prompt.len())?;
        let hunks = view.registry().diff_hunks(view.reading(), &from, &to, view.is_wanted()).await;
        DiffHunk::all(hunks.map_err(|err| to_graphql_error(&err))?, view)
    }
}

impl VersionDiff {
    /// The difference of these versions.
    pub(in crate::graphql) fn new(from: AgentVersion, to: AgentVersion) -> Self {
        Self { from, to, content: OnceCell::new(), impact: OnceCell::new() }
    }

    /// Loads the content of both versions.
    async fn bodies(&self) -> async_graphql::Result<(Arc<VersionBody>, Arc<VersionBody>)> {
        futures_util::try_join!(self.from.body(), self.to.body())
    }

    /// Classifies the change, once.
    async fn classified(&self) -> async_graphql::Result<&ContentImpact> {
        let classified = self.impact.get_or_try_init(async || {
            let (from, to) = self.bodies().await?;
            let compared =
                |of: &AgentVersion, body| ComparedContent::Version(of.row.model_name.clone(), body);
            let (from, to) = (compared(&self.from, from), compared(&self.to, to));
            let view = &self.to.view;
            let found = view.registry().classify_change(view.reading(), from, to, view.is_wanted()).await;
            found.map_err(|err| to_graphql_error(&err))
        });
        classified.await
    }

    /// Compares the parameters and tools of both versions, once.
    async fn content(&self) -> async_graphql::Result<&ContentDiff> {
        let compared = self.content.get_or_try_init(async || {
            let (from, to) = self.bodies().await?;
            let view = &self.to.view;
            let diff = view.registry().diff_contents(view.reading(), &from, &to, view.is_wanted()).await;
            diff.map_err(|err| to_graphql_error(&err))
        });
        compared.await
    }
}
