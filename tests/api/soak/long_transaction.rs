//! Long transactions written with SQL, like a slow import: several agents in one transaction that stays open for a
//! random time, so that transactions commit in another order than they begin.

use std::{sync::Arc, time::Duration};

use agent_registry::clock::Clock;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    random::SeededRandom,
    world::World,
    writer::{AcknowledgedWrite, ExpectedEntry, WriteOutcomes},
};

/// What a transaction does to one agent.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Activate(String),
    Rename(String),
}

/// How long a transaction stays open.
#[derive(Clone, Debug, Default)]
pub(super) struct Waits {
    /// Between its steps.
    pub(super) steps: Duration,
    /// Between its last statement and its commit.
    pub(super) commit: Duration,
}

/// Runs transactions until `stop` is set.
pub(super) async fn hold(
    world: Arc<World>,
    ledger: Arc<WriteOutcomes>,
    url: String,
    mut dice: SeededRandom,
    mut stop: watch::Receiver<bool>,
) {
    let mut connection = None;
    while !*stop.borrow() {
        if connection.is_none() {
            connection = PgConnection::connect(&url).await.ok();
        }
        let mut steps = Vec::new();
        for agent in world.agents() {
            if dice.percent(20) {
                let version = dice.pick(&agent.versions.lock().unwrap()).clone();
                let step = if dice.percent(80) {
                    Step::Activate(version)
                } else {
                    Step::Rename(format!("held {}", dice.next()))
                };
                steps.push((agent.id.clone(), step));
            }
        }
        let waits = Waits {
            steps: dice.millis(0, 60),
            commit: if dice.percent(30) { dice.millis(0, 40) } else { Duration::ZERO },
        };
        let written = match &mut connection {
            Some(connection) => write(connection, &steps, &waits).await,
            None => Err(sqlx::Error::PoolClosed),
        };
        match written {
            Ok(Some(ack)) => ledger.acknowledged(&world, ack),
            Ok(None) => ledger.other("nothing to do"),
            Err(_) => {
                ledger.other("no commit");
                connection = None;
            }
        }
        let _ = tokio::time::timeout(dice.millis(20, 200), stop.wait_for(|stop| *stop)).await;
    }
}

/// Applies all steps in one transaction, with the service's order of locks: customers, agents, the log. Leaves out
/// archived agents, and versions that are active already.
pub(super) async fn write(
    connection: &mut PgConnection,
    steps: &[(String, Step)],
    waits: &Waits,
) -> sqlx::Result<Option<AcknowledgedWrite>> {
    let mut txn = connection.begin().await?;
    sqlx::raw_sql("SET LOCAL registry.scope = 'platform'; SET LOCAL statement_timeout = '10s'")
        .execute(&mut *txn)
        .await?;
    let ids: Vec<&str> = steps.iter().map(|(id, _)| id.as_str()).collect();
    let lock_customers = "SELECT id FROM registry.customers WHERE id IN
        (SELECT customer_id FROM registry.agents WHERE id = ANY($1::text[]::uuid[])) ORDER BY id FOR SHARE";
    sqlx::query(lock_customers).bind(&ids).execute(&mut *txn).await?;
    let (mut entries, mut asked) = (Vec::new(), Vec::new());
    let mut steps = steps.to_vec();
    steps.sort_by(|one, other| one.0.cmp(&other.0));
    for (id, step) in steps {
        tokio::time::sleep(waits.steps).await;
        let lock = "SELECT customer_id::text, active_version_id::text, name, archived_at IS NULL
            FROM registry.agents WHERE id = $1::text::uuid FOR NO KEY UPDATE";
        let row = sqlx::query(lock).bind(&id).fetch_one(&mut *txn).await?;
        let (customer, active): (String, Option<String>) = (row.get(0), row.get(1));
        let mut ask = ExpectedEntry {
            customer: Some(customer.clone()),
            agent: Some(id.clone()),
            ..ExpectedEntry::default()
        };
        let mut entry = json!({ "customer_id": customer, "agent_id": id, "actor_kind": "SYSTEM" });
        match step {
            Step::Activate(version) if row.get(3) && active.as_deref() != Some(version.as_str()) => {
                let activation = Clock::default().id::<Uuid>().to_string();
                let insert = "INSERT INTO registry.activations (id, customer_id, agent_id, version_id, previous_version_id,
                        reason, activated_by_kind, activated_at)
                    VALUES ($1::text::uuid, $2::text::uuid, $3::text::uuid, $4::text::uuid, $5::text::uuid, 'ACTIVATE', 'SYSTEM', now())";
                let insert = sqlx::query(insert).bind(&activation).bind(&customer).bind(&id);
                insert.bind(&version).bind(&active).execute(&mut *txn).await?;
                let update =
                    "UPDATE registry.agents SET active_version_id = $2::text::uuid, activated_at = now()
                    WHERE id = $1::text::uuid";
                sqlx::query(update).bind(&id).bind(&version).execute(&mut *txn).await?;
                let details = json!({ "before": { "version_id": active }, "after": { "version_id": version }, "reason": "ACTIVATE" });
                fill(&mut entry, "agent.activated", &details);
                entry["version_id"] = json!(version);
                entry["subject_id"] = json!(activation);
                (ask.actions, ask.version, ask.subject) =
                    (vec!["agent.activated"], Some(version), Some(activation));
            }
            Step::Activate(_) => continue,
            Step::Rename(name) => {
                let update =
                    "UPDATE registry.agents SET name = $2, updated_at = now() WHERE id = $1::text::uuid";
                sqlx::query(update).bind(&id).bind(&name).execute(&mut *txn).await?;
                let facts = |name: &str| json!({ "name": name, "description": null, "owner_id": null });
                fill(
                    &mut entry,
                    "agent.updated",
                    &json!({ "before": facts(row.get(2)), "after": facts(&name) }),
                );
                (ask.actions, ask.after) = (vec!["agent.updated"], Some(("/after/name", name)));
            }
        }
        entries.push(entry);
        asked.push(ask);
    }
    if entries.is_empty() {
        return Ok(None);
    }
    let append = sqlx::query_scalar("SELECT registry.append_changes($1::text::jsonb)");
    let revision = append.bind(Value::from(entries).to_string()).fetch_one(&mut *txn).await?;
    tokio::time::sleep(waits.commit).await;
    txn.commit().await?;
    Ok(Some(AcknowledgedWrite { revision, asked }))
}

fn fill(entry: &mut Value, action: &str, details: &Value) {
    entry["action"] = json!(action);
    entry["details"] = json!(serde_json_canonicalizer::to_string(details).unwrap());
}
