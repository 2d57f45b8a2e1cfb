//! Applies migrations, one instance at a time, and grants the service's role its rights when another role owns the
//! schema.

use std::str::FromStr;

use migration::{MigrationStatus, Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sqlx::postgres::PgConnectOptions;

use super::{open, options};

/// The key of the advisory lock that serialises migrations: an arbitrary number.
const MIGRATION_LOCK: i64 = 0x6167_656e_7472;

/// A migration and its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The migration's name.
    pub name: String,
    /// Whether the migration has been applied.
    pub applied: bool,
}

/// Opens a connection for migrations that holds the migration lock. Creates the schema if it's missing.
async fn open_for_migration(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = options(url, &[("default_transaction_isolation", "read committed")]);
    // One connection, because an advisory lock belongs to a session. Acquiring it waits while another instance
    // migrates.
    options.min_connections(1).max_connections(1).set_schema_search_path(migration::SCHEMA);
    let pool = open(options).await?;
    pool.execute_unprepared(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})")).await?;
    let exists = format!("SELECT 1 FROM pg_namespace WHERE nspname = '{}'", migration::SCHEMA);
    if pool.query_one_raw(Statement::from_string(DbBackend::Postgres, exists)).await?.is_none() {
        pool.execute_unprepared(&format!("CREATE SCHEMA {}", migration::SCHEMA)).await?;
    }
    Ok(pool)
}

/// Applies all pending migrations under a lock, so that instances may start together. Returns the number applied.
///
/// # Errors
/// [`DbErr`] when a migration fails. Those applied before it stay applied.
pub async fn migrate(url: &str) -> Result<usize, DbErr> {
    let pool = open_for_migration(url).await?;
    let pending = Migrator::get_pending_migrations(&pool).await?.len();
    if pending > 0 {
        Migrator::up(&pool, None).await?;
    }
    pool.close().await?;
    Ok(pending)
}

/// The grants of the service's role when it isn't the owner: it may read all tables, and write only what operations
/// need. It can't disable row-level security, nor change or delete rows of append-only tables. Earlier grants are
/// revoked first.
const GRANTS: [&str; 7] = [
    "REVOKE ALL ON ALL TABLES IN SCHEMA registry FROM",
    "GRANT USAGE ON SCHEMA registry TO",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA registry TO",
    "GRANT SELECT ON ALL TABLES IN SCHEMA registry TO",
    "GRANT INSERT ON registry.customers, registry.users, registry.memberships, registry.operators, registry.service_tokens, \
     registry.agents, registry.agent_versions, registry.activations, registry.changes, registry.invitations, \
     registry.api_keys, registry.agent_name_ends, registry.agent_active_tools, registry.idempotency_keys, \
     registry.rollback_targets TO",
    "GRANT UPDATE ON registry.customers, registry.users, registry.memberships, registry.operators, registry.service_tokens, \
     registry.agents, registry.agent_versions, registry.activations, registry.log_head, registry.invitations, \
     registry.api_keys, registry.idempotency_keys, registry.rollback_targets TO",
    "GRANT DELETE ON registry.users, registry.memberships, registry.operators, registry.invitations, registry.api_keys, \
     registry.agent_name_ends, registry.agent_active_tools, registry.idempotency_keys, registry.rollback_targets TO",
];

/// Returns a text that changes whenever the migrations or the grants change.
#[must_use]
pub fn fingerprint() -> String {
    migration::fingerprint() + &GRANTS.concat()
}

/// Grants the role of `url`, as which the service connects, its rights in the schema owned by the role of
/// `owner_url`. Does nothing if both are the same role. Idempotent.
///
/// # Errors
/// [`DbErr`] when a URL is invalid or Postgres refuses.
pub async fn grant_service_role(owner_url: &str, url: &str) -> Result<(), DbErr> {
    let options = |url| PgConnectOptions::from_str(url).map_err(|err| DbErr::Custom(err.to_string()));
    let (owner, service) = (options(owner_url)?, options(url)?);
    if owner.get_username() == service.get_username() {
        return Ok(());
    }
    let role = service.get_username().replace('"', "\"\"");
    let pool = open_for_migration(owner_url).await?;
    // All grants are sent as one simple query, hence one transaction, so running instances never lack a right.
    let all: String = GRANTS.iter().map(|grant| format!("{grant} \"{role}\"; ")).collect();
    pool.execute_unprepared(&all).await?;
    pool.close().await
}

/// Reverts all migrations, which drops every table. For tests of the migrations.
///
/// # Errors
/// [`DbErr`] when Postgres refuses.
pub async fn revert_migrations(url: &str) -> Result<(), DbErr> {
    let pool = open_for_migration(url).await?;
    Migrator::down(&pool, None).await?;
    pool.close().await
}

/// Lists all migrations and whether each has been applied.
///
/// # Errors
/// [`DbErr`] when Postgres refuses.
pub async fn migration_status(url: &str) -> Result<Vec<Step>, DbErr> {
    let pool = open_for_migration(url).await?;
    let status = Migrator::get_migration_with_status(&pool).await?;
    let steps = status
        .iter()
        .map(|step| Step { name: step.name().to_owned(), applied: step.status() == MigrationStatus::Applied })
        .collect();
    pool.close().await?;
    Ok(steps)
}
