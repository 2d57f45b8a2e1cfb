//! Tokens of an outside issuer on the command line: a bad setting is reported in one line, and no token is signed
//! here.

use std::net::TcpListener;

use aws_lc_rs::signature::Ed25519KeyPair;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde_json::{Value, json};

use super::{Home, serve::Serving};

const ISSUER: &str = "https://issuer.invalid";

/// Returns a signing key, and the key set that publishes it as `key`.
fn key() -> (EncodingKey, Value) {
    let key = EncodingKey::from_ed_der(Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref());
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap()).unwrap();
    jwk["kid"] = "key".into();
    (key, json!({ "keys": [jwk] }))
}

/// Runs the program with these settings; it must succeed. Returns its output and its error output.
fn told(home: &Home, settings: &[(&str, &str)], args: &[&str]) -> (String, String) {
    let output = home.run_with(settings, args);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{settings:?} {args:?}: {complaint}");
    (String::from_utf8(output.stdout).unwrap(), complaint)
}

/// Runs the program, which must print nothing, and fail with exit code 2 and one line. Returns that line.
fn refused(home: &Home, settings: &[(&str, &str)], args: &[&str]) -> String {
    let output = home.run_with(settings, args);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), complaint.lines().count(), output.stdout.len()),
        (Some(2), 1, 0),
        "{settings:?} {args:?}: {complaint}"
    );
    assert!(complaint.starts_with("agent-registry: "), "{complaint}");
    complaint
}

