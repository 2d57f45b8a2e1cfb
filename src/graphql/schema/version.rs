//! Versions in the GraphQL schema: the object, and the lists below an agent. Publishing is in `publish.rs`.

use std::sync::Arc;

use async_graphql::{ID, Object};

use super::{
    actor::Actor,
    agent::Agent,
    diff::VersionDiff,
    environment::Environment,
    error::{Nullable, nullable, to_graphql_error},
    page::{VERSIONS, connection},
    scalar::{DateTime, Json, to_id},
    tool::{Tool, tools},
};
use crate::{
    domain::{
        BoundedCount, Error, Page, PageArgs, agent, diff, page::ListId, policy::Action, serving, version,
    },
    graphql::engine::context::RequestView,
    id::{AgentId, VersionId},
};

/// An immutable version of an agent: the prompt, the model, its parameters, the tools and the extensions. Only erasing
/// the customer empties it.
#[derive(Clone)]
pub struct AgentVersion {
    pub(in crate::graphql) row: Arc<version::VersionSummary>,
    pub(in crate::graphql) view: RequestView,
}

/// An immutable version of an agent: the prompt, the model, its parameters, the tools and the extensions. Only erasing
/// the customer empties it.
#[Object]
impl AgentVersion {
    /// The version's UUID, which never changes.
    pub(in crate::graphql) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// The version's number within its agent: 1, 2, 3 and so on, without gaps.
    async fn number(&self) -> i32 {
        self.row.number
    }

    /// The agent that this version belongs to.
    async fn agent(&self) -> async_graphql::Result<Agent> {
        let agent = self.view.agent(self.row.agent_id).await?;
        agent.ok_or_else(|| to_graphql_error(&Error::NotFound("agent")))
    }

    /// The system prompt: at most 512 KiB of UTF-8, may be empty. Costs a read of the content, one for all versions
    /// of a level. API keys need `agents:read`, `configs:read` or `activations:watch`; service tokens need
    /// `configs:read`, and read only what is served now. FORBIDDEN otherwise.
    async fn system_prompt(&self) -> async_graphql::Result<String> {
        let body = self.body().await?;
        self.view.weigh_prompt(self.row.id, &body.system_prompt).await?;
        Ok(body.system_prompt.clone())
    }

    /// The model's name, such as `gpt-4-turbo`: 1 to 200 characters, not checked against a list.
    async fn model_name(&self) -> &str {
        &self.row.model_name
    }

    /// The model's settings, such as `temperature`: a JSON object of at most 64 KiB, with the order of keys and the
    /// numbers that were published. Needs the same rights as `systemPrompt`.
    async fn model_parameters(&self) -> async_graphql::Result<Json> {
        let body = self.body().await?;
        parameters(&body.model_parameters, &self.view)
    }

    /// The tools that the model may call, at most 128, in the order in which they were published. Needs the same
    /// rights as `systemPrompt`.
    async fn tools(&self) -> async_graphql::Result<Vec<Tool>> {
        let body = self.body().await?;
        tools(&body.tools, &self.view)
    }

    /// Further settings for gateways, such as MCP servers, skills, handoffs and response formats: a JSON object of at most
    /// 256 KiB, whose keys are URIs or reverse domains. Served as it was published; `{}` if there are none. Needs the same
    /// rights as `systemPrompt`.
    async fn extensions(&self) -> async_graphql::Result<Json> {
        let body = self.body().await?;
        extensions(&body.extensions, &self.view)
    }

    /// SHA-256, as 64 hexadecimal digits, of the content as canonical JSON (RFC 8785) with the keys
    /// `system_prompt`, `model_name`, `model_parameters` and `tools`, and `extensions` if there are any. Compares
    /// contents: the order of keys and the spelling of numbers don't matter. `bytesHash` names what is served.
    async fn content_hash(&self) -> String {
        hex(&self.row.content_hash)
    }

    /// SHA-256, as 64 hexadecimal digits, over the exact bytes that are served: prompt, model name, the JSON of the
    /// parameters, of the tools, and of the extensions if there are any, as REST writes them, each after its length as 8
    /// bytes (big-endian). Reads the content of a version that was published before this field existed, and needs the rights of `systemPrompt` then.
    async fn bytes_hash(&self) -> async_graphql::Result<String> {
        match &self.row.bytes_hash {
            Some(hash) => Ok(hex(hash)),
            None => Ok(hex(&self.body().await?.bytes_hash)),
        }
    }

    /// The names in `{{name}}` in the prompt, in the order of their first use. Needs the rights of `systemPrompt`.
    async fn variables(&self) -> async_graphql::Result<Vec<String>> {
        let body = self.body().await?;
        let names = diff::variables(&body.system_prompt);
        self.view.weigh(names.iter().map(String::len).sum())?;
        Ok(names)
    }

