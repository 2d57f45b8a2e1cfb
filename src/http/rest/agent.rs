//! `/v1/agents`: agents and their versions.

use std::collections::HashMap;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AgentPath, Body, Parameters, Shape, refuse};
use crate::{
    clock::Instant,
    domain::{
        Changed, Error, PAGE_MAX, PageArgs, Result as Answer,
        agent::{self as verbs, AgentFilter, CreateAgent},
        page::{cursor, key},
        policy::{self, Action},
        version::{self, AgentVersion, Content, PublishVersion, Tools},
    },
    http::{Door, body::Object, caller::Authenticated, problem::Problem},
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
    Body(input): Body<NewAgent>,
) -> Result<Response, Problem> {
    let NewAgent {
        customer_id,
        name,
        description,
        owner_id,
    } = input;
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
    limit: Option<String>,
    after: Option<String>,
}

impl Shape for Which {
    const SHAPE: &'static str =
        "the parameters are customer_id, archived, name, limit and after, each at most once";
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
        limit,
        after,
    } = which;
    let answer = async {
        let registry = &door.registry;
        let args = page(limit.as_deref(), after.as_deref())?;
        let archived = archived.map(|archived| {
            archived
                .parse()
                .map_err(|_| Error::invalid("archived", "archived must be true or false"))
        });
        let filter = AgentFilter {
            archived: archived.transpose()?,
            name,
        };
        let reading = registry.reading(&caller);
        let page = match customer_id {
            Some(customer) => {
                let customer = id("customer_id", &customer)?;
                let pages = registry
                    .agents_of_each(&reading, &[customer], &filter, &args)
                    .await?;
                pages
                    .into_iter()
                    .map(|(_, page)| page)
                    .next()
                    .unwrap_or_else(crate::domain::Page::empty)
            }
            None => registry.agents(&reading, &filter, &args).await?,
        };
        let active: Vec<_> = page
            .items
            .iter()
            .filter_map(|row| row.active_version_id)
            .collect();
        let numbers = registry.version_numbers(&reading, &active).await?;
        let last = page.items.last().filter(|_| page.has_next);
        Answer::Ok(Agents {
            next: last.map(|row| cursor(row.id)),
            agents: page
                .items
                .into_iter()
                .map(|row| Agent::new(row, &numbers))
                .collect(),
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
        let active: Vec<_> = found.active_version_id.into_iter().collect();
        let numbers = registry.version_numbers(&reading, &active).await?;
        Answer::Ok(Agent::new(found, &numbers))
    };
    answer.await.map(Json).map_err(refuse(&caller))
}

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
    Body(input): Body<NewVersion>,
) -> Result<Response, Problem> {
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

/// The page that these two ask for, checked.
fn page(limit: Option<&str>, after: Option<&str>) -> Answer<PageArgs<AgentId>> {
    let wrong = || {
        Error::invalid(
            "limit",
            format!("limit must be a number between 1 and {PAGE_MAX}"),
        )
    };
    let limit = limit
        .map(|limit| limit.parse().map_err(|_| wrong()))
        .transpose()?;
    let after = after.map(|after| key("after", after)).transpose()?;
    PageArgs::new(limit, after, None, None).map_err(|_| wrong())
}

/// The id that this field holds.
fn id<T: std::str::FromStr>(field: &str, text: &str) -> Answer<T> {
    text.parse()
        .map_err(|_| Error::invalid(field, format!("{field} is not an id: ids are UUIDs")))
}
