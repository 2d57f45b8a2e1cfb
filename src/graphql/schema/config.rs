//! Active configurations in the graph.

use std::{ops::Deref, sync::Arc};

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::{
    error::{Nullable, refuse, root},
    scalar::{Cursor, DateTime, Json, Revision, id, to_id},
    version::{Tool, hex, json_bytes, tools, tools_bytes},
};
use crate::{
    domain::{Error, config as verbs},
    feed::{Given, Hot},
    graphql::engine::context::{Lens, request},
    id::AgentId,
};

/// What the runtime gets for an agent: all it needs to run it, and nothing else.
pub struct ActiveConfig(pub(in crate::graphql) Of, pub(in crate::graphql) Lens);

/// Where it comes from.
pub(in crate::graphql) enum Of {
    /// Memory, where it is made ready for all.
    Hot(Arc<Hot>),
    /// An event of its own.
    Told(Arc<verbs::ActiveConfig>),
}

impl Deref for Of {
    type Target = verbs::ActiveConfig;

    fn deref(&self) -> &verbs::ActiveConfig {
        match self {
            Self::Hot(hot) => &hot.config,
            Self::Told(config) => config,
        }
    }
}

/// What the runtime gets for an agent: all it needs to run it, and nothing else.
#[Object]
impl ActiveConfig {
    /// The agent's UUID.
    async fn agent_id(&self) -> ID {
        to_id(self.0.agent_id)
    }

    /// Its customer's UUID.
    async fn customer_id(&self) -> ID {
        to_id(self.0.customer_id)
    }

    /// The agent's name.
    async fn name(&self) -> &str {
        &self.0.name
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
    async fn model_parameters(&self) -> async_graphql::Result<Json> {
        self.1.weigh(json_bytes(&self.0.version.model_parameters.0))?;
        Ok(Json(self.0.version.model_parameters.0.clone()))
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
        Revision(self.0.revision)
    }
}

/// What a gateway is told of the configurations.
#[derive(SimpleObject)]
pub struct ConfigEvent {
    /// What kind of event.
    kind: ConfigEventKind,
    /// Why an agent is not served any more; null for all but REMOVE.
    reason: Option<ConfigEventReason>,
    /// The commit by which it is so: for SNAPSHOT that of the BOOKMARK that follows.
    revision: Revision,
    /// Where to come back to; null for all but BOOKMARK.
    cursor: Option<Cursor>,
    /// The agent's UUID; null for BOOKMARK.
    agent_id: Option<ID>,
    /// What it serves; null for REMOVE and BOOKMARK.
    config: Option<ActiveConfig>,
}

/// What kind of event a gateway is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ConfigEventKind {
    /// This serves: part of the beginning.
    Snapshot,
    /// This serves from now on.
    Upsert,
    /// This agent is not served from now on.
    Remove,
    /// All up to here has been told.
    Bookmark,
}

/// Why an agent is not served any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "verbs::NotServed")]
pub enum ConfigEventReason {
    /// No version is active.
    Deactivated,
    /// It was archived.
    Archived,
    /// Its customer was suspended.
    Suspended,
    /// Its customer was canceled.
    Canceled,
}

impl ConfigEvent {
    fn new(kind: ConfigEventKind, revision: i64) -> Self {
        let revision = Revision(revision);
        Self { kind, reason: None, revision, cursor: None, agent_id: None, config: None }
    }

    fn of(kind: ConfigEventKind, revision: i64, config: ActiveConfig) -> Self {
        let agent_id = Some(to_id(config.0.agent_id));
        Self { agent_id, config: Some(config), ..Self::new(kind, revision) }
    }

    pub(in crate::graphql) fn snapshot(revision: i64, config: ActiveConfig) -> Self {
        Self::of(ConfigEventKind::Snapshot, revision, config)
    }

    pub(in crate::graphql) fn upsert(revision: i64, config: ActiveConfig) -> Self {
        Self::of(ConfigEventKind::Upsert, revision, config)
    }

    pub(in crate::graphql) fn remove(revision: i64, agent: AgentId, why: verbs::NotServed) -> Self {
        let kind = ConfigEventKind::Remove;
        Self { agent_id: Some(to_id(agent)), reason: Some(why.into()), ..Self::new(kind, revision) }
    }

    pub(in crate::graphql) fn bookmark(revision: i64, cursor: String) -> Self {
        Self { cursor: Some(Cursor(cursor)), ..Self::new(ConfigEventKind::Bookmark, revision) }
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
    ) -> Nullable<ActiveConfig> {
        root(async {
            let request = request(ctx)?;
            let lens = request.lens();
            let answer = async {
                if let Some(Revision(revision)) = &at_least {
                    request.hub.reach(*revision).await?;
                }
                request.hub.active_config(&request.caller, id("agentId", &agent_id)?).await
            };
            match answer.await {
                Ok(Given { config: _, stale: Some(_) }) => {
                    Err(refuse(&Error::Unavailable("the database can't be reached")))
                }
                Ok(Given { config, stale: None }) => {
                    if let (Some(hot), None) = (&config, at_least) {
                        let _ = request.shown.set(Arc::clone(hot));
                    }
                    Ok(config.map(|hot| ActiveConfig(Of::Hot(hot), lens.clone())))
                }
                Err(Error::NotFound(_)) => Ok(None),
                Err(err) => Err(refuse(&err)),
            }
        })
        .await
    }
}
