//! The audit's queries: actor, action, time and origin, with filters and pages. Submodules test its subscriptions,
//! its proofs and its retention.

use agent_registry::domain::{KeyScope, member::Role};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{
    App, Calls,
    caller::{Client, Member},
};

mod entries;
mod excerpts;
mod live;
mod prove;
mod retention;

pub(crate) use excerpts::lengthen_log;

/// A customer whose editor has made some changes.
struct Desk {
    app: App,
    customer: String,
    admin: Member,
    editor: Member,
    agent: String,
    version: String,
}

impl Desk {
    async fn new() -> Self {
        let app = App::start().await;
        let customer = app.operator().await.customer("City").await;
        let admin = app.member(&customer, Role::Admin).await;
        let editor = app.member(&customer, Role::Editor).await;
        let agent = editor.agent(&customer, "Helper").await;
        let version = editor.publish(&agent, "Grüße").await;
        editor.activate(&agent, &version).await.text("/activateVersion/revision");
        Self { app, customer, admin, editor, agent, version }
    }

    /// The actions that `changes` returns to this caller with these arguments.
    async fn actions(&self, client: &Client, arguments: &str) -> Vec<String> {
        let query = format!("{{ changes({arguments}) {{ totalCount nodes {{ action }} }} }}");
        let answer = client.gql(&query, Value::Null).await;
        let nodes = answer.at("/changes/nodes").as_array().unwrap().clone();
        let actions = nodes.iter().map(|node| node["action"].as_str().unwrap().to_owned());
        actions.collect()
    }
}

#[tokio::test]
async fn an_admin_reads_who_did_what_and_from_where() {
    let desk = Desk::new().await;
    let query = "query ($id: ID!) { changes(customerId: $id) { totalCount nodes { revision position action
        actor { kind user { name } } onBehalfOf customer { name } agent { name } version { number }
        before after details channel network rowHash } } }";
    let answer = desk.admin.gql(query, json!({ "id": desk.customer })).await;
    let mut nodes = answer.at("/changes").clone();
    for node in nodes["nodes"].as_array_mut().unwrap() {
        assert_eq!(node["rowHash"].as_str().unwrap().len(), 64);
        node.as_object_mut().unwrap().remove("rowHash");
        if let Some(customer) = node["onBehalfOf"].as_str() {
            assert_eq!(customer, desk.customer);
            node["onBehalfOf"] = json!("[customer]");
        }
        for part in ["before", "after", "details"] {
            let text = node[part].to_string().replace(&desk.version, "[version]");
            node[part] = serde_json::from_str(&text).unwrap();
        }
    }
    assert_json_snapshot!(nodes["nodes"][0], @r#"
    {
      "action": "AGENT_ACTIVATED",
      "actor": {
        "kind": "USER",
        "user": {
          "name": null
        }
      },
      "after": {
        "version_id": "[version]"
      },
      "agent": {
        "name": "Helper"
      },
      "before": {
        "version_id": null
      },
      "channel": "GRAPHQL",
      "customer": {
        "name": "City"
      },
      "details": {
        "after": {
          "version_id": "[version]"
        },
        "before": {
          "version_id": null
        },
        "reason": "ACTIVATE"
      },
      "network": "127.0.0.0/24",
      "onBehalfOf": "[customer]",
      "position": 1,
      "revision": "7",
      "version": {
        "number": 1
      }
    }
    "#);
    let told: Vec<String> = nodes["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| {
            format!("{} {} {}", node["action"], node["actor"]["kind"], node["channel"]).replace('"', "")
        })
        .collect();
    assert_eq!(
        told,
        [
            "AGENT_ACTIVATED USER GRAPHQL",
            "VERSION_PUBLISHED USER GRAPHQL",
            "AGENT_CREATED USER GRAPHQL",
            "MEMBER_SET SYSTEM COMMAND",
            "MEMBER_SET SYSTEM COMMAND",
            "CUSTOMER_CREATED OPERATOR GRAPHQL",
        ]
    );
    assert_eq!(nodes["totalCount"], 6);
}