#[test]
fn a_bad_issuer_is_one_line_and_exit_code_2() {
    let home = Home::new("issuer-setting");
    let mut private = key().1;
    private["keys"][0]["use"] = "enc".into();
    let (empty, useless, rubbish) = (home.path("empty"), home.path("useless"), home.path("rubbish"));
    std::fs::write(&empty, "{\"keys\":[]}").unwrap();
    std::fs::write(&useless, private.to_string()).unwrap();
    std::fs::write(&rubbish, "<html>").unwrap();
    let nowhere = home.path("nowhere");
    let rows = [
        (Some("urn:issuer"), None, "JWT_JWKS is not set"),
        (None, Some(empty.as_str()), "JWT_JWKS is set without JWT_ISSUER"),
        (Some(""), Some(&empty), "issuer"),
        (Some(ISSUER), Some(""), "JWT_JWKS"),
        (Some(ISSUER), Some(&nowhere), "nowhere"),
        (Some(ISSUER), Some("/"), "key set /"),
        (Some(ISSUER), Some(&empty), "no usable key"),
        (Some(ISSUER), Some(&useless), "no usable key"),
        (Some(ISSUER), Some(&rubbish), "no usable key"),
        (Some(ISSUER), Some("http://elsewhere.invalid/keys"), "use https"),
        (Some(ISSUER), Some("ftp://127.0.0.1/keys"), "https://"),
    ];
    for (issuer, keys, word) in rows {
        let settings = [("JWT_ISSUER", issuer), ("JWT_JWKS", keys)];
        let settings: Vec<_> =
            settings.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let complaint = refused(&home, &settings, &["operator", "list"]);
        assert!(complaint.contains(word), "{settings:?}: {complaint}");
    }
    let useless = [("JWT_ISSUER", ISSUER), ("JWT_JWKS", useless.as_str())];
    let complaint = refused(&home, &useless, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(complaint.contains("no usable key"), "{complaint}");
    let keys = home.path("keys");
    std::fs::write(&keys, key().1.to_string()).unwrap();
    for (name, value, word) in [
        ("JWT_EMAIL_CLAIM", "/a//b", "JWT_EMAIL_CLAIM: name a claim"),
        ("JWT_ROLES_CLAIM", "", "JWT_ROLES_CLAIM: name a claim"),
        ("JWT_EMAIL_DOMAINS", "city.example,@x", "JWT_EMAIL_DOMAINS: \"@x\" is no domain"),
        ("JWT_MEMBERSHIPS", "group", "JWT_MEMBERSHIPS: \"group\": expected VALUE=CUSTOMER:ROLE"),
        ("JWT_MEMBERSHIPS", "group=city:ADMIN", "JWT_MEMBERSHIPS: \"city\" is no customer"),
        (
            "JWT_MEMBERSHIPS",
            "a=01997c5e-7a80-7000-8000-000000000001:OWNER",
            "JWT_MEMBERSHIPS: the role must be",
        ),
        ("JWT_MEMBERSHIPS", "a=01997c5e-7a80-7000-8000-000000000001:ADMIN", "without ROLES_CLAIM"),
        ("JWT_CLIENT_ID", "console", "JWT_CLIENT_ID needs the issuer's description: leave JWKS unset"),
        ("JWT_CLIENT_SECRET", "hush", "JWT_CLIENT_SECRET is set without CLIENT_ID"),
        ("JWT_CLIENT_SCOPES", "openid", "JWT_CLIENT_SCOPES is set without CLIENT_ID"),
        ("JWT_ISSUERS", &keys, "both set"),
    ] {
        let settings = [("JWT_ISSUER", ISSUER), ("JWT_JWKS", keys.as_str()), (name, value)];
        let complaint = refused(&home, &settings, &["operator", "list"]);
        assert!(complaint.contains(word), "{name}={value}: {complaint}");
    }
}

#[test]
fn a_bad_file_of_issuers_is_one_line_and_exit_code_2() {
    let home = Home::new("issuers-setting");
    let (keys, file) = (home.path("keys"), home.path("issuers"));
    std::fs::write(&keys, key().1.to_string()).unwrap();
    let entry = |more: Value| {
        let mut entry = serde_json::json!({ "issuer": ISSUER, "jwks": keys });
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        entry
    };
    let rule = serde_json::json!({ "value": "a", "customer": "city", "role": "ADMIN" });
    for (text, word) in [
        ("[".to_owned(), "issuers: "),
        ("{}".to_owned(), "issuers: "),
        ("[]".to_owned(), "it has 0 issuers"),
        (json!([{}]).to_string(), "missing field `issuer`"),
        (json!([entry(json!({ "emailClaim": "x" }))]).to_string(), "emailClaim"),
        (json!([entry(json!({ "audience": [] }))]).to_string(), "AUDIENCE: name at least one"),
        (json!([entry(json!({})), entry(json!({}))]).to_string(), "it is there twice"),
        (
            json!([entry(json!({ "roles_claim": "g", "memberships": [rule] }))]).to_string(),
            "\"city\" is no customer",
        ),
        (json!([{ "issuer": "urn:x" }]).to_string(), "JWKS is not set"),
        (
            json!([entry(json!({ "client_secret": "hush" }))]).to_string(),
            "CLIENT_SECRET is set without CLIENT_ID",
        ),
        (
            json!([{ "issuer": ISSUER, "client_id": "a", "client_scopes": ["profile"] }]).to_string(),
            "CLIENT_SCOPES: openid is missing",
        ),
    ] {
        std::fs::write(&file, &text).unwrap();
        let complaint = refused(&home, &[("JWT_ISSUERS", file.as_str())], &["operator", "list"]);
        assert!(complaint.contains(word) && complaint.contains("JWT_ISSUERS"), "{text}: {complaint}");
    }
    let other = entry(json!({ "issuer": "https://other.invalid" }));
    std::fs::write(&file, json!([entry(json!({})), other]).to_string()).unwrap();
    let settings = [("JWT_ISSUERS", file.as_str())];
    // With several issuers, a command names one.
    let output = home.run_with(&settings, &["operator", "add", "--subject", "olga"]);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && complaint.contains("https://other.invalid"), "{complaint}");
    told(&home, &settings, &["operator", "add", "--subject", "olga", "--issuer", ISSUER]);
    assert_eq!(home.output_of(&["operator", "list"]), format!("{ISSUER}\tolga\n"));
    let complaint = refused(&home, &settings, &["token", "user", "--subject", "mallory"]);
    assert!(complaint.contains("signs no user tokens"), "{complaint}");
}

