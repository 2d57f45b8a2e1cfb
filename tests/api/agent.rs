//! Agents: their fields, their names, their pages, and who may see them.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use crate::support::{App, Calls, caller::Client};

const UPDATE: &str = "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) {
    agent { name description owner { id } } revision userErrors { code message field } } }";

/// An id that no row has.
const NOBODY: &str = "01a20326-e777-71ce-9264-eefdca7dad0e";

#[tokio::test]
async fn its_customers_people_see_it_and_nobody_else() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (city, town) = (operator.customer("City").await, operator.customer("Town").await);
    let editor = app.member(&city, Role::Editor).await;
    let other = app.member(&town, Role::Admin).await;
    let agent = editor.agent(&city, "Helper").await;
    let version = editor.publish(&agent, "secret of City").await;
    let query = "query ($id: ID!) { agent(id: $id) { name } node(id: $id) { id } nodes(ids: [$id]) { id } activeConfig(agentId: $id) { name } }";
    assert_eq!(editor.gql(query, json!({ "id": agent })).await.at("/agent/name"), "Helper");
    for caller in [&*other, &*app.stranger()] {
        let none = caller.gql(query, json!({ "id": NOBODY })).await.body;
        assert_eq!(
            none,
            json!({ "data": { "agent": null, "node": null, "nodes": [null], "activeConfig": null } })
        );
        for theirs in [&agent, &version, &city] {
            assert_eq!(
                caller.gql(query, json!({ "id": theirs })).await.body,
                none,
                "another customer's agent looks like a missing one"
            );
        }
        let list = caller
            .gql(
                "query ($id: ID) { agents(customerId: $id) { totalCount nodes { id } } }",
                json!({ "id": city }),
            )
            .await;
        let nothing = caller
            .gql(
                "query ($id: ID) { agents(customerId: $id) { totalCount nodes { id } } }",
                json!({ "id": NOBODY }),
            )
            .await;
        assert_eq!((list.at("/agents/totalCount"), &list.body), (&json!(0), &nothing.body));
    }
    let agents = other.gql("{ agents { totalCount } customers { nodes { name } } }", Value::Null).await;
    assert_eq!(
        agents.at(""),
        &json!({ "agents": { "totalCount": 0 }, "customers": { "nodes": [{ "name": "Town" }] } })
    );
}

#[tokio::test]
async fn nobody_else_writes_it_and_is_told_the_same_as_of_nothing() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (city, town) = (operator.customer("City").await, operator.customer("Town").await);
    let editor = app.member(&city, Role::Editor).await;
    let other = app.member(&town, Role::Admin).await;
    let agent = editor.agent(&city, "Helper").await;
    let version = editor.publish(&agent, "x").await;
    let before = app.registry.head().await.unwrap();
    let mutations = |agent: &str, customer: &str, version: &str| {
        [
            ("archiveAgent", "ArchiveAgentInput", json!({ "agentId": agent })),
            ("restoreAgent", "RestoreAgentInput", json!({ "agentId": agent })),
            ("updateAgent", "UpdateAgentInput", json!({ "agentId": agent, "name": "Mine" })),
            (
                "publishVersion",
                "PublishVersionInput",
                json!({ "agentId": agent, "systemPrompt": "x", "modelName": "m" }),
            ),
            ("activateVersion", "ActivateVersionInput", json!({ "agentId": agent, "versionId": version })),
            ("rollback", "RollbackInput", json!({ "agentId": agent })),
            ("deactivate", "DeactivateInput", json!({ "agentId": agent })),
            ("createAgent", "CreateAgentInput", json!({ "customerId": customer, "name": "Mine" })),
            ("updateCustomer", "UpdateCustomerInput", json!({ "customerId": customer, "name": "Mine" })),
        ]
    };
    let theirs = mutations(&agent, &city, &version);
    for ((name, kind, input), (_, _, of_nothing)) in theirs.into_iter().zip(mutations(NOBODY, NOBODY, NOBODY))
    {
        let document = format!(
            "mutation ($input: {kind}!) {{ {name}(input: $input) {{ revision userErrors {{ code message field }} }} }}"
        );
        let refused = other.gql(&document, json!({ "input": input })).await;
        assert_eq!(refused.text(&format!("/{name}/userErrors/0/code")), "NOT_FOUND");
        assert_eq!(refused.body, other.gql(&document, json!({ "input": of_nothing })).await.body);
    }
    assert_eq!(app.registry.head().await.unwrap(), before);
}

