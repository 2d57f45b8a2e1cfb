//! Answers of an issuer that errs or cheats: ID tokens of other clients, people and times, and answers that are none.

use agent_registry::domain::auth::{
    Issuer, TokenError,
    jwks::OutsideIssuer,
    oidc::{SignInError, SignInStart},
};
use serde_json::{Value, json};

use super::{
    super::{Publisher, Reply, Signer, World, set},
    CALLBACK, PUBLIC_URL, begin, finish, parameter, settings,
};
use crate::support::{App, app::Setup, log};

const CLIENT: &str = "registry";
const SECRET: &str = "hush-hush";

/// A registry, and an issuer whose answers the test writes.
struct Place {
    world: World,
    publisher: Publisher,
    signer: Signer,
}

impl Place {
    async fn new() -> Self {
        let signer = Signer::ec("key");
        let publisher = Publisher::start(Reply::Set(set([&signer]))).await;
        let world = World::with(settings(&publisher.issuer, CLIENT, Some(SECRET))).await;
        world.keys.refresh().await.unwrap();
        Self { world, publisher, signer }
    }

    /// The claims of a good ID token for this sign-in, with these changes; null removes a claim.
    fn claims(&self, start: &SignInStart, change: Value) -> Value {
        let mut claims = self.world.claims(json!({
            "aud": CLIENT, "nonce": parameter(&start.address, "nonce").unwrap(), "sid": "session-1"
        }));
        let fields = claims.as_object_mut().unwrap();
        fields.extend(change.as_object().unwrap().clone());
        fields.retain(|_, value| !value.is_null());
        claims
    }

    /// The address of a callback with a code for this sign-in.
    fn callback(start: &SignInStart) -> String {
        format!("{CALLBACK}code=a-code&state={}", parameter(&start.address, "state").unwrap())
    }

    /// Lets the issuer answer with this ID token; the sign-in must fail, store nothing, and tell nothing of the token.
    async fn refuses_token(&self, start: &SignInStart, token: &str, what: &str) -> SignInError {
        self.publisher.exchanges(Reply::Set(json!({ "id_token": token, "access_token": "an-access-token" })));
        let err = self.refused(start, what).await;
        let told = format!("{err} {err:?} {}", err.message());
        assert!(!told.contains(token) && log::lines_with(token).is_empty(), "{what}: {told}");
        err
    }

    async fn refused(&self, start: &SignInStart, what: &str) -> SignInError {
        let finished = finish(&self.world, &Self::callback(start), &start.state.to_cookie()).await;
        let err = finished.err().unwrap_or_else(|| panic!("accepted: {what}"));
        assert_eq!(self.world.revision().await, 0, "{what}");
        err
    }
}

#[tokio::test]
async fn an_id_token_of_another_client_person_or_time_is_refused() {
    let place = Place::new().await;
    let start = begin(&place.world).await;
    let now = place.world.app.clock.now().timestamp();
    for (change, word) in [
        (json!({ "aud": "another-client" }), "audience is \"another-client\""),
        // The audience of bearer tokens is none of an ID token.
        (json!({ "aud": "agent-registry" }), "audience is \"agent-registry\""),
        (json!({ "aud": [CLIENT, "another-client"], "azp": "another-client" }), "\"another-client\""),
        (json!({ "aud": [CLIENT, "another-client"] }), "authorized party (azp) is absent"),
        (json!({ "azp": "another-client" }), "\"another-client\""),
        (json!({ "nonce": "another-nonce" }), "nonce is not that of this sign-in"),
        (json!({ "nonce": null }), "claim nonce is missing"),
        (json!({ "iss": "https://elsewhere.invalid" }), "https://elsewhere.invalid"),
        (json!({ "exp": now - 600 }), "it expired at"),
        (json!({ "exp": null }), "claim exp is missing"),
        (json!({ "iat": null }), "claim iat is missing"),
        (json!({ "iat": now + 600 }), "issued more than 30 seconds from now"),
        (json!({ "sub": null }), "claim sub is missing"),
        (json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }), "at_hash is not that of the access token"),
    ] {
        let token = place.signer.token(&place.claims(&start, change));
        let reason = place.refuses_token(&start, &token, word).await.to_string();
        assert!(reason.contains(word), "{word}: {reason}");
    }
    let good = place.claims(&start, json!({}));
    let (foreign, unknown) = (Signer::ec("key"), Signer::ec("unknown"));
    let by_foreign = place.refuses_token(&start, &foreign.token(&good), "another key").await;
    assert_eq!(by_foreign, SignInError::Token(TokenError::Signature));
    let by_unknown = place.refuses_token(&start, &unknown.token(&good), "an unknown key").await;
    assert!(matches!(by_unknown, SignInError::Token(TokenError::UnknownKey { .. })), "{by_unknown:?}");
    let unsigned = place.signer.headed(json!({ "alg": "none" }), &good);
    let by_none = place.refuses_token(&start, &unsigned, "no algorithm").await;
    assert!(matches!(by_none, SignInError::Token(TokenError::Algorithm { .. })), "{by_none:?}");
    place.refuses_token(&start, "no.token", "no token").await;

    // The same sign-in with a good token is accepted.
    place.publisher.exchanges(Reply::Set(json!({ "id_token": place.signer.token(&good) })));
    let identity = finish(&place.world, &Place::callback(&start), &start.state.to_cookie()).await.unwrap();
    assert_eq!((identity.claims().subject.as_str(), identity.sid()), ("eve", Some("session-1")));
    let body = place.publisher.exchanged().pop().unwrap();
    assert!(body.contains("grant_type=authorization_code&code=a-code&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fauth%2Fcallback&code_verifier="), "{body}");
    assert!(!body.contains(SECRET), "the secret is in the header: {body}");
}

