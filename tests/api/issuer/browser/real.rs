//! The code flow at a real OpenID Connect provider (npm `oidc-provider`).

use agent_registry::domain::{
    auth::{
        claims::{ClaimMapping, ClaimName, MembershipRule},
        oidc::{SIGN_IN_LIFETIME, SignInError, SignInStart},
    },
    member::Role,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    super::{World, provider::Provider},
    CALLBACK, PUBLIC_URL, begin, finish, parameter, settings, user,
};
use crate::support::{App, log};

const SECRET: &str = "a secret: with +/=%";

/// A registry, and the provider at which people sign in to it.
struct Place {
    world: World,
    provider: Provider,
}

impl Place {
    async fn new(id: &str, secret: Option<&str>) -> Self {
        let provider = Provider::start().await;
        let world = World::with(settings(&provider.issuer, id, secret)).await;
        world.keys.refresh().await.unwrap();
        Self { world, provider }
    }

    async fn confidential() -> Self {
        Self::new("registry", Some(SECRET)).await
    }

    /// Signs this person in at the provider, and returns the address of the callback.
    async fn visit(&mut self, person: &str, start: &SignInStart) -> String {
        let callback = self.provider.ask(&format!("visit {person} {}", start.address)).await;
        callback.as_str().unwrap().to_owned()
    }

    /// Asserts that a callback is refused with this error, and that nothing was stored or logged of its code.
    async fn refuses(&self, callback: &str, cookie: &str, is_it: impl Fn(&SignInError) -> bool) {
        let before = self.world.revision().await;
        let err = finish(&self.world, callback, cookie).await.unwrap_err();
        assert!(is_it(&err), "{err:?}");
        assert_eq!(self.world.revision().await, before);
        if let Some(code) = parameter(callback, "code") {
            let told = format!("{err} {err:?} {}", err.message());
            assert!(!told.contains(&code) && log::lines_with(&code).is_empty(), "{told}");
        }
    }
}

/// A cookie with another value for one of its members.
fn planted(cookie: &str, name: &str, value: &str) -> String {
    let mut state: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cookie).unwrap()).unwrap();
    assert!(state[name].is_string(), "{name}");
    state[name] = value.into();
    URL_SAFE_NO_PAD.encode(state.to_string())
}

#[tokio::test]
async fn a_person_signs_in_with_a_browser_and_has_the_rights_of_its_claims() {
    let mut provider = Provider::start().await;
    let before = App::start().await;
    let city = before.operator().await.customer("City").await;
    let value = "staff".to_owned();
    let rule = MembershipRule { value, customer: city.parse().unwrap(), role: Role::Editor };
    let claims = ClaimMapping {
        roles: Some(ClaimName::parse("groups").unwrap()),
        memberships: vec![rule],
        ..ClaimMapping::default()
    };
    let mut settings = settings(&provider.issuer, "registry", Some(SECRET));
    settings.claims = claims;
    let world = World::on(before, settings).await;
    assert_eq!(world.app.registry.sign_in_issuers(), [&provider.issuer]);

    // The description is read by the first sign-in: nothing has read it before.
    let start = begin(&world).await;
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "registry"),
        ("redirect_uri", "http://localhost:8080/auth/callback"),
        ("scope", "openid profile email groups"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(parameter(&start.address, name).as_deref(), Some(value));
    }
    let cookie = start.state.to_cookie();
    let callback = provider.ask(&format!("visit ada {}", start.address)).await;
    let identity = finish(&world, callback.as_str().unwrap(), &cookie).await.unwrap();
    assert_eq!(identity.return_path().as_str(), "/console");
    assert!(identity.expires_at() > world.app.clock.now());
    let ada = user(&world, &identity).await;
    assert_eq!(
        (ada.issuer.as_str(), ada.subject.as_str(), ada.name.as_deref(), ada.verified_email()),
        (provider.issuer.as_str(), "ada", Some("ada of the provider"), Some("ada@city.example"))
    );
    assert_eq!(ada.memberships.values().copied().collect::<Vec<_>>(), [Role::Editor]);

    // The person may sign out at the provider too.
    let address = world.app.registry.sign_out_address(&provider.issuer, PUBLIC_URL).unwrap();
    assert_eq!(parameter(&address, "post_logout_redirect_uri").as_deref(), Some("http://localhost:8080/"));
    assert_eq!(provider.ask(&format!("open {address}")).await, json!(200));
}

#[tokio::test]
async fn a_public_client_proves_itself_by_the_verifier_alone() {
    let mut place = Place::new("public", None).await;
    let start = begin(&place.world).await;
    let cookie = start.state.to_cookie();
    let callback = place.visit("ada", &start).await;
    let stranger = planted(&cookie, "verifier", &"v".repeat(43));
    place.refuses(&callback, &stranger, |err| *err == SignInError::Code).await;

    let start = begin(&place.world).await;
    let callback = place.visit("ada", &start).await;
    let identity = finish(&place.world, &callback, &start.state.to_cookie()).await.unwrap();
    assert_eq!(identity.claims().subject, "ada");
}

