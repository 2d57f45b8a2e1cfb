//! Environments as rows: created, changed, archived and restored; and what one agent serves in each.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use super::{Stage, create, create_input};
use crate::support::{App, Calls, caller::Client};

async fn update(client: &Client, input: Value) -> Value {
    let mutation = "mutation ($input: UpdateEnvironmentInput!) { updateEnvironment(input: $input) {
        environment { key name rank promoteFrom { key } minSoakSeconds onBreaking allowedModels activateRole }
        revision userErrors { code field message } } }";
    client.gql(mutation, json!({ "input": input })).await.at("/updateEnvironment").clone()
}

/// Archives or restores an environment. Returns the payload.
async fn turn(client: &Client, mutation: &str, id: &str) -> Value {
    let name = format!("{}{}", mutation[..1].to_uppercase(), &mutation[1..]);
    let document = format!(
        "mutation ($input: {name}Input!) {{ answer: {mutation}(input: $input) {{ environment {{ key archivedAt }} revision
         userErrors {{ code field message }} }} }}"
    );
    let input = json!({ "input": { "environmentId": id } });
    client.gql(&document, input).await.at("/answer").clone()
}

async fn keys(client: &Client, customer: &str, archived: bool) -> Vec<String> {
    let query = "query ($id: ID!, $archived: Boolean!) { customer(id: $id) { environments(archived: $archived) { key } } }";
    let answer = client.gql(query, json!({ "id": customer, "archived": archived })).await;
    let list = answer.at("/customer/environments").as_array().unwrap().clone();
    list.iter().map(|environment| environment["key"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_customer_is_born_with_production() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let query = "query ($id: ID!) { customer(id: $id) { usage { environments { used limit } } environments {
        id key name rank isDefault promoteFrom { key } minSoakSeconds onBreaking allowedModels activateRole archivedAt customer { name } } } }";
    let answer = operator.gql(query, json!({ "id": customer })).await;
    let mut environment = answer.at("/customer/environments/0").clone();
    let id = environment["id"].take();
    assert_eq!(
        environment,
        json!({ "id": null, "key": "production", "name": "Production", "rank": 0, "isDefault": true, "promoteFrom": null,
            "minSoakSeconds": 0, "onBreaking": "ALLOW", "allowedModels": null, "activateRole": "EDITOR", "archivedAt": null,
            "customer": { "name": "City" } })
    );
    assert_eq!(answer.at("/customer/usage/environments"), &json!({ "used": 1, "limit": 8 }));
    let node = operator
        .gql("query ($id: ID!) { node(id: $id) { ... on Environment { key } } }", json!({ "id": id }))
        .await;
    assert_eq!(node.at("/node/key"), "production");
}

