//! The composition root: builds the parts, wires them, and ends them in order.

use std::{
    convert::Infallible, fs::Permissions, future::Future, io, net::SocketAddr, os::unix::fs::PermissionsExt,
    path::PathBuf, sync::Arc, time::Duration,
};

use tokio::{
    net::TcpListener,
    sync::{Mutex, Notify},
};

use crate::{
    clock::Clock,
    config::Common,
    db::{
        ConnectError, Db, Step,
        embedded::{Embedded, EmbeddedError, Options},
        listen::Listener,
    },
    domain::{
        Registry,
        auth::{
            Keys,
            jwt::{KeyError, LocalIssuer},
        },
    },
    feed::{self, Hub},
    graphql::Api,
    http::{self, Door, SocketLimits, Sockets},
    task::Tasks,
    telemetry,
};

/// How long requests and sockets may take to end after the service was asked to stop.
const DRAIN: Duration = Duration::from_secs(8);
/// How long the connections to the database may take to be closed after that.
const CLOSE: Duration = Duration::from_secs(1);
/// The connections of what follows the log.
const BESIDE_CONNECTIONS: u32 = 2;
/// How often to see whether the private Postgres still runs.
const LOOK_AFTER: Duration = Duration::from_secs(1);
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
    /// The address can't be listened on.
    #[error("can't listen on {0}: {1}")]
    Listen(SocketAddr, String),
    /// The data folder can't be made.
    #[error("can't use the data folder {0}: {1}")]
    Folder(String, String),
}

/// A database to work on: the one configured, or the private one.
#[derive(Debug)]
pub struct Database {
    url: String,
    migrate_url: String,
    private: Option<Private>,
}

/// A private Postgres, and each time it had to be started.
#[derive(Debug)]
struct Private {
    options: Options,
    first: Embedded,
    again: Mutex<Vec<Embedded>>,
}

impl Database {
    /// Finds the database; starts the private Postgres, or attaches to it, when none is configured.
    ///
    /// # Errors
    /// [`StartError`] when there is none to be had.
    pub async fn open(common: &Common) -> Result<Self, StartError> {
        if let Some(url) = &common.database_url {
            let migrate_url = common.migrate_database_url.clone().unwrap_or_else(|| url.clone());
            return Ok(Self { url: url.clone(), migrate_url, private: None });
        }
        let folder = data_dir(common)?.join("postgres");
        let options = Options {
            folder,
            bin_dir: common.postgres_bin.clone(),
            path: Common::path(),
            durable: true,
            watchdog: false,
        };
        let embedded = Embedded::attach_or_start(&options).await?;
        let url = embedded.url_for_service();
        Ok(Self {
            migrate_url: url.clone(),
            url,
            private: Some(Private { options, first: embedded, again: Mutex::default() }),
        })
    }

    /// Where the private Postgres is, when that is the one.
    #[must_use]
    pub fn embedded(&self) -> Option<&Embedded> {
        self.private.as_ref().map(|private| &private.first)
    }

    /// Starts the private Postgres again whenever it has ended by itself. Never returns.
    pub async fn keep_up(&self) -> Infallible {
        let Some(Private { options, first, again }) = &self.private else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(LOOK_AFTER).await;
            if first.postmaster().is_some() {
                continue;
            }
            tracing::warn!("the private Postgres has ended; starting it again");
            match Embedded::attach_or_start(options).await {
                Ok(embedded) => again.lock().await.push(embedded),
                Err(err) => tracing::error!(error = %err, "the private Postgres does not start"),
            }
        }
    }

    /// Brings it to the newest shape; answers how many steps that took.
    ///
    /// # Errors
    /// [`StartError::Migrate`].
    pub async fn migrate(&self) -> Result<usize, StartError> {
        crate::db::migrate(&self.migrate_url).await.map_err(|err| StartError::Migrate(err.to_string()))
    }

    /// The steps of its shape, and which of them have been applied.
    ///
    /// # Errors
    /// [`StartError::Migrate`].
    pub async fn status(&self) -> Result<Vec<Step>, StartError> {
        crate::db::migration_status(&self.migrate_url)
            .await
            .map_err(|err| StartError::Migrate(err.to_string()))
    }

    /// Lets go of it; who leaves last stops the private Postgres.
    pub async fn leave(self) {
        let Some(Private { options: _, first, again }) = self.private else {
            return;
        };
        for embedded in again.into_inner().into_iter().chain([first]) {
            if let Err(err) = embedded.leave().await {
                tracing::warn!(error = %err, "the private Postgres was not left in order");
            }
        }
    }
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
        let database = Database::open(common).await?;
        database.migrate().await?;
        let tasks = Tasks::default();
        let db = Db::connect(&database.url, COMMAND_CONNECTIONS, tasks.clone()).await?;
        let registry = Registry::new(db.clone(), Clock::default(), keys(common)?);
        Ok(Self { registry, database, db, tasks })
    }

    /// Ends it in order.
    pub async fn close(self) {
        self.tasks.ended(DRAIN).await;
        self.db.close().await;
        self.database.leave().await;
    }
}

