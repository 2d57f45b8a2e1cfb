//! Prepares a cluster: runs `initdb`, and creates the service's roles and database. All steps are idempotent. Callers
//! hold `turn.lock` (`mod.rs`).

use super::binaries::Binaries;
use super::error::{EmbeddedError, io, sql};
use super::layout::{Layout, PORT};
use super::server::last_lines;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

/// The role that the service connects as, and the name of its database.
pub const SERVICE: &str = "registry";

/// The role that owns the service's database and its objects. It is used for migrations only.
pub const OWNER: &str = "registry_owner";

/// The cluster's own superuser.
pub const SUPERUSER: &str = "postgres";

/// Creates the cluster in a temporary folder and renames it when complete, so that a crash never leaves a partial
/// cluster.
pub(super) async fn initdb(layout: &Layout, binaries: &Binaries, durable: bool) -> Result<(), EmbeddedError> {
    let data = layout.data();
    let fresh = remove_leftovers(layout)?;
    let mut said = String::new();
    for locale in ["C.UTF-8", "C"] {
        layout.make_private(&fresh)?;
        let output = run_initdb(layout, binaries, durable, &fresh, locale).await?;
        if output.status.success() {
            // The rename replaces an empty folder.
            fs::rename(&fresh, &data).map_err(io("rename the cluster to", &data))?;
            return File::open(&layout.folder)
                .and_then(|folder| folder.sync_all())
                .map_err(io("write", &layout.folder));
        }
        said = last_lines(&String::from_utf8_lossy(&output.stderr));
        fs::remove_dir_all(&fresh).map_err(io("remove", &fresh))?;
        if !said.contains("locale") {
            break;
        }
    }
    Err(EmbeddedError::Initdb { folder: data, said })
}

/// Removes the folders of interrupted `initdb` runs, and returns an unused name. The name is always new, because an
/// `initdb` that outlived its killed parent may still be writing to its folder.
pub(super) fn remove_leftovers(layout: &Layout) -> Result<PathBuf, EmbeddedError> {
    let mut number = 0_u64;
    for child in fs::read_dir(&layout.folder).map_err(io("read", &layout.folder))?.flatten() {
        let name = child.file_name();
        if let Some(other) = name.to_str().and_then(|name| name.strip_prefix("data.new-")) {
            let _ = fs::remove_dir_all(child.path());
            number = number.max(other.parse().unwrap_or(0));
        }
    }
    Ok(layout.folder.join(format!("data.new-{}", number + 1)))
}

async fn run_initdb(
    layout: &Layout,
    binaries: &Binaries,
    durable: bool,
    folder: &Path,
    locale: &str,
) -> Result<Output, EmbeddedError> {
    let program = binaries.program("initdb");
    let mut command = std::process::Command::new(&program);
    command.arg("-D").arg(folder).arg(format!("--username={SUPERUSER}")).arg(format!("--locale={locale}"));
    command.args(["--encoding=UTF8", "--auth-local=trust", "--auth-host=reject", "--no-instructions"]);
    command.arg(if durable { "--data-checksums" } else { "--no-sync" });
    layout.configure_command(&mut command);
    let mut command = tokio::process::Command::from(command);
    command.stdin(Stdio::null()).kill_on_drop(true).output().await.map_err(io("run", &program))
}

/// Creates the roles and the database if they're missing. Success also proves that the server accepts connections.
pub(super) async fn create_roles_and_database(socket: &Path) -> Result<(), EmbeddedError> {
    let action = "create the service's roles and database";
    let mut connection = as_superuser(socket, "postgres").await?;
    let roles: Vec<String> = sqlx::query_scalar("SELECT rolname::text FROM pg_roles WHERE rolname = ANY($1)")
        .bind([OWNER, SERVICE].as_slice())
        .persistent(false)
        .fetch_all(&mut connection)
        .await
        .map_err(sql("list roles"))?;
    let owner: Option<String> =
        sqlx::query_scalar("SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1")
            .bind(SERVICE)
            .persistent(false)
            .fetch_optional(&mut connection)
            .await
            .map_err(sql("find the service's database"))?;
    let (create_owner, create_service) = (
        "CREATE ROLE registry_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION",
        "CREATE ROLE registry LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION",
    );
    for (role, create) in [(OWNER, create_owner), (SERVICE, create_service)] {
        if !roles.iter().any(|known| known == role) {
            sqlx::raw_sql(create).execute(&mut connection).await.map_err(sql(action))?;
        }
    }
    match owner.as_deref() {
        None => {
            let create = "CREATE DATABASE registry OWNER registry_owner TEMPLATE template0 ENCODING 'UTF8'";
            sqlx::raw_sql(create).execute(&mut connection).await.map_err(sql(action))?;
        }
        // A cluster of an older release, in which the service's role owned its database.
        Some(SERVICE) => {
            let mut inside = as_superuser(socket, SERVICE).await?;
            let give = "REASSIGN OWNED BY registry TO registry_owner";
            sqlx::raw_sql(give).execute(&mut inside).await.map_err(sql(action))?;
            inside.close().await.map_err(sql("close a connection"))?;
        }
        Some(_) => {}
    }
    connection.close().await.map_err(sql("close a connection"))
}

async fn as_superuser(socket: &Path, database: &str) -> Result<PgConnection, EmbeddedError> {
    let options = PgConnectOptions::new_without_pgpass()
        .socket(socket)
        .port(PORT)
        .username(SUPERUSER)
        .database(database)
        .ssl_mode(PgSslMode::Disable)
        .disable_statement_logging();
    PgConnection::connect_with(&options).await.map_err(sql("connect"))
}
