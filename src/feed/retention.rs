//! Keeps the log to its retention, where there is one: what is older is taken away, piece by piece.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::sleep;

use crate::domain::Registry;

/// How often it is looked whether something is too old.
const EVERY: Duration = Duration::from_secs(600);
/// How long to leave the database to others between two pieces.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes away what is older than `retention`, for as long as the service runs. Many instances may do so at once: one waits
/// for the other, and then finds nothing.
pub async fn keep(registry: Registry, retention: Duration) {
    // A retention of more than there are years is one of everything.
    let Ok(retention) = TimeDelta::from_std(retention) else { return };
    loop {
        sleep(registry.clock().jitter(EVERY)).await;
        loop {
            let Some(until) = registry.clock().now().checked_sub_signed(retention) else { return };
            match registry.prune(until).await {
                Ok(true) => {
                    metrics::counter!("registry_log_prunings_total").increment(1);
                    sleep(PAUSE).await;
                }
                Ok(false) => break,
                Err(err) => {
                    tracing::warn!(error = %err, "the log can't be pruned; trying again");
                    break;
                }
            }
        }
    }
}
