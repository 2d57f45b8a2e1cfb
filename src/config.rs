//! Settings: command-line flags and environment variables, with defaults and validation. No other module reads the
//! environment.

use std::{
    ffi::OsString,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, ValueEnum, builder::FalseyValueParser};
use ipnet::IpNet;

mod console;
mod identity;

pub use console::Console;
pub use identity::Identity;

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Human-readable lines.
    Text,
    /// One JSON object a line, for log collectors.
    Json,
}

/// Settings that every command has: where the data is, and how to log.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// The URL of the PostgreSQL database, such as postgres://user:password@host/database; several hosts are separated
    /// by commas. If unset, a private PostgreSQL runs in the data folder
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
    /// The file that has the URL, in place of DATABASE_URL. Read again when Postgres rejects the password
    #[arg(long, env = "DATABASE_URL_FILE", global = true)]
    pub database_url_file: Option<PathBuf>,
    /// The URL for migrations, if a role other than the one in DATABASE_URL owns the schema
    #[arg(long, env = "MIGRATE_DATABASE_URL", hide_env_values = true, global = true)]
    pub migrate_database_url: Option<String>,
    /// The file that has the URL for migrations, in place of MIGRATE_DATABASE_URL
    #[arg(long, env = "MIGRATE_DATABASE_URL_FILE", global = true)]
    pub migrate_database_url_file: Option<PathBuf>,
    /// The longest wait for the database at start, such as 60s
    #[arg(long, env = "WAIT_FOR_DATABASE", global = true, default_value = "5s", value_parser = duration)]
    pub wait_for_database: Duration,
    /// The folder of the signing key and the private PostgreSQL [default: /var/lib/agent-registry for root, else
    /// ~/.local/share/agent-registry]
    #[arg(long, env = "DATA_DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// The PKCS#8 PEM file of the Ed25519 key that signs local tokens; created if missing [default: signing-key.pem
    /// in the data folder]
    #[arg(long, env = "SIGNING_KEY", global = true)]
    pub signing_key: Option<PathBuf>,
    /// The issuers of user tokens.
    #[command(flatten)]
    pub identity: Identity,
    /// The folder of the PostgreSQL programs (initdb, postgres), if they aren't in PATH or a usual place
    #[arg(long, env = "POSTGRES_BIN", global = true)]
    pub postgres_bin: Option<PathBuf>,
    /// The format of log lines
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// The log filter: error, warn, info, debug or trace, also per module, such as agent_registry=debug
    #[arg(long, env = "LOG", default_value = "info,sqlx=warn,sea_orm_migration=warn", global = true, value_parser = log_filter)]
    pub log: String,
}

/// Settings of `serve`.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// The address and port to listen on; port 0 picks a free port
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The PEM file of the server certificate, followed by its intermediates; enables TLS. Reloaded when it changes
    #[arg(long, env = "TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// The PEM file of the private key for TLS_CERT
    #[arg(long, env = "TLS_KEY")]
    pub tls_key: Option<PathBuf>,
    /// The URL at which clients reach the service, such as `https://registry.example.org`. Requests for its host are
    /// accepted
    #[arg(long, env = "PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Further hosts whose requests are accepted, comma-separated: names, `*.example.org` for all subdomains, IP
    /// addresses, or `*` for any [default: loopback names; any host if LISTEN isn't loopback and PUBLIC_URL isn't
    /// set]
    #[arg(long, env = "ALLOWED_HOSTS", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,
    /// The origins from which browsers may send requests (CORS), comma-separated, such as `https://app.example.org`.
    /// `null`, `file://` and the origins of browser extensions are accepted too
    #[arg(long, env = "CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<String>,
    /// Serve the database as it is: apply no migrations, and don't start if one is pending
    #[arg(long, env = "NO_MIGRATE", value_parser = FalseyValueParser::new())]
    pub no_migrate: bool,
    /// The maximum number of open client connections; further clients wait
    #[arg(long, env = "CONNECTIONS", default_value = "12000", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections: u32,
    /// The maximum number of database connections in the pool for requests
    #[arg(long, env = "DATABASE_CONNECTIONS", default_value = "20", value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub database_connections: u32,
    /// The proxies whose X-Forwarded-For header is trusted: IP addresses or networks, comma-separated
    #[arg(long, env = "TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// The number of rejected credentials per minute after which an IP address is rate-limited
    #[arg(long, env = "REFUSALS_PER_MINUTE", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    pub refusals_per_minute: u32,
    /// The retention of change log entries, such as 90d; at least 1h. If unset, entries are kept for ever
    #[arg(long, env = "RETENTION", value_parser = retention)]
    pub retention: Option<Duration>,
    /// The size of the in-memory cache of active configurations, in MiB; the least used are evicted
    #[arg(long, env = "CONFIG_MEMORY", default_value = "256", value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub config_memory: u32,
    /// The memory of requests, messages and answers in flight, in MiB; what exceeds it waits, then is refused
    #[arg(long, env = "MEMORY_BUDGET", default_value = "256", value_parser = clap::value_parser!(u32).range(64..=1_048_576))]
    pub memory_budget: u32,
    /// The allowlist of GraphQL documents: a JSON object of ids and documents, or Apollo's persisted query manifest.
    /// Other documents are rejected. Read at startup
    #[arg(long, env = "TRUSTED_DOCUMENTS")]
    pub trusted_documents: Option<PathBuf>,
}

