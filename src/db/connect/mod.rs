//! Opens connections: to the first of several servers that can serve, with the password that its file has now, and with
//! the session's settings verified.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use sea_orm::{DbErr, RuntimeErr, error::ConnAcquireErr};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

mod failure;
mod session;
mod url;

pub use failure::ConnectFailure;
pub(super) use session::SessionSettings;
pub use url::{DatabaseUrl, UrlError};

use super::ACQUIRE_TIMEOUT;

/// The idle time after which a connection is pinged before it is used.
const PING_AFTER_IDLE: Duration = Duration::from_secs(30);
/// The time limit of one of several servers, before the next one is tried.
const SERVER_TIMEOUT: Duration = Duration::from_millis(1_500);
/// The pause after all servers were tried.
const ROUND_PAUSE: Duration = Duration::from_millis(100);
/// The time limit of a probe.
pub(super) const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// The SQLSTATEs of a wrong password, and of a pooler that doesn't know a startup parameter.
const WRONG_PASSWORD: &str = "28P01";
const PROTOCOL_VIOLATION: &str = "08P01";

/// Why a server that accepts connections can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerRefusal {
    /// The server is a replica.
    #[error("the database server is a replica, or was demoted: it is in recovery, and accepts no writes")]
    Replica,
    /// A session setting can't be set.
    #[error(
        "the session setting {name} isn't {wanted:?}, and stays so: a connection pooler drops it. Use session pooling, or \
         connect to Postgres directly"
    )]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value in a session that can be used.
        wanted: &'static str,
    },
    /// Sessions of a pooler share their connections to the server.
    #[error(
        "the connection pooler pools transactions or statements: settings, prepared statements, LISTEN and locks of a session \
         would reach another one. Use session pooling (pool_mode = session), or connect to Postgres directly"
    )]
    Pooling,
}

impl ServerRefusal {
    /// Returns the refusal that an error carries.
    pub(super) fn of(err: &sqlx::Error) -> Option<&Self> {
        match err {
            sqlx::Error::Configuration(err) => err.downcast_ref(),
            _ => None,
        }
    }
}

impl From<ServerRefusal> for sqlx::Error {
    fn from(refusal: ServerRefusal) -> Self {
        Self::Configuration(Box::new(refusal))
    }
}

/// Opens connections with the settings of one kind of session. Clones share what was learnt.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    url: DatabaseUrl,
    session: SessionSettings,
    /// The server that was used last, by its place in the URL.
    server: Arc<AtomicUsize>,
    /// Whether the settings are sent with the startup message. Some poolers refuse them there.
    sends_options: Arc<AtomicBool>,
}

impl Connector {
    /// Makes a connector.
    ///
    /// # Errors
    /// [`UrlError`] when the URL is malformed.
    pub(super) fn new(url: DatabaseUrl, session: SessionSettings) -> Result<Self, UrlError> {
        url.check()?;
        Ok(Self { url, session, server: Arc::default(), sends_options: Arc::new(AtomicBool::new(true)) })
    }

    /// Opens a connection, as a pool of one. While the server starts, or accepts no further connections, tries for up to
    /// [`ACQUIRE_TIMEOUT`]. Dropping the future abandons the attempt.
    ///
    /// # Errors
    /// [`sqlx::Error`] of the attempt.
    pub(super) async fn open(&self) -> Result<PgPool, sqlx::Error> {
        let version = self.url.version();
        match self.open_any().await {
            Err(err) if has_code(&err, WRONG_PASSWORD) && self.url.changes_since(version) => {
                self.open_any().await
            }
            opened => opened,
        }
    }

    async fn open_any(&self) -> Result<PgPool, sqlx::Error> {
        let (servers, deadline) = (self.servers()?, Instant::now() + ACQUIRE_TIMEOUT);
        if let [only] = servers.as_slice() {
            return self.open_server(only, ACQUIRE_TIMEOUT).await;
        }
        loop {
            let mut last = sqlx::Error::PoolTimedOut;
            for (place, server) in self.in_order(&servers) {
                // sqlx would wait for a server that refuses connections.
                let opened = match answers(server).await {
                    Ok(()) => self.open_server(server, SERVER_TIMEOUT).await,
                    Err(err) => Err(err),
                };
                match opened {
                    Ok(opened) => {
                        self.server.store(place, Ordering::Relaxed);
                        return Ok(opened);
                    }
                    Err(err) => last = more_telling(last, err),
                }
            }
            if Instant::now() + ROUND_PAUSE >= deadline || !ConnectFailure::from(&last).is_transient() {
                return Err(last);
            }
            sleep(ROUND_PAUSE).await;
        }
    }

