//! Applies migrations, one instance at a time, and grants the service's role its rights when another role owns the
//! schema.

use std::{pin::pin, time::Duration};

use migration::{FIRST_STEPS, Migrator, MigratorTrait, Record, STEPS};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr, Statement};
use tokio::time::{Instant, timeout};

use super::{
    ConnectError, DatabaseUrl,
    migration_lock::{open_for_migration, open_for_reading},
    schema_range::{SchemaRefusal, SchemaStatus, check, check_is_current},
};

/// The interval at which a migration that is being applied is logged.
const SAY_INTERVAL: Duration = Duration::from_secs(5);

/// Why the migrations of a database can't be applied or read.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Postgres refused.
    #[error("can't migrate the database: {0}")]
    Database(#[from] DbErr),
    /// The database can't be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// This binary can't serve the database's schema.
    #[error(transparent)]
    Refused(#[from] SchemaRefusal),
    /// The role has no right to the schema. Nothing was changed.
    #[error(
        "the role {role:?} may not change the database's schema{}: run `agent-registry migrate` with its owner in \
         MIGRATE_DATABASE_URL",
        owner_clause(owner.as_deref())
    )]
    NotOwner {
        /// The role that migrates.
        role: String,
        /// The owner of the schema. `None` if there is no schema, and the role may not create it.
        owner: Option<String>,
    },
    /// The role may not read the schema.
    #[error(
        "the role has no rights in the schema `registry`: run `agent-registry migrate` with its owner in MIGRATE_DATABASE_URL, \
         which grants them to the role in DATABASE_URL"
    )]
    NotGranted,
}

impl From<sqlx::Error> for MigrateError {
    fn from(err: sqlx::Error) -> Self {
        Self::Connect(err.into())
    }
}

fn owner_clause(owner: Option<&str>) -> String {
    owner.map_or_else(String::new, |owner| format!(", which {owner:?} owns"))
}

/// Applies all pending migrations under a lock, so that instances may start together. Returns the number applied. A
/// database that a newer binary has only expanded needs none.
///
/// # Errors
/// [`MigrateError`] when this binary can't serve the database, or the role may not change it, which is then unchanged, or
/// when a migration fails. Those applied before it stay applied.
pub async fn migrate(url: impl Into<DatabaseUrl>) -> Result<usize, MigrateError> {
    let pool = open_for_migration(url.into()).await?;
    let applied = apply_pending(&pool).await;
    // Closed after a failure too, since the session holds the lock.
    pool.close().await?;
    applied
}

async fn apply_pending(pool: &DatabaseConnection) -> Result<usize, MigrateError> {
    let record = Record::read(pool).await?;
    check(&record)?;
    let pending: Vec<_> = FIRST_STEPS.iter().chain(STEPS).filter(|step| !record.has(step)).collect();
    if pending.is_empty() {
        return Ok(0);
    }
    check_ownership(pool).await?;
    for step in &pending {
        let apply = async {
            if FIRST_STEPS.iter().any(|first| first.number == step.number) {
                Migrator::up(pool, Some(1)).await
            } else {
                migration::apply_pending(pool, std::slice::from_ref(*step), &record).await.map(drop)
            }
        };
        tracing::info!(migration = step.name, locks = step.locks().join(", "), "applying a migration");
        report_while(step.name, apply).await?;
    }
    Ok(pending.len())
}

/// Awaits a migration, and logs from time to time that it is still being applied.
async fn report_while<T>(migration: &str, work: impl Future<Output = T>) -> T {
    let (mut work, begun) = (pin!(work), Instant::now());
    loop {
        match timeout(SAY_INTERVAL, &mut work).await {
            Ok(done) => return done,
            Err(_) => {
                tracing::info!(migration, seconds = begun.elapsed().as_secs(), "still applying a migration")
            }
        }
    }
}

/// Checks that the role may change the schema, and creates it if it's missing.
async fn check_ownership(pool: &DatabaseConnection) -> Result<(), MigrateError> {
    let ask = format!(
        "SELECT current_user::text AS role, pg_get_userbyid(nspowner)::text AS owner, \
         coalesce(pg_has_role(nspowner, 'USAGE'), has_database_privilege(current_database(), 'CREATE')) AS may \
         FROM (VALUES ('{schema}')) AS wanted (name) LEFT JOIN pg_namespace ON nspname = wanted.name",
        schema = migration::SCHEMA
    );
    let row = pool.query_one_raw(Statement::from_string(DbBackend::Postgres, ask)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("the owner of the schema".to_owned()))?;
    let owner: Option<String> = row.try_get("", "owner")?;
    if !row.try_get("", "may")? {
        return Err(MigrateError::NotOwner { role: row.try_get("", "role")?, owner });
    }
    if owner.is_none() {
        pool.execute_unprepared(&format!("CREATE SCHEMA {}", migration::SCHEMA)).await?;
    }
    Ok(())
}

/// Reads which migrations have been applied, and which schemas this binary and the database have. Writes nothing.
///
/// # Errors
/// [`MigrateError`].
pub async fn migration_status(url: impl Into<DatabaseUrl>) -> Result<SchemaStatus, MigrateError> {
    Ok(SchemaStatus::from(&read_record(url.into()).await?))
}

