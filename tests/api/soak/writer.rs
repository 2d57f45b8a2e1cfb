//! Writers of a soak: they write through any instance, and record the acknowledged writes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{
    random::SeededRandom,
    world::{Agent, Customer, ENVIRONMENTS, World},
};

/// Timeout of a request.
const PATIENCE: Duration = Duration::from_secs(20);

/// An entry that the log must have in a commit.
#[derive(Clone, Debug, Default)]
pub(super) struct ExpectedEntry {
    /// The action is one of these.
    pub(super) actions: Vec<&'static str>,
    pub(super) customer: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) version: Option<String>,
    pub(super) subject: Option<String>,
    /// A value in `details`, by its pointer.
    pub(super) after: Option<(&'static str, String)>,
}

/// An acknowledged write: its revision, and the expected entries.
#[derive(Clone, Debug)]
pub(super) struct AcknowledgedWrite {
    pub(super) revision: i64,
    pub(super) asked: Vec<ExpectedEntry>,
}

/// The outcomes of all writes.
#[derive(Default)]
pub(super) struct WriteOutcomes {
    acks: Mutex<Vec<AcknowledgedWrite>>,
    /// The number of writes that weren't acknowledged, by reason.
    others: Mutex<BTreeMap<String, usize>>,
}

impl WriteOutcomes {
    pub(super) fn acknowledged(&self, world: &World, ack: AcknowledgedWrite) {
        world.acknowledge(ack.revision);
        self.acks.lock().unwrap().push(ack);
    }

    pub(super) fn other(&self, why: &str) {
        *self.others.lock().unwrap().entry(why.to_owned()).or_default() += 1;
    }

    pub(super) fn acks(&self) -> Vec<AcknowledgedWrite> {
        self.acks.lock().unwrap().clone()
    }

    pub(super) fn others(&self) -> BTreeMap<String, usize> {
        self.others.lock().unwrap().clone()
    }
}

/// Writes until `stop` is set.
pub(super) async fn write(
    world: Arc<World>,
    ledger: Arc<WriteOutcomes>,
    mut dice: SeededRandom,
    mut stop: watch::Receiver<bool>,
    pause: (u64, u64),
) {
    let http = reqwest::Client::new();
    let mut names = 0;
    while !*stop.borrow() {
        let customer = dice.pick(&world.customers);
        let agent = dice.pick(&customer.agents);
        names += 1;
        let name = format!("{} {names}", dice.next());
        let write = choose(&mut dice, &world, customer, agent, name);
        let base = dice.pick(&world.bases);
        match post(&http, base, &write).await {
            Ok(payload) => {
                if let Some(version) = payload.pointer("/version/id").and_then(Value::as_str) {
                    agent.versions.lock().unwrap().push(version.to_owned());
                }
                let revision = payload["revision"].as_str().unwrap().parse().unwrap();
                let asked = (write.asked)(&payload);
                ledger.acknowledged(&world, AcknowledgedWrite { revision, asked });
            }
            Err(why) => ledger.other(&why),
        }
        let wait = dice.millis(pause.0, pause.1);
        let _ = tokio::time::timeout(wait, stop.wait_for(|stop| *stop)).await;
    }
}

/// A mutation, its caller, and the entries that the log must have if it is acknowledged.
struct Write {
    token: String,
    verb: &'static str,
    input: Value,
    selection: &'static str,
    asked: Box<ExpectedEntries>,
}

/// Computes the expected entries from the payload.
type ExpectedEntries = dyn Fn(&Value) -> Vec<ExpectedEntry> + Send + Sync;

