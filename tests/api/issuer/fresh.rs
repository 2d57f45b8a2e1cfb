//! Key rotation at an outside issuer: published keys become known in time, and a failing source changes nothing.

use std::{sync::Arc, time::Duration};

use agent_registry::domain::{Caller, Principal, UserPrincipal, auth::jwks::JwksError};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::{sync::Notify, time::timeout};

use super::{KeyFile, Publisher, Reply, Signer, VIEWER, World, assert_refused, set};
use crate::support::wait::eventually;

/// How long to wait for an event: many times what it takes.
const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_key_that_is_published_ahead_is_known_before_it_is_used() {
    let (old, new) = (Signer::ed("old"), Signer::ec("new"));
    let publisher = Publisher::start(Reply::Set(set([&old]))).await;
    let world = World::new(publisher.source()).await;
    publisher.says(Reply::Set(set([&old, &new])));
    world.keys.refresh().await.unwrap();
    let asked = publisher.asked();
    assert!(world.knows(&new).await && world.knows(&old).await);
    assert_eq!(publisher.asked(), asked, "no token caused a fetch");
}

#[tokio::test]
async fn a_key_that_left_the_set_is_refused() {
    let (old, new) = (Signer::ed("old"), Signer::ec("new"));
    let publisher = Publisher::start(Reply::Set(set([&old, &new]))).await;
    let file = KeyFile::new(&set([&old, &new]));
    let (from_address, from_file) = (World::new(publisher.source()).await, World::new(file.source()).await);
    for world in [&from_address, &from_file] {
        assert!(world.knows(&old).await);
    }
    publisher.says(Reply::Set(set([&new])));
    file.write(&set([&new]));
    for world in [&from_address, &from_file] {
        world.keys.refresh().await.unwrap();
        assert!(!world.knows(&old).await && world.knows(&new).await);
        assert_eq!(world.revision().await, 0);
    }
}

#[tokio::test]
async fn another_key_under_the_same_name_takes_its_place() {
    let (first, second) = (Signer::ed("key"), Signer::ed("key"));
    let publisher = Publisher::start(Reply::Set(set([&first]))).await;
    let world = World::new(publisher.source()).await;
    assert!(world.knows(&first).await && !world.knows(&second).await);
    publisher.says(Reply::Set(set([&second])));
    world.keys.refresh().await.unwrap();
    assert!(!world.knows(&first).await && world.knows(&second).await);
    assert_eq!((publisher.asked(), world.revision().await), (2, 0));
}

#[tokio::test]
async fn a_token_of_a_new_key_is_worth_one_question_in_half_a_minute() {
    let (old, new, newest) = (Signer::ed("old"), Signer::ec("new"), Signer::ed("newest"));
    let publisher = Publisher::start(Reply::Set(set([&old]))).await;
    let world = World::new(publisher.source()).await;
    publisher.says(Reply::Set(set([&old, &new])));
    assert!(world.knows(&new).await, "its first token causes a fetch");
    publisher.says(Reply::Set(set([&old, &new, &newest])));
    assert!(!world.knows(&newest).await, "half a minute allows one fetch");
    assert_eq!(publisher.asked(), 2);
    world.keys.refresh().await.unwrap();
    assert!(world.knows(&newest).await, "a regular refresh fetches the key");
    assert_eq!(world.revision().await, 0);
}

#[tokio::test]
async fn many_tokens_of_many_unknown_keys_ask_once() {
    let known = Signer::ed("known");
    for reply in [Reply::Set(set([&known])), Reply::HangUp, Reply::Text("rubbish".to_owned())] {
        let publisher = Publisher::start(Reply::Set(set([&known]))).await;
        let world = World::new(publisher.source()).await;
        publisher.says(reply);
        let before = publisher.asked();
        for _ in 0..3 {
            let tokens = (0..50).map(|at| {
                let kid = format!("made-up-{at}");
                world.app.bearer(&known.headed(json!({ "kid": kid }), &world.claims(json!({}))))
            });
            let answers = tokens.map(async |eve| eve.gql(VIEWER, Value::Null).await);
            for answer in join_all(answers).await {
                assert_refused(&answer, "a made-up key");
            }
        }
        assert_eq!(publisher.asked(), before + 1);
        assert!(world.knows(&known).await);
        assert_eq!(world.revision().await, 0);
    }
}

#[tokio::test]
async fn an_issuer_that_was_down_at_the_start_is_asked_with_the_first_token() {
    let signer = Signer::rsa("rsa");
    let publisher = Publisher::start(Reply::HangUp).await;
    let world = World::unread(publisher.source()).await;
    assert!(matches!(world.keys.refresh().await, Err(JwksError::Fetch(..))));
    publisher.says(Reply::Set(set([&signer])));
    assert!(world.knows(&signer).await);
    assert_eq!(publisher.asked(), 2);
}

