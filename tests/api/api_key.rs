//! API keys: shown once, found by their secret only, rotated with an overlap, rejected from their end on.

use agent_registry::domain::{KeyScope, member::Role};
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    Answer, App, Calls,
    caller::Client,
    wait::{eventually, within},
};

const CREATE: &str = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    apiKey { id name scopes expiresAt lastUsedAt revokedAt } secret revision userErrors { code field } } }";
const ROTATE: &str =
    "mutation ($id: ID!, $overlap: Int) { rotateApiKey(input: { apiKeyId: $id, overlapSeconds: $overlap }) {
    apiKey { id name scopes } secret previous { id expiresAt replacedById } userErrors { code field } } }";
const REVOKE: &str = "mutation ($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) {
    apiKey { id revokedAt } revision userErrors { code } } }";
const KEYS: &str = "query ($id: ID!) { customer(id: $id) { apiKeys { totalCount nodes { id name lastUsedAt createdBy { kind } } } } }";
const ME: &str = "{ viewer { kind name scopes customerId expiresAt user { id } } }";

async fn create(caller: &Client, customer: &str, scopes: Value) -> Answer {
    caller
        .gql(CREATE, json!({ "input": { "customerId": customer, "name": "pipeline", "scopes": scopes } }))
        .await
}

#[tokio::test]
async fn a_key_is_shown_once_and_known_by_its_secret_alone() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let admin = app.member(&customer, Role::Admin).await;
    let made = create(&admin, &customer, json!(["AGENTS_READ", "AGENTS_WRITE"])).await;
    let secret = made.text("/createApiKey/secret");
    assert!(secret.starts_with("ark_") && secret.len() == 108, "{secret}");
    let program = app.bearer(&secret);
    let me = program.gql(ME, Value::Null).await;
    assert_eq!(
        me.at("/viewer"),
        &json!({ "kind": "API_KEY", "name": "pipeline", "scopes": ["agents:read", "agents:write"],
                 "customerId": customer, "expiresAt": null, "user": null })
    );
    // REST takes the customer from the key.
    let agent = program.post("/v1/agents", json!({ "name": "By a program" })).await;
    assert_eq!((agent.status.as_u16(), &agent.body["customer_id"]), (201, &json!(customer)));
    let by = "query ($id: ID!) { customer(id: $id) { apiKeys { nodes { id secretHash } } } }";
    assert_eq!(admin.gql(by, json!({ "id": customer })).await.code(), Some("BAD_USER_INPUT"));

    // Every character counts, and the checksum rejects an invented key without a look-up.
    let statements = app.registry.statements();
    for place in [5, 40, 70, secret.len() - 1] {
        let mut spoiled = secret.clone().into_bytes();
        spoiled[place] = if spoiled[place] == b'0' { b'1' } else { b'0' };
        let spoiled = app.bearer(&String::from_utf8(spoiled).unwrap());
        assert_eq!(spoiled.gql(ME, Value::Null).await.status, 401);
    }
    assert_eq!(app.registry.statements(), statements);
    // A key with a service token's prefix is rejected.
    assert_eq!(app.bearer(&secret.replacen("ark_", "ars_", 1)).gql(ME, Value::Null).await.status, 401);

    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let dump: Vec<String> = sqlx::query_scalar(
        "SELECT k::text FROM registry.api_keys AS k UNION ALL SELECT c::text FROM registry.changes AS c",
    )
    .fetch_all(&mut session)
    .await
    .unwrap();
    assert!(dump.iter().all(|row| !row.contains(&secret[36..100])), "only a hash is stored");
}

