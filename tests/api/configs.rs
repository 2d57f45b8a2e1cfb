//! The `configs` subscription: a snapshot of one revision, then each change with its revision, with bookmarks.

mod unfollowed;

use agent_registry::domain::{KeyScope, ServiceScope, member::Role};
use serde_json::{Value, json};

use crate::support::{
    App, Calls,
    caller::{Client, Operator},
    socket::{Frame, Socket},
};

const CONFIGS: &str = "subscription ($customer: ID, $agents: [ID!], $after: Cursor) {
    configs(customerId: $customer, agentIds: $agents, after: $after) {
        kind reason revision cursor agentId config { name versionNumber systemPrompt revision } } }";

/// A customer's agents in the order of their names. Each serves a version whose prompt is its name.
struct City {
    operator: Operator,
    customer: String,
    agents: Vec<String>,
}

impl City {
    async fn of(app: &App, names: &[&str]) -> Self {
        let operator = app.operator().await;
        let customer = operator.customer("City").await;
        let mut agents = Vec::new();
        for name in names {
            let agent = operator.agent(&customer, name).await;
            let version = operator.publish(&agent, name).await;
            operator.activate(&agent, &version).await;
            agents.push(agent);
        }
        Self { operator, customer, agents }
    }

    async fn set_status(&self, status: &str) {
        let set = "mutation ($input: SetBillingStatusInput!) { setBillingStatus(input: $input) { userErrors { code } } }";
        let input = json!({ "input": { "customerId": self.customer, "status": status } });
        assert_eq!(self.operator.gql(set, input).await.at("/setBillingStatus/userErrors"), &json!([]));
    }
}

async fn watch(client: &Client, variables: Value) -> Socket {
    let mut socket = client.socket().await;
    socket.subscribe("1", CONFIGS, variables).await;
    socket
}

/// The next event's kind, and the event.
async fn next(socket: &mut Socket) -> (String, Value) {
    let mut event = socket.event().await;
    assert_eq!(event.get("errors"), None, "{event}");
    let event = event["data"]["configs"].take();
    (event["kind"].as_str().unwrap().to_owned(), event)
}

/// The events up to the next bookmark, sorted, each as its kind with its name or reason; and the bookmark.
async fn until_bookmark(socket: &mut Socket) -> (Vec<String>, Value) {
    let mut seen = Vec::new();
    loop {
        let (kind, event) = next(socket).await;
        if kind == "BOOKMARK" {
            seen.sort();
            return (seen, event);
        }
        let what = event["config"]["name"].as_str().or_else(|| event["reason"].as_str()).unwrap();
        seen.push(format!("{kind} {what}"));
    }
}

