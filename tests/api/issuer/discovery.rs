//! Issuers that are found by their description, and several issuers at a time.

use agent_registry::domain::{
    Caller,
    auth::{
        Issuer,
        jwks::{IssuerSettings, JwksError, OutsideIssuer, Source},
    },
};
use serde_json::{Value, json};

use super::{Publisher, Reply, Signer, VIEWER, World, assert_refused, set};
use crate::support::{App, app::Setup, log};

fn described(publisher: &Publisher) -> IssuerSettings {
    let source = Source::discover(&publisher.issuer).unwrap();
    IssuerSettings::new(publisher.issuer.clone(), "agent-registry", source)
}

#[tokio::test]
async fn the_keys_are_found_by_the_issuers_description() {
    let (old, new) = (Signer::ec("old"), Signer::rsa("new"));
    let publisher = Publisher::start(Reply::Set(set([&old]))).await;
    let world = World::with(described(&publisher)).await;
    world.keys.refresh().await.unwrap();
    assert!(world.knows(&old).await && publisher.asked() == 1);
    // A rotated key is found the same way.
    publisher.says(Reply::Set(set([&new])));
    assert!(world.knows(&new).await && !world.knows(&old).await);
    assert_eq!(world.revision().await, 0);
}

#[tokio::test]
async fn the_description_of_another_issuer_is_not_used() {
    let signer = Signer::ed("ed");
    let publisher = Publisher::start(Reply::Set(set([&signer]))).await;
    let other = IssuerSettings { issuer: format!("{}/", publisher.issuer), ..described(&publisher) };
    let world = World::with(other).await;
    assert!(matches!(world.keys.refresh().await, Err(JwksError::Discovery(..))));
    assert!(!world.knows(&signer).await);
    assert_eq!(publisher.asked(), 0, "the key set was not fetched");
}

/// Two issuers. Both publish a key with the same id, and both know a subject "eve".
#[tokio::test]
async fn a_token_is_checked_by_the_issuer_that_it_names() {
    let (ours, theirs) = (Signer::ed("key"), Signer::ec("key"));
    let (first, second) = (
        Publisher::start(Reply::Set(set([&ours]))).await,
        Publisher::start(Reply::Set(set([&theirs]))).await,
    );
    let mut outside = Vec::new();
    for (publisher, audience) in [(&first, "agent-registry"), (&second, "the-others")] {
        let issuer = OutsideIssuer::new(IssuerSettings {
            audiences: vec![audience.to_owned()],
            ..described(publisher)
        });
        let issuer = issuer.unwrap();
        issuer.refresh().await.unwrap();
        outside.push(issuer);
    }
    let app = App::set_up(Setup { issuer: Some(Issuer::Outside(outside)), ..Setup::default() }).await;
    app.registry.add_operator(&Caller::system("test"), &first.issuer, "eve").await.unwrap();
    let expires = app.clock.now().timestamp() + 600;
    let token = |signer: &Signer, issuer: &str, audience: &str| {
        signer.token(&json!({ "iss": issuer, "aud": audience, "sub": "eve", "exp": expires }))
    };
    for (signer, publisher, audience, operator) in
        [(&ours, &first, "agent-registry", true), (&theirs, &second, "the-others", false)]
    {
        let eve = app.bearer(&token(signer, &publisher.issuer, audience));
        assert_eq!(eve.gql(VIEWER, Value::Null).await.at("/viewer/isOperator"), &json!(operator));
    }
    let before = app.registry.head().await.unwrap().revision;
    for (what, token) in [
        ("another issuer's key", token(&theirs, &first.issuer, "agent-registry")),
        ("another issuer's name", token(&ours, &second.issuer, "the-others")),
        ("another issuer's audience", token(&theirs, &second.issuer, "agent-registry")),
        ("an issuer that isn't configured", token(&ours, "https://elsewhere.invalid", "agent-registry")),
        ("the local issuer", token(&ours, "urn:agent-registry:local", "agent-registry")),
    ] {
        assert_refused(&app.bearer(&token).gql(VIEWER, Value::Null).await, what);
    }
    assert_eq!(app.registry.head().await.unwrap().revision, before);
    // A command must say which issuer it means.
    assert!(app.registry.issuer().is_err());
}

#[tokio::test]
async fn the_log_says_why_a_token_is_refused_and_never_contains_it() {
    let (signer, other) = (Signer::ed("ed"), Signer::ed("ed"));
    let publisher = Publisher::start(Reply::Set(set([&signer]))).await;
    let world = World::with(described(&publisher)).await;
    world.keys.refresh().await.unwrap();
    let now = world.app.clock.now().timestamp();
    let token = |change: Value| world.token(&signer, change);
    let marker = world.app.anonymous();
    for (token, reason) in [
        (
            token(json!({ "aud": ["account", "else"] })),
            "its audience is \"account\", \"else\"; expected is \"agent-registry\"",
        ),
        (token(json!({ "iss": "https://e.invalid\n" })), "its issuer (iss) is \"https://e.invalid\\n\""),
        (token(json!({ "exp": now - 600 })), "it expired at"),
        (token(json!({ "nbf": now + 600 })), "it is valid from"),
        (token(json!({ "sub": null })), "its claim sub is missing"),
        (world.token(&other, json!({})), "its signature is not of its key"),
        (
            signer.headed(json!({ "kid": "gone" }), &world.claims(json!({}))),
            "publishes no usable key with its key id (kid) \"gone\"",
        ),
        (
            signer.headed(json!({ "alg": "RS256" }), &world.claims(json!({}))),
            "its algorithm (alg) is \"RS256\", but its key is for EdDSA",
        ),
        (
            signer.headed(json!({ "typ": "logout+jwt" }), &world.claims(json!({}))),
            "its type (typ) is \"logout+jwt\"",
        ),
        (
            signer.headed(json!({ "jku": "https://e.invalid" }), &world.claims(json!({}))),
            "its header has jku",
        ),
        ("nonsense".to_owned(), "it isn't a JWT"),
    ] {
        let id = uuid::Uuid::now_v7().to_string();
        let request = marker.request(reqwest::Method::GET, "/v1/agents").header("x-request-id", &id);
        let answer = request.bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{reason}");
        let lines = log::lines_with(&id);
        assert!(
            lines.iter().any(|line| line.contains(reason) && line.contains("INFO")),
            "{reason}: {lines:?}"
        );
        assert!(lines.iter().all(|line| !line.contains(&token)), "{lines:?}");
    }
}
