//! Clients that activate, roll back and read one agent, and record the responses.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::history::{Call, Op, Version, WriteOutcome};
use crate::support::{
    Answer,
    app::Instance,
    caller::{Gateway, Operator},
};

/// An agent in one environment, with versions to activate there.
pub(super) struct Agent {
    id: String,
    environment: &'static str,
    versions: Vec<String>,
    numbers: HashMap<String, Version>,
    next: AtomicUsize,
}

pub(super) type Shared = Arc<Agent>;

impl Agent {
    pub(super) fn shared(id: String, environment: &'static str, versions: Vec<String>) -> Shared {
        let numbers = versions.iter().cloned().zip(1..).collect();
        Arc::new(Self { id, environment, versions, numbers, next: AtomicUsize::new(0) })
    }

    fn number(&self, id: &Value) -> Version {
        self.numbers[id.as_str().unwrap()]
    }
}

/// The access to an instance.
#[derive(Clone)]
pub(super) struct InstanceAccess {
    operator: Operator,
    gateway: Gateway,
    /// A cache before the instance, which returns stale reads.
    copy: Option<StaleCache>,
}

/// A cache of reads.
#[derive(Clone)]
pub(super) struct StaleCache {
    time: Duration,
    kept: Arc<Mutex<HashMap<String, (Instant, Call)>>>,
}

impl StaleCache {
    pub(super) fn kept(time: Duration) -> Self {
        Self { time, kept: Arc::default() }
    }

    fn of(&self, agent: &Agent) -> Option<Call> {
        let kept = self.kept.lock().unwrap();
        kept.get(agent.environment).filter(|(since, _)| since.elapsed() < self.time).map(|(_, call)| *call)
    }

    fn keep(&self, agent: &Agent, call: Call) {
        self.kept.lock().unwrap().insert(agent.environment.to_owned(), (Instant::now(), call));
    }
}

impl InstanceAccess {
    pub(super) async fn of(instance: &Instance, operator: &Operator) -> Self {
        let operator = Operator(instance.bearer(operator.token.as_deref().unwrap()));
        Self { operator, gateway: instance.gateway().await, copy: None }
    }

    /// The same access behind a cache.
    pub(super) fn behind(self, copy: StaleCache) -> Self {
        Self { copy: Some(copy), ..self }
    }

    /// Reads the active version, over REST or GraphQL.
    async fn read(&self, agent: &Agent, over_rest: bool, at_least: Option<i64>) -> Call {
        if let Some(call) = self.copy.as_ref().and_then(|copy| copy.of(agent)) {
            return call;
        }
        let found = if over_rest {
            let least = at_least.map_or_else(String::new, |revision| format!("&at_least={revision}"));
            let path =
                format!("/internal/agents/{}/active?environment={}{least}", agent.id, agent.environment);
            let answer = self.gateway.get(&path).await;
            match answer.status.as_u16() {
                200 => Some((
                    agent.number(&answer.body["version_id"]),
                    answer.body["revision"].as_i64().unwrap(),
                )),
                status => {
                    assert_eq!(
                        (status, &answer.body["code"]),
                        (404, &json!("NOT_ACTIVE")),
                        "{}",
                        answer.body
                    );
                    None
                }
            }
        } else {
            let query =
                "query ($agent: ID!, $in: String, $least: Revision) { activeConfig(agentId: $agent, environment: $in, atLeast: $least) {
                versionId revision } }";
            let least = at_least.map(|revision| revision.to_string());
            let answer = self
                .operator
                .gql(query, json!({ "agent": agent.id, "in": agent.environment, "least": least }))
                .await;
            let config = answer.at("/activeConfig");
            (!config.is_null()).then(|| {
                (agent.number(&config["versionId"]), config["revision"].as_str().unwrap().parse().unwrap())
            })
        };
        let call = Call::Read { active: found.map(|found| found.0), revision: found.map(|found| found.1) };
        if let Some(copy) = &self.copy {
            copy.keep(agent, call);
        }
        call
    }

    async fn write(&self, verb: &str, input: &str, variables: Value) -> WriteOutcome {
        let mutation = format!(
            "mutation ($input: {input}!) {{ answer: {verb}(input: $input) {{ revision userErrors {{ code }} }} }}"
        );
        let answer: Answer = self.operator.gql(&mutation, json!({ "input": variables })).await;
        match answer.at("/answer/userErrors").get(0) {
            None => WriteOutcome::Done(answer.text("/answer/revision").parse().unwrap()),
            Some(error) if error["code"] == "CONFLICT" => WriteOutcome::Conflict,
            Some(error) => {
                assert_eq!(error["code"], "INVALID", "{}", answer.body);
                WriteOutcome::Refused
            }
        }
    }
}

/// One client of one agent. It waits for each response before its next call.
pub(super) struct Client {
    nth: usize,
    agent: Shared,
    doors: Vec<InstanceAccess>,
    began: Instant,
    at_least: bool,
    /// The newest revision in its responses.
    seen: Option<i64>,
    /// The active version in its last read.
    active: Option<Version>,
}

impl Client {
    pub(super) fn new(
        nth: usize,
        agent: Shared,
        doors: Vec<InstanceAccess>,
        began: Instant,
        at_least: bool,
    ) -> Self {
        Self { nth, agent, doors, began, at_least, seen: None, active: None }
    }

    pub(super) async fn run(mut self, calls: usize) -> Vec<Op> {
        let mut ops = Vec::new();
        for turn in 0..calls {
            // Each client makes its calls in another order, and uses all instances in turn.
            let what = (turn * 7 + self.nth * 3 + turn / 10) % 10;
            let door = self.doors[(turn + self.nth) % self.doors.len()].clone();
            let at_least = self.seen.filter(|_| self.at_least && what < 6);
            let called = self.began.elapsed().as_nanos();
            let call = self.call(&door, what, at_least).await;
            let answered = self.began.elapsed().as_nanos();
            if let Call::Read { active, .. } = call {
                self.active = active;
            }
            self.seen = self.seen.max(call.revision());
            ops.push(Op { client: self.nth, called, answered, at_least, call });
        }
        ops
    }

    async fn call(&self, door: &InstanceAccess, what: usize, at_least: Option<i64>) -> Call {
        let agent = &self.agent;
        match what {
            0..6 => door.read(agent, what < 3, at_least).await,
            6 | 7 => {
                // Activates each version once while there are any, so that no two writes look the same.
                let at = agent.next.fetch_add(1, Ordering::Relaxed) % agent.versions.len();
                let version = at as Version + 1;
                let expected = (what == 7).then_some(self.active);
                let mut input = json!({
                    "agentId": agent.id, "environment": agent.environment, "versionId": agent.versions[at],
                });
                if let Some(expected) = expected {
                    let id = expected.map(|expected| &agent.versions[expected as usize - 1]);
                    input["expectedActiveVersionId"] = json!(id);
                }
                let told = door.write("activateVersion", "ActivateVersionInput", input).await;
                Call::Activate { version, expected, told }
            }
            8 if self.nth.is_multiple_of(3) => {
                let input = json!({ "agentId": agent.id, "environment": agent.environment });
                Call::Deactivate { told: door.write("deactivate", "DeactivateInput", input).await }
            }
            _ => {
                let input = json!({ "agentId": agent.id, "environment": agent.environment });
                Call::Rollback { told: door.write("rollback", "RollbackInput", input).await }
            }
        }
    }
}
