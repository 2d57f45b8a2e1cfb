//! Migrations: applied, reverted and applied again, alone and concurrently, leaving nothing behind. The migrated
//! schema equals `migration/schema.sql`.

#![cfg(test)]

#[path = "migration/catalog.rs"]
mod catalog;
#[expect(dead_code, reason = "the other tests use all of this module")]
#[path = "api/support/cluster.rs"]
mod cluster;
#[path = "migration/range.rs"]
mod range;

use agent_registry::db;
use cluster::{Database, template};
use embedded_postgres::SERVICE;
use sqlx::{Connection, PgConnection, Row};

async fn empty() -> Database {
    Database::fresh(&template("empty", SERVICE, async |_: &str, _: &str| {}).await).await
}

#[tokio::test]
async fn the_schema_is_the_one_checked_in() {
    let database = empty().await;
    db::migrate(&database.url).await.unwrap();
    let mut session = PgConnection::connect(&database.admin_url).await.unwrap();
    let (schema, hidden) = catalog::written(&mut session).await;
    assert!(hidden.is_empty(), "tests/migration/catalog.rs doesn't print these: {hidden:?}");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/migration/schema.sql");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, &schema).unwrap();
    }
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    let differs = schema.lines().zip(kept.lines()).find(|(now, kept)| now != kept);
    assert!(
        schema == kept,
        "migration/schema.sql is out of date, at {differs:?}: run `UPDATE=1 cargo test --test migration` and read its diff"
    );
    // The check itself: an index and a sequence more are seen.
    let planted = "CREATE INDEX planted ON registry.agents (name); CREATE SEQUENCE registry.planted_numbers";
    sqlx::raw_sql(planted).execute(&mut session).await.unwrap();
    let (schema, hidden) = catalog::written(&mut session).await;
    assert!(schema.contains("CREATE INDEX planted") && schema != kept);
    assert_eq!(hidden, ["relation of kind S planted_numbers"]);
}

/// Every object in the schema `registry`, by kind and name.
async fn shape(database: &Database) -> Vec<String> {
    let mut session = PgConnection::connect(&database.admin_url).await.unwrap();
    let query = "SELECT kind || ' ' || name FROM (
        SELECT 'relation' AS kind, relname AS name FROM pg_class WHERE relnamespace = 'registry'::regnamespace
        UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = 'registry'::regnamespace
        UNION ALL SELECT 'constraint', conname FROM pg_constraint WHERE connamespace = 'registry'::regnamespace
        UNION ALL SELECT 'policy', polname FROM pg_policy
        UNION ALL SELECT 'trigger', tgname FROM pg_trigger WHERE NOT tgisinternal) AS objects ORDER BY 1";
    sqlx::query(query).fetch_all(&mut session).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn up_down_and_up_again_is_the_same() {
    let database = empty().await;
    assert!(db::migrate(&database.url).await.unwrap() > 0);
    let first = shape(&database).await;
    assert_eq!(db::migrate(&database.url).await.unwrap(), 0);
    db::revert_migrations(&database.url).await.unwrap();
    let bare = shape(&database).await;
    assert!(bare.iter().all(|object| object.contains("seaql_migrations")), "{bare:?}");
    assert!(db::migration_status(&database.url).await.unwrap().known.iter().all(|step| !step.applied));
    assert!(db::migrate(&database.url).await.unwrap() > 0);
    assert_eq!(shape(&database).await, first);
    assert!(db::migration_status(&database.url).await.unwrap().known.iter().all(|step| step.applied));
}

#[tokio::test]
async fn replicas_may_start_together() {
    let database = empty().await;
    let steps = futures_util::future::join_all((0..5).map(|_| db::migrate(&database.url))).await;
    let steps: Vec<usize> = steps.into_iter().map(Result::unwrap).collect();
    assert_eq!(steps.iter().filter(|steps| **steps > 0).count(), 1, "{steps:?}");
}

#[tokio::test]
async fn every_table_with_a_customer_is_behind_row_level_security() {
    let database = empty().await;
    db::migrate(&database.url).await.unwrap();
    let mut session = PgConnection::connect(&database.admin_url).await.unwrap();
    let open = "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'registry'::regnamespace AND c.relkind = 'r'
        AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'customer_id' AND NOT attisdropped)
        AND NOT (c.relrowsecurity AND c.relforcerowsecurity)";
    let list = async |session: &mut PgConnection| -> Vec<String> {
        sqlx::query_scalar(open).fetch_all(session).await.unwrap()
    };
    assert!(list(&mut session).await.is_empty());
    // Checks the check itself: it finds a table without row-level security.
    sqlx::raw_sql("CREATE TABLE registry.planted (customer_id uuid)").execute(&mut session).await.unwrap();
    assert_eq!(list(&mut session).await, ["planted"]);
}

#[tokio::test]
async fn without_a_scope_there_are_no_rows() {
    let database = empty().await;
    db::migrate(&database.url).await.unwrap();
    let mut owner = PgConnection::connect(&database.url).await.unwrap();
    let insert = "INSERT INTO registry.customers (id, name, created_at, updated_at) VALUES (gen_random_uuid(), 'City', now(), now())";
    let refused = sqlx::raw_sql(insert).execute(&mut owner).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"));
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "BEGIN; SET LOCAL registry.scope = 'platform'; {insert}; COMMIT"
    )))
    .execute(&mut owner)
    .await
    .unwrap();
    let count = async |session: &mut PgConnection| {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM registry.customers")
            .fetch_one(session)
            .await
            .unwrap()
    };
    // After a transaction with a scope too: the setting is '' then, and not NULL.
    assert_eq!(count(&mut owner).await, 0);
    assert_eq!(count(&mut PgConnection::connect(&database.admin_url).await.unwrap()).await, 1);
}

#[tokio::test]
async fn the_service_refuses_to_run_as_superuser() {
    let database = empty().await;
    let refused =
        db::Db::connect(&database.admin_url, 2, agent_registry::task::Tasks::default()).await.unwrap_err();
    assert!(refused.to_string().contains("superuser"), "{refused}");
}
