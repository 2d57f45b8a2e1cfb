//! `/internal/agents/{id}/active`: what the runtime gets, and a cheap way to ask whether it has changed.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{AgentPath, Parameters, Shape, refuse};
use crate::{
    clock::Instant,
    domain::{self, Error, policy, version::Tools},
    feed::Given,
    http::{
        Door,
        caller::Authenticated,
        negotiate::etag,
        problem::{Kind, Problem},
        routes::openapi::{
            refusal::{ANYWHERE, refusals},
            shape,
        },
    },
    id::{AgentId, CustomerId, VersionId},
};

/// For how many seconds there has been no proof that the configuration is what serves: the database is gone.
const STALE: HeaderName = HeaderName::from_static("registry-stale-seconds");

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

impl From<&domain::config::ActiveConfig> for ActiveConfig {
    fn from(config: &domain::config::ActiveConfig) -> Self {
        let domain::config::ActiveConfig { agent_id, customer_id, name, version, activated_at, revision } =
            config;
        Self {
            agent_id: *agent_id,
            customer_id: *customer_id,
            name: name.clone(),
            version_id: version.id,
            version_number: version.number,
            system_prompt: version.system_prompt.clone(),
            model_name: version.model_name.clone(),
            model_parameters: version.model_parameters.0.clone(),
            tools: version.tools.clone(),
            content_hash: hex::encode(&version.content_hash),
            activated_at: *activated_at,
            revision: *revision,
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
    &[
        Kind::Forbidden,
        Kind::Suspended,
        Kind::NotFound,
        Kind::NotActive,
        Kind::PreconditionFailed,
        Kind::Invalid
    ]
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
                ("Cache-Control" = String, description = "`private, no-cache`: keep it, and ask each time."),
                ("Registry-Stale-Seconds" = i64, description = "For how long there has been no proof that this serves: the database is gone. For service tokens only; else not there."))),
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
        door.hub.active_config(&caller, id).await
    };
    let Given { config, stale } = answer.await.map_err(refuse(&caller))?;
    let mut response = match config {
        Some(hot) => {
            let kept =
                [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "private, no-cache")];
            etag::answer(&headers, caller.request_id(), &hot.etag, kept, hot.body.clone())
        }
        None => Problem::not_active(caller.request_id()).into_response(),
    };
    if let Some(age) = stale {
        response.headers_mut().insert(STALE, HeaderValue::from(age.as_secs()));
    }
    Ok(response)
}

/// A configuration as the body that is sent, with its entity tag.
///
/// # Errors
/// [`Error::Internal`] when it can't be written as JSON.
pub fn render(config: &domain::config::ActiveConfig) -> domain::Result<(Bytes, String)> {
    let body =
        serde_json::to_vec(&ActiveConfig::from(config)).map_err(|err| Error::Internal(Box::new(err)))?;
    let tag = etag::of(&body);
    Ok((body.into(), tag))
}

/// A revision: a number without sign.
fn read(text: &str) -> domain::Result<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| Error::invalid("at_least", "at_least must be a revision: a decimal number"))
}