fn revision(event: &Value) -> i64 {
    event["revision"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn it_begins_with_what_serves_and_goes_on_with_each_change() {
    let app = App::start().await;
    let city = City::of(&app, &["a", "b"]).await;
    city.operator.agent(&city.customer, "serves nothing").await;
    let head = app.registry.head().await.unwrap().revision.0;
    let mut socket = watch(&*app.gateway().await, json!({})).await;
    let (snapshot, bookmark) = until_bookmark(&mut socket).await;
    assert_eq!(snapshot, ["SNAPSHOT a", "SNAPSHOT b"]);
    assert!(revision(&bookmark) >= head && bookmark["cursor"].is_string());

    // Publishing and activating in one commit gives one event.
    let input =
        json!({ "agentId": city.agents[0], "systemPrompt": "more", "modelName": "m", "activate": true });
    city.operator.publish_input(input).await;
    let (kind, event) = next(&mut socket).await;
    assert_eq!((kind.as_str(), &event["config"]["systemPrompt"]), ("UPSERT", &json!("more")));
    assert_eq!(event["revision"], event["config"]["revision"]);
    assert_eq!(event["cursor"], Value::Null);

    let rename =
        "mutation ($id: ID!) { updateAgent(input: { agentId: $id, name: \"new\" }) { userErrors { code } } }";
    city.operator.gql(rename, json!({ "id": city.agents[1] })).await;
    let (kind, event) = next(&mut socket).await;
    assert_eq!((kind.as_str(), &event["config"]["name"]), ("UPSERT", &json!("new")));

    let archive = "mutation ($id: ID!) { archiveAgent(input: { agentId: $id }) { userErrors { code } } }";
    city.operator.gql(archive, json!({ "id": city.agents[1] })).await;
    let (kind, event) = next(&mut socket).await;
    assert_eq!((kind.as_str(), &event["reason"]), ("REMOVE", &json!("ARCHIVED")));
    assert_eq!((&event["agentId"], &event["config"]), (&json!(city.agents[1]), &Value::Null));

    let deactivate = "mutation ($id: ID!) { deactivate(input: { agentId: $id }) { userErrors { code } } }";
    city.operator.gql(deactivate, json!({ "id": city.agents[0] })).await;
    let (kind, event) = next(&mut socket).await;
    assert_eq!((kind.as_str(), &event["reason"]), ("REMOVE", &json!("DEACTIVATED")));
}

#[tokio::test]
async fn suspension_takes_all_away_and_its_end_brings_it_back() {
    let app = App::start().await;
    let city = City::of(&app, &["a", "b"]).await;
    let mut socket = watch(&*app.gateway().await, json!({})).await;
    until_bookmark(&mut socket).await;
    city.set_status("SUSPENDED").await;
    assert_eq!(until_bookmark(&mut socket).await.0, ["REMOVE SUSPENDED", "REMOVE SUSPENDED"]);
    // What the platform changes meanwhile isn't served, and gives no event.
    let version = city.operator.publish(&city.agents[0], "meanwhile").await;
    city.operator.activate(&city.agents[0], &version).await;
    // A new subscriber gets an empty snapshot.
    let mut late = watch(&*app.gateway().await, json!({})).await;
    assert!(until_bookmark(&mut late).await.0.is_empty());
    // From SUSPENDED to PAST_DUE: served again.
    city.set_status("PAST_DUE").await;
    for socket in [&mut socket, &mut late] {
        let mut seen = Vec::new();
        for _ in 0..2 {
            let (kind, event) = next(socket).await;
            seen.push(format!("{kind} {}", event["config"]["systemPrompt"].as_str().unwrap()));
        }
        seen.sort();
        assert_eq!(seen, ["UPSERT b", "UPSERT meanwhile"]);
        assert_eq!(next(socket).await.0, "BOOKMARK");
    }
    // A change from one served status to another gives no event.
    city.set_status("ACTIVE").await;
    city.set_status("CANCELED").await;
    assert_eq!(until_bookmark(&mut socket).await.0, ["REMOVE CANCELED", "REMOVE CANCELED"]);
}

#[tokio::test]
async fn a_bookmark_leads_back_and_is_bound_to_its_reader() {
    let app = App::start().await;
    let city = City::of(&app, &["a", "b"]).await;
    let gateway = app.gateway().await;
    let mut socket = watch(&gateway, json!({})).await;
    let (_, bookmark) = until_bookmark(&mut socket).await;
    drop(socket);
    for (agent, prompt) in city.agents.iter().zip(["a2", "b2"]) {
        let input = json!({ "agentId": agent, "systemPrompt": prompt, "modelName": "m", "activate": true });
        city.operator.publish_input(input).await;
    }
    let mut socket = watch(&gateway, json!({ "after": bookmark["cursor"] })).await;
    for prompt in ["a2", "b2"] {
        let (kind, event) = next(&mut socket).await;
        assert_eq!((kind.as_str(), &event["config"]["systemPrompt"]), ("UPSERT", &json!(prompt)));
    }
    // An event shows the state at its own commit, even when it is read after a later one.
    let mut socket = watch(&gateway, json!({ "after": "0" })).await;
    let mut seen = Vec::new();
    while seen.len() < 4 {
        let (kind, event) = next(&mut socket).await;
        if kind == "UPSERT" {
            seen.push(event["config"]["systemPrompt"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen, ["a", "b", "a2", "b2"]);

    let admin = app.member(&city.customer, Role::Admin).await;
    let cursor = bookmark["cursor"].as_str().unwrap();
    let others = [
        (&*admin, json!({ "after": cursor })),
        (&*gateway, json!({ "after": cursor, "customer": city.customer })),
        (&*gateway, json!({ "after": cursor, "agents": [city.agents[0]] })),
        (&*gateway, json!({ "after": cursor.rsplit_once('.').unwrap().0 })),
        (&*gateway, json!({ "after": "nonsense" })),
        (&*gateway, json!({ "after": "999999" })),
    ];
    for (at, (client, variables)) in others.into_iter().enumerate() {
        let mut socket = watch(client, variables.clone()).await;
        match socket.next().await {
            Frame::Message(message) => {
                assert_eq!(message["type"], "error", "{variables}");
                assert_eq!(message["payload"][0]["extensions"]["code"], "CURSOR_INVALID", "{variables}");
                let reason = if at < 4 { "is of another subscription" } else { "is not one of this log" };
                let said = message["payload"][0]["message"].as_str().unwrap();
                assert!(said.contains(reason), "{variables}: {said}");
            }
            closed @ Frame::Closed(..) => panic!("{closed:?}"),
        }
    }
}

#[tokio::test]
async fn it_shows_what_is_asked_for_and_may_be_seen() {
    let app = App::start().await;
    let city = City::of(&app, &["a", "b"]).await;
    let town = city.operator.customer("Town").await;
    let other = city.operator.agent(&town, "other").await;
    let version = city.operator.publish(&other, "other").await;
    city.operator.activate(&other, &version).await;
    let program = app.program(&city.customer, [KeyScope::ConfigsRead, KeyScope::ActivationsWatch]).await;
    let viewer = app.member(&city.customer, Role::Viewer).await;
    let gateway = app.gateway().await;
    let all = vec!["SNAPSHOT a", "SNAPSHOT b"];
    for (client, variables, expected) in [
        (&*program, json!({}), all.clone()),
        (&*viewer, json!({}), all.clone()),
        (&*gateway, json!({}), vec!["SNAPSHOT a", "SNAPSHOT b", "SNAPSHOT other"]),
        (&*gateway, json!({ "customer": city.customer }), all),
        (&*gateway, json!({ "agents": [city.agents[1], other] }), vec!["SNAPSHOT b", "SNAPSHOT other"]),
        (&*program, json!({ "agents": [city.agents[1], other] }), vec!["SNAPSHOT b"]),
    ] {
        let mut socket = watch(client, variables.clone()).await;
        assert_eq!(until_bookmark(&mut socket).await.0, expected, "{variables}");
    }
    for (client, variables, code) in [
        (&*viewer, json!({ "customer": town }), "NOT_FOUND"),
        (&*program, json!({ "customer": town }), "NOT_FOUND"),
        (&*app.service([ServiceScope::ConfigsRead]).await, json!({}), "FORBIDDEN"),
        (&*app.service([ServiceScope::ActivationsWatch]).await, json!({}), "FORBIDDEN"),
        (&*app.program(&city.customer, [KeyScope::ConfigsRead]).await, json!({}), "FORBIDDEN"),
        (&*app.program(&city.customer, [KeyScope::ActivationsWatch]).await, json!({}), "FORBIDDEN"),
    ] {
        let mut socket = watch(client, variables).await;
        let Frame::Message(message) = socket.next().await else { panic!("closed") };
        assert_eq!(message["payload"][0]["extensions"]["code"], code, "{message}");
    }
}

#[tokio::test]
async fn a_snapshot_of_many_comes_in_pages_and_whole() {
    let app = App::start().await;
    let names: Vec<String> = (0..40).map(|nth| format!("{nth:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let city = City::of(&app, &names).await;
    let mut socket = watch(&*app.gateway().await, json!({})).await;
    // A change during the snapshot comes after the bookmark, and isn't in the snapshot.
    let (_, first) = next(&mut socket).await;
    let input =
        json!({ "agentId": city.agents[39], "systemPrompt": "later", "modelName": "m", "activate": true });
    city.operator.publish_input(input).await;
    let (rest, bookmark) = until_bookmark(&mut socket).await;
    assert_eq!(rest.len(), 39);
    let (kind, event) = next(&mut socket).await;
    assert_eq!((kind.as_str(), &event["config"]["systemPrompt"]), ("UPSERT", &json!("later")));
    assert_eq!(first["revision"], bookmark["revision"]);
    assert!(revision(&event) > revision(&bookmark));
    city.set_status("SUSPENDED").await;
    assert_eq!(until_bookmark(&mut socket).await.0, vec!["REMOVE SUSPENDED"; 40]);
}

/// A gateway gets bookmarks even when changes never stop.
#[tokio::test]
async fn bookmarks_come_however_much_goes_on() {
    let app = App::start().await;
    let city = City::of(&app, &["a"]).await;
    let mut socket = watch(&*app.gateway().await, json!({})).await;
    until_bookmark(&mut socket).await;
    let begun = std::time::Instant::now();
    let writes = async {
        for nth in 0.. {
            let input = json!({ "agentId": city.agents[0], "systemPrompt": format!("{nth}"), "modelName": "m", "activate": true });
            city.operator.publish_input(input).await;
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    };
    tokio::select! {
        () = writes => {}
        (seen, _) = until_bookmark(&mut socket) => assert!(seen.len() > 1, "{seen:?}"),
    }
    // Bookmarks come every ten seconds; allow five times that for a busy machine.
    assert!(begun.elapsed() < std::time::Duration::from_secs(50));
}

/// A gateway that names what it can't see hears so, instead of an empty stream that looks healthy.
#[tokio::test]
async fn what_is_named_and_not_there_is_said() {
    let app = App::start().await;
    let city = City::of(&app, &["a", "b"]).await;
    let gateway = app.gateway().await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    let town = city.operator.customer("Town").await;
    let names = json!([nobody, city.agents[0], nobody]);
    // After the snapshot: a gateway accepts no removal within one.
    let mut socket = watch(&gateway, json!({ "agents": names })).await;
    let (seen, bookmark) = until_bookmark(&mut socket).await;
    assert_eq!(seen, ["SNAPSHOT a"]);
    let not_found = async |socket: &mut Socket, agent: &str| {
        let (kind, event) = next(socket).await;
        assert_eq!((kind.as_str(), &event["reason"]), ("REMOVE", &json!("NOT_FOUND")));
        assert_eq!((&event["agentId"], &event["config"]), (&json!(agent), &Value::Null));
        assert_eq!(event["revision"], bookmark["revision"]);
    };
    not_found(&mut socket, nobody).await;
    // At once when it resumes, and for an agent of another customer than the one it names.
    let mut socket = watch(&gateway, json!({ "agents": names, "after": bookmark["cursor"] })).await;
    not_found(&mut socket, nobody).await;
    let mut socket = watch(&gateway, json!({ "customer": town, "agents": [city.agents[1]] })).await;
    assert_eq!(until_bookmark(&mut socket).await.0, Vec::<String>::new());
    not_found(&mut socket, &city.agents[1]).await;
    // An agent that exists and serves nothing isn't one of these.
    let idle = city.operator.agent(&city.customer, "idle").await;
    let (seen, _) = until_bookmark(&mut watch(&gateway, json!({ "agents": [idle] })).await).await;
    assert_eq!(seen, Vec::<String>::new());
    for (variables, code) in
        [(json!({ "customer": nobody }), "NOT_FOUND"), (json!({ "agents": [] }), "BAD_USER_INPUT")]
    {
        for client in [&*gateway, &*city.operator] {
            let mut socket = watch(client, variables.clone()).await;
            match socket.next().await {
                Frame::Message(message) => {
                    assert_eq!(message["type"], "error", "{variables}");
                    assert_eq!(message["payload"][0]["extensions"]["code"], code, "{variables}");
                }
                closed @ Frame::Closed(..) => panic!("{closed:?}"),
            }
        }
    }
    for field in ["activations", "changes"] {
        let watch = format!("subscription ($c: ID!) {{ {field}(customerId: $c) {{ revision }} }}");
        let mut socket = city.operator.socket().await;
        socket.subscribe("1", &watch, json!({ "c": nobody })).await;
        let Frame::Message(message) = socket.next().await else { panic!("the socket was closed") };
        assert_eq!(message["payload"][0]["extensions"]["code"], "NOT_FOUND", "{field}: {message}");
    }
}
