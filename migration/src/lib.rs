//! The database migrations: SQL files with comments, in order. This crate imports nothing of the service.

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{MigrationStatus, MigratorTrait};

/// The database schema that contains all objects, including the migrations' own table.
pub const SCHEMA: &str = "registry";

/// Applies and reverts the migrations in `sql/`. Takes no lock; callers must hold one (see `db::migrate`).
#[derive(Debug)]
pub struct Migrator;

/// A migration: its name in the migrations' table, and the SQL to apply and to revert it.
struct Step {
    name: &'static str,
    up: &'static str,
    down: &'static str,
}

/// Makes a step from the files with this name.
macro_rules! step {
    ($name:literal) => {
        Step {
            name: $name,
            up: include_str!(concat!("../sql/", $name, ".up.sql")),
            down: include_str!(concat!("../sql/", $name, ".down.sql")),
        }
    };
}

static STEPS: [Step; 14] = [
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
    step!("0017_rollback"),
];

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        STEPS.iter().map(|step| Box::new(step) as Box<dyn MigrationTrait>).collect()
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
    STEPS.iter().flat_map(|step| [step.name, step.up]).collect()
}
