//! An import concurrent with other writers of the same agents.

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{Desk, import, lines, simple, system};
use crate::support::{
    Calls,
    wait::{waits_for_a_lock, within},
};

const ROUNDS: usize = 60;

/// Whichever commits first, the other sees it: the import adds its version before the published one, or is rejected
/// because the published one has its number. There is no other error, and no duplicate number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_and_a_publish_of_one_agent_see_each_other() {
    let desk = Desk::open().await;
    let operator = desk.app.operator().await;
    let agent = operator.agent(&desk.customer.to_string(), "A").await;
    let mut prompts: Vec<String> = Vec::new();
    let (mut imported, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        let (mine, theirs) = (format!("import {round}"), format!("publish {round}"));
        let wanted: Vec<&str> = prompts.iter().map(String::as_str).chain([mine.as_str()]).collect();
        let file = simple("A", &wanted);
        // They start first in turn. The time between them grows to the length of a whole write.
        let delay = std::time::Duration::from_micros(u64::try_from(round).unwrap() * 100);
        let publish = async {
            if round % 2 == 0 {
                tokio::time::sleep(delay).await;
            }
            let input = json!({ "agentId": agent, "systemPrompt": theirs, "modelName": "gpt-4-turbo" });
            operator.publish_input(input).await
        };
        let import = async {
            if round % 2 == 1 {
                tokio::time::sleep(delay).await;
            }
            desk.import(&file).await
        };
        let (published, outcome) = tokio::join!(publish, import);
        assert_eq!(published.at("/publishVersion/userErrors"), &json!([]), "round {round}");
        match outcome {
            Ok(done) => {
                assert_eq!(done.versions, 1, "round {round}");
                prompts.push(mine);
                imported += 1;
            }
            Err(err) => {
                let number = prompts.len() + 1;
                let expected = format!("version {number} differs from the one in the registry");
                assert!(err.to_string().contains(&expected), "round {round}: {err}");
                refused += 1;
            }
        }
        prompts.push(theirs);
        let there = lines(&desk.export().await);
        let there: Vec<&str> =
            there[0].versions.iter().map(|version| version.system_prompt.as_str()).collect();
        assert_eq!(there, prompts, "round {round}");
    }
    assert!(imported > 0 && refused > 0, "{imported} imports won and {refused} lost");
}

/// The import is blocked after it has read its agents and before it reads their histories. Every other writer locks
/// the customer too, so the agents' locks are a second protection.
#[tokio::test]
async fn an_import_locks_its_customer_and_its_agents_before_it_compares_histories() {
    let desk = Desk::open().await;
    desk.import(&simple("A", &["1"])).await.unwrap();
    let mut holder = PgConnection::connect(&desk.app.database.admin_url).await.unwrap();
    let mut other = PgConnection::connect(&desk.app.database.admin_url).await.unwrap();
    let hold = "BEGIN; LOCK TABLE registry.agent_versions IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(hold).execute(&mut holder).await.unwrap();
    let importing = tokio::spawn({
        let (registry, input, file) = (desk.app.registry.clone(), desk.input(), simple("A", &["1", "2"]));
        async move { import(&registry, &system(), input, &mut file.as_bytes()).await }
    });
    waits_for_a_lock(&mut other, "%agent_versions%").await;
    for table in ["customers", "agents"] {
        let lock = format!("SELECT FROM registry.{table} FOR NO KEY UPDATE NOWAIT");
        let refused = sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut other).await;
        let refused = refused.err().unwrap_or_else(|| panic!("{table} are not locked"));
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("55P03"), "{table}");
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    assert_eq!(within("the import ends", importing).await.unwrap().unwrap().versions, 1);
}
