//! `/v1/agents`: what a customer runs.

use std::collections::HashMap;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AgentPath, Body, NoParameters, Parameters, Shape, refuse};
use crate::{
    clock::Instant,
    domain::{
        Error, PAGE_MAX, PageArgs, Reading, Registry, Result as Answer,
        agent::{self as verbs, AgentFilter, CreateAgent},
        page::{cursor, key},
        policy::{self, Action},
    },
    http::{
        Door,
        caller::Authenticated,
        problem::{Kind, Problem},
        routes::openapi::{
            refusal::{ANYWHERE, OF_BODIES, refusals},
            shape,
        },
    },
    id::{AgentId, CustomerId, UserId, VersionId},
};

/// An agent as REST shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Agent {
    #[schema(value_type = shape::Id)]
    id: AgentId,
    /// Whose it is.
    #[schema(value_type = shape::Id)]
    customer_id: CustomerId,
    /// Unique within the customer.
    #[schema(value_type = shape::Name)]
    name: String,
    /// What it is for.
    #[schema(value_type = Option<shape::Description>, required)]
    description: Option<String>,
    /// The user who answers for it.
    #[schema(value_type = Option<shape::Id>, required)]
    owner_id: Option<UserId>,
    /// 0 as long as nothing is published.
    #[schema(minimum = 0)]
    latest_version_number: i32,
    /// The version that serves.
    #[schema(value_type = Option<shape::Id>, required)]
    active_version_id: Option<VersionId>,
    /// Its number.
    #[schema(required, minimum = 1)]
    active_version_number: Option<i32>,
    /// Since when it serves.
    #[schema(value_type = Option<shape::Instant>, required)]
    activated_at: Option<Instant>,
    /// Since when the agent is put away.
    #[schema(value_type = Option<shape::Instant>, required)]
    archived_at: Option<Instant>,
    #[schema(value_type = shape::Instant)]
    created_at: Instant,
}

impl Agent {
    fn new(row: verbs::Agent, numbers: &HashMap<VersionId, i32>) -> Self {
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

/// A new agent.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(examples(json!({ "name": "Permit helper", "description": "Answers questions about permits" })))]
#[serde(deny_unknown_fields)]
pub(super) struct NewAgent {
    /// Whose it is to be. It may be left out when the credential implies exactly one.
    #[schema(value_type = Option<shape::Id>)]
    customer_id: Option<String>,
    /// Unique within the customer.
    #[schema(value_type = shape::Name)]
    name: String,
    /// What it is for.
    #[schema(value_type = Option<shape::Description>)]
    description: Option<String>,
    /// The user who answers for it: a member of the customer.
    #[schema(value_type = Option<shape::Id>)]
    owner_id: Option<String>,
}

impl Shape for NewAgent {
    const SHAPE: &'static str =
        "the body must be an object of texts: name, and if wanted customer_id, description, owner_id";
}

refusals!(
    CreateRefusals = ANYWHERE,
    OF_BODIES,
    &[
        Kind::Forbidden,
        Kind::Suspended,
        Kind::NotFound,
        Kind::AlreadyExists,
        Kind::LimitReached,
        Kind::IdempotencyKeyReused,
        Kind::Invalid,
        Kind::TooLarge
    ]
);

/// Create an agent.
///
/// It has no version yet, so it serves nothing.
#[utoipa::path(
    post, path = "/v1/agents", operation_id = "createAgent", tag = "agents",
    security(("bearer" = [])),
    params(("Idempotency-Key" = Option<shape::IdempotencyKey>, Header, description = "A name for this write, of the caller's own choice.")),
    request_body = NewAgent,
    responses(
        (status = 201, description = "It is created.", body = Agent,
            headers(("Location" = String, description = "The agent's own path.")),
            links(
                ("read" = (operation_id = "getAgent", parameters(("id" = "$response.body#/id")))),
                ("publish" = (operation_id = "publishVersion", parameters(("id" = "$response.body#/id")))),
                ("active" = (operation_id = "getActiveConfig", parameters(("id" = "$response.body#/id")))),
                ("audit" = (operation_id = "getAudit", parameters(("id" = "$response.body#/customer_id")))),
            )),
        CreateRefusals,
    ),
)]
pub(super) async fn create(
    State(door): State<Door>,
    Authenticated(caller): Authenticated,
    _: NoParameters,
    body: Body<NewAgent>,
) -> Result<Response, Problem> {
    let (input, caller) = body.of(caller);
    let NewAgent { customer_id, name, description, owner_id } = input;
    let answer = async {
        policy::allow(&caller, Action::WriteAgents)?;
        let customer_id = match customer_id {
            Some(given) => id("customer_id", &given)?,
            None => caller.only_customer().ok_or_else(|| {
                let message = "give customer_id: your credential does not imply exactly one";
                Error::invalid("customer_id", message)
            })?,
        };
        let input = CreateAgent {
            customer_id,
            name,
            description,
            owner_id: owner_id.map(|owner| id("owner_id", &owner)).transpose()?,
        };
        door.registry.create_agent(&caller, input).await
    };
    let made = answer.await.map_err(refuse(&caller))?.value;
    // One that is told again may serve by now.
    let reading = door.registry.reading(&caller);
    let numbers = active_numbers(&door.registry, &reading, std::slice::from_ref(&made)).await;
    let numbers = numbers.map_err(refuse(&caller))?;
    let location = [(header::LOCATION, format!("/v1/agents/{}", made.id))];
    let body = Json(Agent::new(made, &numbers));
    Ok((StatusCode::CREATED, location, body).into_response())
}

