//! `/v1/agents`: what a customer runs.

use std::collections::HashMap;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{AgentPath, Body, Parameters, Shape, refuse};
use crate::{
    clock::Instant,
    domain::{
        Error, PAGE_MAX, PageArgs, Reading, Registry, Result as Answer,
        agent::{self as verbs, AgentFilter, CreateAgent},
        page::{cursor, key},
        policy::{self, Action},
    },
    http::{Door, caller::Authenticated, problem::Problem},
    id::{AgentId, CustomerId, UserId, VersionId},
};

/// An agent as REST shows it.
#[derive(Debug, Serialize)]
pub(super) struct Agent {
    id: AgentId,
    customer_id: CustomerId,
    name: String,
    description: Option<String>,
    owner_id: Option<UserId>,
    latest_version_number: i32,
    active_version_id: Option<VersionId>,
    active_version_number: Option<i32>,
    activated_at: Option<Instant>,
    archived_at: Option<Instant>,
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
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAgent {
    customer_id: Option<String>,
    name: String,
    description: Option<String>,
    owner_id: Option<String>,
}

impl Shape for NewAgent {
    const SHAPE: &'static str =
        "the body must be an object of texts: name, and if wanted customer_id, description, owner_id";
}

/// `POST /v1/agents`.
pub(super) async fn create(
    State(door): State<Door>,
    Authenticated(caller): Authenticated,
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
    let location = [(header::LOCATION, format!("/v1/agents/{}", made.id))];
    let body = Json(Agent::new(made, &HashMap::new()));
    Ok((StatusCode::CREATED, location, body).into_response())
}

/// Which page of which agents.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    customer_id: Option<String>,
    archived: Option<String>,
    name: Option<String>,
    name_starts_with: Option<String>,
    name_contains: Option<String>,
    model_name: Option<String>,
    tool_name: Option<String>,
    limit: Option<String>,
    after: Option<String>,
}

impl Shape for Which {
    const SHAPE: &'static str = "the parameters are customer_id, archived, name, name_starts_with, name_contains, model_name, tool_name, limit and \
         after, each at most once";
}

/// One page of agents.
#[derive(Debug, Serialize)]
pub(super) struct Agents {
    agents: Vec<Agent>,
    next: Option<String>,
}

/// `GET /v1/agents`, oldest first.
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

/// `GET /v1/agents/{id}`.
pub(super) async fn get(
    State(door): State<Door>,
    Authenticated(caller): Authenticated,
    AgentPath(id): AgentPath,
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
