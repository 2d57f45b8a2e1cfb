//! The composition root: builds the parts, wires them, and ends them in order.

use std::{
    fs::Permissions, future::Future, io, net::SocketAddr, os::unix::fs::PermissionsExt, path::PathBuf,
    sync::Arc, time::Duration,
};

use embedded_postgres::EmbeddedError;
use tokio::{net::TcpListener, sync::Notify};

use crate::{
    clock::Clock,
    config::Common,
    db::{ConnectError, Db, listen::Listener},
    domain::{
        Registry,
        auth::{Issuer, jwks::JwksError, jwt::KeyError},
    },
    feed::{self, Hub},
    graphql::{Api, SchemaError, TrustedDocuments},
    http::{
        self, Description, Door, Excerpts, Hand, Hosts, Limiter, LineLimits, Origins, SocketLimits, Sockets,
        Tls, TrustedProxies,
    },
    task::Tasks,
    telemetry,
};

mod database;
mod setting;

pub use database::Database;
pub use setting::{Checked, issuer, signing_key};

/// How long requests and sockets may take to end after the service was asked to stop.
const DRAIN: Duration = Duration::from_secs(8);
/// How long the connections to the database may take to be closed after that.
const CLOSE: Duration = Duration::from_secs(1);
/// The connections of what follows the log.
const BESIDE_CONNECTIONS: u32 = 2;
/// How long one of them may be silent: they read little, four times a second.
const BESIDE_SILENCE: Duration = Duration::from_secs(3);
/// The connections of a command that serves nobody.
const COMMAND_CONNECTIONS: u32 = 4;

/// The program can't go on.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is missing or wrong.
    #[error("{0}")]
    Setting(String),
    /// The private Postgres can't be used.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The database can't be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The database can't be brought to its shape.
    #[error("can't migrate the database: {0}")]
    Migrate(String),
    /// The signing key can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The keys of the outside issuer can't be used.
    #[error(transparent)]
    Jwks(#[from] JwksError),
    /// The address can't be listened on.
    #[error("can't listen on {0}: {1}")]
    Listen(SocketAddr, String),
    /// The schema is not valid: a fault of ours.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The data folder can't be made.
    #[error("can't use the data folder {0}: {1}")]
    Folder(String, String),
}

/// The data folder, made if it was not there.
///
/// # Errors
/// [`StartError`] when it can't be.
pub fn data_dir(common: &Common) -> Result<PathBuf, StartError> {
    let folder = common.data_dir().map_err(StartError::Setting)?;
    let fail = |err: io::Error| StartError::Folder(folder.display().to_string(), err.to_string());
    if !folder.exists() {
        std::fs::create_dir_all(&folder).map_err(fail)?;
        // Others may pass through, whatever the umask: root's private Postgres runs as another user.
        std::fs::set_permissions(&folder, Permissions::from_mode(0o711)).map_err(fail)?;
    }
    std::path::absolute(&folder).map_err(fail)
}

/// The verbs, for a command that serves nobody.
#[derive(Debug)]
pub struct Workshop {
    /// All verbs.
    pub registry: Registry,
    database: Database,
    db: Db,
    tasks: Tasks,
}

impl Workshop {
    /// Opens the database, brings it to its shape and reads the signing key.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open(common: &Common) -> Result<Self, StartError> {
        let issuer = issuer(common).await?;
        let database = Database::open(common).await?;
        database.migrate().await?;
        let tasks = Tasks::default();
        let db = Db::connect(&database.url, COMMAND_CONNECTIONS, tasks.clone()).await?;
        let registry = Registry::new(db.clone(), Clock::default(), issuer);
        Ok(Self { registry, database, db, tasks })
    }

    /// Ends it in order.
    pub async fn close(self) {
        self.tasks.ended(DRAIN).await;
        self.db.close().await;
        self.database.leave().await;
    }
}

/// What a service is made of.
#[derive(Debug)]
pub struct Settings {
    /// The database, as a plain role.
    pub database_url: String,
    /// The most connections to it that requests share.
    pub connections: u32,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Who vouches for users.
    pub issuer: Issuer,
    /// The service's time.
    pub clock: Clock,
    /// How many sockets, and how patient they are.
    pub sockets: SocketLimits,
    /// How many connections, and how patient they are.
    pub lines: LineLimits,
    /// The certificate, where connections are encrypted.
    pub tls: Option<Tls>,
    /// How often its files are looked at.
    pub tls_look: Duration,
    /// Whose pages may ask, besides the service's own.
    pub origins: Origins,
    /// Which hosts are answered for.
    pub hosts: Hosts,
    /// How many credentials from one address may be refused a minute.
    pub refusals_per_minute: u32,
    /// Who is believed when it says whom it asks for.
    pub proxies: TrustedProxies,
    /// For how long the log is kept; for ever when none.
    pub retention: Option<Duration>,
    /// How many bytes of active configurations are kept in memory, about.
    pub config_memory: usize,
    /// The documents that may be run; any when none.
    pub trusted_documents: Option<TrustedDocuments>,
    /// For tests: leave it to row-level security alone to keep customers apart.
    pub is_row_level_security_only: bool,
    /// How long to wait for the bell before looking at the log anyway.
    pub poll: Duration,
}