#[tokio::test]
async fn its_use_is_noted_at_most_once_a_minute_and_not_in_the_log() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let made = create(&operator, &customer, json!(["AGENTS_READ"])).await;
    let head = app.registry.head().await.unwrap();
    let program = app.bearer(&made.text("/createApiKey/secret"));
    let last_used = async || {
        let keys = operator.gql(KEYS, json!({ "id": customer })).await;
        keys.at("/customer/apiKeys/nodes/0/lastUsedAt").clone()
    };
    assert_eq!(last_used().await, Value::Null);
    let noted = async |than: &Value| {
        for _ in 0..500 {
            let now = last_used().await;
            if now != *than {
                return now;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("its use was not recorded");
    };
    program.gql(ME, Value::Null).await;
    let first = noted(&Value::Null).await;
    for _ in 0..5 {
        program.gql(ME, Value::Null).await;
    }
    assert_eq!(last_used().await, first);
    app.clock.shift(TimeDelta::seconds(61));
    program.gql(ME, Value::Null).await;
    noted(&first).await;
    assert_eq!(app.registry.head().await.unwrap(), head);
}

#[tokio::test]
async fn a_rotated_key_is_accepted_for_a_while_beside_its_successor() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let made = create(&operator, &customer, json!(["AGENTS_READ", "CONFIGS_READ"])).await;
    let (id, old) = (made.text("/createApiKey/apiKey/id"), app.bearer(&made.text("/createApiKey/secret")));
    let rotated = operator.gql(ROTATE, json!({ "id": id, "overlap": 600 })).await;
    let new = app.bearer(&rotated.text("/rotateApiKey/secret"));
    assert_eq!(rotated.at("/rotateApiKey/apiKey/scopes"), &json!(["agents:read", "configs:read"]));
    assert_eq!(rotated.at("/rotateApiKey/previous/replacedById"), rotated.at("/rotateApiKey/apiKey/id"));
    for program in [&old, &new] {
        assert_eq!(program.gql(ME, Value::Null).await.at("/viewer/name"), "pipeline");
    }
    let head = app.registry.head().await.unwrap();
    let again = operator.gql(ROTATE, json!({ "id": id, "overlap": 600 })).await;
    assert_eq!(again.at("/rotateApiKey/userErrors/0"), &json!({ "code": "INVALID", "field": "apiKeyId" }));
    for overlap in [-1, 604_801] {
        let new = rotated.at("/rotateApiKey/apiKey/id");
        let refused = operator.gql(ROTATE, json!({ "id": new, "overlap": overlap })).await;
        assert_eq!(
            refused.at("/rotateApiKey/userErrors/0"),
            &json!({ "code": "INVALID", "field": "overlapSeconds" })
        );
    }
    assert_eq!(app.registry.head().await.unwrap(), head);
    app.clock.shift(TimeDelta::seconds(601));
    assert_eq!(old.gql(ME, Value::Null).await.status, 401);
    assert_eq!(new.gql(ME, Value::Null).await.status, 200);
}

/// An overlap may shorten a key's lifetime and never prolongs it. The successor has the end that the key had.
#[tokio::test]
async fn a_rotation_prolongs_no_key() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let ends = app.clock.now() + TimeDelta::seconds(60);
    let input = json!({ "customerId": customer, "name": "n", "scopes": ["AGENTS_READ"], "expiresAt": ends });
    let made = operator.gql(CREATE, json!({ "input": input })).await;
    let end = made.at("/createApiKey/apiKey/expiresAt").clone();
    let (id, old) = (made.text("/createApiKey/apiKey/id"), app.bearer(&made.text("/createApiKey/secret")));
    let rotated = operator.gql(ROTATE, json!({ "id": id, "overlap": 600 })).await;
    assert_eq!(rotated.at("/rotateApiKey/previous/expiresAt"), &end);
    let new = app.bearer(&rotated.text("/rotateApiKey/secret"));
    for program in [&old, &new] {
        assert_eq!(program.gql(ME, Value::Null).await.at("/viewer/expiresAt"), &end);
    }
    app.clock.shift(TimeDelta::seconds(61));
    for program in [&old, &new] {
        assert_eq!(program.gql(ME, Value::Null).await.status, 401);
    }
}

#[tokio::test]
async fn a_key_that_ended_or_was_revoked_is_refused() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let ends = app.clock.now() + TimeDelta::seconds(60);
    let input = json!({ "customerId": customer, "name": "n", "scopes": ["AGENTS_READ"], "expiresAt": ends });
    let made = operator.gql(CREATE, json!({ "input": input })).await;
    let ending = app.bearer(&made.text("/createApiKey/secret"));
    assert!(ending.gql(ME, Value::Null).await.at("/viewer/expiresAt").is_string());
    app.clock.shift(TimeDelta::seconds(61));
    assert_eq!(ending.gql(ME, Value::Null).await.status, 401);

    let made = create(&operator, &customer, json!(["AGENTS_READ"])).await;
    let (id, program) =
        (made.text("/createApiKey/apiKey/id"), app.bearer(&made.text("/createApiKey/secret")));
    let revoked = operator.gql(REVOKE, json!({ "id": id })).await;
    assert!(revoked.at("/revokeApiKey/apiKey/revokedAt").is_string());
    assert_eq!(program.gql(ME, Value::Null).await.status, 401);
    assert_eq!(
        operator.gql(REVOKE, json!({ "id": id })).await.body,
        revoked.body,
        "the key is revoked already"
    );
    assert_eq!(
        operator.gql(ROTATE, json!({ "id": id })).await.text("/rotateApiKey/userErrors/0/code"),
        "INVALID"
    );
    assert_eq!(operator.gql(KEYS, json!({ "id": customer })).await.at("/customer/apiKeys/totalCount"), 2);
}

