//! The composition root: builds the service's parts, wires them, and shuts them down in order.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use embedded_postgres::EmbeddedError;
use tokio::{net::TcpListener, sync::Notify};

use crate::{
    clock::Clock,
    config::Common,
    db::{ConnectError, DatabaseUrl, Db, MigrateError, listen::Listener},
    domain::{
        Registry,
        auth::{Issuer, jwks::JwksError, jwt::KeyError},
    },
    feed::{self, Hub, Outage},
    graphql::{Api, SchemaError, TrustedDocuments},
    http::{
        self, AppParts, AppState, ConnectionLimits, Description, Hosts, Limiter, Origins, SocketLimits,
        Sockets, StreamPermits, Tls, TrustedProxies,
    },
    share::MemoryBudget,
    task::Tasks,
    telemetry,
};

mod data_folder;
mod database;
mod identity;
mod validation;

pub use crate::http::BoundAddress;
pub use data_folder::data_dir;
pub use database::Database;
pub use identity::{issuer, parse_role, signing_key};
pub use validation::ValidatedSettings;

/// The disk space of all imports' temporary files, in bytes. A caller has a quarter of it. Only lines of more than a MiB
/// are on disk, one at a time for each import.
const IMPORT_DISK_BYTES: usize = 8 * 1024 * 1024 * 1024;
/// The time limit for requests and sockets to end at shutdown.
const DRAIN: Duration = Duration::from_secs(8);
/// The time limit for closing the database connections after that.
const CLOSE: Duration = Duration::from_secs(1);
/// The size of the connection pool for the tail of the log and other background tasks.
const TAIL_CONNECTIONS: u32 = 2;
/// The time limit for a statement on these connections. It is short, since the tail reads little, four times a second.
const TAIL_RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);
/// The size of the connection pool of commands other than `serve`.
const COMMAND_CONNECTIONS: u32 = 4;

/// Why the program can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is missing or wrong.
    #[error("{0}")]
    Setting(String),
    /// The private PostgreSQL can't be used.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The database can't be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A migration failed, or the database's schema is one that this binary can't serve.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The signing key can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The keys of the external issuer can't be used.
    #[error(transparent)]
    Jwks(#[from] JwksError),
    /// The service can't listen on this address.
    #[error("can't listen on {0}: {1}")]
    Listen(SocketAddr, String),
    /// The GraphQL schema is invalid, which is a bug.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A registry was in the data folder, and isn't there any more.
    #[error(
        "the data folder {folder} had a registry, and has none now ({evidence} says so): mount or move the folder back, restore a \
         backup, or set DATABASE_URL. Nothing was created. To begin with an empty registry instead, remove {evidence}"
    )]
    Lost {
        /// The data folder.
        folder: String,
        /// The file that says that there was a registry.
        evidence: String,
    },
    /// The data folder can't be created.
    #[error("can't use the data folder {0}: {1}")]
    Folder(String, String),
}

impl StartError {
    /// Whether the database can't be reached, or its folder is gone.
    #[must_use]
    pub fn is_database_gone(&self) -> bool {
        match self {
            Self::Connect(err) | Self::Migrate(MigrateError::Connect(err)) => err.is_unreachable(),
            Self::Lost { .. } => true,
            Self::Setting(_)
            | Self::Embedded(_)
            | Self::Migrate(_)
            | Self::Key(_)
            | Self::Jwks(_)
            | Self::Listen(..)
            | Self::Schema(_)
            | Self::Folder(..) => false,
        }
    }
}

/// What a command other than `serve` needs: the domain's operations on an open database.
#[derive(Debug)]
pub struct CliContext {
    /// The domain's operations.
    pub registry: Registry,
    database: Database,
    db: Db,
    tasks: Tasks,
}

impl CliContext {
    /// Opens the database, whose schema must be up to date, and reads the signing key or the external issuer's keys.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open(common: &Common) -> Result<Self, StartError> {
        let issuer = issuer(common).await?;
        let database = Database::open(common).await?;
        let tasks = Tasks::default();
        let opened = async {
            database.check_for_command().await?;
            Ok(Db::connect(&database.url, COMMAND_CONNECTIONS, tasks.clone()).await?)
        };
        let db = match opened.await {
            Ok(db) => db,
            Err(err) => {
                database.leave().await;
                return Err(err);
            }
        };
        let registry = Registry::new(db.clone(), Clock::default(), issuer);
        Ok(Self { registry, database, db, tasks })
    }

    /// Waits for running work, then closes and releases the database.
    pub async fn close(self) {
        self.tasks.shutdown(DRAIN).await;
        self.db.close().await;
        self.database.leave().await;
    }
}

