//! `/v1/agents/{id}/versions`: publishes versions of an agent.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AgentPath, Body, NoParameters, plan::confirmation, refuse};
use crate::{
    clock::{self, Instant},
    domain::{
        WriteResult, environment,
        text::snake_case,
        version::{
            AgentVersion, Content, Extensions, ModelParameters, PublishVersion, Published, Tools,
            no_parameters,
        },
        warning::Warning,
    },
    http::{
        AppState,
        caller::AuthenticatedCaller,
        problem::{Problem, ProblemKind},
        routes::openapi::{
            problems::{BODY_PROBLEMS, COMMON_PROBLEMS, refusals},
            schemas,
        },
        server::body,
    },
    id::{AgentId, Revision, VersionId},
};

/// The input for a new version. Its fields are also read in the spelling of GraphQL, such as `systemPrompt`.
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
pub struct NewVersion {
    #[schema(value_type = schemas::Prompt)]
    system_prompt: String,
    /// The name of the model.
    #[schema(value_type = schemas::Name)]
    model_name: String,
    #[schema(value_type = Option<schemas::ModelParameters>)]
    model_parameters: Option<json_reader::Json>,
    #[schema(value_type = Option<schemas::Tools>)]
    tools: Option<Vec<json_reader::Json>>,
    #[schema(value_type = Option<schemas::VersionExtensions>)]
    extensions: Option<json_reader::Json>,
    /// The author's reason for the version.
    #[schema(value_type = Option<schemas::Description>)]
    message: Option<String>,
    /// Whether to activate the version in the same commit. The default is `false`.
    activate: Option<bool>,
    /// With `activate`: the key of the environment in which to activate it. The default is `production`.
    #[schema(value_type = Option<schemas::EnvironmentKey>)]
    environment: Option<String>,
    /// With `activate`: the hash of the plan that you have seen. If the plan is another one by now, the request is
    /// rejected with 409.
    #[schema(value_type = Option<schemas::PlanHash>)]
    plan_hash: Option<String>,
    /// The impacts that you accept, if the plan asks for a confirmation, such as `NARROWED`. Needs `plan_hash`.
    #[schema(value_type = Option<Vec<schemas::ChangeImpact>>)]
    confirm: Option<Vec<String>>,
    /// Whether to publish nothing if the newest version has the same bytes, and to answer that one. The default is
    /// `false`.
    if_changed: Option<bool>,
    /// Whether to reject what would be accepted with warnings. The default is `false`.
    refuse_warnings: Option<bool>,
    /// The expected number of the newest version, 0 if there must be none. If the agent's newest version has another
    /// number, the request is rejected with 409.
    #[serde(default, deserialize_with = "body::integer")]
    #[schema(value_type = Option<schemas::VersionNumber>)]
    expected_latest_number: Option<i32>,
}

/// A version of an agent. It never changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Version {
    #[schema(value_type = schemas::Id)]
    id: VersionId,
    /// The agent that the version belongs to.
    #[schema(value_type = schemas::Id)]
    agent_id: AgentId,
    /// The version's number within the agent: 1, 2, 3 …, without gaps.
    #[schema(minimum = 1)]
    number: i32,
    #[schema(value_type = schemas::Prompt)]
    system_prompt: String,
    /// The name of the model.
    #[schema(value_type = schemas::Name)]
    model_name: String,
    /// The model's parameters, with the order of keys and the numbers that were published.
    #[schema(value_type = Object)]
    model_parameters: ModelParameters,
    #[schema(value_type = schemas::Tools)]
    tools: Tools,
    #[schema(value_type = schemas::VersionExtensions)]
    extensions: Extensions,
    /// The author's reason for the version. Null if none was given.
    #[schema(value_type = Option<schemas::Description>, required)]
    message: Option<String>,
    #[schema(value_type = schemas::ContentHash)]
    content_hash: String,
    #[schema(value_type = schemas::BytesHash)]
    bytes_hash: String,
    #[serde(serialize_with = "clock::micros")]
    #[schema(value_type = schemas::Instant)]
    created_at: Instant,
    /// Whether the request asked to activate the version. It may have been replaced since.
    is_active: bool,
    /// Whether the version is new. False if the newest one had the same bytes already.
    is_new: bool,
    /// A part of the content that was accepted, but is likely a mistake.
    warnings: Vec<VersionWarning>,
    /// The commit that published the version. A read with `at_least` set to it sees the version.
    #[schema(value_type = schemas::Revision)]
    revision: Revision,
}

