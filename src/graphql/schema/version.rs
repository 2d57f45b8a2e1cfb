//! Versions in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, ScalarType, SimpleObject};
use serde_json::Value;

use super::{
    agent::Agent,
    error::{Nullable, Outcome, UserError, nullable, refuse, settle},
    page::connection,
    scalar::{DateTime, Json, Revision, id, to_id},
    user::Actor,
};
use crate::{
    domain::{Error, Page, PageArgs, agent as agents, policy::Action, version as verbs},
    graphql::engine::{
        context::{Lens, request},
        inline_fields::Plain,
    },
    id::{AgentId, VersionId},
};

/// What an agent is, at one time and for ever.
#[derive(Clone)]
pub struct AgentVersion {
    pub(in crate::graphql) row: Arc<verbs::VersionSummary>,
    pub(in crate::graphql) lens: Lens,
}

/// One tool that a version may call.
#[derive(Clone, Debug, SimpleObject)]
pub struct Tool {
    /// Its name, unique within the version.
    name: String,
    /// What it does, for the model to read.
    description: Option<String>,
    /// The JSON Schema of its input.
    input_schema: Option<Json>,
}

/// One tool that a version may call.
#[derive(Clone, Debug, InputObject)]
pub struct ToolInput {
    /// Its name: 1 to 200 characters, unique within the version.
    name: String,
    /// What it does, for the model to read.
    description: Option<String>,
    /// A JSON Schema of its input. It is checked to be one; nothing that it refers to is fetched.
    input_schema: Option<Json>,
}

impl From<ToolInput> for verbs::Tool {
    fn from(ToolInput { name, description, input_schema }: ToolInput) -> Self {
        Self { name, description, input_schema: input_schema.map(|Json(schema)| schema) }
    }
}

/// A version's tools as the graph shows them.
pub(in crate::graphql) fn tools(of: &verbs::Tools) -> Vec<Tool> {
    let tool = |verbs::Tool { name, description, input_schema }: verbs::Tool| Tool {
        name,
        description,
        input_schema: input_schema.map(Json),
    };
    of.0.iter().cloned().map(tool).collect()
}

/// About how much memory a value takes in an answer.
pub(in crate::graphql) fn json_bytes(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(values) => values.iter().map(json_bytes).sum(),
            Value::Object(entries) => entries.iter().map(|(key, value)| key.len() + json_bytes(value)).sum(),
        }
}

/// About how much memory a version's tools take in an answer.
pub(in crate::graphql) fn tools_bytes(of: &verbs::Tools) -> usize {
    let tool = |verbs::Tool { name, description, input_schema }: &verbs::Tool| {
        let schema = input_schema.as_ref().map_or(0, json_bytes);
        size_of::<Tool>() + name.len() + description.as_ref().map_or(0, String::len) + schema
    };
    of.0.iter().map(tool).sum()
}

/// What an agent is, at one time and for ever.
#[Object]
impl AgentVersion {
    /// Its UUID.
    pub(in crate::graphql) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// 1, 2, 3 … within the agent, without gap.
    async fn number(&self) -> i32 {
        self.row.number
    }

    /// Of which agent.
    async fn agent(&self) -> async_graphql::Result<Agent> {
        let agent = self.lens.agent(self.row.agent_id).await?;
        agent.ok_or_else(|| refuse(&Error::NotFound("agent")))
    }

    /// What the model is told first.
    async fn system_prompt(&self) -> async_graphql::Result<String> {
        let body = self.body().await?;
        self.lens.weigh(body.system_prompt.len())?;
        Ok(body.system_prompt.clone())
    }

    /// Which model, such as `gpt-4-turbo`.
    async fn model_name(&self) -> &str {
        &self.row.model_name
    }

    /// Temperature and the like: a JSON object.
    async fn model_parameters(&self) -> async_graphql::Result<Json> {
        let body = self.body().await?;
        self.lens.weigh(json_bytes(&body.model_parameters.0))?;
        Ok(Json(body.model_parameters.0.clone()))
    }

    /// What it may call, in the order in which it was given.
    async fn tools(&self) -> async_graphql::Result<Vec<Tool>> {
        let body = self.body().await?;
        self.lens.weigh(tools_bytes(&body.tools))?;
        Ok(tools(&body.tools))
    }

    /// SHA-256, in hex, over the canonical JSON (RFC 8785) of `system_prompt`, `model_name`, `model_parameters` and
    /// `tools`: equal content has an equal hash.
    async fn content_hash(&self) -> String {
        hex(&self.row.content_hash)
    }

    /// Why this version, in its author's words. Not for services of the platform.
    async fn message(&self) -> Nullable<&str> {
        nullable(async {
            self.lens.allow(Action::ReadNotes)?;
            let message = self.row.message.as_deref();
            self.lens.weigh(message.map_or(0, str::len))?;
            Ok(message)
        })
        .await
    }

    /// Whether its agent serves it now.
    async fn is_active(&self) -> async_graphql::Result<bool> {
        let agent = self.lens.agent(self.row.agent_id).await?;
        Ok(agent.is_some_and(|agent| agent.row.active_version_id == Some(self.row.id)))
    }

    /// Who published it.
    async fn created_by(&self) -> Actor {
        Actor::new(self.row.created_by_kind, self.row.created_by_id, self.lens.clone())
    }

