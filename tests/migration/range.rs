//! The range of schemas, with migrations of a newer binary planted: what they only expand is served, what excludes this
//! binary is refused in words, and nothing is changed then. `tests/api/rolling/released.rs` does the same with a real
//! older binary.

use agent_registry::db::{self, MigrateError, SchemaRefusal, SchemaStatus};
use embedded_postgres::{OWNER, SERVICE};
use migration::{Record, Step};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{
    cluster::{Database, template},
    shape,
};

/// A database that this binary has migrated, with the service's role apart from the owner.
async fn migrated() -> Database {
    let migrate = async |owner: &str, url: &str| {
        db::migrate(owner).await.unwrap();
        db::grant_service_role(owner, url).await.unwrap();
    };
    Database::fresh(&template(&format!("range {}", db::fingerprint()), OWNER, migrate).await).await
}

/// Does what a newer binary does: applies a migration with this SQL.
async fn plant(
    database: &Database,
    number: i32,
    name: &'static str,
    oldest_binary: Option<i32>,
    up: &'static str,
) {
    let owner = sea_orm::Database::connect(&database.owner_url).await.unwrap();
    let record = Record::read(&owner).await.unwrap();
    let step = Step { name, number, oldest_binary, up, down: "" };
    assert_eq!(migration::apply_pending(&owner, &[step], &record).await.unwrap(), 1);
    owner.close().await.unwrap();
}

async fn run_as_owner(database: &Database, sql: &str) {
    let mut owner = PgConnection::connect(&database.owner_url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut owner).await.unwrap();
}

/// All objects, the recorded migrations, and the grants of the service's role.
async fn state(database: &Database) -> (Vec<String>, Vec<String>, Vec<String>) {
    let mut session = PgConnection::connect(&database.admin_url).await.unwrap();
    let recorded = "SELECT r::text FROM registry.schema_migrations AS r ORDER BY number";
    let recorded = sqlx::query_scalar(recorded).fetch_all(&mut session).await.unwrap();
    let grants = "SELECT table_name || ' ' || privilege_type FROM information_schema.role_table_grants
        WHERE table_schema = 'registry' AND grantee = $1 ORDER BY 1";
    let grants = sqlx::query_scalar(grants).bind(SERVICE).fetch_all(&mut session).await.unwrap();
    (shape(database).await, recorded, grants)
}

