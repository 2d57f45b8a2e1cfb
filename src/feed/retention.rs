//! Takes away what is too old: of the log what is older than its retention, where there is one, piece by piece; and of
//! the idempotency keys those of writes that are not remembered any more.

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

/// Forgets idempotency keys when their time is over, for as long as the service runs. A key whose time is over is free
/// already; this only gives back its room.
pub async fn forget_keys(registry: Registry) {
    loop {
        sleep(registry.clock().jitter(EVERY)).await;
        if let Err(err) = registry.forget_idempotency_keys().await {
            tracing::warn!(error = %err, "old idempotency keys can't be forgotten; trying again");
        }
    }
}