#[tokio::test]
async fn an_environment_is_created_changed_archived_and_restored() {
    let stage = Stage::new(1).await;
    let input = json!({ "customerId": stage.customer, "key": "canary", "name": "Canary", "promoteFrom": "staging",
        "minSoakSeconds": 60, "allowedModels": ["gpt-4-turbo"], "activateRole": "ADMIN" });
    let made = create_input(&stage.admin, input).await;
    let id = made.text("/createEnvironment/environment/id");
    let mut shown = made.at("/createEnvironment/environment").clone();
    shown["id"].take();
    assert_eq!(
        shown,
        json!({ "id": null, "key": "canary", "name": "Canary", "rank": 3, "isDefault": false, "promoteFrom": { "key": "staging" },
            "minSoakSeconds": 60, "onBreaking": "CONFIRM", "allowedModels": ["gpt-4-turbo"], "activateRole": "ADMIN", "archivedAt": null })
    );
    let changed = update(
        &stage.admin,
        json!({ "environmentId": id, "name": "Birds", "rank": -1, "promoteFrom": null, "allowedModels": null, "onBreaking": "REFUSE",
            "activateRole": "EDITOR" }),
    )
    .await;
    assert_eq!(
        changed["environment"],
        json!({ "key": "canary", "name": "Birds", "rank": -1, "promoteFrom": null, "minSoakSeconds": 0, "onBreaking": "REFUSE",
            "allowedModels": null, "activateRole": "EDITOR" })
    );
    assert_eq!(keys(&stage.admin, &stage.customer, false).await, ["canary", "production", "staging", "dev"]);
    let head = stage.head().await;
    let again = update(&stage.admin, json!({ "environmentId": id, "name": "Birds" })).await;
    assert_eq!(
        (&again["revision"], stage.head().await),
        (&changed["revision"], head),
        "nothing had to change"
    );

    let archived = turn(&stage.admin, "archiveEnvironment", &id).await;
    assert!(archived["environment"]["archivedAt"].is_string(), "{archived}");
    assert_eq!(turn(&stage.admin, "archiveEnvironment", &id).await["revision"], archived["revision"]);
    assert_eq!(keys(&stage.admin, &stage.customer, false).await, ["production", "staging", "dev"]);
    assert_eq!(keys(&stage.admin, &stage.customer, true).await.len(), 4);
    // Its key stays taken, and nothing can serve there.
    let input = json!({ "customerId": stage.customer, "key": "canary", "name": "Other" });
    let taken = create_input(&stage.admin, input).await;
    assert_eq!(taken.text("/createEnvironment/userErrors/0/code"), "ALREADY_EXISTS");
    let input = json!({ "agentId": stage.agent, "versionId": stage.versions[0], "environment": "canary" });
    let refused = stage.editor.activate_input(input).await;
    assert_eq!(refused.text("/activateVersion/userErrors/0/message"), "there is no such environment");
    assert_eq!(turn(&stage.admin, "restoreEnvironment", &id).await["environment"]["archivedAt"], Value::Null);
    stage.activate(1, "canary").await;
    let query = "query ($id: ID!) { customer(id: $id) { changes(first: 4) { nodes { action environment { key } before after } } } }";
    let answer = stage.admin.gql(query, json!({ "id": stage.customer })).await;
    let actions: Vec<_> =
        answer.at("/customer/changes/nodes").as_array().unwrap().iter().map(|node| &node["action"]).collect();
    assert_eq!(
        actions,
        ["AGENT_ACTIVATED", "ENVIRONMENT_RESTORED", "ENVIRONMENT_ARCHIVED", "ENVIRONMENT_UPDATED"]
    );
    for nth in 0..4 {
        assert_eq!(answer.at(&format!("/customer/changes/nodes/{nth}/environment/key")), "canary");
    }
    assert_eq!(answer.at("/customer/changes/nodes/3/after/on_breaking"), "REFUSE");
}

