//! `/internal/agents/{id}/active`: what the runtime gets, and a cheap way to ask whether it has changed.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AgentPath, Parameters, Shape, refuse};
use crate::{
    clock::Instant,
    domain::{self, Error, policy, version::Tools},
    http::{Door, caller::Authenticated, etag, problem::Problem},
    id::{AgentId, CustomerId, VersionId},
};

/// All that the runtime needs to run an agent, and nothing else.
#[derive(Debug, Serialize)]
struct ActiveConfig {
    agent_id: AgentId,
    customer_id: CustomerId,
    name: String,
    version_id: VersionId,
    version_number: i32,
    system_prompt: String,
    model_name: String,
    model_parameters: Value,
    tools: Tools,
    content_hash: String,
    activated_at: Instant,
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
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    at_least: Option<String>,
}

impl Shape for Since {
    const SHAPE: &'static str = "the only parameter is at_least, at most once";
}

/// `GET /internal/agents/{id}/active`.
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
    let kept = [(header::CACHE_CONTROL, "private, no-cache"), (header::ETAG, tag.as_str())];
    if etag::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((kept, kind, body).into_response())
}

/// A revision: a number without sign.
fn read(text: &str) -> domain::Result<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| Error::invalid("at_least", "at_least must be a revision: a decimal number"))
}
