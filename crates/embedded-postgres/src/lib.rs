//! A private Postgres from the installed binaries, for when no database is configured: made once, on a unix
//! socket only, shared by all processes that use the same folder, stopped by the last of them.
//!
//! Two locks decide. `turn.lock`, held alone for a moment, by who starts, joins, leaves or stops. `use.lock`,
//! held shared for as long as the server is used; who leaves takes his turn, gives up his share and, if he
//! can then have the lock alone, stops the server. Locks end with their process, so a killed one blocks
//! nobody, and the server that it leaves behind is adopted by the next (or stopped by the
//! [watchdog](Options::watchdog)).
//!
//! It may use nothing of this crate but itself, reads no environment and spawns no task.

mod binaries;
mod cluster;
mod error;
mod lock;
mod place;
mod server;
mod watchdog;

pub use binaries::MINIMUM_MAJOR;
pub use cluster::{OWNER, SERVICE, SUPERUSER};
pub use error::EmbeddedError;

use lock::Lock;
use place::{PORT, Place};
use rustix::process::{Pid, Signal};
use server::State;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;
use watchdog::Watch;

/// How long another's turn is waited for: its `initdb`, its recovery, or a slow stop.
const TURN: Duration = Duration::from_secs(400);

/// How to have it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where everything is kept: cluster, socket, log, locks. Made where it is missing. It must belong to the
    /// caller, and to nothing else.
    pub folder: PathBuf,
    /// The folder that holds `postgres` and `initdb`; searched for where `None`.
    pub bin_dir: Option<PathBuf>,
    /// The value of PATH, where binaries are looked for first.
    pub path: Option<OsString>,
    /// `false` for tests: faster, and nothing in it is kept. A cluster that does not start, or fits no
    /// installed binaries, is **thrown away** and made anew.
    pub durable: bool,
    /// Whether the server is to end, within seconds, with its last user even if that one is killed. It is the
    /// business of who starts the server: users of a server that has a watchdog are watched whatever they say
    /// here, and one that is in use without does not get one.
    pub watchdog: bool,
}

/// What became of the server when one of its users left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It was the last one: the server is stopped.
    Stopped,
    /// Others use the server, so it runs on.
    InUse,
}

/// A running private Postgres, and this process' share in it.
///
/// End it with [`Embedded::leave`]. Dropped instead, it tells the server to stop if nobody else uses it, but
/// does not wait for that.
#[derive(Debug)]
pub struct Embedded {
    place: Place,
    socket: PathBuf,
    major: u32,
    used: Lock,
    watch: Option<Watch>,
    /// Where the server was started here: so that we, its parent, notice its end.
    child: Option<Child>,
    left: bool,
}

impl Embedded {
    /// Joins the server of this folder, or starts it; makes the cluster, the role and the database where they
    /// are missing.
    ///
    /// Fails, with one line that says what to do, when there are no fitting binaries, when the folder is
    /// somebody else's or (as root) out of the server's reach, or when the server does not start. Dropping
    /// the future midway leaves nothing that the next call does not mend.
    pub async fn attach_or_start(options: &Options) -> Result<Self, EmbeddedError> {
        let place = Place::prepare(&options.folder)?;
        let turn = Lock::open(&place.folder.join("turn.lock"))?;
        turn.exclusive(TURN).await?;
        let used = Lock::open(&place.folder.join("use.lock"))?;
        let alone = used.try_exclusive()?;
        // It is ours to take: only the holder of the turn ever has it alone.
        if !used.try_shared()? {
            return Err(EmbeddedError::Busy { lock: place.folder.join("use.lock"), seconds: 0 });
        }
        // Before the server is looked at: a watchdog that is just stopping it has to have done so.
        let mut watch = Watch::join(&place).await?;
        if watch.is_none() && options.watchdog && alone {
            watch = Some(Watch::start(&place).await?);
        }
        let mut embedded =
            Self { place, socket: PathBuf::new(), major: 0, used, watch, child: None, left: false };
        let up = embedded.bring_up(options).await;
        drop(turn);
        // On failure, dropping `embedded` stops what was started, unless others use it.
        up.map(|()| embedded)
    }

