//! Database errors, classified by how the caller can react.

use sea_orm::{DbErr, RuntimeErr, error::ConnAcquireErr};

use crate::task::TaskFailed;

/// Why a database call failed.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The row violates this unique constraint.
    #[error("unique constraint {0}")]
    Unique(String),
    /// The row violates this constraint of another kind.
    #[error("constraint {0}")]
    Constraint(String),
    /// A serialisation failure or a deadlock. A retry may succeed.
    #[error("serialization failure")]
    Serialization(#[source] DbErr),
    /// Postgres is unreachable, starting, stopping, a replica or overloaded, rejects the login, or didn't respond in time.
    #[error("the database is unavailable")]
    Unavailable(#[source] DbErr),
    /// The caller's own requests use its whole share of the pool, and none of them ended in time.
    #[error("the caller's own requests use its whole share of the pool")]
    ShareUsedUp,
    /// A snapshot that was released can't be continued, because there was a commit meanwhile.
    #[error("there was a commit while the snapshot was released")]
    SnapshotMoved,
    /// The pool is closed.
    #[error("the connection pool is closed")]
    PoolClosed,
    /// All connections of the pool are in use, and none became free in time.
    #[error("no connection of the pool became free in time")]
    PoolBusy,
    /// Postgres accepts no further connections (SQLSTATE 53300), and none that is open became free in time.
    #[error("Postgres accepts no further connections, and none of the open ones became free in time")]
    TooManyConnections,
    /// Postgres doesn't know a value, such as the name of a time zone (SQLSTATE 22023).
    #[error("Postgres doesn't accept a value")]
    UnknownValue(#[source] DbErr),
    /// The task that ran the call didn't finish.
    #[error(transparent)]
    TaskFailed(#[from] TaskFailed),
    /// Any other error, which is a bug.
    #[error("the database refused a statement")]
    Unexpected(#[source] DbErr),
}

impl From<DbErr> for DbError {
    fn from(err: DbErr) -> Self {
        let sqlx = match &err {
            DbErr::Conn(RuntimeErr::SqlxError(e))
            | DbErr::Exec(RuntimeErr::SqlxError(e))
            | DbErr::Query(RuntimeErr::SqlxError(e)) => e.clone(),
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => return Self::PoolBusy,
            DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => return Self::Unavailable(err),
            // A refusal of the server, or no response.
            DbErr::Conn(RuntimeErr::Internal(_)) => return Self::Unavailable(err),
            _ => return Self::Unexpected(err),
        };
        let Some(database) = sqlx.as_database_error() else {
            use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
            return match &*sqlx {
                Io(_) | Tls(_) | Protocol(_) | PoolTimedOut | PoolClosed | WorkerCrashed => {
                    Self::Unavailable(err)
                }
                _ => Self::Unexpected(err),
            };
        };
        let constraint = || database.constraint().unwrap_or_default().to_owned();
        match database.code().as_deref() {
            Some("23505") => Self::Unique(constraint()),
            Some(code) if code.starts_with("23") => Self::Constraint(constraint()),
            Some("40001" | "40P01") => Self::Serialization(err),
            Some("22023") => Self::UnknownValue(err),
            Some("53300") => Self::TooManyConnections,
            // Shutting down, starting up, out of memory, connection gone, statement timeout, read-only standby, login
            // rejected, no such database.
            Some(code)
                if code.starts_with("08")
                    || code.starts_with("57")
                    || code.starts_with("53")
                    || code.starts_with("28")
                    || code == "3D000"
                    || code == "25006"
                    || is_of_recovery(database)
                    // The database accepts no connections (`ALLOW_CONNECTIONS false`).
                    || code == "55000"
                    || code == "25P03" =>
            {
                Self::Unavailable(err)
            }
            _ => Self::Unexpected(err),
        }
    }
}

/// Whether a write was refused because the server is in recovery. Its SQLSTATE has other meanings too.
fn is_of_recovery(err: &dyn sqlx::error::DatabaseError) -> bool {
    err.code().as_deref() == Some("0A000") && err.message().contains("recovery")
}

/// Whether the error means that the connection was never lent: what ended on it before got no response.
pub(super) fn is_stuck(err: &DbErr) -> bool {
    matches!(err, DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
}

/// Whether the error means that the connection is gone: the server was stopped or restarted, or the network failed. A
/// server that became a replica counts too: a new connection may find its successor.
pub(super) fn is_broken(err: &DbErr) -> bool {
    let sqlx = match err {
        DbErr::Conn(RuntimeErr::SqlxError(err))
        | DbErr::Exec(RuntimeErr::SqlxError(err))
        | DbErr::Query(RuntimeErr::SqlxError(err)) => err,
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => return true,
        _ => return false,
    };
    match &**sqlx {
        sqlx::Error::Database(err) => {
            let is_lost =
                |code: &str| code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03" | "57P05");
            err.code().is_some_and(|code| is_lost(&code)) || is_of_recovery(err.as_ref())
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}
