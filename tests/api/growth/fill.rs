//! Fills a database with many rows.

use agent_registry::db;
use embedded_postgres::OWNER;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::cluster::{Database, template};

/// The number of rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) agents: usize,
    pub(super) customers: usize,
    /// Versions of each agent.
    pub(super) versions: usize,
}

/// Kinds of rows. The id of a row contains its kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Customer,
    User,
    Agent,
    Version,
    Activation,
}

/// The id of the row with this number.
pub(super) fn id(kind: Kind, number: usize) -> String {
    let kind = match kind {
        Kind::Customer => "c000",
        Kind::User => "d000",
        Kind::Agent => "a000",
        Kind::Version => "b000",
        Kind::Activation => "9000",
    };
    format!("{number:08x}-{kind}-7000-8000-000000000000")
}

impl Size {
    /// Makes a database of this size.
    pub(super) async fn database(self) -> Database {
        let migrate = async |owner: &str, url: &str| {
            db::migrate(owner).await.unwrap();
            db::grant_service_role(owner, url).await.unwrap();
        };
        let database = Database::fresh(&template(&db::fingerprint(), OWNER, migrate).await).await;
        let sql = include_str!("fill.sql");
        let numbers = [("AGENTS", self.agents), ("CUSTOMERS", self.customers), ("VERSIONS", self.versions)];
        let sql =
            numbers.iter().fold(sql.to_owned(), |sql, (name, number)| sql.replace(name, &number.to_string()));
        let mut admin = PgConnection::connect(&database.admin_url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        // VACUUM can't run in a transaction, so it is a statement of its own.
        sqlx::raw_sql("VACUUM ANALYZE").execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
        database
    }

    /// The number of the user who is a member of many customers.
    pub(super) fn busy(self) -> usize {
        self.customers + 1000
    }

    /// The last revision.
    pub(super) fn head(self) -> usize {
        self.agents * (self.versions + 4)
    }
}
