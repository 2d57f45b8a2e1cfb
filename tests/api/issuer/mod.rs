//! Tokens of an outside issuer: which tokens are accepted, by which keys, from which sources.

use agent_registry::domain::{
    Caller,
    auth::{
        Issuer,
        jwks::{IssuerSettings, OutsideIssuer, Source},
    },
};
use serde_json::{Value, json};

use crate::support::{
    Answer, App, Calls,
    app::{Instance, Setup},
    caller::{Client, Operator},
};

mod browser;
mod claims;
mod discovery;
mod fresh;
mod invited;
mod provider;
mod publisher;
mod reserved;
mod roles;
mod shapes;
mod signer;
mod wrong;

use publisher::{Publisher, Reply};
use signer::{Signer, set};

/// The `iss` of all tokens here.
const ISSUER: &str = "https://issuer.invalid";
const VIEWER: &str = "{ viewer { kind name isOperator memberships { role } } }";

/// A file with a key set; removed when it is dropped.
struct KeyFile(std::path::PathBuf);

impl KeyFile {
    fn new(set: &Value) -> Self {
        let file = Self(std::env::temp_dir().join(format!("ar-issuer-{}.json", uuid::Uuid::now_v7())));
        file.write(set);
        file
    }

    fn write(&self, set: &Value) {
        std::fs::write(&self.0, set.to_string()).unwrap();
    }

