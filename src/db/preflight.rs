//! The checks of a database before anything is written to it: the server's version, the encoding, the role, and that no
//! pooler of transactions is in between.

use sqlx::{Connection, PgConnection, Row};
use tokio::time::timeout;

use super::{
    ConnectError, SERVING_SESSION,
    connect::{ConnectFailure, Connector, DatabaseUrl, ServerRefusal, SessionSettings},
    pool::RESPONSE_TIMEOUT,
};

/// The oldest supported version of Postgres, as `server_version_num`.
const OLDEST_POSTGRES: i32 = 150_000;
/// The encoding of a database that can be used.
const ENCODING: &str = "UTF8";
/// How often a session is asked for its process, while another one has a transaction open.
const ASKS: usize = 3;

/// The server, database and role of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ServerFacts {
    role: String,
    is_privileged: bool,
    version: i32,
    version_name: String,
    encoding: String,
    /// The start of the server and the id of the database, which no other database of any server shares.
    identity: String,
}

impl ServerFacts {
    async fn read(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let ask = "SELECT current_user::text, EXISTS (SELECT FROM pg_roles \
                WHERE (rolsuper OR rolbypassrls OR rolcreaterole) AND pg_has_role(oid, 'MEMBER'))::text, \
            current_setting('server_version_num'), current_setting('server_version'), \
            (SELECT pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()), \
            (SELECT oid::text FROM pg_database WHERE datname = current_database()) || ' ' || \
            extract(epoch FROM pg_postmaster_start_time())::text";
        let row = sqlx::raw_sql(ask).fetch_one(connection).await?;
        Ok(Self {
            role: row.try_get(0)?,
            is_privileged: row.try_get::<String, _>(1)? != "false",
            version: row.try_get::<String, _>(2)?.parse().unwrap_or(0),
            version_name: row.try_get(3)?,
            encoding: row.try_get(4)?,
            identity: row.try_get(5)?,
        })
    }

    /// Checks the server and the database.
    fn check_database(&self) -> Result<(), ConnectError> {
        if self.version < OLDEST_POSTGRES {
            return Err(ConnectError::TooOld(self.version_name.clone()));
        }
        if self.encoding != ENCODING {
            return Err(ConnectError::Encoding(self.encoding.clone()));
        }
        Ok(())
    }

    /// Checks that row-level security applies to the role.
    fn check_role(&self) -> Result<(), ConnectError> {
        if self.is_privileged { Err(ConnectError::Privileged(self.role.clone())) } else { Ok(()) }
    }
}

/// Checks that the service can use this connection. Writes nothing.
///
/// # Errors
/// [`ConnectError`].
pub(super) async fn check_connection(connection: &mut PgConnection) -> Result<(), ConnectError> {
    let facts = ServerFacts::read(connection).await?;
    facts.check_database()?;
    facts.check_role()
}

/// Checks that the service can use the database of `service`, and that `owner`, if it's another URL, is of the same
/// database. Writes nothing.
///
/// # Errors
/// [`ConnectError`].
pub async fn check_servers(service: &DatabaseUrl, owner: Option<&DatabaseUrl>) -> Result<(), ConnectError> {
    let serving = in_time(check_sessions(service)).await?;
    serving.check_database()?;
    serving.check_role()?;
    if let Some(owner) = owner {
        let owning = in_time(check_sessions(owner)).await?;
        owning.check_database()?;
        if owning.identity != serving.identity {
            return Err(ConnectError::Apart);
        }
    }
    Ok(())
}

/// Ends a check whose server is silent.
async fn in_time<T>(check: impl Future<Output = Result<T, ConnectError>>) -> Result<T, ConnectError> {
    timeout(RESPONSE_TIMEOUT, check).await.map_err(|_| sqlx::Error::PoolTimedOut)?
}

/// Opens two sessions, and checks that each has a process of its own in Postgres. Returns the facts of one.
async fn check_sessions(url: &DatabaseUrl) -> Result<ServerFacts, ConnectError> {
    let connector = Connector::new(url.clone(), SessionSettings::new(SERVING_SESSION))?;
    let mut one = connector.open_single().await?;
    let facts = ServerFacts::read(&mut one).await?;
    let is_shared = match connector.open_single().await {
        Ok(mut other) => {
            let is_shared = share_a_process(&mut one, &mut other).await?;
            let _ = other.close().await;
            is_shared
        }
        // A role with a single connection can't serve, but the commands can.
        Err(err) if ConnectFailure::from(&err) == ConnectFailure::TooManyConnections => false,
        Err(err) => return Err(err.into()),
    };
    let _ = one.close().await;
    if is_shared { Err(sqlx::Error::from(ServerRefusal::Pooling).into()) } else { Ok(facts) }
}

/// Whether two sessions have one process in Postgres, or one session has several: then a pooler lends the processes for a
/// transaction or a statement.
async fn share_a_process(one: &mut PgConnection, other: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let first = process(one).await?;
    // A pooler of statements rejects transactions.
    match sqlx::raw_sql("BEGIN").execute(&mut *other).await {
        Ok(_) => {}
        Err(sqlx::Error::Database(err)) if err.code().as_deref() == Some("08P01") => return Ok(true),
        Err(err) => return Err(err),
    }
    let mut is_shared = process(other).await? == first;
    for _ in 0..ASKS {
        is_shared = is_shared || process(one).await? != first;
    }
    sqlx::raw_sql("ROLLBACK").execute(other).await?;
    Ok(is_shared)
}

async fn process(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::raw_sql("SELECT pg_backend_pid()::text").fetch_one(connection).await?.try_get(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> ServerFacts {
        ServerFacts {
            role: "registry".to_owned(),
            is_privileged: false,
            version: 150_000,
            version_name: "15.0".to_owned(),
            encoding: "UTF8".to_owned(),
            identity: String::new(),
        }
    }

    #[test]
    fn a_server_that_is_too_old_and_another_encoding_are_refused() {
        assert!(facts().check_database().is_ok() && facts().check_role().is_ok());
        let old = ServerFacts { version: 140_011, version_name: "14.11".to_owned(), ..facts() };
        let refused = old.check_database().unwrap_err().to_string();
        assert!(refused.contains("14.11") && refused.contains("15 or newer"), "{refused}");
        let ascii = ServerFacts { encoding: "SQL_ASCII".to_owned(), ..facts() };
        let refused = ascii.check_database().unwrap_err().to_string();
        assert!(refused.contains("SQL_ASCII") && refused.contains("UTF8"), "{refused}");
        let mighty = ServerFacts { is_privileged: true, ..facts() };
        assert!(matches!(mighty.check_role(), Err(ConnectError::Privileged(role)) if role == "registry"));
    }
}