/// Which page of which agents.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Only this customer's. All that the caller may see, when left out.
    #[param(value_type = shape::Id, required = false)]
    customer_id: Option<String>,
    /// Only those that are put away, or only those that are not.
    #[param(value_type = bool, required = false)]
    archived: Option<String>,
    /// Only the agents of this name.
    #[param(value_type = shape::WholeName, required = false)]
    name: Option<String>,
    /// Only those whose name starts so, whatever the case.
    #[param(value_type = shape::NamePart, required = false)]
    name_starts_with: Option<String>,
    /// Only those whose name has this in it, whatever the case.
    #[param(value_type = shape::NamePart, required = false)]
    name_contains: Option<String>,
    /// Only those that serve with this model.
    #[param(value_type = shape::WholeName, required = false)]
    model_name: Option<String>,
    /// Only those that serve with a tool of this name.
    #[param(value_type = shape::WholeName, required = false)]
    tool_name: Option<String>,
    /// The most rows of the page.
    #[param(value_type = shape::PageLimit, required = false)]
    limit: Option<String>,
    /// The `next` of the page before.
    #[param(value_type = shape::Cursor, required = false)]
    after: Option<String>,
}

impl Shape for Which {
    const SHAPE: &'static str = "the parameters are customer_id, archived, name, name_starts_with, name_contains, model_name, tool_name, limit and \
         after, each at most once";
}

/// One page of agents.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Agents {
    agents: Vec<Agent>,
    /// The `after` of the next page; null when this is the last.
    #[schema(value_type = Option<shape::Cursor>, required)]
    next: Option<String>,
}

refusals!(ListRefusals = ANYWHERE, &[Kind::Forbidden, Kind::Invalid, Kind::TooLarge]);

