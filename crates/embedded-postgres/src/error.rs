//! Errors of the private Postgres. Each message is one line that says what to do. Messages don't include the text of
//! their source, which `Error::source` returns.

use std::path::{Path, PathBuf};

/// Why the private Postgres can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// No binaries were found.
    #[error(
        "PostgreSQL {minimum} or newer isn't installed: install it \
         (Debian, Ubuntu: `apt-get install postgresql`; macOS: `brew install postgresql@17`), \
         set POSTGRES_BIN to its bin folder, or set DATABASE_URL"
    )]
    NoBinaries {
        /// The oldest supported major version.
        minimum: u32,
    },
    /// All installed versions are too old.
    #[error(
        "{} is PostgreSQL {major}, and {minimum} or newer is required: install a newer version, set POSTGRES_BIN \
         to its bin folder, or set DATABASE_URL",
        folder.display()
    )]
    TooOld {
        /// The bin folder of the newest installed version.
        folder: PathBuf,
        /// Its major version.
        major: u32,
        /// The oldest supported major version.
        minimum: u32,
    },
    /// The configured bin folder has no runnable binaries.
    #[error(
        "{} doesn't contain runnable `postgres` and `initdb`: set POSTGRES_BIN to the bin folder of an \
         installation",
        folder.display()
    )]
    BadBinFolder {
        /// The configured folder.
        folder: PathBuf,
    },
    /// The cluster was created by a version that isn't installed.
    #[error(
        "{} was created by PostgreSQL {needed}, which isn't installed (found: {found}): install it \
         (Debian, Ubuntu: `apt-get install postgresql-{needed}`; \
         macOS: `brew install postgresql@{needed}`) or choose another DATA_DIR",
        folder.display()
    )]
    MissingVersion {
        /// The cluster's folder.
        folder: PathBuf,
        /// The cluster's major version.
        needed: u32,
        /// The installed major versions, or "none".
        found: String,
    },
    /// The cluster's folder exists and contains no cluster.
    #[error(
        "{} isn't a PostgreSQL cluster (it has no readable PG_VERSION): move it away or choose another DATA_DIR",
        folder.display()
    )]
    NotACluster {
        /// The folder.
        folder: PathBuf,
    },
    /// There was a cluster in this folder, and it isn't there any more. Nothing is created in its place.
    #[error(
        "the PostgreSQL cluster in {} is gone, and no empty one is made in its place: mount or move the folder back, or \
         restore a backup. To begin with an empty one, remove {}",
        data.display(), evidence.display()
    )]
    Gone {
        /// The cluster's folder.
        data: PathBuf,
        /// The file that says that there was a cluster.
        evidence: PathBuf,
    },
    /// A server of a cluster that was in this folder still runs.
    #[error(
        "process {pid} is the PostgreSQL of a cluster that was in {} and isn't there any more: move the folder back, or \
         stop it (`kill -INT {pid}`)",
        data.display()
    )]
    Orphan {
        /// The postmaster.
        pid: i32,
        /// The cluster's folder.
        data: PathBuf,
    },
    /// As root: the server's user can't enter the data folder.
    #[error(
        "PostgreSQL refuses to run as root, and the user `{user}`, which runs it instead, can't enter {}: choose \
         another DATA_DIR than {}",
        closed.display(), folder.display()
    )]
    Unreachable {
        /// The user that runs Postgres.
        user: String,
        /// The first folder on the path that this user can't enter.
        closed: PathBuf,
        /// The private Postgres' folder.
        folder: PathBuf,
    },
    /// As root: the server's user can't enter the folder of the binaries.
    #[error(
        "PostgreSQL refuses to run as root, and the user `{user}`, which runs it instead, can't enter {}, where \
         its binaries are: set POSTGRES_BIN to another folder",
        closed.display()
    )]
    UnreachableBinaries {
        /// The user that runs Postgres.
        user: String,
        /// The first folder on the path that this user can't enter.
        closed: PathBuf,
    },
    /// As root: the machine has neither a user `postgres` nor `nobody`.
    #[error(
        "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as: start \
         this as an unprivileged user"
    )]
    NoPlainUser,
    /// The folder has the wrong owner or permissions, or isn't a folder.
    #[error("{} {problem}: run as its owner or choose another DATA_DIR", folder.display())]
    NotOurs {
        /// The folder.
        folder: PathBuf,
        /// The problem, as a predicate of the folder.
        problem: String,
    },
    /// Another process didn't release a lock in time.
    #[error(
        "another process has been starting or stopping the private PostgreSQL for {seconds} s (it holds {}): \
         check that process, or try again",
        lock.display()
    )]
    Busy {
        /// The lock that it holds.
        lock: PathBuf,
        /// The time waited, in seconds.
        seconds: u64,
    },
    /// `initdb` failed.
    #[error("initdb can't create a cluster in {}: {said}", folder.display())]
    Initdb {
        /// The folder of the cluster.
        folder: PathBuf,
        /// The last lines of its output.
        said: String,
    },
    /// The server ended, or didn't become ready in time.
    #[error("the private PostgreSQL didn't start ({problem}); its log {} ends: {tail}", log.display())]
    Start {
        /// The exit status, or the time limit.
        problem: String,
        /// The server's log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The server didn't stop in time.
    #[error("the private PostgreSQL (process {pid}) doesn't stop: stop it by hand")]
    Stop {
        /// The postmaster.
        pid: i32,
    },
    /// The watchdog didn't start.
    #[error("the private PostgreSQL's watchdog didn't start: are `sh` and `mkfifo` in /usr/bin or /bin?")]
    Watchdog,
    /// A file operation failed.
    #[error("can't {action} {}", path.display())]
    Io {
        /// The operation, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A statement failed.
    #[error("can't {action} in the private PostgreSQL")]
    Sql {
        /// The operation, as a verb.
        action: &'static str,
        /// The error of the server or the driver.
        source: sqlx::Error,
    },
}

/// Makes an [`EmbeddedError::Io`] in `map_err`.
pub(super) fn io<E: Into<std::io::Error>>(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(E) -> EmbeddedError {
    move |source| EmbeddedError::Io { action, path: path.to_owned(), source: source.into() }
}

/// Makes an [`EmbeddedError::Sql`] in `map_err`.
pub(super) fn sql(action: &'static str) -> impl FnOnce(sqlx::Error) -> EmbeddedError {
    move |source| EmbeddedError::Sql { action, source }
}
