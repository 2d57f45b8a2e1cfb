//! What gateways say they serve: how it is counted, who sees it, what is refused, and that every instance answers the same.

use std::time::Duration;

use agent_registry::{
    domain::{KeyScope, member::Role},
    http::SocketLimits,
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::{
    Answer, App, Calls,
    app::Instance,
    caller::{Client, Gateway, Member, Operator},
    socket::{Frame, Socket},
    wait,
};

mod bounds;
mod counts;
mod four;
mod instances;
mod rights;
mod streams;

pub(super) const REPORT: &str =
    "mutation ($input: ReportServingInput!) { done: reportServing(input: $input) {
    reportedRevision nextReportSeconds userErrors { code field message } } }";
pub(super) const CONFIGS: &str = "subscription ($environment: String, $customer: ID, $agents: [ID!]) {
    configs(environment: $environment, customerId: $customer, agentIds: $agents) { kind revision } }";
pub(super) const CONVERGENCE: &str = "query ($agent: ID!, $environment: String, $revision: Revision) {
    convergence(agentId: $agent, environment: $environment, revision: $revision) {
        revision gateways applied pending late rejected silent isComplete recountingSince
        rejections { code message gatewayName agent { id } version { number } } } }";
const GATEWAYS: &str = "query ($environment: String, $filter: GatewayFilter) { gateways(environment: $environment, filter: $filter) {
    totalCount nodes { name state appliedRevision deliveredRevision behind region build clientName clientVersion lastReportAt
        actor { kind } rejections { code message } } } }";

/// A customer whose agent serves its first version.
pub(super) struct Stage {
    pub(super) app: App,
    pub(super) operator: Operator,
    pub(super) viewer: Member,
    pub(super) customer: String,
    pub(super) agent: String,
    pub(super) versions: Vec<String>,
    /// The commit of the latest activation.
    pub(super) revision: i64,
}

impl Stage {
    pub(super) async fn open() -> Self {
        // Some sockets aren't read for a while.
        let silence = Duration::from_secs(3600);
        let app = App::with(SocketLimits { silence, ..SocketLimits::default() }).await;
        let operator = app.operator().await;
        let customer = operator.customer("City").await;
        let viewer = app.member(&customer, Role::Viewer).await;
        let agent = operator.agent(&customer, "Permit helper").await;
        let mut versions = Vec::new();
        for prompt in ["Help.", "Help well."] {
            versions.push(operator.publish(&agent, prompt).await);
        }
        let mut stage = Self { app, operator, viewer, customer, agent, versions, revision: 0 };
        stage.activate(0).await;
        stage
    }

    pub(super) async fn activate(&mut self, version: usize) {
        let done = self.operator.activate(&self.agent, &self.versions[version]).await;
        self.revision = done.text("/activateVersion/revision").parse().unwrap();
    }

    /// The convergence of the agent, as this caller sees it.
    pub(super) async fn convergence(&self, client: &Client) -> Value {
        let answer = client.gql(CONVERGENCE, json!({ "agent": self.agent })).await;
        answer.at("/convergence").clone()
    }

    /// The gateways of `production`, by name.
    pub(super) async fn gateways(&self, filter: Value) -> Vec<Value> {
        let answer = self.operator.gql(GATEWAYS, json!({ "filter": filter })).await;
        answer.at("/gateways/nodes").as_array().unwrap().clone()
    }