/// Runs a command of the program on this database. Returns its exit code, and all it printed.
async fn run(database: &Database, args: &[&str]) -> (Option<i32>, String) {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_agent-registry"))
        .args(args)
        .env("DATABASE_URL", &database.url)
        .env("MIGRATE_DATABASE_URL", &database.owner_url)
        .env("DATA_DIR", std::env::temp_dir().join("agent-registry-no-such-folder"))
        .env("LISTEN", "127.0.0.1:0")
        .env("JWT_ISSUER", "https://issuer.test")
        .env("JWT_JWKS", "https://127.0.0.1:9/keys")
        .env("LOG", "error")
        .output()
        .await
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn a_schema_that_a_newer_binary_has_only_expanded_is_served() {
    let database = migrated().await;
    let expand = "ALTER TABLE registry.agents ADD COLUMN planted text; CREATE TABLE registry.planted (x int)";
    plant(&database, 9000, "9000_planted", None, expand).await;
    // A newer binary serves at the same time, and needs this grant.
    run_as_owner(&database, &format!("GRANT INSERT ON registry.planted TO {SERVICE}")).await;

    assert_eq!(db::migrate(&database.owner_url).await.unwrap(), 0);
    db::grant_service_role(&database.owner_url, &database.url).await.unwrap();
    let (_, _, grants) = state(&database).await;
    assert!(grants.contains(&"planted INSERT".to_owned()), "{grants:?}");
    assert!(!grants.contains(&"changes UPDATE".to_owned()), "{grants:?}");

    let status = db::migration_status(&database.owner_url).await.unwrap();
    let SchemaStatus { known, newer, database: schema, oldest_binary, binary } = status;
    assert!(known.iter().all(|step| step.applied), "{known:?}");
    assert_eq!((newer, schema, oldest_binary), (vec!["9000_planted".to_owned()], 9000, 1));
    let (code, text) = run(&database, &["migrate", "--status"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("applied  0014_schema_range\n") && text.contains("newer    9000_planted\n"),
        "{text}"
    );
    assert!(
        text.contains("the database has schema 9000: binaries of schema 1 or newer can serve it\n"),
        "{text}"
    );
    assert!(text.contains(&format!("this binary has schema {binary}: ")), "{text}");
}

#[tokio::test]
async fn a_newer_schema_that_names_this_binary_as_its_oldest_is_served() {
    let database = migrated().await;
    let binary = db::migration_status(&database.owner_url).await.unwrap().binary;
    let (drop, add) = ("DROP TABLE registry.planted", "CREATE TABLE registry.planted (x int)");
    plant(&database, 9000, "9000_planted", None, add).await;
    plant(&database, 9001, "9001_planted", Some(binary), drop).await;
    plant(&database, 9002, "9002_planted", None, add).await;
    assert_eq!(db::migrate(&database.owner_url).await.unwrap(), 0);
}

#[tokio::test]
async fn a_newer_schema_that_excludes_this_binary_is_refused_and_stays_as_it_is() {
    let database = migrated().await;
    let binary = db::migration_status(&database.owner_url).await.unwrap().binary;
    // Without a record of its own steps, this binary would apply them again.
    run_as_owner(&database, "DELETE FROM registry.schema_migrations").await;
    plant(&database, 9000, "9000_planted", Some(8999), "DROP TABLE registry.operators").await;
    // A later step that expands doesn't take the exclusion back.
    plant(&database, 9001, "9001_planted", None, "CREATE TABLE registry.planted (x int)").await;
    let before = state(&database).await;

    let refused = db::migrate(&database.owner_url).await.unwrap_err();
    let MigrateError::Refused(refused) = refused else { panic!("{refused}") };
    assert_eq!(refused, SchemaRefusal::TooNew { database: 9001, oldest_binary: 8999, binary });
    for command in [["migrate"].as_slice(), &["serve"], &["operator", "list"]] {
        let (code, text) = run(&database, command).await;
        assert_eq!(code, Some(1), "{command:?}: {text}");
        let words = "the database has schema 9001, which binaries of schema 8999 or newer can serve";
        assert!(
            text.contains(words) && text.contains(&format!("has schema {binary}:")),
            "{command:?}: {text}"
        );
    }
    assert_eq!(state(&database).await, before);
}

#[tokio::test]
async fn a_migration_that_is_none_of_this_program_is_refused() {
    let database = migrated().await;
    run_as_owner(&database, "UPDATE registry.schema_migrations SET name = '0014_other' WHERE number = 14")
        .await;
    let before = state(&database).await;
    let refused = db::migrate(&database.owner_url).await.unwrap_err();
    let MigrateError::Refused(refused) = refused else { panic!("{refused}") };
    assert!(matches!(&refused, SchemaRefusal::Foreign { name, .. } if name == "0014_other"), "{refused}");
    assert_eq!(state(&database).await, before);
}

/// The names in `seaql_migrations`: a release that knows no other table refuses to start on a name that it doesn't know.
async fn last_of_the_first(database: &Database) -> String {
    let mut session = PgConnection::connect(&database.admin_url).await.unwrap();
    let last = "SELECT max(version) FROM registry.seaql_migrations";
    sqlx::query_scalar(last).fetch_one(&mut session).await.unwrap()
}

#[tokio::test]
async fn the_first_releases_see_only_the_migrations_that_exclude_them() {
    let database = migrated().await;
    plant(&database, 9000, "9000_planted", None, "CREATE TABLE registry.planted (x int)").await;
    assert_eq!(last_of_the_first(&database).await, "0013_erasure");
    plant(&database, 9001, "9001_planted", Some(9000), "DROP TABLE registry.planted").await;
    assert_eq!(last_of_the_first(&database).await, "9001_planted");
}

/// The tables that releases of schema 13 know. When they start, they revoke the service's rights on all others.
const FIRST_TABLES: [&str; 16] = [
    "activations",
    "agent_active_tools",
    "agent_name_ends",
    "agent_versions",
    "agents",
    "api_keys",
    "changes",
    "customers",
    "idempotency_keys",
    "invitations",
    "log_floor",
    "log_head",
    "memberships",
    "operators",
    "service_tokens",
    "users",
];

/// The triggers' functions that run with their caller's rights, and name a table that the first releases don't know.
async fn powerless(session: &mut PgConnection) -> Vec<String> {
    let functions = "SELECT DISTINCT proname || ' ' || relname FROM pg_proc AS p
        JOIN pg_trigger ON tgfoid = p.oid AND NOT tgisinternal
        JOIN pg_class AS c ON c.relnamespace = 'registry'::regnamespace AND c.relkind = 'r'
        WHERE pronamespace = 'registry'::regnamespace AND NOT prosecdef AND relname <> ALL ($1)
        AND prosrc ~ ('registry\\.' || relname || '\\M') ORDER BY 1";
    sqlx::query_scalar(functions).bind(FIRST_TABLES.as_slice()).fetch_all(session).await.unwrap()
}

#[tokio::test]
async fn no_trigger_needs_rights_that_the_first_releases_revoke() {
    let database = migrated().await;
    let mut session = PgConnection::connect(&database.admin_url).await.unwrap();
    assert_eq!(powerless(&mut session).await, Vec::<String>::new());
    // The check itself: it finds a trigger that runs with its caller's rights.
    let planted = "CREATE TABLE registry.planted (x int);
        CREATE FUNCTION registry.plants() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO registry.planted VALUES (1); RETURN NULL; END $$;
        CREATE TRIGGER planted AFTER INSERT ON registry.agents FOR EACH ROW EXECUTE FUNCTION registry.plants()";
    sqlx::raw_sql(planted).execute(&mut session).await.unwrap();
    assert_eq!(powerless(&mut session).await, ["plants planted"]);
}