/// The issuer needn't answer: it is down while the settings are validated.
#[test]
fn browsers_come_back_to_a_public_address_with_tls_or_the_service_does_not_start() {
    let home = Home::new("issuer-callback");
    let issuer =
        [("JWT_ISSUER", "http://127.0.0.1:1"), ("JWT_CLIENT_ID", "console"), ("JWT_CLIENT_SECRET", "hush")];
    for (public, word) in [
        (
            None,
            "JWT_CLIENT_ID is set without PUBLIC_URL: browsers come back from the issuer to PUBLIC_URL/auth/callback",
        ),
        (Some("http://registry.example.org"), "signing in needs TLS"),
    ] {
        let settings: Vec<_> = issuer.into_iter().chain(public.map(|url| ("PUBLIC_URL", url))).collect();
        let output = home.run_with(&settings, &["serve", "--listen", "127.0.0.1:0"]);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{complaint}");
        let last = complaint.lines().last().unwrap();
        assert!(last.starts_with("agent-registry: ") && last.contains(word), "{complaint}");
        assert!(!complaint.contains("hush"), "{complaint}");
    }
    // The secret may be in a file, whose last line ends. Without the file, or with both, nothing starts.
    let file = home.path("client-secret");
    let in_file = [issuer[0], issuer[1], ("JWT_CLIENT_SECRET_FILE", file.as_str())];
    let complaint = refused(&home, &in_file, &["operator", "list"]);
    assert!(complaint.contains("JWT_CLIENT_SECRET_FILE: ") && complaint.contains(&file), "{complaint}");
    std::fs::write(&file, "hush\n").unwrap();
    told(&home, &in_file, &["operator", "list"]);
    let both: Vec<_> = in_file.into_iter().chain([issuer[2]]).collect();
    let complaint = refused(&home, &both, &["operator", "list"]);
    assert!(complaint.contains("both set") && !complaint.contains("hush"), "{complaint}");
    std::fs::write(&file, "hu\nsh").unwrap();
    let complaint = refused(&home, &in_file, &["operator", "list"]);
    assert!(complaint.contains("visible ASCII"), "{complaint}");
    // Commands send no browser to the issuer.
    told(&home, &issuer, &["operator", "list"]);
    let help = told(&home, &issuer, &["serve", "--help"]).0;
    assert!(help.contains("JWT_CLIENT_ID") && !help.contains("hush"), "{help}");
}

#[test]
fn no_token_is_signed_for_what_is_not_one_address() {
    let home = Home::new("issuer-address");
    for email in ["notmail", "a@x,b@x", "a@@x", "mailto:a@x", "a@x."] {
        let complaint = refused(&home, &[], &["token", "user", "--subject", "ada", "--email", email]);
        assert!(complaint.contains("must be one e-mail address"), "{email}: {complaint}");
    }
    assert!(std::fs::read_dir(&home.0).unwrap().next().is_none(), "nothing was made");
}

#[test]
fn no_token_is_signed_for_an_outside_issuer() {
    let home = Home::new("issuer-sign");
    let set = home.path("keys.json");
    std::fs::write(&set, key().1.to_string()).unwrap();
    let settings = [("JWT_ISSUER", ISSUER), ("JWT_JWKS", set.as_str())];
    let complaint = refused(&home, &settings, &["token", "user", "--subject", "mallory", "--operator"]);
    assert!(complaint.contains(ISSUER) && complaint.contains("signs no user tokens"), "{complaint}");
    let files = std::fs::read_dir(&home.0).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(files.collect::<Vec<_>>(), ["keys.json"], "not even a key was made");
    assert_eq!(home.output_of(&["operator", "list"]), "");
    // Service tokens are always our own, so an outside issuer doesn't matter.
    let service = ["token", "service", "--name", "gateway", "--scope", "configs:read"];
    assert!(told(&home, &settings, &service).0.lines().last().unwrap().starts_with("ars_"));
}

