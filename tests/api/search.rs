//! Search in a customer's agents: by name, its beginning or any part of it, by model and by tool; by index, also under
//! row-level security.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};

use crate::support::{App, Calls, caller::Client};

const FOUND: &str =
    "query ($id: ID!, $filter: AgentFilter!) { customer(id: $id) { agents(filter: $filter, first: 100) {
    totalCount nodes { name } } } }";

/// The names of the agents that pass, and that the count agrees with.
async fn found(caller: &Client, customer: &str, filter: Value) -> Vec<String> {
    let answer = caller.gql(FOUND, json!({ "id": customer, "filter": filter })).await;
    let nodes = answer.at("/customer/agents/nodes").as_array().unwrap();
    let names: Vec<String> = nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(answer.at("/customer/agents/totalCount"), names.len(), "{filter}");
    // The same below the root, and over REST.
    let flat = "query ($id: ID!, $filter: AgentFilter!) { agents(customerId: $id, filter: $filter, first: 100) { nodes { name } } }";
    let flat = caller.gql(flat, json!({ "id": customer, "filter": filter })).await;
    assert_eq!(flat.at("/agents/nodes"), answer.at("/customer/agents/nodes"));
    let wide =
        "query ($filter: AgentFilter!) { agents(filter: $filter, first: 100) { totalCount nodes { name } } }";
    let wide = caller.gql(wide, json!({ "filter": filter })).await;
    assert_eq!(wide.at("/agents/nodes"), answer.at("/customer/agents/nodes"));
    names
}

