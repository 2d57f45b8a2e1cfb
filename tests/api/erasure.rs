//! Erasure: a canceled customer's prompts and personal data are removed for good; the log stays intact.

use agent_registry::domain::{
    KeyScope,
    erasure::{ColumnErasure, ErasureAction, column_erasures},
    member::Role,
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::{
    log::first_broken,
    support::{App, Calls, caller::Operator, socket::Frame},
};

const ERASE: &str = "mutation ($id: ID!) { eraseCustomer(input: { customerId: $id }) {
    customer { name erasedAt } revision userErrors { code field } } }";
const STATUS: &str = "mutation ($id: ID!, $status: BillingStatus!) { setBillingStatus(input: { customerId: $id, status: $status }) {
    userErrors { code } } }";

/// The rows of all tables that erasure concerns, as text.
async fn dump(session: &mut PgConnection) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'registry'::regnamespace AND relkind = 'r'
         AND relname NOT IN ('changes', 'log_head', 'schema_migrations', 'seaql_migrations')",
    )
    .fetch_all(&mut *session)
    .await
    .unwrap();
    let mut all = String::new();
    for table in tables {
        let rows = format!("SELECT t::text FROM registry.{table} AS t");
        let rows: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_all(&mut *session).await.unwrap();
        all.extend(rows);
    }
    all
}

/// The columns to be erased in which no row contains "zebra".
async fn without_zebra(session: &mut PgConnection) -> Vec<String> {
    let mut without = Vec::new();
    let erased = column_erasures().into_iter().filter(|fate| matches!(fate.fate, ErasureAction::Erase(_)));
    for ColumnErasure { table, column, fate: _ } in erased {
        let count = format!("SELECT count(*) FROM registry.{table} WHERE {column}::text ILIKE '%zebra%'");
        let count: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&mut *session).await.unwrap();
        if count == 0 {
            without.push(format!("{table}.{column}"));
        }
    }
    without
}

/// Each column of a tenant's table needs an entry that says what erasure does with it.
#[tokio::test]
async fn each_column_of_a_customers_tables_has_its_fate() {
    let app = App::start().await;
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let columns = "SELECT table_name || '.' || column_name FROM information_schema.columns AS c
        WHERE table_schema = 'registry' AND (table_name IN ('customers', 'users', 'identities', 'idempotency_keys', 'sessions', 'sign_in_links', 'user_ends') OR EXISTS (
            SELECT FROM information_schema.columns AS o WHERE o.table_schema = c.table_schema
            AND o.table_name = c.table_name AND o.column_name = 'customer_id')) ORDER BY 1";
    let columns: Vec<String> = sqlx::query_scalar(columns).fetch_all(&mut session).await.unwrap();
    let mut fates: Vec<String> = column_erasures()
        .iter()
        .map(|ColumnErasure { table, column, .. }| format!("{table}.{column}"))
        .collect();
    fates.sort();
    let unclassified: Vec<_> = columns.iter().filter(|column| !fates.contains(column)).collect();
    let unknown: Vec<_> = fates.iter().filter(|fate| !columns.contains(fate)).collect();
    assert_eq!((unclassified, unknown), (Vec::new(), Vec::new()), "see src/entity/erasure.rs");
    assert_eq!(fates.len(), columns.len(), "a column has two fates");
}

/// Erasure removes the names of keys but not log entries, so no entry may contain one.
#[tokio::test]
async fn the_log_holds_no_names_of_keys() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let create = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }";
    let input = json!({ "customerId": customer, "name": "zebra", "scopes": ["AGENTS_READ"] });
    let id = operator.gql(create, json!({ "input": input })).await.text("/createApiKey/apiKey/id");
    let rotate = "mutation ($id: ID!) { rotateApiKey(input: { apiKeyId: $id }) { apiKey { name } userErrors { code } } }";
    assert_eq!(operator.gql(rotate, json!({ "id": id })).await.at("/rotateApiKey/apiKey/name"), "zebra");
    let revoke = "mutation ($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { userErrors { code } } }";
    operator.gql(revoke, json!({ "id": id })).await.at("/revokeApiKey/userErrors");
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let entries = "SELECT count(*) FILTER (WHERE action LIKE 'api_key.%'), count(*) FILTER (WHERE details LIKE '%zebra%') FROM registry.changes";
    let entries: (i64, i64) = sqlx::query_as(entries).fetch_one(&mut session).await.unwrap();
    assert_eq!(entries, (3, 0));
}

async fn cancel(operator: &Operator, customer: &str) {
    let input = json!({ "id": customer, "status": "CANCELED" });
    assert_eq!(operator.gql(STATUS, input).await.at("/setBillingStatus/userErrors"), &json!([]));
}