#[tokio::test]
async fn what_is_refused_leaves_nothing() {
    let stage = Stage::new(1).await;
    let staging = {
        let query = "query ($id: ID!) { customer(id: $id) { environments { id } } }";
        let answer = stage.admin.gql(query, json!({ "id": stage.customer })).await;
        answer.text("/customer/environments/1/id")
    };
    let production = {
        let query = "query ($id: ID!) { customer(id: $id) { environments { id } } }";
        stage.admin.gql(query, json!({ "id": stage.customer })).await.text("/customer/environments/0/id")
    };
    stage.activate(1, "staging").await;
    let (head, before) = (stage.head().await, keys(&stage.admin, &stage.customer, true).await);
    let of = |key: &str| json!({ "customerId": stage.customer, "key": key, "name": "x" });
    let with = |field: &str, value: Value| {
        let mut input = of("other");
        input[field] = value;
        input
    };
    let cases = [
        (of("Staging"), "key"),
        (of(""), "key"),
        (of(&"a".repeat(33)), "key"),
        (of("production"), "key"),
        (of("staging"), "key"),
        (with("name", json!(" ")), "name"),
        (with("promoteFrom", json!("nowhere")), "promoteFrom"),
        (with("promoteFrom", json!("NO")), "promoteFrom"),
        (with("minSoakSeconds", json!(-1)), "minSoakSeconds"),
        (with("minSoakSeconds", json!(1)), "minSoakSeconds"),
        (with("minSoakSeconds", json!(31_536_001)), "minSoakSeconds"),
        (with("allowedModels", json!([])), "allowedModels"),
        (with("allowedModels", json!([""])), "allowedModels.0"),
        (with("allowedModels", json!(vec!["m"; 101])), "allowedModels"),
        (with("activateRole", json!("VIEWER")), "activateRole"),
    ];
    for (input, field) in cases {
        let answer = create_input(&stage.admin, input.clone()).await;
        assert_eq!(answer.text("/createEnvironment/userErrors/0/field"), field, "{input}: {}", answer.body);
        assert_eq!(answer.at("/createEnvironment/environment"), &Value::Null);
    }
    // All errors of an input at once.
    let all = create_input(
        &stage.admin,
        json!({ "customerId": stage.customer, "key": "A", "name": "", "activateRole": "VIEWER" }),
    )
    .await;
    assert_eq!(all.at("/createEnvironment/userErrors").as_array().unwrap().len(), 3);
    // In a circle nothing could ever serve.
    let circle = update(&stage.admin, json!({ "environmentId": staging, "promoteFrom": "staging" })).await;
    assert_eq!(circle["userErrors"][0]["field"], "promoteFrom", "{circle}");
    for (mutation, id, words) in [
        ("archiveEnvironment", &production, "default environment"),
        ("archiveEnvironment", &staging, "an agent serves in this environment"),
        ("archiveEnvironment", &stage.agent, "no such environment"),
        ("restoreEnvironment", &stage.customer, "no such environment"),
    ] {
        let answer = turn(&stage.admin, mutation, id).await;
        assert!(answer["userErrors"][0]["message"].as_str().unwrap().contains(words), "{answer}");
    }
    // Roles: an EDITOR may not, and another customer's ADMIN finds nothing.
    let town = stage.operator.customer("Town").await;
    let stranger = stage.app.member(&town, Role::Admin).await;
    assert_eq!(stage.head().await, head + 2, "the other customer and its member");
    let head = head + 2;
    assert_eq!(create_input(&stage.editor, of("other")).await.code(), Some("FORBIDDEN"));
    let hidden = create_input(&stranger, of("other")).await;
    assert_eq!(hidden.text("/createEnvironment/userErrors/0/code"), "NOT_FOUND");
    assert_eq!(turn(&stranger, "archiveEnvironment", &staging).await["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!((stage.head().await, keys(&stage.admin, &stage.customer, true).await), (head, before));
}

#[tokio::test]
async fn a_customer_has_at_most_eight() {
    let stage = Stage::new(0).await;
    let mut last = String::new();
    for nth in 0..5 {
        last = create(&stage.admin, &stage.customer, &format!("e{nth}")).await;
    }
    let one_more = json!({ "customerId": stage.customer, "key": "ninth", "name": "x" });
    let refused = create_input(&stage.admin, one_more.clone()).await;
    assert_eq!(refused.text("/createEnvironment/userErrors/0/code"), "LIMIT_REACHED");
    turn(&stage.admin, "archiveEnvironment", &last).await;
    assert_eq!(create_input(&stage.admin, one_more).await.at("/createEnvironment/userErrors"), &json!([]));
    assert_eq!(
        turn(&stage.admin, "restoreEnvironment", &last).await["userErrors"][0]["code"],
        "LIMIT_REACHED"
    );
}

#[tokio::test]
async fn each_environment_serves_its_own_version() {
    let stage = Stage::new(3).await;
    assert_eq!(stage.serves().await, json!({ "production": null, "staging": null, "dev": null }));
    stage.activate(1, "production").await;
    stage.activate(2, "staging").await;
    stage.activate(3, "dev").await;
    assert_eq!(stage.serves().await, json!({ "production": 1, "staging": 2, "dev": 3 }));
    // Without the argument, everything is about production.
    assert_eq!(stage.editor.active_number(&stage.agent).await, 1);
    let query = "query ($id: ID!) {
        agent(id: $id) { serving { environment { key } revision latestActivation { environment { key } } }
          staging: serving(environment: \"staging\") { activeVersion { number activeIn { key } isActive } activatedAt }
          none: serving(environment: \"nowhere\") { revision }
          activations { nodes { version { number } } totalCount }
          all: activations(environments: [\"dev\", \"staging\"]) { nodes { version { number } environment { key } } totalCount }
          latestActivation(environment: \"dev\") { version { number } } }
        activeConfig(agentId: $id) { versionNumber environmentKey }
        dev: activeConfig(agentId: $id, environment: \"dev\") { versionNumber environmentKey revision }
        nowhere: activeConfig(agentId: $id, environment: \"nowhere\") { versionNumber }
        why: activeConfigResult(agentId: $id, environment: \"nowhere\") { ... on NotServed { reason environmentKey } } }";
    let answer = stage.editor.gql(query, json!({ "id": stage.agent })).await;
    assert_eq!(answer.at("/agent/serving/environment/key"), "production");
    assert_eq!(answer.at("/agent/serving/latestActivation/environment/key"), "production");
    assert_eq!(
        answer.at("/agent/staging/activeVersion"),
        &json!({ "number": 2, "activeIn": [{ "key": "staging" }], "isActive": false })
    );
    assert_eq!(answer.at("/agent/none"), &Value::Null);
    assert_eq!(
        answer.at("/agent/activations"),
        &json!({ "nodes": [{ "version": { "number": 1 } }], "totalCount": 1 })
    );
    let both = json!([{ "version": { "number": 3 }, "environment": { "key": "dev" } },
        { "version": { "number": 2 }, "environment": { "key": "staging" } }]);
    assert_eq!(answer.at("/agent/all"), &json!({ "nodes": both, "totalCount": 2 }));
    assert_eq!(answer.at("/agent/latestActivation/version/number"), 3);
    assert_eq!(answer.at("/activeConfig"), &json!({ "versionNumber": 1, "environmentKey": "production" }));
    assert_eq!(answer.at("/dev/versionNumber"), 3);
    assert_eq!(answer.at("/nowhere"), &Value::Null);
    assert_eq!(answer.at("/why"), &json!({ "reason": "NOT_FOUND", "environmentKey": "nowhere" }));

    let rest = stage.app.gateway().await;
    let path = |query: &str| format!("/internal/agents/{}/active{query}", stage.agent);
    for (query, number) in
        [("", 1), ("?environment=production", 1), ("?environment=staging", 2), ("?environment=dev", 3)]
    {
        let answer = rest.get(&path(query)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body["version_number"], number, "{query}");
    }
    assert_eq!(rest.get(&path("?environment=nowhere")).await.status, 404);
    assert_eq!(rest.get(&path("?environment=No")).await.status, 422);

    // A rename reaches each of them, and is the revision of each.
    let rename = "mutation ($id: ID!) { updateAgent(input: { agentId: $id, name: \"New\" }) { revision } }";
    let revision = stage.editor.gql(rename, json!({ "id": stage.agent })).await.text("/updateAgent/revision");
    for query in ["", "?environment=staging", "?environment=dev"] {
        let body = rest.get(&path(query)).await.body;
        assert_eq!(
            (&body["name"], body["revision"].to_string()),
            (&json!("New"), revision.clone()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_version_is_published_into_an_environment() {
    let stage = Stage::new(1).await;
    stage.activate(1, "production").await;
    let input = json!({ "agentId": stage.agent, "systemPrompt": "new", "modelName": "m", "activate": true, "environment": "staging" });
    let answer = stage.editor.publish_input(input.clone()).await;
    assert_eq!(answer.at("/publishVersion/userErrors"), &json!([]));
    assert_eq!(stage.serves().await, json!({ "production": 1, "staging": 2, "dev": null }));
    let mut again = input.clone();
    again["ifChanged"] = json!(true);
    again["environment"] = json!("dev");
    stage.editor.publish_input(again).await;
    assert_eq!(stage.serves().await, json!({ "production": 1, "staging": 2, "dev": 2 }));
    // Without `activate`, it activates the version nowhere.
    let mut alone = input.clone();
    alone["activate"] = json!(false);
    stage.editor.publish_input(alone).await.text("/publishVersion/version/id");
    assert_eq!(stage.serves().await, json!({ "production": 1, "staging": 2, "dev": 2 }));
    let rest = stage.app.program(&stage.customer, agent_registry::domain::KeyScope::ALL).await;
    let head = stage.head().await;
    for key in ["nowhere", "No"] {
        let mut wrong = input.clone();
        wrong["environment"] = json!(key);
        let answer = stage.editor.publish_input(wrong).await;
        assert_ne!(answer.at("/publishVersion/userErrors"), &json!([]), "{key}");
    }
    let body =
        json!({ "system_prompt": "rest", "model_name": "m", "activate": true, "environment": "nowhere" });
    assert_eq!(rest.post(&format!("/v1/agents/{}/versions", stage.agent), body.clone()).await.status, 404);
    assert_eq!(stage.head().await, head, "what is refused leaves nothing");
    let mut body = body;
    body["environment"] = json!("staging");
    assert_eq!(rest.post(&format!("/v1/agents/{}/versions", stage.agent), body).await.status, 201);
    assert_eq!(stage.serves().await, json!({ "production": 1, "staging": 4, "dev": 2 }));
}

#[tokio::test]
async fn a_rollback_goes_back_in_its_own_environment() {
    let stage = Stage::new(3).await;
    for (number, environment) in [(1, "production"), (2, "staging"), (3, "staging"), (2, "production")] {
        stage.activate(number, environment).await;
    }
    let targets = async || {
        let query = "query ($id: ID!) { agent(id: $id) { rollbackTarget { number } servings { rollbackTarget { number } } } }";
        let answer = stage.editor.gql(query, json!({ "id": stage.agent })).await;
        let number = |target: &Value| target.get("number").cloned().unwrap_or_default();
        let servings = answer.at("/agent/servings").as_array().unwrap().clone();
        let each: Vec<Value> = servings.iter().map(|serving| number(&serving["rollbackTarget"])).collect();
        assert_eq!(number(answer.at("/agent/rollbackTarget")), each[0]);
        each
    };
    assert_eq!(targets().await, [json!(1), json!(2), Value::Null]);
    assert_eq!(stage.change("rollback", "staging").await["serving"]["activeVersion"]["number"], 2);
    assert_eq!(stage.serves().await, json!({ "production": 2, "staging": 2, "dev": null }));
    // Version 1 served in production alone: staging has nowhere to go back to.
    let refused = stage.change("rollback", "staging").await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID", "{refused}");
    assert_eq!(stage.change("rollback", "dev").await["userErrors"][0]["code"], "INVALID");
    assert_eq!(targets().await, [json!(1), Value::Null, Value::Null]);
    assert_eq!(stage.change("rollback", "production").await["serving"]["activeVersion"]["number"], 1);
    assert_eq!(stage.serves().await, json!({ "production": 1, "staging": 2, "dev": null }));
    assert_eq!(stage.change("deactivate", "staging").await["activation"]["reason"], "DEACTIVATE");
    assert_eq!(stage.change("rollback", "staging").await["serving"]["activeVersion"]["number"], 2);
}

#[tokio::test]
async fn archiving_an_agent_empties_all_its_environments_in_one_commit() {
    let stage = Stage::new(2).await;
    stage.activate(1, "production").await;
    stage.activate(2, "staging").await;
    stage.activate(2, "dev").await;
    let archive = "mutation ($id: ID!) { archiveAgent(input: { agentId: $id }) { revision } }";
    let revision =
        stage.editor.gql(archive, json!({ "id": stage.agent })).await.text("/archiveAgent/revision");
    assert_eq!(stage.serves().await, json!({ "production": null, "staging": null, "dev": null }));
    let query = "query ($id: ID!) { agent(id: $id) { activations(environments: [\"production\", \"staging\", \"dev\"], first: 3) {
        nodes { reason revision environment { key } } } } }";
    let answer = stage.editor.gql(query, json!({ "id": stage.agent })).await;
    let nodes = answer.at("/agent/activations/nodes").as_array().unwrap();
    for node in nodes {
        assert_eq!((&node["reason"], &node["revision"]), (&json!("ARCHIVE"), &json!(revision)));
    }
    let mut keys: Vec<_> = nodes.iter().map(|node| node["environment"]["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["dev", "production", "staging"]);
    let input = json!({ "agentId": stage.agent, "versionId": stage.versions[0], "environment": "staging" });
    let refused = stage.editor.activate_input(input).await;
    assert_eq!(refused.text("/activateVersion/userErrors/0/code"), "ARCHIVED");
    let restore = "mutation ($id: ID!) { restoreAgent(input: { agentId: $id }) { revision } }";
    stage.editor.gql(restore, json!({ "id": stage.agent })).await;
    assert_eq!(stage.change("rollback", "dev").await["serving"]["activeVersion"]["number"], 2);
    assert_eq!(stage.serves().await, json!({ "production": null, "staging": null, "dev": 2 }));
}
