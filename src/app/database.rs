//! The database that a command works on: the one configured, or a private Postgres that is kept up.

use std::{convert::Infallible, time::Duration};

use embedded_postgres::{Embedded, Options};
use tokio::sync::Mutex;

use super::{StartError, data_dir};
use crate::{
    config::Common,
    db::{self, Step},
};

/// How often to see whether the private Postgres still runs.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// A database to work on: the one configured, or the private one.
#[derive(Debug)]
pub struct Database {
    pub(super) url: String,
    migrate_url: String,
    private: Option<Private>,
}

/// A private Postgres, and each time it had to be started.
#[derive(Debug)]
struct Private {
    options: Options,
    first: Embedded,
    again: Mutex<Vec<Embedded>>,
}

impl Database {
    /// Finds the database; starts the private Postgres, or attaches to it, when none is configured.
    ///
    /// # Errors
    /// [`StartError`] when there is none to be had.
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
            private: Some(Private { options, first: embedded, again: Mutex::default() }),
        })
    }

    /// Where the private Postgres is, when that is the one.
    #[must_use]
    pub fn embedded(&self) -> Option<&Embedded> {
        self.private.as_ref().map(|private| &private.first)
    }

    /// Starts the private Postgres again whenever it has ended by itself. Never returns.
    pub async fn keep_up(&self) -> Infallible {
        let Some(Private { options, first, again }) = &self.private else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(LOOK_AFTER).await;
            if first.postmaster().is_some() {
                continue;
            }
            tracing::warn!("the private Postgres has ended; starting it again");
            match Embedded::attach_or_start(options).await {
                Ok(embedded) => again.lock().await.push(embedded),
                Err(err) => tracing::error!(error = %err, "the private Postgres does not start"),
            }
        }
    }

    /// Brings it to the newest shape; answers how many steps that took.
    ///
    /// # Errors
    /// [`StartError::Migrate`].
    pub async fn migrate(&self) -> Result<usize, StartError> {
        let steps = db::migrate(&self.migrate_url).await.map_err(failed)?;
        if self.migrate_url != self.url {
            db::admit(&self.migrate_url, &self.url).await.map_err(failed)?;
        }
        Ok(steps)
    }

    /// The steps of its shape, and which of them have been applied.
    ///
    /// # Errors
    /// [`StartError::Migrate`].
    pub async fn status(&self) -> Result<Vec<Step>, StartError> {
        db::migration_status(&self.migrate_url).await.map_err(failed)
    }

    /// Lets go of it; who leaves last stops the private Postgres.
    pub async fn leave(self) {
        let Some(Private { options: _, first, again }) = self.private else {
            return;
        };
        for embedded in again.into_inner().into_iter().chain([first]) {
            if let Err(err) = embedded.leave().await {
                tracing::warn!(error = %err, "the private Postgres was not left in order");
            }
        }
    }
}

fn failed(err: impl ToString) -> StartError {
    StartError::Migrate(err.to_string())
}
