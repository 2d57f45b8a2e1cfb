//! A token that is limited to customers reads nothing of others, behind each of the walls alone, and gets for their
//! objects the bytes that it gets for missing ones.

use std::time::Duration;

use agent_registry::domain::ServiceScope;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{NOBODY, Served};
use crate::support::{
    App,
    app::Setup,
    caller::{Client, Operator},
    cluster::{admin, end_sessions},
    socket::Socket,
    wait::{eventually, until},
};

const CONFIGS: &str = "subscription ($customer: ID, $agents: [ID!], $after: Cursor) {
    configs(customerId: $customer, agentIds: $agents, after: $after) {
        kind agentId reason config { name customerId systemPrompt } } }";
const ACTIVATIONS: &str = "subscription ($customer: ID, $agents: [ID!], $after: Cursor) {
    activations(customerId: $customer, agentIds: $agents, after: $after) {
        agent { id name } version { number } previousVersion { number } } }";

/// Two customers, and a token that is limited to the first.
struct World {
    app: App,
    operator: Operator,
    city: Served,
    town: Served,
    gateway: Client,
}

impl World {
    async fn new(setup: Setup) -> Self {
        let app = App::set_up(setup).await;
        let operator = app.operator().await;
        let (city, town) = (Served::new(&operator, "City").await, Served::new(&operator, "Town").await);
        let gateway = app.limited_gateway([city.customer.as_str()]).await.0;
        Self { app, operator, city, town, gateway }
    }

    /// Puts both configurations into memory.
    async fn warm(&self) {
        let gateway = self.app.gateway().await;
        for served in [&self.city, &self.town] {
            assert_eq!(gateway.get(&served.path()).await.status, 200);
        }
    }
}

/// A response without what differs from request to request, with the id in it blanked.
async fn bytes(client: &Client, method: Method, path: &str, body: Option<Value>, id: &str) -> String {
    let mut request = client.request(method, path).header("x-request-id", "same");
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    let (status, mut headers) = (response.status(), response.headers().clone());
    headers.remove("date");
    format!("{status} {headers:?} {}", response.text().await.unwrap()).replace(id, "ID")
}

/// The responses about an agent at every interface that reads one.
async fn answers(client: &Client, agent: &str) -> Vec<String> {
    let mut answers = Vec::new();
    let path = format!("/internal/agents/{agent}/active");
    answers.push(bytes(client, Method::GET, &path, None, agent).await);
    answers.push(bytes(client, Method::GET, &format!("{path}?at_least=1"), None, agent).await);
    for query in [
        "query ($id: ID!) { activeConfig(agentId: $id) { name } }",
        "query ($id: ID!) { activeConfigResult(agentId: $id) { ... on NotServed { agentId reason revision } ... on ActiveConfig { name } } }",
        "query ($id: ID!) { node(id: $id) { id } }",
        "query ($id: ID!) { agent(id: $id) { id } }",
    ] {
        let body = json!({ "query": query, "variables": { "id": agent } });
        answers.push(bytes(client, Method::POST, "/graphql", Some(body), agent).await);
    }
    answers
}

/// The names in the events of `configs` up to the first bookmark.
async fn snapshot(client: &Client, variables: Value) -> Vec<String> {
    let mut socket = client.socket().await;
    socket.subscribe("1", CONFIGS, variables).await;
    let mut names = Vec::new();
    loop {
        let event = socket.event().await["data"]["configs"].take();
        if event["kind"] == "BOOKMARK" {
            return names;
        }
        names.push(event["config"]["name"].as_str().unwrap_or_default().to_owned());
    }
}

/// The name of the agent in the next event of `activations`.
async fn activated(socket: &mut Socket) -> String {
    let event = socket.event().await;
    assert_eq!(event.get("errors"), None, "{event}");
    event["data"]["activations"]["agent"]["name"].as_str().unwrap().to_owned()
}

/// What the token learns of the other customer; nothing if its walls hold.
async fn leaks(world: &World) -> Vec<String> {
    let World { operator, city, town, gateway, .. } = world;
    let mut leaks = snapshot(gateway, json!({})).await;
    leaks.extend(snapshot(gateway, json!({ "agents": [city.agent, town.agent] })).await);
    let mut replayed = gateway.socket().await;
    replayed.subscribe("1", ACTIVATIONS, json!({ "after": "0" })).await;
    leaks.push(activated(&mut replayed).await);
    let mut live = gateway.socket().await;
    live.subscribe("1", ACTIVATIONS, json!({})).await;
    let mut events = gateway.events(CONFIGS, json!({})).await;
    until("the subscriptions are open", || world.app.watchers() >= 3).await;
    town.serve(operator).await;
    city.serve(operator).await;
    leaks.push(activated(&mut replayed).await);
    leaks.push(activated(&mut live).await);
    // The snapshot has one configuration and a bookmark. Its own change comes after the other customer's.
    for _ in 0..3 {
        let event = events.event().await;
        leaks.extend(event["data"]["configs"]["config"]["name"].as_str().map(str::to_owned));
    }
    for answer in answers(gateway, &town.agent).await {
        leaks.extend(answer.contains(town.name).then_some(answer));
    }
    leaks.retain(|name| !name.is_empty() && name != "City agent");
    leaks
}

