//! `/v1/agents/{id}/versions`: what an agent is, at one time and for ever.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{AgentPath, Body, NoParameters, Shape, refuse};
use crate::{
    clock::Instant,
    domain::{
        Changed,
        version::{self, AgentVersion, Content, ModelParameters, PublishVersion, Tools},
    },
    http::{
        Door,
        caller::Authenticated,
        problem::{Kind, Problem},
        routes::openapi::{
            refusal::{ANYWHERE, OF_BODIES, refusals},
            shape,
        },
        server::body,
    },
    id::{AgentId, VersionId},
};

/// A new version.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(examples(json!({
    "system_prompt": "You help residents with building permits.", "model_name": "gpt-4-turbo",
    "model_parameters": { "temperature": 0.2 },
    "tools": [{
        "name": "find_section", "description": "Finds a section of the building code",
        "input_schema": { "type": "object", "properties": { "query": { "type": "string" } }, "required": ["query"] },
    }],
    "message": "Cite the code", "activate": true,
})))]
#[serde(deny_unknown_fields)]
pub(super) struct NewVersion {
    #[schema(value_type = shape::Prompt)]
    system_prompt: String,
    /// Which model.
    #[schema(value_type = shape::Name)]
    model_name: String,
    #[schema(value_type = Option<shape::ModelParameters>)]
    model_parameters: Option<Value>,
    #[schema(value_type = Option<shape::Tools>)]
    tools: Option<Vec<version::Tool>>,
    /// Why, in the author's words.
    #[schema(value_type = Option<shape::Description>)]
    message: Option<String>,
    /// Whether it is to serve at once. Without it, it is only published.
    activate: Option<bool>,
    /// Refuse if the newest version has another number; 0 when there must be none.
    #[serde(default, deserialize_with = "body::integer")]
    #[schema(value_type = Option<shape::VersionNumber>)]
    expected_latest_number: Option<i32>,
}

impl Shape for NewVersion {
    const SHAPE: &'static str = "the body must be an object: the texts system_prompt and model_name, and if wanted \
         the object model_parameters, tools as a list of objects of name, description and input_schema, the text \
         message, activate as true or false, and the number expected_latest_number";
}

/// A version as REST shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Version {
    #[schema(value_type = shape::Id)]
    id: VersionId,
    /// Of which agent.
    #[schema(value_type = shape::Id)]
    agent_id: AgentId,
    /// 1, 2, 3 … within the agent, without gap.
    #[schema(minimum = 1)]
    number: i32,
    #[schema(value_type = shape::Prompt)]
    system_prompt: String,
    /// Which model.
    #[schema(value_type = shape::Name)]
    model_name: String,
    /// Settings of the model, as they were given.
    #[schema(value_type = Object)]
    model_parameters: Value,
    #[schema(value_type = shape::Tools)]
    tools: Tools,
    /// Why, in the author's words.
    #[schema(value_type = Option<shape::Description>, required)]
    message: Option<String>,
    #[schema(value_type = shape::ContentHash)]
    content_hash: String,
    #[schema(value_type = shape::Instant)]
    created_at: Instant,
    /// Whether this commit made it the one that serves.
    is_active: bool,
    /// The commit that made it.
    #[schema(value_type = shape::Revision)]
    revision: i64,
}

refusals!(
    PublishRefusals = ANYWHERE,
    OF_BODIES,
    &[
        Kind::Forbidden,
        Kind::Suspended,
        Kind::NotFound,
        Kind::Conflict,
        Kind::Archived,
        Kind::LimitReached,
        Kind::IdempotencyKeyReused,
        Kind::Invalid,
        Kind::TooLarge
    ]
);

/// Publish a version.
///
/// It gets the next number of its agent and never changes. It serves at once only when asked to.
#[utoipa::path(
    post, path = "/v1/agents/{id}/versions", operation_id = "publishVersion", tag = "agents",
    security(("bearer" = [])),
    params(
        ("id" = shape::Id, Path, description = "The agent. What is no UUID is no agent's, and not found."),
        ("Idempotency-Key" = Option<shape::IdempotencyKey>, Header, description = "A name for this write, of the caller's own choice."),
    ),
    request_body = NewVersion,
    responses(
        (status = 201, description = "It is published.", body = Version,
            links(
                ("read" = (operation_id = "getAgent", parameters(("id" = "$response.body#/agent_id")))),
                ("active" = (operation_id = "getActiveConfig",
                    parameters(("id" = "$response.body#/agent_id"), ("at_least" = "$response.body#/revision")))),
            )),
        PublishRefusals,
    ),
)]
pub(super) async fn publish(
    State(door): State<Door>,
    Authenticated(caller): Authenticated,
    AgentPath(agent_id): AgentPath,
    _: NoParameters,
    body: Body<NewVersion>,
) -> Result<Response, Problem> {
    let (input, caller) = body.of(caller);
    let NewVersion {
        system_prompt,
        model_name,
        model_parameters,
        tools,
        message,
        activate,
        expected_latest_number,
    } = input;
    let is_active = activate.unwrap_or(false);
    let tools = tools.unwrap_or_default();
    let input = PublishVersion {
        agent_id,
        content: Content {
            system_prompt,
            model_name,
            model_parameters: model_parameters.unwrap_or_else(|| Value::Object(Default::default())),
            tools,
        },
        message,
        activate: is_active,
        expected_latest_number,
    };
    let made = door.registry.publish_version(&caller, input).await;
    let Changed { value, revision } = made.map_err(refuse(&caller))?;
    let AgentVersion {
        id,
        customer_id: _,
        agent_id,
        number,
        system_prompt,
        model_name,
        model_parameters: ModelParameters(model_parameters),
        tools,
        message,
        content_hash,
        created_by_kind: _,
        created_by_id: _,
        created_at,
    } = value;
    let body = Version {
        id,
        agent_id,
        number,
        system_prompt,
        model_name,
        model_parameters,
        tools,
        message,
        content_hash: hex::encode(content_hash),
        created_at,
        is_active,
        revision,
    };
    Ok((StatusCode::CREATED, Json(body)).into_response())
}
