//! Active configurations in the GraphQL schema: `activeConfig`, and the events of the subscription `configs`.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject, Union};

use super::{
    error::{Nullable, nullable_root, to_graphql_error},
    scalar::{Cursor, DateTime, Json, Revision, id, to_id},
    tool::{Tool, tools},
    version::{extensions, hex, parameters},
};
use crate::{
    domain::{self, Error, config, environment::key_or_default, not_served},
    feed::{ConfigResponse, RenderedConfig},
    graphql::engine::context::{Request, RequestView, request},
    id::AgentId,
};

/// All that the runtime needs to run an agent: the content of its active version, and where it comes from.
pub struct ActiveConfig(pub(in crate::graphql) ConfigSource, pub(in crate::graphql) RequestView);

/// Where the resolver got the configuration from.
pub(in crate::graphql) enum ConfigSource {
    /// From memory, where one rendered configuration is shared by all requests.
    Cached(Arc<RenderedConfig>),
    /// Read for one event of a subscription.
    Event(Arc<config::ActiveConfig>),
}

impl ConfigSource {
    /// The configuration itself.
    fn config(&self) -> &config::ActiveConfig {
        match self {
            Self::Cached(rendered) => &rendered.config,
            Self::Event(config) => config,
        }
    }
}

/// All that the runtime needs to run an agent: the content of its active version, and where it comes from.
#[Object]
impl ActiveConfig {
    /// The UUID of the agent.
    async fn agent_id(&self) -> ID {
        to_id(self.0.config().agent_id)
    }

    /// The key of the environment in which the configuration is active.
    async fn environment_key(&self) -> &str {
        self.0.config().environment_key.as_str()
    }

    /// The UUID of the agent's customer.
    async fn customer_id(&self) -> ID {
        to_id(self.0.config().customer_id)
    }

    /// The agent's name, unique within its customer.
    async fn name(&self) -> &str {
        &self.0.config().name
    }

    /// The UUID of the active version.
    async fn version_id(&self) -> ID {
        to_id(self.0.config().version.id)
    }

    /// The active version's number within its agent.
    async fn version_number(&self) -> i32 {
        self.0.config().version.number
    }

    /// The system prompt: at most 512 KiB of UTF-8, may be empty.
    async fn system_prompt(&self) -> async_graphql::Result<&str> {
        let version = &self.0.config().version;
        self.1.weigh_prompt(version.id, &version.system_prompt).await?;
        Ok(&self.0.config().version.system_prompt)
    }

    /// The model's name, such as `gpt-4-turbo`.
    async fn model_name(&self) -> &str {
        &self.0.config().version.model_name
    }

    /// The model's settings, such as `temperature`: a JSON object of at most 64 KiB, with the order of keys and the
    /// numbers that were published.
    async fn model_parameters(&self) -> async_graphql::Result<Json> {
        parameters(&self.0.config().version.model_parameters, &self.1)
    }

    /// The tools that the model may call, at most 128, in the order in which they were published.
    async fn tools(&self) -> async_graphql::Result<Vec<Tool>> {
        tools(&self.0.config().version.tools, &self.1)
    }

    /// Further settings for gateways, as they were published: a JSON object whose keys are URIs or reverse domains; `{}` if
    /// there are none.
    async fn extensions(&self) -> async_graphql::Result<Json> {
        extensions(&self.0.config().version.extensions, &self.1)
    }

    /// SHA-256, as 64 hexadecimal digits, of the content as canonical JSON; the same as `AgentVersion.contentHash`.
    async fn content_hash(&self) -> String {
        hex(&self.0.config().version.content_hash)
    }

    /// SHA-256, as 64 hexadecimal digits, over the exact bytes that are served; the same as `AgentVersion.bytesHash`.
    async fn bytes_hash(&self) -> String {
        hex(&self.0.config().version.bytes_hash)
    }

    /// When this version became active.
    async fn activated_at(&self) -> DateTime {
        self.0.config().activated_at.into()
    }

    /// The commit that last changed this: an activation, or a change of the agent's name.
    async fn revision(&self) -> Revision {
        self.0.config().revision
    }
}