#[tokio::test]
async fn it_is_filtered_by_what_is_asked_for() {
    let desk = Desk::new().await;
    let (agent, customer) = (&desk.agent, &desk.customer);
    let other = desk.editor.agent(customer, "Other").await;
    let user = desk.editor.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id");
    let at = "query ($id: ID!) { changes(customerId: $id, filter: { actions: [VERSION_PUBLISHED] }) { nodes { at } } }";
    let at = desk.admin.gql(at, json!({ "id": customer })).await.text("/changes/nodes/0/at");
    let cases = [
        (format!("agentId: {other:?}"), vec!["AGENT_CREATED"]),
        (format!("agentId: {agent:?}, actions: [AGENT_CREATED]"), vec!["AGENT_CREATED"]),
        (
            format!("actorId: {user:?}"),
            vec!["AGENT_CREATED", "AGENT_ACTIVATED", "VERSION_PUBLISHED", "AGENT_CREATED"],
        ),
        ("actorKind: OPERATOR".to_owned(), vec!["CUSTOMER_CREATED"]),
        ("actorKind: SERVICE".to_owned(), vec![]),
        ("actions: []".to_owned(), vec![]),
        (format!("since: {at:?}"), vec!["AGENT_CREATED", "AGENT_ACTIVATED", "VERSION_PUBLISHED"]),
        (format!("since: {at:?}, until: {at:?}"), vec![]),
        (format!("until: {at:?}"), vec!["AGENT_CREATED", "MEMBER_SET", "MEMBER_SET", "CUSTOMER_CREATED"]),
        ("since: \"2999-01-01T00:00:00Z\"".to_owned(), vec![]),
    ];
    for (filter, expected) in cases {
        let arguments = format!("customerId: {customer:?}, filter: {{ {filter} }}");
        assert_eq!(desk.actions(&desk.admin, &arguments).await, expected, "{filter}");
        // The same list below the customer, with its count.
        let query = format!(
            "{{ customer(id: {customer:?}) {{ changes(filter: {{ {filter} }}) {{ totalCount nodes {{ action }} }} }} }}"
        );
        let below = desk.admin.gql(&query, Value::Null).await;
        assert_eq!(below.at("/customer/changes/totalCount"), expected.len(), "{filter}");
        assert_eq!(below.at("/customer/changes/nodes").as_array().unwrap().len(), expected.len(), "{filter}");
    }
    for wrong in
        ["agentId: \"x\"", "actorId: \"x\"", "since: \"yesterday\"", "nonsense: 1", "actions: [NONE]"]
    {
        let query = format!("{{ changes(filter: {{ {wrong} }}) {{ totalCount }} }}");
        assert_eq!(desk.admin.gql(&query, Value::Null).await.code(), Some("BAD_USER_INPUT"), "{wrong}");
    }
}

