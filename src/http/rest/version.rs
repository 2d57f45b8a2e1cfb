//! `/v1/agents/{id}/versions`: what an agent is, at one time and for ever.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AgentPath, Body, Shape, refuse};
use crate::{
    clock::Instant,
    domain::{
        Changed,
        version::{self, AgentVersion, Content, PublishVersion, Tools},
    },
    http::{Door, body::Object, caller::Authenticated, problem::Problem},
    id::{AgentId, VersionId},
};

/// A new version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewVersion {
    system_prompt: String,
    model_name: String,
    model_parameters: Option<Value>,
    tools: Option<Vec<Object<version::Tool>>>,
    message: Option<String>,
    activate: Option<bool>,
    expected_latest_number: Option<i32>,
}

impl Shape for NewVersion {
    const SHAPE: &'static str = "the body must be an object: the texts system_prompt and model_name, and if wanted \
         the object model_parameters, tools as a list of objects of name, description and input_schema, the text \
         message, activate as true or false, and the number expected_latest_number";
}

/// A version as REST shows it.
#[derive(Debug, Serialize)]
struct Version {
    id: VersionId,
    agent_id: AgentId,
    number: i32,
    system_prompt: String,
    model_name: String,
    model_parameters: Value,
    tools: Tools,
    message: Option<String>,
    content_hash: String,
    created_at: Instant,
    is_active: bool,
    revision: i64,
}

/// `POST /v1/agents/{id}/versions`.
pub(super) async fn publish(
    State(door): State<Door>,
    Authenticated(caller): Authenticated,
    AgentPath(agent_id): AgentPath,
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
            tools: tools.into_iter().map(|Object(tool)| tool).collect(),
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
        model_parameters,
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
