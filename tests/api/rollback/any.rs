//! Any history: the service agrees with the model after each step, and going back to the end never serves a version
//! that a rollback has left. So does what the migration makes of a history that was there before.

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};

use super::{Stage, model::History};

/// The versions of each agent.
const VERSIONS: usize = 5;

/// One step of a history.
#[derive(Clone, Copy, Debug)]
enum Step {
    Activate(usize),
    Back,
    Steps(usize),
    To(usize),
    Deactivate,
    Archive,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1..=VERSIONS).prop_map(Step::Activate),
        4 => Just(Step::Back),
        2 => (1_usize..4).prop_map(Step::Steps),
        2 => (1..=VERSIONS).prop_map(Step::To),
        1 => Just(Step::Deactivate),
        1 => Just(Step::Archive),
    ]
}

fn steps(runner: &mut TestRunner) -> Vec<Step> {
    prop::collection::vec(step(), 30).new_tree(runner).unwrap().current()
}

impl Stage {
    /// Takes this step in the service and in the model, and compares both.
    async fn take(&self, step: Step, history: &mut History) {
        let was = history.clone();
        match step {
            Step::Activate(number) => {
                self.activate(number).await;
                history.activate(number);
            }
            Step::Back => self.back(json!({}), history, Some(1)).await,
            Step::Steps(steps) => self.back(json!({ "steps": steps }), history, Some(steps)).await,
            Step::To(number) if history.active() == Some(number) => {
                let same = self.roll_back(json!({ "toVersionId": self.id(number) })).await;
                assert_eq!(same.at("/rollback/userErrors"), &json!([]));
            }
            Step::To(number) => {
                let steps = history.targets().iter().position(|target| *target == number).map(|at| at + 1);
                self.back(json!({ "toVersionId": self.id(number) }), history, steps).await;
            }
            Step::Deactivate => {
                self.deactivate().await;
                history.deactivate();
            }
            Step::Archive => {
                self.archive_and_restore().await;
                history.deactivate();
            }
        }
        let expected = [history.active(), history.targets().first().copied()];
        assert_eq!(self.serving().await, expected.map(|number| json!(number)), "{step:?} after {was:?}");
    }

    /// Rolls back, which the model does by this many steps, or rejects.
    async fn back(&self, input: Value, history: &mut History, steps: Option<usize>) {
        let was = history.clone();
        let expected = steps.and_then(|steps| history.roll_back(steps));
        let answer = self.roll_back(input).await;
        match expected {
            Some(number) => {
                assert_eq!(answer.at("/rollback/agent/activeVersion/number"), number, "{was:?}");
                assert!(!was.was_left(number), "{number} was left in {was:?}");
            }
            None => assert_eq!(answer.text("/rollback/userErrors/0/code"), "INVALID", "{was:?}"),
        }
    }
}

fn runner() -> TestRunner {
    TestRunner::new(Config { failure_persistence: None, ..Config::default() })
}

#[tokio::test]
async fn going_back_never_serves_what_a_rollback_left() {
    let (mut stage, mut runner) = (Stage::new(0, &[]).await, runner());
    for nth in 0..12 {
        stage.begin(&format!("Agent {nth}"), VERSIONS).await;
        let mut history = History::default();
        for step in steps(&mut runner) {
            stage.take(step, &mut history).await;
        }
        // To the end: each version is served once at most.
        let mut ways = history.targets().len();
        while !history.targets().is_empty() {
            stage.take(Step::Back, &mut history).await;
            ways -= 1;
        }
        assert_eq!(ways, 0, "{history:?}");
        stage.take(Step::Back, &mut history).await;
    }
}

/// The rows of `rollback_targets`: agents and versions, in the order of their places.
async fn stored(session: &mut PgConnection) -> Vec<(String, String)> {
    let query =
        "SELECT agent_id::text, version_id::text FROM registry.rollback_targets ORDER BY agent_id, place";
    let rows = sqlx::query(query).fetch_all(session).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn the_migration_makes_the_same_of_a_history_that_is_there() {
    let (mut stage, mut runner) = (Stage::new(0, &[]).await, runner());
    for nth in 0..6 {
        stage.begin(&format!("Agent {nth}"), VERSIONS).await;
        let mut history = History::default();
        for step in steps(&mut runner) {
            // Earlier releases went back by one step.
            let step = if matches!(step, Step::Steps(_) | Step::To(_)) { Step::Back } else { step };
            stage.take(step, &mut history).await;
        }
        assert!(history.len() > VERSIONS, "{history:?}");
    }
    let mut owner = PgConnection::connect(&stage.app.database.admin_url).await.unwrap();
    let kept = stored(&mut owner).await;
    assert!(
        !kept.is_empty() && kept.len() <= 6 * VERSIONS,
        "one row for each version at most: {}",
        kept.len()
    );
    let migration = include_str!("../../../migration/sql/0017_rollback.up.sql");
    let fill = migration
        .find("INSERT INTO registry.rollback_targets (customer_id, agent_id, version_id, place)\nSELECT");
    let fill = migration[fill.unwrap()..].split_inclusive(';').next().unwrap();
    sqlx::raw_sql("DELETE FROM registry.rollback_targets").execute(&mut owner).await.unwrap();
    sqlx::raw_sql(fill).execute(&mut owner).await.unwrap();
    assert_eq!(stored(&mut owner).await, kept);
}