    /// Waits until the numbers are these: applied, pending, late, rejected, silent.
    pub(super) async fn until_counts(&self, client: &Client, expected: [i64; 5]) {
        let mut last = Value::Null;
        for _ in 0..100 {
            last = self.convergence(client).await;
            if counts(&last) == expected {
                let [applied, pending, _, rejected, silent] = expected;
                assert_eq!(last["gateways"], applied + pending + rejected + silent, "{last}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("not {expected:?}: {last}");
    }
}

pub(super) fn counts(convergence: &Value) -> [i64; 5] {
    ["applied", "pending", "late", "rejected", "silent"].map(|name| convergence[name].as_i64().unwrap_or(-1))
}

/// Reports over HTTP that all up to this commit is applied.
pub(super) async fn report(client: &Client, name: &str, revision: i64) -> Answer {
    report_input(client, json!({ "gatewayName": name, "revision": revision.to_string() })).await
}

pub(super) async fn report_input(client: &Client, input: Value) -> Answer {
    client.gql(REPORT, json!({ "input": input })).await
}

/// What a report must return: its revision, and when to report next.
pub(super) fn assert_stored(answer: &Answer, revision: i64) {
    assert_eq!(*answer.at("/done/userErrors"), json!([]));
    assert_eq!(answer.text("/done/reportedRevision"), revision.to_string());
    let next = answer.at("/done/nextReportSeconds").as_i64().unwrap();
    assert!((1..=30).contains(&next), "{next}");
}

/// How many rows each of the tables has.
pub(super) async fn rows(app: &App) -> [i64; 2] {
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let mut counts = [0; 2];
    for (count, table) in counts.iter_mut().zip(["gateways", "gateway_rejections"]) {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM registry.{table}"));
        *count = sqlx::query_scalar(sql).fetch_one(&mut admin).await.unwrap();
    }
    admin.close().await.unwrap();
    counts
}

/// A gateway that subscribes and reports on one socket.
pub(super) struct Running {
    pub(super) socket: Socket,
    name: String,
    nth: usize,
}

impl Running {
    /// Connects with this name of a library, and reads the snapshot.
    pub(super) async fn start(instance: &Instance, token: &str, name: &str) -> Self {
        let mut socket = Socket::connect(&instance.base, "graphql-transport-ws").await;
        let payload = json!({ "Authorization": format!("Bearer {token}"),
            "clientInfo": { "name": "test-library", "version": "1.2.3" } });
        socket.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.next().await, Frame::Message(json!({ "type": "connection_ack" })));
        socket.subscribe("configs", CONFIGS, json!({})).await;
        let mut running = Self { socket, name: name.to_owned(), nth: 0 };
        running.until_bookmark(0).await;
        running
    }

    /// Reads events until a BOOKMARK at this commit or later, and returns its revision.
    pub(super) async fn until_bookmark(&mut self, revision: i64) -> i64 {
        loop {
            let event = self.socket.event().await;
            let event = &event["data"]["configs"];
            let at: i64 = event["revision"].as_str().unwrap().parse().unwrap();
            if event["kind"] == "BOOKMARK" && at >= revision {
                return at;
            }
        }
    }

    /// Reports on the socket. Events that come meanwhile are dropped.
    pub(super) async fn report(&mut self, revision: i64, rejections: Value) -> Value {
        self.nth += 1;
        let id = format!("report {}", self.nth);
        let input =
            json!({ "gatewayName": self.name, "revision": revision.to_string(), "rejections": rejections });
        self.socket.subscribe(&id, REPORT, json!({ "input": input })).await;
        let mut found = Value::Null;
        loop {
            let Frame::Message(message) = self.socket.next().await else { panic!("closed") };
            match (message["id"] == id.as_str(), message["type"].as_str()) {
                (true, Some("next")) => found = message["payload"]["data"]["done"].clone(),
                (true, Some("complete")) => return found,
                (true, _) => panic!("{message}"),
                (false, _) => {}
            }
        }
    }
}

/// A refusal of this version.
pub(super) fn rejection(agent: &str, version: &str, revision: i64) -> Value {
    json!({ "agentId": agent, "versionId": version, "revision": revision.to_string(), "code": "UNKNOWN_TOOL",
        "message": "find_section" })
}

/// The token of a client.
pub(super) fn token(client: &Client) -> &str {
    client.token.as_deref().unwrap()
}

pub(super) async fn gateway(app: &App) -> Gateway {
    app.gateway().await
}

pub(super) const WATCHES: [KeyScope; 2] = [KeyScope::ConfigsRead, KeyScope::ActivationsWatch];

/// Waits until the list has these names and states.
pub(super) async fn until_states(stage: &Stage, expected: &[(&str, &str)]) {
    let expected: Vec<Value> =
        expected.iter().map(|(name, state)| json!({ "name": name, "state": state })).collect();
    wait::eventually("the gateways have their states", async || {
        let nodes = stage.gateways(json!({})).await;
        let states: Vec<Value> =
            nodes.iter().map(|node| json!({ "name": node["name"], "state": node["state"] })).collect();
        states == expected
    })
    .await;
}