fn choose(dice: &mut SeededRandom, world: &World, customer: &Customer, agent: &Agent, name: String) -> Write {
    let of = ExpectedEntry {
        customer: Some(customer.id.clone()),
        agent: Some(agent.id.clone()),
        ..ExpectedEntry::default()
    };
    let row = |actions: &[&'static str]| ExpectedEntry { actions: actions.to_vec(), ..of.clone() };
    // A write without an effect returns the entry of the earlier effect.
    let switched = |action: &'static str| {
        let row = row(&[action]);
        Box::new(move |payload: &Value| {
            let subject = payload.pointer("/activation/id").and_then(Value::as_str).map(str::to_owned);
            vec![ExpectedEntry { subject, ..row.clone() }]
        })
    };
    let id = json!({ "agentId": agent.id });
    let environment = *dice.pick(&[ENVIRONMENTS[0], ENVIRONMENTS[0], ENVIRONMENTS[1], ENVIRONMENTS[2]]);
    let place = json!({ "agentId": agent.id, "environment": environment });
    let token = if dice.percent(30) { &world.operator } else { dice.pick(&customer.writers) }.clone();
    let write = |verb, input, selection, asked| Write { token, verb, input, selection, asked };
    match dice.below(100) {
        0..30 => {
            let activate = dice.percent(70);
            let prompt = format!("{} {name}", agent.id);
            let mut input = json!({ "agentId": agent.id, "systemPrompt": prompt, "modelName": "m", "activate": activate });
            if activate {
                input["environment"] = json!(environment);
            }
            let (published, activated) = (row(&["version.published"]), row(&["agent.activated"]));
            let asked = move |payload: &Value| {
                let version = payload.pointer("/version/id").and_then(Value::as_str).map(str::to_owned);
                let mut asked = vec![ExpectedEntry { version: version.clone(), ..published.clone() }];
                if activate {
                    asked.push(ExpectedEntry { version, ..activated.clone() });
                }
                asked
            };
            write("publishVersion", input, "version { id }", Box::new(asked))
        }
        30..55 => {
            let version = dice.pick(&agent.versions.lock().unwrap()).clone();
            let input = json!({ "agentId": agent.id, "versionId": version, "environment": environment });
            write("activateVersion", input, "activation { id }", switched("agent.activated"))
        }
        55..67 => write("rollback", place, "activation { id }", switched("agent.activated")),
        67..77 => write("deactivate", place, "activation { id }", switched("agent.deactivated")),
        77..87 => {
            let row = ExpectedEntry { after: Some(("/after/name", name.clone())), ..row(&["agent.updated"]) };
            let input = json!({ "agentId": agent.id, "name": name });
            write("updateAgent", input, "", Box::new(move |_| vec![row.clone()]))
        }
        87..91 => {
            let row = row(&["agent.archived"]);
            write("archiveAgent", id, "", Box::new(move |_| vec![row.clone()]))
        }
        91..96 => {
            let row = row(&["agent.restored", "agent.created"]);
            write("restoreAgent", id, "", Box::new(move |_| vec![row.clone()]))
        }
        // One commit with many events for a gateway.
        _ => {
            let status = *dice.pick(&["SUSPENDED", "ACTIVE", "ACTIVE", "PAST_DUE"]);
            let row = ExpectedEntry {
                agent: None,
                after: Some(("/after", status.to_owned())),
                ..row(&["customer.billing_status_set", "customer.created"])
            };
            let input = json!({ "customerId": customer.id, "status": status });
            let token = world.operator.clone();
            Write {
                token,
                verb: "setBillingStatus",
                input,
                selection: "",
                asked: Box::new(move |_| vec![row.clone()]),
            }
        }
    }
}

/// The payload of an acknowledged write; otherwise the reason.
async fn post(http: &reqwest::Client, base: &str, write: &Write) -> Result<Value, String> {
    let Write { token, verb, input, selection, .. } = write;
    let kind = format!("{}{}Input", verb[..1].to_uppercase(), &verb[1..]);
    let query = format!(
        "mutation ($input: {kind}!) {{ {verb}(input: $input) {{ revision {selection} userErrors {{ code }} }} }}"
    );
    let request = http.post(format!("{base}/graphql")).bearer_auth(token).timeout(PATIENCE);
    let request = request.json(&json!({ "query": query, "variables": { "input": input } }));
    let answer = request.send().await.map_err(|_| "no response".to_owned())?;
    let mut answer: Value = answer.json().await.map_err(|_| "no response".to_owned())?;
    if let Some(code) = answer.pointer("/errors/0/extensions/code").and_then(Value::as_str) {
        return Err(format!("error {code}"));
    }
    // A problem from outside GraphQL, such as a credential that can't be looked up.
    let Some(payload) = answer.pointer_mut(&format!("/data/{verb}")).map(Value::take) else {
        return Err(format!("problem {}", answer["code"].as_str().unwrap_or("without a code")));
    };
    match payload.pointer("/userErrors/0/code").and_then(Value::as_str) {
        Some(code) => Err(format!("rejected {code}")),
        None => Ok(payload),
    }
}
