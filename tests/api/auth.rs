//! Authentication: valid tokens of the local issuer and service tokens are accepted, nothing else.

use agent_registry::domain::{Caller, ServiceScope, service_token::CreateServiceToken};
use aws_lc_rs::signature::Ed25519KeyPair;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde_json::{Value, json};

use crate::support::{App, Calls, app::key_file};

const VIEWER: &str = "{ viewer { kind name isOperator user { id } memberships { role } scopes } }";

/// The claims of a valid token; tests spoil some of them.
fn claims(app: &App) -> Value {
    let now = app.clock.now().timestamp();
    json!({ "iss": "urn:agent-registry:local", "aud": "agent-registry", "sub": "eve", "iat": now, "exp": now + 3600 })
}

/// The key that the service signs with, and its `kid`.
fn key() -> (EncodingKey, String) {
    let pem = std::fs::read(key_file()).unwrap();
    let key = EncodingKey::from_ed_pem(&pem).unwrap();
    let kid = header_of(&key);
    (key, kid)
}

/// The `kid`: the beginning of the public key's hash.
fn header_of(key: &EncodingKey) -> String {
    use base64::Engine;
    use sha2::Digest;
    let jwk = serde_json::to_value(Jwk::from_encoding_key(key, Algorithm::EdDSA).unwrap()).unwrap();
    let public = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    hex::encode(sha2::Sha256::digest(public))[..16].to_owned()
}

fn header(kid: &str) -> Header {
    Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) }
}

/// A token of the local issuer with these claims in addition. No command makes one with every claim.
pub(crate) fn signed(app: &App, change: &Value) -> String {
    let (key, kid) = key();
    let mut claims = claims(app);
    claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    encode(&header(&kid), &claims, &key).unwrap()
}

#[tokio::test]
async fn a_good_token_names_its_user_and_makes_no_profile() {
    let app = App::start().await;
    let (key, kid) = key();
    let token = encode(&header(&kid), &claims(&app), &key).unwrap();
    let answer = app.bearer(&token).gql(VIEWER, Value::Null).await;
    let expected = json!({ "kind": "USER", "name": "eve", "isOperator": false, "user": null, "memberships": [], "scopes": [] });
    assert_eq!(answer.at("/viewer"), &expected);
    assert_eq!(app.registry.head().await.unwrap().revision.0, 0, "nothing was written");
}

#[tokio::test]
async fn every_spoiled_token_is_refused() {
    let app = App::start().await;
    let (key, kid) = key();
    let now = app.clock.now().timestamp();
    let spoiled = |change: Value| {
        let mut claims = claims(&app);
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        encode(&header(&kid), &claims, &key).unwrap()
    };
    let good = encode(&header(&kid), &claims(&app), &key).unwrap();
    let (signed, _) = good.rsplit_once('.').unwrap();
    let none = {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(json!({ "alg": "none", "typ": "JWT", "kid": kid }).to_string())
    };
    let own = EncodingKey::from_ed_der(Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref());
    let hmac = EncodingKey::from_secret(kid.as_bytes());
    let embedded =
        Header { jwk: Some(Jwk::from_encoding_key(&own, Algorithm::EdDSA).unwrap()), ..header(&kid) };
    let tokens = [
        ("no token at all", String::new()),
        ("not a token", "abc".to_owned()),
        ("three dots", "a.b.c".to_owned()),
        ("expired", spoiled(json!({ "exp": now - 31 }))),
        ("without exp", spoiled(json!({ "exp": null }))),
        ("exp as text", spoiled(json!({ "exp": "tomorrow" }))),
        ("exp out of all bounds", spoiled(json!({ "exp": i64::MAX }))),
        ("not yet valid", spoiled(json!({ "nbf": now + 600 }))),
        ("another issuer", spoiled(json!({ "iss": "https://elsewhere.invalid" }))),
        ("without issuer", spoiled(json!({ "iss": null }))),
        ("another audience", spoiled(json!({ "aud": "another-service" }))),
        ("without audience", spoiled(json!({ "aud": null }))),
        ("without subject", spoiled(json!({ "sub": null }))),
        ("an empty subject", spoiled(json!({ "sub": "" }))),
        ("a subject with a NUL", spoiled(json!({ "sub": "a\u{0}" }))),
        ("an endless subject", spoiled(json!({ "sub": "x".repeat(256) }))),
        ("a megabyte", spoiled(json!({ "name": "x".repeat(1 << 20) }))),
        ("unsigned", format!("{signed}.")),
        ("a signature of something else", format!("{signed}.{}", "A".repeat(86))),
        ("alg none", format!("{none}.{}.", signed.split('.').nth(1).unwrap())),
        (
            "HS256",
            encode(&Header { kid: Some(kid.clone()), ..Header::new(Algorithm::HS256) }, &claims(&app), &hmac)
                .unwrap(),
        ),
        ("a key of its own", encode(&header(&kid), &claims(&app), &own).unwrap()),
        ("a key embedded in its header", encode(&embedded, &claims(&app), &own).unwrap()),
        ("an embedded key, signed with ours", encode(&embedded, &claims(&app), &key).unwrap()),
        (
            "a URL to fetch a key from",
            encode(
                &Header { jku: Some("https://elsewhere.invalid".to_owned()), ..header(&kid) },
                &claims(&app),
                &key,
            )
            .unwrap(),
        ),
        ("another key's name", encode(&header("0000000000000000"), &claims(&app), &key).unwrap()),
        ("no key's name", encode(&Header { kid: None, ..header(&kid) }, &claims(&app), &key).unwrap()),
        (
            "another kind of token",
            encode(&Header { typ: Some("dpop+jwt".to_owned()), ..header(&kid) }, &claims(&app), &key)
                .unwrap(),
        ),
    ];
    assert_eq!(app.bearer(&good).gql(VIEWER, Value::Null).await.code(), None);
    for (what, token) in tokens {
        let answer = app.bearer(&token).gql(VIEWER, Value::Null).await;
        // A token of a megabyte may exceed the server's own limit on headers.
        let expected = if what == "a megabyte" { [401, 431] } else { [401, 401] };
        assert!(expected.contains(&answer.status.as_u16()), "{what}: {}", answer.status);
        if answer.status == 401 {
            let error = if what == "no token at all" { "invalid_request" } else { "invalid_token" };
            assert_eq!((answer.code(), answer.challenge()), (Some("UNAUTHENTICATED"), Some(error)), "{what}");
        }
    }
}

