//! `/v1/agents`: creates, lists and gets agents.

use std::collections::HashMap;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AgentPath, Body, NoParameters, Parameters, refuse};
use crate::{
    clock::{self, Instant},
    domain::{
        Error, Input, InputErrors, PAGE_MAX, PageArgs, Reading, Registry, Result as DomainResult,
        agent::{self, AgentFilter, AgentListing, AgentPosition, CreateAgent},
        page::{ListId, kinds::AGENTS},
        policy::{self, Action},
    },
    http::{
        AppState,
        caller::AuthenticatedCaller,
        problem::{Problem, ProblemKind},
        routes::openapi::{
            problems::{BODY_PROBLEMS, COMMON_PROBLEMS, refusals},
            schemas,
        },
    },
    id::{AgentId, CustomerId, UserId, VersionId},
};

/// An agent of one customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Agent {
    #[schema(value_type = schemas::Id)]
    id: AgentId,
    /// The customer that owns the agent.
    #[schema(value_type = schemas::Id)]
    customer_id: CustomerId,
    /// The agent's name, unique within the customer.
    #[schema(value_type = schemas::Name)]
    name: String,
    /// The agent's purpose. Null if none is given.
    #[schema(value_type = Option<schemas::Description>, required)]
    description: Option<String>,
    /// The user responsible for the agent. Null if there is none.
    #[schema(value_type = Option<schemas::Id>, required)]
    owner_id: Option<UserId>,
    /// The number of the newest version. 0 if there is none.
    #[schema(minimum = 0)]
    latest_version_number: i32,
    /// The id of the active version. Null if no version is active.
    #[schema(value_type = Option<schemas::Id>, required)]
    active_version_id: Option<VersionId>,
    /// The number of the active version. Null if no version is active.
    #[schema(required, minimum = 1)]
    active_version_number: Option<i32>,
    /// The time of its activation. Null if no version is active.
    #[serde(serialize_with = "clock::optional_micros")]
    #[schema(value_type = Option<schemas::Instant>, required)]
    activated_at: Option<Instant>,
    /// The time at which the agent was archived. Null if it isn't archived.
    #[serde(serialize_with = "clock::optional_micros")]
    #[schema(value_type = Option<schemas::Instant>, required)]
    archived_at: Option<Instant>,
    #[serde(serialize_with = "clock::micros")]
    #[schema(value_type = schemas::Instant)]
    created_at: Instant,
}

impl Agent {
    fn new(row: agent::Agent, numbers: &HashMap<VersionId, i32>) -> Self {
        let active_version_number = row.active_version_id.and_then(|id| numbers.get(&id).copied());
        Self {
            id: row.id,
            customer_id: row.customer_id,
            name: row.name,
            description: row.description,
            owner_id: row.owner_id,
            latest_version_number: row.latest_number,
            active_version_id: row.active_version_id,
            active_version_number,
            activated_at: row.activated_at,
            archived_at: row.archived_at,
            created_at: row.created_at,
        }
    }
}

/// The input for a new agent. Its fields are also read in the spelling of GraphQL, such as `customerId`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(examples(json!({ "name": "Permit helper", "description": "Answers questions about permits" })))]
#[serde(deny_unknown_fields)]
pub struct NewAgent {
    /// The customer that will own the agent. Required unless the credential belongs to exactly one customer.
    #[schema(value_type = Option<schemas::Id>)]
    customer_id: Option<String>,
    /// The agent's name, unique within the customer.
    #[schema(value_type = schemas::AgentName)]
    name: String,
    /// The agent's purpose.
    #[schema(value_type = Option<schemas::Description>)]
    description: Option<String>,
    /// The user responsible for the agent: a member of the customer.
    #[schema(value_type = Option<schemas::Id>)]
    owner_id: Option<String>,
}

refusals!(
    CreateRefusals = COMMON_PROBLEMS,
    BODY_PROBLEMS,
    &[
        ProblemKind::Forbidden,
        ProblemKind::Suspended,
        ProblemKind::Canceled,
        ProblemKind::NotFound,
        ProblemKind::AlreadyExists,
        ProblemKind::LimitReached,
        ProblemKind::IdempotencyKeyReused,
        ProblemKind::Invalid,
        ProblemKind::TooLarge
    ]
);

