//! The service under test and its data: two customers whose keys flood, and one whose requests must not suffer.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use agent_registry::app::Database;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::serving::{Failure, Serving};

/// The size of the large prompts, in bytes: the largest that the service stores.
const PROMPT: usize = 512 * 1024;
/// The number of agents with long names.
const NAMES: u32 = 20_000;
/// The number of log entries with descriptions is twenty times as large.
const UPDATES: u32 = 100;
/// The time limit for the private Postgres to restart.
const DEADLINE: Duration = Duration::from_secs(30);

/// A customer with a key of all scopes that floods need.
pub struct Tenant {
    /// The customer's id.
    pub id: String,
    /// The secret of its key.
    pub key: String,
    /// An agent with two versions. Their prompts are large and differ in each line, except for the bystander's.
    pub agent: String,
    /// An agent with a version whose prompt is U+0001, repeated.
    pub escaped: String,
}

/// A running service with its data.
pub struct World {
    /// The service.
    pub serving: Serving,
    /// Keeps the private Postgres running while the service restarts.
    database: Database,
    /// A customer with the plan FREE.
    pub free: Tenant,
    /// A customer with the plan ENTERPRISE.
    pub enterprise: Tenant,
    /// The bystander.
    pub other: Tenant,
    /// A token of a user without any membership.
    pub stranger: String,
    has_names: bool,
    has_log: bool,
}

impl World {
    /// Starts a service and creates the customers.
    pub async fn new() -> Result<Self, Failure> {
        let serving = Serving::start("bystander").await?;
        let database = Database::open(&serving.command_settings()).await?;
        let large = [words(1), words(2)];
        let small = ["Answer briefly.\nBe kind.\n".to_owned(), "Answer briefly.\nBe exact.\n".to_owned()];
        Ok(Self {
            free: tenant(&serving, "Town", "FREE", &large).await?,
            enterprise: tenant(&serving, "City", "ENTERPRISE", &large).await?,
            other: tenant(&serving, "Village", "ENTERPRISE", &small).await?,
            stranger: serving.stranger_token()?,
            serving,
            database,
            has_names: false,
            has_log: false,
        })
    }

    /// Stops the service and the private Postgres.
    pub async fn end(self) {
        self.database.leave().await;
    }

    async fn superuser(&self) -> Result<PgConnection, Failure> {
        let url = self.database.embedded().ok_or("no private Postgres")?.url("postgres", "registry");
        Ok(PgConnection::connect(&url).await?)
    }

    /// Gives the customer with the plan ENTERPRISE many agents with long names, once.
    pub async fn add_names(&mut self) -> Result<(), Failure> {
        if std::mem::replace(&mut self.has_names, true) {
            return Ok(());
        }
        let customer = &self.enterprise.id;
        let sql = format!(
            "SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET session_replication_role = replica;
             DROP INDEX registry.agent_name_ends_ending_idx; DROP INDEX registry.agent_name_ends_idx;
             INSERT INTO registry.agents (id, customer_id, name, created_at, updated_at)
             SELECT gen_random_uuid(), '{customer}', repeat('area ', 38) || n, now(), now()
             FROM generate_series(1, {NAMES}) AS n;
             INSERT INTO registry.agent_name_ends (customer_id, agent_id, position, ending)
             SELECT a.customer_id, a.id, place, substr(a.name_lower, place, 40)
             FROM registry.agents AS a, generate_series(1, char_length(a.name_lower)) AS place
             WHERE a.name LIKE 'area area%';
             CREATE INDEX agent_name_ends_ending_idx ON registry.agent_name_ends USING btree (ending, agent_id) INCLUDE (customer_id);
             CREATE INDEX agent_name_ends_idx ON registry.agent_name_ends USING btree (customer_id, ending, agent_id);"
        );
        let mut connection = self.superuser().await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await?;
        sqlx::raw_sql("VACUUM ANALYZE registry.agents, registry.agent_name_ends")
            .execute(&mut connection)
            .await?;
        sqlx::raw_sql("CHECKPOINT").execute(&mut connection).await?;
        Ok(())
    }

