//! Checks authorization on every interface: each root field and each route, with each kind of caller, from one
//! table.
//!
//! The test fails when a field or a route is missing in the table, or when the table has one that the service
//! doesn't have.

use std::{collections::BTreeSet, path::Path};

use agent_registry::domain::member::Role;
use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    session::Browser,
    support::{
        Answer, App, Calls,
        caller::{Client, Operator},
    },
};

pub(crate) mod callers;
mod console;
mod once;
pub(crate) mod table;

use table::{Access, FIELDS, OPEN, ROUTES, SESSION_ROUTES, STREAMS};

/// A service with a caller of each kind.
struct World {
    app: App,
    operator: Operator,
    customer: String,
    token: String,
    key: String,
    user: String,
    /// An environment in which each sample agent serves, and one in which none does.
    environments: [String; 2],
    callers: Vec<(&'static str, Client)>,
}

/// The ids that a row's words in capitals are replaced with.
struct SampleAgent {
    agent: String,
    version: String,
}

impl World {
    async fn new() -> Self {
        let app = App::start().await;
        let operator = app.operator().await;
        let customer = operator.customer("City").await;
        let town = operator.customer("Town").await;
        let made = "mutation { createServiceToken(input: { name: \"spare\", scopes: [CONFIGS_READ] }) { serviceToken { id } } }";
        let token = operator.gql(made, Value::Null).await.text("/createServiceToken/serviceToken/id");
        let plan = "mutation ($id: ID!) { setPlan(input: { customerId: $id, plan: PRO }) { revision } }";
        operator.gql(plan, json!({ "id": customer })).await;
        let mut environments = [String::new(), String::new()];
        for (id, key) in environments.iter_mut().zip(["spare", "closed"]) {
            *id = crate::environment::create(&operator, &customer, key).await;
        }
        let mut callers = Vec::new();
        for name in callers::with_credential() {
            callers.push((name, callers::make(&app, &operator, [&customer, &town], name).await));
        }
        let (_, viewer) = callers.iter().find(|(name, _)| *name == "viewer").unwrap();
        let user = viewer.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id");
        let key = String::new();
        let mut world = Self { app, operator, customer, token, key, user, environments, callers };
        world.key = world.spare_key("revoked").await;
        world
    }

    async fn spare_key(&self, name: &str) -> String {
        let make = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }";
        let input = json!({ "customerId": self.customer, "name": name, "scopes": ["AGENTS_READ"] });
        self.operator.gql(make, json!({ "input": input })).await.text("/createApiKey/apiKey/id")
    }

    /// Replaces each word for an object that one call uses up with the id of a new object.
    async fn fill_single_use_ids(&self, text: &str, unique: &str) -> String {
        let mut text = text.to_owned();
        if text.contains("SPARE") {
            text = text.replace("SPARE", &json!(self.spare_key(unique).await).to_string());
        }
        if text.contains("SINCE") {
            let yesterday = agent_registry::clock::Clock::default().now() - chrono::TimeDelta::days(1);
            text = text.replace("SINCE", &agent_registry::clock::to_text(yesterday));
        }
        if text.contains("WORN") {
            let made = "mutation ($name: String!) { createServiceToken(input: { name: $name, scopes: [CONFIGS_READ] }) { serviceToken { id } } }";
            let made = self.operator.gql(made, json!({ "name": unique })).await;
            text = text.replace("WORN", &json!(made.text("/createServiceToken/serviceToken/id")).to_string());
        }
        if text.contains("SIGNED") {
            let session = Browser::sign_in(&self.app, "olga").await.session().await;
            text = text.replace("SIGNED", &json!(session).to_string());
        }
        if text.contains("INVITED") {
            let invite =
                "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id } } }";
            let email = format!("invited-{}@example.org", unique.replace(' ', "-"));
            let input = json!({ "customerId": self.customer, "email": email, "role": "VIEWER" });
            let made = self.operator.gql(invite, json!({ "input": input })).await;
            text = text.replace("INVITED", &json!(made.text("/inviteMember/invitation/id")).to_string());
        }
        if text.contains("LEAVER") {
            let subject = format!("leaver {unique}");
            let leaver = self.app.set_member(&self.customer, &subject, Role::Viewer).await;
            text = text.replace("LEAVER", &json!(leaver).to_string());
        }
        text
    }