    /// When it was published.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

impl AgentVersion {
    /// What it holds: looked for when a field asks for it, and read in one statement with all others of its level.
    pub(in crate::graphql) async fn body(&self) -> async_graphql::Result<Arc<verbs::VersionBody>> {
        let body = self.lens.version_bodies.load(verbs::BodyKey::of(&self.row)).await?;
        let hidden = || match self.lens.reading.caller.principal.is_service() {
            true => Error::Forbidden("a service token reads what versions hold that serve, and of no others"),
            false => Error::Internal("a version without content".into()),
        };
        let body = body.ok_or_else(|| refuse(&hidden()))?;
        Ok(Arc::clone(&body))
    }
}

/// A hash as clients see it.
pub(in crate::graphql) fn hex(bytes: &[u8]) -> String {
    // `hex::encode` goes character by character.
    let mut text = vec![0; 2 * bytes.len()];
    let written = hex::encode_to_slice(bytes, &mut text).ok().and_then(|()| String::from_utf8(text).ok());
    written.unwrap_or_default()
}

/// What a list of versions counts: they are numbered without gap, so the newest number is the count.
type Count = i32;

async fn count(latest: &Count) -> async_graphql::Result<u64> {
    Ok(u64::try_from(*latest).unwrap_or(0))
}

impl Plain for AgentVersion {
    fn plain(&self, field: &str) -> Option<async_graphql::Value> {
        match field {
            "id" => Some(to_id(self.row.id).to_value()),
            "number" => Some(self.row.number.into()),
            "modelName" => Some(self.row.model_name.as_str().into()),
            "contentHash" => Some(hex(&self.row.content_hash).into()),
            "createdAt" => Some(DateTime::from(self.row.created_at).to_value()),
            _ => None,
        }
    }
}

connection!(
    /// A page of versions.
    AgentVersionConnection, AgentVersionEdge, AgentVersion, |node: &AgentVersion| node.row.number, count, Count
);

impl AgentVersionConnection {
    pub(in crate::graphql) async fn of_agent(
        lens: &Lens,
        agent: &agents::Agent,
        args: PageArgs<i32>,
    ) -> async_graphql::Result<Self> {
        let page = lens.version_pages.load((agent.id, args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| AgentVersion { row: Arc::clone(row), lens: lens.clone() })
        });
        Ok(Self::new(page, agent.latest_number))
    }
}

impl Lens {
    pub(in crate::graphql) async fn version(
        &self,
        id: VersionId,
    ) -> async_graphql::Result<Option<AgentVersion>> {
        Ok(self.versions.load(id).await?.map(|row| AgentVersion { row, lens: self.clone() }))
    }

    pub(in crate::graphql) async fn version_of(
        &self,
        agent: AgentId,
        number: i32,
    ) -> async_graphql::Result<Option<AgentVersion>> {
        let row = self.version_numbers.load((agent, number)).await?;
        Ok(row.map(|row| AgentVersion { row: Arc::clone(&row), lens: self.clone() }))
    }
}

/// A new version.
#[derive(Clone, Debug, InputObject)]
pub struct PublishVersionInput {
    /// Of which agent.
    agent_id: ID,
    /// What the model is told first: at most 512 KiB.
    system_prompt: String,
    /// Which model, such as `gpt-4-turbo`: 1 to 200 characters.
    model_name: String,
    /// Temperature and the like: a JSON object of at most 64 KiB; empty when left out.
    model_parameters: Option<Json>,
    /// What it may call: at most 128 with unique names; none when left out.
    tools: Option<Vec<ToolInput>>,
    /// Why this version: at most 2,000 characters.
    message: Option<String>,
    /// Whether it is to serve at once.
    #[graphql(default = false)]
    activate: bool,
    /// Refuse with CONFLICT when the newest version has another number; 0 expects none.
    expected_latest_number: Option<i32>,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. The same, sent again with it within 24
    /// hours, is not done again: its object, as it is now, and its revision are told again, but no secret.
    idempotency_key: Option<String>,
}

/// What publishing came to.
#[derive(SimpleObject)]
pub struct PublishVersionPayload {
    /// The version; null when it was not published.
    version: Option<AgentVersion>,
    /// The commit that published it.
    revision: Option<Revision>,
    /// Why it was not published; empty when it was.
    user_errors: Vec<UserError>,
}

/// Its mutations.
#[derive(Default)]
pub struct VersionMutation;

#[Object]
impl VersionMutation {
    /// Publishes a version: the next number of its agent, for ever. It serves only when activated, here or later.
    async fn publish_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new version.")] input: PublishVersionInput,
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
            let content = verbs::Content {
                system_prompt,
                model_name,
                model_parameters: model_parameters
                    .map_or_else(|| Value::Object(Default::default()), |Json(value)| value),
                tools: tools.unwrap_or_default().into_iter().map(verbs::Tool::from).collect(),
            };
            let agent_id = id("agentId", &agent_id)?;
            let input =
                verbs::PublishVersion { agent_id, content, message, activate, expected_latest_number };
            request.registry.publish_version(&request.once(ctx, idempotency_key)?, input).await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        let version = match value {
            Some(row) => request.fresh().version(row.id).await?,
            None => None,
        };
        Ok(PublishVersionPayload { version, revision, user_errors })
    }
}
