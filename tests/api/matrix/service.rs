//! Tests a service token with all scopes: it selects every field of the schema that it can reach, and only those of
//! a short list return a value.

use std::collections::BTreeSet;

use agent_registry::domain::ServiceScope;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{schema::Schema, table::letter, world::World};
use crate::support::{
    caller::{Client, Gateway},
    socket::{Frame, Socket},
};

/// Every field that a service token ever gets: active and pinned configurations, their changes, and the token itself. No
/// users, no addresses, no billing, no keys.
const ANSWERED: &[(&str, &str)] = &[
    (
        "Activation",
        "activatedAt activatedBy agent cursor environment id previousVersion reason revision version",
    ),
    (
        "ActiveConfig",
        "activatedAt agentId bytesHash contentHash customerId environmentKey extensions modelName modelParameters name revision systemPrompt tools versionId versionNumber",
    ),
    ("Actor", "displayName kind"),
    ("Agent", "activeVersion createdAt id name updatedAt viewerPermissions"),
    (
        "AgentVersion",
        "activeIn agent bytesHash contentBytes contentHash createdAt createdBy extensions id isActive modelName modelParameters number systemPrompt tools variables",
    ),
    ("ConfigEvent", "agentId config kind revision"),
    ("Environment", "activateRole createdAt id isDefault key name onBreaking"),
    (
        "PinnedConfig",
        "agentId bytesHash contentHash customerId extensions modelName modelParameters systemPrompt tools versionId versionNumber",
    ),
    ("PlanLimits", "agents apiKeys environments members plan requestsPerSecond versionsPerAgent"),
    ("Query", "activeConfig activeConfigResult pinnedConfig plans revision viewer"),
    (
        "Tool",
        "_meta additional annotations description execution icons inputSchema name outputSchema strict title",
    ),
    ("Viewer", "displayName isOperator kind name permissions scopes"),
];

/// Selects every field below here, never through one type twice. Returns the fields with a value, and the responses
/// that are neither a value nor a rejection.
async fn walk(
    schema: &Schema,
    (template, of): (&str, &str),
    mut ask: impl AsyncFnMut(&str) -> (StatusCode, Value),
) -> (BTreeSet<String>, Vec<String>) {
    let (mut answered, mut wrong) = (BTreeSet::new(), Vec::new());
    let mut open = vec![(template.to_owned(), vec![of.to_owned()])];
    while let Some((template, trail)) = open.pop() {
        let of = trail.last().unwrap();
        for field in &schema.types[of] {
            let query = schema.query(&template, [field]);
            let (status, body) = ask(&query).await;
            match letter(status, &body, &field.name) {
                'y' => {
                    answered.insert(format!("{of}.{}", field.name));
                    if schema.types.contains_key(&field.of) && !trail.contains(&field.of) {
                        let below = format!("{} {{ @ }}", schema.call(field));
                        let trail = trail.iter().chain([&field.of]).cloned().collect();
                        open.push((template.replace('@', &below), trail));
                    }
                }
                'F' | 'n' => {}
                letter => wrong.push(format!("{query}: {letter}, {body}")),
            }
        }
    }
    (answered, wrong)
}

/// Subscribes, and waits for the first event or the error.
async fn first(socket: &mut Socket, id: &str, query: &str) -> (StatusCode, Value) {
    socket.subscribe(id, query, Value::Null).await;
    let body = loop {
        match socket.next().await {
            Frame::Message(mut message) if message["id"] == id => match message["type"].as_str() {
                Some("next") => break message["payload"].take(),
                Some("error") => break json!({ "errors": message["payload"].take() }),
                _ => panic!("{query}: {message}"),
            },
            // An event of an operation that was completed.
            Frame::Message(_) => {}
            closed @ Frame::Closed(..) => panic!("{query}: {closed:?}"),
        }
    };
    socket.send(json!({ "id": id, "type": "complete" })).await;
    (StatusCode::OK, body)
}

