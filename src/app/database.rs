//! The database of a command: the configured one, or a private PostgreSQL that is restarted when it ends.

use std::{convert::Infallible, time::Duration};

use embedded_postgres::{Embedded, Options};
use tokio::sync::Mutex;

use super::{StartError, data_dir};
use crate::{
    config::Common,
    db::{self, MigrateError, SchemaStatus},
};

/// The interval between checks that the private PostgreSQL still runs.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

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
        let folder = data_dir(common)?.join("postgres");
        let options = Options {
            folder,
            bin_dir: common.postgres_bin.clone(),
            path: Common::path(),
            durable: true,
            watchdog: false,
        };
        let embedded = Embedded::attach_or_start(&options).await?;
        Ok(Self {
            migrate_url: embedded.url_for_owner(),
            url: embedded.url_for_service(),
            private: Some(Private { options, first: embedded, restarted: Mutex::default() }),
        })
    }

    /// Returns the private PostgreSQL, if no database is configured.
    #[must_use]
    pub fn embedded(&self) -> Option<&Embedded> {
        self.private.as_ref().map(|private| &private.first)
    }

    /// Restarts the private PostgreSQL whenever its server has ended. Never returns.
    pub async fn keep_running(&self) -> Infallible {
        let Some(Private { options, first, restarted }) = &self.private else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            if first.postmaster().is_some() {
                continue;
            }
            tracing::warn!("the private PostgreSQL has ended; restarting it");
            match Embedded::attach_or_start(options).await {
                Ok(embedded) => restarted.lock().await.push(embedded),
                Err(err) => tracing::error!(error = %err, "can't restart the private PostgreSQL"),
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
        let Some(Private { options: _, first, restarted }) = self.private else {
            return;
        };
        for embedded in restarted.into_inner().into_iter().chain([first]) {
            if let Err(err) = embedded.leave().await {
                tracing::warn!(error = %err, "can't leave the private PostgreSQL cleanly");
            }
        }
    }
}
