//! Outsiders' WebSockets, open while the other customer publishes and activates. Every raw frame is searched, up to
//! the close reason.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use super::{
    leak_detector::LeakDetector,
    schema::Barred,
    world::{GATEWAY, OURS, Outsider, Side, THEIRS, World, version},
};
use crate::support::Calls;

/// How long to wait for an event.
const DEADLINE: Duration = Duration::from_secs(20);

/// A socket, and all frames in both directions.
struct SocketRecorder {
    who: String,
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    frames: Vec<Vec<u8>>,
    said: Vec<String>,
}

impl SocketRecorder {
    async fn open(who: &str, base: &str, token: &str) -> Self {
        let mut request =
            format!("{}/graphql", base.replacen("http", "ws", 1)).into_client_request().unwrap();
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (stream, response) = timeout(DEADLINE, connect_async(request)).await.unwrap().unwrap();
        let headers = response.headers().iter();
        let headers = headers.flat_map(|(name, value)| [name.as_str().as_bytes(), value.as_bytes()].concat());
        let mut tap = Self { who: who.to_owned(), frames: vec![headers.collect()], stream, said: Vec::new() };
        tap.send(
            &json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } }),
        )
        .await;
        tap
    }

    async fn send(&mut self, message: &Value) {
        self.said.push(message.to_string());
        timeout(DEADLINE, self.stream.send(Message::text(message.to_string()))).await.unwrap().unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str, variables: &Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send(&json!({ "id": id, "type": "subscribe", "payload": payload })).await;
    }

    /// Records frames until `is_it` accepts one, or until the socket ends. Returns whether one was accepted in
    /// time.
    async fn until(&mut self, time: Duration, is_it: impl Fn(&str) -> bool) -> bool {
        let listening = async {
            while let Some(frame) = self.stream.next().await {
                let bytes = match frame {
                    Ok(Message::Close(Some(close))) => {
                        format!("{} {}", close.code, close.reason).into_bytes()
                    }
                    Ok(message) => message.into_data().to_vec(),
                    Err(err) => err.to_string().into_bytes(),
                };
                let text = String::from_utf8_lossy(&bytes).into_owned();
                self.frames.push(bytes);
                if is_it(&text) {
                    return true;
                }
                if text == "{\"type\":\"ping\"}" {
                    drop(self.stream.send(Message::text("{\"type\":\"pong\"}")).await);
                }
            }
            false
        };
        timeout(time, listening).await.unwrap_or(false)
    }
}

/// The variables of each outsider's subscriptions, and whether the service accepts them.
fn watched(theirs: &Side, ours: &Side) -> Vec<(Value, bool)> {
    let (guess, own) = (&theirs.guess, &ours.guess);
    let agents: Vec<&String> = guess.agents.iter().chain(&own.agents).collect();
    let mut watched = vec![
        (json!({}), true),
        (json!({ "after": "0" }), true),
        (json!({ "agents": agents }), true),
        (json!({ "agents": guess.agents, "after": "0" }), true),
        (json!({ "customer": guess.customer, "after": "0" }), false),
        (json!({ "agents": guess.ids(), "after": guess.tag }), false),
    ];
    watched.extend(guess.places.iter().step_by(3).map(|place| (json!({ "after": place }), true)));
    watched
}