/// A part of the content that was accepted, but is likely a mistake.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionWarning {
    /// The rule that is broken: `TOOL_NAME`, `SCHEMA_ROOT`, `DANGLING_REF`, `REMOTE_REF`, `PATTERN` or `SECRET`. New ones
    /// may be added.
    rule: &'static str,
    /// The place, as steps from the content.
    path: Vec<String>,
    /// The line within the prompt, from 1. Null elsewhere.
    #[schema(required)]
    line: Option<usize>,
    /// What is wrong, and what would be right.
    message: String,
}

impl From<Warning> for VersionWarning {
    fn from(Warning { rule, path, line, message }: Warning) -> Self {
        // Fields of a content and of a tool are spelled as REST spells them. Other steps are keys that a client chose.
        let is_tool = path.first().is_some_and(|field| field == "tools");
        let is_field = |nth: usize| nth == 0 || nth == 2 && is_tool;
        let spell = |(nth, step): (usize, String)| if is_field(nth) { snake_case(&step) } else { step };
        let path = path.into_iter().enumerate().map(spell).collect();
        Self { rule: rule.as_str(), path, line, message }
    }
}

refusals!(
    PublishRefusals = COMMON_PROBLEMS,
    BODY_PROBLEMS,
    &[
        ProblemKind::Forbidden,
        ProblemKind::Suspended,
        ProblemKind::Canceled,
        ProblemKind::NotFound,
        ProblemKind::Conflict,
        ProblemKind::Archived,
        ProblemKind::PlanChanged,
        ProblemKind::ConfirmationRequired,
        ProblemKind::PolicyRefused,
        ProblemKind::NotPromotable,
        ProblemKind::LimitReached,
        ProblemKind::IdempotencyKeyReused,
        ProblemKind::Invalid,
        ProblemKind::TooLarge
    ]
);

/// Publish a version.
///
/// The version gets the agent's next number and never changes. It becomes active only with `activate`.
#[utoipa::path(
    post, path = "/v1/agents/{id}/versions", operation_id = "publishVersion", tag = "agents",
    security(("bearer" = [])),
    params(
        ("id" = schemas::Id, Path, description = "The agent's id. A value that isn't a UUID returns 404."),
        ("Idempotency-Key" = Option<schemas::IdempotencyKey>, Header, description = "A key of your choice for this write."),
    ),
    request_body = NewVersion,
    responses(
        (status = 200, description = "With `if_changed`: the newest version has the same bytes. Nothing was published.", body = Version),
        (status = 201, description = "The version was published.", body = Version,
            links(
                ("read" = (operation_id = "getAgent", parameters(("id" = "$response.body#/agent_id")))),
                ("active" = (operation_id = "getActiveConfig",
                    parameters(("id" = "$response.body#/agent_id"), ("at_least" = "$response.body#/revision")))),
            )),
        PublishRefusals,
    ),
)]
pub async fn publish(
    State(state): State<AppState>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    AgentPath(agent_id): AgentPath,
    _: NoParameters,
    body: Body<NewVersion>,
) -> Result<Response, Problem> {
    let (input, caller) = body.split(caller);
    let NewVersion {
        system_prompt,
        model_name,
        model_parameters,
        tools,
        extensions,
        message,
        activate,
        environment,
        plan_hash,
        confirm,
        if_changed,
        refuse_warnings,
        expected_latest_number,
    } = input;
    let is_active = activate.unwrap_or(false);
    let tools = tools.unwrap_or_default();
    let input = PublishVersion {
        agent_id,
        content: Content {
            system_prompt,
            model_name,
            model_parameters: model_parameters.unwrap_or_else(no_parameters),
            tools,
            extensions,
        },
        message,
        activate: environment::activation_place(is_active, environment.as_deref())
            .map_err(refuse(&caller))?,
        plan: confirmation(plan_hash.as_deref(), confirm).map_err(refuse(&caller))?,
        expected_latest_number,
        if_changed: if_changed.unwrap_or(false),
        refuse_warnings: refuse_warnings.unwrap_or(false),
    };
    let made = state.registry.publish_version(&caller, input).await;
    let WriteResult { value: Published { version, is_new, warnings }, revision } =
        made.map_err(refuse(&caller))?;
    let AgentVersion {
        id,
        customer_id: _,
        agent_id,
        number,
        system_prompt,
        model_name,
        model_parameters,
        tools,
        extensions,
        message,
        content_hash,
        bytes_hash,
        created_by_kind: _,
        created_by_id: _,
        created_at,
    } = version;
    let body = Version {
        id,
        agent_id,
        number,
        system_prompt,
        model_name,
        model_parameters,
        tools,
        extensions,
        message,
        content_hash: hex::encode(content_hash),
        bytes_hash: hex::encode(bytes_hash),
        created_at,
        is_active,
        is_new,
        warnings: warnings.into_iter().map(VersionWarning::from).collect(),
        revision,
    };
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(body)).into_response())
}