#[tokio::test]
async fn keys_that_are_rotated_twice_in_a_moment_are_found() {
    let place = Place::new().await;
    let start = begin(&place.world).await;
    let good = place.claims(&start, json!({}));
    for kid in ["second", "third"] {
        let signer = Signer::ed(kid);
        place.publisher.says(Reply::Set(set([&signer])));
        place.publisher.exchanges(Reply::Set(json!({ "id_token": signer.token(&good) })));
        let identity = finish(&place.world, &Place::callback(&start), &start.state.to_cookie()).await;
        assert_eq!(identity.unwrap().claims().subject, "eve", "{kid}");
    }
}

#[tokio::test]
async fn an_answer_without_tokens_is_a_reason() {
    let place = Place::new().await;
    let start = begin(&place.world).await;
    let is_answer = |err: &SignInError| matches!(err, SignInError::Answer(_));
    for (reply, is_it) in [
        (Reply::HangUp, SignInError::is_unavailable as fn(&SignInError) -> bool),
        (Reply::Status(503, json!({})), SignInError::is_unavailable),
        (Reply::Text("<html>".to_owned()), is_answer),
        (Reply::Set(json!({ "access_token": "an-access-token" })), is_answer),
        (Reply::Endless, is_answer),
        // Redirects aren't followed, or the code would reach another server.
        (Reply::Redirect(format!("{}/token", place.publisher.issuer)), is_answer),
        (Reply::Status(400, json!({ "error": "invalid_grant" })), |err| *err == SignInError::Code),
        (Reply::Status(401, json!({ "error": "invalid_client" })), |err| {
            matches!(err, SignInError::Client(_)) && !err.may_retry()
        }),
    ] {
        place.publisher.exchanges(reply);
        let err = place.refused(&start, "no tokens").await;
        assert!(is_it(&err), "{err:?}");
        assert!(!err.to_string().contains("a-code") && !err.message().is_empty(), "{err}");
    }
    assert_eq!(place.publisher.exchanged().len(), 8);
}

#[tokio::test]
async fn a_person_chooses_among_several_issuers_that_have_a_client() {
    let signer = Signer::ed("key");
    let mut publishers = Vec::new();
    let mut outside = Vec::new();
    for has_client in [true, true, false] {
        let publisher = Publisher::start(Reply::Set(set([&signer]))).await;
        let mut settings = settings(&publisher.issuer, CLIENT, None);
        settings.client = settings.client.filter(|_| has_client);
        outside.push(OutsideIssuer::new(settings).unwrap());
        publishers.push(publisher);
    }
    let app = App::set_up(Setup { issuer: Some(Issuer::Outside(outside)), ..Setup::default() }).await;
    let names: Vec<&str> = publishers.iter().map(|publisher| publisher.issuer.as_str()).collect();
    assert_eq!(app.registry.sign_in_issuers(), names[..2]);
    let begin =
        async |issuer| app.registry.begin_sign_in(issuer, PUBLIC_URL, Some("//elsewhere.invalid")).await;
    assert_eq!(begin(None).await.unwrap_err(), SignInError::SeveralIssuers);
    assert!(matches!(begin(Some(names[2])).await, Err(SignInError::UnknownIssuer(_))));
    let start = begin(Some(names[1])).await.unwrap();
    // The query that the described address has already stays.
    assert!(
        start.address.starts_with(&format!("{}/auth?tenant=1&response_type=code&", names[1])),
        "{}",
        start.address
    );
    assert!(format!("{:?}", start.state).contains("ReturnPath(\"/\")"), "{:?}", start.state);
    // An issuer that describes no page for it can't end its own session.
    assert_eq!(app.registry.sign_out_address(names[1], PUBLIC_URL), None);
}

#[tokio::test]
async fn nobody_signs_in_with_a_browser_where_no_issuer_has_a_client() {
    let app = App::start().await;
    assert!(app.registry.sign_in_issuers().is_empty());
    let err = app.registry.begin_sign_in(None, PUBLIC_URL, None).await.unwrap_err();
    assert!(err == SignInError::NoClient && !err.may_retry());
    assert_eq!(app.registry.sign_out_address("urn:agent-registry:local", PUBLIC_URL), None);
}
