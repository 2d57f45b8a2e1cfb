//! Verification of the log, with the database and without. Tampering is found.

use agent_registry::{
    domain::{
        Caller,
        audit::{ExcerptError, ExcerptVerifier, IntegrityViolation, Report, SignedHead, chain::ChainError},
        auth::jwt::LocalIssuer,
        change::LogPosition,
        member::Role,
    },
    id::Revision,
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::Desk;
use crate::support::{Calls, app::key_file};

impl Desk {
    pub(super) async fn verify(&self, signed_heads: &[SignedHead]) -> Report {
        let system = Caller::system("test");
        self.app.registry.verify_log(&system, signed_heads, &mut |_| {}).await.unwrap()
    }

    async fn signed_head(&self) -> SignedHead {
        let key = LocalIssuer::open(&key_file()).unwrap();
        let (signed_head, signed) = self.app.registry.sign_head(&key).await.unwrap();
        assert_eq!(SignedHead::open(&signed).unwrap(), (signed_head.clone(), key.public().to_owned()));
        signed_head
    }

    /// Runs this SQL as superuser with all triggers off, verifies the log, and restores it. Returns the violation
    /// found.
    pub(super) async fn after(
        &self,
        tampering: &str,
        signed_heads: &[SignedHead],
    ) -> Option<IntegrityViolation> {
        let mut admin = PgConnection::connect(&self.app.database.admin_url).await.unwrap();
        let save = "CREATE TABLE saved_changes AS TABLE registry.changes; CREATE TABLE saved_head AS TABLE registry.log_head;
            CREATE TABLE saved_floor AS TABLE registry.log_floor; CREATE TABLE saved_agents AS TABLE registry.agents;
            CREATE TABLE saved_versions AS TABLE registry.agent_versions; CREATE TABLE saved_customers AS TABLE registry.customers;
            CREATE TABLE saved_activations AS TABLE registry.activations; CREATE TABLE saved_servings AS TABLE registry.servings;
            SET session_replication_role = replica;";
        sqlx::raw_sql(save).execute(&mut admin).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(tampering)).execute(&mut admin).await.unwrap();
        let report = self.verify(signed_heads).await;
        let restore = "DELETE FROM registry.changes; INSERT INTO registry.changes TABLE saved_changes;
            DELETE FROM registry.log_head; INSERT INTO registry.log_head TABLE saved_head;
            DELETE FROM registry.log_floor; INSERT INTO registry.log_floor TABLE saved_floor;
            UPDATE registry.agents AS a SET (active_version_id, activated_at) = (s.active_version_id, s.activated_at) FROM saved_agents AS s WHERE s.id = a.id;
            UPDATE registry.agent_versions AS v SET system_prompt = s.system_prompt, content_hash = s.content_hash
                FROM saved_versions AS s WHERE s.id = v.id;
            UPDATE registry.agents AS a SET name = s.name FROM saved_agents AS s WHERE s.id = a.id;
            UPDATE registry.customers AS k SET billing_status = s.billing_status FROM saved_customers AS s WHERE s.id = k.id;
            DELETE FROM registry.activations; INSERT INTO registry.activations TABLE saved_activations;
            DELETE FROM registry.servings; INSERT INTO registry.servings TABLE saved_servings;
            DROP TABLE saved_changes, saved_head, saved_floor, saved_agents, saved_versions, saved_customers, saved_activations,
                saved_servings;";
        sqlx::raw_sql(restore).execute(&mut admin).await.unwrap();
        report.violation
    }
}

/// SQL function that recomputes all hashes, as an informed attacker would.
const REWRITE: &str = "CREATE OR REPLACE FUNCTION rewrite() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE chain bytea; entry record; hash bytea; BEGIN
    SELECT chain_hash INTO chain FROM registry.log_floor;
    FOR entry IN SELECT * FROM registry.changes ORDER BY revision, position LOOP
        hash := registry.change_row_hash(entry.revision, entry.position, entry.at, entry.customer_id, entry.agent_id,
            entry.version_id, entry.subject_id, entry.action, entry.actor_kind, entry.actor_id, entry.request_id,
            entry.details, entry.channel, entry.network, entry.salt);
        chain := sha256(chain || hash);
        UPDATE registry.changes SET row_hash = hash, chain_hash = chain
            WHERE revision = entry.revision AND position = entry.position;
        UPDATE registry.log_head SET revision = entry.revision, position = entry.position, at = entry.at, chain_hash = chain;
    END LOOP; END $$; SELECT rewrite();";

