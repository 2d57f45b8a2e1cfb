//! The plan of an activation of a version with 128 tools, compared with reading one of the two versions.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Failure, TIME,
    case::{Case, Report},
    load::{self, any_of, post},
    world::World,
};

/// The number of tools of each version: as many as a version may have.
const TOOLS: usize = 128;
/// The number of concurrent clients: as many as processors compute.
const CLIENTS: usize = 2;
/// How much more a plan may cost than reading one of its versions.
const RATIO_MAX: f64 = 10.0;

const PLAN: &str = "query ($agent: ID!, $version: ID!) { activationPlan(agentId: $agent, versionId: $version) { impact decision planHash findings { impact path message } policy { rule effect } } }";
const READ: &str = "query ($version: ID!) { node(id: $version) { ... on AgentVersion { systemPrompt modelParameters tools { name description inputSchema } } } }";
const PUBLISH: &str = "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) { version { id } userErrors { code message } } }";

/// A tool with a schema as real ones are: a few parameters with descriptions, some of them required.
fn tool(nth: usize, changed: bool) -> Value {
    let text = "One of the documents that the city keeps about a building, by its number.";
    let property = |name: usize| {
        (format!("p{name}"), json!({ "type": "string", "description": text, "maxLength": 200 }))
    };
    let properties: serde_json::Map<_, _> = (0..8).map(property).collect();
    let required = if changed && nth.is_multiple_of(4) { json!(["p0", "p1"]) } else { json!(["p0"]) };
    json!({ "name": format!("tool_{nth}"), "description": text,
        "inputSchema": { "type": "object", "properties": properties, "required": required } })
}

/// Measures both.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    let agent = world.agents.first().ok_or("no agent")?;
    publish(world, agent, false).await?;
    let next = publish(world, agent, true).await?;
    let rate = async |query: &str, variables: Value| {
        let body = json!({ "query": query, "variables": variables });
        let answer = world.serving.post(&body).send().await?.json::<Value>().await?;
        if answer.get("errors").is_some() {
            return Err(Failure::from(format!("not answered: {answer}")));
        }
        let request = post("/graphql", world.serving.token(), &body);
        let requests = any_of(vec![request]);
        load::closed(world.serving.address()?, CLIENTS, TIME, Arc::clone(&requests)).await?;
        Ok(load::closed(world.serving.address()?, CLIENTS, TIME, requests).await?.rate)
    };
    let read = rate(READ, json!({ "version": next })).await?;
    let planned = rate(PLAN, json!({ "agent": agent, "version": next })).await?;
    let cost = read / planned.max(f64::MIN_POSITIVE);
    report.add(Case {
        what: "plan of an activation, 128 tools on either side",
        ours: format!("{planned:.0}/s"),
        beside: format!("reading one of the versions {read:.0}/s"),
        ratio: format!("{cost:.1} × its cost"),
        aim: "at most 10 ×",
        is_reached: Some(cost <= RATIO_MAX),
    });
    Ok(())
}

/// Publishes a version; the older one is activated too. Returns its id.
async fn publish(world: &World, agent: &str, changed: bool) -> Result<String, Failure> {
    let tools: Vec<Value> = (0..TOOLS).map(|nth| tool(nth, changed)).collect();
    let input = json!({ "agentId": agent, "systemPrompt": "Help.", "modelName": "gpt-4-turbo", "tools": tools, "activate": !changed });
    let body = json!({ "query": PUBLISH, "variables": { "input": input } });
    let answer = world.serving.post(&body).send().await?.json::<Value>().await?;
    let version = answer.pointer("/data/publishVersion/version/id").and_then(Value::as_str);
    version.map(str::to_owned).ok_or_else(|| format!("not published: {answer}").into())
}
