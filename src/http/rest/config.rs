//! `/internal/agents/{id}/active`: what the runtime gets, and a cheap way to ask whether it has changed.

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{AgentPath, Parameters, Shape, refuse};
use crate::{
    clock::Instant,
    domain::{self, Error, policy, version::Tools},
    http::{
        Door,
        caller::Authenticated,
        etag,
        openapi::{
            refusal::{ANYWHERE, refusals},
            shape,
        },
        problem::{Kind, Problem},
    },
    id::{AgentId, CustomerId, VersionId},
};

/// All that the runtime needs to run an agent, and nothing else.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ActiveConfig {
    /// The agent.
    #[schema(value_type = shape::Id)]
    agent_id: AgentId,
    /// Whose it is.
    #[schema(value_type = shape::Id)]
    customer_id: CustomerId,
    /// The agent's name.
    #[schema(value_type = shape::Name)]
    name: String,
    /// The version that serves.
    #[schema(value_type = shape::Id)]
    version_id: VersionId,
    /// Its number within the agent.
    #[schema(minimum = 1)]
    version_number: i32,
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
    #[schema(value_type = shape::ContentHash)]
    content_hash: String,
    /// Since when it serves.
    #[schema(value_type = shape::Instant)]
    activated_at: Instant,
    /// The commit of the last change to what is shown here.
    #[schema(value_type = shape::Revision)]
    revision: i64,
}

impl From<domain::config::ActiveConfig> for ActiveConfig {
    fn from(config: domain::config::ActiveConfig) -> Self {
        let domain::config::ActiveConfig { agent_id, customer_id, name, version, activated_at, revision } =
            config;
        Self {
            agent_id,
            customer_id,
            name,
            version_id: version.id,
            version_number: version.number,
            system_prompt: version.system_prompt,
            model_name: version.model_name,
            model_parameters: version.model_parameters,
            tools: version.tools,
            content_hash: hex::encode(version.content_hash),
            activated_at,
            revision,
        }
    }
}

/// How new the answer must be.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    /// The answer must not be older than this commit. It is waited for, for up to two seconds.
    #[param(value_type = shape::Revision, required = false)]
    at_least: Option<String>,
}

impl Shape for Since {
    const SHAPE: &'static str = "the only parameter is at_least, at most once";
}

refusals!(
    ActiveRefusals = ANYWHERE,
    &[Kind::Forbidden, Kind::Suspended, Kind::NotFound, Kind::NotActive, Kind::Invalid]
);

/// The configuration that serves.
///
/// For gateways with the scope `configs:read`, and whoever may read the agent. Ask with `If-None-Match`, and what has not
/// changed is not sent again.
#[utoipa::path(
    get, path = "/internal/agents/{id}/active", operation_id = "getActiveConfig", tag = "runtime",
    security(("bearer" = [])),
    params(
        ("id" = shape::Id, Path, description = "The agent. What is no UUID is no agent's, and not found."),
        Since,
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what is known already."),
    ),
    responses(
        (status = 200, description = "What serves.", body = ActiveConfig,
            headers(("ETag" = String, description = "The tag of this body."),
                ("Cache-Control" = String, description = "`private, no-cache`: keep it, and ask each time."))),
        (status = 304, description = "It is what is known already.",
            headers(("ETag" = String, description = "The tag of the body."),
                ("Cache-Control" = String, description = "`private, no-cache`: keep it, and ask each time."))),
        ActiveRefusals,
    ),
)]
pub(super) async fn active(
    State(door): State<Door>,
    Authenticated(caller): Authenticated,
    AgentPath(id): AgentPath,
    Parameters(Since { at_least }): Parameters<Since>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let answer = async {
        policy::allow(&caller, policy::Action::ReadConfigs)?;
        if let Some(revision) = at_least {
            door.hub.reach(read(&revision)?).await?;
        }
        let reading = door.registry.reading(&caller);
        let config = door.registry.active_config(&reading, id).await?;
        let body = config.map(|config| serde_json::to_vec(&ActiveConfig::from(config)));
        body.transpose().map_err(|err| Error::Internal(Box::new(err)))
    };
    let body = answer.await.map_err(refuse(&caller))?;
    let body = body.ok_or_else(|| Problem::not_active(caller.request_id()))?;
    let tag = etag::of(&body);
    let kept = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "private, no-cache")];
    Ok(etag::answer(&headers, &tag, kept, body))
}

/// A revision: a number without sign.
fn read(text: &str) -> domain::Result<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| Error::invalid("at_least", "at_least must be a revision: a decimal number"))
}
