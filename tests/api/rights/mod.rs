//! Rights are checked for each write of a request: mutations that come after the loss of a right are rejected.

use agent_registry::domain::{
    Caller, KeyScope,
    auth::jwt::LOCAL_ISSUER,
    customer::BillingStatus,
    member::{ChangeMemberRole, Role},
};
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::{Duration, Instant, sleep};

use crate::support::{
    Answer, App, Calls,
    app::Instance,
    caller::{Client, Operator},
};

mod hidden;
mod race;
mod state;

/// How long to wait for a removal to queue behind a write; a statement may wait for ten seconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait for any event.
const DEADLINE: Duration = Duration::from_secs(20);

/// A customer with an agent, on two instances.
pub(crate) struct Town {
    pub(crate) app: App,
    pub(crate) other: Instance,
    pub(crate) operator: Operator,
    pub(crate) customer: String,
    pub(crate) agent: String,
}

impl Town {
    pub(crate) async fn new() -> Self {
        let app = App::start().await;
        let other = app.another().await;
        let operator = app.operator().await;
        let customer = operator.customer("Town").await;
        let agent = operator.agent(&customer, "Helper").await;
        Self { app, other, operator, customer, agent }
    }

    async fn session(&self) -> PgConnection {
        PgConnection::connect(&self.app.database.admin_url).await.unwrap()
    }

    /// Locks a row in a transaction of the test's own.
    async fn hold(&self, table: &str, id: &str) -> RowLock {
        let mut session = self.session().await;
        let lock = format!("BEGIN; SELECT FROM registry.{table} WHERE id = '{id}' FOR UPDATE");
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut session).await.unwrap();
        RowLock(session)
    }

    /// The number of log entries after this revision by this actor.
    async fn entries_after(&self, revision: i64, actor: &str) -> i64 {
        let count = "SELECT count(*) FROM registry.changes WHERE revision > $1 AND actor_id = $2::text::uuid";
        let count = sqlx::query_scalar(count).bind(revision).bind(actor);
        count.fetch_one(&mut self.session().await).await.unwrap()
    }

    async fn head(&self) -> i64 {
        self.app.registry.head().await.unwrap().revision.0
    }

    /// A request whose first mutation waits for the agent's row, and 19 others after it.
    fn slow(&self, then: &str) -> String {
        let mut document = format!(
            "mutation {{ m0: updateAgent(input: {{ agentId: \"{}\", description: \"late\" }}) {{ revision userErrors {{ code }} }} ",
            self.agent
        );
        for nth in 1..20 {
            document.push_str(&format!("m{nth}: {} ", then.replace("NTH", &nth.to_string())));
        }
        document.push('}');
        document
    }

    /// A request that creates an agent with each mutation.
    fn creations(&self) -> String {
        let customer = &self.customer;
        self.slow(&format!(
            "createAgent(input: {{ customerId: \"{customer}\", name: \"late NTH\" }}) {{ revision userErrors {{ code }} }}"
        ))
    }
}

/// A row lock; held until it is released.
struct RowLock(PgConnection);

impl RowLock {
    /// Waits until `count` sessions wait for this lock, directly or behind each other.
    async fn wait_for_waiters(&mut self, count: i64) {
        assert!(self.has_waiters(count, DEADLINE).await, "{count} sessions do not wait for the row");
    }

