//! What can go wrong with the private Postgres, each as one line that says what to do.
//! It may not print a source's text itself: whoever prints the chain does.

use std::path::{Path, PathBuf};

/// Why the private Postgres is not to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// No binaries anywhere.
    #[error(
        "no Postgres {minimum} or newer is installed here: install it \
         (Debian, Ubuntu: `apt-get install postgresql`; macOS: `brew install postgresql@17`), \
         name its bin folder in POSTGRES_BIN, or set DATABASE_URL"
    )]
    NoBinaries {
        /// The oldest major version that will do.
        minimum: u32,
    },
    /// Binaries, but only of versions that are too old.
    #[error(
        "{} is Postgres {major}, and {minimum} or newer is needed: install a newer one, name its bin \
         folder in POSTGRES_BIN, or set DATABASE_URL",
        folder.display()
    )]
    TooOld {
        /// The newest that was found.
        folder: PathBuf,
        /// Its major version.
        major: u32,
        /// The oldest major version that will do.
        minimum: u32,
    },
    /// The bin folder of the settings does not hold what it should.
    #[error(
        "{} does not hold runnable `postgres` and `initdb`: POSTGRES_BIN is to name the bin folder of an \
         installation",
        folder.display()
    )]
    BadBinFolder {
        /// The folder named.
        folder: PathBuf,
    },
    /// The cluster was made by a version that is not installed.
    #[error(
        "{} was made by Postgres {needed}, whose binaries are missing (found: {found}): install them \
         (Debian, Ubuntu: `apt-get install postgresql-{needed}`; \
         macOS: `brew install postgresql@{needed}`) or choose another DATA_DIR",
        folder.display()
    )]
    MissingVersion {
        /// The cluster's folder.
        folder: PathBuf,
        /// What its PG_VERSION says.
        needed: u32,
        /// The major versions that are there, or "none".
        found: String,
    },
    /// A folder where the cluster should be, which is none.
    #[error(
        "{} is in the way: it is not a Postgres cluster (it has no readable PG_VERSION); move it away or \
         choose another DATA_DIR",
        folder.display()
    )]
    NotACluster {
        /// The folder.
        folder: PathBuf,
    },
    /// Running as root, and the user that runs Postgres cannot get there.
    #[error(
        "Postgres does not run as root and user `{user}`, who runs it instead, cannot enter {}: choose \
         another DATA_DIR than {}",
        closed.display(), folder.display()
    )]
    Unreachable {
        /// The user that would run Postgres.
        user: String,
        /// The folder on the way that is closed to that user.
        closed: PathBuf,
        /// Where it should have got.
        folder: PathBuf,
    },
    /// Running as root, and the binaries are closed to the user that would run them.
    #[error(
        "Postgres does not run as root and user `{user}`, who runs it instead, cannot enter {}, where its \
         binaries are: name another folder in POSTGRES_BIN",
        closed.display()
    )]
    UnreachableBinaries {
        /// The user that would run Postgres.
        user: String,
        /// The folder on the way that is closed to that user.
        closed: PathBuf,
    },
    /// Running as root on a machine with neither `postgres` nor `nobody`.
    #[error(
        "Postgres does not run as root, and there is no user `postgres` or `nobody` to run it as: start \
         this as a plain user"
    )]
    NoPlainUser,
    /// The folder is somebody else's, or others may write to it.
    #[error("{} {problem}: run as its owner or choose another DATA_DIR", folder.display())]
    NotOurs {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Another process has been starting or stopping the server for too long.
    #[error(
        "another process has been starting or stopping the private Postgres for {seconds} s (it holds {}): \
         look at it, or try again",
        lock.display()
    )]
    Busy {
        /// The lock that it holds.
        lock: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// `initdb` failed.
    #[error("initdb could not make a cluster in {}: {said}", folder.display())]
    Initdb {
        /// Where the cluster was to be.
        folder: PathBuf,
        /// The end of what it said.
        said: String,
    },
    /// The server ended, or never was ready.
    #[error("the private Postgres did not start ({problem}); its log {} ends: {tail}", log.display())]
    Start {
        /// What was seen of it.
        problem: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// The server would not end.
    #[error("the private Postgres (process {pid}) does not stop: stop it by hand")]
    Stop {
        /// The postmaster.
        pid: i32,
    },
    /// The watchdog did not come up.
    #[error("the private Postgres' watchdog did not start: are `sh` and `mkfifo` in /usr/bin or /bin?")]
    Watchdog,
    /// A file or folder refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was to be done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The server runs, and a statement failed.
    #[error("cannot {action} in the private Postgres")]
    Sql {
        /// What was to be done.
        action: &'static str,
        /// What the server or the driver says.
        source: sqlx::Error,
    },
}

/// For `map_err`: an [`EmbeddedError::Io`] that says what was to be done to which file.
pub(super) fn io<E: Into<std::io::Error>>(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(E) -> EmbeddedError {
    move |source| EmbeddedError::Io { action, path: path.to_owned(), source: source.into() }
}

/// For `map_err`: an [`EmbeddedError::Sql`] that says what was to be done.
pub(super) fn sql(action: &'static str) -> impl FnOnce(sqlx::Error) -> EmbeddedError {
    move |source| EmbeddedError::Sql { action, source }
}
