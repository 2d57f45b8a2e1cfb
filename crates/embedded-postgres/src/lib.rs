//! A private Postgres, run from the installed binaries when no database is configured. It listens on a unix socket
//! only. All processes with the same folder share the server, and the last of them stops it.
//!
//! Two file locks coordinate the processes:
//!
//! - `turn.lock` is held exclusively and briefly, while a process starts, joins, leaves or stops the server.
//! - `use.lock` is held shared while a process uses the server. A leaving process takes `turn.lock`, releases its share
//!   and tries to lock `use.lock` exclusively. If that succeeds, it was the last user and stops the server.
//!
//! The kernel releases the locks of a killed process, so it blocks nobody. The next process adopts the server that it
//! leaves behind, or the [watchdog](Options::watchdog) stops it.
//!
//! This crate uses no other part of the registry, reads no environment and spawns no task.

mod binaries;
mod cluster;
mod condition;
mod error;
mod layout;
mod lock;
mod server;
mod watchdog;

pub use binaries::MINIMUM_MAJOR;
pub use cluster::{OWNER, SERVICE, SUPERUSER};
pub use condition::Condition;
pub use error::EmbeddedError;

use layout::{Layout, PORT};
use lock::Lock;
use rustix::process::{Pid, Signal};
use server::State;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;
use watchdog::WatchdogHandle;

/// The time limit for acquiring `turn.lock`. Its holder may be running `initdb`, a recovery or a slow stop.
const TURN: Duration = Duration::from_secs(400);

/// Options of the private Postgres.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of the cluster, the socket, the log and the locks. Created if missing. It must belong to the
    /// caller, and be used for nothing else.
    pub folder: PathBuf,
    /// The folder with `postgres` and `initdb`. `None` searches `path` and the usual places.
    pub bin_dir: Option<PathBuf>,
    /// The value of PATH, which is searched first for the binaries.
    pub path: Option<OsString>,
    /// `false` is for tests: faster, without `fsync`. A cluster that doesn't start, or whose version isn't
    /// installed, is then **deleted** and created again.
    pub durable: bool,
    /// Whether the server stops within seconds after its last user ends, even if that user is killed. Only the process
    /// that starts the server decides: a process that joins is watched if and only if the server has a watchdog.
    pub watchdog: bool,
}

/// The state of the server after a user has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterLeave {
    /// That was the last user: the server is stopped.
    Stopped,
    /// The server keeps running for other users.
    InUse,
}

/// A running private Postgres, and this process' share of its lock.
///
/// Call [`Embedded::leave`] to end it. Dropping it signals the server to stop if nobody else uses it, but doesn't wait.
#[derive(Debug)]
pub struct Embedded {
    layout: Layout,
    socket: PathBuf,
    major: u32,
    /// The postmaster when this process joined or started it, and the cluster's system identifier.
    server: Option<Pid>,
    identifier: Option<u64>,
    /// Whether a missing cluster may be created.
    may_create: bool,
    used: Lock,
    watch: Option<WatchdogHandle>,
    /// The server process, if this process started it. A parent must reap its child to notice its end.
    child: Option<Child>,
    left: bool,
}

impl Embedded {
    /// Joins the server of this folder, or starts it. Creates the cluster, the roles and the database if they are
    /// missing.
    ///
    /// Fails, with one line that says what to do, when no suitable binaries are installed, when the folder belongs to
    /// another user or (as root) can't be entered by the server's user, or when the server doesn't start. If the future
    /// is dropped midway, the next call repairs what it left behind.
    pub async fn attach_or_start(options: &Options) -> Result<Self, EmbeddedError> {
        Self::attach_or_start_in(Layout::prepare(&options.folder)?, options, true).await
    }

