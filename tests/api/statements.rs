//! A nested query runs a fixed number of statements, independent of its rows and of errors.

use agent_registry::domain::{Caller, member::Role, version::BodyKey};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{
    App, Calls,
    caller::{Client, Operator},
};

const NESTED: &str = "{ customers(first: 20) { nodes { name agents(first: 20) { totalCount nodes { name activeVersion { number }
    versions(first: 3) { nodes { number createdBy { user { id } } } } } } } } }";

/// Makes customers with agents of two versions each. Returns the customers' ids.
async fn fill(operator: &Operator, customers: usize, agents: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for nth in 0..customers {
        let customer = operator.customer(&format!("Customer {nth}")).await;
        for nth in 0..agents {
            let agent = operator.agent(&customer, &format!("Agent {nth}")).await;
            let version = operator.publish(&agent, "one").await;
            operator.publish(&agent, "two").await;
            operator.activate(&agent, &version).await;
        }
        ids.push(customer);
    }
    ids
}

/// The number of statements of this query by a caller in memory, and the response.
async fn statements(app: &App, operator: &Operator, query: &str) -> (u64, Value) {
    counted(app, operator, query, Value::Null).await
}

/// Same, with variables.
async fn counted(app: &App, operator: &Operator, document: &str, variables: Value) -> (u64, Value) {
    operator.gql("{ __typename }", Value::Null).await;
    let before = app.registry.statements();
    let answer = operator.gql(document, variables).await;
    (app.registry.statements() - before, answer.body)
}

#[tokio::test]
async fn three_levels_cost_the_same_for_one_and_for_many() {
    let (small, large) = (App::start().await, App::start().await);
    let (one, many) = (small.operator().await, large.operator().await);
    fill(&one, 1, 1).await;
    fill(&many, 5, 4).await;
    let (few, _) = statements(&small, &one, NESTED).await;
    let (also_few, body) = statements(&large, &many, NESTED).await;
    assert_eq!(few, also_few);
    // The caller is in memory. The statements: the snapshot, customers, agents, their count, active versions, pages
    // of versions, users.
    assert_eq!(few, 7);
    let nodes = body.pointer("/data/customers/nodes").unwrap().as_array().unwrap();
    assert_eq!(nodes.len(), 5);
    for customer in nodes {
        assert_eq!(customer["agents"]["totalCount"], 4);
        for agent in customer["agents"]["nodes"].as_array().unwrap() {
            assert_eq!(agent["activeVersion"], json!({ "number": 1 }));
            let versions: Vec<&Value> =
                agent["versions"]["nodes"].as_array().unwrap().iter().map(|node| &node["number"]).collect();
            assert_eq!(versions, [2, 1]);
        }
    }
}

#[tokio::test]
async fn a_field_that_fails_takes_nothing_from_its_neighbours() {
    let app = App::start().await;
    let operator = app.operator().await;
    let ids = fill(&operator, 2, 3).await;
    let healthy = format!(
        "good: customer(id: \"{}\") {{ agents {{ nodes {{ activeVersion {{ number }} versions {{ nodes {{ number }} }} }} }} }}",
        ids[1]
    );
    // `first: 0` fails a non-null field, which cancels its siblings while they wait in the same batches.
    let failing = format!(
        "bad: customer(id: \"{}\") {{ agents {{ nodes {{ activeVersion {{ number }} broken: versions(first: 0) {{ nodes {{ number }} }}
         versions {{ nodes {{ number }} }} }} }} }}",
        ids[0]
    );
    let (alone, expected) = statements(&app, &operator, &format!("{{ {healthy} }}")).await;
    for document in [format!("{{ {failing} {healthy} }}"), format!("{{ {healthy} {failing} }}")] {
        for _ in 0..20 {
            let (count, body) = statements(&app, &operator, &document).await;
            assert_eq!(body["data"]["good"], expected["data"]["good"], "{body}");
            assert_eq!(body["data"]["bad"], Value::Null);
            assert_eq!(body["errors"].as_array().unwrap()[0]["extensions"]["code"], "BAD_USER_INPUT");
            // A cancelled batch is read again, at most once a level.
            assert!(count <= alone + 2, "{count} statements, {alone} without the failing field");
        }
    }
}

