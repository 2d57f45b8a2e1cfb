//! Why no connection can be opened, in words for the operator: without host, role or password, because `/readyz` says it
//! too.

use std::io;

use super::ServerRefusal;

/// Why no connection can be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectFailure {
    /// No server answers at the address.
    #[error("no database server answers at its address")]
    Unreachable,
    /// The server starts, stops or recovers.
    #[error("the database server is starting or stopping (SQLSTATE 57P03)")]
    Starting,
    /// The server, the database or the role accepts no further connections.
    #[error("Postgres accepts no further connections from this instance (SQLSTATE 53300)")]
    TooManyConnections,
    /// The password isn't the role's.
    #[error("Postgres rejects the password of the role (SQLSTATE 28P01)")]
    Password,
    /// The role doesn't exist, may not log in, or `pg_hba.conf` has no line for it.
    #[error("Postgres rejects the role or this client's address (SQLSTATE 28000): see pg_hba.conf")]
    Rejected,
    /// The database doesn't exist.
    #[error("the database doesn't exist (SQLSTATE 3D000)")]
    NoDatabase,
    /// The server can't be used.
    #[error(transparent)]
    Refusal(ServerRefusal),
    /// TLS failed.
    #[error("no TLS connection to the database server can be established")]
    Tls,
    /// Another error of the server.
    #[error("Postgres refuses the connection (SQLSTATE {0})")]
    Other(String),
    /// An error of neither kind.
    #[error("no connection to the database can be opened")]
    Unknown,
}

impl ConnectFailure {
    /// Whether waiting may help: the server may be starting, or another one be promoted.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable
            | Self::Starting
            | Self::TooManyConnections
            | Self::Refusal(ServerRefusal::Replica)
            | Self::Unknown => true,
            Self::Password
            | Self::Rejected
            | Self::NoDatabase
            | Self::Refusal(ServerRefusal::Setting { .. } | ServerRefusal::Pooling)
            | Self::Tls
            | Self::Other(_) => false,
        }
    }
}

impl From<&sqlx::Error> for ConnectFailure {
    fn from(err: &sqlx::Error) -> Self {
        if let Some(refusal) = ServerRefusal::of(err) {
            return Self::Refusal(refusal.clone());
        }
        match err {
            sqlx::Error::Database(err) => match err.code().as_deref() {
                Some("28P01") => Self::Password,
                Some(code) if code.starts_with("28") => Self::Rejected,
                Some("3D000") => Self::NoDatabase,
                Some("53300") => Self::TooManyConnections,
                Some("57P03") => Self::Starting,
                Some(code) => Self::Other(code.to_owned()),
                None => Self::Unknown,
            },
            sqlx::Error::Tls(_) => Self::Tls,
            sqlx::Error::Io(err) if err.kind() == io::ErrorKind::InvalidData => Self::Tls,
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => Self::Unreachable,
            _ => Self::Unknown,
        }
    }
}
