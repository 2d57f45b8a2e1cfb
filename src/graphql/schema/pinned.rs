//! Pinned configurations in the GraphQL schema: `pinnedConfig`.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{
    error::{Nullable, nullable_root, to_graphql_error},
    scalar::{Json, id, to_id},
    tool::{Tool, tools},
    version::{extensions, hex, parameters},
};
use crate::{
    domain::{
        Error,
        pinned::{PinnedKey, PinnedVersion},
        policy::Action,
        version::{VersionBody, VersionSummary},
    },
    graphql::engine::context::{RequestView, request},
};

/// A version that serves or has served in an environment of your credential, for conversations that began with it. Never
/// changes.
pub struct PinnedConfig {
    row: Arc<PinnedVersion>,
    key: PinnedKey,
    view: RequestView,
}

impl PinnedConfig {
    fn version(&self) -> &VersionSummary {
        &self.row.version
    }

    /// Loads the prompt, parameters, tools and extensions. One statement reads them for all pinned configurations of a query.
    async fn body(&self) -> async_graphql::Result<Arc<VersionBody>> {
        self.view.weigh_content(self.key.body())?;
        let body = self.view.loaders().pinned_bodies.load(self.key).await?;
        let missing = || to_graphql_error(&Error::Internal("a version has no content".into()));
        Ok(Arc::clone(&*body.ok_or_else(missing)?))
    }
}

/// A version that serves or has served in an environment of your credential, for conversations that began with it. Never
/// changes.
#[Object]
impl PinnedConfig {
    /// The UUID of the agent.
    async fn agent_id(&self) -> ID {
        to_id(self.version().agent_id)
    }

    /// The UUID of the agent's customer.
    async fn customer_id(&self) -> ID {
        to_id(self.version().customer_id)
    }

    /// The UUID of the version.
    async fn version_id(&self) -> ID {
        to_id(self.version().id)
    }

    /// The version's number within its agent.
    async fn version_number(&self) -> i32 {
        self.version().number
    }

    /// The model's name, such as `gpt-4-turbo`.
    async fn model_name(&self) -> &str {
        &self.version().model_name
    }

    /// The model's settings, such as `temperature`: a JSON object of at most 64 KiB, with the order of keys and the
    /// numbers that were published.
    async fn model_parameters(&self) -> async_graphql::Result<Json> {
        parameters(&self.body().await?.model_parameters, &self.view)
    }

    /// The system prompt: at most 512 KiB of UTF-8, may be empty.
    async fn system_prompt(&self) -> async_graphql::Result<String> {
        let body = self.body().await?;
        self.view.weigh_prompt(self.version().id, &body.system_prompt).await?;
        Ok(body.system_prompt.clone())
    }

    /// The tools that the model may call, at most 128, in the order in which they were published.
    async fn tools(&self) -> async_graphql::Result<Vec<Tool>> {
        tools(&self.body().await?.tools, &self.view)
    }

    /// Further settings for gateways, as they were published: a JSON object whose keys are URIs or reverse domains; `{}` if
    /// there are none.
    async fn extensions(&self) -> async_graphql::Result<Json> {
        extensions(&self.body().await?.extensions, &self.view)
    }

    /// SHA-256, as 64 hexadecimal digits, of the content as canonical JSON; the same as `AgentVersion.contentHash`.
    async fn content_hash(&self) -> String {
        hex(&self.version().content_hash)
    }

    /// SHA-256, as 64 hexadecimal digits, over the exact bytes that are served; the same as `AgentVersion.bytesHash`.
    async fn bytes_hash(&self) -> async_graphql::Result<String> {
        match &self.version().bytes_hash {
            Some(hash) => Ok(hex(hash)),
            None => Ok(hex(&self.body().await?.bytes_hash)),
        }
    }
}

/// The root field of `Query` that reads a pinned configuration.
#[derive(Default)]
pub struct PinnedQuery;

#[Object]
impl PinnedQuery {
    /// A version for a conversation that began with it, also when another one is active by now, or the agent is deactivated or
    /// archived. Null if it never served in an environment of your credential, or there is no such version of the agent that
    /// you can see. For members, operators, and API keys and service tokens with `configs:read`. Fails with SUSPENDED or
    /// CANCELED if the customer isn't served.
    async fn pinned_config(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The UUID of the agent.")] agent_id: ID,
        #[graphql(desc = "The UUID of the version, such as `ActiveConfig.versionId`.")] version_id: ID,
    ) -> Nullable<PinnedConfig> {
        nullable_root(async {
            let view = request(ctx)?.view();
            view.allow(Action::ReadConfigs)?;
            let agent = id("agentId", &agent_id).map_err(|err| to_graphql_error(&err))?;
            let version = id("versionId", &version_id).map_err(|err| to_graphql_error(&err))?;
            let row = view.loaders().pinned_versions.load((agent, version)).await?;
            let Some(row) = row else { return Ok(None) };
            let key = row.served().map_err(|err| to_graphql_error(&err))?;
            Ok(Some(PinnedConfig { row, key, view }))
        })
        .await
    }
}
