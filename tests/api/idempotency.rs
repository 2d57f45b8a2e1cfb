//! Idempotency keys: a write that is retried, because its response was lost, has its effect once.

mod request;

use agent_registry::domain::member::Role;
use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::{
    rest::{City, assert_problem},
    support::{Answer, App, Calls, caller::Client},
};

const CREATE: &str = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) {
    agent { id name } revision userErrors { code field } } }";

/// Sends a POST with this key.
async fn post(client: &Client, path: &str, key: &str, body: &Value) -> Answer {
    let request = client.request(Method::POST, path).header("Idempotency-Key", key);
    Answer::of(request.json(body)).await
}

/// The number of stored keys of all callers.
async fn remembered(app: &App) -> i64 {
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let count = "SELECT count(*) FROM registry.idempotency_keys";
    sqlx::query_scalar(count).fetch_one(&mut admin).await.unwrap()
}

fn version(prompt: &str) -> Value {
    json!({ "system_prompt": prompt, "model_name": "gpt-4-turbo" })
}

#[tokio::test]
async fn eight_retries_at_once_over_two_instances_have_one_effect() {
    let city = City::new().await;
    let other = city.app.another().await;
    let elsewhere = Client::new(other.base.clone(), city.editor.token.clone());
    let before = city.revision().await;
    let answers = join_all((0..8).map(|nth| {
        let client = if nth % 2 == 0 { &city.editor.0 } else { &elsewhere };
        let path = city.versions();
        async move { post(client, &path, "\"one\"", &version("Be kind")).await }
    }))
    .await;
    for answer in &answers {
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.body, answers[0].body);
    }
    assert_eq!(answers[0].body["number"], 1);
    assert_eq!(city.revision().await, before + 1);

    let input = json!({ "customerId": city.customer, "name": "Clerk", "idempotencyKey": "two" });
    let answers = join_all((0..8).map(|nth| {
        let client = if nth % 2 == 0 { &city.editor.0 } else { &elsewhere };
        client.gql(CREATE, json!({ "input": input }))
    }))
    .await;
    for answer in &answers {
        assert_eq!(answer.at("/createAgent"), answers[0].at("/createAgent"));
    }
    assert_eq!(answers[0].at("/createAgent/agent/name"), "Clerk");
    assert_eq!(city.revision().await, before + 2);
    other.stop().await;
}

#[tokio::test]
async fn an_operators_very_first_writes_at_once_are_one() {
    let app = App::start().await;
    let operator = app.operator().await;
    let before = app.registry.head().await.unwrap().revision.0;
    let create =
        "mutation { createCustomer(input: { name: \"City\", idempotencyKey: \"k\" }) { customer { id } } }";
    let answers = join_all((0..8).map(|_| operator.gql(create, Value::Null))).await;
    for answer in &answers {
        assert_eq!(answer.at("/createCustomer/customer/id"), answers[0].at("/createCustomer/customer/id"));
    }
    assert_eq!(app.registry.head().await.unwrap().revision.0, before + 1);
}

