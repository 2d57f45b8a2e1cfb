//! Ends of streams without a loss of rights: the service stops, or the client disconnects.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use crate::{
    socket::{ACTIVATIONS, NAMES, Scene, until},
    support::{App, Calls, events::SseMessage},
};

#[tokio::test]
async fn a_stopping_service_ends_its_streams_at_once() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let token = scene.operator.token.as_deref().unwrap();
    let long = scene.operator.publish(&scene.agent, &"x".repeat(512 * 1024)).await;
    let stuck = super::stuck::open_with_small_buffer(&app, token, super::stuck::LONG).await;
    until("the subscription is open", || app.watchers() == 1).await;
    // More than all buffers between them hold.
    for version in [&long, &scene.versions[1]].into_iter().cycle().take(40) {
        scene.operator.activate(&scene.agent, version).await;
    }
    let streams = join_all((0..20).map(|_| scene.operator.events(ACTIVATIONS, json!({}))));
    let mut streams = streams.await;
    until("the subscriptions are open", || app.watchers() == 21).await;
    scene.activate(1).await;
    join_all(streams.iter_mut().map(|events| events.event())).await;
    let sockets = app.door.sockets.clone();
    let stopping = async {
        let asked = Instant::now();
        app.first.stop().await;
        asked.elapsed()
    };
    let (took, said) = tokio::join!(stopping, join_all(streams.into_iter().map(|events| events.rest())));
    for said in said {
        assert_eq!(said, [SseMessage::Comment("the service stops".to_owned()), SseMessage::End]);
    }
    assert_eq!(sockets.open(), 0, "stopping waits for streams");
    println!("21 streams, one of them stuck: stopped after {took:?}");
    // The service waits up to eight seconds for running operations; a stuck stream must not use them up.
    assert!(took < Duration::from_secs(7), "{took:?}");
    drop(stuck);
}

#[tokio::test]
async fn who_hangs_up_leaves_no_watcher_behind() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    for _ in 0..3 {
        let streams = join_all((0..30).map(|_| scene.operator.events(ACTIVATIONS, json!({ "after": "0" }))));
        let streams = streams.await;
        let activated = scene.activate(4);
        drop(streams);
        activated.await;
    }
    until("no watcher is left", || app.watchers() == 0).await;
    until("no permit is held", || app.door.sockets.open() == 0).await;
    for _ in 0..30 {
        let answer = scene.operator.gql(NAMES, json!({})).await;
        assert_eq!(answer.at("/customers/nodes/0/name"), "City");
    }
}
