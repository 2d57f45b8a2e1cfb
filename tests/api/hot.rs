//! What an instance serves from memory: active configurations and credentials. Memory is as new as the log, or
//! isn't used.

mod credentials;
mod log;
mod order;

use std::time::Duration;

use agent_registry::domain::{Caller, KeyScope, auth::jwt::LOCAL_ISSUER, member::Role};
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::{
    rest::{City, assert_problem},
    support::{
        App, Calls,
        app::Setup,
        caller::{Client, Gateway},
        cluster::{admin, end_sessions},
        wait::{eventually, waits_for_a_lock},
    },
};

async fn prompt(client: &Client, path: &str) -> Value {
    let answer = client.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["system_prompt"].clone()
}

#[tokio::test]
async fn what_is_hot_is_served_without_a_statement() {
    let city = City::new().await;
    city.serve("Be kind").await;
    let gateway = city.app.gateway().await;
    let program = city.app.program(&city.customer, [KeyScope::ConfigsRead]).await;
    let query = "query ($id: ID!) { activeConfig(agentId: $id) { systemPrompt tools { name } } }";
    for client in [&gateway.0, &program.0, &city.editor.0] {
        // The first request looks the credential up.
        assert_eq!(prompt(client, &city.active()).await, "Be kind");
    }
    // `last_used_at` is written in the background.
    let noted = "SELECT count(*) FROM registry.api_keys WHERE last_used_at IS NOT NULL";
    let mut admin = PgConnection::connect(&city.app.database.admin_url).await.unwrap();
    eventually("the use is recorded", async || {
        sqlx::query_scalar::<_, i64>(noted).fetch_one(&mut admin).await.unwrap() == 1
    })
    .await;
    let before = city.app.registry.statements();
    for _ in 0..5 {
        for client in [&gateway.0, &program.0, &city.editor.0] {
            assert_eq!(prompt(client, &city.active()).await, "Be kind");
            let answer = client.gql(query, json!({ "id": city.agent })).await;
            assert_eq!(answer.at("/activeConfig/systemPrompt"), "Be kind");
        }
    }
    assert_eq!(city.app.registry.statements(), before);
}

#[tokio::test]
async fn whoever_was_answered_finds_it_so_at_once() {
    let city = City::new().await;
    let gateway = city.app.gateway().await;
    city.serve("0").await;
    let query = "query ($id: ID!) { activeConfig(agentId: $id) { systemPrompt revision } }";
    for nth in 1..=30 {
        let made = city.serve(&nth.to_string()).await;
        assert_eq!(prompt(&gateway, &city.active()).await, json!(nth.to_string()));
        let version = city.editor.publish(&city.agent, &format!("{nth} too")).await;
        let done = city.editor.activate(&city.agent, &version).await;
        let config = gateway.gql(query, json!({ "id": city.agent })).await;
        assert_eq!(config.at("/activeConfig/systemPrompt"), &json!(format!("{nth} too")));
        assert_eq!(config.at("/activeConfig/revision"), done.at("/activateVersion/revision"));
        assert!(made.body["revision"].is_number());
    }
    let customer = json!({ "id": city.customer });
    let status = async |status: &str| {
        let set = format!(
            "mutation ($id: ID!) {{ setBillingStatus(input: {{ customerId: $id, status: {status} }}) {{ revision userErrors {{ code }} }} }}"
        );
        city.operator.gql(&set, customer.clone()).await.text("/setBillingStatus/revision");
    };
    status("SUSPENDED").await;
    assert_problem(&gateway.get(&city.active()).await, 403, "SUSPENDED");
    status("ACTIVE").await;
    assert_eq!(prompt(&gateway, &city.active()).await, "30 too");
    let archive = "mutation ($id: ID!) { archiveAgent(input: { agentId: $id }) { revision } }";
    city.editor.gql(archive, json!({ "id": city.agent })).await.text("/archiveAgent/revision");
    assert_problem(&gateway.get(&city.active()).await, 404, "NOT_ACTIVE");
}

