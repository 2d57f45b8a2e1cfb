//! The settings of a session. A connection pooler may drop those of the startup message without a word, so they are read
//! on each new connection, set where they differ, and read again.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::ServerRefusal;

/// A session setting, as Postgres also shows it.
pub(in crate::db) type Setting = (&'static str, &'static str);

/// What every session needs. Migrations and row-level security rely on the last two.
const ALWAYS: [Setting; 5] = [
    ("idle_in_transaction_session_timeout", crate::db::IDLE_TIMEOUT),
    ("TimeZone", "UTC"),
    ("client_encoding", "UTF8"),
    ("row_security", "on"),
    ("standard_conforming_strings", "on"),
];

/// The settings of a session, and what the server must be.
#[derive(Clone, Debug)]
pub(in crate::db) struct SessionSettings(Arc<[Setting]>);

impl SessionSettings {
    /// Makes the settings of a session: what every session needs, and `own`.
    pub(in crate::db) fn new(own: &[Setting]) -> Self {
        Self(ALWAYS.iter().chain(own).copied().collect())
    }

    /// Returns the settings as options of the startup message. sqlx sends the encoding by itself.
    pub(super) fn options(&self) -> impl Iterator<Item = Setting> {
        self.0.iter().copied().filter(|(name, _)| *name != "client_encoding")
    }

    /// Checks that the server isn't a replica, and that the session has these settings. Sets those that a pooler dropped.
    ///
    /// # Errors
    /// [`sqlx::Error::Configuration`] with a [`ServerRefusal`], or another error of the connection.
    pub(super) async fn verify(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let dropped = self.differing(connection).await?;
        if dropped.is_empty() {
            return Ok(());
        }
        // What an earlier client of the pooler's connection left behind, such as prepared statements.
        sqlx::raw_sql("DISCARD ALL").execute(&mut *connection).await?;
        let set: Vec<String> =
            self.0.iter().map(|(name, value)| format!("set_config('{name}', '{value}', false)")).collect();
        let set = AssertSqlSafe(format!("SELECT {}", set.join(", ")));
        sqlx::raw_sql(set).execute(&mut *connection).await?;
        match self.differing(connection).await?.first() {
            None => Ok(()),
            Some((name, wanted)) => Err(ServerRefusal::Setting { name, wanted }.into()),
        }
    }

    /// Returns the settings that the session doesn't have.
    async fn differing(&self, connection: &mut PgConnection) -> Result<Vec<Setting>, sqlx::Error> {
        let shown: Vec<String> =
            self.0.iter().map(|(name, _)| format!("current_setting('{name}')")).collect();
        let show = AssertSqlSafe(format!("SELECT pg_is_in_recovery()::text, {}", shown.join(", ")));
        // The simple protocol: it leaves no prepared statement behind.
        let row = sqlx::raw_sql(show).fetch_one(connection).await?;
        if row.try_get::<String, _>(0)? != "false" {
            return Err(ServerRefusal::Replica.into());
        }
        let mut differing = Vec::new();
        for (index, (name, wanted)) in self.0.iter().enumerate() {
            if row.try_get::<String, _>(index + 1)? != *wanted {
                differing.push((*name, *wanted));
            }
        }
        Ok(differing)
    }
}