    /// Does the same in a prepared folder. `may_create` is whether a missing cluster may be created.
    async fn attach_or_start_in(
        layout: Layout,
        options: &Options,
        may_create: bool,
    ) -> Result<Self, EmbeddedError> {
        let turn = Lock::open(&layout.folder.join("turn.lock"))?;
        turn.exclusive(TURN).await?;
        let used = Lock::open(&layout.folder.join("use.lock"))?;
        let alone = used.try_exclusive()?;
        // This succeeds: only the holder of `turn.lock` ever locks `use.lock` exclusively.
        if !used.try_shared()? {
            return Err(EmbeddedError::Busy { lock: layout.folder.join("use.lock"), seconds: 0 });
        }
        // The watchdog comes before the server: if it is just stopping the server, `join` waits until that is done.
        let mut watch = WatchdogHandle::join(&layout).await?;
        if watch.is_none() && options.watchdog && alone {
            watch = Some(WatchdogHandle::start(&layout).await?);
        }
        let mut embedded = Self {
            layout,
            socket: PathBuf::new(),
            major: 0,
            server: None,
            identifier: None,
            may_create,
            used,
            watch,
            child: None,
            left: false,
        };
        let up = embedded.bring_up(options).await;
        drop(turn);
        // On failure, dropping `embedded` stops what was started, unless others use it.
        up.map(|()| embedded)
    }