    /// Gives the customer with the plan FREE a log with long entries, once.
    pub async fn add_log(&mut self) -> Result<(), Failure> {
        if std::mem::replace(&mut self.has_log, true) {
            return Ok(());
        }
        for request in 0..UPDATES {
            let mut query = String::from("mutation ($id: ID!) {");
            for nth in 0..20 {
                let text = "Describes. ".repeat(170) + &format!("{request} {nth}");
                write!(
                    query,
                    "a{nth}: updateAgent(input: {{agentId: $id, description: \"{text}\"}}) {{ revision }} "
                )?;
            }
            self.serving.gql(&(query + "}"), json!({ "id": self.free.agent })).await?;
        }
        Ok(())
    }

    /// Ends the private Postgres, and waits until the service has started it again.
    pub async fn restart_postgres(&self) -> Result<(), Failure> {
        let embedded = self.database.embedded().ok_or("no private Postgres")?;
        let before = embedded.postmaster().ok_or("no Postgres runs")?;
        let pid = rustix::process::Pid::from_raw(before).ok_or("no process")?;
        rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
        let began = Instant::now();
        while embedded.postmaster().is_none_or(|now| now == before) || self.superuser().await.is_err() {
            if began.elapsed() > DEADLINE {
                return Err("Postgres didn't restart in time".into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Limits the connections of the service's role, or lifts the limit (-1).
    pub async fn limit_connections(&self, most: i32) -> Result<(), Failure> {
        let url = self.database.embedded().ok_or("no private Postgres")?.url_for_service();
        let role = url.split("://").nth(1).and_then(|rest| rest.split(['@', ':', '/']).next());
        let sql = format!("ALTER ROLE \"{}\" CONNECTION LIMIT {most}", role.ok_or("no role")?);
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut self.superuser().await?).await?;
        Ok(())
    }
}

/// Creates a customer with a key, and agents with these prompts.
async fn tenant(serving: &Serving, name: &str, plan: &str, prompts: &[String]) -> Result<Tenant, Failure> {
    let text = async |query: &str, input: Value, at: &str| {
        let answer = serving.gql(query, json!({ "input": input })).await?;
        let found = answer.pointer(at).and_then(Value::as_str).map(str::to_owned);
        found.ok_or_else(|| Failure::from(format!("no {at} in {answer}")))
    };
    let query =
        "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } } }";
    let id = text(query, json!({ "name": name }), "/data/createCustomer/customer/id").await?;
    let query = "mutation ($input: SetPlanInput!) { setPlan(input: $input) { revision } }";
    serving.gql(query, json!({ "input": { "customerId": id, "plan": plan } })).await?;
    let query = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }";
    let scopes = json!(["AGENTS_READ", "AGENTS_WRITE", "CHANGES_READ"]);
    let input = json!({ "customerId": id, "name": "bench", "scopes": scopes });
    let key = text(query, input, "/data/createApiKey/secret").await?;
    let agent = async |name: &str, prompts: &[String]| {
        let query = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } } }";
        let input = json!({ "customerId": id, "name": name });
        let agent = text(query, input, "/data/createAgent/agent/id").await?;
        for prompt in prompts {
            let query = "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) { version { id } } }";
            let input =
                json!({ "agentId": agent, "modelName": "m", "systemPrompt": prompt, "activate": true });
            text(query, input, "/data/publishVersion/version/id").await?;
        }
        Ok::<_, Failure>(agent)
    };
    let (first, escaped) =
        (agent("First", prompts).await?, agent("Escaped", &["\u{1}".repeat(PROMPT)]).await?);
    Ok(Tenant { key, agent: first, escaped, id })
}

/// A large prompt of lines of made-up words. Each seed makes other lines.
fn words(seed: u64) -> String {
    let (mut text, mut state) = (String::with_capacity(PROMPT + 80), seed);
    while text.len() < PROMPT {
        for _ in 0..9 {
            // A linear congruential generator (Knuth's MMIX).
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let letters = state >> 38;
            text.extend(
                (0..5).map(|nth| char::from(b'a' + u8::try_from(letters >> (5 * nth) & 15).unwrap_or(0))),
            );
            text.push(' ');
        }
        text.push('\n');
    }
    text.truncate(PROMPT);
    text
}