const ACTIVATIONS: (&str, &str) =
    ("subscription { activations(agentIds: [<agent>], after: <cursor>) { @ } }", "Activation");
const CHANGES: (&str, &str) = ("subscription { changes(after: <cursor>) { @ } }", "Change");
const CUSTOMER_EVENTS: (&str, &str) =
    ("subscription { customerEvents(after: <cursor>) { @ } }", "CustomerEvent");
const CONVERGENCE: (&str, &str) = ("subscription { convergence(agentId: <agent>) { @ } }", "Convergence");
const GATEWAYS: (&str, &str) = ("subscription { gateways { @ } }", "Gateway");
const CONFIGS: (&str, &str) = ("subscription { configs(agentIds: [<agent>]) { @ } }", "ConfigEvent");

/// Selects every field of an event as this caller receives it.
async fn watch(
    schema: &Schema,
    world: &World,
    client: &Client,
    events: (&str, &str),
) -> (BTreeSet<String>, Vec<String>) {
    let mut socket = client.socket().await;
    let mut number = 0;
    walk(schema, events, async |query: &str| {
        number += 1;
        first(&mut socket, &number.to_string(), &world.with_existing_ids(query)).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_answered_the_list_and_nothing_else() {
    let schema = Schema::read();
    let world = World::new().await;
    let Gateway(service) = world.app.service(ServiceScope::ALL).await;
    let before = world.app.registry.head().await.unwrap().revision.0;
    let by_http = async |query: &str| {
        let heard = world.ask(&service, &world.with_existing_ids(query)).await;
        (heard.status, heard.body())
    };
    let (mut answered, mut wrong) = walk(&schema, ("{ @ }", "Query"), by_http).await;
    let (written, wrongly) = walk(&schema, ("mutation { @ }", "Mutation"), by_http).await;
    wrong.extend(wrongly);
    let reports = [
        "Mutation.reportServing",
        "ReportServingPayload.nextReportSeconds",
        "ReportServingPayload.reportedRevision",
    ];
    assert_eq!(
        written,
        reports.map(str::to_owned).into(),
        "a service writes what it serves, and nothing else"
    );
    let (configs, wrongly) = watch(&schema, &world, &service, CONFIGS).await;
    answered.extend(configs);
    wrong.extend(wrongly);
    for closed in [CHANGES, CUSTOMER_EVENTS, CONVERGENCE, GATEWAYS] {
        let (read, wrongly) = watch(&schema, &world, &service, closed).await;
        assert_eq!(
            read,
            BTreeSet::new(),
            "a service reads no audit, no events of customers, and nothing of other gateways"
        );
        wrong.extend(wrongly);
    }
    let (events, wrongly) = watch(&schema, &world, &service, ACTIVATIONS).await;
    let watcher = world.callers.iter().find(|(name, _)| *name == "key activations:watch").unwrap();
    let (by_key, wrongly_by_key) = watch(&schema, &world, &watcher.1, ACTIVATIONS).await;
    let more: Vec<&String> = by_key.difference(&events).collect();
    assert_eq!(
        more,
        ["Agent.description", "AgentVersion.message"],
        "fields that only a customer's own key gets"
    );
    assert!(events.is_subset(&by_key));
    wrong.extend(wrongly_by_key);
    answered.extend(events);
    wrong.extend(wrongly);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let allowed =
        ANSWERED.iter().flat_map(|(of, fields)| fields.split(' ').map(move |field| format!("{of}.{field}")));
    assert_eq!(answered, allowed.collect());
    assert_eq!(world.app.registry.head().await.unwrap().revision.0, before, "a service changed something");
    let streams: Vec<_> = schema.types["Subscription"].iter().map(|field| field.name.as_str()).collect();
    assert_eq!(
        streams,
        ["activations", "changes", "configs", "convergence", "customerEvents", "gateways"],
        "a new subscription needs a test here"
    );
}