#[tokio::test]
async fn agents_are_found_by_any_part_of_their_name_and_by_what_they_serve() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (customer, town) = (operator.customer("City").await, operator.customer("Town").await);
    let editor = app.member(&customer, Role::Editor).await;
    let long = format!("{} tail", "very long name ".repeat(10));
    let names = ["Permit helper", "permits of Ärzte", "Parking 100% _ok_", "PARK ranger", long.as_str()];
    let mut agents = Vec::new();
    for name in names {
        agents.push(editor.agent(&customer, name).await);
    }
    operator.agent(&town, "Permit helper").await;
    let found = async |filter: Value| found(&editor, &customer, filter).await;
    assert_eq!(found(json!({ "nameStartsWith": "PERMIT" })).await, [names[0], names[1]]);
    assert_eq!(found(json!({ "nameContains": "erm" })).await, [names[0], names[1]]);
    assert_eq!(found(json!({ "nameContains": "ÄRZ" })).await, [names[1]]);
    assert_eq!(
        found(json!({ "nameContains": "r" })).await,
        [names[0], names[1], names[2], names[3], names[4]]
    );
    // What is special to LIKE is not special here.
    assert_eq!(found(json!({ "nameContains": "%" })).await, [names[2]]);
    assert_eq!(found(json!({ "nameContains": "_ok_" })).await, [names[2]]);
    // Beyond what the index keeps of each end.
    let part = "name very long name very long name very long name tai";
    assert_eq!(found(json!({ "nameContains": part })).await, Vec::<String>::new());
    assert_eq!(
        found(json!({ "nameContains": "very long name very long name very long name  tai" })).await,
        [names[4]]
    );
    assert_eq!(found(json!({ "nameStartsWith": "park", "nameContains": "ok" })).await, [names[2]]);
    assert_eq!(found(json!({ "nameContains": "nothing" })).await, Vec::<String>::new());

    let serve = async |agent: &str, model: &str, tools: Value| {
        let input = json!({ "agentId": agent, "systemPrompt": "p", "modelName": model, "tools": tools, "activate": true });
        assert_eq!(editor.publish_input(input).await.at("/publishVersion/userErrors"), &json!([]));
    };
    serve(&agents[0], "gpt-4", json!([{ "name": "find" }, { "name": "pay" }])).await;
    serve(&agents[1], "gpt-4", json!([{ "name": "find" }])).await;
    serve(&agents[2], "claude", json!([])).await;
    assert_eq!(found(json!({ "modelName": "gpt-4" })).await, [names[0], names[1]]);
    assert_eq!(found(json!({ "toolName": "find" })).await, [names[0], names[1]]);
    assert_eq!(found(json!({ "toolName": "pay", "modelName": "gpt-4" })).await, [names[0]]);
    // What serves counts: a version that does not is not looked at.
    serve(&agents[0], "claude", json!([{ "name": "pay" }])).await;
    assert_eq!(found(json!({ "toolName": "find" })).await, [names[1]]);
    assert_eq!(found(json!({ "modelName": "claude" })).await, [names[0], names[2]]);
    let archive = "mutation ($id: ID!) { archiveAgent(input: { agentId: $id }) { userErrors { code } } }";
    editor.gql(archive, json!({ "id": agents[2] })).await;
    assert_eq!(found(json!({ "modelName": "claude" })).await, [names[0]]);
    let rename = "mutation ($id: ID!) { updateAgent(input: { agentId: $id, name: \"Other\" }) { userErrors { code } } }";
    editor.gql(rename, json!({ "id": agents[3] })).await;
    assert_eq!(found(json!({ "nameContains": "ranger" })).await, Vec::<String>::new());
    assert_eq!(found(json!({ "nameContains": "the" })).await, ["Other"]);
    let rest = editor.get("/v1/agents?name_contains=permit&model_name=gpt-4").await;
    assert_eq!(rest.body["agents"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_bad_filter_is_refused() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let long = "x".repeat(201);
    for (field, value) in [
        ("nameStartsWith", ""),
        ("nameContains", ""),
        ("nameContains", &long),
        ("nameContains", "a\0"),
        ("nameStartsWith", "\0"),
        ("modelName", "\0"),
        ("toolName", "\0"),
    ] {
        let refused = operator.gql(FOUND, json!({ "id": customer, "filter": { field: value } })).await;
        assert_eq!(refused.code(), Some("BAD_USER_INPUT"), "{field}: {}", refused.body);
        assert_eq!(refused.body["errors"][0]["extensions"]["field"], field);
    }
}

/// The plan of a query as a member of this customer runs it.
async fn plan(session: &mut PgConnection, customer: &str, condition: &str) -> String {
    let scope = format!(
        "BEGIN READ ONLY; SET LOCAL registry.scope = 'customers'; SET LOCAL registry.customers = '{{{customer}}}'"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(scope)).execute(&mut *session).await.unwrap();
    let condition = condition.replace("CUSTOMER", &format!("'{{{customer}}}'::uuid[]"));
    let query = format!(
        "EXPLAIN SELECT a.* FROM registry.agents AS a WHERE a.customer_id = ANY('{{{customer}}}'::uuid[]) AND {condition}
         ORDER BY a.id LIMIT 21"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&mut *session).await.unwrap();
    sqlx::raw_sql("ROLLBACK").execute(&mut *session).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn each_search_is_served_by_an_index_under_row_level_security() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    // Twenty customers of five hundred agents: enough that reading them all is the dearer way.
    let fill = "INSERT INTO registry.customers (id, name, created_at, updated_at)
            SELECT gen_random_uuid(), 'Customer ' || n, now(), now() FROM generate_series(1, 19) AS n;
        INSERT INTO registry.agents (id, customer_id, name, created_at, updated_at)
            SELECT gen_random_uuid(), c.id, md5(c.id::text || n), now(), now() FROM registry.customers AS c, generate_series(1, 500) AS n;
        UPDATE registry.agents SET active_model_name = 'model ' || substr(name, 1, 2);
        INSERT INTO registry.agent_active_tools (customer_id, agent_id, tool_name)
            SELECT customer_id, id, 'tool ' || substr(name, 1, 2) FROM registry.agents;
        ANALYZE registry.agents; ANALYZE registry.agent_name_ends; ANALYZE registry.agent_active_tools";
    sqlx::raw_sql(fill).execute(&mut admin).await.unwrap();
    let mut session = PgConnection::connect(&app.database.url).await.unwrap();
    let ends = "EXISTS (SELECT FROM registry.agent_name_ends AS e WHERE e.customer_id = ANY(CUSTOMER) AND e.agent_id = a.id
        AND e.ending >= lower('abc') AND e.ending < lower('abc') || chr(1114111))";
    let tools = "EXISTS (SELECT FROM registry.agent_active_tools AS u WHERE u.customer_id = ANY(CUSTOMER)
        AND u.agent_id = a.id AND u.tool_name = 'tool ab')";
    for (condition, index) in [
        (
            "a.name_lower >= lower('abc') AND a.name_lower < lower('abc') || chr(1114111)",
            "agents_customer_name_lower_idx",
        ),
        (ends, "agent_name_ends_idx"),
        ("a.active_model_name = 'model ab'", "agents_customer_model_idx"),
        (tools, "agent_active_tools"),
    ] {
        let plan = plan(&mut session, &customer, condition).await;
        assert!(plan.contains(index), "{condition}\n{plan}");
        assert!(!plan.contains("Seq Scan"), "{condition}\n{plan}");
    }
    // The check itself: what an index can't serve is seen to read all.
    let slow = plan(&mut session, &customer, "a.name ILIKE '%abc%'").await;
    assert!(!slow.contains("Index Cond: (name"), "{slow}");
    let unscoped = "SELECT count(*) FROM registry.agents WHERE name LIKE '%x%'";
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN {unscoped}")))
        .fetch_all(&mut session)
        .await
        .unwrap();
    assert!(rows.iter().any(|row| row.get::<String, _>(0).contains("Seq Scan")));
}