#[tokio::test]
async fn a_source_in_error_changes_nothing() {
    let (known, other) = (Signer::ed("known"), Signer::ed("other"));
    let elsewhere = Publisher::start(Reply::Set(set([&other]))).await;
    let mut publisher = Publisher::start(Reply::Set(set([&known]))).await;
    let world = World::new(publisher.source()).await;
    let good = set([&other]).to_string();
    let mut private = other.jwk.clone();
    private["use"] = "enc".into();
    let text = |text: &str| Reply::Text(text.to_owned());
    let replies = [
        ("a closed connection", Reply::HangUp),
        ("500", Reply::Status(500, set([&other]))),
        ("404", Reply::Status(404, set([&other]))),
        ("304", Reply::Status(304, json!({}))),
        ("a redirection", Reply::Redirect(elsewhere.url.clone())),
        ("nothing", text("")),
        ("rubbish", text("<html>not now</html>")),
        ("half a set", text(&good[..good.len() - 2])),
        ("two sets", text(&format!("{good}{good}"))),
        ("null", text("null")),
        ("a list", text(&format!("[{}]", other.jwk))),
        ("a key alone", text(&other.jwk.to_string())),
        ("keys that are no list", Reply::Set(json!({ "keys": { "other": other.jwk } }))),
        ("an empty set", Reply::Set(json!({ "keys": [] }))),
        ("a set of nothing usable", Reply::Set(json!({ "keys": [null, 1, "x", {}, private] }))),
        ("too large", text(&format!("{}{good}", " ".repeat(1024 * 1024)))),
        ("endless", Reply::Endless),
    ];
    for (what, reply) in replies {
        publisher.says(reply);
        let refreshed = timeout(DEADLINE, world.keys.refresh()).await;
        assert!(refreshed.unwrap().is_err(), "{what}");
        assert!(world.knows(&known).await, "after {what}");
    }
    assert!(!world.knows(&other).await, "the failed response was not used");
    assert_eq!(elsewhere.asked(), 0, "a redirection is not followed");
    publisher.ends().await;
    assert!(matches!(world.keys.refresh().await, Err(JwksError::Fetch(..))));
    assert!(world.knows(&known).await, "while nothing listens");
    assert_eq!(world.revision().await, 0);
}

#[tokio::test]
async fn a_file_that_is_gone_or_spoiled_changes_nothing() {
    let known = Signer::ed("known");
    let file = KeyFile::new(&set([&known]));
    let world = World::new(file.source()).await;
    file.write(&json!({ "keys": [] }));
    assert!(matches!(world.keys.refresh().await, Err(JwksError::NoUsableKey(_))));
    assert!(world.knows(&known).await);
    std::fs::remove_file(&file.0).unwrap();
    assert!(matches!(world.keys.refresh().await, Err(JwksError::File(..))));
    assert!(world.knows(&known).await);
}

#[tokio::test]
async fn a_source_that_does_not_answer_holds_up_nobody_else() {
    let known = Signer::ed("known");
    let publisher = Publisher::start(Reply::Set(set([&known]))).await;
    let world = World::new(publisher.source()).await;
    let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    publisher.says(Reply::Wait { asked: Arc::clone(&asked), go_on: Arc::clone(&go_on) });
    let unknown = world.app.bearer(&known.headed(json!({ "kid": "unknown" }), &world.claims(json!({}))));
    let waiting = tokio::spawn(async move { unknown.gql(VIEWER, Value::Null).await });
    timeout(DEADLINE, asked.notified()).await.unwrap();
    assert!(world.knows(&known).await);
    assert!(!waiting.is_finished(), "only the request with the unknown key waits");
    go_on.notify_one();
    assert_refused(&timeout(DEADLINE, waiting).await.unwrap().unwrap(), "an unknown key");
    assert_eq!((publisher.asked(), world.revision().await), (2, 0));
}

#[tokio::test]
async fn a_command_makes_every_instance_read_the_keys_again() {
    let (old, new) = (Signer::ed("old"), Signer::ec("new"));
    let publisher = Publisher::start(Reply::Set(set([&old, &new]))).await;
    let world = World::new(publisher.source()).await;
    assert!(world.knows(&old).await);
    publisher.says(Reply::Set(set([&new])));
    assert!(world.knows(&old).await, "the withdrawn key is known still");
    world.app.registry.refresh_issuer_keys(&Caller::system("test")).await.unwrap();
    eventually("the withdrawn key is refused", async || !world.knows(&old).await).await;
    assert!(world.knows(&new).await);
    // Only an operator may.
    let (asked, before) = (publisher.asked(), world.revision().await);
    let stranger = Caller { principal: user(&world), ..Caller::system("test") };
    assert!(world.app.registry.refresh_issuer_keys(&stranger).await.is_err());
    assert_eq!((publisher.asked(), world.revision().await), (asked, before));
}

/// A person without any right.
fn user(world: &World) -> Principal {
    Principal::User(UserPrincipal {
        id: world.app.clock.id(),
        has_profile: false,
        issuer: "issuer".to_owned(),
        subject: "stranger".to_owned(),
        email: None,
        email_verified: false,
        name: None,
        operator: false,
        memberships: std::collections::BTreeMap::new(),
        plan: agent_registry::domain::customer::Plan::Free,
        expires_at: world.app.clock.now() + chrono::TimeDelta::hours(1),
        session: None,
        sync_at: None,
    })
}
