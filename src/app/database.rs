//! The database of a command: the configured one, or a private PostgreSQL that is restarted when it ends.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    time::Duration,
};

use embedded_postgres::{AfterLeave, Condition, Embedded, EmbeddedError, Options};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use super::{
    StartError,
    data_folder::{self, data_dir},
};
use crate::{
    config::Common,
    db::{self, DatabaseUrl, MigrateError, SchemaRefusal, SchemaStatus, UrlError},
    feed::Outage,
};

/// The interval between checks that the private PostgreSQL still runs.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The number of checks in a row for which the cluster must be away before its server is stopped. One alone may fall
/// between two steps of moving a folder.
const CHECKS_BEFORE_STOP: u32 = 2;

/// The interval between attempts to reach the database at start.
const START_INTERVAL: Duration = Duration::from_millis(250);
/// The interval at which a wait for the database is logged.
const SAY_INTERVAL: Duration = Duration::from_secs(5);

/// The database of a command: the configured one, or the private one.
#[derive(Debug)]
pub struct Database {
    pub(super) url: DatabaseUrl,
    /// The URL of the role that owns the schema, if it is another role.
    owner_url: Option<DatabaseUrl>,
    private: Option<Private>,
    /// The longest wait for the database at start.
    wait: Duration,
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
    /// [`StartError`] when a URL is malformed, the data folder can't be used or the private PostgreSQL can't be started.
    pub async fn open(common: &Common) -> Result<Self, StartError> {
        let wait = common.wait_for_database;
        let owner_url = url(
            ("MIGRATE_DATABASE_URL", common.migrate_database_url.as_deref()),
            ("MIGRATE_DATABASE_URL_FILE", common.migrate_database_url_file.as_deref()),
        )?;
        let url = url(
            ("DATABASE_URL", common.database_url.as_deref()),
            ("DATABASE_URL_FILE", common.database_url_file.as_deref()),
        )?;
        match (url, owner_url) {
            (Some(url), owner_url) => return Ok(Self { url, owner_url, private: None, wait }),
            (None, Some(_)) => {
                return Err(StartError::Setting(
                    "MIGRATE_DATABASE_URL is set without DATABASE_URL: set both, or neither for a private PostgreSQL"
                        .to_owned(),
                ));
            }
            (None, None) => {}
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
            owner_url: Some(embedded.url_for_owner().into()),
            url: embedded.url_for_service().into(),
            private: Some(Private { folder, options, first: embedded, restarted: Mutex::default() }),
            wait,
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
            sleep(CHECK_INTERVAL).await;
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

    /// Waits until the database can be reached, and checks that the service can use it. Writes nothing. Says every few
    /// seconds what it waits for.
    ///
    /// # Errors
    /// [`StartError::Connect`].
    pub async fn check(&self) -> Result<(), StartError> {
        if self.private.is_some() {
            return Ok(());
        }
        let begun = Instant::now();
        let mut said = begun;
        loop {
            let refused = match db::check_servers(&self.url, self.owner_url.as_ref()).await {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            if !refused.is_transient() || begun.elapsed() >= self.wait {
                return Err(refused.into());
            }
            if said.elapsed() >= SAY_INTERVAL {
                said = Instant::now();
                let (waited, longest) = (begun.elapsed().as_secs(), self.wait.as_secs());
                tracing::warn!(waited, longest, "waiting for the database: {refused}");
            }
            sleep(START_INTERVAL).await;
        }
    }

    /// Applies pending migrations, and grants the service's role its rights if another role owns the schema. Without the
    /// owner's URL, a database that is up to date needs no right to change it. Returns the number of migrations applied.
    ///
    /// # Errors
    /// [`StartError`] when the database can't be used, or a migration fails.
    pub async fn migrate(&self) -> Result<usize, StartError> {
        self.check().await?;
        let Some(owner_url) = &self.owner_url else {
            return match db::check_schema(&self.url).await {
                Ok(()) => Ok(0),
                Err(MigrateError::Refused(SchemaRefusal::Empty { .. } | SchemaRefusal::TooOld { .. })) => {
                    Ok(db::migrate(&self.url).await?)
                }
                Err(err) => Err(err.into()),
            };
        };
        let steps = db::migrate(owner_url).await?;
        db::grant_service_role(owner_url, &self.url).await?;
        Ok(steps)
    }

    /// Checks that this binary can serve the database as it is. If a migration is pending, another process may be applying
    /// it, so waits for that. Writes nothing.
    ///
    /// # Errors
    /// [`StartError`] when the database can't be used, or a migration is pending.
    pub async fn check_schema(&self) -> Result<(), StartError> {
        self.check().await?;
        match db::check_schema(&self.url).await {
            Err(MigrateError::Refused(SchemaRefusal::Empty { .. } | SchemaRefusal::TooOld { .. })) => {
                db::wait_for_migration(&self.url).await?;
                Ok(db::check_schema(&self.url).await?)
            }
            checked => Ok(checked?),
        }
    }

    /// Makes the database ready for a command that isn't there to migrate it: checks its schema. Only a private PostgreSQL
    /// that has no registry yet gets one, since no instance can use it.
    ///
    /// # Errors
    /// As [`Database::check_schema`].
    pub(super) async fn check_for_command(&self) -> Result<(), StartError> {
        match self.check_schema().await {
            Err(StartError::Migrate(MigrateError::Refused(SchemaRefusal::Empty { .. })))
                if self.private.is_some() =>
            {
                self.migrate().await.map(drop)
            }
            checked => checked,
        }
    }

    /// Reads which migrations have been applied, and which schemas this binary and the database have. Writes nothing.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn status(&self) -> Result<SchemaStatus, StartError> {
        self.check().await?;
        Ok(db::migration_status(self.owner_url.as_ref().unwrap_or(&self.url)).await?)
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

/// Returns the URL that a setting or its file gives.
///
/// # Errors
/// [`StartError::Setting`] when both are set, or the URL can't be used.
fn url(
    (name, given): (&str, Option<&str>),
    (file_name, file): (&str, Option<&Path>),
) -> Result<Option<DatabaseUrl>, StartError> {
    let wrong = |name: &str, err: &UrlError| StartError::Setting(format!("{name}: {err}"));
    match (given, file) {
        (Some(_), Some(_)) => {
            Err(StartError::Setting(format!("{name} and {file_name} are both set: set one of them")))
        }
        (Some(text), None) => {
            let url = DatabaseUrl::from(text);
            url.check().map_err(|err| wrong(name, &err))?;
            Ok(Some(url))
        }
        (None, Some(file)) => DatabaseUrl::in_file(file).map(Some).map_err(|err| wrong(file_name, &err)),
        (None, None) => Ok(None),
    }
}