#[tokio::test]
async fn all_that_is_done_to_it_is_found() {
    let desk = Desk::new().await;
    let signed_head = desk.signed_head().await;
    let report = desk.verify(std::slice::from_ref(&signed_head)).await;
    let head = desk.app.registry.head().await.unwrap();
    assert_eq!((report.violation, report.agents, report.head), (None, 1, head.clone()));
    assert!(report.entries >= 8, "{}", report.entries);
    let first_of = |revision| LogPosition { revision: Revision(revision), position: 1 };
    let entry = |revision, flaw| Some(IntegrityViolation::Entry(first_of(revision), flaw));
    let cases: Vec<(&str, Option<IntegrityViolation>)> = vec![
        ("UPDATE registry.changes SET actor_kind = 'SYSTEM' WHERE revision = 5", entry(5, ChainError::RowHash)),
        ("UPDATE registry.changes SET details = '{}' WHERE revision = 7", entry(7, ChainError::RowHash)),
        ("UPDATE registry.changes SET network = NULL WHERE revision = 5", entry(5, ChainError::RowHash)),
        ("UPDATE registry.changes SET channel = NULL, network = NULL, salt = NULL WHERE revision = 5", entry(5, ChainError::RowHash)),
        ("UPDATE registry.changes SET at = at + interval '1 microsecond' WHERE revision = 7", entry(7, ChainError::RowHash)),
        ("UPDATE registry.changes SET at = at - interval '1 day' WHERE revision = 7", entry(7, ChainError::Time)),
        ("UPDATE registry.changes SET row_hash = sha256('x') WHERE revision = 5", entry(5, ChainError::RowHash)),
        ("UPDATE registry.changes SET chain_hash = sha256('x') WHERE revision = 5", entry(5, ChainError::ChainHash)),
        ("DELETE FROM registry.changes WHERE revision = 5", entry(6, ChainError::Position)),
        ("DELETE FROM registry.changes WHERE revision = 1", entry(2, ChainError::Position)),
        // An entry removed, and the rest renumbered.
        // In two steps: a statement checks the unique key row by row, in the rows' physical order.
        (
            "DELETE FROM registry.changes WHERE revision = 5;
             UPDATE registry.changes SET revision = revision + 1000 WHERE revision > 5;
             UPDATE registry.changes SET revision = revision - 1001 WHERE revision > 1000",
            entry(5, ChainError::RowHash),
        ),
        // An entry inserted.
        (
            "UPDATE registry.changes SET revision = revision + 1000 WHERE revision > 5;
             UPDATE registry.changes SET revision = revision - 999 WHERE revision > 1000;
             INSERT INTO registry.changes SELECT 6, position, at, customer_id, agent_id, version_id, subject_id, action,
                 actor_kind, actor_id, request_id, details, row_hash, chain_hash, channel, network, salt
                 FROM registry.changes WHERE revision = 5",
            entry(6, ChainError::RowHash),
        ),
        // Two entries swapped.
        (
            "UPDATE registry.changes SET revision = 1005 WHERE revision = 5;
             UPDATE registry.changes SET revision = 5 WHERE revision = 6;
             UPDATE registry.changes SET revision = 6 WHERE revision = 1005",
            entry(5, ChainError::RowHash),
        ),
        ("DELETE FROM registry.changes WHERE revision = 7", Some(IntegrityViolation::LogHead(first_of(6)))),
        ("UPDATE registry.log_head SET chain_hash = sha256('x')", Some(IntegrityViolation::LogHead(first_of(7)))),
        // The beginning cut off, as if it had been pruned.
        (
            "UPDATE registry.log_floor SET (revision, position, chain_hash) =
                 (SELECT revision, position, chain_hash FROM registry.changes WHERE revision = 4 ORDER BY position DESC LIMIT 1);
             DELETE FROM registry.changes WHERE revision <= 4",
            Some(IntegrityViolation::LogStart(Revision(4))),
        ),
        ("UPDATE registry.log_floor SET chain_hash = sha256('x')", Some(IntegrityViolation::LogStart(Revision::ZERO))),
    ];
    for (tampering, violation) in cases {
        assert_eq!(desk.after(tampering, &[]).await, violation, "{tampering}");
        assert_eq!(desk.verify(&[]).await.violation, None, "the log is restored");
    }
}