#[tokio::test]
async fn a_token_ends_by_the_services_own_clock() {
    let app = App::start().await;
    let operator = app.operator().await;
    assert_eq!(operator.gql(VIEWER, Value::Null).await.at("/viewer/isOperator"), true);
    app.clock.shift(TimeDelta::hours(2));
    assert_eq!(operator.gql(VIEWER, Value::Null).await.status, 401);
}

#[tokio::test]
async fn a_service_token_is_known_by_its_secret_alone() {
    let app = App::start().await;
    let input = CreateServiceToken::for_all("gateway", [ServiceScope::ConfigsRead]);
    let made = app.registry.create_service_token(&Caller::system("test"), input).await.unwrap().value;
    let secret = made.secret.clone().unwrap();
    let answer = app.bearer(&secret).gql(VIEWER, Value::Null).await;
    assert_eq!(
        (answer.at("/viewer/kind"), answer.at("/viewer/scopes")),
        (&json!("SERVICE"), &json!(["configs:read"]))
    );
    assert!(!made.token.secret_hash.is_empty() && !format!("{:?}", made.token).contains(&secret[36..100]));

    // Every character counts: in the id, the secret and the checksum.
    let statements = app.registry.statements();
    for place in [5, 40, 70, secret.len() - 1] {
        let mut spoiled = secret.clone().into_bytes();
        spoiled[place] = if spoiled[place] == b'0' { b'1' } else { b'0' };
        let spoiled = String::from_utf8(spoiled).unwrap();
        assert_eq!(app.bearer(&spoiled).gql(VIEWER, Value::Null).await.status, 401);
    }
    assert_eq!(app.registry.statements(), statements, "an invented token costs no look-up");

    let operator = app.operator().await;
    let revoke = "mutation ($input: RevokeServiceTokenInput!) { revokeServiceToken(input: $input) { revision userErrors { code } } }";
    let input = json!({ "input": { "serviceTokenId": made.token.id } });
    let revoked = operator.gql(revoke, input.clone()).await;
    assert_eq!(revoked.at("/revokeServiceToken/userErrors"), &json!([]));
    assert_eq!(app.bearer(&secret).gql(VIEWER, Value::Null).await.status, 401);
    assert_eq!(operator.gql(revoke, input).await.body, revoked.body, "revoking again returns the same");
}

#[tokio::test]
async fn a_service_sees_what_serves_and_nothing_personal() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Helper").await;
    let version = operator.publish(&agent, "You help.").await;
    operator.activate(&agent, &version).await;
    let gateway = app.gateway().await;
    let config = "query ($id: ID!) { activeConfig(agentId: $id) { systemPrompt customerId } }";
    assert_eq!(
        gateway.gql(config, json!({ "id": agent })).await.at("/activeConfig/systemPrompt"),
        "You help."
    );
    for query in [
        "{ customers { nodes { id } } }".to_owned(),
        "{ agents { nodes { id } } }".to_owned(),
        format!("{{ agent(id: \"{agent}\") {{ id }} }}"),
        format!("{{ customer(id: \"{customer}\") {{ id }} }}"),
        format!("{{ node(id: \"{agent}\") {{ id }} }}"),
        format!("{{ nodes(ids: [\"{agent}\"]) {{ id }} }}"),
        format!("mutation {{ archiveAgent(input: {{ agentId: \"{agent}\" }}) {{ revision }} }}"),
    ] {
        assert_eq!(gateway.gql(&query, Value::Null).await.code(), Some("FORBIDDEN"), "{query}");
    }
    let watcher = app.service([ServiceScope::ActivationsWatch]).await;
    assert_eq!(watcher.gql(config, json!({ "id": agent })).await.code(), Some("FORBIDDEN"));
    assert_eq!(operator.active_number(&agent).await, 1);
}
