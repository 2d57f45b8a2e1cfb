//! Tokens that are almost valid. Each would make the user a member, and is rejected.

use agent_registry::domain::auth::{
    jwks::{IssuerSettings, JwksError, OutsideIssuer},
    jwt::{LocalIssuer, TokenSubject},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{ISSUER, KeyFile, Signer, VIEWER, World, assert_refused, set, signer::text};
use crate::support::{Answer, app::key_file};

/// Changes of a valid token's claims that leave it valid.
fn harmless(now: i64) -> Vec<(&'static str, Value)> {
    vec![
        ("aud as a list with ours", json!({ "aud": ["another-service", "agent-registry"] })),
        ("exp with a fraction", json!({ "exp": now as f64 + 3600.5 })),
        ("expired a moment ago", json!({ "exp": now - 20 })),
        ("nbf a moment ahead", json!({ "nbf": now + 25 })),
        ("nbf with a fraction", json!({ "nbf": now as f64 - 0.5 })),
        ("without iat", json!({ "iat": null })),
        ("claims that mean nothing here", json!({ "scope": "admin", "roles": ["OPERATOR"] })),
    ]
}

/// Changes that make it invalid.
fn harmful(now: i64) -> Vec<(&'static str, Value)> {
    vec![
        ("without exp", json!({ "exp": null })),
        ("expired", json!({ "exp": now - 31 })),
        ("expired, with a fraction", json!({ "exp": now as f64 - 30.5 })),
        ("exp as text", json!({ "exp": (now + 3600).to_string() })),
        ("exp as a list", json!({ "exp": [now + 3600] })),
        ("exp as an object", json!({ "exp": {} })),
        ("exp as true", json!({ "exp": true })),
        ("exp out of bounds", json!({ "exp": i64::MAX })),
        ("exp out of all bounds", json!({ "exp": 1e300 })),
        ("exp before all times", json!({ "exp": i64::MIN })),
        ("exp in milliseconds of long ago", json!({ "exp": -1 })),
        ("not yet valid", json!({ "nbf": now + 600 })),
        ("nbf as text", json!({ "nbf": now.to_string() })),
        ("nbf as a list", json!({ "nbf": [now] })),
        ("nbf out of bounds", json!({ "nbf": i64::MAX })),
        ("nbf before all times", json!({ "nbf": -1e300 })),
        ("without iss", json!({ "iss": null })),
        ("another iss", json!({ "iss": "https://elsewhere.invalid" })),
        ("iss but for a slash", json!({ "iss": "https://issuer.invalid/" })),
        ("iss in another case", json!({ "iss": "https://ISSUER.invalid" })),
        ("iss of the local issuer", json!({ "iss": "urn:agent-registry:local" })),
        ("iss as a list", json!({ "iss": ["https://issuer.invalid"] })),
        ("iss as a number", json!({ "iss": 1 })),
        ("without aud", json!({ "aud": null })),
        ("another aud", json!({ "aud": "another-service" })),
        ("aud as a list without ours", json!({ "aud": ["another-service", "a-third"] })),
        ("aud as an empty list", json!({ "aud": [] })),
        ("aud as a list within a list", json!({ "aud": [["agent-registry"]] })),
        ("aud as an object", json!({ "aud": { "agent-registry": true } })),
        ("aud as a number", json!({ "aud": 1 })),
        ("without sub", json!({ "sub": null })),
        ("an empty sub", json!({ "sub": "" })),
        ("sub as a number", json!({ "sub": 1 })),
        ("sub as a list", json!({ "sub": ["eve"] })),
        ("a sub with a NUL", json!({ "sub": "eve\u{0}" })),
        ("an endless sub", json!({ "sub": "x".repeat(256) })),
        ("longer than any header", json!({ "name": "x".repeat(16 * 1024) })),
    ]
}

/// Published keys that must not be used, each with its reason.
fn unusable() -> Vec<(&'static str, Signer)> {
    vec![
        ("a key for encryption", Signer::ed("enc").published(json!({ "use": "enc" }))),
        ("a key for something else", Signer::ed("other").published(json!({ "use": "tls" }))),
        ("a key that may only sign", Signer::ed("ops").published(json!({ "key_ops": ["sign"] }))),
        ("a key of another type's alg", Signer::ed("alg").published(json!({ "alg": "ES256" }))),
        ("a key of an encryption's alg", Signer::rsa("oaep").published(json!({ "alg": "RSA-OAEP" }))),
        ("a P-256 key, named P-384", Signer::ec("unnamed").published(json!({ "crv": "P-384" }))),
        ("a key of another hash", Signer::ec384("hash").published(json!({ "alg": "ES512" }))),
        ("a key of another curve, named P-256", Signer::ec384("named").published(json!({ "crv": "P-256" }))),
        ("half a key", Signer::ed("half").published(json!({ "x": "AAAA" }))),
        ("a secret", Signer::secret("oct", &[7; 32])),
        ("a secret that may verify", Signer::secret("mac", &[8; 32]).published(json!({ "use": "sig" }))),
        ("a key with a name that is none", Signer::ed("nameless").published(json!({ "kid": null }))),
    ]
}

/// A 1,024-bit RSA key, and a token signed with it that is otherwise valid until the year 2100. Stored as
/// constants, because the libraries here no longer generate such keys.
const SHORT_MODULUS: &str = "tLnEN5y9p5Ac0QNCMHpTq4DPt0zPMYGJd05TdQ5YUVBcNTRs6ILmvXyaNKdS9Cd4FGfDJLqJQUSK9d2vx2mV\
    BX7yDL3uWWNjdEwx6AyOcgXXQ_ZSHNq4j-Nf6hQGJa-RtqvsTCTMAGNSd8HLcGc9r0iIm5l9xBNshK0A1NFIKzE";
const SHORT_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InNob3J0In0.\
    eyJpc3MiOiJodHRwczovL2lzc3Vlci5pbnZhbGlkIiwiYXVkIjoiYWdlbnQtcmVnaXN0cnkiLCJzdWIiOiJldmUiLCJleHAiOjQxMDI0NDQ4MDAs\
    ImVtYWlsIjoiZXZlQGNpdHkuZXhhbXBsZSIsImVtYWlsX3ZlcmlmaWVkIjp0cnVlfQ.\
    lz9P_mbOHPXGwSna6m6CWFzjvBuABryVMb285CJxejg9XeD0S96mMVGleg0-fpfQIuO3oVgL7AoYoHTLeJRSw1xOiSywFj5NNlHwbqn0bwj8DkDq\
    ylJUshxn1GnV3IMcjwHWkIzX_twVnPljHMLCDL68HPtiiBXUenVhjgJYR6s";

fn short_key() -> Value {
    json!({ "kty": "RSA", "kid": "short", "alg": "RS256", "n": SHORT_MODULUS, "e": "AQAB" })
}

/// A service that knows a key of each kind and the unusable keys, and has an open invitation for Eve.
struct Street {
    world: World,
    ed: Signer,
    ec: Signer,
    rsa: Signer,
    unusable: Vec<(&'static str, Signer)>,
    _file: KeyFile,
}

impl Street {
    async fn new() -> Self {
        let (ed, ec, rsa, unusable) = (Signer::ed("ed"), Signer::ec("ec"), Signer::rsa("rsa"), unusable());
        let mut keys = set([&ed, &ec, &rsa].into_iter().chain(unusable.iter().map(|(_, signer)| signer)));
        keys["keys"].as_array_mut().unwrap().push(short_key());
        let file = KeyFile::new(&keys);
        let world = World::new(file.source()).await;
        let olga = world.operator(&ed).await;
        let customer = olga.customer("City").await;
        let invite =
            "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id } } }";
        let input = json!({ "customerId": customer, "email": "eve@city.example", "role": "ADMIN" });
        olga.gql(invite, json!({ "input": input })).await.text("/inviteMember/invitation/id");
        Self { world, ed, ec, rsa, unusable, _file: file }
    }

    /// The claims that would make Eve a member.
    fn claims(&self, change: Value) -> Value {
        let mut claims = self.world.claims(json!({ "email": "eve@city.example", "email_verified": true }));
        let fields = claims.as_object_mut().unwrap();
        fields.extend(change.as_object().unwrap().clone());
        fields.retain(|_, value| !value.is_null());
        claims
    }

    /// Asserts that each token is rejected and nothing is stored, and that a valid token of this key is accepted.
    async fn refuses(&self, tokens: impl IntoIterator<Item = (String, String)>) {
        let before = self.world.revision().await;
        for (what, token) in tokens {
            assert_refused(&self.world.app.bearer(&token).gql(VIEWER, Value::Null).await, &what);
        }
        assert_eq!(self.world.revision().await, before, "nothing was stored");
        let eve = self.world.app.bearer(&self.ed.token(&self.claims(json!({}))));
        assert_eq!(
            eve.gql(VIEWER, Value::Null).await.at("/viewer/memberships"),
            &json!([{ "role": "ADMIN" }]),
            "a valid token is accepted"
        );
        assert!(self.world.revision().await > before);
    }
}

#[tokio::test]
async fn claims_that_are_missing_or_odd_are_refused() {
    let street = Street::new().await;
    let now = street.world.app.clock.now().timestamp();
    let before = street.world.revision().await;
    for (what, change) in harmless(now) {
        let token = street.world.token(&street.rsa, change);
        let answer = street.world.app.bearer(&token).gql(VIEWER, Value::Null).await;
        assert_eq!(answer.at("/viewer/name"), "eve", "{what}");
        assert_eq!(answer.at("/viewer/isOperator"), false, "{what}");
    }
    assert_eq!(street.world.revision().await, before);
    let spoiled = harmful(now).into_iter().map(|(what, change)| {
        let claims = street.claims(change);
        (what.to_owned(), street.rsa.token(&claims))
    });
    let no_object = [json!([]), json!("eve"), json!(null)];
    let no_object = no_object.iter().map(|claims| (format!("claims {claims}"), street.rsa.token(claims)));
    street.refuses(spoiled.chain(no_object)).await;
}

#[tokio::test]
async fn headers_that_are_missing_or_odd_are_refused() {
    let street = Street::new().await;
    let Street { ed, ec, rsa, .. } = &street;
    let (claims, own) = (street.claims(json!({})), Signer::ed("ed"));
    for typ in [json!("at+jwt"), json!("application/at+jwt"), json!("jwt"), json!(null)] {
        let token = ec.headed(json!({ "typ": typ }), &street.world.claims(json!({})));
        assert_eq!(street.world.app.bearer(&token).gql(VIEWER, Value::Null).await.code(), None, "{typ}");
    }
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |what: &str, token: String| rows.push((what.to_owned(), token));

    // The key decides the algorithm, not the token's header.
    for alg in [
        "none", "None", "NONE", "", "HS256", "ES256", "RS384", "RS512", "PS256", "EdDSA", "Ed25519",
        "nonsense",
    ] {
        row(&format!("an RSA key's token that says {alg:?}"), rsa.headed(json!({ "alg": alg }), &claims));
    }
    for alg in ["ES256", "RS256", "HS256", "none", "ES384", "Ed448", "eddsa", "ed25519"] {
        row(&format!("an Ed25519 key's token that says {alg:?}"), ed.headed(json!({ "alg": alg }), &claims));
    }
    row("without alg", rsa.headed(json!({ "alg": null }), &claims));
    for (what, by, named) in
        [("RSA for EC", rsa, "ec"), ("EC for RSA", ec, "rsa"), ("EC for Ed25519", ec, "ed")]
    {
        row(&format!("{what}'s name"), by.headed(json!({ "kid": named }), &claims));
    }
    for (signer, kind) in [(rsa, "RSA"), (ec, "EC"), (ed, "Ed25519")] {
        let field = if kind == "RSA" { "n" } else { "x" };
        let public = signer.jwk[field].as_str().unwrap();
        let bytes =
            base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, public).unwrap();
        for secret in [bytes, public.as_bytes().to_vec(), signer.jwk.to_string().into_bytes()] {
            let token = Signer::secret(signer.kid, &secret).token(&claims);
            row(&format!("HS256 by the public {kind} key"), token);
        }
    }
    row("another's key under our key's name", own.token(&claims));

    // No signature, or that of another token.
    let good = ed.token(&claims);
    let (message, signature) = good.rsplit_once('.').unwrap();
    let none = text(json!({ "alg": "none", "typ": "JWT", "kid": "ed" }).to_string());
    let payload = message.split('.').nth(1).unwrap();
    row("alg none, without a signature", format!("{none}.{payload}."));
    row("unsigned", format!("{message}."));
    row("without the last part", message.to_owned());
    row("a part too many", format!("{good}.{signature}"));
    row("a part too many before", format!("{payload}.{good}"));
    row("a signature of something else", format!("{message}.{}", "A".repeat(86)));
    row("padded", format!("{good}=="));
    row("other claims under its signature", {
        let other = text(street.claims(json!({ "sub": "olga" })).to_string());
        format!("{}.{other}.{signature}", message.split('.').next().unwrap())
    });

    // A key embedded in the header, or a URL to fetch one from.
    for (what, by) in [("by its own key", &own), ("by our key", ed)] {
        for (field, value) in [
            ("jwk", own.jwk.clone()),
            ("jku", json!("https://elsewhere.invalid/keys")),
            ("x5u", json!("https://elsewhere.invalid/certificate")),
            ("x5c", json!([text("a certificate")])),
        ] {
            row(&format!("{field} {what}"), by.headed(json!({ field: value }), &claims));
        }
    }
    row("an extension that must be understood", ed.headed(json!({ "crit": ["exp"], "exp": 1 }), &claims));
    row("a payload in other letters", ed.headed(json!({ "crit": ["b64"], "b64": false }), &claims));

    // Another type, and no or a wrong `kid`.
    for typ in ["dpop+jwt", "logout+jwt", "secevent+jwt", "JOSE", ""] {
        row(&format!("of type {typ:?}"), ed.headed(json!({ "typ": typ }), &claims));
    }
    for kid in [json!(null), json!(""), json!(" ed"), json!("ED"), json!(1), json!(["ed"])] {
        row(&format!("kid {kid}"), ed.headed(json!({ "kid": kid }), &claims));
    }
    street.refuses(rows).await;
}

#[tokio::test]
async fn keys_of_the_set_that_are_not_for_this_are_not_used() {
    let street = Street::new().await;
    let claims = street.claims(json!({}));
    let tokens = street.unusable.iter().map(|(what, signer)| ((*what).to_owned(), signer.token(&claims)));
    let short = ("an RSA key of 1024 bits".to_owned(), SHORT_TOKEN.to_owned());
    // None is usable: a set with such a key alone is rejected.
    let alone = street.unusable.iter().map(|(_, signer)| signer.jwk.clone()).chain([short_key()]);
    for jwk in alone {
        let file = KeyFile::new(&json!({ "keys": [jwk] }));
        let issuer = OutsideIssuer::new(IssuerSettings::new(ISSUER, "agent-registry", file.source()));
        let read = issuer.unwrap().refresh().await;
        assert!(matches!(read, Err(JwksError::NoUsableKey(_))), "{jwk}");
    }
    // Nor with the `alg` of a usable key.
    let (_, secret) = street.unusable.iter().find(|(_, signer)| signer.kid == "oct").unwrap();
    let named = ["EdDSA", "ES256", "RS256"]
        .map(|alg| (format!("a secret that says {alg}"), secret.headed(json!({ "alg": alg }), &claims)));
    street.refuses(tokens.chain([short]).chain(named)).await;
}

#[tokio::test]
async fn a_token_of_the_local_issuer_is_refused_where_an_outside_one_is_set() {
    let street = Street::new().await;
    let local = LocalIssuer::open(&key_file()).unwrap();
    let eve =
        || TokenSubject { subject: "eve".to_owned(), email: Some("eve@city.example".to_owned()), name: None };
    let ttl = std::time::Duration::from_secs(3600);
    let token = local.mint(&street.world.app.clock, eve(), ttl).unwrap();
    assert!(street.world.app.registry.mint(eve(), ttl).is_err(), "the service signs no local token");
    street.refuses([("a local token".to_owned(), token)]).await;
}

#[tokio::test]
async fn a_megabyte_of_token_is_refused() {
    let street = Street::new().await;
    let before = street.world.revision().await;
    let token = street.ed.token(&street.claims(json!({ "name": "x".repeat(1 << 20) })));
    let answer = street.world.app.bearer(&token).gql(VIEWER, Value::Null).await;
    // The token may exceed the server's own limit on headers.
    assert!([401, 431].contains(&answer.status.as_u16()), "{}", answer.status);
    assert_eq!(street.world.revision().await, before);
}

#[tokio::test]
async fn a_token_comes_in_one_header_and_never_in_an_address() {
    let street = Street::new().await;
    let before = street.world.revision().await;
    let (app, token) = (&street.world.app, street.ed.token(&street.claims(json!({}))));
    let (plain, other) =
        (street.world.token(&street.ed, json!({})), street.world.token(&street.ec, json!({})));
    let anonymous = app.anonymous();
    let upgrade = |path: &str| {
        let request = anonymous.request(Method::GET, path);
        let request = request.header("connection", "upgrade").header("upgrade", "websocket");
        request
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-protocol", "graphql-transport-ws")
    };
    let ask = |way: &str, query: &str| match way {
        "POST /graphql" => anonymous
            .request(Method::POST, &format!("/graphql?{query}"))
            .json(&json!({ "query": "{ viewer { name } }" })),
        "GET /graphql" => {
            anonymous.request(Method::GET, &format!("/graphql?query=%7Bviewer%7Bname%7D%7D&{query}"))
        }
        "GET /v1/agents" => anonymous.request(Method::GET, &format!("/v1/agents?{query}")),
        _ => upgrade(&format!("/graphql?{query}")),
    };
    for way in ["POST /graphql", "GET /graphql", "GET /v1/agents", "a socket"] {
        let good = ask(way, "").bearer_auth(&plain).send().await.unwrap().status().as_u16();
        assert_eq!(good, if way == "a socket" { 101 } else { 200 }, "{way}");
        for name in ["access_token", "ACCESS_TOKEN", "access%5Ftoken", "%61ccess_token"] {
            let query = format!("{name}={token}");
            let what = format!("{way} with {name}");
            assert_refused(&Answer::of(ask(way, &query)).await, &what);
            let beside = ask(way, &query).bearer_auth(&plain);
            assert_refused(&Answer::of(beside).await, &format!("{what} beside a header"));
        }
        if way != "a socket" {
            let twice = ask(way, "").bearer_auth(&plain).bearer_auth(&plain);
            assert_refused(&Answer::of(twice).await, &format!("{way} with the same header twice"));
            let two = ask(way, "").bearer_auth(&plain).bearer_auth(&other);
            assert_refused(&Answer::of(two).await, &format!("{way} with two headers"));
            assert_refused(&Answer::of(ask(way, "")).await, &format!("{way} with nothing"));
        }
    }
    assert_eq!(street.world.revision().await, before, "nothing was stored");
}