/// A service that listens.
pub struct Service {
    address: SocketAddr,
    listener: TcpListener,
    door: Door,
    lines: LineLimits,
    tls: Option<Tls>,
    pools: [Db; 2],
    tasks: Tasks,
}

impl Service {
    /// Builds a service on a database that has its shape, and begins to listen and to follow the log.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let Settings {
            database_url,
            connections,
            listen,
            issuer,
            clock,
            sockets,
            lines,
            tls,
            tls_look,
            origins,
            hosts,
            refusals_per_minute,
            proxies,
            retention,
            config_memory,
            trusted_documents,
            is_row_level_security_only,
            poll,
        } = settings;
        let recorder = telemetry::metrics().map(Arc::new);
        let tasks = Tasks::default();
        if let Some(recorder) = &recorder {
            tasks.beside(telemetry::upkeep(Arc::clone(recorder)));
        }
        let mut db = Db::connect(&database_url, connections, tasks.clone()).await?;
        if is_row_level_security_only {
            db = db.behind_the_second_wall_alone();
        }
        if let Issuer::Outside(outside) = &issuer {
            tasks.beside(outside.clone().keep_fresh(clock.clone()));
        }
        // The log is followed on connections of its own: requests that hold all others must not make watchers wait.
        let beside = Db::connect(&database_url, BESIDE_CONNECTIONS, tasks.clone()).await?;
        let beside = beside.impatient(BESIDE_SILENCE);
        let registry = Registry::new(db.clone(), clock.clone(), issuer.clone());
        let follower = Registry::new(beside.clone(), clock.clone(), issuer);
        if let Some(retention) = retention {
            tasks.beside(feed::keep(follower.clone(), retention));
        }
        tasks.beside(feed::forget_keys(follower.clone()));
        if let Some(tls) = &tls {
            tasks.beside(tls.clone().keep_fresh(tls_look));
        }
        let limiter = Limiter::new(clock.clone(), refusals_per_minute);
        let bell = Arc::new(Notify::new());
        let hub = Hub::new(registry.clone(), tasks.clone(), http::render, config_memory, Arc::clone(&bell));
        tasks.beside(feed::hear(Listener::new(&database_url, clock), Arc::clone(&bell)));
        tasks.beside(feed::follow(follower, hub.clone(), bell, poll));
        hub.warm().await;
        let busy = |err: io::Error| StartError::Listen(listen, err.to_string());
        let listener = TcpListener::bind(listen).await.map_err(busy)?;
        let address = listener.local_addr().map_err(busy)?;
        let api = Api::new(registry.clone(), hub.clone(), trusted_documents)?;
        let door = Door::new(Hand {
            api,
            registry,
            hub,
            tasks: tasks.clone(),
            sockets: Sockets::new(sockets),
            excerpts: Excerpts::default(),
            limiter,
            proxies,
            origins,
            description: Description::new(hosts.public_url()),
            hosts,
            metrics: recorder,
        });
        Ok(Self { address, listener, door, lines, tls, pools: [db, beside], tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address that all its paths begin with, for who reaches it directly.
    #[must_use]
    pub fn base(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The verbs behind it.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.door.registry
    }

    /// What its handlers have at hand.
    #[must_use]
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// Serves until `stop` resolves, then ends in order: no new connections, what runs finishes, sockets are told to
    /// come back, within ten seconds.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) {
        let Self { address: _, listener, door, lines, tls, pools, tasks } = self;
        let stopped = async {
            stop.await;
            tracing::info!("stopping");
            tasks.stop();
        };
        let serve = http::serve(listener, door, lines, tls);
        let ((), ()) = tokio::join!(serve, stopped);
        if !tasks.ended(DRAIN).await {
            tracing::warn!("some requests did not end in time");
        }
        // A pool waits for its connections, and one whose statement hangs comes back when Postgres ends that.
        let closed = async {
            for pool in pools {
                pool.close().await;
            }
        };
        let _ = tokio::time::timeout(CLOSE, closed).await;
    }
}

/// What REST can do, as OpenAPI 3.1 in JSON.
#[must_use]
pub fn openapi() -> String {
    http::openapi_text(None)
}

/// The GraphQL schema in its own language.
#[must_use]
pub fn sdl() -> String {
    crate::graphql::sdl()
}