    /// An agent whose second version is active, after its first.
    async fn make_sample_agent(&self, name: &str) -> SampleAgent {
        let agent = self.operator.agent(&self.customer, name).await;
        let first = self.operator.publish(&agent, "one").await;
        let second = json!({ "agentId": agent, "systemPrompt": "two", "modelName": "gpt-4-turbo", "tools": [{ "name": "find" }] });
        let version = self.operator.publish_input(second).await.text("/publishVersion/version/id");
        for version in [&first, &version] {
            for environment in ["production", "spare"] {
                let input = json!({ "agentId": agent, "versionId": version, "environment": environment });
                let answer = self.operator.activate_input(input).await;
                assert_eq!(answer.at("/activateVersion/userErrors"), &json!([]));
            }
        }
        SampleAgent { agent, version }
    }

    fn fill_placeholders(&self, text: &str, things: &SampleAgent, unique: &str) -> String {
        let SampleAgent { agent, version } = things;
        [
            ("CUSTOMER", self.customer.as_str()),
            ("AGENT", agent),
            ("VERSION", version),
            ("TOKEN", &self.token),
            ("KEY", &self.key),
            ("USER", &self.user),
            ("PLACE", &self.environments[0]),
            ("CLOSED", &self.environments[1]),
            ("SLUG", &slug(unique)),
            ("UNIQUE", unique),
            ("EMAIL", &format!("{}@example.org", unique.replace(' ', "-"))),
        ]
        .iter()
        .fold(text.to_owned(), |text, (word, value)| text.replace(word, &json!(value).to_string()))
    }

    async fn revision(&self) -> i64 {
        self.app.registry.head().await.unwrap().revision.0
    }

    /// Sends `text`, filled in for each caller, and compares the outcome with the row. A rejected call
    /// must not change anything. Returns the differences.
    async fn check(
        &self,
        (what, text, access): (&str, &str, Access),
        things: &SampleAgent,
        ask: impl AsyncFn(&Client, String) -> Answer,
        outcome: impl Fn(&Answer) -> String,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        for (number, (name, client)) in self.callers.iter().enumerate() {
            let unique = format!("{what} {number}");
            let text =
                self.fill_placeholders(&self.fill_single_use_ids(text, &unique).await, things, &unique);
            let before = self.revision().await;
            let answer = ask(client, text).await;
            let actual = outcome(&answer);
            let expected = access.outcome(name);
            if actual != expected {
                wrong.push(format!("{what} as {name}: {actual}, and not {expected}, {}", answer.body));
            }
            if actual != "ok" && self.revision().await != before {
                wrong.push(format!("{what} as {name}: rejected, and changed something"));
            }
        }
        let text = self.fill_placeholders(&self.fill_single_use_ids(text, what).await, things, what);
        for token in [None, Some("nonsense"), Some("ars_nonsense"), Some("ark_nonsense")] {
            let client = token.map_or_else(|| self.app.anonymous().0, |token| self.app.bearer(token));
            let before = self.revision().await;
            let answer = ask(&client, text.clone()).await;
            let challenged = answer.challenge() == Some(token.map_or("", |_| "invalid_token"));
            if answer.status != StatusCode::UNAUTHORIZED || !challenged || self.revision().await != before {
                wrong.push(format!("{what} without a credential: {}, {}", answer.status, answer.body));
            }
        }
        wrong
    }
}

/// A key of an environment from this name.
fn slug(unique: &str) -> String {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let slug: String = unique.chars().map(letter).collect();
    format!("e{}", slug.chars().rev().take(31).collect::<String>())
}

/// The outcome of a root field.
fn field_outcome(field: &str, answer: &Answer) -> String {
    let value = &answer.body["data"][field];
    let refused = answer.code().or_else(|| value.pointer("/userErrors/0/code").and_then(Value::as_str));
    if let Some(code) = refused {
        return code.to_owned();
    }
    let list = value.as_array().or_else(|| value["nodes"].as_array());
    let is_none = list.map_or(value.is_null(), |list| list.iter().all(Value::is_null));
    if is_none { "none" } else { "ok" }.to_owned()
}

/// The outcome of a route.
fn route_outcome(answer: &Answer) -> String {
    if !answer.status.is_success() {
        return answer.body["code"].as_str().unwrap_or_default().to_owned();
    }
    let is_none = answer.body["agents"].as_array().is_some_and(Vec::is_empty);
    if is_none { "none" } else { "ok" }.to_owned()
}

/// The names of the root fields of this type.
fn fields_of(root: &str) -> BTreeSet<String> {
    let schema = parse_schema(agent_registry::graphql::types_sdl()).unwrap();
    let mut names = BTreeSet::new();
    for definition in schema.definitions {
        if let TypeSystemDefinition::Type(definition) = definition
            && definition.node.name.node == root
            && let TypeKind::Object(object) = definition.node.kind
        {
            names.extend(object.fields.iter().map(|field| field.node.name.node.to_string()));
        }
    }
    names
}

