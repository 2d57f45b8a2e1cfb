//! Whether this instance is ready: the database responds, and the instance follows the log.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::hub::Hub;
use crate::{domain::Registry, id::Revision};

/// The maximum age of an instance's view of the log while it is ready. It polls the log four times a second.
const VIEW_AGE_MAX: Duration = Duration::from_secs(10);
/// The time that a probe takes at most: balancers wait for a second.
const PROBE_TIMEOUT: Duration = Duration::from_millis(900);
/// The interval between the checks whether it has.
const FOLLOW_CHECK: Duration = Duration::from_millis(20);

/// The readiness of an instance, and its lag behind the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// The last commit of the log; `None` if the database doesn't respond.
    pub revision: Option<Revision>,
    /// The last commit that this instance has applied.
    pub applied: Revision,
    /// How long ago this instance last knew the end of the log.
    pub age: Duration,
    /// Why the instance isn't ready; empty if it is.
    pub problems: Vec<String>,
}

impl Readiness {
    /// Checks this instance. Takes up to a second. A problem of the database names the cause, such as a rejected password, and
    /// no host, role or database.
    pub(super) async fn check(registry: &Registry, hub: &Hub) -> Self {
        let mut problems: Vec<String> = hub.outage().reason().into_iter().collect();
        let mut revision = None;
        if problems.is_empty() {
            let deadline = Instant::now() + PROBE_TIMEOUT;
            let cause = |otherwise: String| registry.database_failure().unwrap_or(otherwise);
            match timeout_at(deadline, registry.head()).await {
                Ok(Ok(head)) => {
                    revision = Some(head.revision);
                    // After an outage of the database, the probe may arrive before the next poll of the log.
                    if timeout_at(deadline, until_followed(hub)).await.is_err() {
                        problems.push("this instance does not follow the log".to_owned());
                    }
                }
                Ok(Err(err)) => problems.push(cause(err.to_string())),
                Err(_) => problems.push(cause("the database does not respond".to_owned())),
            }
        }
        Self { revision, applied: hub.applied(), age: hub.age(), problems }
    }
}

/// Waits until this instance has recently known the end of the log.
async fn until_followed(hub: &Hub) {
    while hub.age() >= VIEW_AGE_MAX {
        sleep(FOLLOW_CHECK).await;
    }
}
