//! The URL of a database: one server or several, and a file that has the URL. No message contains any part of a URL but
//! the names of its parameters, since a password may stand anywhere in one that is malformed.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use sqlx::postgres::PgConnectOptions;

use crate::task::lock;

/// The longest name of a parameter that a message repeats. A longer one may be a part of a password.
const NAME_MAX: usize = 40;
/// The parameters that sqlx reads, without `host` and `port`, which several servers can't share.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];
/// Parameters of libpq that change nothing here. A required `channel_binding` isn't one of them.
const IGNORED: [&str; 9] = [
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "gssencmode",
    "fallback_application_name",
    "client_encoding",
];
/// The parameter that says which of several servers to use.
const TARGET: &str = "target_session_attrs";

/// Why a URL can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It doesn't begin as a URL of PostgreSQL does, or names nothing.
    #[error("expected postgres://user:password@host:port/database")]
    Form,
    /// A character of the user's name or password isn't encoded.
    #[error(
        "an `@` or `#` stands after the host: encode these characters of a password, `@` as %40, `#` as %23, `/` as %2F, `?` as %3F"
    )]
    Unencoded,
    /// sqlx doesn't know this parameter.
    #[error("unknown parameter {0}")]
    Parameter(String),
    /// Another value of `target_session_attrs`.
    #[error(
        "target_session_attrs must be read-write, primary or any: the service writes, and a replica's reads would be stale"
    )]
    Target,
    /// `host` or `port` in the query names several.
    #[error("name several servers before the path, as postgres://user:password@one:5432,two:5432/database")]
    HostList,
    /// Another part is malformed.
    #[error("{0}")]
    Malformed(String),
    /// The file can't be read.
    #[error("can't read {0}: {1}")]
    File(String, String),
}

/// Where a URL comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum UrlSource {
    Given,
    File(PathBuf),
}

/// The URL of a database. Clones share what was read again from its file.
#[derive(Clone)]
pub struct DatabaseUrl(Arc<UrlState>);

struct UrlState {
    source: UrlSource,
    text: Mutex<String>,
    /// The number of times that the file had another URL.
    version: AtomicU64,
}

impl fmt::Debug for DatabaseUrl {
    /// Shows where the URL comes from, and nothing of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DatabaseUrl").field(&self.0.source).finish()
    }
}

impl From<&str> for DatabaseUrl {
    /// Takes a URL that was given. A malformed one is reported when it is first used.
    fn from(text: &str) -> Self {
        Self(Arc::new(UrlState {
            source: UrlSource::Given,
            text: Mutex::new(text.to_owned()),
            version: AtomicU64::new(0),
        }))
    }
}

impl From<String> for DatabaseUrl {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for DatabaseUrl {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&Self> for DatabaseUrl {
    fn from(url: &Self) -> Self {
        url.clone()
    }
}

impl DatabaseUrl {
    /// Reads the URL in this file. White space around it is ignored.
    ///
    /// # Errors
    /// [`UrlError`] when the file can't be read or its URL can't be used.
    pub fn in_file(file: &Path) -> Result<Self, UrlError> {
        let text = read(file)?;
        let source = UrlSource::File(file.to_owned());
        Ok(Self(Arc::new(UrlState { source, text: Mutex::new(text), version: AtomicU64::new(0) })))
    }

    /// Checks the URL without connecting.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn check(&self) -> Result<(), UrlError> {
        self.servers().map(drop)
    }

    /// Returns the version of the URL, for [`DatabaseUrl::changes_since`].
    pub(in crate::db) fn version(&self) -> u64 {
        self.0.version.load(Ordering::SeqCst)
    }

    /// Reads the file again, if the URL comes from one. Returns whether the URL is another one than in this version.
    pub(in crate::db) fn changes_since(&self, version: u64) -> bool {
        let UrlSource::File(file) = &self.0.source else { return false };
        match read(file) {
            Ok(text) => {
                let mut known = lock(&self.0.text);
                if *known != text {
                    *known = text;
                    self.0.version.fetch_add(1, Ordering::SeqCst);
                }
            }
            Err(err) => tracing::warn!(error = %err, "can't read the database's URL again"),
        }
        self.version() != version
    }

    /// Returns the role that the URL names.
    ///
    /// # Errors
    /// [`UrlError`].
    pub(in crate::db) fn role(&self) -> Result<String, UrlError> {
        let servers = self.servers()?;
        Ok(servers.first().map_or_else(String::new, |options| options.get_username().to_owned()))
    }

