//! The subscription `activations`: live, resumed, through another instance, and limited to visible customers.

use std::time::Duration;

use agent_registry::{
    domain::{
        Caller, activation::ActivateVersion, environment::EnvironmentKey, member::Role,
        plan::PlanConfirmation,
    },
    http::SocketLimits,
};
use serde_json::{Value, json};

use super::{ACTIVATIONS, Scene, refusal};
use crate::support::{App, Calls, socket::Socket};

/// The revisions of the next `count` events.
async fn revisions(socket: &mut Socket, count: usize) -> Vec<String> {
    let mut revisions = Vec::new();
    for _ in 0..count {
        let event = socket.event().await;
        revisions.push(event["data"]["activations"]["revision"].as_str().unwrap().to_owned());
    }
    revisions
}

/// Subscribes, and waits until the subscription is open.
async fn watch(app: &App, socket: &mut Socket, id: &str, variables: Value) {
    let watchers = app.watchers();
    socket.subscribe(id, ACTIVATIONS, variables).await;
    super::until("the subscription is open", || app.watchers() > watchers).await;
    // A subscription registers first and looks up its position in the log afterwards.
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[tokio::test]
async fn what_is_activated_arrives_whole() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let gateway = app.gateway().await;
    let mut socket = gateway.socket().await;
    let query = "subscription { activations { revision reason previousVersion { id } version { number systemPrompt } } }";
    socket.subscribe("1", query, json!({})).await;
    super::until("the subscription is open", || app.watchers() == 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let revision = scene.activate(1).await.remove(0);
    assert_eq!(
        socket.event().await,
        json!({ "data": { "activations": { "revision": revision, "reason": "ACTIVATE", "previousVersion": null,
            "version": { "number": 1, "systemPrompt": "one" } } } })
    );
    socket.send(json!({ "id": "1", "type": "complete" })).await;
    super::until("the subscription has ended", || app.watchers() == 0).await;
    scene.activate(2).await;
    assert!(socket.is_quiet(Duration::from_millis(200)).await);
}

#[tokio::test]
async fn what_one_instance_activates_reaches_the_others_subscribers() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let other = app.another().await;
    let operator = other.bearer(scene.operator.token.as_deref().unwrap());
    let mut socket = operator.socket().await;
    socket.subscribe("1", ACTIVATIONS, json!({})).await;
    super::until("the subscription is open", || other.watchers() == 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let made = scene.activate(4).await;
    assert_eq!(revisions(&mut socket, 4).await, made);
    other.stop().await;
}

#[tokio::test]
async fn after_replays_what_was_missed_once_and_in_order() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let mut socket = scene.operator.socket().await;
    watch(&app, &mut socket, "1", json!({})).await;
    let mut made = scene.activate(3).await;
    let first = socket.event().await;
    let cursor = &first["data"]["activations"]["cursor"];
    drop(socket);
    made.extend(scene.activate(4).await);
    let mut socket = scene.operator.socket().await;
    socket.subscribe("2", ACTIVATIONS, json!({ "after": cursor })).await;
    assert_eq!(revisions(&mut socket, 6).await, made[1..]);
    // A bare revision means the end of that commit.
    socket.subscribe("3", ACTIVATIONS, json!({ "after": made[4] })).await;
    assert_eq!(revisions(&mut socket, 2).await, made[5..]);
    socket.subscribe("4", ACTIVATIONS, json!({ "after": "0" })).await;
    assert_eq!(revisions(&mut socket, 7).await, made);
    assert!(socket.is_quiet(Duration::from_millis(200)).await);
}

#[tokio::test]
async fn replay_passes_into_live_without_gap_or_twin() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let mut made = scene.activate(5).await;
    let writing = scene.activate(40);
    let reading = async {
        let mut seen = Vec::new();
        for _ in 0..8 {
            let mut socket = scene.operator.socket().await;
            socket.subscribe("1", ACTIVATIONS, json!({ "after": "0" })).await;
            seen.push((revisions(&mut socket, 5).await, socket));
        }
        seen
    };
    let (written, seen) = tokio::join!(writing, reading);
    made.extend(written);
    for (mut revisions, mut socket) in seen {
        revisions.extend(self::revisions(&mut socket, 40).await);
        assert_eq!(revisions, made);
    }
}

