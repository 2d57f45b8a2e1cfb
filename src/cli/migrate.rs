//! `migrate`: applies database migrations, or prints their status.

use clap::Args;

use super::{Failure, print_line};
use crate::{app::Database, config::Common};

/// Apply database migrations
#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// Only print which migrations have been applied, and which schemas the database and this binary have
    #[arg(long)]
    status: bool,
}

impl Migrate {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        let database = Database::open(common).await?;
        let done = self.act(&database).await;
        database.leave().await;
        done
    }

    async fn act(&self, database: &Database) -> Result<(), Failure> {
        if self.status {
            return Ok(print_line(format_args!("{}", database.status().await?))?);
        }
        match database.migrate().await? {
            0 => print_line(format_args!("the database is up to date"))?,
            steps => print_line(format_args!("applied {steps} migration(s)"))?,
        }
        Ok(())
    }
}
