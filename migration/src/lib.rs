//! The database's shape: SQL with the reasons beside it, in the order in which it grew. Imports nothing of the service.

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{MigrationStatus, MigratorTrait};

/// The schema that holds everything of ours, the migrations' own table included.
pub const SCHEMA: &str = "registry";

/// Applies and takes back the steps of `sql/`. It takes no lock: who runs it holds one (see `db::migrate`).
#[derive(Debug)]
pub struct Migrator;

/// One step: its name in the migrations' table, how to apply it and how to take it back.
struct Step {
    name: &'static str,
    up: &'static str,
    down: &'static str,
}

/// Names a step after its files.
macro_rules! step {
    ($name:literal) => {
        Step {
            name: $name,
            up: include_str!(concat!("../sql/", $name, ".up.sql")),
            down: include_str!(concat!("../sql/", $name, ".down.sql")),
        }
    };
}

static STEPS: [Step; 13] = [
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

/// All the SQL that makes the shape, in order: changes whenever the shape may have.
#[must_use]
pub fn fingerprint() -> String {
    STEPS.iter().flat_map(|step| [step.name, step.up]).collect()
}
