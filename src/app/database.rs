//! The database of a command: the configured one, or a private PostgreSQL that is restarted when it ends.

use std::{convert::Infallible, path::PathBuf, time::Duration};

use embedded_postgres::{AfterLeave, Condition, Embedded, EmbeddedError, Options};
use tokio::sync::Mutex;

use super::{
    StartError,
    data_folder::{self, data_dir},
};
use crate::{
    config::Common,
    db::{self, MigrateError, SchemaStatus},
    feed::Outage,
};

/// The interval between checks that the private PostgreSQL still runs.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The number of checks in a row for which the cluster must be away before its server is stopped. One alone may fall
/// between two steps of moving a folder.
const CHECKS_BEFORE_STOP: u32 = 2;

/// The database of a command: the configured one, or the private one.
#[derive(Debug)]
pub struct Database {
    pub(super) url: String,
    migrate_url: String,
    private: Option<Private>,
}

/// A private PostgreSQL, with one handle for each time it was started. [`Database::leave`] releases all of them.
#[derive(Debug)]
struct Private {
    /// The data folder.
    folder: PathBuf,
    options: Options,
    first: Embedded,
    restarted: Mutex<Vec<Embedded>>,
}

impl Database {
    /// Returns the configured database. If none is configured, attaches to the private PostgreSQL, or starts it.
    ///
    /// # Errors
    /// [`StartError`] when the data folder can't be used or the private PostgreSQL can't be started.
    pub async fn open(common: &Common) -> Result<Self, StartError> {
        if let Some(url) = &common.database_url {
            let migrate_url = common.migrate_database_url.clone().unwrap_or_else(|| url.clone());
            return Ok(Self { url: url.clone(), migrate_url, private: None });
        }
        let folder = data_dir(common)?;
        let options = Options {
            folder: data_folder::postgres(&folder),
            bin_dir: common.postgres_bin.clone(),
            path: Common::path(),
            durable: true,
            watchdog: false,
        };
        let embedded = Embedded::attach_or_start(&options).await?;
        data_folder::end_first_start(&folder);
        Ok(Self {
            migrate_url: embedded.url_for_owner(),
            url: embedded.url_for_service(),
            private: Some(Private { folder, options, first: embedded, restarted: Mutex::default() }),
        })
    }

    /// Returns the private PostgreSQL, if no database is configured.
    #[must_use]
    pub fn embedded(&self) -> Option<&Embedded> {
        self.private.as_ref().map(|private| &private.first)
    }

    /// Writes down, outside the data folder, that a registry is served from it: see `data_folder`.
    pub fn mark_serving(&self) {
        if let Some(private) = &self.private {
            data_folder::mark_serving(&private.folder);
        }
    }

    /// Restarts the private PostgreSQL whenever its server has ended, and begins an outage while its cluster is gone.
    /// Never returns.
    pub async fn keep_running(&self, outage: &Outage) -> Infallible {
        let Some(private) = &self.private else {
            return std::future::pending().await;
        };
        let mut checks_gone = 0_u32;
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            let condition = private.condition().await;
            checks_gone = if condition.as_ref().is_ok_and(|now| now.is_lost()) {
                checks_gone.saturating_add(1)
            } else {
                0
            };
            match condition {
                Ok(Condition::Running) => {
                    if outage.end() {
                        tracing::info!("the private PostgreSQL is there again");
                    }
                }
                Ok(Condition::Ended) => private.restart(outage).await,
                Ok(Condition::Gone | Condition::Replaced) => {
                    private.report_loss(outage);
                    if checks_gone == CHECKS_BEFORE_STOP {
                        private.stop_lost().await;
                    }
                }
                // Not known to be gone, such as after an error of the disk. Nothing is stopped or started.
                Err(err) => {
                    private.report(outage, &format!("the private PostgreSQL can't be checked: {err}"))
                }
            }
        }
    }

    /// Applies pending migrations, and grants the service's role its rights if another role owns the schema.
    /// Returns the number of migrations applied.
    ///
    /// # Errors
    /// [`StartError::Migrate`].
    pub async fn migrate(&self) -> Result<usize, StartError> {
        let steps = db::migrate(&self.migrate_url).await?;
        if self.migrate_url != self.url {
            db::grant_service_role(&self.migrate_url, &self.url).await.map_err(MigrateError::from)?;
        }
        Ok(steps)
    }

    /// Reads which migrations have been applied, and which schemas this binary and the database have.
    ///
    /// # Errors
    /// [`StartError::Migrate`].
    pub async fn status(&self) -> Result<SchemaStatus, StartError> {
        Ok(db::migration_status(&self.migrate_url).await.map_err(MigrateError::from)?)
    }

    /// Releases the database. The last process to leave the private PostgreSQL stops it.
    pub async fn leave(self) {
        let Some(Private { folder, options: _, first, restarted }) = self.private else {
            return;
        };
        for embedded in restarted.into_inner().into_iter().chain([first]) {
            let is_there = embedded.condition().is_ok_and(|now| !now.is_lost());
            match embedded.leave().await {
                Ok(AfterLeave::Stopped) if is_there => data_folder::mark_stopped(&folder),
                Ok(AfterLeave::Stopped | AfterLeave::InUse) => {}
                Err(err) => tracing::warn!(error = %err, "can't leave the private PostgreSQL cleanly"),
            }
        }
    }
}

impl Private {
    async fn condition(&self) -> Result<Condition, EmbeddedError> {
        self.restarted.lock().await.last().unwrap_or(&self.first).condition()
    }

    /// Starts the server of the cluster again. Nothing is created if the cluster is gone meanwhile.
    async fn restart(&self, outage: &Outage) {
        tracing::warn!("the private PostgreSQL has ended; restarting it");
        match self.first.restart(&self.options).await {
            Ok(embedded) => {
                self.restarted.lock().await.push(embedded);
                outage.end();
            }
            Err(EmbeddedError::Gone { .. }) => self.report_loss(outage),
            Err(err) => self.report(outage, &format!("can't restart the private PostgreSQL: {err}")),
        }
    }

    /// Stops the server of a cluster that is gone, where its folder is now, so that it isn't left behind and acknowledges
    /// no more writes.
    async fn stop_lost(&self) {
        let restarted = self.restarted.lock().await;
        match restarted.last().unwrap_or(&self.first).stop_lost().await {
            Ok(Some(pid)) => tracing::warn!(pid, "stopped the private PostgreSQL, whose folder is gone"),
            Ok(None) => {}
            Err(err) => {
                tracing::error!(error = %err, "can't stop the private PostgreSQL, whose folder is gone")
            }
        }
    }

    fn report_loss(&self, outage: &Outage) {
        let data = self.first.data();
        let reason = format!(
            "the folder of the private PostgreSQL is gone: {} was moved, unmounted, deleted or replaced. Nothing is created in its \
             place, and this instance serves again when the folder is back",
            data.display()
        );
        self.report(outage, &reason);
    }

    /// Begins an outage, and logs its reason once.
    fn report(&self, outage: &Outage, reason: &str) {
        if outage.begin(reason) {
            tracing::error!("{reason}");
        }
    }
}
