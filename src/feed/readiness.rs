//! Whether this instance is ready: the database responds, and the instance follows the log.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::hub::Hub;
use crate::{
    domain::{Error, Registry},
    id::Revision,
};

/// The maximum age of an instance's view of the log while it is ready. It polls the log four times a second.
const VIEW_AGE_MAX: Duration = Duration::from_secs(10);
/// The timeout of a probe's query.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// The time that a probe allows the instance to read the log's end again.
const FOLLOW_TIMEOUT: Duration = Duration::from_millis(1_500);
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
    /// Checks this instance. Takes up to four seconds.
    pub(super) async fn check(registry: &Registry, hub: &Hub) -> Self {
        let mut problems: Vec<String> = hub.outage().reason().into_iter().collect();
        let mut revision = None;
        if problems.is_empty() {
            match probe(registry).await {
                Ok(head) => {
                    revision = Some(head);
                    // After an outage of the database, the probe may arrive before the next poll of the log.
                    if timeout(FOLLOW_TIMEOUT, until_followed(hub)).await.is_err() {
                        problems.push("this instance does not follow the log".to_owned());
                    }
                }
                Err(err) => problems.push(err.to_string()),
            }
        }
        Self { revision, applied: hub.applied(), age: hub.age(), problems }
    }
}

/// Reads the last commit of the log.
async fn probe(registry: &Registry) -> Result<Revision, Error> {
    match timeout(PROBE_TIMEOUT, registry.head()).await {
        Ok(head) => Ok(head?.revision),
        Err(_) => {
            registry.check_connection_limit()?;
            Err(Error::Unavailable("the database does not respond"))
        }
    }
}

/// Waits until this instance has recently known the end of the log.
async fn until_followed(hub: &Hub) {
    while hub.age() >= VIEW_AGE_MAX {
        sleep(FOLLOW_CHECK).await;
    }
}