    /// Same, for no longer than `within`. Returns whether they do.
    async fn has_waiters(&mut self, count: i64, within: Duration) -> bool {
        let begun = Instant::now();
        let waiting = "WITH RECURSIVE blocked (pid) AS (SELECT pg_backend_pid() UNION
            SELECT a.pid FROM pg_stat_activity AS a JOIN blocked AS b ON b.pid = ANY (pg_blocking_pids(a.pid))
            WHERE a.datname = current_database()) SELECT count(*) - 1 FROM blocked";
        loop {
            let waits: i64 = sqlx::query_scalar(waiting).fetch_one(&mut self.0).await.unwrap();
            if waits >= count || begun.elapsed() > within {
                return waits >= count;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn release(mut self) {
        sqlx::raw_sql("COMMIT").execute(&mut self.0).await.unwrap();
    }
}

/// Sends a document in a task of its own.
fn sent(client: &Client, document: String) -> tokio::task::JoinHandle<Answer> {
    let client = client.clone();
    tokio::spawn(async move { client.gql(&document, Value::Null).await })
}

/// The id of the client's user.
async fn user_id(client: &Client) -> String {
    client.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id")
}

/// Sends `document` as `client`, and removes its right with `removal` while its first mutation waits. Returns the
/// response, and the revision of the removal. With `removal_waits` the removal itself waits for that mutation.
async fn send_while_removed<F>(
    town: &Town,
    client: &Client,
    document: String,
    removal: F,
    removal_waits: bool,
) -> (Answer, i64)
where
    F: Future<Output = i64> + Send + 'static,
{
    let mut hold = town.hold("agents", &town.agent).await;
    let request = sent(client, document);
    hold.wait_for_waiters(1).await;
    let removal = tokio::spawn(removal);
    let revision = if removal_waits {
        // On a busy machine the removal may come later and wait for less. The assertions hold in that case too.
        hold.has_waiters(2, PATIENCE).await;
        hold.release().await;
        removal.await.unwrap()
    } else {
        let revision = removal.await.unwrap();
        hold.release().await;
        revision
    };
    (request.await.unwrap(), revision)
}

/// The number of mutations that succeeded, and the codes of the others.
fn outcome(answer: &Answer) -> (usize, Vec<String>) {
    let mut codes: Vec<String> = answer.code().map(str::to_owned).into_iter().collect();
    let fields = answer.body["data"].as_object().cloned().unwrap_or_default();
    let done = fields.values().filter(|field| field["revision"].is_i64() || field["revision"].is_string());
    let done = done.count();
    codes.extend(
        fields.values().filter_map(|field| field.pointer("/userErrors/0/code")?.as_str().map(str::to_owned)),
    );
    codes.dedup();
    (done, codes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_member_writes_nothing_more() {
    for is_elsewhere in [false, true] {
        let town = Town::new().await;
        let admin = town.app.member(&town.customer, Role::Admin).await;
        town.app.set_member(&town.customer, "another", Role::Admin).await;
        let user = user_id(&admin).await;
        let customer = &town.customer;
        // The mutations would invite the admin again, and make an API key.
        let document = town.slow(&format!(
            "createApiKey(input: {{ customerId: \"{customer}\", name: \"NTH\", scopes: [AGENTS_WRITE] }}) {{ revision userErrors {{ code }} }} \
             iNTH: inviteMember(input: {{ customerId: \"{customer}\", email: \"NTH@example.org\", role: ADMIN }}) {{ revision userErrors {{ code }} }}"
        ));
        let document = first_twenty(&document);
        let registry = if is_elsewhere { &town.other.registry } else { &town.app.registry }.clone();
        let (id, who) = (customer.parse().unwrap(), user.parse().unwrap());
        let removal =
            async move { registry.remove_member(&Caller::system("test"), id, who).await.unwrap().revision.0 };
        let (answer, removed) = send_while_removed(&town, &admin, document, removal, true).await;
        assert_eq!(town.entries_after(removed, &user).await, 0, "{}", answer.body);
        let (_, codes) = outcome(&answer);
        assert_eq!(codes, ["NOT_FOUND"], "{}", answer.body);
        town.other.stop().await;
    }
}

/// The document with its first twenty mutations only.
fn first_twenty(document: &str) -> String {
    let mut kept = document.trim_end_matches('}').to_owned();
    while kept.matches("input:").count() > 20 {
        let at = kept.trim_end().rfind("} m").max(kept.trim_end().rfind("} i")).unwrap();
        kept.truncate(at + 1);
    }
    format!("{kept} }}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lowered_role_writes_nothing_more() {
    let town = Town::new().await;
    let editor = town.app.member(&town.customer, Role::Editor).await;
    let user = user_id(&editor).await;
    let registry = town.other.registry.clone();
    let input = ChangeMemberRole {
        customer_id: town.customer.parse().unwrap(),
        user_id: user.parse().unwrap(),
        role: Role::Viewer,
    };
    let removal =
        async move { registry.change_member_role(&Caller::system("test"), input).await.unwrap().revision.0 };
    let (answer, lowered) = send_while_removed(&town, &editor, town.creations(), removal, true).await;
    assert_eq!(town.entries_after(lowered, &user).await, 0, "{}", answer.body);
    assert_eq!(answer.code(), Some("FORBIDDEN"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_writes_nothing_more() {
    for is_elsewhere in [false, true] {
        let town = Town::new().await;
        let scopes = [KeyScope::AgentsWrite, KeyScope::VersionsPublish, KeyScope::VersionsActivate];
        let program = town.app.program(&town.customer, scopes).await;
        let key = key_id(program.token.as_deref().unwrap());
        let registry = if is_elsewhere { &town.other.registry } else { &town.app.registry }.clone();
        let id = key.parse().unwrap();
        let removal =
            async move { registry.revoke_api_key(&Caller::system("test"), id).await.unwrap().revision.0 };
        let document = town.slow(&format!(
            "publishVersion(input: {{ agentId: \"{}\", systemPrompt: \"NTH\", modelName: \"m\", activate: true }}) {{ revision userErrors {{ code }} }}",
            town.agent
        ));
        let (answer, revoked) = send_while_removed(&town, &program, document, removal, true).await;
        assert_eq!(town.entries_after(revoked, &key).await, 0, "{}", answer.body);
        assert_eq!(answer.code(), Some("UNAUTHENTICATED"), "{}", answer.body);
        town.other.stop().await;
    }
}

/// The id in a key: the 16 bytes after `ark_`.
fn key_id(token: &str) -> String {
    uuid::Uuid::parse_str(&token[4..36]).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_expires_meanwhile_writes_nothing_more() {
    let town = Town::new().await;
    let editor = town.app.member(&town.customer, Role::Editor).await;
    let create =
        "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }";
    let ends = (town.app.clock.now() + TimeDelta::minutes(5)).to_rfc3339();
    let input = json!({ "customerId": town.customer, "name": "short", "scopes": ["AGENTS_WRITE"], "expiresAt": ends });
    let made = town.operator.gql(create, json!({ "input": input })).await;
    let program = town.app.bearer(&made.text("/createApiKey/secret"));
    let key = made.text("/createApiKey/apiKey/id");
    let user = user_id(&editor).await;
    // The key expires within minutes, the token within an hour.
    for (client, actor, after) in
        [(&program, &key, TimeDelta::minutes(6)), (&*editor, &user, TimeDelta::hours(2))]
    {
        let (clock, head) = (town.app.clock.clone(), town.head().await);
        let shift = async move {
            clock.shift(after);
            head
        };
        let (answer, head) = send_while_removed(&town, client, town.creations(), shift, false).await;
        assert_eq!(answer.code(), Some("UNAUTHENTICATED"), "{}", answer.body);
        assert_eq!(town.entries_after(head, actor).await, 0, "{}", answer.body);
        town.app.clock.shift(-after);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_operator_writes_nothing_more() {
    for is_elsewhere in [false, true] {
        let town = Town::new().await;
        let user = user_id(&town.operator).await;
        let registry = if is_elsewhere { &town.other.registry } else { &town.app.registry }.clone();
        let removal = async move {
            let system = Caller::system("test");
            assert!(registry.remove_operator(&system, LOCAL_ISSUER, "olga").await.unwrap());
            registry.head().await.unwrap().revision.0
        };
        let document = town.slow(
            "createServiceToken(input: { name: \"NTH\", scopes: [CONFIGS_READ] }) { revision userErrors { code } }",
        );
        // The first mutation has locked the customer and waits for the agent, so it is rejected too.
        let (answer, removed) = send_while_removed(&town, &town.operator, document, removal, false).await;
        assert_eq!(town.entries_after(removed, &user).await, 0, "{}", answer.body);
        assert_eq!(answer.code(), Some("FORBIDDEN"), "{}", answer.body);
        town.other.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_to_a_suspended_customer_is_refused_from_then_on() {
    let town = Town::new().await;
    let editor = town.app.member(&town.customer, Role::Editor).await;
    let user = user_id(&editor).await;
    let (registry, id) = (town.other.registry.clone(), town.customer.parse().unwrap());
    let suspension = async move {
        let made = registry.set_billing_status(&Caller::system("test"), id, BillingStatus::Suspended).await;
        made.unwrap().revision.0
    };
    let (answer, suspended) = send_while_removed(&town, &editor, town.creations(), suspension, true).await;
    assert_eq!(town.entries_after(suspended, &user).await, 0, "{}", answer.body);
    let (done, codes) = outcome(&answer);
    assert!((1..20).contains(&done), "{}", answer.body);
    assert_eq!(codes, ["SUSPENDED"], "{}", answer.body);
}

#[tokio::test]
async fn a_service_token_writes_nothing_whatever_its_scopes() {
    let town = Town::new().await;
    let gateway = town.app.gateway().await;
    let head = town.head().await;
    for mutation in [
        format!("createAgent(input: {{ customerId: \"{}\", name: \"late\" }}) {{ revision }}", town.customer),
        format!("archiveAgent(input: {{ agentId: \"{}\" }}) {{ revision }}", town.agent),
        "createServiceToken(input: { name: \"late\", scopes: [CONFIGS_READ] }) { revision }".to_owned(),
    ] {
        let answer = gateway.gql(&format!("mutation {{ {mutation} }}"), Value::Null).await;
        assert_eq!(answer.code(), Some("FORBIDDEN"), "{}", answer.body);
    }
    assert_eq!(town.head().await, head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_with_a_key_is_not_told_again_to_who_lost_the_right() {
    let town = Town::new().await;
    let editor = town.app.member(&town.customer, Role::Editor).await;
    let user = user_id(&editor).await;
    let create = format!(
        "createAgent(input: {{ customerId: \"{}\", name: \"Clerk\", idempotencyKey: \"k\" }}) {{ agent {{ id }} revision userErrors {{ code }} }}",
        town.customer
    );
    let first = editor.gql(&format!("mutation {{ {create} }}"), Value::Null).await;
    assert!(first.at("/createAgent/agent/id").is_string());
    let (registry, id, who) =
        (town.other.registry.clone(), town.customer.parse().unwrap(), user.parse().unwrap());
    let removal =
        async move { registry.remove_member(&Caller::system("test"), id, who).await.unwrap().revision.0 };
    let (answer, removed) = send_while_removed(&town, &editor, town.slow(&create), removal, true).await;
    assert_eq!(town.entries_after(removed, &user).await, 0);
    assert_eq!(answer.at("/m19/userErrors/0/code"), "NOT_FOUND");
    assert_eq!(answer.at("/m19/agent"), &Value::Null);
}
