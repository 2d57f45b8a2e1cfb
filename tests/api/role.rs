//! Database roles: one role owns the schema, another serves and owns nothing, so that no fault of the service can
//! turn row-level security off.

use agent_registry::{db, domain::KeyScope, domain::member::Role, task::Tasks};
use embedded_postgres::SERVICE;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::{
    Calls,
    app::{Instance, Setup},
    cluster::{Database, cluster, template},
};

const OWNER: &str = "registry_test_owner";
const SERVES: &str = "registry_test_serves";

/// An empty database owned by OWNER, with its URLs for both roles.
async fn apart() -> (Database, String, String) {
    let database = Database::fresh(&template("empty", SERVICE, async |_: &str, _: &str| {}).await).await;
    let mut admin = PgConnection::connect(&database.admin_url).await.unwrap();
    for role in [OWNER, SERVES] {
        let create = format!("CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS");
        // Another run may have created the role.
        drop(sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut admin).await);
    }
    let name: String =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut admin).await.unwrap();
    let own = format!("ALTER DATABASE {name} OWNER TO {OWNER}");
    sqlx::raw_sql(AssertSqlSafe(own)).execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
    let cluster = cluster().await;
    let (owner, serves) = (cluster.url(OWNER, &name), cluster.url(SERVES, &name));
    db::migrate(&owner).await.unwrap();
    (database, owner, serves)
}

#[tokio::test]
async fn the_service_needs_to_own_nothing() {
    let (_database, owner, serves) = apart().await;
    db::grant_service_role(&owner, &serves).await.unwrap();
    db::grant_service_role(&owner, &serves).await.unwrap();
    let app = Instance::start(&serves, Setup::default()).await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let admin = app.member(&customer, Role::Admin).await;
    let agent = admin.agent(&customer, "Helper").await;
    let version = admin.publish(&agent, "You help.").await;
    assert_eq!(admin.activate(&agent, &version).await.at("/activateVersion/userErrors"), &json!([]));
    let program = app.program(&customer, [KeyScope::ConfigsRead]).await;
    let config = program.get(&format!("/internal/agents/{agent}/active")).await;
    assert_eq!(config.body["system_prompt"], "You help.");
    let rename =
        "mutation ($id: ID!) { updateAgent(input: { agentId: $id, name: \"New\" }) { userErrors { code } } }";
    assert_eq!(admin.gql(rename, json!({ "id": agent })).await.at("/updateAgent/userErrors"), &json!([]));
    let invite = "mutation ($id: ID!) { inviteMember(input: { customerId: $id, email: \"ada@example.org\", role: EDITOR }) { userErrors { code } } }";
    admin.gql(invite, json!({ "id": customer })).await;
    let ada = app.user("ada", Some("ada@example.org")).gql("{ viewer { user { id } } }", Value::Null).await;
    let remove =
        "mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "customerId": customer, "userId": ada.text("/viewer/user/id") } });
    assert_eq!(admin.gql(remove, input).await.at("/removeMember/userErrors"), &json!([]));
    let cancel = "mutation ($id: ID!) { setBillingStatus(input: { customerId: $id, status: CANCELED }) { userErrors { code } } }";
    operator.gql(cancel, json!({ "id": customer })).await;
    let erase = "mutation ($id: ID!) { eraseCustomer(input: { customerId: $id }) { userErrors { code } } }";
    let erased = operator.gql(erase, json!({ "id": customer })).await;
    assert_eq!(erased.at("/eraseCustomer/userErrors"), &json!([]));
    app.registry
        .remove_operator(
            &agent_registry::domain::Caller::system("test"),
            app.registry.issuer().unwrap(),
            "olga",
        )
        .await
        .unwrap();
    app.stop().await;
}

#[tokio::test]
async fn who_serves_can_take_down_no_wall() {
    let (_database, owner, serves) = apart().await;
    let outside = PgConnection::connect(&serves).await;
    let mut session = outside.unwrap();
    let closed = sqlx::raw_sql("SELECT 1 FROM registry.customers").execute(&mut session).await.unwrap_err();
    assert_eq!(closed.as_database_error().unwrap().code().as_deref(), Some("42501"), "before `admit`");
    // `admit` revokes a privilege that was granted by mistake.
    let mut given = PgConnection::connect(&owner).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("GRANT DELETE, TRUNCATE ON registry.changes TO {SERVES}")))
        .execute(&mut given)
        .await
        .unwrap();
    db::grant_service_role(&owner, &serves).await.unwrap();
    for attempt in [
        "ALTER TABLE registry.agents DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE registry.agents NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE registry.changes DISABLE TRIGGER ALL",
        "DROP POLICY agents_read ON registry.agents",
        "CREATE POLICY open ON registry.agents USING (true)",
        "DROP TRIGGER agent_versions_immutable ON registry.agent_versions",
        "CREATE OR REPLACE FUNCTION registry.scope() RETURNS text LANGUAGE sql RETURN 'platform'",
        "TRUNCATE registry.changes",
        "UPDATE registry.changes SET details = '{}'",
        "DELETE FROM registry.changes",
        "UPDATE registry.log_floor SET keep = '0'",
        "DELETE FROM registry.agent_versions",
        "DELETE FROM registry.customers",
        "INSERT INTO registry.log_head (log_id, revision, position, at, chain_hash) VALUES (gen_random_uuid(), 0, 0, now(), '')",
        "UPDATE registry.seaql_migrations SET version = ''",
        "UPDATE registry.schema_migrations SET oldest_binary = number",
        "CREATE TABLE registry.mine (x int)",
    ] {
        let refused = sqlx::raw_sql(AssertSqlSafe(attempt)).execute(&mut session).await;
        let code = refused.expect_err(attempt).as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "42501", "{attempt}");
    }
}

#[tokio::test]
async fn who_could_become_more_is_refused() {
    let (database, owner, serves) = apart().await;
    db::grant_service_role(&owner, &serves).await.unwrap();
    let mut admin = PgConnection::connect(&database.admin_url).await.unwrap();
    // A role of this test only: other tests use the others concurrently.
    let create = "CREATE ROLE registry_test_rises LOGIN NOSUPERUSER NOBYPASSRLS; ";
    drop(sqlx::raw_sql(create).execute(&mut admin).await);
    sqlx::raw_sql("GRANT postgres TO registry_test_rises").execute(&mut admin).await.unwrap();
    let name: String =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut admin).await.unwrap();
    let rises = cluster().await.url("registry_test_rises", &name);
    let refused = db::Db::connect(&rises, 2, Tasks::default()).await.unwrap_err();
    assert!(refused.to_string().contains("superuser"), "{refused}");
    assert!(db::Db::connect(&serves, 2, Tasks::default()).await.is_ok());
}

#[tokio::test]
async fn who_makes_roles_is_refused() {
    let (database, _, _) = apart().await;
    let mut admin = PgConnection::connect(&database.admin_url).await.unwrap();
    let create = "CREATE ROLE registry_test_makes_roles LOGIN NOSUPERUSER NOBYPASSRLS CREATEROLE";
    drop(sqlx::raw_sql(create).execute(&mut admin).await);
    let name: String =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut admin).await.unwrap();
    let makes_roles = cluster().await.url("registry_test_makes_roles", &name);
    let refused = db::Db::connect(&makes_roles, 2, Tasks::default()).await.unwrap_err();
    assert!(refused.to_string().contains("CREATEROLE"), "{refused}");
}