/// One event of the subscription `configs`. Apply events in the order in which they come.
#[derive(SimpleObject)]
pub struct ConfigEvent {
    /// Which kind of event this is; it decides which fields are null.
    kind: ConfigEventKind,
    /// Why the agent isn't served any more; null unless the kind is REMOVE.
    reason: Option<ConfigEventReason>,
    /// The commit as of which the event is true. For a SNAPSHOT, the commit of the BOOKMARK that follows.
    revision: Revision,
    /// Pass it as `after` to continue from here; null unless the kind is BOOKMARK.
    cursor: Option<Cursor>,
    /// The UUID of the agent; null for a BOOKMARK.
    agent_id: Option<ID>,
    /// What the agent serves as of this commit; null for REMOVE and BOOKMARK.
    config: Option<ActiveConfig>,
}

/// The kinds of events that `configs` sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ConfigEventKind {
    /// A configuration that was served when the subscription began.
    Snapshot,
    /// A configuration that is served from this commit on, in place of the agent's earlier one.
    Upsert,
    /// The agent isn't served from this commit on.
    Remove,
    /// All events up to this commit have been sent: save the cursor.
    Bookmark,
}

/// Why an agent isn't served any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "config::NotServed")]
pub enum ConfigEventReason {
    /// The agent has no active version.
    Deactivated,
    /// The agent was archived.
    Archived,
    /// The agent's customer is SUSPENDED.
    Suspended,
    /// The agent's customer is CANCELED or erased.
    Canceled,
    /// A named agent that you may not see, or that does not exist.
    NotFound,
}

impl ConfigEvent {
    fn new(kind: ConfigEventKind, revision: Revision) -> Self {
        Self { kind, reason: None, revision, cursor: None, agent_id: None, config: None }
    }

    fn of(kind: ConfigEventKind, revision: Revision, config: ActiveConfig) -> Self {
        let agent_id = Some(to_id(config.0.config().agent_id));
        Self { agent_id, config: Some(config), ..Self::new(kind, revision) }
    }

    pub(in crate::graphql) fn snapshot(revision: Revision, config: ActiveConfig) -> Self {
        Self::of(ConfigEventKind::Snapshot, revision, config)
    }

    pub(in crate::graphql) fn upsert(revision: Revision, config: ActiveConfig) -> Self {
        Self::of(ConfigEventKind::Upsert, revision, config)
    }

    pub(in crate::graphql) fn remove(revision: Revision, agent: AgentId, why: config::NotServed) -> Self {
        let kind = ConfigEventKind::Remove;
        Self { agent_id: Some(to_id(agent)), reason: Some(why.into()), ..Self::new(kind, revision) }
    }

    pub(in crate::graphql) fn bookmark(revision: Revision, cursor: String) -> Self {
        Self { cursor: Some(Cursor(cursor)), ..Self::new(ConfigEventKind::Bookmark, revision) }
    }
}

/// The active configuration, or why there is none.
#[derive(Union)]
pub enum ActiveConfigResult {
    /// What the agent serves.
    ActiveConfig(ActiveConfig),
    /// Why the agent serves nothing.
    NotServed(NotServed),
}

/// An agent without an active configuration.
#[derive(SimpleObject)]
pub struct NotServed {
    /// The UUID that was asked for.
    agent_id: ID,
    /// The key of the environment that was asked for.
    environment_key: String,
    /// Why nothing is served.
    reason: NotServedReason,
    /// The commit that the reason began with; null for NOT_FOUND, and when the log has been pruned beyond it.
    revision: Option<Revision>,
}

/// Why nothing is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "not_served::NotServedReason")]
pub enum NotServedReason {
    /// There is no such agent or environment that you can see.
    NotFound,
    /// No version was ever active.
    NeverActivated,
    /// `deactivate` ended serving, or `archiveAgent` did and `restoreAgent` followed.
    Deactivated,
    /// The agent is archived.
    Archived,
    /// The agent's customer is SUSPENDED.
    Suspended,
    /// The agent's customer is CANCELED.
    Canceled,
    /// The data of the agent's customer was erased.
    Erased,
}