/// The settings of a [`Service`], validated.
#[derive(Debug)]
pub struct Settings {
    /// The URL of the database, with a role that row-level security applies to.
    pub database_url: DatabaseUrl,
    /// The maximum number of connections in the pool for requests.
    pub connections: u32,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The issuer of user tokens.
    pub issuer: Issuer,
    /// The service's clock.
    pub clock: Clock,
    /// The limits and timeouts of websockets.
    pub sockets: SocketLimits,
    /// The limits and timeouts of client connections.
    pub lines: ConnectionLimits,
    /// The TLS certificate. Without one, connections aren't encrypted.
    pub tls: Option<Tls>,
    /// The interval between checks whether the certificate's files have changed.
    pub tls_look: Duration,
    /// The origins allowed by CORS, in addition to the service's own.
    pub origins: Origins,
    /// The hosts for which requests are accepted.
    pub hosts: Hosts,
    /// The number of rejected credentials per minute after which an address is rate-limited.
    pub refusals_per_minute: u32,
    /// The proxies whose `X-Forwarded-For` header is trusted.
    pub proxies: TrustedProxies,
    /// The retention of log entries. `None` keeps them for ever.
    pub retention: Option<Duration>,
    /// The approximate size of the cache of active configurations, in bytes.
    pub config_memory: usize,
    /// The memory of requests and answers in flight, in bytes.
    pub memory_budget: usize,
    /// The allowlist of documents. `None` allows any document.
    pub trusted_documents: Option<TrustedDocuments>,
    /// For tests: queries don't filter by tenant, so that only row-level security isolates customers.
    pub is_row_level_security_only: bool,
    /// The interval at which the tail reads the log without a notification.
    pub poll: Duration,
}

/// A service that listens, and serves once [`Service::run`] is called.
pub struct Service {
    address: SocketAddr,
    listener: TcpListener,
    state: AppState,
    lines: ConnectionLimits,
    tls: Option<Tls>,
    pools: [Db; 2],
    tasks: Tasks,
}