/// Checks that this binary can serve the database as it is, without migrating it. Writes nothing.
///
/// # Errors
/// [`MigrateError`].
pub async fn check_schema(url: impl Into<DatabaseUrl>) -> Result<(), MigrateError> {
    Ok(check_is_current(&read_record(url.into()).await?)?)
}

/// Waits until no other process migrates the database. Writes nothing.
///
/// # Errors
/// [`MigrateError`].
pub async fn wait_for_migration(url: impl Into<DatabaseUrl>) -> Result<(), MigrateError> {
    Ok(open_for_migration(url.into()).await?.close().await?)
}

async fn read_record(url: DatabaseUrl) -> Result<Record, MigrateError> {
    let pool = open_for_reading(url).await?;
    let record = Record::read(&pool).await;
    pool.close().await?;
    record.map_err(|err| match &err {
        DbErr::Query(RuntimeErr::SqlxError(refused))
            if refused.as_database_error().is_some_and(|err| err.code().as_deref() == Some("42501")) =>
        {
            MigrateError::NotGranted
        }
        _ => MigrateError::Database(err),
    })
}

/// The grants of the service's role when it isn't the owner: it may read all tables, and write only what operations
/// need. It can't disable row-level security, nor change or delete rows of append-only tables.
const GRANTS: [&str; 6] = [
    "GRANT USAGE ON SCHEMA registry TO",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA registry TO",
    "GRANT SELECT ON ALL TABLES IN SCHEMA registry TO",
    "GRANT INSERT ON registry.customers, registry.users, registry.identities, registry.memberships, registry.operators, registry.service_tokens, \
     registry.agents, registry.agent_versions, registry.activations, registry.changes, registry.invitations, \
     registry.api_keys, registry.agent_name_ends, registry.agent_active_tools, registry.idempotency_keys, \
     registry.environments, registry.servings, registry.sessions, registry.sign_in_links, registry.gateways, registry.gateway_watches, \
     registry.gateway_rejections, registry.gateway_instances, registry.gateway_epochs TO",
    "GRANT UPDATE ON registry.customers, registry.users, registry.identities, registry.memberships, registry.operators, registry.service_tokens, \
     registry.agents, registry.agent_versions, registry.activations, registry.log_head, registry.invitations, \
     registry.api_keys, registry.idempotency_keys, registry.environments, registry.servings, registry.sessions, \
     registry.sign_in_links, registry.gateways, registry.gateway_watches, registry.gateway_rejections, registry.gateway_instances TO",
    "GRANT DELETE ON registry.users, registry.memberships, registry.operators, registry.invitations, registry.api_keys, \
     registry.agent_name_ends, registry.agent_active_tools, registry.idempotency_keys, registry.sessions, registry.sign_in_links, \
     registry.gateways, registry.gateway_watches, registry.gateway_rejections, registry.gateway_instances TO",
];

/// Revokes earlier grants, before [`GRANTS`]. Not on a database of a newer schema: its binaries may need more, and serve
/// at the same time.
const REVOKE: &str = "REVOKE ALL ON ALL TABLES IN SCHEMA registry FROM";

/// Returns a text that changes whenever the migrations or the grants change.
#[must_use]
pub fn fingerprint() -> String {
    migration::fingerprint() + &GRANTS.concat()
}

/// Grants the role of `url`, as which the service connects, its rights in the schema owned by the role of
/// `owner_url`. Does nothing if both are the same role. Idempotent.
///
/// # Errors
/// [`MigrateError`] when a URL is invalid or Postgres refuses.
pub async fn grant_service_role(
    owner_url: impl Into<DatabaseUrl>,
    url: impl Into<DatabaseUrl>,
) -> Result<(), MigrateError> {
    let (owner_url, url) = (owner_url.into(), url.into());
    let service = url.role().map_err(ConnectError::from)?;
    if owner_url.role().map_err(ConnectError::from)? == service {
        return Ok(());
    }
    let role = service.replace('"', "\"\"");
    let pool = open_for_migration(owner_url).await?;
    let has_newer = Record::read(&pool).await?.newer().next().is_some();
    let revoke = if has_newer { None } else { Some(&REVOKE) };
    // All grants are sent as one simple query, hence one transaction, so running instances never lack a right.
    let all: String =
        revoke.into_iter().chain(&GRANTS).map(|grant| format!("{grant} \"{role}\"; ")).collect();
    pool.execute_unprepared(&all).await?;
    Ok(pool.close().await?)
}

/// Reverts all migrations, which drops every table. For tests of the migrations.
///
/// # Errors
/// [`MigrateError`] when Postgres refuses.
pub async fn revert_migrations(url: impl Into<DatabaseUrl>) -> Result<(), MigrateError> {
    let pool = open_for_migration(url.into()).await?;
    let record = Record::read(&pool).await?;
    migration::revert_recorded(&pool, &record).await?;
    Migrator::down(&pool, None).await?;
    Ok(pool.close().await?)
}