#[tokio::test]
async fn prompts_and_people_go_and_numbers_hashes_and_the_log_stay() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (customer, town) = (operator.customer("Zebra City").await, operator.customer("Town").await);
    let external = "mutation ($id: ID!) { updateCustomer(input: { customerId: $id, externalId: \"zebra\" }) { userErrors { code } } }";
    operator.gql(external, json!({ "id": customer })).await;
    let admin = app.member(&customer, Role::Admin).await;
    let agent = admin.agent(&customer, "Zebra helper").await;
    let input = json!({
        "agentId": agent, "systemPrompt": "zebra prompt", "modelName": "zebra-model", "message": "zebra message", "activate": true,
        "modelParameters": { "zebra": 1 }, "tools": [{ "name": "zebra_tool", "description": "zebra" }],
        "extensions": { "org.example.zebra": "zebra" },
    });
    let version = admin.publish_input(input).await.text("/publishVersion/version/id");
    let hash =
        "query ($id: ID!) { node(id: $id) { ... on AgentVersion { number contentHash systemPrompt } } }";
    let before = operator.gql(hash, json!({ "id": version })).await;
    let describe = "mutation ($id: ID!) { updateAgent(input: { agentId: $id, description: \"zebra\" }) { userErrors { code } } }";
    admin.gql(describe, json!({ "id": agent })).await;
    let environment =
        "mutation ($id: ID!) { createEnvironment(input: { customerId: $id, key: \"staging\", name: \"zebra\",
        allowedModels: [\"zebra-model\"] }) { environment { id } } }";
    operator.gql(environment, json!({ "id": customer })).await.text("/createEnvironment/environment/id");
    let invite = "mutation ($id: ID!) { inviteMember(input: { customerId: $id, email: \"zebra@example.org\", role: VIEWER }) { userErrors { code } } }";
    operator.gql(invite, json!({ "id": customer })).await;
    let program = app.program(&customer, [KeyScope::AgentsRead]).await;
    let mut socket = program.socket().await;
    // A user who is a member of another customer too keeps the profile.
    let both = app.member(&customer, Role::Viewer).await;
    app.set_member(&town, &format!("viewer-of-{customer}"), Role::Viewer).await;

    let head = app.registry.head().await.unwrap();
    let early = operator.gql(ERASE, json!({ "id": customer })).await;
    assert_eq!(early.at("/eraseCustomer/userErrors/0"), &json!({ "code": "INVALID", "field": "customerId" }));
    assert_eq!(app.registry.head().await.unwrap(), head);
    cancel(&operator, &customer).await;
    assert_eq!(admin.gql(ERASE, json!({ "id": customer })).await.code(), Some("FORBIDDEN"));

    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    assert!(dump(&mut session).await.to_lowercase().contains("zebra"));
    // Each column to be erased has a value before.
    assert_eq!(without_zebra(&mut session).await, Vec::<String>::new());
    let erased = operator.gql(ERASE, json!({ "id": customer })).await;
    assert_eq!(erased.at("/eraseCustomer/customer/name"), "erased");
    assert!(erased.at("/eraseCustomer/customer/erasedAt").is_string());
    assert_eq!(
        operator.gql(ERASE, json!({ "id": customer })).await.body,
        erased.body,
        "the customer is erased already"
    );
    assert_eq!(socket.next().await, Frame::Closed(4403, "Forbidden".to_owned()));

    let rest = dump(&mut session).await.to_lowercase();
    assert!(!rest.contains("zebra"), "some of the erased content is left");
    let models = "{ agents(filter: { modelName: \"erased\" }) { nodes { activeVersion { modelName tools { name } } } } }";
    let shown = json!([{ "activeVersion": { "modelName": "erased", "tools": [] } }]);
    let other = app.another().await;
    for instance in [&app.first, &other] {
        let asked = instance.bearer(operator.token.as_deref().unwrap());
        assert_eq!(asked.gql(models, Value::Null).await.at("/agents/nodes"), &shown);
    }
    other.stop().await;
    assert!(
        !rest.contains(&format!("admin-of-{customer}")),
        "a profile of a member of this customer alone is left"
    );
    assert!(
        rest.contains(&format!("viewer-of-{customer}")),
        "a member of another customer keeps the profile"
    );
    let after = operator.gql(hash, json!({ "id": version })).await;
    assert_eq!(after.at("/node/contentHash"), before.at("/node/contentHash"));
    assert_eq!((after.at("/node/number"), after.at("/node/systemPrompt")), (&json!(1), &json!("")));
    assert_eq!(first_broken(&mut session).await, None, "the log is whole");
    for gone in [&*admin, &*both] {
        let mine = gone.gql("{ viewer { memberships { customer { id } } } }", Value::Null).await;
        assert!(!mine.body.to_string().contains(&customer));
    }
    assert_eq!(program.gql("{ viewer { name } }", Value::Null).await.status, 401);
}