impl Service {
    /// Binds the address of the settings, and starts a service at it.
    ///
    /// # Errors
    /// As [`Service::start_at`].
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let address = bind(settings.listen)?;
        Self::start_at(address, settings).await
    }

    /// Builds a service on a migrated database, starts to follow the log, and listens at this address.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_at(bound: BoundAddress, settings: Settings) -> Result<Self, StartError> {
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
            memory_budget,
            trusted_documents,
            is_row_level_security_only,
            poll,
        } = settings;
        let recorder = telemetry::metrics().map(Arc::new);
        let tasks = Tasks::default();
        tasks.spawn_background(telemetry::report_suppressed_lines());
        if let Some(recorder) = &recorder {
            tasks.spawn_background(telemetry::upkeep(Arc::clone(recorder)));
        }
        let mut db = Db::connect(&database_url, connections, tasks.clone()).await?;
        if is_row_level_security_only {
            db = db.without_tenant_filters();
        }
        for outside in issuer.outside() {
            tasks.spawn_background(outside.clone().keep_fresh(clock.clone()));
        }
        // The tail has its own pool, so that subscribers get events even while requests hold all other connections.
        let tail_db = Db::connect(&database_url, TAIL_CONNECTIONS, tasks.clone()).await?;
        let tail_db = tail_db.with_response_timeout(TAIL_RESPONSE_TIMEOUT);
        let registry = Registry::new(db.clone(), clock.clone(), issuer.clone());
        let follower = Registry::new(tail_db.clone(), clock.clone(), issuer);
        if let Some(retention) = retention {
            tasks.spawn_background(feed::prune_periodically(follower.clone(), retention));
        }
        tasks.spawn_background(feed::delete_expired_keys(follower.clone()));
        if let Some(tls) = &tls {
            tasks.spawn_background(tls.clone().reload_periodically(tls_look));
        }
        let limiter = Limiter::new(clock.clone(), refusals_per_minute);
        let bell = Arc::new(Notify::new());
        let hub = Hub::new(registry.clone(), tasks.clone(), http::render, config_memory, Arc::clone(&bell));
        tasks.spawn_background(feed::forward_notifications(
            Listener::new(&database_url, clock),
            Arc::clone(&bell),
        ));
        tasks.spawn_background(feed::delete_gone_gateways(follower.clone()));
        tasks.spawn_background(feed::store_gateway_reports(follower.clone(), hub.clone()));
        tasks.spawn_background(feed::follow(follower, hub.clone(), bell, poll));
        hub.warm().await;
        let trusted_documents = with_console(trusted_documents)?;
        let busy = |err: io::Error| StartError::Listen(listen, err.to_string());
        let listener = bound.listen().map_err(busy)?;
        let address = listener.local_addr().map_err(busy)?;
        let budget = MemoryBudget::new(memory_budget);
        let public_url = hosts.public_url().map(|url| url.as_str().into());
        let api = Api::new(registry.clone(), hub.clone(), trusted_documents, budget.clone(), public_url)?;
        let state = Arc::new(AppParts {
            api,
            registry,
            hub,
            tasks: tasks.clone(),
            sockets: Sockets::new(sockets),
            excerpts: StreamPermits::new(
                "excerpt",
                "this instance is writing as many audit excerpts as it can",
            ),
            exports: StreamPermits::new("export", "this instance is writing as many exports as it can"),
            imports: StreamPermits::new("import", "this instance is reading as many imports as it can"),
            import_disk: MemoryBudget::new(IMPORT_DISK_BYTES),
            budget,
            limiter,
            proxies,
            origins,
            description: Description::new(hosts.public_url()),
            hosts,
            is_tls: tls.is_some(),
            metrics: recorder,
        });
        Ok(Self { address, listener, state, lines, tls, pools: [db, tail_db], tasks })
    }

    /// Returns the address that the service listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base URL for clients that connect directly, such as `http://127.0.0.1:8080`.
    #[must_use]
    pub fn base(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Returns the handle with which the program says that this instance can't serve at the moment.
    #[must_use]
    pub fn outage(&self) -> Outage {
        self.state.hub.outage().clone()
    }

    /// Returns the domain's operations.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.state.registry
    }

    /// Returns the state that all HTTP handlers share.
    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Serves until `stop` resolves, then shuts down within ten seconds: accepts no new connections, closes sockets and
    /// streams so that clients reconnect, and lets running requests finish.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) {
        let Self { address: _, listener, state, lines, tls, pools, tasks } = self;
        let stopped = async {
            stop.await;
            tracing::info!("stopping");
            tasks.stop();
        };
        let serve = http::serve(listener, state, lines, tls);
        let ((), ()) = tokio::join!(serve, stopped);
        if !tasks.shutdown(DRAIN).await {
            tracing::warn!("some requests didn't finish before the shutdown deadline");
        }
        // Closing a pool waits for all its connections. A hanging statement returns its connection only when Postgres
        // cancels it, hence the timeout.
        let closed = async {
            for pool in pools {
                pool.close().await;
            }
        };
        let _ = tokio::time::timeout(CLOSE, closed).await;
    }
}

/// Adds the console's documents to the allowlist, if there is one, so that it doesn't lock the console out.
fn with_console(trusted: Option<TrustedDocuments>) -> Result<Option<TrustedDocuments>, StartError> {
    let Some(trusted) = trusted else { return Ok(None) };
    let Some(documents) = http::console_documents() else { return Ok(Some(trusted)) };
    let console = TrustedDocuments::parse(documents, &crate::graphql::front()?);
    let console = console.map_err(|err| StartError::Setting(format!("the console's documents: {err}")))?;
    Ok(Some(trusted.and(console)))
}

/// Binds an address, so that a port in use is noticed before anything else is done. Nothing can connect yet.
///
/// # Errors
/// [`StartError::Listen`].
pub fn bind(listen: SocketAddr) -> Result<BoundAddress, StartError> {
    http::bind(listen).map_err(|err| StartError::Listen(listen, err.to_string()))
}

/// Returns the OpenAPI 3.1 description of the REST API, as JSON.
#[must_use]
pub fn openapi() -> String {
    http::openapi_text(None)
}

/// Returns the GraphQL schema in SDL.
#[must_use]
pub fn sdl() -> String {
    crate::graphql::sdl()
}