/// The read is blocked after it has read the agent and before it reads the version.
#[tokio::test]
async fn a_reading_that_began_before_a_change_does_not_outlive_it() {
    let city = City::new().await;
    city.serve("Be kind").await;
    // This instance has no configuration in memory yet.
    let other = city.app.another().await;
    let reader = Gateway(Client::new(other.base.clone(), city.app.gateway().await.token.clone()));
    let warm = reader.get("/internal/agents/01a20326-e777-71ce-9264-eefdca7dad0e/active").await;
    assert_problem(&warm, 404, "NOT_FOUND");

    let mut admin = PgConnection::connect(&city.app.database.admin_url).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE registry.agent_versions IN ACCESS EXCLUSIVE MODE")
        .execute(&mut admin)
        .await
        .unwrap();
    let path = city.active();
    let reading = tokio::spawn({
        let (reader, path) = (reader.clone(), path.clone());
        async move { reader.get(&path).await }
    });
    let mut watcher = PgConnection::connect(&city.app.database.admin_url).await.unwrap();
    waits_for_a_lock(&mut watcher, "%agent_versions%").await;
    let suspend = "mutation ($id: ID!) { setBillingStatus(input: { customerId: $id, status: SUSPENDED }) { revision } }";
    let done =
        city.operator.gql(suspend, json!({ "id": city.customer })).await.text("/setBillingStatus/revision");
    eventually("the change is followed there", async || other.door.hub.applied().to_string() == done).await;
    assert!(!reading.is_finished());
    sqlx::raw_sql("ROLLBACK").execute(&mut admin).await.unwrap();

    assert_problem(&reading.await.unwrap(), 403, "SUSPENDED");
    assert_problem(&reader.get(&path).await, 403, "SUSPENDED");
    other.stop().await;
}

#[tokio::test]
async fn many_that_ask_at_once_cost_one_query() {
    let city = City::new().await;
    city.serve("Be kind").await;
    let other = city.app.another().await;
    let reader = Client::new(other.base.clone(), city.app.gateway().await.token.clone());
    // Without the lease each request would read from the database.
    other.caught_up().await;
    // Looks the credential up beforehand.
    assert_eq!(reader.get("/internal/agents/01a20326-e777-71ce-9264-eefdca7dad0e/active").await.status, 404);
    let before = other.registry.statements();
    let path = city.active();
    let answers = join_all((0..50).map(|_| prompt(&reader, &path))).await;
    assert!(answers.iter().all(|answer| answer == "Be kind"));
    // Three statements: the snapshot, agents with their customers, and versions. Later requests are answered from
    // memory.
    assert_eq!(other.registry.statements() - before, 3);
    other.stop().await;
}

#[tokio::test]
async fn memory_is_bounded_and_what_was_forgotten_is_read_again() {
    let app = App::set_up(Setup { config_memory: 1024 * 1024, ..Setup::default() }).await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let gateway = app.gateway().await;
    let mut agents = Vec::new();
    for nth in 0..40 {
        let agent = operator.agent(&customer, &format!("Agent {nth}")).await;
        let long = format!("{nth} {}", "x".repeat(20_000));
        let input = json!({ "agentId": agent, "systemPrompt": long, "modelName": "m", "activate": true });
        operator.publish_input(input).await.at("/publishVersion/version");
        agents.push((agent, long));
    }
    for _ in 0..2 {
        for (agent, long) in &agents {
            assert_eq!(prompt(&gateway, &format!("/internal/agents/{agent}/active")).await, json!(long));
        }
    }
    let (count, bytes) = app.door.hub.configs_in_memory();
    assert!(bytes <= 1024 * 1024 && count > 5 && count < 40, "{count} take {bytes} bytes");
}

#[tokio::test]
async fn what_is_hot_is_shown_to_nobody_else() {
    let city = City::new().await;
    city.serve("Be kind").await;
    let gateway = city.app.gateway().await;
    assert_eq!(prompt(&gateway, &city.active()).await, "Be kind");
    let town = city.operator.customer("Town").await;
    let theirs = city.app.program(&town, KeyScope::ALL).await;
    let member = city.app.member(&town, Role::Admin).await;
    let query = "query ($id: ID!) { activeConfig(agentId: $id) { systemPrompt } }";
    for client in [&theirs.0, &member.0] {
        assert_problem(&client.get(&city.active()).await, 404, "NOT_FOUND");
        assert_eq!(client.gql(query, json!({ "id": city.agent })).await.at("/activeConfig"), &Value::Null);
    }
    assert_problem(&city.app.stranger().get(&city.active()).await, 404, "NOT_FOUND");
    let watch = city.app.service([agent_registry::domain::ServiceScope::ActivationsWatch]).await;
    assert_problem(&watch.get(&city.active()).await, 403, "FORBIDDEN");
}