#[tokio::test]
async fn its_pages_are_the_whole_in_both_directions() {
    let desk = Desk::new().await;
    let customer = &desk.customer;
    let query =
        "query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { customer(id: $id) {
        changes(first: $first, after: $after, last: $last, before: $before) {
            nodes { revision position } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
    let whole = desk.admin.gql(query, json!({ "id": customer, "first": 100 })).await;
    let whole = whole.at("/customer/changes/nodes").as_array().unwrap().clone();
    for (size, cursor, more) in [("first", "after", "hasNextPage"), ("last", "before", "hasPreviousPage")] {
        let (mut pages, mut place) = (Vec::new(), Value::Null);
        loop {
            let answer = desk.admin.gql(query, json!({ "id": customer, size: 2, cursor: place })).await;
            let page = answer.at("/customer/changes").clone();
            pages.push(page["nodes"].as_array().unwrap().clone());
            place = page["pageInfo"][if size == "first" { "endCursor" } else { "startCursor" }].clone();
            if page["pageInfo"][more] == false {
                break;
            }
        }
        if size == "last" {
            pages.reverse();
        }
        assert_eq!(pages.concat(), whole, "{size}");
    }
    // Over several customers, and of an agent: one list in the log's order.
    let operator = desk.app.operator().await;
    operator.customer("Town").await;
    let all = operator.gql("{ changes(first: 100) { nodes { revision position } } }", Value::Null).await;
    let all = all.at("/changes/nodes").as_array().unwrap().clone();
    let place = |node: &Value| {
        (node["revision"].as_str().unwrap().parse::<i64>().unwrap(), node["position"].as_i64().unwrap())
    };
    let head = desk.app.registry.head().await.unwrap().revision.0;
    assert_eq!(place(&all[0]).0, head);
    assert!(all.windows(2).all(|pair| place(&pair[0]) > place(&pair[1])), "newest first");
    assert_eq!(place(all.last().unwrap()), (1, 1), "the platform's own entries too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_ask_by_time_do_not_wait_for_one_another() {
    let desk = Desk::new().await;
    let query = "query ($id: ID!) { agent(id: $id) { changes(filter: { since: \"2020-01-01T00:00:00Z\" }) { totalCount } } }";
    let mut admins = Vec::new();
    for nth in 0..12 {
        let town = desk.app.operator().await.customer(&format!("Town {nth}")).await;
        admins.push((desk.app.member(&town, Role::Admin).await, format!("/v1/customers/{town}/audit")));
    }
    // More requests than connections. Each request holds one connection and never waits for a second.
    let asks = (0..40).map(|_| desk.admin.gql(query, json!({ "id": desk.agent })));
    let excerpts = admins.iter().map(|(admin, path)| admin.get(path));
    let all = futures_util::future::join(
        futures_util::future::join_all(asks),
        futures_util::future::join_all(excerpts),
    );
    let (asked, excerpts) = tokio::time::timeout(std::time::Duration::from_secs(60), all).await.unwrap();
    for answer in asked {
        assert_eq!(answer.at("/agent/changes/totalCount"), 3);
    }
    for answer in excerpts {
        assert_eq!(answer.status, 200, "beyond eight, an excerpt waits for another's end");
    }
}

#[tokio::test]
async fn what_is_personal_or_secret_is_not_in_it() {
    let desk = Desk::new().await;
    let customer = &desk.customer;
    let invite = "mutation ($id: ID!) { inviteMember(input: { customerId: $id, email: \"ada@secret.example\", role: EDITOR }) {
        invitation { id } } }";
    desk.admin.gql(invite, json!({ "id": customer })).await.text("/inviteMember/invitation/id");
    let ada = desk.app.user("ada-the-subject", Some("ada@secret.example"));
    ada.gql("{ viewer { name } }", Value::Null).await.text("/viewer/name");
    let make =
        "mutation ($id: ID!) { createApiKey(input: { customerId: $id, name: \"k\", scopes: [AGENTS_READ] }) {
        secret apiKey { id } } }";
    let made = desk.admin.gql(make, json!({ "id": customer })).await;
    let secret = made.text("/createApiKey/secret");
    let rotate = "mutation ($id: ID!) { rotateApiKey(input: { apiKeyId: $id }) { secret } }";
    let rotated = desk.admin.gql(rotate, json!({ "id": made.text("/createApiKey/apiKey/id") })).await;
    let rotated = rotated.text("/rotateApiKey/secret");
    let mut session = PgConnection::connect(&desk.app.database.admin_url).await.unwrap();
    let rows: Vec<String> = sqlx::query_scalar("SELECT to_jsonb(c)::text FROM registry.changes AS c")
        .fetch_all(&mut session)
        .await
        .unwrap();
    let all = rows.concat();
    assert!(
        all.contains("api_key.rotated") && all.contains("member.set"),
        "the log has all kinds of entries"
    );
    let prompts = ["Grüße"];
    let personal = ["ada@secret.example", "ada-the-subject", "olga", "editor-of-", "127.0.0.1"];
    let secrets = [&secret[20..], &rotated[20..]];
    for text in prompts.iter().chain(&personal).chain(&secrets) {
        assert!(!all.contains(text), "{text} is in the log");
    }
}