/// The paths of all routes: those registered in the sources and those in the description of REST.
fn routes_in(folder: &Path) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let calls = text.split(".route(").skip(1).map(str::trim_start);
            let literals = calls.filter_map(|call| call.strip_prefix('"')?.split('"').next());
            paths.extend(literals.map(str::to_owned));
        }
    }
    let described: Value = serde_json::from_str(&agent_registry::app::openapi()).unwrap();
    paths.extend(described["paths"].as_object().unwrap().keys().cloned());
    paths
}

#[test]
fn each_row_names_callers_that_exist_and_each_once() {
    let fields = FIELDS.iter().map(|(field, _, access)| (*field, *access));
    let routes = ROUTES.iter().chain(SESSION_ROUTES).map(|(_, path, _, access)| (*path, *access));
    for (what, access) in fields.chain(routes) {
        assert_eq!(access.mistakes(), Vec::<&str>::new(), "{what}");
    }
    let planted =
        Access { value: &[&["viewer", "vewer"]], none: &[&["viewer"]], not_found: &[], invalid: &[] };
    assert_eq!(planted.mistakes(), ["vewer", "viewer"]);
    assert_eq!(planted.outcome("viewer"), "ok");
    assert_eq!(planted.outcome("admin"), "FORBIDDEN");
}

#[tokio::test]
async fn every_root_field() {
    let known: BTreeSet<_> = FIELDS.iter().map(|(field, ..)| (*field).to_owned()).collect();
    let (queries, mutations) = (fields_of("Query"), fields_of("Mutation"));
    assert_eq!(known, queries.union(&mutations).cloned().collect(), "each root field needs a row in FIELDS");
    let world = World::new().await;
    let mut wrong = Vec::new();
    for (nth, (field, rest, access)) in FIELDS.iter().enumerate() {
        let kind = if queries.contains(*field) { "query" } else { "mutation" };
        let things = world.make_sample_agent(&format!("For {field}, row {nth}")).await;
        let ask = async |client: &Client, rest: String| {
            client.gql(&format!("{kind} {{ {field}{rest} }}"), Value::Null).await
        };
        let row = (*field, *rest, *access);
        wrong.extend(world.check(row, &things, ask, |answer| field_outcome(field, answer)).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_subscription() {
    let known: BTreeSet<_> = STREAMS.iter().map(|(field, _)| (*field).to_owned()).collect();
    assert_eq!(known, fields_of("Subscription"), "each subscription needs a row in STREAMS");
    let app = App::start().await;
    for (field, rest) in STREAMS {
        let query = format!("subscription {{ {field}{rest} }}");
        for client in [app.anonymous().0, app.bearer("nonsense"), app.bearer("ars_nonsense")] {
            let answer = client.gql(&query, Value::Null).await;
            assert_eq!(answer.status, 401, "{field}: {}", answer.body);
            assert_eq!(answer.body.get("data"), None);
            let answer = Answer::of(client.watch(&query, Value::Null)).await;
            assert_eq!(answer.status, 401, "{field}: {}", answer.body);
            assert_eq!(answer.body.get("data"), None);
        }
    }
}

#[tokio::test]
async fn every_route() {
    let with_credential = ROUTES.iter().chain(SESSION_ROUTES).map(|(_, path, ..)| *path);
    let known = with_credential.chain(OPEN.iter().map(|(path, _)| *path));
    let known: BTreeSet<_> = known.map(str::to_owned).collect();
    let registered = routes_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"));
    assert_eq!(known, registered, "each route needs a row in ROUTES, SESSION_ROUTES or OPEN");
    let world = World::new().await;
    let mut wrong = Vec::new();
    for (method, path, body, access) in ROUTES {
        let what = format!("{method} {path}");
        let things = world.make_sample_agent(&format!("For {what}")).await;
        let ask = async |client: &Client, body: String| {
            let method: Method = method.parse().unwrap();
            let id = if path.contains("/customers/") { &world.customer } else { &things.agent };
            let path = path.replace("{id}", id).replace("{version_id}", &things.version);
            let request = client.request(method, &path);
            if body.is_empty() {
                return Answer::of(request).await;
            }
            Answer::of(request.header("content-type", "application/json").body(body)).await
        };
        wrong.extend(world.check((&what, body, *access), &things, ask, route_outcome).await);
    }
    for (path, _) in OPEN {
        // `/metrics` is 404 when another service of this process has the recorder.
        let status = world
            .app
            .anonymous()
            .get(&path.replace("{file}", "boot.js").replace("{name}", "not-found"))
            .await
            .status
            .as_u16();
        // A form is sent by POST alone: 405.
        if ![200, 404, 405].contains(&status) {
            wrong.push(format!("{path} without a credential: {status}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