/// Create an agent.
///
/// The agent has no version yet, so it has no active configuration either.
#[utoipa::path(
    post, path = "/v1/agents", operation_id = "createAgent", tag = "agents",
    security(("bearer" = [])),
    params(("Idempotency-Key" = Option<schemas::IdempotencyKey>, Header, description = "A key of your choice for this write.")),
    request_body = NewAgent,
    responses(
        (status = 201, description = "The agent was created.", body = Agent,
            headers(("Location" = String, description = "The path of the agent.")),
            links(
                ("read" = (operation_id = "getAgent", parameters(("id" = "$response.body#/id")))),
                ("publish" = (operation_id = "publishVersion", parameters(("id" = "$response.body#/id")))),
                ("active" = (operation_id = "getActiveConfig", parameters(("id" = "$response.body#/id")))),
                ("audit" = (operation_id = "getAudit", parameters(("id" = "$response.body#/customer_id")))),
            )),
        CreateRefusals,
    ),
)]
pub async fn create(
    State(state): State<AppState>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    _: NoParameters,
    body: Body<NewAgent>,
) -> Result<Response, Problem> {
    let (input, caller) = body.split(caller);
    let NewAgent { customer_id, name, description, owner_id } = input;
    let answer = async {
        policy::allow(&caller, Action::WriteAgents)?;
        let mut errors = InputErrors::default();
        let customer_id = match customer_id {
            Some(given) => errors.id("customer_id", &given),
            None => {
                let message =
                    "customer_id is required: your credential doesn't belong to exactly one customer";
                let only = caller.only_customer().ok_or_else(|| Error::invalid("customer_id", message));
                errors.take(only).unwrap_or_else(|| uuid::Uuid::nil().into())
            }
        };
        let owner_id = owner_id.map(|owner| errors.id("owner_id", &owner));
        let input = CreateAgent { customer_id, name, description, owner_id };
        state.registry.create_agent(&caller, Input::new(input, errors)).await
    };
    let made = answer.await.map_err(refuse(&caller))?.value;
    // After a repeated request with the same idempotency key, the agent may have an active version already.
    let reading = state.registry.reading(&caller);
    let numbers = active_numbers(&state.registry, &reading, std::slice::from_ref(&made)).await;
    let numbers = numbers.map_err(refuse(&caller))?;
    let location = [(header::LOCATION, format!("/v1/agents/{}", made.id))];
    let body = Json(Agent::new(made, &numbers));
    Ok((StatusCode::CREATED, location, body).into_response())
}

/// The filters and the page of a list of agents.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AgentListParams {
    /// Only agents of this customer. The default is all customers that the credential may see.
    #[param(value_type = schemas::Id, required = false)]
    customer_id: Option<String>,
    /// `true` for archived agents only, `false` for the others only. The default is both.
    #[param(value_type = bool, required = false)]
    archived: Option<String>,
    /// Only agents with exactly this name.
    #[param(value_type = schemas::WholeName, required = false)]
    name: Option<String>,
    /// Only agents whose name starts with this text, ignoring case.
    #[param(value_type = schemas::NamePart, required = false)]
    name_starts_with: Option<String>,
    /// Only agents whose name contains this text, ignoring case.
    #[param(value_type = schemas::NamePart, required = false)]
    name_contains: Option<String>,
    /// Only agents whose active version uses this model.
    #[param(value_type = schemas::WholeName, required = false)]
    model_name: Option<String>,
    /// Only agents whose active version has a tool of this name.
    #[param(value_type = schemas::WholeName, required = false)]
    tool_name: Option<String>,
    /// The maximum number of agents in the page.
    #[param(value_type = schemas::PageLimit, required = false)]
    limit: Option<String>,
    /// The `next` of the previous page.
    #[param(value_type = schemas::Cursor, required = false)]
    after: Option<String>,
}

/// A page of agents.
#[derive(Debug, Serialize, ToSchema)]
pub struct Agents {
    agents: Vec<Agent>,
    /// The `after` of the next page. Null on the last page.
    #[schema(value_type = Option<schemas::Cursor>, required)]
    next: Option<String>,
}

refusals!(
    ListRefusals = COMMON_PROBLEMS,
    &[ProblemKind::Forbidden, ProblemKind::Invalid, ProblemKind::TooLarge]
);

