//! Listens for commits to the log (`LISTEN`), on a connection of its own. Notifications may be lost; the tail reads the
//! table anyway.

use std::time::Duration;

use sqlx::{Executor, postgres::PgListener};
use tokio::time::{sleep, timeout};

use super::{
    ACQUIRE_TIMEOUT, DatabaseUrl, SERVING_SESSION,
    connect::{Connector, SessionSettings},
};
use crate::clock::Clock;

/// The channel that `append_changes` notifies.
const CHANNEL: &str = "registry_changes";
/// The maximum delay between attempts to reconnect.
const BACKOFF_MOST: Duration = Duration::from_secs(2);

/// The time without a notification after which the connection is checked, since it may be dead.
const QUIET: Duration = Duration::from_secs(5);
/// The time limit for that check.
const ANSWER: Duration = Duration::from_secs(3);

/// An event of the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenEvent {
    /// A commit was appended to the log.
    Notified,
    /// The listener has connected. Notifications may have been missed before, so the log must be read.
    Reconnected,
}

/// A listener that reconnects when its connection fails.
#[derive(Debug)]
pub struct Listener {
    url: DatabaseUrl,
    /// The connector, from the first connection on: it remembers which of several servers answered.
    connector: Option<Connector>,
    clock: Clock,
    connection: Option<PgListener>,
}

impl Listener {
    /// Makes a listener. It connects at the first [`Listener::next`].
    #[must_use]
    pub fn new(url: impl Into<DatabaseUrl>, clock: Clock) -> Self {
        Self { url: url.into(), connector: None, clock, connection: None }
    }

    /// Waits for the next event. Cancel-safe.
    pub async fn next(&mut self) -> ListenEvent {
        let mut backoff = Duration::from_millis(50);
        loop {
            if let Some(connection) = &mut self.connection {
                match timeout(QUIET, connection.try_recv()).await {
                    Ok(Ok(Some(_))) => return ListenEvent::Notified,
                    Ok(Ok(None)) => tracing::warn!("lost the connection that listens for changes"),
                    Ok(Err(err)) => {
                        tracing::warn!(error = %err, "lost the connection that listens for changes");
                    }
                    Err(_) if is_alive(connection).await => continue,
                    Err(_) => tracing::warn!("the connection that listens for changes doesn't respond"),
                }
                self.connection = None;
            }
            match timeout(ACQUIRE_TIMEOUT, self.connect()).await {
                Ok(Ok(connection)) => {
                    self.connection = Some(connection);
                    return ListenEvent::Reconnected;
                }
                Ok(Err(err)) => tracing::warn!(error = %err, "can't listen for changes; polling continues"),
                Err(_) => tracing::warn!("can't listen for changes in time; polling continues"),
            }
            sleep(backoff + self.clock.jitter(backoff)).await;
            backoff = BACKOFF_MOST.min(backoff * 2);
        }
    }

    async fn connect(&mut self) -> Result<PgListener, sqlx::Error> {
        let connector = match self.connector.take() {
            Some(connector) => connector,
            None => Connector::new(self.url.clone(), SessionSettings::new(SERVING_SESSION))
                .map_err(sqlx::Error::config)?,
        };
        let opened = self.connector.insert(connector).open().await?;
        let mut connection = PgListener::connect_with(&opened).await?;
        // A lost connection is reported at once, and this connector opens the next one.
        connection.ignore_pool_close_event(true);
        connection.eager_reconnect(false);
        connection.listen(CHANNEL).await?;
        Ok(connection)
    }
}

/// Whether the server responds. Notifications that arrive meanwhile stay buffered.
async fn is_alive(connection: &mut PgListener) -> bool {
    matches!(timeout(ANSWER, connection.execute("SELECT 1")).await, Ok(Ok(_)))
}