#[tokio::test]
async fn updating_leaves_out_sets_and_takes_away() {
    let app = App::start().await;
    let customer = app.operator().await.customer("City").await;
    let editor = app.member(&customer, Role::Editor).await;
    let agent = editor.agent(&customer, "Helper").await;
    let me = "{ viewer { user { id } } }";
    let me = editor.gql(me, Value::Null).await.text("/viewer/user/id");
    let update = async |change: Value| {
        let mut input = json!({ "agentId": agent });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        editor.gql(UPDATE, json!({ "input": input })).await
    };
    let set = update(json!({ "description": "Helps", "ownerId": me })).await;
    assert_eq!(
        set.at("/updateAgent/agent"),
        &json!({ "name": "Helper", "description": "Helps", "owner": { "id": me } })
    );
    let renamed = update(json!({ "name": "Assistant" })).await;
    assert_eq!(renamed.at("/updateAgent/agent/description"), "Helps", "what is left out stays");
    let same = update(json!({ "name": "Assistant" })).await;
    assert_eq!(
        same.at("/updateAgent/revision"),
        renamed.at("/updateAgent/revision"),
        "nothing changed, nothing recorded"
    );
    let gone = update(json!({ "description": null, "ownerId": null })).await;
    assert_eq!(
        gone.at("/updateAgent/agent"),
        &json!({ "name": "Assistant", "description": null, "owner": null })
    );

    editor.agent(&customer, "Other").await;
    let head = app.registry.head().await.unwrap();
    let stranger_id =
        app.operator().await.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id");
    for (change, code, field) in [
        (json!({ "name": "Other" }), "ALREADY_EXISTS", "name"),
        (json!({ "name": null }), "INVALID", "name"),
        (json!({ "name": "Helper " }), "INVALID", "name"),
        (json!({ "name": "x".repeat(201) }), "TOO_LARGE", "name"),
        (json!({ "description": "x".repeat(2001) }), "TOO_LARGE", "description"),
        (json!({ "description": "a\u{0}" }), "INVALID", "description"),
        (json!({ "ownerId": NOBODY }), "INVALID", "ownerId"),
        (json!({ "ownerId": stranger_id }), "INVALID", "ownerId"),
        (json!({ "ownerId": "me" }), "INVALID", "ownerId"),
    ] {
        let refused = update(change).await;
        let error = refused.at("/updateAgent/userErrors/0");
        assert_eq!((&error["code"], &error["field"]), (&json!(code), &json!(field)), "{error}");
    }
    assert_eq!(app.registry.head().await.unwrap(), head);
}

#[tokio::test]
async fn two_customers_may_use_the_same_name_and_one_may_not_twice() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (city, town) = (operator.customer("City").await, operator.customer("Town").await);
    operator.agent(&city, "Helper").await;
    operator.agent(&town, "Helper").await;
    let create = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } userErrors { code field } } }";
    let twice =
        (0..8).map(|_| operator.gql(create, json!({ "input": { "customerId": city, "name": "Once" } })));
    let answers = futures_util::future::join_all(twice).await;
    let made = answers.iter().filter(|answer| answer.at("/createAgent/agent").is_object()).count();
    assert_eq!(made, 1);
}