#[tokio::test]
async fn nobody_writes_to_an_erased_customer_and_no_other_content_can_be_changed() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (customer, town) = (operator.customer("City").await, operator.customer("Town").await);
    let agent = operator.agent(&customer, "Helper").await;
    let kept = operator.agent(&town, "Helper").await;
    operator.publish(&agent, "one").await;
    operator.publish(&kept, "kept").await;
    cancel(&operator, &customer).await;
    operator.gql(ERASE, json!({ "id": customer })).await;
    let head = app.registry.head().await.unwrap();
    let input = json!({ "agentId": agent, "systemPrompt": "x", "modelName": "m" });
    let refused = operator.publish_input(input).await;
    assert_eq!(refused.text("/publishVersion/userErrors/0/code"), "CANCELED");
    let back = operator.gql(STATUS, json!({ "id": customer, "status": "ACTIVE" })).await;
    assert_eq!(back.text("/setBillingStatus/userErrors/0/code"), "INVALID");
    assert_eq!(app.registry.head().await.unwrap(), head);
    // Even the tables' owner can't clear another customer's content, or replace erased content.
    let mut owner = PgConnection::connect(&app.database.owner_url).await.unwrap();
    for change in [
        format!(
            "UPDATE registry.agent_versions SET system_prompt = '', message = NULL WHERE customer_id = '{town}'"
        ),
        format!(
            "UPDATE registry.agent_versions SET system_prompt = 'forged' WHERE customer_id = '{customer}'"
        ),
        format!("DELETE FROM registry.agent_versions WHERE customer_id = '{customer}'"),
        format!("UPDATE registry.customers SET erased_at = NULL WHERE id = '{customer}'"),
        format!("UPDATE registry.customers SET erased_at = now() WHERE id = '{town}'"),
        "TRUNCATE registry.agent_versions CASCADE".to_owned(),
    ] {
        let change = format!("BEGIN; SET LOCAL registry.scope = 'platform'; {change}; COMMIT");
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(change.clone())).execute(&mut owner).await;
        let code = refused.unwrap_err().as_database_error().unwrap().code().unwrap().into_owned();
        assert!(code.starts_with("23"), "{change}: {code}");
        sqlx::raw_sql("ROLLBACK").execute(&mut owner).await.unwrap();
    }
}

#[tokio::test]
async fn no_name_of_an_agent_stands_in_its_way() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let editor = app.member(&customer, Role::Editor).await;
    let first = editor.agent(&customer, "first").await;
    editor.agent(&customer, &format!("erased {first}")).await;
    operator.gql(STATUS, json!({ "id": customer, "status": "CANCELED" })).await;
    let erased = operator.gql(ERASE, json!({ "id": customer })).await;
    assert_eq!(erased.at("/eraseCustomer/userErrors"), &json!([]));
    // Later requests about this customer get no internal error.
    let plan =
        "mutation ($id: ID!) { setPlan(input: { customerId: $id, plan: PRO }) { userErrors { code } } }";
    assert_eq!(
        operator.gql(plan, json!({ "id": customer })).await.text("/setPlan/userErrors/0/code"),
        "CANCELED"
    );
}

/// A gateway that resumes from an old cursor must not get the erased content as active.
#[tokio::test]
async fn what_is_left_is_not_told_of_as_served() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Helper").await;
    let before = app.registry.head().await.unwrap().revision.0;
    let input = json!({ "agentId": agent, "systemPrompt": "x", "modelName": "m", "activate": true });
    operator.publish_input(input).await;
    operator.gql(STATUS, json!({ "id": customer, "status": "CANCELED" })).await;
    operator.gql(ERASE, json!({ "id": customer })).await;
    let mut socket = app.gateway().await.socket().await;
    let configs = "subscription ($after: Cursor) { configs(after: $after) { kind reason agentId } }";
    socket.subscribe("1", configs, json!({ "after": before.to_string() })).await;
    assert_eq!(
        socket.event().await["data"]["configs"],
        json!({ "kind": "REMOVE", "reason": "CANCELED", "agentId": agent })
    );
}

/// A former member's profile is erased too, unless another membership or role needs it.
#[tokio::test]
async fn who_once_worked_there_goes_too() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let gone = app.member(&customer, Role::Editor).await;
    let user = gone.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id");
    let remove =
        "mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { userErrors { code } } }";
    let input = json!({ "customerId": customer, "userId": user });
    let removed = operator.gql(remove, json!({ "input": input })).await;
    assert_eq!(removed.at("/removeMember/userErrors"), &json!([]));
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    assert!(dump(&mut session).await.contains(&user));
    cancel(&operator, &customer).await;
    let erased = operator.gql(ERASE, json!({ "id": customer })).await;
    assert_eq!(erased.at("/eraseCustomer/userErrors"), &json!([]));
    assert!(!dump(&mut session).await.contains(&user));
    // The operator, who is no member, keeps the profile.
    assert!(operator.gql("{ viewer { user { id } } }", Value::Null).await.at("/viewer/user/id").is_string());
}

/// A request's statement may run for ten seconds. Erasing a large customer may take longer.
#[tokio::test]
async fn it_may_take_its_time() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Helper").await;
    operator.publish(&agent, "one").await;
    cancel(&operator, &customer).await;
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT FROM registry.agent_versions FOR UPDATE")
        .execute(&mut session)
        .await
        .unwrap();
    let slow = async {
        tokio::time::sleep(std::time::Duration::from_secs(11)).await;
        sqlx::raw_sql("COMMIT").execute(&mut session).await.unwrap();
    };
    let (erased, ()) = tokio::join!(operator.gql(ERASE, json!({ "id": customer })), slow);
    assert_eq!(erased.at("/eraseCustomer/userErrors"), &json!([]));
}