fn keys(common: &Common) -> Result<Keys, StartError> {
    if common.signing_key.is_none() {
        data_dir(common)?;
    }
    let file = common.signing_key().map_err(StartError::Setting)?;
    Ok(Keys { local: LocalIssuer::open(&file)? })
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
    /// The keys that tokens are checked with.
    pub keys: Keys,
    /// The service's time.
    pub clock: Clock,
    /// How many sockets, and how patient they are.
    pub sockets: SocketLimits,
}

/// A service that listens.
pub struct Service {
    address: SocketAddr,
    listener: TcpListener,
    door: Door,
    pools: [Db; 2],
    tasks: Tasks,
}

impl Service {
    /// Builds a service on a database that has its shape, and begins to listen and to follow the log.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let Settings { database_url, connections, listen, keys, clock, sockets } = settings;
        let recorder = telemetry::metrics().map(Arc::new);
        let tasks = Tasks::default();
        if let Some(recorder) = &recorder {
            tasks.beside(telemetry::upkeep(Arc::clone(recorder)));
        }
        let db = Db::connect(&database_url, connections, tasks.clone()).await?;
        // The log is followed on connections of its own: requests that hold all others must not make watchers wait.
        let beside = Db::connect(&database_url, BESIDE_CONNECTIONS, tasks.clone()).await?;
        let registry = Registry::new(db.clone(), clock.clone(), keys.clone());
        let follower = Registry::new(beside.clone(), clock.clone(), keys);
        let hub = Hub::new(registry.clone());
        let bell = Arc::new(Notify::new());
        tasks.beside(feed::hear(Listener::new(&database_url, clock), Arc::clone(&bell)));
        tasks.beside(feed::follow(follower, hub.clone(), bell));
        let busy = |err: io::Error| StartError::Listen(listen, err.to_string());
        let listener = TcpListener::bind(listen).await.map_err(busy)?;
        let address = listener.local_addr().map_err(busy)?;
        let api = Api::new(registry.clone(), hub.clone());
        let door = Door {
            api,
            registry,
            hub,
            tasks: tasks.clone(),
            sockets: Sockets::new(sockets),
            metrics: recorder,
        };
        Ok(Self { address, listener, door, pools: [db, beside], tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
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
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let Self { address: _, listener, door, pools, tasks } = self;
        let stopping = tasks.clone();
        let drained = async move {
            stop.await;
            tracing::info!("stopping");
            stopping.stop();
        };
        let serve = axum::serve(listener, http::router(door)).with_graceful_shutdown(drained);
        let drained = async {
            let served = serve.await;
            (served, tasks.ended(DRAIN).await)
        };
        let late = async {
            tasks.stopping().await;
            tokio::time::sleep(DRAIN).await;
        };
        let (served, in_time) = tokio::select! {
            drained = drained => drained,
            () = late => (Ok(()), tasks.ended(Duration::ZERO).await),
        };
        if !in_time {
            tracing::warn!("some requests did not end in time");
        }
        // A pool waits for its connections, and one whose statement hangs comes back when Postgres ends that.
        let closed = async {
            for pool in pools {
                pool.close().await;
            }
        };
        let _ = tokio::time::timeout(CLOSE, closed).await;
        served
    }
}

/// Settings of a service, from the command line's.
///
/// # Errors
/// [`StartError`] when the signing key can't be used.
pub fn settings(
    common: &Common,
    serve: &crate::config::Serve,
    database: &Database,
) -> Result<Settings, StartError> {
    Ok(Settings {
        database_url: database.url.clone(),
        connections: serve.database_connections,
        listen: serve.listen,
        keys: keys(common)?,
        clock: Clock::default(),
        sockets: SocketLimits::default(),
    })
}

/// The GraphQL schema in its own language.
#[must_use]
pub fn sdl() -> String {
    crate::graphql::sdl()
}