#[tokio::test]
async fn another_customers_never_arrive() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let town = scene.operator.customer("Town").await;
    let viewer = app.member(&town, Role::Viewer).await;
    let theirs = viewer.operator_agent(&scene, &town).await;
    let mut socket = viewer.socket().await;
    socket.subscribe("1", ACTIVATIONS, json!({ "customer": scene.customer })).await;
    assert_eq!(refusal(socket.next().await, "1"), "NOT_FOUND");
    watch(&app, &mut socket, "2", json!({ "after": "0" })).await;
    socket.subscribe("3", ACTIVATIONS, json!({ "agents": [scene.agent], "after": "0" })).await;
    scene.activate(3).await;
    scene.operator.activate(&theirs.0, &theirs.1).await;
    let event = socket.event().await;
    assert_eq!(event["data"]["activations"]["agent"]["id"], theirs.0);
    assert!(socket.is_quiet(Duration::from_millis(200)).await);
    // A user of no customer receives nothing.
    let mut stranger = app.stranger().socket().await;
    stranger.subscribe("1", ACTIVATIONS, json!({ "after": "0" })).await;
    assert!(stranger.is_quiet(Duration::from_millis(200)).await);
}

impl crate::support::caller::Member {
    /// An agent of this customer, made by the scene's operator. Returns the ids of the agent and its version.
    async fn operator_agent(&self, scene: &Scene, customer: &str) -> (String, String) {
        let agent = scene.operator.agent(customer, "Theirs").await;
        let version = scene.operator.publish(&agent, "theirs").await;
        (agent, version)
    }
}

#[tokio::test]
async fn agents_and_customers_are_filtered() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let town = scene.operator.customer("Town").await;
    let second = scene.operator.agent(&scene.customer, "Second").await;
    let third = scene.operator.agent(&town, "Third").await;
    let mut socket = scene.operator.socket().await;
    let variables = json!({ "agents": [second, third], "customer": scene.customer });
    watch(&app, &mut socket, "1", variables.clone()).await;
    for agent in [&second, &third] {
        let version = scene.operator.publish(agent, "x").await;
        scene.activate(2).await;
        scene.operator.activate(agent, &version).await;
    }
    assert_eq!(socket.event().await["data"]["activations"]["agent"]["id"], second);
    assert!(socket.is_quiet(Duration::from_millis(200)).await);
    let many = vec![second.clone(); 1001];
    socket.subscribe("2", ACTIVATIONS, json!({ "agents": many })).await;
    assert_eq!(refusal(socket.next().await, "2"), "BAD_USER_INPUT");
}

/// A commit that a subscriber may not see costs no statement for it.
#[tokio::test]
async fn what_others_commit_sends_nobody_back_to_the_log() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let town = scene.operator.customer("Town").await;
    let viewer = app.member(&town, Role::Viewer).await;
    // The last visible entry isn't the end of the log.
    scene.activate(2).await;
    let mut socket = viewer.socket().await;
    for id in 0..20 {
        socket.subscribe(&id.to_string(), ACTIVATIONS, json!({ "after": "0" })).await;
    }
    super::until("the subscriptions are open", || app.watchers() == 20).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let cost = async |times| {
        let before = app.registry.statements();
        scene.activate(times).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        app.registry.statements() - before
    };
    let watched = cost(10).await;
    drop(socket);
    super::until("no subscription is open", || app.watchers() == 0).await;
    let unwatched = cost(10).await;
    assert_eq!(watched, unwatched, "statements for ten activations");
}

