//! Periodic deletion: log entries older than the retention, if one is set, in batches; and expired idempotency
//! keys, sessions, one-time addresses and gateways that are gone.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::sleep;

use crate::domain::Registry;

/// How often to look for rows to delete.
const INTERVAL: Duration = Duration::from_secs(600);
/// How often to look for gateways that haven't reported for an hour.
const GATEWAYS_INTERVAL: Duration = Duration::from_secs(300);
/// The pause between two batches, so that other statements get their turn.
const PAUSE: Duration = Duration::from_secs(1);

/// Prunes log entries older than `retention`, for as long as the service runs. Instances that prune at once wait
/// for each other; the later ones find nothing left. Failures are logged and retried.
pub async fn prune_periodically(registry: Registry, retention: Duration) {
    // A retention that overflows a time span keeps everything.
    let Ok(retention) = TimeDelta::from_std(retention) else { return };
    loop {
        sleep(registry.clock().jitter(INTERVAL)).await;
        loop {
            let Some(until) = registry.clock().now().checked_sub_signed(retention) else { return };
            match registry.prune(until).await {
                Ok(true) => {
                    metrics::counter!("registry_log_prunings_total").increment(1);
                    sleep(PAUSE).await;
                }
                Ok(false) => break,
                Err(err) => {
                    tracing::warn!(error = %err, "can't prune the log; retrying later");
                    break;
                }
            }
        }
    }
}

/// Deletes expired idempotency keys and sessions, for as long as the service runs. An expired key can be reused even
/// before that, and an expired session isn't accepted; this only frees their space.
pub async fn delete_expired_keys(registry: Registry) {
    loop {
        sleep(registry.clock().jitter(INTERVAL)).await;
        if let Err(err) = registry.forget_idempotency_keys().await {
            tracing::warn!(error = %err, "can't delete expired idempotency keys; retrying later");
        }
        if let Err(err) = registry.forget_sessions().await {
            tracing::warn!(error = %err, "can't delete expired sessions; retrying later");
        }
    }
}

/// Deletes gateways that haven't reported for an hour, for as long as the service runs.
pub async fn delete_gone_gateways(registry: Registry) {
    loop {
        sleep(GATEWAYS_INTERVAL / 2 + registry.clock().jitter(GATEWAYS_INTERVAL / 2)).await;
        if let Err(err) = registry.forget_gateways().await {
            tracing::warn!(error = %err, "can't delete gateways that are gone; retrying later");
        }
    }
}
