//! Active configurations in the graph.

use async_graphql::{Context, ID, Json, Object};
use serde_json::Value;

use super::{
    context::{Lens, request},
    error::refuse,
    scalar::{DateTime, Revision, id, to_id},
    version::{Tool, hex, json_bytes, tools, tools_bytes},
};
use crate::domain::{Error, config as verbs};

/// What the runtime gets for an agent: all it needs to run it, and nothing else.
pub struct ActiveConfig(verbs::ActiveConfig, Lens);

/// What the runtime gets for an agent: all it needs to run it, and nothing else.
#[Object]
impl ActiveConfig {
    /// The agent's UUID.
    async fn agent_id(&self) -> ID {
        to_id(self.0.agent.id)
    }

    /// Its customer's UUID.
    async fn customer_id(&self) -> ID {
        to_id(self.0.agent.customer_id)
    }

    /// The agent's name.
    async fn name(&self) -> &str {
        &self.0.agent.name
    }

    /// The active version's UUID.
    async fn version_id(&self) -> ID {
        to_id(self.0.version.id)
    }

    /// The active version's number.
    async fn version_number(&self) -> i32 {
        self.0.version.number
    }

    /// What the model is told first.
    async fn system_prompt(&self) -> async_graphql::Result<&str> {
        self.1.weigh(self.0.version.system_prompt.len())?;
        Ok(&self.0.version.system_prompt)
    }

    /// Which model.
    async fn model_name(&self) -> &str {
        &self.0.version.model_name
    }

    /// Temperature and the like: a JSON object.
    async fn model_parameters(&self) -> async_graphql::Result<Json<Value>> {
        self.1.weigh(json_bytes(&self.0.version.model_parameters))?;
        Ok(Json(self.0.version.model_parameters.clone()))
    }

    /// What it may call.
    async fn tools(&self) -> async_graphql::Result<Vec<Tool>> {
        self.1.weigh(tools_bytes(&self.0.version.tools))?;
        Ok(tools(&self.0.version.tools))
    }

    /// SHA-256, in hex, over the canonical content.
    async fn content_hash(&self) -> String {
        hex(&self.0.version.content_hash)
    }

    /// Since when this version serves.
    async fn activated_at(&self) -> DateTime {
        self.0.activated_at.into()
    }

    /// The commit that last changed this configuration.
    async fn revision(&self) -> Revision {
        Revision(self.0.agent.config_revision)
    }
}

/// Its queries.
#[derive(Default)]
pub struct ConfigQuery;

#[Object]
impl ConfigQuery {
    /// What an agent serves now; null when it serves nothing, or there is no such agent that you may see.
    async fn active_config(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which agent.")] agent_id: ID,
        #[graphql(desc = "Answer nothing older than this commit: waits up to two seconds for it.")] at_least: Option<Revision>,
    ) -> async_graphql::Result<Option<ActiveConfig>> {
        let request = request(ctx)?;
        let lens = request.lens();
        let answer = async {
            if let Some(Revision(revision)) = at_least {
                request.hub.reach(revision).await?;
            }
            lens.registry.active_config(&lens.reading, id("agentId", &agent_id)?).await
        };
        match answer.await {
            Ok(config) => Ok(config.map(|config| ActiveConfig(config, lens.clone()))),
            Err(Error::NotFound(_)) => Ok(None),
            Err(err) => Err(refuse(&err)),
        }
    }
}
