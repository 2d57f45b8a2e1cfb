//! `/internal/agents/{id}/active`: the active configuration of an agent for the runtime, with conditional requests.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AgentPath, Parameters, refuse};
use crate::{
    clock::{self, Instant},
    domain::{
        self, Error,
        environment::{EnvironmentKey, key_or_default},
        policy,
        version::{Extensions, ModelParameters, Tools},
    },
    feed::ConfigResponse,
    http::{
        AppState,
        caller::AuthenticatedCaller,
        negotiate::etag,
        problem::{Problem, ProblemKind},
        routes::openapi::{
            problems::{COMMON_PROBLEMS, refusals},
            schemas,
        },
    },
    id::{AgentId, CustomerId, Revision, VersionId},
};

/// The seconds since this instance last knew the end of the log. Only set when the database doesn't respond and a
/// service token gets the last known configuration.
const STALE: HeaderName = HeaderName::from_static("registry-stale-seconds");

/// An agent's active configuration: everything that the runtime needs to run the agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveConfig {
    /// The agent's id.
    #[schema(value_type = schemas::Id)]
    agent_id: AgentId,
    /// The key of the environment in which the version is active.
    #[schema(value_type = schemas::EnvironmentKey)]
    environment_key: EnvironmentKey,
    /// The customer that owns the agent.
    #[schema(value_type = schemas::Id)]
    customer_id: CustomerId,
    /// The agent's name.
    #[schema(value_type = schemas::Name)]
    name: String,
    /// The active version's id.
    #[schema(value_type = schemas::Id)]
    version_id: VersionId,
    /// The active version's number within the agent.
    #[schema(minimum = 1)]
    version_number: i32,
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
    #[schema(value_type = schemas::ContentHash)]
    content_hash: String,
    #[schema(value_type = schemas::BytesHash)]
    bytes_hash: String,
    /// The time at which the version was activated.
    #[serde(serialize_with = "clock::micros")]
    #[schema(value_type = schemas::Instant)]
    activated_at: Instant,
    /// The commit that last changed this: an activation, or a change of the agent's name.
    #[schema(value_type = schemas::Revision)]
    revision: Revision,
}

impl From<&domain::config::ActiveConfig> for ActiveConfig {
    fn from(config: &domain::config::ActiveConfig) -> Self {
        let domain::config::ActiveConfig {
            agent_id,
            environment_key,
            customer_id,
            name,
            version,
            activated_at,
            revision,
        } = config;
        Self {
            agent_id: *agent_id,
            environment_key: environment_key.clone(),
            customer_id: *customer_id,
            name: name.clone(),
            version_id: version.id,
            version_number: version.number,
            system_prompt: version.system_prompt.clone(),
            model_name: version.model_name.clone(),
            model_parameters: version.model_parameters.clone(),
            tools: version.tools.clone(),
            extensions: version.extensions.clone(),
            content_hash: hex::encode(&version.content_hash),
            bytes_hash: hex::encode(&version.bytes_hash),
            activated_at: *activated_at,
            revision: *revision,
        }
    }
}

/// The environment, and how recent the configuration must be.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ActiveConfigParams {
    /// The minimum revision of the log that the answer must reflect, such as that of a write. The instance waits up
    /// to two seconds to reach it, then returns 503.
    #[param(value_type = schemas::Revision, required = false)]
    at_least: Option<String>,
    /// The key of the environment. The default is `production`. An agent of a customer without this environment returns
    /// 404.
    #[param(value_type = schemas::EnvironmentKey, required = false)]
    environment: Option<String>,
}

refusals!(
    ActiveRefusals = COMMON_PROBLEMS,
    &[
        ProblemKind::Forbidden,
        ProblemKind::Suspended,
        ProblemKind::Canceled,
        ProblemKind::NotFound,
        ProblemKind::NotActive,
        ProblemKind::PreconditionFailed,
        ProblemKind::Invalid
    ]
);

/// Get an agent's active configuration.
///
/// Needs the scope `configs:read`, or a role that may read the agent. With `If-None-Match`, an unchanged configuration
/// returns 304 without a body.
#[utoipa::path(
    get, path = "/internal/agents/{id}/active", operation_id = "getActiveConfig", tag = "runtime",
    security(("bearer" = [])),
    params(
        ("id" = schemas::Id, Path, description = "The agent's id. A value that isn't a UUID returns 404."),
        ActiveConfigParams,
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the copy that the client has."),
    ),
    responses(
        (status = 200, description = "The active configuration.", body = ActiveConfig,
            headers(("ETag" = String, description = "The entity tag of this body."),
                ("Cache-Control" = String, description = "`private, no-cache`: revalidate before each use."),
                ("Registry-Stale-Seconds" = i64, description = "Only for service tokens, and only while the database doesn't respond: the configuration is the last known one, and may have been out of date for this many seconds.")),
            links(("pinned" = (operation_id = "getPinnedConfig",
                parameters(("id" = "$response.body#/agent_id"), ("version_id" = "$response.body#/version_id")))))),
        (status = 304, description = "The client's copy is current.",
            headers(("ETag" = String, description = "The entity tag of the body."),
                ("Cache-Control" = String, description = "`private, no-cache`: revalidate before each use."))),
        ActiveRefusals,
    ),
)]
pub async fn active(
    State(state): State<AppState>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    AgentPath(id): AgentPath,
    Parameters(ActiveConfigParams { at_least, environment }): Parameters<ActiveConfigParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let answer = async {
        policy::allow(&caller, policy::Action::ReadConfigs)?;
        let key = key_or_default("environment", environment.as_deref())?;
        if let Some(revision) = at_least {
            state.hub.wait_for_revision(parse_revision(&revision)?).await?;
        }
        state.hub.active_config(&state.registry.reading(&caller), id, &key).await
    };
    let ConfigResponse { config, stale } = answer.await.map_err(refuse(&caller))?;
    let mut response = match config {
        Some(rendered) => {
            let kept =
                [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "private, no-cache")];
            etag::answer(&headers, caller.request_id(), &rendered.etag, kept, rendered.body.clone())
        }
        None => Problem::not_active(caller.request_id()).into_response(),
    };
    if let Some(age) = stale {
        response.headers_mut().insert(STALE, HeaderValue::from(age.as_secs()));
    }
    Ok(response)
}

/// Renders a configuration as a JSON body, with its entity tag.
///
/// # Errors
/// [`Error::Internal`] when the configuration can't be serialised.
pub fn render(config: &domain::config::ActiveConfig) -> domain::Result<(Bytes, String)> {
    let body =
        serde_json::to_vec(&ActiveConfig::from(config)).map_err(|err| Error::Internal(Box::new(err)))?;
    let tag = etag::strong(&body);
    Ok((body.into(), tag))
}

/// Parses a revision: decimal digits without a sign.
fn parse_revision(text: &str) -> domain::Result<Revision> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| Error::invalid("at_least", "at_least must be a revision: a decimal number"))
}