    async fn bring_up(&mut self, options: &Options) -> Result<(), EmbeddedError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let result = match self.ensure_server(options).await {
                Ok(()) => {
                    self.identifier = self.layout.identifier()?;
                    cluster::create_roles_and_database(&self.socket).await
                }
                Err(error) => Err(error),
            };
            // The server may be shutting down (signalled by a process that dropped its handle) or starting up without a
            // status yet. Such a race is retried; the third failure counts as an error.
            let accident = match &result {
                Err(EmbeddedError::Sql { .. }) => true,
                Err(EmbeddedError::Start { .. }) => server::read_state(&self.layout)? != State::Absent,
                _ => false,
            };
            let accident = accident && attempts < 3;
            if !accident {
                return result;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Adopts the running server, or starts one.
    async fn ensure_server(&mut self, options: &Options) -> Result<(), EmbeddedError> {
        let running = server::wait_until_settled(&self.layout).await?;
        let version = self.layout.cluster_version()?;
        if let (State::Ready(pid, socket), Some(major)) = (running, version) {
            tracing::debug!(pid = server::raw(pid), "joined the private PostgreSQL");
            (self.socket, self.major, self.server) = (socket, major, Some(pid));
            return Ok(());
        }
        match self.start(options, version).await {
            Err(EmbeddedError::MissingVersion { .. } | EmbeddedError::Start { .. })
                if !options.durable
                    && self.may_create
                    && version.is_some()
                    && matches!(server::read_state(&self.layout)?, State::Absent) =>
            {
                let data = self.layout.data();
                tracing::warn!(folder = %data.display(), "deleting a private PostgreSQL cluster that doesn't start");
                fs::remove_dir_all(&data).map_err(error::io("remove", &data))?;
                self.start(options, None).await
            }
            result => result,
        }
    }

    async fn start(&mut self, options: &Options, version: Option<u32>) -> Result<(), EmbeddedError> {
        let data = self.layout.data();
        let binaries = binaries::find(options.bin_dir.as_deref(), options.path.as_deref(), version, &data)?;
        if let Some((user, closed)) = self.layout.first_inaccessible_folder(&binaries.folder) {
            return Err(EmbeddedError::UnreachableBinaries { user, closed });
        }
        server::expect_no_orphan(&self.layout).await?;
        let was_there = options.durable && self.layout.log().exists();
        if version.is_none() && (was_there || !self.may_create) {
            return Err(EmbeddedError::Gone { data, evidence: self.layout.log() });
        }
        cluster::remove_leftovers(&self.layout)?;
        if version.is_none() {
            tracing::info!(folder = %data.display(), major = binaries.major, "creating a private PostgreSQL cluster");
            cluster::initdb(&self.layout, &binaries, options.durable).await?;
        }
        let (child, socket) = server::start(&self.layout, &binaries, options.durable).await?;
        tracing::info!(pid = child.id(), socket = %socket.display(), "started the private PostgreSQL");
        self.server = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        (self.child, self.socket, self.major) = (Some(child), socket, binaries.major);
        Ok(())
    }

    /// Releases this process' share. The last user stops the server and waits for its end. Close connections first: the
    /// stop terminates them.
    ///
    /// Fails when the server doesn't stop, or when another process doesn't release `turn.lock` in time.
    pub async fn leave(mut self) -> Result<AfterLeave, EmbeddedError> {
        if self.condition()?.is_lost() {
            return self.leave_lost().await;
        }
        let turn = Lock::open(&self.layout.folder.join("turn.lock"))?;
        turn.exclusive(TURN).await?;
        let Some(pid) = self.release_share()? else {
            return Ok(AfterLeave::InUse);
        };
        if let Some(pid) = pid {
            server::stop(&self.layout, pid, self.child.as_mut()).await?;
            tracing::info!(pid = server::raw(pid), "stopped the private PostgreSQL");
        }
        if !self.socket.starts_with(&self.layout.folder) {
            // The short socket folder under /tmp. Failing to remove it does no harm.
            let _ = fs::remove_dir(&self.socket);
        }
        Ok(AfterLeave::Stopped)
    }

    /// Releases this process' share. Returns `None` when others use the server. Otherwise dismisses the watchdog and
    /// returns the process id of the server to stop, if one runs.
    fn release_share(&mut self) -> Result<Option<Option<Pid>>, EmbeddedError> {
        self.left = true;
        self.watch = None;
        self.used.release();
        if !self.used.try_exclusive()? {
            return Ok(None);
        }
        watchdog::dismiss(&self.layout);
        Ok(Some(match server::read_state(&self.layout)? {
            State::Absent => None,
            State::Busy(pid) | State::Ready(pid, _) => Some(pid),
        }))
    }

    /// Returns a connection URL for this user and database, for sqlx and libpq.
    pub fn url(&self, user: &str, database: &str) -> String {
        let (user, database) = (percent_encoded(user.as_bytes()), percent_encoded(database.as_bytes()));
        let socket = percent_encoded(self.socket.as_os_str().as_encoded_bytes());
        format!("postgres://{user}@localhost/{database}?host={socket}&port={PORT}&sslmode=disable")
    }

    /// Returns the connection URL for the service, with its unprivileged role.
    pub fn url_for_service(&self) -> String {
        self.url(SERVICE, SERVICE)
    }

    /// Returns the connection URL for migrations, with the role that owns the database.
    pub fn url_for_owner(&self) -> String {
        self.url(OWNER, SERVICE)
    }

    /// Returns the folder of the socket.
    pub fn socket_dir(&self) -> &Path {
        &self.socket
    }

    /// Returns the path of the server's log.
    pub fn log(&self) -> PathBuf {
        self.layout.log()
    }

    /// Returns the server's major version, such as 15.
    pub fn version(&self) -> u32 {
        self.major
    }

    /// Whether this process started the server. False if it joined a running one.
    pub fn was_started_here(&self) -> bool {
        self.child.is_some()
    }

    /// Returns the process id of the postmaster while it accepts connections. Tests kill it.
    pub fn postmaster(&self) -> Option<i32> {
        match server::read_state(&self.layout) {
            Ok(State::Ready(pid, _)) => Some(server::raw(pid)),
            _ => None,
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        let is_lost = self.identifier.is_some() && self.condition().is_ok_and(Condition::is_lost);
        if self.left || is_lost {
            return;
        }
        // Best effort: if this fails, the next user adopts the server.
        let Ok(turn) = Lock::open(&self.layout.folder.join("turn.lock")) else {
            return;
        };
        if turn.try_exclusive().unwrap_or(false)
            && let Ok(Some(Some(pid))) = self.release_share()
        {
            server::signal_to(&self.layout, pid, Signal::INT);
        }
    }
}

/// Encodes all bytes but letters, digits, `-`, `.` and `_` as `%XX`.
fn percent_encoded(bytes: &[u8]) -> String {
    let encode = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(*byte).to_string(),
        other => format!("%{other:02X}"),
    };
    bytes.iter().map(encode).collect()
}