async fn open(world: &World, outsider: &Outsider) -> SocketRecorder {
    let World { app, schema, theirs, ours, .. } = world;
    let token = outsider.client.token.clone().unwrap();
    let mut tap = SocketRecorder::open(outsider.name, &app.base, &token).await;
    assert!(tap.until(DEADLINE, |text| text.contains("connection_ack")).await);
    let subscription = |field: &str, of: &str| {
        let selection = match (of, outsider.name) {
            // A service token is sent no event with a field that it may not read.
            ("Activation", GATEWAY) => {
                "{ id agent { id name } version { id systemPrompt modelName } }".to_owned()
            }
            _ => schema.selection(of, 1, &outsider.barred),
        };
        format!(
            "subscription ($customer: ID, $agents: [ID!], $after: Cursor) {{
                {field}(customerId: $customer, agentIds: $agents, after: $after) {selection} }}"
        )
    };
    let query = subscription("activations", "Activation");
    for (number, (variables, _)) in watched(theirs, ours).iter().enumerate() {
        tap.subscribe(&format!("watch-{number}"), &query, variables).await;
    }
    let configs = subscription("configs", "ConfigEvent");
    for (id, variables) in [
        ("configs", json!({})),
        ("configs-0", json!({ "after": "0" })),
        ("configs-theirs", json!({ "customer": theirs.guess.customer })),
        ("configs-agents", json!({ "agents": theirs.guess.agents })),
    ] {
        tap.subscribe(id, &configs, &variables).await;
    }
    let changes = format!(
        "subscription ($customer: ID, $after: Cursor) {{ changes(customerId: $customer, after: $after) {} }}",
        schema.selection("Change", 1, &outsider.barred)
    );
    for (id, variables) in [
        ("changes", json!({})),
        ("changes-0", json!({ "after": "0" })),
        ("changes-place", json!({ "after": theirs.guess.places[0] })),
        ("changes-theirs", json!({ "customer": theirs.guess.customer, "after": "0" })),
    ] {
        tap.subscribe(id, &changes, &variables).await;
    }
    let events = format!(
        "subscription ($customer: ID, $after: Cursor) {{ customerEvents(customerId: $customer, after: $after) {} }}",
        schema.selection("CustomerEvent", 1, &outsider.barred)
    );
    for (id, variables) in [
        ("events", json!({})),
        ("events-0", json!({ "after": "0" })),
        ("events-place", json!({ "after": theirs.guess.places[0] })),
        ("events-theirs", json!({ "customer": theirs.guess.customer, "after": "0" })),
    ] {
        tap.subscribe(id, &events, &variables).await;
    }
    let node = schema.selection("Node", 1, &outsider.barred);
    let nodes = format!("query ($ids: [ID!]!) {{ nodes(ids: $ids) {node} }}");
    tap.subscribe("nodes", &nodes, &json!({ "ids": theirs.guess.ids() })).await;
    let archive = "mutation ($id: ID!) { archiveAgent(input: { agentId: $id }) { agent { name } userErrors { message } } }";
    tap.subscribe("archive", archive, &json!({ "id": theirs.guess.agents[0] })).await;
    tap
}

/// Publishes and activates an agent's versions while others watch. Returns the id of the last version.
async fn work(side: &Side) -> String {
    let agent = &side.guess.agents[0];
    let mut version_id = String::new();
    for number in 3..6 {
        let made = side.editor.publish_input(version(agent, side.marker, number)).await;
        version_id = made.text("/publishVersion/version/id");
        side.key.activate(agent, &version_id).await.text("/activateVersion/revision");
    }
    for (verb, input) in [("rollback", "RollbackInput"), ("deactivate", "DeactivateInput")] {
        let mutation = format!("mutation ($input: {input}!) {{ {verb}(input: $input) {{ revision }} }}");
        let done = side.admin.gql(&mutation, json!({ "input": { "agentId": agent } })).await;
        done.text(&format!("/{verb}/revision"));
    }
    side.admin.activate(agent, &version_id).await.text("/activateVersion/revision");
    version_id
}