#[tokio::test]
async fn what_was_written_anew_shows_by_a_head_that_was_kept() {
    let desk = Desk::new().await;
    let signed_head = desk.signed_head().await;
    desk.editor.agent(&desk.customer, "Later").await;
    let signed_heads = [signed_head.clone(), desk.signed_head().await];
    assert_eq!(desk.verify(&signed_heads).await.violation, None);
    let cut = format!("DELETE FROM registry.changes WHERE revision > 7; {REWRITE}");
    assert_eq!(desk.after(&cut, &[]).await, None, "the chain alone does not show a cut tail");
    assert_eq!(
        desk.after(&cut, &signed_heads).await,
        Some(IntegrityViolation::MissingHead(signed_heads[1].clone()))
    );
    let anew = format!("UPDATE registry.changes SET actor_kind = 'SYSTEM' WHERE revision = 5; {REWRITE}
        UPDATE registry.activations AS x SET cursor_hash = substr(c.chain_hash, 1, 8) FROM registry.changes AS c WHERE c.subject_id = x.id");
    assert_eq!(desk.after(&anew, &[]).await, None, "nor does the chain alone show a complete rewrite");
    assert_eq!(
        desk.after(&anew, &signed_heads).await,
        Some(IntegrityViolation::MissingHead(signed_heads[0].clone()))
    );
    let other = SignedHead { log_id: desk.customer.parse().unwrap(), ..signed_head };
    assert_eq!(
        desk.verify(std::slice::from_ref(&other)).await.violation,
        Some(IntegrityViolation::OtherLog(other))
    );
}

#[tokio::test]
async fn what_is_served_is_what_was_activated_and_published() {
    let desk = Desk::new().await;
    let (agent, version) = (desk.agent.parse().unwrap(), desk.version.parse().unwrap());
    for table in ["agents", "servings"] {
        let served = format!("UPDATE registry.{table} SET (active_version_id, activated_at) = (NULL, NULL)");
        assert_eq!(desk.after(&served, &[]).await, Some(IntegrityViolation::ActiveVersion(agent)), "{table}");
    }
    // Gateways read the records of activations, so these must match the log.
    let second = desk.editor.publish(&desk.agent, "another").await;
    for tampering in [
        format!("UPDATE registry.activations SET version_id = '{second}'"),
        "UPDATE registry.activations SET position = 2".to_owned(),
        "UPDATE registry.activations SET cursor_hash = NULL".to_owned(),
        "DELETE FROM registry.activations".to_owned(),
        format!(
            "INSERT INTO registry.activations (id, customer_id, agent_id, environment_id, version_id, reason, activated_by_kind, activated_at, revision, position)
             SELECT gen_random_uuid(), customer_id, agent_id, environment_id, '{second}', reason, activated_by_kind, activated_at, revision, 999
             FROM registry.activations"
        ),
    ] {
        assert_eq!(desk.after(&tampering, &[]).await, Some(IntegrityViolation::Activation(agent)), "{tampering}");
    }
    let mut service = PgConnection::connect(&desk.app.database.url).await.unwrap();
    let forged = "SET registry.scope = 'platform'; INSERT INTO registry.activations
        (id, customer_id, agent_id, version_id, reason, activated_by_kind, activated_at, revision, position)
        SELECT gen_random_uuid(), customer_id, agent_id, version_id, reason, activated_by_kind, activated_at, revision, 999
        FROM registry.activations";
    let refused = sqlx::raw_sql(forged).execute(&mut service).await.unwrap_err().to_string();
    assert!(refused.contains("takes its place from the log"), "{refused}");
    let name = "UPDATE registry.agents SET name = 'Another'";
    assert_eq!(desk.after(name, &[]).await, Some(IntegrityViolation::AgentName(agent)));
    let operator = desk.app.operator().await;
    let set =
        "mutation ($id: ID!) { setBillingStatus(input: { customerId: $id, status: PAST_DUE }) { revision } }";
    operator.gql(set, json!({ "id": desk.customer })).await.text("/setBillingStatus/revision");
    let status = "UPDATE registry.customers SET billing_status = 'ACTIVE'";
    assert_eq!(
        desk.after(status, &[]).await,
        Some(IntegrityViolation::CustomerBilling(desk.customer.parse().unwrap()))
    );
    let content = "UPDATE registry.agent_versions SET system_prompt = 'another'";
    assert_eq!(desk.after(content, &[]).await, Some(IntegrityViolation::Content(agent, version)));
    let added = r#"UPDATE registry.agent_versions SET extensions_text = '{"org.example":1}'"#;
    assert_eq!(desk.after(added, &[]).await, Some(IntegrityViolation::Content(agent, version)));
    let both = "UPDATE registry.agent_versions SET content_hash = sha256('x')";
    assert_eq!(desk.after(both, &[]).await, Some(IntegrityViolation::Content(agent, version)));
    // Content of another version, with its own valid hash: consistent, but not what was published under this
    // number.
    let consistent = format!(
        "UPDATE registry.agent_versions SET (system_prompt, content_hash) =
            (SELECT o.system_prompt, o.content_hash FROM registry.agent_versions AS o WHERE o.id = '{second}')
         WHERE id = '{version}'"
    );
    assert_eq!(desk.after(&consistent, &[]).await, Some(IntegrityViolation::Content(agent, version)));
    let deactivate = "mutation ($id: ID!) { deactivate(input: { agentId: $id }) { revision } }";
    desk.editor.gql(deactivate, json!({ "id": desk.agent })).await.text("/deactivate/revision");
    assert_eq!(desk.verify(&[]).await.violation, None);
    for table in ["agents", "servings"] {
        let revived = format!(
            "UPDATE registry.{table} SET (active_version_id, activated_at) = ('{}', now())",
            desk.version
        );
        assert_eq!(
            desk.after(&revived, &[]).await,
            Some(IntegrityViolation::ActiveVersion(agent)),
            "{table}"
        );
    }
}

fn follow(text: &str, signed_heads: Vec<SignedHead>) -> Result<(u64, u64), ExcerptError> {
    let mut follower = ExcerptVerifier::new(signed_heads);
    for line in text.lines() {
        follower.take(line)?;
    }
    follower.end().map(|followed| (followed.own, followed.others))
}

#[tokio::test]
async fn a_customer_follows_the_chain_without_the_registry_and_learns_nothing_of_others() {
    let desk = Desk::new().await;
    let operator = desk.app.operator().await;
    let town = operator.customer("Townmarker").await;
    operator.agent(&town, "Townmarker agent").await;
    let signed_head = desk.signed_head().await;
    desk.editor.agent(&desk.customer, "Last").await;
    let path = format!("/v1/customers/{}/audit", desk.customer);
    let answer = desk.admin.get(&path).await;
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let Value::String(text) = &answer.body else { panic!("{}", answer.body) };
    let count = desk.admin.gql("{ changes { totalCount } }", Value::Null).await;
    let head = desk.app.registry.head().await.unwrap();
    let (own, others) = follow(text, vec![signed_head.clone()]).unwrap();
    assert_eq!(count.at("/changes/totalCount"), own);
    let mut admin = PgConnection::connect(&desk.app.database.admin_url).await.unwrap();
    let all: i64 =
        sqlx::query_scalar("SELECT count(*) FROM registry.changes").fetch_one(&mut admin).await.unwrap();
    assert_eq!(i64::try_from(own + others).unwrap(), all);
    assert!(text.contains(&hex::encode(&head.chain_hash)));
    for foreign in ["Townmarker", &town, "operator.added"] {
        assert!(!text.contains(foreign), "{foreign}");
    }
    let salts: Vec<String> = sqlx::query_scalar(
        "SELECT salt::text FROM registry.changes WHERE customer_id IS DISTINCT FROM $1::text::uuid",
    )
    .bind(&desk.customer)
    .fetch_all(&mut admin)
    .await
    .unwrap();
    assert!(
        !salts.is_empty() && salts.iter().all(|salt| !text.contains(salt)),
        "the excerpt has no salts of others, so their hashes can't be guessed"
    );

    // Tampering with the excerpt is found.
    let lines: Vec<&str> = text.lines().collect();
    let without = |line: usize| {
        let kept = lines.iter().enumerate().filter(|(at, _)| *at != line).map(|(_, line)| *line);
        kept.collect::<Vec<_>>().join("\n")
    };
    let last = lines.len() - 1;
    assert_eq!(follow(&without(last), vec![]), Err(ExcerptError::Cut));
    assert!(matches!(follow(&without(0), vec![]), Err(ExcerptError::Line(1, _))));
    for (line, text) in lines.iter().enumerate().take(last).skip(1) {
        assert_eq!(follow(&without(line), vec![]), Err(ExcerptError::End), "without {text}");
    }
    let edited = text.replace("Helper", "Harmer");
    assert_ne!(&edited, text);
    assert_eq!(follow(&edited, vec![]), Err(ExcerptError::End));
    let other = SignedHead { chain_hash: "00".repeat(32), ..signed_head.clone() };
    assert_eq!(follow(text, vec![other.clone()]), Err(ExcerptError::MissingHead(other)));
    let later = SignedHead { revision: Revision(signed_head.revision.0 + 1000), ..signed_head.clone() };
    let later = SignedHead { chain_hash: "00".repeat(32), ..later };
    assert_eq!(follow(text, vec![later.clone()]), Err(ExcerptError::Short(later)));
    // An excerpt whose end claims a revision before its entries.
    let (first, end) = (format!("\"revision\":{},", head.revision), "\"revision\":1,".to_owned());
    let moved = lines.iter().map(|line| {
        if line.starts_with("{\"end\"") { line.replace(&first, &end) } else { (*line).to_owned() }
    });
    assert_eq!(follow(&moved.collect::<Vec<_>>().join("\n"), vec![]), Err(ExcerptError::End));
    let foreign = SignedHead { log_id: desk.customer.parse().unwrap(), ..signed_head };
    assert_eq!(follow(text, vec![foreign.clone()]), Err(ExcerptError::OtherLog(foreign)));
    for nonsense in ["", "{}", "{\"hashes\":[]}", "nonsense", "{\"end\":{}}"] {
        assert!(
            matches!(follow(&format!("{nonsense}\n{text}"), vec![]), Err(ExcerptError::Line(1, _))),
            "{nonsense}"
        );
    }
    // The beginning twice, and a line after the end.
    assert!(follow(&format!("{}\n{text}", lines[0]), vec![]).is_err());
    assert!(follow(&format!("{text}{}", lines[1]), vec![]).is_err());
}

#[tokio::test]
async fn nobody_else_gets_it() {
    let desk = Desk::new().await;
    let path = format!("/v1/customers/{}/audit", desk.customer);
    let town = desk.app.operator().await.customer("Town").await;
    let stranger = desk.app.member(&town, Role::Admin).await;
    let viewer = desk.app.member(&desk.customer, Role::Viewer).await;
    let cases = [(&stranger, 404), (&viewer, 403), (&desk.editor, 403), (&desk.admin, 200)];
    for (client, status) in cases {
        assert_eq!(client.get(&path).await.status, status);
    }
    for nowhere in ["nonsense", "01a20326-e777-71ce-9264-eefdca7dad0e"] {
        let answer = desk.app.operator().await.get(&format!("/v1/customers/{nowhere}/audit")).await;
        assert_eq!(answer.status, 404, "{nowhere}");
    }
}

#[test]
fn what_is_no_sealed_head_is_said_to_be_none() {
    let key = LocalIssuer::open(&key_file()).unwrap();
    let token = key.sign("JWT", &json!({ "log_id": "x" })).unwrap();
    let other = key.sign("agent-registry-head+jws", &json!({ "revision": 1 })).unwrap();
    for text in ["", "nonsense", "a.b.c", &token, &other] {
        assert!(SignedHead::open(text).is_err(), "{text}");
    }
}
