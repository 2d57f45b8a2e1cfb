//! The database migrations: SQL files with comments, in order. This crate imports nothing of the service.
//!
//! A database's schema has the number of its last migration, and a binary that of the last migration that it knows. The
//! [README](../README.md) explains which binaries can serve which schemas.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod lock;
mod record;

pub use record::{Record, Recorded, apply_pending, revert_recorded};

/// The database schema that contains all objects, including the migrations' own tables.
pub const SCHEMA: &str = "registry";

/// Applies and reverts the migrations up to 0013, which `seaql_migrations` records. Takes no lock; callers must hold one
/// (see `db::migrate`). [`apply_pending`] applies the later ones.
#[derive(Debug)]
pub struct Migrator;

/// A migration.
#[derive(Debug)]
pub struct Step {
    /// The migration's name, which begins with its number.
    pub name: &'static str,
    /// The migration's number. Binaries and databases are compared by it.
    pub number: i32,
    /// The lowest schema number of a binary that can serve the result. `None` if the migration only expands the schema,
    /// so that each binary that could serve it before still can.
    pub oldest_binary: Option<i32>,
    /// The SQL that applies it.
    pub up: &'static str,
    /// The SQL that reverts it.
    pub down: &'static str,
}

/// Makes a step from the files with this name. A step expands unless it names the oldest binary that can serve its
/// result: `step!("0019_drop_names", oldest_binary: 17)`.
macro_rules! step {
    ($name:literal) => {
        step!($name => None)
    };
    ($name:literal, oldest_binary: $oldest:literal) => {
        step!($name => Some($oldest))
    };
    ($name:literal => $oldest:expr) => {
        Step {
            name: $name,
            number: const { number($name) },
            oldest_binary: $oldest,
            up: include_str!(concat!("../sql/", $name, ".up.sql")),
            down: include_str!(concat!("../sql/", $name, ".down.sql")),
        }
    };
}

/// The migrations that `seaql_migrations` records. This list is closed: the releases that know no other table refuse to
/// start when that one has more rows, so a later migration is there only if it excludes them.
pub static FIRST_STEPS: [Step; 13] = [
    step!("0001_scope"),
    step!("0002_people"),
    step!("0003_agents"),
    step!("0004_change_log"),
    step!("0005_identity"),
    step!("0006_erasure"),
    step!("0007_search"),
    step!("0008_configs_at"),
    step!("0009_audit"),
    step!("0010_idempotency"),
    step!("0011_growth"),
    step!("0012_writes"),
    step!("0013_erasure"),
];

/// The later migrations, which `schema_migrations` records. A new migration has its line at the end.
pub static STEPS: &[Step] = &[
    step!("0014_schema_range"),
    step!("0015_content"),
    step!("0016_identities"),
    step!("0017_rollback"),
    step!("0018_import"),
    step!("0019_service_tokens"),
    step!("0020_extensions"),
    step!("0021_environments"),
    step!("0022_plan"),
    step!("0023_graph"),
    step!("0024_sessions"),
    step!("0025_lists"),
    step!("0026_gateways"),
];

/// Returns the schema number of this binary: that of the last migration it knows.
#[must_use]
pub fn binary_schema() -> i32 {
    FIRST_STEPS.iter().chain(STEPS).map(|step| step.number).max().unwrap_or(0)
}

/// Reads the number at the beginning of a name.
const fn number(name: &str) -> i32 {
    let [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', d @ b'0'..=b'9', b'_', ..] = name.as_bytes()
    else {
        // A constant expression: this is an error of the compiler.
        unreachable!();
    };
    (*a - b'0') as i32 * 1000 + (*b - b'0') as i32 * 100 + (*c - b'0') as i32 * 10 + (*d - b'0') as i32
}

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        FIRST_STEPS.iter().map(|step| Box::new(step) as Box<dyn MigrationTrait>).collect()
    }
}

impl MigrationName for &'static Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for &'static Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.up).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.down).await.map(drop)
    }
}

/// Returns the SQL of all migrations, in order, as a text that changes whenever they change.
#[must_use]
pub fn fingerprint() -> String {
    FIRST_STEPS.iter().chain(STEPS).flat_map(|step| [step.name, step.up]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_increase_and_no_step_needs_a_later_binary_than_its_own() {
        let steps: Vec<&Step> = FIRST_STEPS.iter().chain(STEPS).collect();
        assert!(steps.is_sorted_by(|one, next| one.number < next.number), "{steps:?}");
        assert_eq!(FIRST_STEPS.iter().map(|step| step.number).max(), Some(13));
        for step in steps {
            assert!(step.oldest_binary.is_none_or(|oldest| (1..=step.number).contains(&oldest)), "{step:?}");
        }
        assert_eq!(number("0142_x"), 142);
    }
}