    /// The difference from another version of the agent to this one; null for the first version without `against`, and
    /// if there is no version `against`. Needs the rights of `Agent.diff`.
    async fn diff(
        &self,
        #[graphql(
            desc = "The number of the version to compare from. The version before this one if left out."
        )]
        against: Option<i32>,
    ) -> Nullable<VersionDiff> {
        nullable(async {
            let from =
                self.view.version_of(self.row.agent_id, against.unwrap_or(self.row.number - 1)).await?;
            Ok(from.map(|from| VersionDiff::new(from, self.clone())))
        })
        .await
    }

    /// The size of the prompt, the parameters, the tools and the extensions together, in bytes.
    async fn content_bytes(&self) -> i32 {
        self.row.content_bytes
    }

    /// The author's reason for this version, at most 2,000 characters. Null if none was written; also for service
    /// tokens and for API keys that have only `changes:read`.
    async fn message(&self) -> Nullable<&str> {
        nullable(async {
            self.view.allow(Action::ReadNotes)?;
            let message = self.row.message.as_deref();
            self.view.weigh_text(message.unwrap_or_default())?;
            Ok(message)
        })
        .await
    }

    /// The environments in which the version is active now, by rank.
    async fn active_in(&self) -> async_graphql::Result<Vec<Environment>> {
        let Some(rows) = self.view.loaders().servings.load(self.row.agent_id).await? else {
            return Ok(Vec::new());
        };
        let serves = |row: &&serving::Serving| row.active_version_id == Some(self.row.id);
        let mut environments = Vec::new();
        for row in rows.iter().filter(serves) {
            environments.extend(self.view.environment(row.environment_id).await?);
        }
        environments
            .sort_by(|one, other| one.row.rank.cmp(&other.row.rank).then(one.row.key.cmp(&other.row.key)));
        Ok(environments)
    }

    /// True while this is the version that is active in `production`.
    async fn is_active(&self) -> async_graphql::Result<bool> {
        let agent = self.view.agent(self.row.agent_id).await?;
        Ok(agent.is_some_and(|agent| agent.row.active_version_id == Some(self.row.id)))
    }

    /// The user, API key or operator that published the version; SYSTEM for an import on the command line.
    async fn created_by(&self) -> Actor {
        Actor::new(self.row.created_by_kind, self.row.created_by_id, self.view.clone())
    }

    /// When the version was published.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

impl AgentVersion {
    /// Loads the prompt, parameters and tools. One statement reads them for all versions of a level whose fields
    /// ask for them.
    pub(in crate::graphql) async fn body(&self) -> async_graphql::Result<Arc<version::VersionBody>> {
        let key = version::BodyKey::of(&self.row);
        self.view.weigh_content(&key)?;
        let body = self.view.loaders().version_bodies.load(key).await?;
        let hidden = || match self.view.caller().principal.is_service() {
            true => Error::Forbidden(
                "a service token reads the content of versions that are served now, and of no others",
            ),
            false => Error::Internal("a version has no content".into()),
        };
        let body = body.ok_or_else(|| to_graphql_error(&hidden()))?;
        Ok(Arc::clone(&body))
    }
}

/// Copies a version's parameters into the answer.
pub(in crate::graphql) fn parameters(
    of: &version::ModelParameters,
    view: &RequestView,
) -> async_graphql::Result<Json> {
    let version::ModelParameters(text) = of;
    view.weigh(text.as_str().len())?;
    Ok(Json(text.to_string()))
}

/// Copies a version's extensions into the answer.
pub(in crate::graphql) fn extensions(
    of: &version::Extensions,
    view: &RequestView,
) -> async_graphql::Result<Json> {
    view.weigh(of.as_str().len())?;
    Ok(Json(of.as_str().to_owned()))
}

/// A hash as lower-case hexadecimal digits.
pub(in crate::graphql) fn hex(bytes: &[u8]) -> String {
    // `hex::encode` works character by character, which is slower.
    let mut text = vec![0; 2 * bytes.len()];
    let written = hex::encode_to_slice(bytes, &mut text).ok().and_then(|()| String::from_utf8(text).ok());
    written.unwrap_or_default()
}

/// The number of an agent's newest version. Versions are numbered without gaps, so this is their count.
type Count = i32;

async fn count(latest: &Count) -> async_graphql::Result<BoundedCount> {
    Ok(BoundedCount::of(u64::try_from(*latest).unwrap_or(0)))
}

connection!(
    /// A page of versions.
    AgentVersionConnection, AgentVersionEdge, AgentVersion, |node: &AgentVersion| node.row.number, count, Count
);

impl AgentVersionConnection {
    pub(in crate::graphql) async fn of_agent(
        view: &RequestView,
        agent: &agent::Agent,
        args: PageArgs<i32>,
    ) -> async_graphql::Result<Self> {
        let page = view.loaders().version_pages.load((agent.id, args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| AgentVersion { row: Arc::clone(row), view: view.clone() })
        });
        Ok(Self::new(page, ListId::below(VERSIONS, agent.id), agent.latest_number))
    }
}

impl RequestView {
    pub(in crate::graphql) async fn version(
        &self,
        id: VersionId,
    ) -> async_graphql::Result<Option<AgentVersion>> {
        Ok(self.loaders().versions.load(id).await?.map(|row| AgentVersion { row, view: self.clone() }))
    }

    pub(in crate::graphql) async fn version_of(
        &self,
        agent: AgentId,
        number: i32,
    ) -> async_graphql::Result<Option<AgentVersion>> {
        let row = self.loaders().version_numbers.load((agent, number)).await?;
        Ok(row.map(|row| AgentVersion { row, view: self.clone() }))
    }
}