async fn nothing_leaks(setup: Setup) {
    let world = World::new(setup).await;
    assert_eq!(leaks(&world).await, Vec::<String>::new(), "with cold caches");
    world.warm().await;
    assert_eq!(leaks(&world).await, Vec::<String>::new(), "with warm caches");
    // It reads its own customer.
    let own = world.gateway.get(&world.city.path()).await;
    assert_eq!((own.status.as_u16(), &own.body["system_prompt"]), (200, &json!("City prompt")));
}

#[tokio::test]
async fn a_limited_token_reads_its_own_customers_and_no_others() {
    nothing_leaks(Setup::default()).await;
}

#[tokio::test]
async fn nor_does_it_behind_row_level_security_alone() {
    nothing_leaks(Setup { is_row_level_security_only: true, ..Setup::default() }).await;
}

#[tokio::test]
async fn nor_does_it_behind_the_services_own_queries_alone() {
    nothing_leaks(Setup { is_row_level_security_off: true, ..Setup::default() }).await;
}

/// Proves that the tests above notice: without both walls, the other customer's agent is in the snapshot.
#[tokio::test]
async fn a_missing_wall_is_noticed() {
    let world = World::new(Setup { is_row_level_security_only: true, ..Setup::default() }).await;
    let mut admin = PgConnection::connect(&world.app.database.admin_url).await.unwrap();
    for table in ["agents", "customers", "agent_versions", "activations", "servings", "changes"] {
        let disable = format!("ALTER TABLE registry.{table} DISABLE ROW LEVEL SECURITY");
        sqlx::raw_sql(AssertSqlSafe(disable)).execute(&mut admin).await.unwrap();
    }
    assert_eq!(snapshot(&world.gateway, json!({})).await, ["City agent", "Town agent"]);
}

#[tokio::test]
async fn anothers_agent_is_a_missing_one_by_every_byte() {
    let world = World::new(Setup::default()).await;
    let World { town, gateway, .. } = &world;
    let suspended = Served::new(&world.operator, "Suspended").await;
    world.app.set_billing_status(&suspended.customer, "SUSPENDED").await;
    for warm in [false, true] {
        if warm {
            world.warm().await;
        }
        let missing = answers(gateway, NOBODY).await;
        assert_eq!(answers(gateway, &town.agent).await, missing);
        assert_eq!(answers(gateway, &suspended.agent).await, missing);
    }
    // A token for both customers does get it: the comparison isn't of refusals of any agent.
    let both = world.app.limited_gateway([world.city.customer.as_str(), town.customer.as_str()]).await;
    assert_ne!(answers(&both, &town.agent).await, answers(&both, NOBODY).await);
    for (subscription, field) in [(CONFIGS, "configs"), (ACTIVATIONS, "activations")] {
        let mut errors = Vec::new();
        for customer in [&town.customer, NOBODY] {
            let mut events = gateway.events(subscription, json!({ "customer": customer })).await;
            let mut event = events.event().await;
            event["errors"][0]["extensions"]["requestId"].take();
            errors.push(event.to_string());
        }
        assert_eq!(errors[0], errors[1], "{field}");
        assert!(errors[0].contains("NOT_FOUND"), "{}", errors[0]);
    }
    let mut removed = Vec::new();
    for agent in [&town.agent, NOBODY] {
        let mut events = gateway.events(CONFIGS, json!({ "agents": [agent], "after": "0" })).await;
        removed.push(events.event().await.to_string().replace(agent, "ID"));
    }
    assert_eq!(removed[0], removed[1]);
    assert!(removed[0].contains("NOT_FOUND"), "{}", removed[0]);
}

#[tokio::test]
async fn the_fast_path_answers_it_for_its_own_customers_only() {
    let world = World::new(Setup::default()).await;
    world.warm().await;
    let World { app, city, town, gateway, .. } = &world;
    let gateways = [gateway.clone(), app.gateway().await.0];
    for gateway in &gateways {
        assert_eq!(gateway.get(&city.path()).await.status, 200);
    }
    let is_answered = |gateway: &Client, served: &Served| {
        let agent = served.agent.parse().unwrap();
        app.door.hub.cached_config(gateway.token.as_deref().unwrap(), agent).is_some()
    };
    let [limited, unlimited] = &gateways;
    assert!(is_answered(limited, city) && is_answered(unlimited, city) && is_answered(unlimited, town));
    assert!(!is_answered(limited, town));
}

