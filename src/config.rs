//! The only reader of the environment: flags and variables, checked, with their defaults.

use std::{
    ffi::OsString,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, ValueEnum};
use ipnet::IpNet;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors: one JSON object a line.
    Json,
}

/// Where the data is, and how to log: what every command needs.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// The registry's database, such as postgres://user:password@host/database. Without it, a private Postgres in the data folder is used
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true, value_parser = database_url)]
    pub database_url: Option<String>,
    /// The same database as the role that owns its schema, for migrations, when that is another role
    #[arg(long, env = "MIGRATE_DATABASE_URL", hide_env_values = true, global = true, value_parser = database_url)]
    pub migrate_database_url: Option<String>,
    /// The folder of the signing key and the private Postgres [default: /var/lib/agent-registry for root, else ~/.local/share/agent-registry]
    #[arg(long, env = "DATA_DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// The file of the Ed25519 key that signs local tokens, in PKCS#8 PEM; made if there is none [default: signing-key.pem in the data folder]
    #[arg(long, env = "SIGNING_KEY", global = true)]
    pub signing_key: Option<PathBuf>,
    /// The issuer of users' tokens, when that is not this service itself: the `iss` that they carry
    #[arg(long, env = "JWT_ISSUER", global = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub jwt_issuer: Option<String>,
    /// The audience that tokens of JWT_ISSUER must be for: one of their `aud`
    #[arg(long, env = "JWT_AUDIENCE", global = true, default_value = "agent-registry", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub jwt_audience: String,
    /// The public keys of JWT_ISSUER: a JSON Web Key Set, as a file or an https address
    #[arg(long, env = "JWT_JWKS", global = true)]
    pub jwt_jwks: Option<String>,
    /// The folder of the Postgres programs (initdb, postgres), when they are in no usual place
    #[arg(long, env = "POSTGRES_BIN", global = true)]
    pub postgres_bin: Option<PathBuf>,
    /// How log lines are written
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// What is logged: error, warn, info, debug, trace, also by module, such as agent_registry=debug
    #[arg(long, env = "LOG", default_value = "info,sqlx=warn,sea_orm_migration=warn", global = true, value_parser = log_filter)]
    pub log: String,
}

/// What `serve` needs besides.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// The address and port to listen on; port 0 takes any free one
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The file of the certificate that clients are shown, in PEM, followed by those that vouch for it; then all is served over TLS. Read again when it changes
    #[arg(long, env = "TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// The file of the private key of TLS_CERT, in PEM
    #[arg(long, env = "TLS_KEY")]
    pub tls_key: Option<PathBuf>,
    /// The address under which clients reach the service, such as `https://registry.example.org`. Its host is answered for
    #[arg(long, env = "PUBLIC_URL")]
    pub public_url: Option<String>,
    /// The other hosts that are answered for, separated by commas: names, `*.example.org` for all below one, addresses, or `*` for any [default: loopback names; any host when others reach LISTEN and PUBLIC_URL is not set]
    #[arg(long, env = "ALLOWED_HOSTS", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,
    /// The origins whose pages may ask from a browser, such as `https://app.example.org`, separated by commas. `null`, `file://` and those of extensions are taken too
    #[arg(long, env = "CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<String>,
    /// The most connections of clients at once; whoever comes later waits
    #[arg(long, env = "CONNECTIONS", default_value = "12000", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections: u32,
    /// The most connections to the database that requests share
    #[arg(long, env = "DATABASE_CONNECTIONS", default_value = "20", value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub database_connections: u32,
    /// The proxies that are believed when they say in X-Forwarded-For whom they ask for: addresses or networks, separated by commas
    #[arg(long, env = "TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// How many credentials from one address may be refused a minute before it has to wait
    #[arg(long, env = "REFUSALS_PER_MINUTE", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    pub refusals_per_minute: u32,
    /// For how long entries of the change log are kept, such as 90d; at least 1h; for ever when left out
    #[arg(long, env = "RETENTION", value_parser = retention)]
    pub retention: Option<Duration>,
    /// How much memory active configurations may take, in MiB: those that were asked for longest ago are read again
    #[arg(long, env = "CONFIG_MEMORY", default_value = "256", value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub config_memory: u32,
    /// The GraphQL documents that may be run, and no others: a JSON file, from ids to documents, or Apollo's manifest. Read at start
    #[arg(long, env = "TRUSTED_DOCUMENTS")]
    pub trusted_documents: Option<PathBuf>,
}

/// A length of time: a whole number and s, m, h or d.
///
/// # Errors
/// How to write one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write it as 90s, 30m, 8h or 7d".to_owned();
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let split = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (number, seconds) = split.ok_or_else(wrong)?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|_| digits).ok_or_else(wrong)?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

/// A time that entries are kept for: long enough that nobody who reads on is overtaken.
fn retention(text: &str) -> Result<Duration, String> {
    let kept = duration(text)?;
    if kept < Duration::from_secs(3600) { Err("at least 1h".to_owned()) } else { Ok(kept) }
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse()).map_err(|_| "write it as 10.0.0.0/8 or 10.1.2.3".to_owned())
}

impl Common {
    /// The data folder: the setting, or what is usual for this user.
    ///
    /// # Errors
    /// When neither the setting nor `HOME` says where.
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
        Ok(base.ok_or("can't tell where to keep data: set DATA_DIR")?.join("agent-registry"))
    }

    /// The file of the key that signs local tokens.
    ///
    /// # Errors
    /// When the data folder is not known.
    pub fn signing_key(&self) -> Result<PathBuf, String> {
        match &self.signing_key {
            Some(file) => Ok(file.clone()),
            None => Ok(self.data_dir()?.join("signing-key.pem")),
        }
    }

    /// The credential that `watch` signs in with: the variable `TOKEN`. It is no flag, because every user of a machine
    /// may list the arguments of its processes.
    ///
    /// # Errors
    /// When it is no text.
    pub fn token() -> Result<Option<String>, String> {
        match std::env::var("TOKEN") {
            Ok(token) => Ok(Some(token)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err("TOKEN is no text".to_owned()),
        }
    }

    /// How this program was called, for hints that can be pasted.
    #[must_use]
    pub fn program() -> String {
        let called = std::env::args_os().next();
        called.map_or_else(|| "agent-registry".to_owned(), |program| program.to_string_lossy().into_owned())
    }

    /// Where programs are looked for.
    #[must_use]
    pub fn path() -> Option<OsString> {
        std::env::var_os("PATH")
    }
}

/// The address of a Postgres, without the value in the message: it may hold a password.
fn database_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    if rest.is_none_or(str::is_empty) {
        return Err("write it as postgres://user:password@host:port/database".to_owned());
    }
    Ok(text.to_owned())
}

/// What is logged, in the form that the log understands.
fn log_filter(text: &str) -> Result<String, String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(err) => Err(format!("{err}; write it as info, or as info,agent_registry=debug")),
    }
}