/// Reads the active configuration, or why there is none. A configuration that is not known to be current is an error.
async fn config_or_reason(
    request: &Request,
    agent: &ID,
    environment: Option<&str>,
    at_least: Option<Revision>,
) -> domain::Result<ActiveConfigResult> {
    let id = id("agentId", agent)?;
    let key = key_or_default("environment", environment)?;
    if let Some(revision) = at_least {
        request.hub.wait_for_revision(revision).await?;
    }
    let (registry, view) = (&request.registry, request.view());
    // Another field may have begun the snapshot of `view`.
    let reading = registry.nested_reading(&request.caller);
    match request.hub.active_config(&reading, id, &key).await {
        Ok(ConfigResponse { stale: Some(_), .. }) => {
            return Err(Error::Unavailable("the database can't be reached"));
        }
        Ok(ConfigResponse { config: Some(rendered), stale: None }) => {
            return Ok(ActiveConfig(ConfigSource::Cached(rendered), view.clone()).into());
        }
        Ok(ConfigResponse { config: None, stale: None })
        | Err(Error::NotFound(_) | Error::Suspended | Error::Canceled) => {}
        Err(err) => return Err(err),
    }
    if let Some(not_served::NotServedSince { reason, revision }) =
        registry.why_not_served(&reading, id, &key).await?
    {
        let (agent_id, environment_key) = (agent.clone(), key.to_string());
        return Ok(NotServed { agent_id, environment_key, reason: reason.into(), revision }.into());
    }
    // A version has become active since memory was asked.
    let config = registry.active_config(&reading, id, &key).await?;
    let config = config.ok_or(Error::Unavailable("the configuration changed while it was read"))?;
    Ok(ActiveConfig(ConfigSource::Event(Arc::new(config)), view.clone()).into())
}

/// The root field of `Query` that reads an active configuration.
#[derive(Default)]
pub struct ConfigQuery;

#[Object]
impl ConfigQuery {
    /// `activeConfig` that says why there is none. For members, operators, and API keys and service tokens with
    /// `configs:read`.
    async fn active_config_result(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The UUID of the agent.")] agent_id: ID,
        #[graphql(desc = "The key of the environment; `production` if left out.")] environment: Option<
            String,
        >,
        #[graphql(
            desc = "Answer nothing older than this commit: waits up to 2 seconds for it, then fails with UNAVAILABLE."
        )]
        at_least: Option<Revision>,
    ) -> async_graphql::Result<ActiveConfigResult> {
        let answer = config_or_reason(request(ctx)?, &agent_id, environment.as_deref(), at_least).await;
        answer.map_err(|err| to_graphql_error(&err))
    }

    /// The active configuration of an agent in an environment, usually from memory; null if it has no active version there,
    /// or there is no such agent or environment that you can see. For members, operators, and API keys and service tokens with `configs:read`. Fails with
    /// SUSPENDED or CANCELED if the customer isn't served.
    async fn active_config(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The UUID of the agent.")] agent_id: ID,
        #[graphql(desc = "The key of the environment; `production` if left out.")] environment: Option<
            String,
        >,
        #[graphql(
            desc = "Answer nothing older than this commit: waits up to 2 seconds for it, then fails with UNAVAILABLE."
        )]
        at_least: Option<Revision>,
    ) -> Nullable<ActiveConfig> {
        nullable_root(async {
            let request = request(ctx)?;
            let view = request.view();
            let answer = async {
                if let Some(revision) = at_least {
                    request.hub.wait_for_revision(revision).await?;
                }
                // Another field may have begun the snapshot of `view`.
                let reading = request.registry.nested_reading(&request.caller);
                let key = key_or_default("environment", environment.as_deref())?;
                request.hub.active_config(&reading, id("agentId", &agent_id)?, &key).await
            };
            match answer.await {
                Ok(ConfigResponse { config: _, stale: Some(_) }) => {
                    Err(to_graphql_error(&Error::Unavailable("the database can't be reached")))
                }
                Ok(ConfigResponse { config, stale: None }) => {
                    Ok(config.map(|rendered| ActiveConfig(ConfigSource::Cached(rendered), view.clone())))
                }
                Err(Error::NotFound(_)) => Ok(None),
                Err(err) => Err(to_graphql_error(&err)),
            }
        })
        .await
    }
}