#[tokio::test]
async fn lists_leave_the_content_where_it_is() {
    let app = App::start().await;
    let operator = app.operator().await;
    fill(&operator, 1, 1).await;
    // Reading a column without a grant fails.
    let mut owner = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let grants = "REVOKE SELECT ON registry.agent_versions FROM registry;
        GRANT SELECT (id, customer_id, agent_id, number, model_name, message, content_hash, bytes_hash, content_bytes, served_bytes, created_by_kind,
            created_by_id, created_at) ON registry.agent_versions TO registry";
    sqlx::raw_sql(grants).execute(&mut owner).await.unwrap();
    let (_, body) = statements(&app, &operator, NESTED).await;
    assert_eq!(
        body.pointer("/data/customers/nodes/0/agents/nodes/0/versions/nodes/1/number"),
        Some(&json!(1))
    );
    let content = "{ agents { nodes { versions { nodes { systemPrompt } } } } }";
    let (_, body) = statements(&app, &operator, content).await;
    assert_eq!(body.pointer("/errors/0/extensions/code"), Some(&json!("INTERNAL")));
    assert!(!body.to_string().contains("permission"), "the cause belongs in the log: {body}");
}

/// The number of statements of this write, which must succeed.
async fn written(app: &App, operator: &Operator, mutation: &str, input: Value) -> u64 {
    let (count, body) = counted(app, operator, mutation, json!({ "input": input })).await;
    assert_eq!(body.pointer("/data/done/userErrors"), Some(&json!([])), "{body}");
    count
}

/// Each statement is a round trip, and three of them hold locks: locks of customer and agent; the writer's rights;
/// all writes; the log. The transaction's BEGIN with its scope and its COMMIT aren't counted.
#[tokio::test]
async fn publishing_and_activating_are_four_statements() {
    const PUBLISH: &str = "mutation ($input: PublishVersionInput!) { done: publishVersion(input: $input) { revision userErrors { code } } }";
    const ACTIVATE: &str = "mutation ($input: ActivateVersionInput!) { done: activateVersion(input: $input) { revision userErrors { code } } }";
    let app = App::start().await;
    let operator = app.operator().await;
    let agent = operator.agent(&operator.customer("City").await, "Helper").await;
    let first = operator.publish(&agent, "first").await;
    let input = json!({ "agentId": agent, "systemPrompt": "x", "modelName": "m", "activate": true,
        "tools": [{ "name": "found" }] });
    // The payload is read afterwards in two statements: the snapshot and the version.
    assert_eq!(written(&app, &operator, PUBLISH, input).await, 4 + 2);
    // The same statement has updated the search columns.
    let search = "{ agents(filter: { toolName: \"found\", modelName: \"m\" }) { nodes { id } } }";
    let found = operator.gql(search, Value::Null).await;
    assert_eq!(found.at("/agents/nodes"), &json!([{ "id": agent }]));
    let input = json!({ "agentId": agent, "versionId": first });
    // The payload here needs the snapshot, the agent and the activation.
    assert_eq!(written(&app, &operator, ACTIVATE, input).await, 4 + 3);
    assert_eq!(operator.gql(search, Value::Null).await.at("/agents/nodes"), &json!([]));
}

/// A published version never changes, so its content is read once and then comes from memory. That widens no
/// caller's visibility.
#[tokio::test]
async fn content_is_read_once() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Helper").await;
    let (one, two) = (operator.publish(&agent, "one").await, operator.publish(&agent, "two").await);
    let member = app.member(&customer, Role::Viewer).await;
    let stranger = app.member(&operator.customer("Town").await, Role::Admin).await;
    let query = format!(
        "{{ a: node(id: \"{one}\") {{ ... on AgentVersion {{ systemPrompt }} }} b: node(id: \"{two}\") {{ ... on AgentVersion {{ systemPrompt }} }} }}"
    );
    let expected = json!({ "a": { "systemPrompt": "one" }, "b": { "systemPrompt": "two" } });
    let (first, body) = statements(&app, &operator, &query).await;
    assert_eq!(body["data"], expected);
    let (again, body) = statements(&app, &operator, &query).await;
    assert_eq!((again, &body["data"]), (first - 1, &expected));
    assert_eq!(member.gql(&query, Value::Null).await.body["data"], expected);
    let others = stranger.gql(&query, Value::Null).await;
    assert_eq!(others.body["data"], json!({ "a": null, "b": null }), "{}", others.body);
    // Nor does a caller see it who knows the whole key.
    let reading = async |client: &Client| {
        let token = client.token.as_deref().unwrap();
        let caller = app.registry.authenticate(token, &Caller::system("test").origin).await.unwrap();
        app.registry.reading(&caller)
    };
    let seen = app.registry.versions_by_ids(&reading(&member).await, &[one.parse().unwrap()]).await.unwrap();
    let key = BodyKey::of(&seen[0]);
    for (client, has) in [(&*member, true), (&*stranger, false)] {
        let found = app.registry.version_bodies(&reading(client).await, &[key]).await.unwrap();
        assert_eq!(found.contains_key(&key), has);
    }
}
