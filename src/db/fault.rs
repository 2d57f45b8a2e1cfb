//! What can go wrong between us and Postgres, sorted by what the caller can do about it.

use sea_orm::{DbErr, RuntimeErr};

use crate::task::Lost;

/// A database call failed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A unique constraint, by name, refused the row.
    #[error("unique constraint {0}")]
    Unique(String),
    /// Another constraint, by name, refused the row.
    #[error("constraint {0}")]
    Constraint(String),
    /// Two writers met; trying again may do.
    #[error("serialization failure")]
    Serialization(#[source] DbErr),
    /// Postgres could not be reached, is going away, or took too long.
    #[error("the database is unavailable")]
    Unavailable(#[source] DbErr),
    /// The task that ran it did not finish.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// Anything else: a bug of ours.
    #[error("the database refused a statement")]
    Unexpected(#[source] DbErr),
}

impl From<DbErr> for Fault {
    fn from(err: DbErr) -> Self {
        let sqlx = match &err {
            DbErr::Conn(RuntimeErr::SqlxError(e))
            | DbErr::Exec(RuntimeErr::SqlxError(e))
            | DbErr::Query(RuntimeErr::SqlxError(e)) => e.clone(),
            DbErr::ConnectionAcquire(_) => return Self::Unavailable(err),
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
            // Shutting down, starting up, out of connections, connection gone, statement timeout, read-only standby.
            Some(code)
                if code.starts_with("08")
                    || code.starts_with("57")
                    || code.starts_with("53")
                    || code == "25006"
                    // The database takes no connections.
                    || code == "55000"
                    || code == "25P03" =>
            {
                Self::Unavailable(err)
            }
            _ => Self::Unexpected(err),
        }
    }
}