    /// Returns the options for each server of the URL, in order.
    ///
    /// # Errors
    /// [`UrlError`].
    pub(in crate::db) fn servers(&self) -> Result<Vec<PgConnectOptions>, UrlError> {
        parse(&lock(&self.0.text))
    }
}

fn read(file: &Path) -> Result<String, UrlError> {
    let text = std::fs::read_to_string(file)
        .map_err(|err| UrlError::File(file.display().to_string(), err.to_string()))?;
    let text = text.trim();
    parse(text)?;
    Ok(text.to_owned())
}

/// Splits a URL into one for each server, which sqlx parses.
fn parse(text: &str) -> Result<Vec<PgConnectOptions>, UrlError> {
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    let rest = rest.filter(|rest| !rest.is_empty()).ok_or(UrlError::Form)?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // Behind the host, an unencoded character of a password would be taken for a database or a parameter.
    if tail.contains(['@', '#']) {
        return Err(UrlError::Unencoded);
    }
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((login, hosts)) => (format!("{login}@"), hosts),
        None => (String::new(), authority),
    };
    let query = parameters(query)?;
    let names_host = |pair: &str| ["host=", "hostaddr=", "port="].iter().any(|name| pair.starts_with(name));
    if hosts.contains(',') && query.trim_start_matches('?').split('&').any(names_host) {
        return Err(UrlError::HostList);
    }
    let server = |host: &str| {
        let url = format!("postgres://{login}{host}{path}{query}");
        // sqlx's messages name what is wrong, such as the port, and no value.
        PgConnectOptions::from_str(&url).map_err(|err| match err {
            sqlx::Error::Configuration(err) => UrlError::Malformed(err.to_string()),
            _ => UrlError::Form,
        })
    };
    hosts.split(',').map(server).collect()
}

/// Takes out of the query what sqlx doesn't know, and checks the names of the others. A replica is passed over whatever
/// [`TARGET`] says.
fn parameters(query: &str) -> Result<String, UrlError> {
    let mut kept = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name == TARGET {
            if !matches!(value, "read-write" | "primary" | "any") {
                return Err(UrlError::Target);
            }
            continue;
        }
        if IGNORED.contains(&name) {
            continue;
        }
        if matches!(name, "host" | "hostaddr" | "port") && (value.contains(',') || value.contains("%2C")) {
            return Err(UrlError::HostList);
        }
        if !PARAMETERS.contains(&name) && !name.starts_with("options[") {
            let is_name =
                name.len() <= NAME_MAX && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            return Err(UrlError::Parameter(if is_name {
                name.to_owned()
            } else {
                "(not shown)".to_owned()
            }));
        }
        kept.push(pair);
    }
    Ok(if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_one_server_or_several_in_order() {
        let hosts = |text: &str| -> Vec<String> {
            let servers = parse(text).unwrap();
            servers.iter().map(|one| format!("{} {}", one.get_host(), one.get_port())).collect()
        };
        assert_eq!(hosts("postgres://me:pw@one:5433/db"), ["one 5433"]);
        let several =
            "postgresql://me:p%40w@one:5433,two:5434,[::1]:5435/db?sslmode=disable&connect_timeout=3";
        assert_eq!(hosts(several), ["one 5433", "two 5434", "[::1] 5435"]);
        for attributes in ["read-write", "primary", "any"] {
            let url = format!("postgres://one:1,two:2/db?target_session_attrs={attributes}&sslmode=disable");
            assert_eq!(hosts(&url), ["one 1", "two 2"]);
        }
        let sockets = parse("postgres://me@%2Frun%2Fone,%2Frun%2Ftwo/db").unwrap();
        assert!(sockets.iter().all(|server| server.get_socket().is_some()), "{}", sockets.len());
        let socket = parse("postgres://me@localhost/db?host=/run/postgresql").unwrap();
        assert_eq!(socket.len(), 1);
    }

    #[test]
    fn a_malformed_url_is_refused_and_nothing_of_its_password_is_said() {
        for (text, expected) in [
            ("mysql://me:hunter2@host/db", UrlError::Form),
            ("hunter2", UrlError::Form),
            ("postgres://", UrlError::Form),
            ("postgres://me:a/hunter2@host/db", UrlError::Unencoded),
            ("postgres://me:a?hunter2@host/db", UrlError::Unencoded),
            ("postgres://me:a#hunter2@host/db", UrlError::Unencoded),
            ("postgres://me@one,two/db?target_session_attrs=standby", UrlError::Target),
            ("postgres://me@one/db?host=one,two", UrlError::HostList),
            ("postgres://me@one,two/db?port=5433", UrlError::HostList),
            ("postgres://me@one/db?pasword=hunter2", UrlError::Parameter("pasword".to_owned())),
            ("postgres://me@one/db?Hunter2=1", UrlError::Parameter("(not shown)".to_owned())),
        ] {
            let refused = parse(text).unwrap_err();
            assert_eq!(refused, expected, "{text}");
            assert!(!refused.to_string().to_lowercase().contains("hunter2"), "{refused}");
        }
        for text in ["postgres://me:hunter2@one:no/db", "postgres://me:hunter2@one/db?sslmode=no"] {
            let refused = parse(text).unwrap_err();
            assert!(!refused.to_string().contains("hunter2"), "{refused}");
            assert!(!format!("{:?}", DatabaseUrl::from(text)).contains("hunter2"));
        }
    }
}