#[tokio::test]
async fn where_a_call_came_in_is_told() {
    let desk = Desk::new().await;
    let customer = &desk.customer;
    let rest = desk.editor.post("/v1/agents", json!({ "customer_id": customer, "name": "By REST" })).await;
    assert_eq!(rest.status, 201, "{}", rest.body);
    let request_id = rest.header("x-request-id").unwrap().to_owned();
    let mut socket = desk.editor.socket().await;
    let create =
        "mutation ($id: ID!) { createAgent(input: { customerId: $id, name: \"By socket\" }) { revision } }";
    socket.subscribe("1", create, json!({ "id": customer })).await;
    socket.event().await;
    let query =
        "query ($id: ID!) { changes(customerId: $id, first: 2) { nodes { channel network requestId } } }";
    let answer = desk.admin.gql(query, json!({ "id": customer })).await;
    let nodes = answer.at("/changes/nodes");
    assert_eq!((&nodes[0]["channel"], &nodes[0]["network"]), (&json!("SOCKET"), &json!("127.0.0.0/24")));
    assert_eq!((&nodes[1]["channel"], &nodes[1]["requestId"]), (&json!("REST"), &json!(request_id)));
}

#[tokio::test]
async fn a_field_that_is_refused_is_null_alone() {
    let desk = Desk::new().await;
    let program = desk.app.program(&desk.customer, [KeyScope::ChangesRead]).await;
    let query = "{ changes(first: 1, filter: { actions: [AGENT_ACTIVATED] }) { nodes { action customer { name } version { number systemPrompt message } } } }";
    let answer = program.gql(query, Value::Null).await;
    let node = &answer.body["data"]["changes"]["nodes"][0];
    // A nullable field that the caller may not read is null, without an error. A non-null one makes its parent
    // null, with an error.
    assert_eq!(
        node,
        &json!({ "action": "AGENT_ACTIVATED", "customer": null, "version": null }),
        "{}",
        answer.body
    );
    let paths: Vec<String> =
        answer.body["errors"].as_array().unwrap().iter().map(|error| error["path"].to_string()).collect();
    assert_eq!(paths, [r#"["changes","nodes",0,"version","systemPrompt"]"#]);
}

#[tokio::test]
async fn without_its_entry_nothing_is_written() {
    let desk = Desk::new().await;
    let mut session = PgConnection::connect(&desk.app.database.admin_url).await.unwrap();
    let before = desk.app.registry.head().await.unwrap();
    let rename = "ALTER FUNCTION registry.append_changes(jsonb) RENAME TO gone";
    sqlx::raw_sql(rename).execute(&mut session).await.unwrap();
    let create =
        "mutation ($id: ID!) { createAgent(input: { customerId: $id, name: \"New\" }) { revision } }";
    let refused = desk.editor.gql(create, json!({ "id": desk.customer })).await;
    assert_eq!(refused.code(), Some("INTERNAL"), "{}", refused.body);
    let activated = desk.editor.activate(&desk.agent, &desk.version).await;
    assert_eq!(
        activated.at("/activateVersion/userErrors"),
        &json!([]),
        "the version is active already: nothing to record"
    );
    let back = "ALTER FUNCTION registry.gone(jsonb) RENAME TO append_changes";
    sqlx::raw_sql(back).execute(&mut session).await.unwrap();
    assert_eq!(desk.app.registry.head().await.unwrap(), before);
    let count = desk.editor.gql("{ agents { totalCount } }", Value::Null).await;
    assert_eq!(count.at("/agents/totalCount"), 1, "no agent without its entry");
    desk.editor.agent(&desk.customer, "New").await;
}
