//! Shows that violations are found: plants faults in the database and in the service, on instances in this process.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{
    check::{Rule, rules, violations},
    long_transaction::{self, Step, Waits},
    play::{Play, PlayConfig},
    watcher::SubscriberBehaviour,
    world::World,
};
use crate::support::{
    App,
    app::{Instance, Setup},
};

/// Subscribers that keep their connections, without random writers.
fn audience(from: Option<i64>, deadline: Duration) -> PlayConfig {
    let habits = SubscriberBehaviour { stay: (600_000, 600_000), nonsense: 0, from, deadline };
    PlayConfig { seed: 4, writers: 0, holders: 0, watchers: 1, pause: (0, 0), habits }
}

/// An instance, and a world on it.
async fn setting(setup: Setup) -> (App, Arc<World>) {
    let app = App::set_up(setup).await;
    let world = World::make(&app, vec![app.base.clone()], 3).await;
    (app, world)
}

/// Replaces text in the SQL function that appends to the log.
async fn rewrite_append(app: &App, words: &[(&str, &str)]) {
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let definition = "SELECT pg_get_functiondef('registry.append_changes'::regproc)";
    let mut sql: String = sqlx::query_scalar(definition).fetch_one(&mut admin).await.unwrap();
    for (before, after) in words {
        assert_eq!(sql.matches(before).count(), 1, "{before} in {sql}");
        sql = sql.replace(before, after);
    }
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
}

/// Waits until this many subscriptions are open.
async fn watched(instance: &Instance, watchers: usize) {
    let started = std::time::Instant::now();
    while instance.watchers() < watchers {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "{} subscriptions are open",
            instance.watchers()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Subscriptions that are still looking up their position read from the log; give them time.
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// Ends the play. Returns the broken rules.
async fn broken(app: &App, play: Play) -> BTreeSet<Rule> {
    let outcome = play.end(&app.database.url, &app.database.admin_url).await;
    let found = outcome.recordings.iter().flat_map(|recording| violations(&outcome.truth, &[], recording));
    rules(&found.collect::<Vec<_>>())
}

/// Runs one transaction that activates another version of this customer's first agent.
async fn switch(connection: &mut PgConnection, world: &World, customer: usize) {
    let agent = &world.customers[customer].agents[0];
    let version = agent.versions.lock().unwrap()[1].clone();
    let steps = [(agent.id.clone(), Step::Activate(version))];
    long_transaction::write(connection, &steps, &Waits::default()).await.unwrap().unwrap();
}

/// Runs two transactions; the one that takes its number first commits last.
async fn overtake(app: &App, world: &World) {
    let mut slow = PgConnection::connect(&app.database.url).await.unwrap();
    sqlx::raw_sql("SET soak.hold = '1'").execute(&mut slow).await.unwrap();
    let mut fast = PgConnection::connect(&app.database.url).await.unwrap();
    let overtaken = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        switch(&mut fast, world, 1).await;
    };
    tokio::join!(switch(&mut slow, world, 0), overtaken);
}

#[tokio::test]
async fn a_cursor_on_a_plain_sequence_misses_what_commits_late_and_is_seen() {
    for is_planted in [false, true] {
        let (app, world) = setting(Setup::default()).await;
        if is_planted {
            let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
            let next = app.registry.head().await.unwrap().revision.next();
            let sequence = format!(
                "CREATE SEQUENCE registry.numbers START {next}; GRANT USAGE ON SEQUENCE registry.numbers TO PUBLIC"
            );
            sqlx::raw_sql(AssertSqlSafe(sequence)).execute(&mut admin).await.unwrap();
            admin.close().await.unwrap();
            let hold = "head.revision := nextval('registry.numbers');
                PERFORM pg_sleep(coalesce(nullif(current_setting('soak.hold', true), ''), '0')::float8);";
            rewrite_append(
                &app,
                &[
                    (" FOR NO KEY UPDATE", ""),
                    ("head.revision := head.revision + 1;", hold),
                    ("SET revision = head.revision, position = head.position, at", "SET revision = greatest(log_head.revision, head.revision), position = head.position, at"),
                ],
            )
            .await;
        }
        let play = Play::begin(&world, &app.database.url, audience(None, Duration::from_secs(10)));
        watched(&app, world.watchers.len()).await;
        overtake(&app, &world).await;
        let broken = broken(&app, play).await;
        assert_eq!(broken.contains(&Rule::NoneMissing), is_planted, "{broken:?}");
        assert_eq!(broken.is_empty(), !is_planted, "{broken:?}");
    }
}

#[tokio::test]
async fn delivery_by_notify_alone_misses_what_follows_a_lost_bell_and_is_seen() {
    for (is_bell_lost, is_poll_off) in [(false, true), (true, false), (true, true)] {
        let poll = if is_poll_off { Duration::from_secs(3600) } else { Setup::default().poll };
        let (app, world) = setting(Setup { poll, ..Setup::default() }).await;
        let play = Play::begin(&world, &app.database.url, audience(None, Duration::from_secs(10)));
        watched(&app, world.watchers.len()).await;
        if is_bell_lost {
            rewrite_append(&app, &[("PERFORM pg_notify('registry_changes', head.revision::text);", "")])
                .await;
        }
        let mut connection = PgConnection::connect(&app.database.url).await.unwrap();
        switch(&mut connection, &world, 0).await;
        let broken = broken(&app, play).await;
        assert_eq!(broken.contains(&Rule::NoneMissing), is_bell_lost && is_poll_off, "{broken:?}");
        assert_eq!(broken.is_empty(), !(is_bell_lost && is_poll_off), "{broken:?}");
    }
}

#[tokio::test]
async fn a_missing_scope_shows_what_is_of_others_and_is_seen() {
    let (app, world) = setting(Setup { is_row_level_security_only: true, ..Setup::default() }).await;
    for is_planted in [false, true] {
        if is_planted {
            let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
            for table in ["changes", "activations", "agents", "agent_versions", "servings"] {
                let off = format!("ALTER TABLE registry.{table} DISABLE ROW LEVEL SECURITY");
                sqlx::raw_sql(AssertSqlSafe(off)).execute(&mut admin).await.unwrap();
            }
            admin.close().await.unwrap();
        }
        // From the start of the log, so that every event is read from it.
        let play = Play::begin(&world, &app.database.url, audience(Some(0), Duration::from_secs(30)));
        watched(&app, world.watchers.len()).await;
        let broken = broken(&app, play).await;
        assert_eq!(broken.contains(&Rule::Visible), is_planted, "{broken:?}");
        assert_eq!(broken.is_empty(), !is_planted, "{broken:?}");
    }
}
