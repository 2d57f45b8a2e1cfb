//! The test data: many customers with agents and version histories, imported from a file.

use agent_registry::{
    app::{CliContext, Database},
    config::Common,
    domain::{
        Caller,
        customer::{CreateCustomer, Plan},
        transfer::{ImportAgents, ImportOptions},
    },
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{Failure, serving::Serving};

/// The size of a prompt, in bytes.
const PROMPT: usize = 2048;
/// The number of agents per customer.
pub const AGENTS: usize = 10;
/// The number of versions per agent.
pub const VERSIONS: usize = 10;

/// A running service with a filled database.
pub struct World {
    /// The service.
    pub serving: Serving,
    /// Keeps the private Postgres running while the service restarts.
    database: Database,
    /// A gateway's service token.
    pub token: String,
    /// The ids of all customers.
    pub customers: Vec<String>,
    /// The ids of all agents.
    pub agents: Vec<String>,
}

/// The rows of a large registry.
const GROWTH: &str = include_str!("../../tests/api/growth/fill.sql");

impl World {
    /// Starts a service and imports the data of `customers` customers.
    pub async fn new(customers: usize) -> Result<Self, Failure> {
        let (mut world, common) = Self::empty().await?;
        fill(&common, customers).await?;
        world.prepare().await?;
        Ok(world)
    }

    /// Starts a service and generates a large database in SQL. The data is only good for reading.
    pub async fn grown(agents: usize, customers: usize) -> Result<Self, Failure> {
        Self::filled(GROWTH, agents, customers).await
    }

    /// As [`World::grown`], with all agents at the first customer.
    pub async fn grown_at_one(agents: usize) -> Result<Self, Failure> {
        let (before, rest) =
            GROWTH.split_once("RETURN CASE WHEN n <= 30").ok_or("no function of customers")?;
        let (_, after) = rest.split_once(";\n").ok_or("no end of the function")?;
        Self::filled(&format!("{before}RETURN 1;\n{after}"), agents, 30).await
    }

    async fn filled(sql: &str, agents: usize, customers: usize) -> Result<Self, Failure> {
        let (mut world, _) = Self::empty().await?;
        let numbers = [("AGENTS", agents), ("CUSTOMERS", customers), ("VERSIONS", VERSIONS)];
        let sql =
            numbers.iter().fold(sql.to_owned(), |sql, (name, number)| sql.replace(name, &number.to_string()));
        // Deletes the log entries of creating tokens; a trigger forbids that otherwise.
        let empty = "SET session_replication_role = replica; DELETE FROM registry.changes; SET session_replication_role = DEFAULT";
        let mut connection = world.superuser().await?;
        sqlx::raw_sql(empty).execute(&mut connection).await?;
        world.add_rows(sql).await?;
        Ok(world)
    }

    /// Runs these statements as superuser, and restarts the service, whose caches don't know of rows that were written
    /// past it.
    pub async fn add_rows(&mut self, sql: String) -> Result<(), Failure> {
        let mut connection = self.superuser().await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await?;
        self.prepare().await?;
        self.serving.restart().await?;
        Ok(())
    }

    async fn empty() -> Result<(Self, Common), Failure> {
        let serving = Serving::start("speed").await?;
        let common = serving.command_settings();
        let database = Database::open(&common).await?;
        let token = serving.service_token()?;
        Ok((Self { token, serving, database, customers: Vec::new(), agents: Vec::new() }, common))
    }

    /// Prepares the database for measuring, and reads the ids of customers and agents.
    async fn prepare(&mut self) -> Result<(), Failure> {
        let mut connection = self.superuser().await?;
        // Gives the planner statistics, as autovacuum would.
        sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await?;
        // Writes the new rows to disk, so that measurements don't include it.
        sqlx::raw_sql("CHECKPOINT").execute(&mut connection).await?;
        self.customers = ids(&mut connection, "customers").await?;
        self.agents = ids(&mut connection, "agents").await?;
        Ok(())
    }

    /// Returns the ids of an agent's versions, oldest first.
    pub async fn versions(&self, agent: &str) -> Result<Vec<String>, Failure> {
        let ask = "SELECT id::text FROM registry.agent_versions WHERE agent_id = $1::uuid ORDER BY number";
        Ok(sqlx::query_scalar(ask).bind(agent).fetch_all(&mut self.superuser().await?).await?)
    }

    /// Returns the folder of the private Postgres' socket.
    pub fn socket(&self) -> Result<&std::path::Path, Failure> {
        Ok(self.database.embedded().ok_or("no private Postgres")?.socket_dir())
    }

    /// Returns the path of the private Postgres' log.
    pub fn log(&self) -> Result<std::path::PathBuf, Failure> {
        Ok(self.database.embedded().ok_or("no private Postgres")?.log())
    }

    /// Opens a connection as superuser, to which no policy applies.
    pub async fn superuser(&self) -> Result<PgConnection, Failure> {
        let url = self.database.embedded().ok_or("no private Postgres")?.url("postgres", "registry");
        Ok(PgConnection::connect(&url).await?)
    }

    /// Stops the service and the private Postgres.
    pub async fn end(self) {
        let Self { serving, database, .. } = self;
        database.leave().await;
        drop(serving);
    }
}

async fn ids(connection: &mut PgConnection, table: &str) -> Result<Vec<String>, Failure> {
    let ask = format!("SELECT id::text FROM registry.{table} ORDER BY id");
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(ask)).fetch_all(connection).await?)
}

async fn fill(common: &Common, customers: usize) -> Result<(), Failure> {
    let context = CliContext::open(common).await?;
    let (registry, caller) = (&context.registry, Caller::system("bench"));
    let file = file()?;
    let bar = indicatif::ProgressBar::new(u64::try_from(customers)?);
    for nth in 0..customers {
        let made = registry
            .create_customer(&caller, CreateCustomer { name: format!("Customer {nth}"), external_id: None })
            .await?;
        let customer_id = made.value.id;
        registry.set_plan(&caller, customer_id, Plan::Enterprise).await?;
        let options = ImportOptions { activate: true, ..ImportOptions::default() };
        let (input, mut from) = (ImportAgents::new(customer_id, "gpt-4-turbo", options), file.as_slice());
        registry.import(&caller, input, &mut from).await?.run(&mut |_, _| {}).await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    context.close().await;
    Ok(())
}

/// Returns a customer's agents in the import format.
fn file() -> Result<Vec<u8>, Failure> {
    let tools: Vec<Value> = (0..5)
        .map(|nth| {
            json!({ "name": format!("tool_{nth}"), "description": "Looks something up",
                "input_schema": { "type": "object", "properties": { "query": { "type": "string" } } } })
        })
        .collect();
    let mut file = Vec::new();
    for agent in 0..AGENTS {
        let version = |nth: usize| {
            let prompt = format!(
                "You are agent {agent}, revision {nth}. {}",
                "Answer briefly and kindly. ".repeat(PROMPT / 27)
            );
            json!({ "system_prompt": prompt, "model_parameters": { "temperature": 0.2 }, "tools": tools })
        };
        let versions: Vec<Value> = (0..VERSIONS).map(version).collect();
        serde_json::to_writer(
            &mut file,
            &json!({ "agent": format!("Agent {agent}"), "versions": versions }),
        )?;
        file.push(b'\n');
    }
    Ok(file)
}
