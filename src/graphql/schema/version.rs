//! Versions in the GraphQL schema: the object, the lists below an agent, and `publishVersion`.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    actor::Actor,
    agent::Agent,
    error::{MutationResult, Nullable, UserError, into_mutation_result, nullable, to_graphql_error},
    page::connection,
    scalar::{DateTime, Json, Revision, id, to_id},
    tool::{Tool, ToolInput, tools},
};
use crate::{
    domain::{self, BoundedCount, Error, Page, PageArgs, agent, policy::Action, version},
    graphql::engine::context::{RequestView, request},
    id::{AgentId, VersionId},
};

/// An immutable version of an agent: the prompt, the model, its parameters and the tools. Only erasing the customer
/// empties it.
#[derive(Clone)]
pub struct AgentVersion {
    pub(in crate::graphql) row: Arc<version::VersionSummary>,
    pub(in crate::graphql) view: RequestView,
}

/// An immutable version of an agent: the prompt, the model, its parameters and the tools. Only erasing the customer
/// empties it.
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

    /// SHA-256, as 64 hexadecimal digits, of the content as canonical JSON (RFC 8785) with the keys
    /// `system_prompt`, `model_name`, `model_parameters` and `tools`. Compares contents: the order of keys and the
    /// spelling of numbers don't matter. `bytesHash` names what is served.
    async fn content_hash(&self) -> String {
        hex(&self.row.content_hash)
    }

    /// SHA-256, as 64 hexadecimal digits, over the exact bytes that are served: prompt, model name, the JSON of the
    /// parameters and of the tools as REST writes them, each after its length as 8 bytes (big-endian). Reads the
    /// content of a version that was published before this field existed, and needs the rights of `systemPrompt` then.
    async fn bytes_hash(&self) -> async_graphql::Result<String> {
        match &self.row.bytes_hash {
            Some(hash) => Ok(hex(hash)),
            None => Ok(hex(&self.body().await?.bytes_hash)),
        }
    }

    /// The size of the prompt, the parameters and the tools together, in bytes.
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

    /// True while this is its agent's active version.
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
        Ok(Self::new(page, agent.latest_number))
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

/// The content of a new version.
#[derive(Clone, Debug, InputObject)]
pub struct PublishVersionInput {
    /// The UUID of the agent to publish for.
    agent_id: ID,
    /// The system prompt: at most 512 KiB of UTF-8; may be empty.
    system_prompt: String,
    /// The model's name, such as `gpt-4-turbo`: 1 to 200 characters, not checked against a list.
    model_name: String,
    /// The model's settings, such as `temperature`: a JSON object of at most 64 KiB without white space, at most 32
    /// levels deep, with integers within ±(2^53−1). Empty if left out. It is served as it is given, with the same order
    /// of keys and the same numbers.
    model_parameters: Option<Json>,
    /// The tools that the model may call: at most 128, with unique names, 1 MiB of JSON without white space together;
    /// none if left out.
    tools: Option<Vec<ToolInput>>,
    /// Your reason for this version: at most 2,000 characters.
    message: Option<String>,
    /// Whether to activate the version in the same commit. That also needs the right to activate.
    #[graphql(default = false)]
    activate: bool,
    /// Fail with CONFLICT if the newest version's number isn't this one; 0 expects that there is no version. Not
    /// checked if left out.
    expected_latest_number: Option<i32>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The result of `publishVersion`.
#[derive(SimpleObject)]
pub struct PublishVersionPayload {
    /// The new version; null if there are `userErrors`.
    version: Option<AgentVersion>,
    /// The commit that published the version; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the version wasn't published; empty on success.
    user_errors: Vec<UserError>,
}

/// The root field of `Mutation` that publishes versions.
#[derive(Default)]
pub struct VersionMutation;

#[Object]
impl VersionMutation {
    /// Publishes an immutable version under the agent's next number. It's served only if activated, at once with
    /// `activate` or later. Needs EDITOR or `versions:publish`. Fails with ARCHIVED, and with LIMIT_REACHED beyond
    /// the plan.
    async fn publish_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The agent, and the new version's content.")] input: PublishVersionInput,
    ) -> async_graphql::Result<PublishVersionPayload> {
        let request = request(ctx)?;
        let PublishVersionInput {
            agent_id,
            system_prompt,
            model_name,
            model_parameters,
            tools,
            message,
            activate,
            expected_latest_number,
            idempotency_key,
        } = input;
        let answer = async {
            let parameters = model_parameters.map(|json| json.read()).transpose()?;
            let tools = tools.unwrap_or_default().into_iter().enumerate();
            let content = version::Content {
                system_prompt,
                model_name,
                model_parameters: parameters.unwrap_or_else(version::no_parameters),
                tools: tools.map(|(nth, tool)| tool.into_json(nth)).collect::<domain::Result<_>>()?,
            };
            let agent_id = id("agentId", &agent_id)?;
            let input =
                version::PublishVersion { agent_id, content, message, activate, expected_latest_number };
            request.registry.publish_version(&request.idempotent_caller(ctx, idempotency_key)?, input).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let version = match value {
            Some(row) => request.fresh_view().version(row.id).await?,
            None => None,
        };
        Ok(PublishVersionPayload { version, revision, user_errors })
    }
}
