//! The bell: a connection of its own that hears of each commit to the log. It may miss some; the table is the truth.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::time::sleep;

use crate::clock::Clock;

/// The channel that `append_changes` rings.
const CHANNEL: &str = "registry_changes";
/// The longest wait before trying again to listen.
const BACKOFF_MOST: Duration = Duration::from_secs(2);

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
                match connection.try_recv().await {
                    Ok(Some(_)) => return Bell::Notified,
                    // The connection was lost. sqlx would mend it, but some errors it gives up on (sqlx issue 4014).
                    Ok(None) => tracing::warn!("lost the connection that listens for changes"),
                    Err(err) => tracing::warn!(error = %err, "lost the connection that listens for changes"),
                }
                self.connection = None;
            }
            match self.connect().await {
                Ok(connection) => {
                    self.connection = Some(connection);
                    return Bell::Reconnected;
                }
                Err(err) => {
                    tracing::warn!(error = %err, "can't listen for changes; polling goes on");
                    sleep(backoff + self.clock.jitter(backoff)).await;
                    backoff = BACKOFF_MOST.min(backoff * 2);
                }
            }
        }
    }

    async fn connect(&self) -> Result<PgListener, sqlx::Error> {
        let mut connection = PgListener::connect(&self.url).await?;
        connection.listen(CHANNEL).await?;
        Ok(connection)
    }
}