#[test]
fn an_operator_is_named_as_the_issuer_names_it() {
    let home = Home::new("issuer-operator");
    let set = home.path("keys.json");
    std::fs::write(&set, key().1.to_string()).unwrap();
    let settings = [("JWT_ISSUER", ISSUER), ("JWT_JWKS", set.as_str())];
    told(&home, &settings, &["operator", "add", "--subject", "olga"]);
    assert_eq!(home.output_of(&["operator", "list"]), format!("{ISSUER}\tolga\n"));
    // `--issuer` overrides the configured issuer.
    let local = ["operator", "add", "--subject", "ole", "--issuer", "urn:agent-registry:local"];
    told(&home, &settings, &local);
    assert_eq!(
        home.output_of(&["operator", "list"]).lines().filter(|line| line.contains("local\tole")).count(),
        1
    );
    told(&home, &settings, &["operator", "remove", "--subject", "olga"]);
    assert_eq!(home.output_of(&["operator", "list"]), "urn:agent-registry:local\tole\n");
}

#[test]
fn an_issuer_that_is_down_stops_nobody_and_its_secrets_are_not_told() {
    let home = Home::new("issuer-down");
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let elsewhere = format!("http://{}", proxy.local_addr().unwrap());
    // No process listens on port 1.
    let settings = [
        ("JWT_ISSUER", ISSUER),
        ("JWT_JWKS", "http://me:hush@127.0.0.1:1/keys?code=hush"),
        ("http_proxy", &elsewhere),
        ("all_proxy", &elsewhere),
    ];
    let (printed, complaint) = told(&home, &settings, &["operator", "list"]);
    assert_eq!(printed, "");
    assert!(complaint.contains("http://127.0.0.1:1/keys") && !complaint.contains("hush"), "{complaint}");
    let asked = proxy.accept().map(|_| ());
    assert_eq!(
        asked.unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock,
        "keys on this machine are fetched without the proxy"
    );
}

#[tokio::test]
async fn a_service_accepts_tokens_of_the_issuer_that_it_is_told_of() {
    let home = Home::new("issuer-serve");
    let (signing, published) = key();
    let set = home.path("keys.json");
    std::fs::write(&set, published.to_string()).unwrap();
    let settings = [("JWT_ISSUER", ISSUER), ("JWT_JWKS", set.as_str()), ("JWT_AUDIENCE", "agents")];
    let serving = Serving::start_with(&home, &settings);
    serving.ready().await;
    told(&home, &settings, &["operator", "add", "--subject", "olga"]);
    let header = Header { kid: Some("key".to_owned()), ..Header::new(Algorithm::EdDSA) };
    let token = |audience: &str| {
        let claims = json!({ "iss": ISSUER, "aud": audience, "sub": "olga", "exp": 4_102_444_800_u64 });
        encode(&header, &claims, &signing).unwrap()
    };
    let viewer = "{ viewer { name isOperator } }";
    let answer = serving.gql(&token("agents"), viewer).await;
    assert_eq!(answer["data"]["viewer"], json!({ "name": "olga", "isOperator": true }), "{answer}");
    let answer = serving.gql(&token("agent-registry"), viewer).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");

    // The issuer has withdrawn its key. The service would notice within five minutes.
    std::fs::write(&set, key().1.to_string()).unwrap();
    let told = told(&home, &settings, &["issuer", "refresh"]).0;
    assert_eq!(told, "all running instances read the issuers' keys again\n");
    let mut answer = serving.gql(&token("agents"), viewer).await;
    for _ in 0..100 {
        if answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        answer = serving.gql(&token("agents"), viewer).await;
    }
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
    assert!(serving.stop().1);
}