/// Reads a whole list of agents, page by page. Returns the names in the order of reading, and the number of pages.
async fn walk(caller: &Client, customer: &Value, forward: bool, size: usize) -> (Vec<String>, usize) {
    let (sizes, bounds) = if forward { ("first", "after") } else { ("last", "before") };
    let document = format!(
        "query ($customer: ID, $cursor: String) {{ agents(customerId: $customer, {sizes}: {size}, {bounds}: $cursor) {{
         edges {{ cursor node {{ name }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    let (mut names, mut cursor, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        pages += 1;
        let answer = caller.gql(&document, json!({ "customer": customer, "cursor": cursor })).await;
        let edges = answer.at("/agents/edges").as_array().unwrap();
        let mut page: Vec<String> =
            edges.iter().map(|edge| edge["node"]["name"].as_str().unwrap().to_owned()).collect();
        if !forward {
            page.reverse();
        }
        names.extend(page);
        let info = answer.at("/agents/pageInfo");
        assert_eq!(info["startCursor"], edges.first().map_or(Value::Null, |edge| edge["cursor"].clone()));
        let (more, next) =
            if forward { ("hasNextPage", "endCursor") } else { ("hasPreviousPage", "startCursor") };
        if info[more] == false {
            return (names, pages);
        }
        cursor = info[next].clone();
    }
}

#[tokio::test]
async fn pages_both_ways_meet_each_one_once() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let expected: Vec<String> = (0..7).map(|nth| format!("Agent {nth}")).collect();
    for name in &expected {
        operator.agent(&customer, name).await;
    }
    let reversed: Vec<String> = expected.iter().rev().cloned().collect();
    for size in [1, 2, 3, 6, 7, 8, 100] {
        // Below a customer and at the root: these are two code paths.
        for customer in [json!(customer), Value::Null] {
            let pages = expected.len().div_ceil(size);
            assert_eq!(walk(&operator, &customer, true, size).await, (expected.clone(), pages));
            assert_eq!(walk(&operator, &customer, false, size).await, (reversed.clone(), pages));
        }
    }
}

#[tokio::test]
async fn a_page_that_makes_no_sense_is_refused() {
    let app = App::start().await;
    let operator = app.operator().await;
    for arguments in [
        "first: 0",
        "first: 101",
        "first: -1",
        "last: 0",
        "first: 1, last: 1",
        "after: \"nonsense\"",
        "before: \"\"",
        "first: 99999999999",
    ] {
        let answer = operator.gql(&format!("{{ agents({arguments}) {{ totalCount }} }}"), Value::Null).await;
        assert_eq!(answer.code(), Some("BAD_USER_INPUT"), "{arguments}: {}", answer.body);
    }
    let endless = operator.gql("{ agents(first: 999999999) { totalCount } }", Value::Null).await;
    assert_eq!(endless.code(), Some("QUERY_TOO_COMPLEX"));
}

#[tokio::test]
async fn archived_ones_can_be_left_out() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    operator.agent(&customer, "Here").await;
    let gone = operator.agent(&customer, "Gone").await;
    let archive =
        "mutation ($input: ArchiveAgentInput!) { archiveAgent(input: $input) { userErrors { code } } }";
    operator.gql(archive, json!({ "input": { "agentId": gone } })).await;
    let query = "query ($customer: ID, $filter: AgentFilter) { agents(customerId: $customer, filter: $filter) { totalCount nodes { name } } }";
    for customer in [json!(customer), Value::Null] {
        for (filter, names) in [
            (json!({ "archived": true }), vec!["Gone"]),
            (json!({ "archived": false }), vec!["Here"]),
            (json!({ "name": "Here" }), vec!["Here"]),
            (json!({}), vec!["Here", "Gone"]),
        ] {
            let answer = operator.gql(query, json!({ "customer": customer, "filter": filter })).await;
            let nodes: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
            assert_eq!(
                answer.at("/agents"),
                &json!({ "totalCount": nodes.len(), "nodes": nodes }),
                "{filter}"
            );
        }
    }
}
