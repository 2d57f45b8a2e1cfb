//! What a service token is made with: its fields, what is refused, and where its creator comes from.

use agent_registry::domain::{Caller, member::Role, service_token::CreateServiceToken};
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{NOBODY, Served, create, rotate};
use crate::support::App;

async fn tokens(app: &App) -> i64 {
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM registry.service_tokens").fetch_one(&mut session).await.unwrap()
}

#[tokio::test]
async fn it_has_the_fields_that_it_was_made_with() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (city, town) = (operator.customer("City").await, operator.customer("Town").await);
    let ends = "2099-01-01T00:00:00.000000Z";
    // An id that is given twice counts once.
    let input = json!({ "customerIds": [town, city, town], "expiresAt": ends });
    let made = create(&operator, input).await;
    let mut token = made.at("/createServiceToken/serviceToken").clone();
    assert_eq!(token["createdBy"]["kind"], "OPERATOR");
    let expected = json!({
        "id": token["id"],
        "name": "gateway", "grantedScopes": ["CONFIGS_READ", "ACTIVATIONS_WATCH"], "customerIds": [city, town],
        "createdBy": token["createdBy"], "expiresAt": ends, "revokedAt": null, "replacedById": null,
    });
    // Customers are listed in the order of their ids, which is that of their creation.
    assert_eq!(token, expected);
    let all = create(&operator, json!({})).await;
    token = all.at("/createServiceToken/serviceToken").clone();
    assert_eq!((&token["customerIds"], &token["expiresAt"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_refused_token_leaves_nothing() {
    let app = App::start().await;
    let operator = app.operator().await;
    let city = operator.customer("City").await;
    let (head, count) = (app.registry.head().await.unwrap(), tokens(&app).await);
    let past = app.clock.now() - TimeDelta::seconds(1);
    let many: Vec<String> = (0..101).map(|nth| format!("01890000-0000-7000-8000-{nth:012}")).collect();
    for (input, code, field) in [
        (json!({ "customerIds": [] }), "INVALID", json!("customerIds")),
        (json!({ "customerIds": ["nonsense"] }), "INVALID", json!("customerIds")),
        (json!({ "customerIds": [city, NOBODY] }), "NOT_FOUND", Value::Null),
        (json!({ "customerIds": many }), "TOO_LARGE", json!("customerIds")),
        (json!({ "expiresAt": past }), "INVALID", json!("expiresAt")),
        (json!({ "scopes": [] }), "INVALID", json!("scopes")),
        (json!({ "name": "" }), "INVALID", json!("name")),
    ] {
        let refused = create(&operator, input.clone()).await;
        let error = refused.at("/createServiceToken/userErrors/0");
        assert_eq!((&error["code"], &error["field"]), (&json!(code), &field), "{input}: {error}");
        assert_eq!(refused.at("/createServiceToken/secret"), &Value::Null);
    }
    // All that is wrong is said at once.
    let refused = create(&operator, json!({ "name": "", "customerIds": [], "expiresAt": past })).await;
    let errors = refused.at("/createServiceToken/userErrors").as_array().unwrap();
    let fields: Vec<&Value> = errors.iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, [&json!("name"), &json!("customerIds"), &json!("expiresAt")]);
    let missing = rotate(&operator, json!({ "serviceTokenId": NOBODY })).await;
    assert_eq!(missing.at("/rotateServiceToken/userErrors/0/code"), "NOT_FOUND");
    assert_eq!((app.registry.head().await.unwrap(), tokens(&app).await), (head, count));
}

#[tokio::test]
async fn only_operators_rotate_one_and_read_it_by_its_id() {
    let app = App::start().await;
    let operator = app.operator().await;
    let city = operator.customer("City").await;
    let made = create(&operator, json!({ "customerIds": [city] })).await;
    let id = made.text("/createServiceToken/serviceToken/id");
    let node = "query ($id: ID!) { node(id: $id) { id ... on ServiceToken { name customerIds } } }";
    let read = operator.gql(node, json!({ "id": id })).await;
    assert_eq!(read.at("/node"), &json!({ "id": id, "name": "gateway", "customerIds": [city] }));
    let admin = app.member(&city, Role::Admin).await;
    assert_eq!(admin.gql(node, json!({ "id": id })).await.at("/node"), &Value::Null);
    let gateway = app.bearer(&made.text("/createServiceToken/secret"));
    let head = app.registry.head().await.unwrap();
    for client in [&gateway, &admin.0] {
        let refused = client.gql(super::ROTATE, json!({ "input": { "serviceTokenId": id } })).await;
        let payload =
            refused.body.pointer("/data/rotateServiceToken/userErrors/0/code").and_then(Value::as_str);
        assert_eq!(refused.code().or(payload), Some("FORBIDDEN"));
    }
    assert_eq!(app.registry.head().await.unwrap(), head);
}

/// A repeated rotation makes no second successor, and shows no secret.
#[tokio::test]
async fn a_rotation_happens_once() {
    let app = App::start().await;
    let operator = app.operator().await;
    let made = create(&operator, json!({})).await;
    let id = made.at("/createServiceToken/serviceToken/id");
    let input = json!({ "serviceTokenId": id, "idempotencyKey": "rotate once" });
    let (first, head) = (rotate(&operator, input.clone()).await, app.registry.head().await.unwrap());
    let second = rotate(&operator, input).await;
    assert_eq!(app.registry.head().await.unwrap(), head);
    assert!(first.at("/rotateServiceToken/secret").is_string());
    assert_eq!(second.at("/rotateServiceToken/secret"), &Value::Null);
    for field in ["serviceToken/id", "previous/id", "previous/expiresAt", "revision"] {
        let pointer = format!("/rotateServiceToken/{field}");
        assert_eq!(first.at(&pointer), second.at(&pointer), "{field}");
    }
}

/// The columns are empty in rows of older releases: such a token goes on for all customers without an end, and its
/// creator is the one of its entry in the log.
#[tokio::test]
async fn a_token_of_an_older_release_goes_on_unchanged() {
    let app = App::start().await;
    let operator = app.operator().await;
    let city = Served::new(&operator, "City").await;
    let made = create(&operator, json!({})).await;
    let id = made.text("/createServiceToken/serviceToken/id");
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let older = "UPDATE registry.service_tokens SET created_by_kind = NULL, created_by_id = NULL";
    sqlx::raw_sql(older).execute(&mut session).await.unwrap();
    let gateway = app.bearer(&made.text("/createServiceToken/secret"));
    assert_eq!(gateway.get(&city.path()).await.status, 200);
    let node = "query ($id: ID!) { node(id: $id) { ... on ServiceToken { customerIds expiresAt createdBy { kind displayName } } } }";
    let read = async || operator.gql(node, json!({ "id": id })).await.at("/node").clone();
    let logged = json!({ "kind": "OPERATOR", "displayName": made.at("/createServiceToken/serviceToken/createdBy/displayName") });
    assert_eq!(read().await, json!({ "customerIds": null, "expiresAt": null, "createdBy": logged }));
    // Without the entry, nobody knows. The last entry of the log is never pruned.
    operator.customer("Town").await;
    sqlx::raw_sql("UPDATE registry.log_floor SET keep = '0'").execute(&mut session).await.unwrap();
    assert!(app.registry.prune(chrono::Utc::now()).await.unwrap());
    assert_eq!(read().await["createdBy"], json!({ "kind": "SYSTEM", "displayName": "System" }));
}

#[tokio::test]
async fn the_command_lines_tokens_are_the_systems() {
    let app = App::start().await;
    let operator = app.operator().await;
    let input = CreateServiceToken::for_all("gateway", agent_registry::domain::ServiceScope::ALL);
    let made = app.registry.create_service_token(&Caller::system("test"), input).await.unwrap().value;
    let node = "query ($id: ID!) { node(id: $id) { ... on ServiceToken { createdBy { kind id } } } }";
    let read = operator.gql(node, json!({ "id": made.token.id.to_string() })).await;
    assert_eq!(read.at("/node/createdBy"), &json!({ "kind": "SYSTEM", "id": null }));
}
