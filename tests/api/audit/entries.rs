//! The content of log entries for each kind of change: the actor, the subject, and the values before and after.

use std::{fmt::Write, time::Duration};

use agent_registry::domain::{
    Caller, KeyScope,
    auth::jwt::{LOCAL_ISSUER, TokenSubject},
    change::ChangeAction,
    member::Role,
    session::SignInPlace,
};
use chrono::Utc;
use insta::assert_snapshot;
use sea_orm::{ActiveEnum, Iterable};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};

use crate::support::{App, caller::Client};

/// Ids and their names in the snapshot.
#[derive(Default)]
struct Names(Vec<(String, &'static str)>);

impl Names {
    fn add(&mut self, id: String, name: &'static str) -> String {
        self.0.push((id.clone(), name));
        id
    }

    /// Replaces known ids with their names, and removes unknown ids, hashes and times.
    fn blank(&self, text: &str) -> String {
        let named = self.0.iter().fold(text.to_owned(), |text, (id, name)| text.replace(id, name));
        let is_id = |word: &str| word.parse::<uuid::Uuid>().is_ok();
        let is_hash = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_time = |word: &str| chrono::DateTime::parse_from_rfc3339(word).is_ok();
        let words = named.split_inclusive(['"', ' ']).map(|word| {
            let (body, end) = match word.strip_suffix(['"', ' ']) {
                Some(body) => (body, &word[body.len()..]),
                None => (word, ""),
            };
            let body = match body {
                id if is_id(id) => "id",
                hash if is_hash(hash) => "hash",
                time if is_time(time) => "time",
                other => other,
            };
            format!("{body}{end}")
        });
        words.collect()
    }
}

/// Runs a mutation that must succeed. Returns its payload.
async fn mutate(client: &Client, name: &str, input: Value, selection: &str) -> Value {
    let input_type = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let mutation = format!(
        "mutation ($input: {input_type}!) {{ {name}(input: $input) {{ {selection} userErrors {{ code message }} }} }}"
    );
    let payload = client.gql(&mutation, json!({ "input": input })).await.at(&format!("/{name}")).clone();
    assert_eq!(payload["userErrors"], json!([]), "{name}");
    payload
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

async fn user(client: &Client) -> String {
    client.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id")
}

/// Makes a change of each kind, as its usual actor.
async fn all_kinds(app: &App) -> Names {
    let mut names = Names::default();
    let (operator, system) = (app.operator().await, Caller::system("test"));
    let city = names.add(operator.customer("City").await, "City");
    names.add(user(&operator).await, "Olga");
    mutate(&operator, "updateCustomer", json!({ "customerId": city, "name": "Old City" }), "").await;
    mutate(&operator, "setPlan", json!({ "customerId": city, "plan": "PRO" }), "").await;
    mutate(&operator, "setBillingStatus", json!({ "customerId": city, "status": "PAST_DUE" }), "").await;
    let adam_id = names.add(app.set_member(&city, "adam", Role::Admin).await, "Adam");
    let adam = app.user("adam", None);

    // Users: one joins, changes her name while she joins another customer, and leaves.
    let invite =
        |customer: &str, email: &str| json!({ "customerId": customer, "email": email, "role": "EDITOR" });
    let made = mutate(&adam, "inviteMember", invite(&city, "bob@example.org"), "invitation { id }").await;
    let invitation = names.add(text(&made["invitation"]["id"]), "Invitation");
    mutate(&adam, "revokeInvitation", json!({ "invitationId": invitation }), "").await;
    mutate(&adam, "inviteMember", invite(&city, "ada@example.org"), "invitation { id }").await;
    let ada = names.add(user(&app.user("ada", Some("ada@example.org"))).await, "Ada");
    mutate(&adam, "changeMemberRole", json!({ "customerId": city, "userId": ada, "role": "VIEWER" }), "")
        .await;
    let town = names.add(operator.customer("Town").await, "Town");
    mutate(&operator, "inviteMember", invite(&town, "ada@example.org"), "invitation { id }").await;
    let subject = TokenSubject {
        subject: "ada".to_owned(),
        email: Some("ada@example.org".to_owned()),
        name: Some("Ada".to_owned()),
    };
    let token = app.registry.mint(subject, Duration::from_secs(600)).unwrap();
    user(&app.bearer(&token)).await;
    mutate(&adam, "removeMember", json!({ "customerId": city, "userId": ada }), "").await;
    let identity = json!({ "userId": adam_id, "issuer": "https://issuer.invalid", "subject": "adam" });
    mutate(&operator, "linkIdentity", identity, "user { id }").await;
    app.registry.refresh_issuer_keys(&system).await.unwrap();
    let link = app.registry.create_sign_in_link(&system, (LOCAL_ISSUER, "adam"), false).await.unwrap();
    let place = SignInPlace { origin: system.origin.clone(), client: None };
    let session = app.registry.spend_sign_in_link(&link.secret, place).await.unwrap().unwrap();
    let session = names.add(session.id.to_string(), "Session");
    mutate(&adam, "revokeSession", json!({ "sessionId": session }), "").await;

    // API keys, and the writes of a customer's own program.
    let scopes = ["AGENTS_READ", "AGENTS_WRITE", "VERSIONS_PUBLISH", "VERSIONS_ACTIVATE"];
    let key = json!({ "customerId": city, "name": "pipeline", "scopes": scopes });
    let made = mutate(&adam, "createApiKey", key, "apiKey { id }").await;
    let old = names.add(text(&made["apiKey"]["id"]), "Key");
    let rotate = json!({ "apiKeyId": old, "overlapSeconds": 0 });
    let made = mutate(&adam, "rotateApiKey", rotate, "apiKey { id } secret").await;
    let key = names.add(text(&made["apiKey"]["id"]), "Successor");
    let program = app.bearer(&text(&made["secret"]));
    let create = json!({ "customerId": city, "name": "Helper" });
    let made = mutate(&program, "createAgent", create, "agent { id }").await;
    let agent = names.add(text(&made["agent"]["id"]), "Agent");
    let update = json!({ "agentId": agent, "name": "Clerk", "description": "Answers letters" });
    mutate(&program, "updateAgent", update, "").await;
    let mut versions = Vec::new();
    for (number, name) in [(1, "Version-1"), (2, "Version-2")] {
        let publish = json!({ "agentId": agent, "systemPrompt": format!("{number}"), "modelName": "m" });
        let made = mutate(&program, "publishVersion", publish, "version { id }").await;
        let version = names.add(text(&made["version"]["id"]), name);
        let activate = json!({ "agentId": agent, "versionId": version });
        mutate(&program, "activateVersion", activate, "").await;
        versions.push(version);
    }
    mutate(&program, "rollback", json!({ "agentId": agent }), "").await;

    // Another environment.
    let create = json!({ "customerId": city, "key": "staging", "name": "Staging", "allowedModels": ["m"] });
    let made = mutate(&adam, "createEnvironment", create, "environment { id }").await;
    let staging = names.add(text(&made["environment"]["id"]), "Staging-id");
    let change = json!({ "environmentId": staging, "minSoakSeconds": 0, "onBreaking": "ALLOW", "activateRole": "ADMIN" });
    mutate(&adam, "updateEnvironment", change, "").await;
    let promote = json!({ "agentId": agent, "fromEnvironment": "production", "toEnvironment": "staging",
        "expectedFromVersionId": versions[0] });
    mutate(&adam, "promoteVersion", promote, "").await;
    mutate(&adam, "deactivate", json!({ "agentId": agent, "environment": "staging" }), "").await;
    mutate(&adam, "archiveEnvironment", json!({ "environmentId": staging }), "").await;
    mutate(&adam, "restoreEnvironment", json!({ "environmentId": staging }), "").await;

    mutate(&program, "archiveAgent", json!({ "agentId": agent }), "").await;
    mutate(&program, "restoreAgent", json!({ "agentId": agent }), "").await;
    mutate(&adam, "revokeApiKey", json!({ "apiKeyId": key }), "").await;

    // The platform's own changes.
    let made = json!({ "name": "gateway", "scopes": ["CONFIGS_READ"] });
    let made = mutate(&operator, "createServiceToken", made, "serviceToken { id }").await;
    let token = names.add(text(&made["serviceToken"]["id"]), "Token");
    mutate(&operator, "rotateServiceToken", json!({ "serviceTokenId": token }), "").await;
    mutate(&operator, "revokeServiceToken", json!({ "serviceTokenId": token }), "").await;
    app.registry.add_operator(&system, LOCAL_ISSUER, "otto").await.unwrap();
    app.registry.remove_operator(&system, LOCAL_ISSUER, "otto").await.unwrap();
    mutate(&operator, "setBillingStatus", json!({ "customerId": town, "status": "CANCELED" }), "").await;
    mutate(&operator, "eraseCustomer", json!({ "customerId": town }), "").await;
    app.program(&city, [KeyScope::AgentsRead]).await;
    names
}

/// The entries after this revision, one per line.
async fn lines(app: &App, names: &Names, after: i64) -> (Vec<String>, String) {
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let columns = ["actor_kind", "actor_id", "customer_id", "agent_id", "version_id", "subject_id"];
    let columns = columns.map(|column| format!("coalesce({column}::text, '-')")).join(", ");
    let all = format!(
        "SELECT action, concat_ws(' ', {columns}), details, salt IS NULL FROM registry.changes
         WHERE revision > {after} ORDER BY revision, position"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(all)).fetch_all(&mut admin).await.unwrap();
    let (mut actions, mut lines) = (Vec::new(), String::new());
    for row in rows {
        let (action, who): (String, String) = (row.get(0), row.get(1));
        assert!(!row.get::<bool, _>(3), "{action} has no salt, so its hash can be guessed");
        let details: String = row.get(2);
        writeln!(lines, "{action}: {}\n  {}", names.blank(&who), names.blank(&details)).unwrap();
        actions.push(action);
    }
    (actions, lines)
}

/// Each action's line has the actor's kind and id, and the ids of customer, agent, version and row. The details
/// follow.
#[tokio::test]
async fn each_kind_says_who_what_before_and_after() {
    let app = App::start().await;
    let names = all_kinds(&app).await;
    let (mut actions, lines) = lines(&app, &names, 0).await;
    assert_snapshot!(lines, @r#"
    operator.added: SYSTEM - - - - -
      {}
    user.created: OPERATOR Olga - - - Olga
      {}
    customer.created: OPERATOR Olga City - - -
      {"after":{"name":"City"}}
    customer.updated: OPERATOR Olga City - - -
      {"after":{"name":"Old City"},"before":{"name":"City"}}
    customer.plan_set: OPERATOR Olga City - - -
      {"after":"PRO","before":"FREE"}
    customer.billing_status_set: OPERATOR Olga City - - -
      {"after":"PAST_DUE","before":"ACTIVE"}
    user.created: SYSTEM - - - - Adam
      {}
    member.set: SYSTEM - City - - Adam
      {"after":"ADMIN","before":null}
    invitation.created: USER Adam City - - Invitation
      {"after":{"role":"EDITOR"}}
    invitation.revoked: USER Adam City - - Invitation
      {"before":{"role":"EDITOR"}}
    invitation.created: USER Adam City - - id
      {"after":{"role":"EDITOR"}}
    user.created: USER Ada - - - Ada
      {}
    member.set: USER Ada City - - Ada
      {"after":"EDITOR","before":null}
    member.set: USER Adam City - - Ada
      {"after":"VIEWER","before":"EDITOR"}
    customer.created: OPERATOR Olga Town - - -
      {"after":{"name":"Town"}}
    invitation.created: OPERATOR Olga Town - - id
      {"after":{"role":"EDITOR"}}
    user.updated: USER Ada - - - Ada
      {}
    member.set: USER Ada Town - - Ada
      {"after":"EDITOR","before":null}
    member.removed: USER Adam City - - Ada
      {"after":null,"before":"VIEWER"}
    identity.linked: OPERATOR Olga - - - Adam
      {}
    issuer.keys_refreshed: SYSTEM - - - - -
      {}
    session.started: USER Adam - - - Adam
      {"after":{"expires_at":"time","session_id":"Session"}}
    session.ended: USER Adam - - - Adam
      {"after":{"ended_at":"time"},"before":{"ended_at":null},"session_id":"Session"}
    api_key.created: USER Adam City - - Key
      {"after":{"expires_at":null,"scopes":["agents:read","agents:write","versions:publish","versions:activate"]}}
    api_key.rotated: USER Adam City - - Key
      {"after":{"expires_at":"time","replaced_by":"Successor"},"before":{"expires_at":null,"replaced_by":null}}
    agent.created: API_KEY Successor City Agent - -
      {"after":{"description":null,"name":"Helper","owner_id":null}}
    agent.updated: API_KEY Successor City Agent - -
      {"after":{"description":"Answers letters","name":"Clerk","owner_id":null},"before":{"description":null,"name":"Helper","owner_id":null}}
    version.published: API_KEY Successor City Agent Version-1 -
      {"after":{"bytes_hash":"hash","content_hash":"hash","number":1}}
    agent.activated: API_KEY Successor City Agent Version-1 id
      {"after":{"version_id":"Version-1"},"before":{"version_id":null},"reason":"ACTIVATE"}
    version.published: API_KEY Successor City Agent Version-2 -
      {"after":{"bytes_hash":"hash","content_hash":"hash","number":2}}
    agent.activated: API_KEY Successor City Agent Version-2 id
      {"after":{"version_id":"Version-2"},"before":{"version_id":"Version-1"},"reason":"ACTIVATE"}
    agent.activated: API_KEY Successor City Agent Version-1 id
      {"after":{"version_id":"Version-1"},"before":{"version_id":"Version-2"},"reason":"ROLLBACK"}
    environment.created: USER Adam City - - Staging-id
      {"after":{"activate_role":"EDITOR","allowed_models":["m"],"environment":"staging","min_soak_seconds":0,"on_breaking":"CONFIRM","promote_from":null,"rank":1}}
    environment.updated: USER Adam City - - Staging-id
      {"after":{"activate_role":"ADMIN","allowed_models":["m"],"environment":"staging","min_soak_seconds":0,"on_breaking":"ALLOW","promote_from":null,"rank":1},"before":{"activate_role":"EDITOR","allowed_models":["m"],"environment":"staging","min_soak_seconds":0,"on_breaking":"CONFIRM","promote_from":null,"rank":1}}
    agent.activated: USER Adam City Agent Version-1 id
      {"after":{"version_id":"Version-1"},"before":{"version_id":null},"environment":"staging","promoted_from":"production","reason":"ACTIVATE"}
    agent.deactivated: USER Adam City Agent - id
      {"after":{"version_id":null},"before":{"version_id":"Version-1"},"environment":"staging","reason":"DEACTIVATE"}
    environment.archived: USER Adam City - - Staging-id
      {"after":{"archived_at":"time"},"before":{"archived_at":null},"environment":"staging"}
    environment.restored: USER Adam City - - Staging-id
      {"after":{"archived_at":null},"before":{"archived_at":"time"},"environment":"staging"}
    agent.deactivated: API_KEY Successor City Agent - id
      {"after":{"version_id":null},"before":{"version_id":"Version-1"},"reason":"ARCHIVE"}
    agent.archived: API_KEY Successor City Agent - -
      {"after":{"archived_at":"time"},"before":{"archived_at":null}}
    agent.restored: API_KEY Successor City Agent - -
      {"after":{"archived_at":null},"before":{"archived_at":"time"}}
    api_key.revoked: USER Adam City - - Successor
      {"after":{"revoked_at":"time"},"before":{"revoked_at":null}}
    service_token.created: OPERATOR Olga - - - Token
      {"after":{"customer_ids":null,"environments":null,"expires_at":null,"name":"gateway","scopes":["configs:read"]}}
    service_token.rotated: OPERATOR Olga - - - Token
      {"after":{"expires_at":"time","replaced_by":"id"},"before":{"expires_at":null,"replaced_by":null}}
    service_token.revoked: OPERATOR Olga - - - Token
      {"after":{"revoked_at":"time"},"before":{"revoked_at":null}}
    operator.added: SYSTEM - - - - -
      {}
    operator.removed: SYSTEM - - - - -
      {}
    customer.billing_status_set: OPERATOR Olga Town - - -
      {"after":"CANCELED","before":"ACTIVE"}
    customer.erased: OPERATOR Olga Town - - -
      {"agents":0,"api_keys":0,"invitations":0,"members":1,"users":1,"versions":0}
    api_key.created: SYSTEM - City - - id
      {"after":{"expires_at":null,"scopes":["agents:read"]}}
    "#);

    let mut owner = PgConnection::connect(&app.database.admin_url).await.unwrap();
    sqlx::raw_sql("UPDATE registry.log_floor SET keep = '0'").execute(&mut owner).await.unwrap();
    let before = app.registry.head().await.unwrap().revision.0;
    assert!(app.registry.prune(Utc::now()).await.unwrap());
    let (pruned, lines) = self::lines(&app, &names, before).await;
    assert_snapshot!(lines, @r#"
    log.pruned: SYSTEM - - - - -
      {"after":{"chain_hash":"hash","position":1,"revision":44},"before":{"revision":0}}
    "#);
    actions.extend(pruned);

    let missing: Vec<String> = ChangeAction::iter()
        .map(|action| action.to_value())
        .filter(|action| !actions.contains(action))
        .collect();
    assert!(missing.is_empty(), "no entry of these kinds: {missing:?}");
}