    fn source(&self) -> Source {
        Source::parse(self.0.to_str().unwrap()).unwrap()
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A service with an outside issuer, and the keys that it knows.
struct World {
    app: App,
    keys: OutsideIssuer,
}

impl World {
    /// Starts the service and reads the keys.
    async fn new(source: Source) -> Self {
        let world = Self::unread(source).await;
        world.keys.refresh().await.unwrap();
        world
    }

    /// Starts the service without reading the keys.
    async fn unread(source: Source) -> Self {
        Self::with(IssuerSettings::new(ISSUER, "agent-registry", source)).await
    }

    /// Starts the service with these settings of its issuer, without reading the keys.
    async fn with(settings: IssuerSettings) -> Self {
        let keys = OutsideIssuer::new(settings).unwrap();
        let setup = Setup { issuer: Some(Issuer::Outside(vec![keys.clone()])), ..Setup::default() };
        Self { app: App::set_up(setup).await, keys }
    }

    /// Starts another service with these settings on the same database, in place of this one.
    async fn on(before: App, settings: IssuerSettings) -> Self {
        let keys = OutsideIssuer::new(settings).unwrap();
        let setup = Setup { issuer: Some(Issuer::Outside(vec![keys.clone()])), ..Setup::default() };
        let App { database, first } = before;
        first.stop().await;
        let first = Instance::start(&database.url, setup).await;
        Self { app: App { database, first }, keys }
    }

    /// The claims of a valid token with these changes; null removes a claim.
    fn claims(&self, change: Value) -> Value {
        let now = self.app.clock.now().timestamp();
        let mut claims = json!({
            "iss": self.keys.issuer(), "aud": "agent-registry", "sub": "eve", "iat": now, "exp": now + 3600
        });
        let fields = claims.as_object_mut().unwrap();
        fields.extend(change.as_object().unwrap().clone());
        fields.retain(|_, value| !value.is_null());
        claims
    }

    /// A valid token with these changes.
    fn token(&self, signer: &Signer, change: Value) -> String {
        signer.token(&self.claims(change))
    }

    /// A client with a valid token of this key for the subject "eve".
    fn eve(&self, signer: &Signer) -> Client {
        self.app.bearer(&self.token(signer, json!({})))
    }

    /// Whether the service accepts a token of this key.
    async fn knows(&self, signer: &Signer) -> bool {
        let answer = self.eve(signer).gql(VIEWER, Value::Null).await;
        match answer.code() {
            None => answer.at("/viewer/name") == "eve",
            Some(code) => {
                assert_eq!((answer.status.as_u16(), code), (401, "UNAUTHENTICATED"), "{}", answer.body);
                false
            }
        }
    }

    /// A client of a platform operator, with a token of this key.
    async fn operator(&self, signer: &Signer) -> Operator {
        self.app.registry.add_operator(&Caller::system("test"), self.keys.issuer(), "olga").await.unwrap();
        Operator(
            self.app.bearer(&self.token(signer, json!({ "sub": "olga", "client_id": "agent-registry" }))),
        )
    }

    async fn revision(&self) -> i64 {
        self.app.registry.head().await.unwrap().revision.0
    }
}

/// Asserts the response that every rejected token gets.
fn assert_refused(answer: &Answer, what: &str) {
    let code = answer.code().or(answer.body["code"].as_str());
    assert_eq!(
        (answer.status.as_u16(), code, answer.challenge().is_some()),
        (401, Some("UNAUTHENTICATED"), true),
        "{what}: {}",
        answer.body
    );
}

/// A key of each algorithm. The RSA keys are published with the algorithm's name, the others without.
fn one_of_each() -> Vec<Signer> {
    let named = |kid, alg| Signer::rsa_with(kid, alg).published(json!({ "alg": alg }));
    vec![
        Signer::ed("ed"),
        Signer::ed("ed25519").published(json!({ "alg": "Ed25519" })),
        Signer::ec("ec"),
        Signer::ec384("ec384"),
        Signer::rsa("rsa"),
        named("rs256", "RS256"),
        named("rs384", "RS384"),
        named("rs512", "RS512"),
        named("ps256", "PS256"),
        named("ps384", "PS384"),
        named("ps512", "PS512"),
    ]
}

#[tokio::test]
async fn the_usual_algorithms_are_accepted_from_a_file_and_from_an_address() {
    let signers = one_of_each();
    let file = KeyFile::new(&set(&signers));
    let publisher = Publisher::start(Reply::Set(set(&signers))).await;
    for source in [file.source(), publisher.source()] {
        let world = World::new(source.clone()).await;
        for signer in &signers {
            let answer = world.eve(signer).gql(VIEWER, Value::Null).await;
            let eve = json!({ "kind": "USER", "name": "eve", "isOperator": false, "memberships": [] });
            assert_eq!(answer.at("/viewer"), &eve, "{} from {source:?}", signer.alg);
        }
        // EdDSA has two names, whichever of them its key has.
        for signer in &signers[..2] {
            let named = signer.headed(json!({ "alg": "Ed25519" }), &world.claims(json!({})));
            let answer = world.app.bearer(&named).gql(VIEWER, Value::Null).await;
            assert_eq!(answer.at("/viewer/name"), "eve", "{}", signer.kid);
        }
        // A key without a name for its algorithm is for all of its kind, a named one for that alone.
        for alg in ["RS384", "RS512", "PS256", "PS384", "PS512"] {
            let unnamed = Signer::rsa_with("rsa", alg);
            assert!(world.knows(&unnamed).await, "{alg}");
            let named = Signer::rsa_with("rs256", alg);
            assert!(!world.knows(&named).await, "{alg}");
        }
        assert_eq!(world.revision().await, 0, "a token alone creates no profile");
    }
    assert_eq!(publisher.asked(), 1, "tokens of known keys cause no fetch");
}

#[tokio::test]
async fn a_user_of_an_outside_issuer_works_under_its_name() {
    let signer = Signer::ec("ec");
    let file = KeyFile::new(&set([&signer]));
    let world = World::new(file.source()).await;
    let olga = world.operator(&signer).await;
    let customer = olga.customer("City").await;
    let agent = olga.agent(&customer, "Helper").await;
    let version = olga.publish(&agent, "You help.").await;
    olga.activate(&agent, &version).await;
    assert_eq!(olga.active_number(&agent).await, 1);
    let mut socket = olga.socket().await;
    socket.send(json!({ "type": "ping" })).await;
    // The same subject at the local issuer is another user.
    world
        .app
        .registry
        .add_operator(&Caller::system("test"), "urn:agent-registry:local", "eve")
        .await
        .unwrap();
    let answer = world.eve(&signer).gql(VIEWER, Value::Null).await;
    assert_eq!(answer.at("/viewer/isOperator"), false);
}

#[tokio::test]
async fn a_token_ends_by_the_services_own_clock() {
    let signer = Signer::ed("ed");
    let file = KeyFile::new(&set([&signer]));
    let world = World::new(file.source()).await;
    let eve = world.eve(&signer);
    assert_eq!(eve.gql(VIEWER, Value::Null).await.code(), None);
    world.app.clock.shift(chrono::TimeDelta::hours(2));
    assert_refused(&eve.gql(VIEWER, Value::Null).await, "expired");
    assert_eq!(world.revision().await, 0);
}

#[tokio::test]
async fn services_keep_their_tokens_beside_an_outside_issuer() {
    let signer = Signer::ed("ed");
    let file = KeyFile::new(&set([&signer]));
    let world = World::new(file.source()).await;
    let gateway = world.app.gateway().await;
    assert_eq!(gateway.gql("{ viewer { kind } }", Value::Null).await.at("/viewer/kind"), "SERVICE");
}

/// Entra ID's tokens with 200 groups have 11 KB. They work on each request of a connection, and on a socket.
#[tokio::test]
async fn a_token_of_sixteen_kibibytes_is_accepted_over_http_and_on_a_socket() {
    let signer = Signer::rsa("rsa");
    let file = KeyFile::new(&set([&signer]));
    let world = World::new(file.source()).await;
    let groups: Vec<String> = (0..250).map(|_| uuid::Uuid::now_v7().to_string()).collect();
    let base = world.token(&signer, json!({ "groups": groups, "filler": "" })).len();
    assert!(base > 11 * 1024, "{base}");
    let fitting = |bytes: usize| {
        // Four letters of base64 are three bytes.
        let filler = "x".repeat((bytes - base) / 4 * 3);
        world.token(&signer, json!({ "groups": groups, "filler": filler }))
    };
    let longest = fitting(16 * 1024 - 4);
    assert!(longest.len() > 16 * 1024 - 12 && longest.len() <= 16 * 1024, "{}", longest.len());
    let eve = world.app.bearer(&longest);
    for _ in 0..3 {
        let answer = eve.gql(VIEWER, Value::Null).await;
        assert_eq!((answer.at("/viewer/name"), answer.header("connection")), (&json!("eve"), None));
    }
    let mut socket = eve.socket().await;
    socket.send(json!({ "type": "ping" })).await;
    let longer = fitting(16 * 1024 + 16);
    assert_refused(&world.app.bearer(&longer).gql(VIEWER, Value::Null).await, "too long");
}

#[test]
fn keys_come_over_https_or_from_this_machine() {
    let parsed = |text: &str| Source::parse(text);
    for url in [
        "https://issuer.invalid/keys",
        "https://issuer.invalid:8443/keys?tenant=1",
        "http://127.0.0.1:8080/keys",
        "http://127.9.9.9/keys",
        "http://[::1]:8080/keys",
        "http://localhost/keys",
    ] {
        assert_eq!(parsed(url), Ok(Source::Url(url.to_owned())));
    }
    for file in ["/etc/keys.json", "keys.json", "./https/keys.json"] {
        assert_eq!(parsed(file), Ok(Source::File(file.into())));
    }
    for url in [
        "",
        "ftp://issuer.invalid/keys",
        "ftp://127.0.0.1/keys",
        "file:///etc/keys.json",
        "data://x",
        "https://",
        "http://issuer.invalid/keys",
        "http://10.0.0.1/keys",
        "http://127.0.0.1.issuer.invalid/keys",
        "http://localhost.issuer.invalid/keys",
        "http://127.0.0.1@issuer.invalid/keys",
        "http://issuer.invalid#@127.0.0.1",
        "http://0.0.0.0/keys",
        "http://[::2]/keys",
    ] {
        let why = parsed(url).unwrap_err();
        assert!(!why.is_empty() && why.lines().count() == 1, "{url:?}: {why:?}");
    }
}