#[tokio::test]
async fn a_code_is_good_once_and_for_the_browser_that_has_begun() {
    let mut place = Place::confidential().await;
    let (start, other) = (begin(&place.world).await, begin(&place.world).await);
    let (cookie, others) = (start.state.to_cookie(), other.state.to_cookie());
    let callback = place.visit("ada", &start).await;
    // Another browser, or the same one after it has begun again.
    place.refuses(&callback, &others, |err| *err == SignInError::State).await;
    place.refuses(&callback, "spoiled", |err| *err == SignInError::NoState).await;
    let query = callback.strip_prefix(CALLBACK).unwrap();
    let err = place.world.app.registry.finish_sign_in(query, None, PUBLIC_URL).await.unwrap_err();
    assert_eq!(err, SignInError::NoState);
    // None of these has used the code.
    finish(&place.world, &callback, &cookie).await.unwrap();
    place.refuses(&callback, &cookie, |err| *err == SignInError::Code).await;
}

#[tokio::test]
async fn an_id_token_of_another_sign_in_is_refused() {
    let mut place = Place::confidential().await;
    let start = begin(&place.world).await;
    let callback = place.visit("ada", &start).await;
    let cookie = planted(&start.state.to_cookie(), "nonce", &"n".repeat(43));
    place.refuses(&callback, &cookie, |err| *err == SignInError::Nonce).await;
}

#[tokio::test]
async fn a_person_who_denies_is_told_so() {
    let mut place = Place::confidential().await;
    let start = begin(&place.world).await;
    let callback = place.visit("nobody", &start).await;
    assert!(callback.contains("error=access_denied"), "{callback}");
    place.refuses(&callback, &start.state.to_cookie(), |err| *err == SignInError::Denied).await;
    // An error that this browser has not asked for says nothing.
    let other = begin(&place.world).await.state.to_cookie();
    place.refuses(&callback, &other, |err| *err == SignInError::State).await;
}

#[tokio::test]
async fn a_sign_in_ends_after_ten_minutes() {
    let mut place = Place::confidential().await;
    let start = begin(&place.world).await;
    let callback = place.visit("ada", &start).await;
    place.world.app.clock.shift(SIGN_IN_LIFETIME);
    place.refuses(&callback, &start.state.to_cookie(), |err| *err == SignInError::Expired).await;
}

#[tokio::test]
async fn the_answer_names_the_provider_that_gave_it() {
    let mut place = Place::confidential().await;
    let start = begin(&place.world).await;
    let (callback, cookie) = (place.visit("ada", &start).await, start.state.to_cookie());
    let (before_iss, _) = callback.split_once("&iss=").unwrap();
    for spoiled in [before_iss.to_owned(), format!("{before_iss}&iss=https%3A%2F%2Felsewhere.invalid")] {
        place.refuses(&spoiled, &cookie, |err| matches!(err, SignInError::Issuer(_))).await;
    }
    let elsewhere = planted(&cookie, "issuer", "https://elsewhere.invalid");
    place.refuses(&callback, &elsewhere, |err| matches!(err, SignInError::UnknownIssuer(_))).await;
    finish(&place.world, &callback, &cookie).await.unwrap();
}

#[tokio::test]
async fn the_provider_rotates_its_keys_while_a_person_signs_in() {
    let mut place = Place::confidential().await;
    for key in ["key-2", "key-3"] {
        let start = begin(&place.world).await;
        let callback = place.visit("ada", &start).await;
        assert_eq!(place.provider.ask("rotate").await, json!([key]));
        let identity = finish(&place.world, &callback, &start.state.to_cookie()).await.unwrap();
        assert_eq!(identity.claims().subject, "ada", "{key}");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_is_named_as_the_cause() {
    let mut place = Place::confidential().await;
    let start = begin(&place.world).await;
    let callback = place.visit("ada", &start).await;
    place.provider.end().await;
    place.refuses(&callback, &start.state.to_cookie(), SignInError::is_unavailable).await;
    // A registry that was started meanwhile knows no description.
    let world = World::with(settings(&place.provider.issuer, "registry", Some(SECRET))).await;
    let err = world.app.registry.begin_sign_in(None, PUBLIC_URL, None).await.unwrap_err();
    assert!(err.is_unavailable() && err.may_retry(), "{err:?}");
}

#[tokio::test]
async fn a_wrong_secret_is_a_matter_for_the_operator() {
    let mut place = Place::new("registry", Some("another")).await;
    let start = begin(&place.world).await;
    let callback = place.visit("ada", &start).await;
    let is_it = |err: &SignInError| matches!(err, SignInError::Client(_)) && !err.may_retry();
    place.refuses(&callback, &start.state.to_cookie(), is_it).await;
}