    async fn bring_up(&mut self, options: &Options) -> Result<(), EmbeddedError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let result = match self.have_server(options).await {
                Ok(()) => cluster::furnish(&self.socket).await,
                Err(error) => Err(error),
            };
            // A server may be going down just now (told so by a user that did not wait), or one may be coming
            // up that had not said so yet. Three times is no such accident.
            let accident = match &result {
                Err(EmbeddedError::Sql { .. }) => true,
                Err(EmbeddedError::Start { .. }) => server::look(&self.place)? != State::Absent,
                _ => false,
            };
            let accident = accident && attempts < 3;
            if !accident {
                return result;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Adopts the server that runs, or starts one.
    async fn have_server(&mut self, options: &Options) -> Result<(), EmbeddedError> {
        let running = server::settle(&self.place).await?;
        let version = self.place.cluster_version()?;
        if let (State::Ready(pid, socket), Some(major)) = (running, version) {
            tracing::debug!(pid = server::raw(pid), "joined the private Postgres");
            (self.socket, self.major) = (socket, major);
            return Ok(());
        }
        match self.start(options, version).await {
            Err(EmbeddedError::MissingVersion { .. } | EmbeddedError::Start { .. })
                if !options.durable
                    && version.is_some()
                    && matches!(server::look(&self.place)?, State::Absent) =>
            {
                let data = self.place.data();
                tracing::warn!(folder = %data.display(), "throwing away a private Postgres that does not start");
                fs::remove_dir_all(&data).map_err(error::io("remove", &data))?;
                self.start(options, None).await
            }
            result => result,
        }
    }

    async fn start(&mut self, options: &Options, version: Option<u32>) -> Result<(), EmbeddedError> {
        let data = self.place.data();
        let binaries = binaries::find(options.bin_dir.as_deref(), options.path.as_deref(), version, &data)?;
        if let Some((user, closed)) = self.place.closed_way(&binaries.folder) {
            return Err(EmbeddedError::UnreachableBinaries { user, closed });
        }
        cluster::sweep(&self.place)?;
        if version.is_none() {
            tracing::info!(folder = %data.display(), major = binaries.major, "making a private Postgres");
            cluster::initdb(&self.place, &binaries, options.durable).await?;
        }
        let (child, socket) = server::start(&self.place, &binaries, options.durable).await?;
        tracing::info!(pid = child.id(), socket = %socket.display(), "started the private Postgres");
        (self.child, self.socket, self.major) = (Some(child), socket, binaries.major);
        Ok(())
    }

    /// Gives up this process' share; the last user stops the server and waits until it is gone.
    ///
    /// Fails when the server does not stop, or another process does not end its turn. Close the connections
    /// first: those left are ended.
    pub async fn leave(mut self) -> Result<Left, EmbeddedError> {
        let turn = Lock::open(&self.place.folder.join("turn.lock"))?;
        turn.exclusive(TURN).await?;
        let Some(pid) = self.last_one_out()? else {
            return Ok(Left::InUse);
        };
        if let Some(pid) = pid {
            server::stop(&self.place, pid, self.child.as_mut()).await?;
            tracing::info!(pid = server::raw(pid), "stopped the private Postgres");
        }
        if !self.socket.starts_with(&self.place.folder) {
            // The short folder under /tmp; not ours to insist on.
            let _ = fs::remove_dir(&self.socket);
        }
        Ok(Left::Stopped)
    }

    /// Gives up our share. `None` when others have theirs; otherwise the watchdog is dismissed and the
    /// server, if there is one, is ours to stop.
    fn last_one_out(&mut self) -> Result<Option<Option<Pid>>, EmbeddedError> {
        self.left = true;
        self.watch = None;
        self.used.release();
        if !self.used.try_exclusive()? {
            return Ok(None);
        }
        watchdog::dismiss(&self.place);
        Ok(Some(match server::look(&self.place)? {
            State::Absent => None,
            State::Busy(pid) | State::Ready(pid, _) => Some(pid),
        }))
    }

    /// A URL for this user and database, as sqlx and libpq take it.
    pub fn url(&self, user: &str, database: &str) -> String {
        let (user, database) = (percent_encoded(user.as_bytes()), percent_encoded(database.as_bytes()));
        let socket = percent_encoded(self.socket.as_os_str().as_encoded_bytes());
        format!("postgres://{user}@localhost/{database}?host={socket}&port={PORT}&sslmode=disable")
    }

    /// A URL for the service: its plain role, its database.
    pub fn url_for_service(&self) -> String {
        self.url(SERVICE, SERVICE)
    }

    /// A URL for migrations: the role that owns the service's database.
    pub fn url_for_owner(&self) -> String {
        self.url(OWNER, SERVICE)
    }

    /// The folder of the socket.
    pub fn socket_dir(&self) -> &Path {
        &self.socket
    }

    /// The server's log, for messages to people.
    pub fn log(&self) -> PathBuf {
        self.place.log()
    }

    /// The server's major version, such as 15.
    pub fn version(&self) -> u32 {
        self.major
    }

    /// Whether this process started the server, rather than joined one.
    pub fn was_started_here(&self) -> bool {
        self.child.is_some()
    }

    /// The process id of the server's first process, while it takes connections. Tests kill it.
    pub fn postmaster(&self) -> Option<i32> {
        match server::look(&self.place) {
            Ok(State::Ready(pid, _)) => Some(server::raw(pid)),
            _ => None,
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        // Best effort: whatever fails here leaves the server to the next user.
        let Ok(turn) = Lock::open(&self.place.folder.join("turn.lock")) else {
            return;
        };
        if turn.try_exclusive().unwrap_or(false)
            && let Ok(Some(Some(pid))) = self.last_one_out()
        {
            server::signal_to(&self.place, pid, Signal::INT);
        }
    }
}

/// Everything but letters, digits, `-`, `.`, `_` as `%XX`.
fn percent_encoded(bytes: &[u8]) -> String {
    let encode = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(*byte).to_string(),
        other => format!("%{other:02X}"),
    };
    bytes.iter().map(encode).collect()
}