#[tokio::test]
async fn bad_ones_are_not_made() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let head = app.registry.head().await.unwrap();
    let past = app.clock.now() - TimeDelta::seconds(1);
    for (input, code) in [
        (json!({ "name": "", "scopes": ["AGENTS_READ"] }), json!({ "code": "INVALID", "field": "name" })),
        (json!({ "name": "n", "scopes": [] }), json!({ "code": "INVALID", "field": "scopes" })),
        (
            json!({ "name": "n", "scopes": ["AGENTS_READ"], "expiresAt": past }),
            json!({ "code": "INVALID", "field": "expiresAt" }),
        ),
    ] {
        let mut input = input;
        input["customerId"] = json!(customer);
        let refused = operator.gql(CREATE, json!({ "input": input })).await;
        assert_eq!(refused.at("/createApiKey/userErrors/0"), &code);
        assert_eq!(refused.at("/createApiKey/secret"), &Value::Null);
    }
    let unknown = create(&operator, &customer, json!(["EVERYTHING"])).await;
    assert_eq!(unknown.code(), Some("BAD_USER_INPUT"));
    assert_eq!(app.registry.head().await.unwrap(), head);
}

#[tokio::test]
async fn it_reads_no_people_no_money_and_no_keys() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Helper").await;
    operator.publish(&agent, "You help.").await;
    let program = app.program(&customer, [KeyScope::AgentsRead]).await;
    let of_customer = |field: &str| format!("{{ customer(id: \"{customer}\") {{ {field} }} }}");
    for field in [
        "plan",
        "billing { status }",
        "usage { agents { used } }",
        "members { totalCount }",
        "invitations { totalCount }",
        "apiKeys { totalCount }",
    ] {
        let name = field.split(' ').next().unwrap();
        let answer = program.gql(&of_customer(field), Value::Null).await;
        assert_eq!(answer.at("/customer"), &json!({ name: null }), "{field}");
    }
    assert_eq!(program.gql(&of_customer("name"), Value::Null).await.at("/customer/name"), "City");
    let by = format!(
        "{{ agent(id: \"{agent}\") {{ versions {{ nodes {{ systemPrompt createdBy {{ id }} }} }} }} }}"
    );
    let answer = program.gql(&by, Value::Null).await;
    let expected = json!({ "systemPrompt": "You help.", "createdBy": { "id": null } });
    assert_eq!(answer.at("/agent/versions/nodes/0"), &expected);
}

#[tokio::test]
async fn rotating_is_no_way_round_the_plan() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let made = create(&operator, &customer, json!(["AGENTS_READ"])).await;
    let (mut id, mut secrets) =
        (made.text("/createApiKey/apiKey/id"), vec![made.text("/createApiKey/secret")]);
    for _ in 0..4 {
        let made = operator.gql(ROTATE, json!({ "id": id, "overlap": 604_800 })).await;
        id = made.text("/rotateApiKey/apiKey/id");
        secrets.push(made.text("/rotateApiKey/secret"));
    }
    let mut statuses = Vec::new();
    for secret in &secrets {
        statuses.push(app.bearer(secret).gql(ME, Value::Null).await.status.as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 200, 200]);
}

/// A request's body may arrive slowly. The caller's rights are those at the time when the whole body is there.
#[tokio::test]
async fn a_key_that_is_revoked_while_its_request_is_read_does_nothing() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let create_agent = format!(
        "mutation {{ createAgent(input: {{ customerId: \"{customer}\", name: \"late\" }}) {{ agent {{ name }} }} }}"
    );
    for (path, body) in [
        ("/graphql", json!({ "query": create_agent }).to_string()),
        ("/v1/agents", json!({ "name": "late" }).to_string()),
    ] {
        let made = create(&operator, &customer, json!(["AGENTS_WRITE"])).await;
        let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
             authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{{",
            made.text("/createApiKey/secret"),
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The service sets `lastUsedAt` when it has authenticated the request.
        let used = async || {
            let keys = operator.gql(KEYS, json!({ "id": customer })).await;
            keys.at("/customer/apiKeys/nodes/0/lastUsedAt").is_string()
        };
        eventually("the key's use is recorded", used).await;
        operator.gql(REVOKE, json!({ "id": made.text("/createApiKey/apiKey/id") })).await;
        app.door.hub.wait_for_revision(app.registry.head().await.unwrap().revision).await.unwrap();
        stream.write_all(&body.as_bytes()[1..]).await.unwrap();
        let mut answer = String::new();
        within("the whole answer", stream.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }
}