/// Tokens with other customers share no rendered event, although the document and the scopes are the same.
#[tokio::test]
async fn subscribers_of_other_customers_share_nothing() {
    let world = World::new(Setup::default()).await;
    let World { app, operator, city, town, gateway } = &world;
    let theirs = app.limited_gateway([town.customer.as_str()]).await;
    let (mut ours, mut theirs) = (gateway.socket().await, theirs.socket().await);
    let mut all = app.gateway().await.socket().await;
    for socket in [&mut ours, &mut theirs, &mut all] {
        socket.subscribe("1", ACTIVATIONS, json!({})).await;
    }
    until("the subscriptions are open", || app.watchers() == 3).await;
    for served in [town, city] {
        served.serve(operator).await;
    }
    assert_eq!(activated(&mut ours).await, "City agent");
    assert_eq!(activated(&mut theirs).await, "Town agent");
    assert_eq!([activated(&mut all).await, activated(&mut all).await], ["Town agent", "City agent"]);
    assert!(
        ours.is_quiet(Duration::from_millis(200)).await && theirs.is_quiet(Duration::from_millis(200)).await
    );
}

/// A bookmark is of the customers too: a token that sees others would miss changes when it resumes.
#[tokio::test]
async fn a_bookmark_is_bound_to_the_customers() {
    let world = World::new(Setup::default()).await;
    let World { app, city, town, gateway, .. } = &world;
    let bookmark = async |client: &Client| {
        let mut socket = client.socket().await;
        let query = "subscription { configs { kind cursor } }";
        socket.subscribe("1", query, Value::Null).await;
        loop {
            let event = socket.event().await["data"]["configs"].take();
            if event["kind"] == "BOOKMARK" {
                return event["cursor"].as_str().unwrap().to_owned();
            }
        }
    };
    let after = bookmark(gateway).await;
    let resume = async |client: &Client| {
        client.events(CONFIGS, json!({ "after": after })).await.event().await.to_string()
    };
    let same = app.limited_service(ServiceScope::ALL, [city.customer.as_str()]).await;
    assert!(resume(&same).await.contains("BOOKMARK"));
    for other in [
        app.gateway().await,
        app.limited_gateway([city.customer.as_str(), town.customer.as_str()]).await,
        app.limited_gateway([town.customer.as_str()]).await,
    ] {
        assert!(resume(&other).await.contains("CURSOR_INVALID"));
    }
}

/// An erased customer stays in the list, and serves nothing.
#[tokio::test]
async fn an_erased_customer_stays_in_the_list_harmlessly() {
    let world = World::new(Setup::default()).await;
    let World { app, operator, city, town, .. } = &world;
    let both = app.limited_gateway([city.customer.as_str(), town.customer.as_str()]).await;
    assert_eq!(both.get(&town.path()).await.status, 200);
    let erase = "mutation ($id: ID!) {
        setBillingStatus(input: { customerId: $id, status: CANCELED }) { revision }
        eraseCustomer(input: { customerId: $id }) { revision } }";
    operator.gql(erase, json!({ "id": town.customer })).await.text("/eraseCustomer/revision");
    assert_eq!(both.get(&town.path()).await.status, 403);
    assert_eq!(both.get(&city.path()).await.status, 200);
    assert_eq!(snapshot(&both, json!({})).await, ["City agent"]);
}

/// While the database is gone, memory still answers for its own customers. For another customer's agent it is as
/// silent as for one that doesn't exist.
#[tokio::test]
async fn without_the_database_it_learns_nothing_of_others() {
    let world = World::new(Setup::default()).await;
    world.warm().await;
    let World { app, city, town, gateway, .. } = &world;
    assert_eq!(gateway.get(&city.path()).await.status, 200);
    let name = app.database.name().to_owned();
    let mut admin = admin().await;
    let alter = format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false");
    sqlx::raw_sql(AssertSqlSafe(alter)).execute(&mut admin).await.unwrap();
    end_sessions(&mut admin, &name).await;
    eventually("the lease is over", async || app.door.hub.age() > Duration::from_secs(1)).await;
    let own = gateway.get(&city.path()).await;
    assert_eq!((own.status.as_u16(), &own.body["system_prompt"]), (200, &json!("City prompt")));
    assert!(own.header("registry-stale-seconds").is_some());
    let path = |agent: &str| format!("/internal/agents/{agent}/active");
    let foreign = bytes(gateway, Method::GET, &path(&town.agent), None, &town.agent).await;
    assert_eq!(foreign, bytes(gateway, Method::GET, &path(NOBODY), None, NOBODY).await);
    assert!(foreign.starts_with("503"), "{foreign}");
}
