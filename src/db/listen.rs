//! The bell: a connection of its own that hears of each commit to the log. It may miss some; the table is the truth.

use std::time::Duration;

use sqlx::{Executor, postgres::PgListener};
use tokio::time::{sleep, timeout};

use crate::clock::Clock;

/// The channel that `append_changes` rings.
const CHANNEL: &str = "registry_changes";
/// The longest wait before trying again to listen.
const BACKOFF_MOST: Duration = Duration::from_secs(2);

/// How long nothing may be heard before the connection is tried: silence may mean that it leads nowhere any more.
const QUIET: Duration = Duration::from_secs(5);
/// How long it may take to answer then, or to be made anew.
const ANSWER: Duration = Duration::from_secs(3);

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bell {
    /// Something was committed.
    Notified,
    /// We listen again, after some time of hearing nothing: read the log.
    Reconnected,
}

/// Listens, and listens again.
#[derive(Debug)]
pub struct Listener {
    url: String,
    clock: Clock,
    connection: Option<PgListener>,
}

impl Listener {
    /// Connects at the first [`Listener::next`].
    #[must_use]
    pub fn new(url: &str, clock: Clock) -> Self {
        Self { url: url.to_owned(), clock, connection: None }
    }

    /// Whether we hear at this time.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Waits for the next sound, for as long as it takes. Safe to drop at any time.
    pub async fn next(&mut self) -> Bell {
        let mut backoff = Duration::from_millis(50);
        loop {
            if let Some(connection) = &mut self.connection {
                match timeout(QUIET, connection.try_recv()).await {
                    Ok(Ok(Some(_))) => return Bell::Notified,
                    // The connection was lost. sqlx would mend it, but some errors it gives up on (sqlx issue 4014).
                    Ok(Ok(None)) => tracing::warn!("lost the connection that listens for changes"),
                    Ok(Err(err)) => {
                        tracing::warn!(error = %err, "lost the connection that listens for changes");
                    }
                    Err(_) if is_alive(connection).await => continue,
                    Err(_) => tracing::warn!("the connection that listens for changes is silent"),
                }
                self.connection = None;
            }
            match timeout(ANSWER, self.connect()).await {
                Ok(Ok(connection)) => {
                    self.connection = Some(connection);
                    return Bell::Reconnected;
                }
                Ok(Err(err)) => tracing::warn!(error = %err, "can't listen for changes; polling goes on"),
                Err(_) => tracing::warn!("can't listen for changes in time; polling goes on"),
            }
            sleep(backoff + self.clock.jitter(backoff)).await;
            backoff = BACKOFF_MOST.min(backoff * 2);
        }
    }

    async fn connect(&self) -> Result<PgListener, sqlx::Error> {
        let mut connection = PgListener::connect(&self.url).await?;
        connection.listen(CHANNEL).await?;
        Ok(connection)
    }
}

/// Whether the other end answers. What rings meanwhile is kept for the next to be received.
async fn is_alive(connection: &mut PgListener) -> bool {
    matches!(timeout(ANSWER, connection.execute("SELECT 1")).await, Ok(Ok(_)))
}
