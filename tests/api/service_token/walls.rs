//! The third wall: a limited token's transactions see rows of its customers alone, only of the tables that a gateway
//! reads, and change none.

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::{Served, create};
use crate::support::{App, caller::Operator};

/// A session of the service's own role, in the scope of a token that is limited to this customer.
async fn limited_session(app: &App, customer: &str) -> PgConnection {
    let mut session = PgConnection::connect(&app.database.url).await.unwrap();
    let scope = format!("SET registry.scope = 'limited'; SET registry.customers = '{{{customer}}}'");
    sqlx::raw_sql(AssertSqlSafe(scope)).execute(&mut session).await.unwrap();
    session
}

/// The customers of the rows of this table that the session sees.
async fn customers_in(session: &mut PgConnection, table: &str) -> Vec<String> {
    let column = if table == "customers" { "id" } else { "customer_id" };
    let sql = format!("SELECT DISTINCT {column}::text FROM registry.{table} ORDER BY 1");
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(session).await.unwrap();
    rows.iter().map(|row| row.get::<Option<String>, _>(0).unwrap_or_else(|| "platform".to_owned())).collect()
}

async fn filled(operator: &Operator) -> [Served; 2] {
    let served = [Served::new(operator, "City").await, Served::new(operator, "Town").await];
    for Served { customer, .. } in &served {
        let invite = "mutation ($id: ID!) { inviteMember(input: { customerId: $id, email: \"a@example.org\", role: VIEWER }) { revision }
            createApiKey(input: { customerId: $id, name: \"n\", scopes: [AGENTS_READ] }) { revision } }";
        operator.gql(invite, json!({ "id": customer })).await.text("/createApiKey/revision");
    }
    served
}

#[tokio::test]
async fn a_limited_scope_reads_what_a_gateway_reads_of_its_customers_alone() {
    let app = App::start().await;
    let operator = app.operator().await;
    let [city, town] = filled(&operator).await;
    for Served { customer, .. } in [&city, &town] {
        app.member(customer, agent_registry::domain::member::Role::Admin).await;
    }
    let mut session = limited_session(&app, &city.customer).await;
    for table in ["customers", "agents", "agent_versions", "activations", "changes"] {
        assert_eq!(customers_in(&mut session, table).await, [city.customer.as_str()], "{table}");
    }
    // The same session sees each of these in the scope of a member: the tables aren't empty.
    let personal = ["memberships", "api_keys", "invitations"];
    for table in personal {
        assert_eq!(customers_in(&mut session, table).await, Vec::<String>::new(), "{table}");
    }
    sqlx::raw_sql("SET registry.scope = 'customers'").execute(&mut session).await.unwrap();
    for table in personal {
        assert_eq!(customers_in(&mut session, table).await, [city.customer.as_str()], "{table}");
    }
    sqlx::raw_sql("SET registry.scope = 'limited'").execute(&mut session).await.unwrap();
    for table in
        ["users", "identities", "operators", "service_tokens", "idempotency_keys", "rollback_targets"]
    {
        let sql = format!("SELECT count(*) FROM registry.{table}");
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut session).await.unwrap();
        assert_eq!(count, 0, "{table}");
    }
}

#[tokio::test]
async fn a_limited_scope_changes_nothing() {
    let app = App::start().await;
    let operator = app.operator().await;
    let city = Served::new(&operator, "City").await;
    let mut session = limited_session(&app, &city.customer).await;
    for (table, column) in [("customers", "name"), ("agents", "name"), ("agent_versions", "message")] {
        let sql = format!("UPDATE registry.{table} SET {column} = 'changed'");
        // A policy hides the rows; a missing grant refuses the statement.
        if let Ok(done) = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut session).await {
            assert_eq!(done.rows_affected(), 0, "{table}");
        }
    }
    let insert = format!(
        "INSERT INTO registry.agents (id, customer_id, name, created_at, updated_at)
         VALUES (gen_random_uuid(), '{}', 'new', now(), now())",
        city.customer
    );
    let refused = sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut session).await.unwrap_err();
    assert!(refused.to_string().contains("row-level security"), "{refused}");
}

/// Binaries without `customer_ids` and `expires_at` read the rows by these columns.
#[tokio::test]
async fn an_older_binary_reads_no_limit_as_none() {
    let app = App::start().await;
    let operator = app.operator().await;
    let city = Served::new(&operator, "City").await;
    let ends = app.clock.now() + chrono::TimeDelta::hours(1);
    let (limited, ending) = (
        create(&operator, json!({ "customerIds": [city.customer] })).await,
        create(&operator, json!({ "expiresAt": ends })).await,
    );
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let hash =
        "SELECT secret_hash = sha256(decode($2, 'hex')) FROM registry.service_tokens WHERE id = $1::uuid";
    for (made, is_known) in [(&limited, false), (&ending, true)] {
        let secret = made.text("/createServiceToken/secret");
        let matches: bool = sqlx::query_scalar(hash)
            .bind(made.text("/createServiceToken/serviceToken/id"))
            .bind(&secret[36..100])
            .fetch_one(&mut session)
            .await
            .unwrap();
        assert_eq!(matches, is_known);
    }
    // The end has passed by the database's clock: the row is hidden from whatever reads credentials.
    let past = "UPDATE registry.service_tokens SET expires_at = now() - interval '1 second' WHERE expires_at IS NOT NULL";
    sqlx::raw_sql(past).execute(&mut session).await.unwrap();
    let mut service = PgConnection::connect(&app.database.url).await.unwrap();
    sqlx::raw_sql("SET registry.scope = 'auth'").execute(&mut service).await.unwrap();
    let seen: Vec<String> = sqlx::query_scalar("SELECT id::text FROM registry.service_tokens")
        .fetch_all(&mut service)
        .await
        .unwrap();
    assert_eq!(seen, [limited.text("/createServiceToken/serviceToken/id")]);
}
