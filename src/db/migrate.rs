//! Brings the database to its newest shape, one replica at a time, and lets the service's role in where another owns it.

use std::str::FromStr;

use migration::{MigrationStatus, Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sqlx::postgres::PgConnectOptions;

use super::{open, options};

/// Names the lock that replicas take while they migrate: an arbitrary number, the same for all.
const MIGRATION_LOCK: i64 = 0x6167_656e_7472;

/// One step of the database's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Whether it has been applied.
    pub applied: bool,
}

/// A connection on which migrations run, holding the lock that keeps replicas apart.
async fn migrator(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = options(url, &[("default_transaction_isolation", "read committed")]);
    // One connection, because the lock belongs to a session. It waits for as long as another replica migrates.
    options.min_connections(1).max_connections(1).set_schema_search_path(migration::SCHEMA);
    let pool = open(options).await?;
    pool.execute_unprepared(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})")).await?;
    let exists = format!("SELECT 1 FROM pg_namespace WHERE nspname = '{}'", migration::SCHEMA);
    if pool.query_one_raw(Statement::from_string(DbBackend::Postgres, exists)).await?.is_none() {
        pool.execute_unprepared(&format!("CREATE SCHEMA {}", migration::SCHEMA)).await?;
    }
    Ok(pool)
}

/// Brings the database to the newest shape, under a lock, so that replicas may start together. Answers how many steps it took.
///
/// # Errors
/// [`DbErr`] when Postgres refuses; what had been applied stays.
pub async fn migrate(url: &str) -> Result<usize, DbErr> {
    let pool = migrator(url).await?;
    let pending = Migrator::get_pending_migrations(&pool).await?.len();
    if pending > 0 {
        Migrator::up(&pool, None).await?;
    }
    pool.close().await?;
    Ok(pending)
}

/// What the service's role may do, where it is not the owner: read all, and write what has to change. It may take no
/// table out of row-level security, and neither change nor take away what is kept for ever. What it was granted before
/// is taken from it.
const GRANTS: [&str; 7] = [
    "REVOKE ALL ON ALL TABLES IN SCHEMA registry FROM",
    "GRANT USAGE ON SCHEMA registry TO",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA registry TO",
    "GRANT SELECT ON ALL TABLES IN SCHEMA registry TO",
    "GRANT INSERT ON registry.customers, registry.users, registry.memberships, registry.operators, registry.service_tokens, \
     registry.agents, registry.agent_versions, registry.activations, registry.changes, registry.invitations, \
     registry.api_keys, registry.agent_name_ends, registry.agent_active_tools, registry.idempotency_keys TO",
    "GRANT UPDATE ON registry.customers, registry.users, registry.memberships, registry.operators, registry.service_tokens, \
     registry.agents, registry.agent_versions, registry.activations, registry.log_head, registry.invitations, \
     registry.api_keys, registry.idempotency_keys TO",
    "GRANT DELETE ON registry.users, registry.memberships, registry.operators, registry.invitations, registry.api_keys, \
     registry.agent_name_ends, registry.agent_active_tools, registry.idempotency_keys TO",
];

/// All that makes the shape, and says who may do what with it: changes whenever one of them may have.
#[must_use]
pub fn fingerprint() -> String {
    migration::fingerprint() + &GRANTS.concat()
}

/// Lets the role of `url`, which the service connects as, into the schema that the role of `owner_url` owns. It may be
/// done again without harm.
///
/// # Errors
/// [`DbErr`] when Postgres refuses, or `url` is none.
pub async fn admit(owner_url: &str, url: &str) -> Result<(), DbErr> {
    let options = |url| PgConnectOptions::from_str(url).map_err(|err| DbErr::Custom(err.to_string()));
    let (owner, service) = (options(owner_url)?, options(url)?);
    if owner.get_username() == service.get_username() {
        return Ok(());
    }
    let role = service.get_username().replace('"', "\"\"");
    let pool = migrator(owner_url).await?;
    // Sent as one, it is one transaction: who serves meanwhile lacks nothing.
    let all: String = GRANTS.iter().map(|grant| format!("{grant} \"{role}\"; ")).collect();
    pool.execute_unprepared(&all).await?;
    pool.close().await
}

/// Takes all steps back. For tests of the migrations: it drops every table.
///
/// # Errors
/// [`DbErr`] when Postgres refuses.
pub async fn unmigrate(url: &str) -> Result<(), DbErr> {
    let pool = migrator(url).await?;
    Migrator::down(&pool, None).await?;
    pool.close().await
}

/// The steps, and which of them have been applied.
///
/// # Errors
/// [`DbErr`] when Postgres refuses.
pub async fn migration_status(url: &str) -> Result<Vec<Step>, DbErr> {
    let pool = migrator(url).await?;
    let status = Migrator::get_migration_with_status(&pool).await?;
    let steps = status
        .iter()
        .map(|step| Step { name: step.name().to_owned(), applied: step.status() == MigrationStatus::Applied })
        .collect();
    pool.close().await?;
    Ok(steps)
}