/// Each way to lose a right takes effect at once on this instance, and on another one as soon as it has followed
/// the log.
#[tokio::test]
async fn who_has_lost_a_right_is_forgotten() {
    let city = City::new().await;
    let other = city.app.another().await;
    let admin = city.app.member(&city.customer, Role::Admin).await;
    let make = "mutation ($id: ID!) { createApiKey(input: { customerId: $id, name: \"k\", scopes: [AGENTS_READ] }) { apiKey { id } secret } }";
    let made = admin.gql(make, json!({ "id": city.customer })).await;
    let (key, secret) = (made.text("/createApiKey/apiKey/id"), made.text("/createApiKey/secret"));
    let agents = async |client: &Client| client.get("/v1/agents").await;
    let both =
        |token: &str| (city.app.bearer(token), Client::new(other.base.clone(), Some(token.to_owned())));

    let (here, there) = both(&secret);
    assert_eq!((agents(&here).await.status.as_u16(), agents(&there).await.status.as_u16()), (200, 200));
    let revoke = "mutation ($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { revision } }";
    admin.gql(revoke, json!({ "id": key })).await.text("/revokeApiKey/revision");
    assert_eq!(agents(&here).await.status, 401);
    eventually("the key is rejected there", async || agents(&there).await.status == 401).await;

    let (here, there) = both(city.editor.token.as_deref().unwrap());
    let write = async |client: &Client, name: &str| client.post("/v1/agents", json!({ "name": name })).await;
    assert_eq!(write(&here, "One").await.status, 201);
    assert_eq!(write(&there, "Two").await.status, 201);
    let user = city.editor.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id");
    let lower = "mutation ($input: ChangeMemberRoleInput!) { changeMemberRole(input: $input) { revision } }";
    let input = json!({ "customerId": city.customer, "userId": user, "role": "VIEWER" });
    admin.gql(lower, json!({ "input": input })).await.text("/changeMemberRole/revision");
    assert_problem(&write(&here, "Three").await, 403, "FORBIDDEN");
    let before = city.revision().await;
    eventually("the role is lowered there", async || {
        agents(&there).await.status == 200 && write(&there, "Four").await.status == 403
    })
    .await;
    assert!(city.revision().await <= before + 1);
    let remove = "mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { revision } }";
    let input = json!({ "customerId": city.customer, "userId": user });
    admin.gql(remove, json!({ "input": input })).await.text("/removeMember/revision");
    assert_eq!(agents(&here).await.body["agents"], json!([]));
    eventually("the member is gone there", async || agents(&there).await.body["agents"] == json!([])).await;
    other.stop().await;
}

/// Rights that change without an action of their holder.
#[tokio::test]
async fn who_is_who_is_looked_at_anew_when_that_changes() {
    let city = City::new().await;
    let admin = city.app.member(&city.customer, Role::Admin).await;
    let status = async |client: &Client| client.get("/v1/agents").await.status.as_u16();

    // A rotated key becomes invalid at the end of its overlap.
    let program = city.app.program(&city.customer, [KeyScope::AgentsRead]).await;
    assert_eq!(status(&program).await, 200);
    let keys = "query ($id: ID!) { customer(id: $id) { apiKeys { nodes { id } } } }";
    let key = admin.gql(keys, json!({ "id": city.customer })).await.text("/customer/apiKeys/nodes/0/id");
    let rotate =
        "mutation ($id: ID!) { rotateApiKey(input: { apiKeyId: $id, overlapSeconds: 60 }) { revision } }";
    admin.gql(rotate, json!({ "id": key })).await.text("/rotateApiKey/revision");
    assert_eq!(status(&program).await, 200);
    city.app.clock.shift(TimeDelta::seconds(61));
    assert_eq!(status(&program).await, 401);

    // A service token, and an operator.
    let make = "mutation { createServiceToken(input: { name: \"g\", scopes: [CONFIGS_READ] }) { serviceToken { id } secret } }";
    let made = city.operator.gql(make, Value::Null).await;
    let service = city.app.bearer(&made.text("/createServiceToken/secret"));
    city.serve("Be kind").await;
    assert_eq!(service.get(&city.active()).await.status, 200);
    let revoke = "mutation ($id: ID!) { revokeServiceToken(input: { serviceTokenId: $id }) { revision } }";
    let id = made.text("/createServiceToken/serviceToken/id");
    city.operator.gql(revoke, json!({ "id": id })).await.text("/revokeServiceToken/revision");
    assert_eq!(service.get(&city.active()).await.status, 401);
    let system = Caller::system("test");
    let other = Client::new(city.app.base.clone(), city.app.user("otto", None).token);
    assert_eq!(other.get("/v1/agents").await.body["agents"], json!([]));
    city.app.registry.add_operator(&system, LOCAL_ISSUER, "otto").await.unwrap();
    let sees = async || other.get("/v1/agents").await.body["agents"] != json!([]);
    eventually("the operator sees all", sees).await;
    city.app.registry.remove_operator(&system, LOCAL_ISSUER, "otto").await.unwrap();
    eventually("the operator sees nothing any more", async || !sees().await).await;

    // An invitation that can't be accepted while the customer is suspended.
    let invite =
        "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { userErrors { code } } }";
    let input = json!({ "customerId": city.customer, "email": "ada@example.org", "role": "VIEWER" });
    assert_eq!(admin.gql(invite, json!({ "input": input })).await.at("/inviteMember/userErrors"), &json!([]));
    let ada = Client::new(city.app.base.clone(), city.app.user("ada", Some("ada@example.org")).token);
    let set = async |status: &str| {
        let set = format!(
            "mutation ($id: ID!) {{ setBillingStatus(input: {{ customerId: $id, status: {status} }}) {{ revision }} }}"
        );
        city.operator.gql(&set, json!({ "id": city.customer })).await.text("/setBillingStatus/revision");
    };
    set("SUSPENDED").await;
    assert_eq!(ada.get("/v1/agents").await.body["agents"], json!([]));
    set("ACTIVE").await;
    assert_ne!(ada.get("/v1/agents").await.body["agents"], json!([]));
}

