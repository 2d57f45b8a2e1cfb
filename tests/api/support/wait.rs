//! Waits with a deadline. The panic says what didn't happen.

use std::time::{Duration, Instant};

use sqlx::PgConnection;
use tokio::time::{sleep, timeout};

/// How long to wait for an event: many times what it takes, on a busy machine too.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Time between two checks.
const LOOK: Duration = Duration::from_millis(5);

/// Polls until `is_so` is true. Panics with `what` after [`DEADLINE`].
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    eventually(what, async || is_so()).await;
}

/// Polls until `is_so` returns true. Panics with `what` after [`DEADLINE`].
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !within(what, is_so()).await {
        assert!(begun.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        sleep(LOOK).await;
    }
}

/// Awaits `coming`. Panics with `what` after [`DEADLINE`].
pub(crate) async fn within<T>(what: &str, coming: impl Future<Output = T>) -> T {
    in_time(what, DEADLINE, coming).await
}

/// Awaits `coming`. Panics with `what` after `deadline`.
pub(crate) async fn in_time<T>(what: &str, deadline: Duration, coming: impl Future<Output = T>) -> T {
    timeout(deadline, coming).await.unwrap_or_else(|_| panic!("not within {deadline:?}: {what}"))
}

/// Waits until a statement that matches `like` waits for a lock in the database of this session.
pub(crate) async fn waits_for_a_lock(session: &mut PgConnection, like: &str) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1";
    eventually(&format!("a statement like {like:?} waits for a lock"), async || {
        // In a transaction, Postgres would go on answering with what it saw first.
        sqlx::query("SELECT pg_stat_clear_snapshot()").execute(&mut *session).await.unwrap();
        sqlx::query_scalar::<_, i64>(waiting).bind(like).fetch_one(&mut *session).await.unwrap() > 0
    })
    .await;
}
