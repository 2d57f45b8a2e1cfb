//! The truth of a soak: the log and the versions as a superuser reads them, and the events due to each subscriber.
//! Configurations are computed from the log's entries alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use serde_json::Value;
use sqlx::{Connection, PgConnection, Row as _};

use super::{
    record::{Field, LogPosition, Served, Subscriber},
    world::ENVIRONMENTS,
};

/// An entry of the log.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) place: LogPosition,
    pub(super) at: SystemTime,
    pub(super) customer: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) version: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) action: String,
    pub(super) details: Value,
    /// The hash in the form that cursors contain.
    pub(super) hash: String,
}

impl Row {
    fn is_activation(&self) -> bool {
        matches!(self.action.as_str(), "agent.activated" | "agent.deactivated")
    }

    /// Whether a member of the customer receives it as an event.
    fn is_event(&self) -> bool {
        ["customer.", "environment.", "agent.", "version."].iter().any(|of| self.action.starts_with(of))
    }

    /// The environment of an activation.
    fn environment(&self) -> &str {
        self.details["environment"].as_str().unwrap_or(ENVIRONMENTS[0])
    }
}

/// The whole log.
pub(super) struct Truth {
    pub(super) rows: BTreeMap<LogPosition, Row>,
    prompts: BTreeMap<String, String>,
}

/// A gateway's event about an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DueEvent {
    Upsert(Served),
    Remove(String),
}

/// The events due to a gateway, and its maps.
#[derive(Default)]
pub(super) struct DueEvents {
    /// The events of each commit that has any.
    pub(super) told: BTreeMap<i64, BTreeMap<String, DueEvent>>,
    /// The map after each such commit.
    maps: BTreeMap<i64, BTreeMap<String, Served>>,
}

impl DueEvents {
    /// The map after all events up to this commit.
    pub(super) fn map_at(&self, revision: i64) -> BTreeMap<String, Served> {
        self.maps.range(..=revision).next_back().map(|(_, map)| map.clone()).unwrap_or_default()
    }
}

#[derive(Clone, Default)]
struct Agent {
    customer: String,
    name: String,
    version: Option<String>,
    is_archived: bool,
    revision: i64,
}

impl Truth {
    /// Reads the log, and checks that its entries lead to the tables' content.
    pub(super) async fn read(admin_url: &str) -> Self {
        let mut session = PgConnection::connect(admin_url).await.unwrap();
        let query =
            "SELECT revision, position, extract(epoch FROM at)::float8, customer_id::text, agent_id::text,
            version_id::text, subject_id::text, action, details, encode(substr(chain_hash, 1, 8), 'hex')
            FROM registry.changes";
        let rows = sqlx::query(query).fetch_all(&mut session).await.unwrap();
        let rows = rows.into_iter().map(|row| Row {
            place: (row.get(0), row.get(1)),
            at: SystemTime::UNIX_EPOCH + Duration::from_secs_f64(row.get(2)),
            customer: row.get(3),
            agent: row.get(4),
            version: row.get(5),
            subject: row.get(6),
            action: row.get(7),
            details: serde_json::from_str(row.get(8)).unwrap(),
            hash: row.get(9),
        });
        let rows = rows.map(|row| (row.place, row)).collect();
        let prompts = sqlx::query("SELECT id::text, system_prompt FROM registry.agent_versions");
        let prompts = prompts.fetch_all(&mut session).await.unwrap();
        let prompts = prompts.into_iter().map(|row| (row.get(0), row.get(1))).collect();
        let truth = Self { rows, prompts };
        let agents = "SELECT id::text, name, active_version_id::text, config_revision FROM registry.agents";
        let (end, _) = truth.end(ENVIRONMENTS[0]);
        for row in sqlx::query(agents).fetch_all(&mut session).await.unwrap() {
            let agent = &end[row.get::<&str, _>(0)];
            assert_eq!(
                (agent.name.as_str(), agent.version.as_deref(), agent.revision),
                (row.get(1), row.get(2), row.get(3)),
                "the log and the table of agents disagree"
            );
        }
        let servings = "SELECT agent_id::text, active_version_id::text FROM registry.servings WHERE environment_key = $1";
        for environment in ENVIRONMENTS {
            let (end, _) = truth.end(environment);
            for row in sqlx::query(servings).bind(environment).fetch_all(&mut session).await.unwrap() {
                let agent = &end[row.get::<&str, _>(0)];
                assert_eq!(
                    agent.version.as_deref(),
                    row.get(1),
                    "the log and the servings of {environment} disagree"
                );
            }
        }
        session.close().await.unwrap();
        truth
    }

    /// The entries that this subscriber may see and has asked for, from the start of the log.
    pub(super) fn visible(&self, who: &Subscriber) -> BTreeMap<LogPosition, &Row> {
        let is_of_field = |row: &Row| match who.field {
            Field::Activations => row.is_activation() && row.environment() == who.environment,
            Field::Changes => true,
            Field::CustomerEvents => row.is_event(),
            Field::Configs => false,
        };
        let wants = |row: &Row| who.wants(row.customer.as_deref(), row.agent.as_deref());
        self.rows
            .iter()
            .filter(|(_, row)| is_of_field(row) && wants(row))
            .map(|(place, row)| (*place, row))
            .collect()
    }

