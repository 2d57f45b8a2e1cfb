//! `/internal/agents/{id}/versions/{version_id}`: a version for conversations that began with it, with conditional requests.

use axum::{
    extract::{FromRequestParts, Path, State},
    http::{HeaderMap, header, request::Parts},
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{NoParameters, refuse};
use crate::{
    domain::{
        Error,
        pinned::{self, PinnedVersion},
        version::{Extensions, ModelParameters, Tools},
    },
    http::{
        AppState,
        caller::{AuthenticatedCaller, RequestId},
        negotiate::etag,
        problem::{Problem, ProblemKind},
        routes::openapi::{
            problems::{COMMON_PROBLEMS, refusals},
            schemas,
        },
    },
    id::{AgentId, CustomerId, VersionId},
};

/// A client may use its copy for an hour without asking. The content never changes, so the hour only bounds for how long a
/// copy outlives the right to read it.
const CACHE_CONTROL: &str = "private, max-age=3600, immutable";

/// A version that serves or has served: everything that a conversation which began with it needs. It never changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct PinnedConfig<'a> {
    /// The agent's id.
    #[schema(value_type = schemas::Id)]
    agent_id: AgentId,
    /// The customer that owns the agent.
    #[schema(value_type = schemas::Id)]
    customer_id: CustomerId,
    /// The version's id.
    #[schema(value_type = schemas::Id)]
    version_id: VersionId,
    /// The version's number within the agent.
    #[schema(minimum = 1)]
    version_number: i32,
    #[schema(value_type = schemas::Prompt)]
    system_prompt: &'a str,
    /// The name of the model.
    #[schema(value_type = schemas::Name)]
    model_name: &'a str,
    /// The model's parameters, with the order of keys and the numbers that were published.
    #[schema(value_type = Object)]
    model_parameters: &'a ModelParameters,
    #[schema(value_type = schemas::Tools)]
    tools: &'a Tools,
    #[schema(value_type = schemas::VersionExtensions)]
    extensions: &'a Extensions,
    #[schema(value_type = schemas::ContentHash)]
    content_hash: String,
    #[schema(value_type = schemas::BytesHash)]
    bytes_hash: String,
}

impl<'a> From<&'a pinned::PinnedConfig> for PinnedConfig<'a> {
    fn from(pinned::PinnedConfig { pinned, body }: &'a pinned::PinnedConfig) -> Self {
        let PinnedVersion { version, status: _ } = pinned;
        Self {
            agent_id: version.agent_id,
            customer_id: version.customer_id,
            version_id: version.id,
            version_number: version.number,
            system_prompt: &body.system_prompt,
            model_name: &version.model_name,
            model_parameters: &body.model_parameters,
            tools: &body.tools,
            extensions: &body.extensions,
            content_hash: hex::encode(&version.content_hash),
            bytes_hash: hex::encode(&body.bytes_hash),
        }
    }
}

/// The ids of the agent and the version in the path. Values that aren't ids are rejected as a version that never served.
pub struct PinnedPath(AgentId, VersionId);

impl FromRequestParts<AppState> for PinnedPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let Ok(RequestId(request_id)) = RequestId::from_request_parts(parts, state).await;
        let ids = Path::<(String, String)>::from_request_parts(parts, state).await.ok();
        let ids =
            ids.and_then(|Path((agent, version))| Some(Self(agent.parse().ok()?, version.parse().ok()?)));
        ids.ok_or_else(|| Problem::new(&PinnedVersion::missing(), &request_id))
    }
}

refusals!(
    PinnedRefusals = COMMON_PROBLEMS,
    &[
        ProblemKind::Forbidden,
        ProblemKind::Suspended,
        ProblemKind::Canceled,
        ProblemKind::NotFound,
        ProblemKind::PreconditionFailed
    ]
);

/// Get a version for a conversation that began with it.
///
/// Needs the scope `configs:read`, or a role that may read the agent. The version must serve, or have served, in an
/// environment that the credential reaches; any other returns 404. Versions of deactivated and archived agents are returned too.
/// With `If-None-Match`, a copy that the client has returns 304 without a body.
#[utoipa::path(
    get, path = "/internal/agents/{id}/versions/{version_id}", operation_id = "getPinnedConfig", tag = "runtime",
    security(("bearer" = [])),
    params(
        ("id" = schemas::Id, Path, description = "The agent's id. A value that isn't a UUID returns 404."),
        ("version_id" = schemas::Id, Path, description = "The version's id. A value that isn't a UUID returns 404."),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the copy that the client has."),
    ),
    responses(
        (status = 200, description = "The version with its content.", body = PinnedConfig,
            headers(("ETag" = String, description = "The entity tag of this body."),
                ("Cache-Control" = String, description = "`private, max-age=3600, immutable`: it never changes. A copy may be used for an hour without asking, also after a suspension, an erasure or the end of the credential."))),
        (status = 304, description = "The client's copy is current.",
            headers(("ETag" = String, description = "The entity tag of the body."),
                ("Cache-Control" = String, description = "`private, max-age=3600, immutable`: the copy may be used for another hour."))),
        PinnedRefusals,
    ),
)]
pub async fn pinned(
    State(state): State<AppState>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    PinnedPath(agent, version): PinnedPath,
    _: NoParameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let read = state.registry.pinned_config(&state.registry.reading(&caller), agent, version).await;
    let read = read.and_then(|config| {
        serde_json::to_vec(&PinnedConfig::from(&config)).map_err(|err| Error::Internal(Box::new(err)))
    });
    let body = read.map_err(refuse(&caller))?;
    let kept = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, CACHE_CONTROL)];
    Ok(etag::answer(&headers, caller.request_id(), &etag::strong(&body), kept, body))
}