/// Opens a socket for each outsider, lets both customers work, and searches all frames. Returns their number and
/// bytes.
pub(super) async fn sockets(world: &World, outsiders: &[Outsider]) -> (usize, usize) {
    let World { app, theirs, ours, .. } = world;
    let mut taps = Vec::new();
    for outsider in outsiders {
        taps.push(open(world, outsider).await);
    }
    let live = watched(theirs, ours).iter().filter(|(_, goes_on)| *goes_on).count() * outsiders.len();
    for _ in 0..1000 {
        if app.watchers() >= live {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(app.watchers() >= live, "{} of {live} subscriptions are open", app.watchers());
    work(theirs).await;
    let last = work(ours).await;
    for tap in &mut taps {
        // Our own last event must arrive. The other customer's events are older, so they would have arrived by then.
        let is_last = |text: &str| text.contains("\"watch-0\"") && text.contains(&last);
        let came = tap
            .until(if tap.who == "stranger" { Duration::from_millis(300) } else { DEADLINE }, is_last)
            .await;
        assert_eq!(came, tap.who != "stranger", "its own customer's events reach {}", tap.who);
        tap.until(Duration::from_millis(300), |_| false).await;
        let all = tap.frames.concat();
        let all = String::from_utf8_lossy(&all);
        assert_eq!(all.contains(OURS), tap.who != "stranger", "{} hears", tap.who);
        let is_config = |frame: &Vec<u8>| {
            let frame = String::from_utf8_lossy(frame);
            frame.contains("\"id\":\"configs\"") && frame.contains(OURS)
        };
        let receives_configs = ["key", GATEWAY].contains(&tap.who.as_str());
        assert!(!receives_configs || tap.frames.iter().any(is_config), "it receives its own configs");
        let is_change = |frame: &Vec<u8>| {
            let frame = String::from_utf8_lossy(frame);
            frame.contains("\"id\":\"changes\"") && frame.contains(&last)
        };
        assert!(tap.who != "key" || tap.frames.iter().any(is_change), "it receives its own changes");
        let is_event = |frame: &Vec<u8>| {
            let frame = String::from_utf8_lossy(frame);
            frame.contains("\"id\":\"events\"") && frame.contains(&last)
        };
        let receives_events = !["stranger", GATEWAY].contains(&tap.who.as_str());
        assert!(!receives_events || tap.frames.iter().any(is_event), "{} receives its own events", tap.who);
    }
    // Close reasons: for a removed member, and for messages that break the protocol.
    let remove = "mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { revision } }";
    let user = ours.viewer.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id");
    let input = json!({ "customerId": ours.customer, "userId": user });
    ours.admin.gql(remove, json!({ "input": input })).await.text("/removeMember/revision");
    for (number, tap) in taps.iter_mut().enumerate() {
        match number {
            0 => tap.subscribe("watch-0", "{ __typename }", &json!({})).await,
            1 => tap.send(&json!({ "type": theirs.guess.agents[0] })).await,
            2 => {}
            _ => drop(tap.stream.send(Message::binary(theirs.guess.customer.clone().into_bytes())).await),
        }
        tap.until(Duration::from_secs(if number == 2 { 2 } else { 10 }), |_| false).await;
    }
    let mut nonsense = SocketRecorder::open("nobody", &app.base, &theirs.guess.customer).await;
    assert!(!nonsense.until(DEADLINE, |_| false).await);
    taps.push(nonsense);
    let (ear, texts) = (world.ear().await, theirs.guess.texts());
    heard_by(&ear, &texts, &taps);
    ear.assert_no_leaks();
    // The other customer's admin does receive the marker over the same path.
    let admin = Outsider {
        name: "their admin",
        client: theirs.admin.0.clone(),
        barred: Barred::new(),
        lean: Barred::new(),
    };
    let mut tap = open(world, &admin).await;
    assert!(tap.until(DEADLINE, |text| text.contains(THEIRS) && text.contains("watch-1")).await);
    let frames = taps.iter().flat_map(|tap| &tap.frames);
    (frames.clone().count(), frames.map(Vec::len).sum())
}

fn heard_by(ear: &LeakDetector, texts: &[String], taps: &[SocketRecorder]) {
    for tap in taps {
        let said: Vec<String> =
            texts.iter().filter(|text| tap.said.iter().any(|said| said.contains(*text))).cloned().collect();
        for frame in &tap.frames {
            ear.listen(&format!("the socket of {}", tap.who), &said, frame);
        }
    }
}