/// The tools and parameters of a configuration are kept as text.
#[tokio::test]
async fn what_json_takes_is_counted() {
    // The memory is split into parts; each of them has room for all of these.
    let app = App::set_up(Setup { config_memory: 16 * 16 * 1024 * 1024, ..Setup::default() }).await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let gateway = app.gateway().await;
    let zeros = json!({ "default": vec![0; 20_000] });
    let mut agents = Vec::new();
    for nth in 0..4 {
        let agent = operator.agent(&customer, &format!("Agent {nth}")).await;
        let input = json!({ "agentId": agent, "systemPrompt": "", "modelName": "m", "activate": true,
            "tools": [{ "name": "t", "inputSchema": zeros }] });
        operator.publish_input(input).await.at("/publishVersion/version/id");
        assert_eq!(gateway.get(&format!("/internal/agents/{agent}/active")).await.status, 200);
        agents.push(agent);
    }
    let (count, bytes) = app.door.hub.configs_in_memory();
    // At least the text itself, and not much more.
    let text = count * "0,".len() * 20_000;
    assert!((text..3 * text).contains(&bytes), "{count} take {bytes} bytes");
    assert_eq!(count, agents.len());
}

/// The database is unreachable, so the instance can't renew its lease.
#[tokio::test]
async fn without_proof_a_service_is_told_so_and_others_are_refused() {
    let city = City::new().await;
    city.serve("Be kind").await;
    let gateway = city.app.gateway().await;
    let program = city.app.program(&city.customer, [KeyScope::ConfigsRead]).await;
    for client in [&gateway.0, &program.0, &city.editor.0] {
        let answer = client.get(&city.active()).await;
        assert_eq!((answer.status.as_u16(), answer.header("registry-stale-seconds")), (200, None));
    }
    let name = city.app.database.name().to_owned();
    let mut admin = admin().await;
    let allow = async |admin: &mut PgConnection, allow: bool| {
        let alter = format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS {allow}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(alter)).execute(admin).await.unwrap();
    };
    allow(&mut admin, false).await;
    end_sessions(&mut admin, &name).await;
    eventually("the lease is over", async || city.app.door.hub.age() > Duration::from_secs(1)).await;

    let answer = gateway.get(&city.active()).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["system_prompt"]),
        (200, &json!("Be kind")),
        "{}",
        answer.body
    );
    let stale: u64 = answer.header("registry-stale-seconds").unwrap().parse().unwrap();
    assert!(stale >= 1, "{stale}");
    for client in [&program.0, &city.editor.0] {
        assert_problem(&client.get(&city.active()).await, 503, "UNAVAILABLE");
    }
    // An agent that isn't in memory can't be answered.
    let unknown = gateway.get("/internal/agents/01a20326-e777-71ce-9264-eefdca7dad0e/active").await;
    assert_problem(&unknown, 503, "UNAVAILABLE");

    allow(&mut admin, true).await;
    eventually("responses are fresh again", async || {
        let answer = gateway.get(&city.active()).await;
        answer.status == 200 && answer.header("registry-stale-seconds").is_none()
    })
    .await;
}