/// List agents, oldest first.
#[utoipa::path(
    get, path = "/v1/agents", operation_id = "listAgents", tag = "agents",
    security(("bearer" = [])),
    params(Which),
    responses(
        (status = 200, description = "A page of them.", body = Agents,
            links(("next" = (operation_id = "listAgents", parameters(("after" = "$response.body#/next")))))),
        ListRefusals,
    ),
)]
pub(super) async fn list(
    State(door): State<Door>,
    Authenticated(caller): Authenticated,
    Parameters(which): Parameters<Which>,
) -> Result<Json<Agents>, Problem> {
    let Which {
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
        let registry = &door.registry;
        let args = page(limit.as_deref(), after.as_deref())?;
        let archived = archived.map(|archived| {
            archived.parse().map_err(|_| Error::invalid("archived", "archived must be true or false"))
        });
        let filter = AgentFilter {
            archived: archived.transpose()?,
            name,
            name_starts_with,
            name_contains,
            model_name,
            tool_name,
        };
        let reading = registry.reading(&caller);
        let page = match customer_id {
            Some(customer) => {
                let customer = id("customer_id", &customer)?;
                let pages = registry.agents_of_each(&reading, &[customer], &filter, &args).await?;
                pages.into_iter().map(|(_, page)| page).next().unwrap_or_else(crate::domain::Page::empty)
            }
            None => registry.agents(&reading, &filter, &args).await?,
        };
        let numbers = active_numbers(registry, &reading, &page.items).await?;
        let last = page.items.last().filter(|_| page.has_next);
        Answer::Ok(Agents {
            next: last.map(|row| cursor(row.id)),
            agents: page.items.into_iter().map(|row| Agent::new(row, &numbers)).collect(),
        })
    };
    answer.await.map(Json).map_err(refuse(&caller))
}

refusals!(GetRefusals = ANYWHERE, &[Kind::Forbidden, Kind::NotFound]);

/// One agent.
#[utoipa::path(
    get, path = "/v1/agents/{id}", operation_id = "getAgent", tag = "agents",
    security(("bearer" = [])),
    params(("id" = shape::Id, Path, description = "The agent. What is no UUID is no agent's, and not found.")),
    responses(
        (status = 200, description = "The agent.", body = Agent),
        GetRefusals,
    ),
)]
pub(super) async fn get(
    State(door): State<Door>,
    Authenticated(caller): Authenticated,
    AgentPath(id): AgentPath,
    _: NoParameters,
) -> Result<Json<Agent>, Problem> {
    let answer = async {
        policy::allow(&caller, Action::ReadAgents)?;
        let (registry, reading) = (&door.registry, door.registry.reading(&caller));
        let found = registry.agents_by_ids(&reading, &[id]).await?.pop();
        let found = found.ok_or(Error::NotFound("agent"))?;
        let numbers = active_numbers(registry, &reading, std::slice::from_ref(&found)).await?;
        Answer::Ok(Agent::new(found, &numbers))
    };
    answer.await.map(Json).map_err(refuse(&caller))
}

/// The numbers of the versions that these agents serve.
async fn active_numbers(
    registry: &Registry,
    reading: &Reading,
    agents: &[verbs::Agent],
) -> Answer<HashMap<VersionId, i32>> {
    let active: Vec<_> = agents.iter().filter_map(|agent| agent.active_version_id).collect();
    // As of one that was just made: then the database need not be asked.
    if active.is_empty() {
        return Ok(HashMap::new());
    }
    let versions = registry.versions_by_ids(reading, &active).await?;
    Ok(versions.into_iter().map(|version| (version.id, version.number)).collect())
}

/// The page that these two ask for, checked.
fn page(limit: Option<&str>, after: Option<&str>) -> Answer<PageArgs<AgentId>> {
    let wrong = || Error::invalid("limit", format!("limit must be a number between 1 and {PAGE_MAX}"));
    let limit = limit.map(|limit| limit.parse().map_err(|_| wrong())).transpose()?;
    let after = after.map(|after| key("after", after)).transpose()?;
    PageArgs::new(limit, after, None, None).map_err(|_| wrong())
}

/// The id that this field holds.
fn id<T: std::str::FromStr>(field: &str, text: &str) -> Answer<T> {
    text.parse().map_err(|_| Error::invalid(field, format!("{field} is not an id: ids are UUIDs")))
}