#[tokio::test]
async fn over_rest_the_object_is_told_again_as_it_is_now() {
    let city = City::new().await;
    let body = json!({ "name": "Clerk" });
    let first = post(&city.editor, "/v1/agents", "\"k\"", &body).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let update =
        "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { userErrors { code } } }";
    let served = city.editor.publish(first.body["id"].as_str().unwrap(), "Be kind").await;
    city.editor.activate(first.body["id"].as_str().unwrap(), &served).await;
    let input = json!({ "agentId": first.body["id"], "description": "Answers letters" });
    city.editor.gql(update, json!({ "input": input })).await.at("/updateAgent");
    let made = city.revision().await;

    // The key quoted or bare, and the body formatted differently: the same request.
    let request = city.editor.request(Method::POST, "/v1/agents").header("Idempotency-Key", "k");
    let again =
        Answer::of(request.header("content-type", "application/json").body("{ \"name\" : \"Clerk\" }")).await;
    assert_eq!(again.status, 201, "{}", again.body);
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.body["id"], first.body["id"]);
    assert_eq!(again.body["description"], "Answers letters");
    assert_eq!(
        (&again.body["active_version_id"], &again.body["active_version_number"]),
        (&json!(served), &json!(1))
    );

    let other = post(&city.editor, "/v1/agents", "k", &json!({ "name": "Other" })).await;
    assert_problem(&other, 422, "IDEMPOTENCY_KEY_REUSED");
    let elsewhere = post(&city.editor, &city.versions(), "k", &version("p")).await;
    assert_problem(&elsewhere, 422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(city.revision().await, made);
    // The same write over GraphQL is another request, so the key is rejected there.
    let input = json!({ "customerId": city.customer, "name": "Clerk", "idempotencyKey": "k" });
    let graph = city.editor.gql(CREATE, json!({ "input": input })).await;
    assert_eq!(graph.at("/createAgent/userErrors/0/code"), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(city.revision().await, made);
}

#[tokio::test]
async fn a_key_is_its_callers_own_and_free_when_the_write_failed() {
    let city = City::new().await;
    let admin = city.app.member(&city.customer, Role::Admin).await;
    let (mine, theirs) = (json!({ "name": "Mine" }), json!({ "name": "Theirs" }));
    assert_eq!(post(&city.editor, "/v1/agents", "k", &mine).await.status, 201);
    assert_eq!(post(&admin, "/v1/agents", "k", &theirs).await.status, 201);

    // The name is taken: nothing is written, and the key isn't used.
    let before = (city.revision().await, remembered(&city.app).await);
    assert_problem(&post(&admin, "/v1/agents", "next", &mine).await, 409, "ALREADY_EXISTS");
    assert_eq!((city.revision().await, remembered(&city.app).await), before);
    assert_eq!(post(&admin, "/v1/agents", "next", &json!({ "name": "Next" })).await.status, 201);
}

#[tokio::test]
async fn what_changes_nothing_is_told_again_too() {
    let city = City::new().await;
    let made = city.serve("Be kind").await;
    let (agent, version) = (&city.agent, made.body["id"].as_str().unwrap());
    let input = json!({ "agentId": agent, "versionId": version, "idempotencyKey": "k" });
    let first = city.editor.activate_input(input.clone()).await;
    assert_eq!(first.at("/activateVersion/revision"), &json!(made.body["revision"].to_string()));
    // Another version is active meanwhile. The retry doesn't activate the first one again.
    let next = city.serve("Be brief").await;
    let before = city.revision().await;
    let again = city.editor.activate_input(input).await;
    assert_eq!(again.at("/activateVersion/revision"), first.at("/activateVersion/revision"));
    assert_eq!(again.at("/activateVersion/activation"), first.at("/activateVersion/activation"));
    assert_eq!(again.at("/activateVersion/agent/activeVersion/id"), &next.body["id"]);
    assert_eq!(city.revision().await, before);
}

#[tokio::test]
async fn whoever_lost_the_right_is_told_nothing_again() {
    let city = City::new().await;
    let second = city.operator.customer("Town").await;
    let admin = city.app.member(&city.customer, Role::Admin).await;
    let create = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
        apiKey { id name } secret userErrors { code } } }";
    let input = json!({ "customerId": city.customer, "name": "deploy", "scopes": ["AGENTS_READ"], "idempotencyKey": "k" });
    let rotate = "mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { apiKey { id name } secret userErrors { code } } }";
    let key = admin.gql(create, json!({ "input": input })).await.text("/createApiKey/apiKey/id");
    let rotation = json!({ "apiKeyId": key, "idempotencyKey": "r" });
    admin.gql(rotate, json!({ "input": rotation })).await.text("/rotateApiKey/apiKey/id");
    // The user is still an ADMIN, but of another customer.
    city.app.set_member(&city.customer, "other", Role::Admin).await;
    city.app.set_role(&city.customer, Role::Admin, Role::Viewer).await;
    city.app.set_member(&second, &format!("admin-of-{}", city.customer), Role::Admin).await;
    let before = city.revision().await;
    for (mutation, input) in [(create, input), (rotate, rotation)] {
        let again = admin.gql(mutation, json!({ "input": input })).await;
        assert_eq!(again.code(), Some("FORBIDDEN"), "{}", again.body);
        assert!(!again.body.to_string().contains("deploy"), "{}", again.body);
    }
    assert_eq!(city.revision().await, before);
}

#[tokio::test]
async fn a_day_later_the_key_is_free_and_then_forgotten() {
    let city = City::new().await;
    assert_eq!(post(&city.editor, &city.versions(), "k", &version("one")).await.body["number"], 1);
    city.app.clock.shift(TimeDelta::hours(23));
    assert_eq!(city.app.registry.forget_idempotency_keys().await.unwrap(), 0);
    let editor = city.app.member(&city.customer, Role::Editor).await;
    assert_eq!(post(&editor, &city.versions(), "k", &version("one")).await.body["number"], 1);
    city.app.clock.shift(TimeDelta::hours(1));
    let editor = city.app.member(&city.customer, Role::Editor).await;
    // After a day the key works for another request, and from then on for a day again.
    assert_eq!(post(&editor, &city.versions(), "k", &version("two")).await.body["number"], 2);
    assert_eq!(post(&editor, &city.versions(), "k", &version("two")).await.body["number"], 2);
    assert_problem(
        &post(&editor, &city.versions(), "k", &version("one")).await,
        422,
        "IDEMPOTENCY_KEY_REUSED",
    );
    assert_eq!(remembered(&city.app).await, 1);
    city.app.clock.shift(TimeDelta::hours(24));
    assert_eq!(city.app.registry.forget_idempotency_keys().await.unwrap(), 1);
    assert_eq!(remembered(&city.app).await, 0);
}