    /// Returns the servers with their places in the URL, the last used one first.
    fn in_order<'s>(
        &self,
        servers: &'s [PgConnectOptions],
    ) -> impl Iterator<Item = (usize, &'s PgConnectOptions)> + use<'s> {
        let first = self.server.load(Ordering::Relaxed);
        servers.iter().enumerate().cycle().skip(first).take(servers.len())
    }

    async fn open_server(&self, server: &PgConnectOptions, limit: Duration) -> Result<PgPool, sqlx::Error> {
        let opened = timeout(limit + PROBE_TIMEOUT, self.open_verified(server, limit)).await;
        opened.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    async fn open_verified(&self, server: &PgConnectOptions, limit: Duration) -> Result<PgPool, sqlx::Error> {
        let mut one = self.pool_of_one(server, limit);
        let mut connection = match one.acquire().await {
            Err(err) if self.learns_to_send_no_options(&err) => {
                one = self.pool_of_one(server, limit);
                one.acquire().await?
            }
            acquired => acquired?,
        };
        match self.session.verify(&mut connection).await {
            Ok(()) => {
                drop(connection);
                Ok(one)
            }
            Err(err) => {
                // The connection isn't used again, so nobody waits for its end.
                drop(connection.detach());
                Err(err)
            }
        }
    }

    /// Opens a connection that belongs to no pool.
    ///
    /// # Errors
    /// [`sqlx::Error`] of the attempt.
    pub(super) async fn open_single(&self) -> Result<PgConnection, sqlx::Error> {
        let version = self.url.version();
        match self.try_single().await {
            Err(err) if has_code(&err, WRONG_PASSWORD) && self.url.changes_since(version) => {
                self.try_single().await
            }
            opened => opened,
        }
    }

    /// Tries each server once.
    async fn try_single(&self) -> Result<PgConnection, sqlx::Error> {
        let (servers, mut last) = (self.servers()?, sqlx::Error::PoolTimedOut);
        let limit = if servers.len() == 1 { ACQUIRE_TIMEOUT } else { SERVER_TIMEOUT };
        for (_, server) in self.in_order(&servers) {
            match timeout(limit, self.single_at(server)).await {
                Ok(Ok(opened)) => return Ok(opened),
                Ok(Err(err)) => last = more_telling(last, err),
                Err(_) => last = more_telling(last, sqlx::Error::PoolTimedOut),
            }
        }
        Err(last)
    }

    async fn single_at(&self, server: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
        let mut connection = match PgConnection::connect_with(&self.options(server)).await {
            Err(err) if self.learns_to_send_no_options(&err) => {
                PgConnection::connect_with(&self.options(server)).await?
            }
            connected => connected?,
        };
        self.session.verify(&mut connection).await?;
        Ok(connection)
    }

    /// Opens a connection once and closes it again, to learn why none can be opened. sqlx's own attempts report only a
    /// timeout.
    ///
    /// # Errors
    /// [`sqlx::Error`] of the attempt.
    pub(super) async fn probe(&self) -> Result<(), sqlx::Error> {
        let opened = timeout(PROBE_TIMEOUT, self.open_single()).await;
        opened.map_err(|_| sqlx::Error::PoolTimedOut)??.close().await
    }

    /// Makes a pool of one connection. If sqlx replaces the connection, it verifies the new one too.
    fn pool_of_one(&self, server: &PgConnectOptions, limit: Duration) -> PgPool {
        let (session, is_first) = (self.session.clone(), AtomicBool::new(true));
        PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(limit)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                async move {
                    if meta.idle_for > PING_AFTER_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                }
                .boxed()
            })
            .after_connect(move |connection, _| {
                // The first connection is verified by the caller, because sqlx hides the error of this function.
                let session = (!is_first.swap(false, Ordering::Relaxed)).then(|| session.clone());
                async move {
                    match session {
                        Some(session) => session.verify(connection).await,
                        None => Ok(()),
                    }
                }
                .boxed()
            })
            .connect_lazy_with(self.options(server))
    }

    fn servers(&self) -> Result<Vec<PgConnectOptions>, sqlx::Error> {
        self.url.servers().map_err(sqlx::Error::config)
    }

    fn options(&self, server: &PgConnectOptions) -> PgConnectOptions {
        // Poolers refuse `extra_float_digits`, whose default is right for every supported server.
        let options = server.clone().application_name("agent-registry").extra_float_digits(None);
        let options = options.disable_statement_logging();
        if self.sends_options.load(Ordering::Relaxed) {
            options.options(self.session.options())
        } else {
            options
        }
    }

    /// Whether a pooler refused the options of the startup message, for the first time. They are set by statements then.
    fn learns_to_send_no_options(&self, err: &sqlx::Error) -> bool {
        has_code(err, PROTOCOL_VIOLATION)
            && err.to_string().contains("startup parameter")
            && self.sends_options.swap(false, Ordering::Relaxed)
    }
}

/// Checks that a server accepts connections at its address.
async fn answers(server: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let host = server.get_host().trim_matches(['[', ']']);
    if server.get_socket().is_some() || host.starts_with('/') {
        return Ok(());
    }
    match timeout(SERVER_TIMEOUT, TcpStream::connect((host, server.get_port()))).await {
        Ok(connected) => Ok(connected.map(drop)?),
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

/// Returns the error of a server that answered, rather than that of a silent one.
fn more_telling(one: sqlx::Error, other: sqlx::Error) -> sqlx::Error {
    let is_silent = |err: &sqlx::Error| ConnectFailure::from(err) == ConnectFailure::Unreachable;
    let is_worse = is_silent(&other) && !matches!(one, sqlx::Error::PoolTimedOut);
    if is_worse { one } else { other }
}

fn has_code(err: &sqlx::Error, code: &str) -> bool {
    err.as_database_error().is_some_and(|err| err.code().as_deref() == Some(code))
}

/// Converts an error of opening a connection.
pub(super) fn to_db_err(err: sqlx::Error) -> DbErr {
    match err {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        // A refusal of the server, or a malformed URL. sqlx would call both an error "with configuration".
        sqlx::Error::Configuration(err) => DbErr::Conn(RuntimeErr::Internal(err.to_string())),
        other => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(other))),
    }
}