/// The client doesn't read while more commits happen than the broadcast holds. It gets them all from the log.
#[tokio::test]
async fn who_falls_behind_reads_on_from_the_log() {
    let app = App::with(SocketLimits { send: Duration::from_secs(120), ..SocketLimits::default() }).await;
    let scene = Scene::on(&app).await;
    let long = scene.operator.publish(&scene.agent, &"x".repeat(500 * 1024)).await;
    let mut socket = scene.operator.socket().await;
    watch(&app, &mut socket, "1", json!({})).await;
    // These fill the connection, so that the subscription blocks.
    let mut made = Vec::new();
    for _ in 0..30 {
        let answer = scene.operator.activate(&scene.agent, &long).await;
        made.push(answer.text("/activateVersion/revision"));
        made.extend(scene.activate(1).await);
    }
    // Called on the registry directly, because there are many.
    let system = Caller::system("test");
    for turn in 0..1060 {
        let input = ActivateVersion {
            agent_id: scene.agent.parse().unwrap(),
            version_id: scene.versions[turn % 2].parse().unwrap(),
            environment: EnvironmentKey::DEFAULT,
            expected: None,
            plan: PlanConfirmation::default(),
        };
        let changed = app.registry.activate_version(&system, input).await.unwrap();
        made.push(changed.revision.to_string());
    }
    // Activating the active version changes nothing, and returns the same revision.
    made.dedup();
    assert_eq!(revisions(&mut socket, made.len()).await, made);
    assert!(socket.is_quiet(Duration::from_millis(200)).await);
}

#[tokio::test]
async fn what_a_watcher_may_not_see_costs_it_no_look_at_the_log() {
    let app = App::start().await;
    let operator = app.operator().await;
    let town = operator.customer("Town").await;
    let viewer = app.member(&town, Role::Viewer).await;
    let statements = async || {
        let before = app.registry.statements();
        for _ in 0..20 {
            operator.customer("Elsewhere").await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        app.registry.statements() - before
    };
    // The first request looks the caller up.
    statements().await;
    let alone = statements().await;
    let mut socket = viewer.socket().await;
    watch(&app, &mut socket, "1", json!({ "after": "0" })).await;
    assert_eq!(statements().await, alone);
}

/// Clients that reconnect at once must not load the database: the caller and the log's end come from memory.
#[tokio::test]
async fn who_is_known_subscribes_without_asking_the_database() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let viewer = app.member(&scene.customer, Role::Viewer).await;
    let mut socket = viewer.socket().await;
    watch(&app, &mut socket, "0", json!({})).await;
    let before = app.registry.statements();
    for id in 1..=20 {
        socket.subscribe(&id.to_string(), ACTIVATIONS, json!({})).await;
    }
    super::until("the subscriptions are open", || app.watchers() == 21).await;
    assert_eq!(app.registry.statements(), before);
    let made = scene.activate(1).await;
    assert_eq!(revisions(&mut socket, 21).await, vec![made[0].clone(); 21]);
}

/// A subscription that starts during writes receives every revision from some revision on, once and in order.
#[tokio::test]
async fn who_begins_in_the_middle_misses_nothing_from_then_on() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let begun = app.registry.head().await.unwrap().revision.0;
    let mut sockets = Vec::new();
    let writing = scene.activate(150);
    let opening = async {
        for _ in 0..40 {
            let mut socket = scene.operator.socket().await;
            socket.subscribe("1", ACTIVATIONS, json!({})).await;
            sockets.push(socket);
            tokio::time::sleep(Duration::from_millis(7)).await;
        }
    };
    let (made, ()) = tokio::join!(writing, opening);
    assert!(made.len() > 100);
    super::until("the subscriptions are open", || app.watchers() == 40).await;
    let last = scene.activate(1).await.remove(0);
    for socket in &mut sockets {
        let mut seen: Vec<i64> = Vec::new();
        while seen.last().is_none_or(|seen| seen.to_string() != last) {
            seen.push(revisions(socket, 1).await.remove(0).parse().unwrap());
        }
        assert!(seen.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{seen:?}");
        assert!(seen[0] > begun);
    }
}