/// Parses a duration: a whole number followed by s, m, h or d.
///
/// # Errors
/// A message with the accepted forms.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a whole number and a unit, such as 90s, 30m, 8h or 7d".to_owned();
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let split = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (number, seconds) = split.ok_or_else(wrong)?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|_| digits).ok_or_else(wrong)?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

/// Parses a retention period. The minimum keeps pruning from overtaking subscribers that catch up from the log.
fn retention(text: &str) -> Result<Duration, String> {
    let kept = duration(text)?;
    if kept < Duration::from_secs(3600) {
        Err("the retention must be at least 1h".to_owned())
    } else {
        Ok(kept)
    }
}

/// Parses a network, or a single address.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address
        .or_else(|_| text.parse())
        .map_err(|_| "expected an IP address or a network, such as 10.1.2.3 or 10.0.0.0/8".to_owned())
}

impl Common {
    /// Returns the data folder: the setting, or the default for this user.
    ///
    /// # Errors
    /// A message when `DATA_DIR`, `XDG_DATA_HOME` and `HOME` are all unset.
    pub fn data_dir(&self) -> Result<PathBuf, String> {
        if let Some(folder) = &self.data_dir {
            return Ok(folder.clone());
        }
        if rustix::process::geteuid().is_root() {
            return Ok(PathBuf::from("/var/lib/agent-registry"));
        }
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        let base = std::env::var_os("XDG_DATA_HOME")
            .map(PathBuf::from)
            .filter(|base| base.is_absolute())
            .or_else(home);
        Ok(base.ok_or("no data folder: set DATA_DIR or HOME")?.join("agent-registry"))
    }

    /// Whether a database is configured. Without one, a private PostgreSQL runs in the data folder.
    #[must_use]
    pub fn has_database_url(&self) -> bool {
        self.database_url.is_some() || self.database_url_file.is_some()
    }

    /// Returns the path of the key that signs local tokens.
    ///
    /// # Errors
    /// As [`Common::data_dir`].
    pub fn signing_key(&self) -> Result<PathBuf, String> {
        match &self.signing_key {
            Some(file) => Ok(file.clone()),
            None => Ok(self.data_dir()?.join("signing-key.pem")),
        }
    }

    /// Returns the credential for `watch`, from the variable `TOKEN`. There is no flag for it, because every user of a
    /// machine can list the arguments of its processes.
    ///
    /// # Errors
    /// A message when the value isn't valid UTF-8.
    pub fn token() -> Result<Option<String>, String> {
        match std::env::var("TOKEN") {
            Ok(token) => Ok(Some(token)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err("TOKEN isn't valid UTF-8".to_owned()),
        }
    }

    /// Returns the file of the credential for `watch`, from the variable `TOKEN_FILE`.
    #[must_use]
    pub fn token_file() -> Option<PathBuf> {
        std::env::var_os("TOKEN_FILE").map(PathBuf::from)
    }

    /// Returns the path with which this program was started, so that printed commands can be pasted.
    #[must_use]
    pub fn program() -> String {
        let called = std::env::args_os().next();
        called.map_or_else(|| "agent-registry".to_owned(), |program| program.to_string_lossy().into_owned())
    }

    /// Returns the program that opens a page in the desktop's browser; `None` without a display.
    #[must_use]
    pub fn opener() -> Option<&'static str> {
        let is_set = |name| std::env::var_os(name).is_some_and(|display| !display.is_empty());
        if cfg!(target_os = "macos") {
            Some("open")
        } else if is_set("WAYLAND_DISPLAY") || is_set("DISPLAY") {
            Some("xdg-open")
        } else {
            None
        }
    }

    /// Returns the search path for programs (`PATH`).
    #[must_use]
    pub fn path() -> Option<OsString> {
        std::env::var_os("PATH")
    }
}

/// Checks a log filter (the syntax of `tracing_subscriber::EnvFilter`).
fn log_filter(text: &str) -> Result<String, String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(err) => Err(format!(
            "{err}; expected a level, also per module, such as info or info,agent_registry=debug"
        )),
    }
}