#[tokio::test]
async fn keys_that_are_none_are_refused() {
    let city = City::new().await;
    let before = city.revision().await;
    let long = "k".repeat(256);
    for key in ["", "\"\"", &long, "kéy"] {
        assert_problem(&post(&city.editor, "/v1/agents", key, &json!({ "name": "A" })).await, 422, "INVALID");
        let input =
            json!({ "customerId": city.customer, "name": "A", "idempotencyKey": key.trim_matches('"') });
        let answer = city.editor.gql(CREATE, json!({ "input": input })).await;
        let refused = json!([{ "code": "INVALID", "field": "idempotencyKey" }]);
        assert_eq!(answer.at("/createAgent/userErrors"), &refused);
    }
    let twice = city.editor.request(Method::POST, "/v1/agents").header("Idempotency-Key", "a");
    let twice = twice.header("Idempotency-Key", "b").json(&json!({ "name": "A" }));
    assert_problem(&Answer::of(twice).await, 422, "INVALID");
    assert_eq!((city.revision().await, remembered(&city.app).await), (before, 0));
    let longest = "k".repeat(255);
    assert_eq!(post(&city.editor, "/v1/agents", &longest, &json!({ "name": "A" })).await.status, 201);
}

/// Neither the key nor the request's body is stored in clear. Row-level security separates the principals' rows.
#[tokio::test]
async fn in_the_database_it_is_hashes_and_each_principals_own() {
    let city = City::new().await;
    let secret = "very-personal-key";
    assert_eq!(post(&city.editor, "/v1/agents", secret, &json!({ "name": "Hidden" })).await.status, 201);
    let mut admin = PgConnection::connect(&city.app.database.admin_url).await.unwrap();
    let row: String = sqlx::query_scalar("SELECT k::text FROM registry.idempotency_keys AS k")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert!(!row.contains(secret) && !row.contains(&hex::encode(secret)) && !row.contains("Hidden"), "{row}");
    let principal: uuid::Uuid = sqlx::query_scalar("SELECT principal_id FROM registry.idempotency_keys")
        .fetch_one(&mut admin)
        .await
        .unwrap();

    let mut service = PgConnection::connect(&city.app.database.url).await.unwrap();
    let mut seen = async |scope: &str, principal: &str| -> i64 {
        let set = format!(
            "BEGIN; SET LOCAL registry.scope = '{scope}'; SET LOCAL registry.principal = '{principal}';
             SET LOCAL registry.customers = '{{{}}}'",
            city.customer
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(set)).execute(&mut service).await.unwrap();
        let count = "SELECT count(*) FROM registry.idempotency_keys";
        let count = sqlx::query_scalar(count).fetch_one(&mut service).await.unwrap();
        sqlx::raw_sql("ROLLBACK").execute(&mut service).await.unwrap();
        count
    };
    assert_eq!(seen("customers", &principal.to_string()).await, 1);
    assert_eq!(seen("customers", &uuid::Uuid::nil().to_string()).await, 0);
    assert_eq!(seen("customers", "").await, 0);
    assert_eq!(seen("runtime", &principal.to_string()).await, 0);
    // A user's write to its own profile is in the scope of sign-in.
    assert_eq!(seen("auth", &principal.to_string()).await, 1);
    assert_eq!(seen("auth", &uuid::Uuid::nil().to_string()).await, 0);
    assert_eq!(seen("auth", "").await, 0);
}

#[tokio::test]
async fn what_has_ended_meanwhile_is_told_again_all_the_same() {
    let city = City::new().await;
    let ends = (city.app.clock.now() + TimeDelta::minutes(5)).to_rfc3339();
    let create = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } userErrors { code } } }";
    let input = json!({ "input": { "customerId": city.customer, "name": "short", "scopes": ["AGENTS_READ"],
        "expiresAt": ends, "idempotencyKey": "k" } });
    let first = city.operator.gql(create, input.clone()).await.text("/createApiKey/apiKey/id");
    city.app.clock.shift(TimeDelta::minutes(6));
    assert_eq!(city.operator.gql(create, input).await.text("/createApiKey/apiKey/id"), first);
}

#[tokio::test]
async fn a_removal_is_told_again_to_who_still_may() {
    let city = City::new().await;
    let admin = city.app.member(&city.customer, Role::Admin).await;
    let invite =
        "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id } } }";
    let input = json!({ "customerId": city.customer, "email": "ada@example.org", "role": "VIEWER" });
    let invitation = admin.gql(invite, json!({ "input": input })).await.text("/inviteMember/invitation/id");
    let revoke = "mutation ($input: RevokeInvitationInput!) { revokeInvitation(input: $input) { invitationId userErrors { code } } }";
    let input = json!({ "input": { "invitationId": invitation, "idempotencyKey": "k" } });
    for _ in 0..2 {
        assert_eq!(admin.gql(revoke, input.clone()).await.text("/revokeInvitation/invitationId"), invitation);
    }
    city.app.set_member(&city.customer, "other", Role::Admin).await;
    city.app.set_role(&city.customer, Role::Admin, Role::Viewer).await;
    assert_eq!(admin.gql(revoke, input).await.code(), Some("FORBIDDEN"));
}