    /// The events due to this gateway.
    pub(super) fn story(&self, who: &Subscriber) -> DueEvents {
        let mut story = DueEvents::default();
        let (mut agents, mut statuses) = Default::default();
        for commit in self.commits() {
            let revision = commit[0].place.0;
            let before = statuses_served(&statuses);
            let touched = apply(&mut agents, &mut statuses, &commit, who.environment);
            let after = statuses_served(&statuses);
            let turned: BTreeSet<&String> = before.symmetric_difference(&after).collect();
            let mut told = BTreeMap::new();
            for (id, agent) in &agents {
                let Agent { customer, version, is_archived, .. } = agent;
                let is_turned = turned.contains(customer) && version.is_some();
                if !who.wants(Some(customer), Some(id)) || !(is_turned || touched.contains_key(id)) {
                    continue;
                }
                match self.served(agent, &after) {
                    Some(served) => drop(told.insert(id.clone(), DueEvent::Upsert(served))),
                    None if is_turned => {
                        drop(told.insert(id.clone(), DueEvent::Remove(statuses[customer].clone())))
                    }
                    None if after.contains(customer) && touched[id] => {
                        let reason = if *is_archived { "ARCHIVED" } else { "DEACTIVATED" };
                        told.insert(id.clone(), DueEvent::Remove(reason.to_owned()));
                    }
                    None => {}
                }
            }
            if !told.is_empty() {
                let known = agents.iter().filter(|(id, agent)| who.wants(Some(&agent.customer), Some(id)));
                let known = known.filter_map(|(id, agent)| Some((id.clone(), self.served(agent, &after)?)));
                story.maps.insert(revision, known.collect());
                story.told.insert(revision, told);
            }
        }
        story
    }

    fn served(&self, agent: &Agent, served: &BTreeSet<String>) -> Option<Served> {
        let version = agent.version.clone().filter(|_| served.contains(&agent.customer))?;
        Some(Served {
            customer: agent.customer.clone(),
            name: agent.name.clone(),
            prompt: self.prompts[&version].clone(),
            version,
            revision: agent.revision,
        })
    }

    fn commits(&self) -> Vec<Vec<&Row>> {
        let rows: Vec<&Row> = self.rows.values().collect();
        rows.chunk_by(|one, next| one.place.0 == next.place.0).map(<[&Row]>::to_vec).collect()
    }

    /// The state of this environment after the last commit.
    fn end(&self, environment: &str) -> (BTreeMap<String, Agent>, BTreeMap<String, String>) {
        let mut state: (BTreeMap<String, Agent>, BTreeMap<String, String>) = Default::default();
        self.commits().iter().for_each(|commit| drop(apply(&mut state.0, &mut state.1, commit, environment)));
        state
    }
}

/// The customers with a served billing status.
fn statuses_served(statuses: &BTreeMap<String, String>) -> BTreeSet<String> {
    let served = statuses.iter().filter(|(_, status)| !matches!(status.as_str(), "SUSPENDED" | "CANCELED"));
    served.map(|(customer, _)| customer.clone()).collect()
}

/// Applies one commit to the state of an environment. Returns the affected agents, and whether the commit deactivates each.
fn apply(
    agents: &mut BTreeMap<String, Agent>,
    statuses: &mut BTreeMap<String, String>,
    commit: &[&Row],
    environment: &str,
) -> BTreeMap<String, bool> {
    let mut touched = BTreeMap::new();
    for row in commit.iter().filter(|row| !row.is_activation() || row.environment() == environment) {
        let details = |pointer| row.details.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let customer = row.customer.clone().unwrap_or_default();
        match row.action.as_str() {
            "customer.created" => drop(statuses.insert(customer, "ACTIVE".to_owned())),
            "customer.billing_status_set" => drop(statuses.insert(customer, details("/after").unwrap())),
            "agent.created" | "agent.updated" | "agent.activated" | "agent.deactivated" => {
                let id = row.agent.clone().unwrap();
                let agent = agents.entry(id.clone()).or_default();
                agent.customer = customer;
                let before = std::mem::take(&mut agent.name);
                agent.name = details("/after/name").unwrap_or_else(|| before.clone());
                // Descriptions and owners are in no configuration.
                let is_touched = match row.action.as_str() {
                    "agent.created" => false,
                    "agent.updated" => agent.name != before,
                    _ => true,
                };
                if is_touched {
                    agent.revision = row.place.0;
                    *touched.entry(id).or_default() |= row.action == "agent.deactivated";
                }
                if matches!(row.action.as_str(), "agent.activated" | "agent.deactivated") {
                    agent.version = row.version.clone();
                    agent.is_archived = details("/reason").is_some_and(|reason| reason == "ARCHIVE");
                }
            }
            _ => {}
        }
    }
    touched
}