/// List agents, oldest first.
#[utoipa::path(
    get, path = "/v1/agents", operation_id = "listAgents", tag = "agents",
    security(("bearer" = [])),
    params(AgentListParams),
    responses(
        (status = 200, description = "A page of agents.", body = Agents,
            links(("next" = (operation_id = "listAgents", parameters(("after" = "$response.body#/next")))))),
        ListRefusals,
    ),
)]
pub async fn list(
    State(state): State<AppState>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    Parameters(which): Parameters<AgentListParams>,
) -> Result<Json<Agents>, Problem> {
    let AgentListParams {
        customer_id,
        archived,
        name,
        name_starts_with,
        name_contains,
        model_name,
        tool_name,
        limit,
        after,
    } = which;
    let answer = async {
        let registry = &state.registry;
        let mut errors = InputErrors::default();
        let customer_id = customer_id.map(|customer| errors.id("customer_id", &customer));
        let archived = archived.map(|archived| {
            archived.parse().map_err(|_| Error::invalid("archived", "archived must be true or false"))
        });
        let archived = errors.take(archived.transpose()).flatten();
        let list =
            customer_id.map_or_else(|| ListId::all(AGENTS), |customer| ListId::below(AGENTS, customer));
        let args = errors.and(page(&list, limit.as_deref(), after.as_deref()))?;
        let filter = AgentFilter {
            archived,
            name,
            name_starts_with,
            name_contains,
            model_name,
            tool_name,
            ..AgentFilter::default()
        };
        let listing = AgentListing::from(filter);
        let reading = registry.reading(&caller);
        let page = match customer_id {
            Some(customer) => {
                let pages = registry.agents_of_each(&reading, &[customer], &listing, &args).await?;
                pages.into_iter().map(|(_, page)| page).next().unwrap_or_else(crate::domain::Page::empty)
            }
            None => registry.agents(&reading, &listing, &args).await?,
        };
        let page = page.map(|listed| listed.agent);
        let numbers = active_numbers(registry, &reading, &page.items).await?;
        let last = page.items.last().filter(|_| page.has_next);
        DomainResult::Ok(Agents {
            next: last.map(|row| list.cursor(row.id)),
            agents: page.items.into_iter().map(|row| Agent::new(row, &numbers)).collect(),
        })
    };
    answer.await.map(Json).map_err(refuse(&caller))
}

refusals!(GetRefusals = COMMON_PROBLEMS, &[ProblemKind::Forbidden, ProblemKind::NotFound]);

/// Get an agent.
#[utoipa::path(
    get, path = "/v1/agents/{id}", operation_id = "getAgent", tag = "agents",
    security(("bearer" = [])),
    params(("id" = schemas::Id, Path, description = "The agent's id. A value that isn't a UUID returns 404.")),
    responses(
        (status = 200, description = "The agent as it is now.", body = Agent),
        GetRefusals,
    ),
)]
pub async fn get(
    State(state): State<AppState>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    AgentPath(id): AgentPath,
    _: NoParameters,
) -> Result<Json<Agent>, Problem> {
    let answer = async {
        policy::allow(&caller, Action::ReadAgents)?;
        let (registry, reading) = (&state.registry, state.registry.reading(&caller));
        let found = registry.agents_by_ids(&reading, &[id]).await?.pop();
        let found = found.ok_or(Error::NotFound("agent"))?;
        let numbers = active_numbers(registry, &reading, std::slice::from_ref(&found)).await?;
        DomainResult::Ok(Agent::new(found, &numbers))
    };
    answer.await.map(Json).map_err(refuse(&caller))
}

/// Reads the numbers of the active versions of these agents. Asks no database if none is active.
async fn active_numbers(
    registry: &Registry,
    reading: &Reading,
    agents: &[agent::Agent],
) -> DomainResult<HashMap<VersionId, i32>> {
    let active: Vec<_> = agents.iter().filter_map(|agent| agent.active_version_id).collect();
    // Always so for a new agent.
    if active.is_empty() {
        return Ok(HashMap::new());
    }
    let versions = registry.versions_by_ids(reading, &active).await?;
    Ok(versions.into_iter().map(|version| (version.id, version.number)).collect())
}

/// Parses and checks `limit` and `after`.
fn page(list: &ListId, limit: Option<&str>, after: Option<&str>) -> DomainResult<PageArgs<AgentPosition>> {
    let wrong = || Error::invalid("limit", format!("limit must be an integer from 1 to {PAGE_MAX}"));
    let mut errors = InputErrors::default();
    let after = errors.take(after.map(|after| list.key("after", after)).transpose()).flatten();
    let limit = limit.map(|limit| limit.parse().map_err(|_| wrong())).transpose();
    errors.and(limit.and_then(|limit| PageArgs::new(limit, after, None, None).map_err(|_| wrong())))
}
