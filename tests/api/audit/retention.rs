//! Retention: old entries are pruned, the rest can still be proved, and a client that returns too late gets
//! CURSOR_TOO_OLD.

use agent_registry::{
    domain::{Caller, audit::IntegrityViolation, change::LogPosition},
    id::Revision,
};
use chrono::Utc;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::Desk;
use crate::support::{Calls, socket::Frame};

impl Desk {
    /// Allows pruning of entries of any age, which only the tables' owner may do.
    async fn keep_nothing(&self) {
        let mut owner = PgConnection::connect(&self.app.database.admin_url).await.unwrap();
        sqlx::raw_sql("UPDATE registry.log_floor SET keep = '0'").execute(&mut owner).await.unwrap();
    }

    /// Prunes everything but the last commit.
    async fn prune(&self) {
        self.keep_nothing().await;
        while self.app.registry.prune(Utc::now()).await.unwrap() {
            let floor = self.app.registry.head().await.unwrap();
            if floor.floor.next().next() >= floor.revision {
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_is_pruned_is_gone_and_the_rest_is_proved() {
    let desk = Desk::new().await;
    let before = desk.app.registry.head().await.unwrap();
    let system = Caller::system("test");
    assert!(!desk.app.registry.prune(Utc::now() - chrono::TimeDelta::days(1)).await.unwrap());
    assert!(!desk.app.registry.prune(Utc::now() + chrono::TimeDelta::days(1000)).await.unwrap());
    assert_eq!(
        desk.app.registry.head().await.unwrap(),
        before,
        "nothing is an hour old by the database's own clock"
    );
    desk.keep_nothing().await;
    assert!(desk.app.registry.prune(Utc::now()).await.unwrap());
    let after = desk.app.registry.head().await.unwrap();
    assert_eq!(
        (after.floor, after.revision),
        (Revision(before.revision.0 - 1), before.revision.next()),
        "the last commit stays"
    );
    let report = desk.app.registry.verify_log(&system, &[], &mut |_| {}).await.unwrap();
    assert_eq!((report.violation, report.entries), (None, 2));
    let operator = desk.app.operator().await;
    let query = "{ changes { totalCount nodes { action actor { kind } channel before after } } }";
    let answer = operator.gql(query, Value::Null).await;
    let pruned = answer.at("/changes/nodes/0");
    assert_eq!((&pruned["action"], &pruned["actor"]["kind"]), (&json!("LOG_PRUNED"), &json!("SYSTEM")));
    assert_eq!(pruned["after"]["revision"], after.floor.0);
    // An excerpt begins at the log's floor.
    let excerpt = desk.admin.get(&format!("/v1/customers/{}/audit", desk.customer)).await;
    assert!(excerpt.body.as_str().unwrap().starts_with(&format!(
        "{{\"begin\":{{\"format\":\"agent-registry-audit/1\",\"log_id\":\"{}\",\"customer_id\":\"{}\",\"revision\":{}",
        after.log_id, desk.customer, after.floor
    )));
    // Without the entry `log.pruned`, a missing beginning is a violation.
    let untold = "UPDATE registry.changes SET action = 'operator.added' WHERE action = 'log.pruned'";
    assert!(matches!(desk.after(untold, &[]).await, Some(IntegrityViolation::Entry(..))));
    let cut = "UPDATE registry.log_head AS h SET (revision, position, at, chain_hash) = (SELECT revision, position, at, chain_hash
            FROM registry.changes WHERE action <> 'log.pruned' ORDER BY revision DESC, position DESC LIMIT 1);
        DELETE FROM registry.changes WHERE action = 'log.pruned'";
    assert_eq!(desk.after(cut, &[]).await, Some(IntegrityViolation::LogStart(after.floor)));
    // Writes that would repeat an effect whose entry is pruned still succeed.
    let again = desk.editor.activate(&desk.agent, &desk.version).await;
    assert_eq!(again.at("/activateVersion/userErrors"), &json!([]));
    let rename =
        "mutation ($id: ID!) { updateAgent(input: { agentId: $id, name: \"Helper\" }) { revision } }";
    let since = desk.editor.gql(rename, json!({ "id": desk.agent })).await.text("/updateAgent/revision");
    assert_eq!(since, after.floor.to_string(), "the name was set by then");
}

#[tokio::test]
async fn who_comes_back_too_late_is_told_and_begins_anew() {
    let desk = Desk::new().await;
    let gateway = desk.app.gateway().await;
    let mut socket = gateway.socket().await;
    let configs = "subscription ($after: Cursor) { configs(after: $after) { kind cursor config { name versionNumber } } }";
    socket.subscribe("first", configs, Value::Null).await;
    assert_eq!(socket.event().await["data"]["configs"]["kind"], "SNAPSHOT");
    let bookmark = socket.event().await["data"]["configs"]["cursor"].clone();
    let activations =
        "subscription ($after: Cursor) { activations(after: $after) { cursor version { number } } }";
    for number in 2..4 {
        let version = desk.editor.publish(&desk.agent, &format!("prompt {number}")).await;
        desk.editor.activate(&desk.agent, &version).await.text("/activateVersion/revision");
        assert_eq!(socket.event().await["data"]["configs"]["kind"], "UPSERT");
    }
    desk.prune().await;
    let floor = desk.app.registry.head().await.unwrap().floor;
    for (id, query, after) in [
        ("configs", configs, bookmark.clone()),
        ("configs-0", configs, json!("0")),
        ("activations", activations, json!((floor.0 - 1).to_string())),
    ] {
        socket.subscribe(id, query, json!({ "after": after })).await;
        match socket.next().await {
            Frame::Message(message) if message["id"] == id => {
                let code = &message["payload"][0]["extensions"]["code"];
                assert_eq!(code, "CURSOR_TOO_OLD", "{message}");
            }
            other => panic!("{other:?}"),
        }
    }
    // After the floor's cursor nothing is missing; without a cursor the snapshot is complete.
    socket.subscribe("floor", activations, json!({ "after": floor.to_string() })).await;
    socket.subscribe("anew", configs, Value::Null).await;
    let mut kinds = Vec::new();
    while kinds.len() < 3 {
        let Frame::Message(message) = socket.next().await else { panic!("closed") };
        let data = &message["payload"]["data"];
        if message["id"] == "anew" {
            kinds.push(data["configs"]["kind"].clone());
            if data["configs"]["kind"] == "SNAPSHOT" {
                assert_eq!(data["configs"]["config"], json!({ "name": "Helper", "versionNumber": 3 }));
            }
        } else if message["id"] == "floor" {
            assert_eq!(data["activations"]["version"]["number"], 3);
            kinds.push(json!("activation"));
        }
    }
    kinds.sort_by_key(Value::to_string);
    assert_eq!(kinds, ["BOOKMARK", "SNAPSHOT", "activation"]);
}

#[tokio::test]
async fn a_cursor_into_the_commit_that_the_log_begins_after_is_too_old() {
    let desk = Desk::new().await;
    let input = json!({ "agentId": desk.agent, "systemPrompt": "two", "modelName": "m", "activate": true });
    let revision: i64 =
        desk.editor.publish_input(input).await.text("/publishVersion/revision").parse().unwrap();
    let operator = desk.app.operator().await;
    let query = "{ changes(first: 2) { nodes { cursor position } } }";
    let nodes = operator.gql(query, Value::Null).await.at("/changes/nodes").clone();
    let (last, middle) = (nodes[0]["cursor"].clone(), nodes[1]["cursor"].clone());
    assert_eq!((&nodes[0]["position"], &nodes[1]["position"]), (&json!(2), &json!(1)));
    operator.customer("Town").await;
    desk.prune().await;
    let head = desk.app.registry.head().await.unwrap();
    assert_eq!((head.floor.0, head.floor_position), (revision, 2));
    let place = |revision, position| LogPosition { revision: Revision(revision), position };
    for (at, is_lost) in [
        (place(revision - 1, i32::MAX), true),
        (place(revision, 1), true),
        (place(revision, 2), false),
        (place(revision, i32::MAX), false),
    ] {
        assert_eq!(head.has_pruned_after(at), is_lost, "{at}");
    }
    let mut socket = operator.socket().await;
    let query = "subscription ($after: Cursor) { changes(after: $after) { action } }";
    socket.subscribe("middle", query, json!({ "after": middle })).await;
    let Frame::Message(refused) = socket.next().await else { panic!("closed") };
    assert_eq!(refused["payload"][0]["extensions"]["code"], "CURSOR_TOO_OLD", "{refused}");
    socket.subscribe("last", query, json!({ "after": last })).await;
    assert_eq!(socket.event().await["data"]["changes"]["action"], "CUSTOMER_CREATED");
}

#[tokio::test]
async fn who_watches_a_log_that_is_set_back_begins_anew() {
    let desk = Desk::new().await;
    let gateway = desk.app.gateway().await;
    let mut socket = gateway.socket().await;
    let configs = "subscription { configs { kind config { versionNumber } } }";
    socket.subscribe("1", configs, Value::Null).await;
    for kind in ["SNAPSHOT", "BOOKMARK"] {
        assert_eq!(socket.event().await["data"]["configs"]["kind"], kind);
    }
    // Simulates a failover to a server without the last commits: other commits take their revisions.
    let mut owner = PgConnection::connect(&desk.app.database.admin_url).await.unwrap();
    let set_back = "BEGIN; SET LOCAL session_replication_role = replica;
        DELETE FROM registry.changes WHERE revision > 7;
        UPDATE registry.log_head AS h SET (revision, position, at, chain_hash) = (SELECT revision, position, at, chain_hash
            FROM registry.changes ORDER BY revision DESC, position DESC LIMIT 1);
        COMMIT";
    sqlx::raw_sql(set_back).execute(&mut owner).await.unwrap();
    let Frame::Message(ended) = socket.next().await else { panic!("closed") };
    assert_eq!(ended["payload"]["errors"][0]["extensions"]["code"], "CURSOR_INVALID", "{ended}");
    // Afterwards everything works: events arrive, and reads aren't behind.
    let mut socket = gateway.socket().await;
    socket.subscribe("2", configs, Value::Null).await;
    for kind in ["SNAPSHOT", "BOOKMARK"] {
        assert_eq!(socket.event().await["data"]["configs"]["kind"], kind);
    }
    let version = desk.editor.publish(&desk.agent, "after").await;
    let activated = desk.editor.activate(&desk.agent, &version).await;
    let revision: i64 = activated.text("/activateVersion/revision").parse().unwrap();
    assert_eq!(socket.event().await["data"]["configs"]["config"]["versionNumber"], 2);
    let path = format!("/internal/agents/{}/active?at_least={revision}", desk.agent);
    assert_eq!(gateway.get(&path).await.body["version_number"], 2);
}

#[tokio::test]
async fn configs_are_as_they_were_also_where_what_made_them_so_is_gone() {
    let desk = Desk::new().await;
    let gateway = desk.app.gateway().await;
    desk.prune().await;
    let floor = desk.app.registry.head().await.unwrap().revision.0;
    // After the floor: a rename, and a suspension that ends again.
    let rename =
        "mutation ($id: ID!) { updateAgent(input: { agentId: $id, name: \"Renamed\" }) { revision } }";
    desk.editor.gql(rename, json!({ "id": desk.agent })).await.text("/updateAgent/revision");
    let operator = desk.app.operator().await;
    let set = "mutation ($id: ID!, $to: BillingStatus!) { setBillingStatus(input: { customerId: $id, status: $to }) {
        userErrors { code message } revision } }";
    for to in ["PAST_DUE", "SUSPENDED", "ACTIVE"] {
        let done = operator.gql(set, json!({ "id": desk.customer, "to": to })).await;
        assert_eq!(done.at("/setBillingStatus/userErrors"), &json!([]), "{to}");
    }
    let mut socket = gateway.socket().await;
    let configs = "subscription ($after: Cursor) { configs(after: $after) { kind reason config { name } } }";
    socket.subscribe("1", configs, json!({ "after": floor.to_string() })).await;
    let mut events = Vec::new();
    for _ in 0..5 {
        let event = socket.event().await["data"]["configs"].clone();
        events.push(
            format!("{} {} {}", event["kind"], event["reason"], event["config"]["name"]).replace('"', ""),
        );
    }
    assert_eq!(
        events,
        [
            "UPSERT null Renamed",
            "REMOVE SUSPENDED null",
            "BOOKMARK null null",
            "UPSERT null Renamed",
            "BOOKMARK null null"
        ]
    );
}

#[tokio::test]
async fn the_services_role_takes_no_entry_away_by_itself() {
    let desk = Desk::new().await;
    let mut service = PgConnection::connect(&desk.app.database.url).await.unwrap();
    sqlx::raw_sql("SET registry.scope = 'platform'").execute(&mut service).await.unwrap();
    for statement in [
        "DELETE FROM registry.changes",
        "DELETE FROM registry.changes WHERE revision = 1",
        "UPDATE registry.log_floor SET revision = 3",
        "UPDATE registry.log_floor SET revision = -1",
        "DELETE FROM registry.log_floor",
        "TRUNCATE registry.log_floor",
    ] {
        let done = sqlx::raw_sql(statement).execute(&mut service).await;
        assert!(done.is_err() || done.unwrap().rows_affected() == 0, "{statement}");
    }
    let report = desk.verify(&[]).await;
    assert_eq!((report.violation, report.head.floor), (None, Revision::ZERO));
}
