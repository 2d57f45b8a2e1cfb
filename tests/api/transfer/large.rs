//! Histories that are larger than what is held in memory.

use agent_registry::domain::transfer::ImportAgents;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncReadExt, BufReader};

use super::{Desk, export, import, simple, system};
use crate::support::Calls;

const PROMPT_BYTES: usize = 512 * 1024;

/// 65 MiB of versions, inserted as an agent has them that was published version by version.
#[tokio::test]
async fn the_largest_prompts_are_exported_and_imported() {
    let desk = Desk::open().await;
    let operator = desk.app.operator().await;
    let agent = operator.agent(&desk.customer.to_string(), "Large").await;
    operator.publish(&agent, &"y".repeat(PROMPT_BYTES)).await;
    let mut admin = PgConnection::connect(&desk.app.database.admin_url).await.unwrap();
    // Inserts many versions at once, which the triggers reject.
    sqlx::raw_sql("SET session_replication_role = replica").execute(&mut admin).await.unwrap();
    let fill = "INSERT INTO registry.agent_versions (id, customer_id, agent_id, number, system_prompt, model_name,
            model_parameters, tools, content_hash, created_by_kind, created_at)
        SELECT gen_random_uuid(), customer_id, agent_id, n, system_prompt, model_name, model_parameters, tools,
            content_hash, created_by_kind, created_at
        FROM registry.agent_versions, generate_series(2, 130) AS n WHERE agent_id = $1::text::uuid AND number = 1";
    sqlx::query(fill).bind(&agent).execute(&mut admin).await.unwrap();
    let count = "UPDATE registry.agents SET latest_number = 130 WHERE id = $1::text::uuid";
    sqlx::query(count).bind(&agent).execute(&mut admin).await.unwrap();

    let file = desk.export().await;
    assert!(file.len() > 130 * PROMPT_BYTES && file.lines().count() == 1, "{} bytes", file.len());
    let town = operator.customer("Town").await.parse().unwrap();
    let there = ImportAgents { customer_id: town, ..desk.input() };
    let done = import(&desk.app.registry, &system(), there, &mut file.as_bytes()).await.unwrap();
    assert_eq!((done.created, done.versions), (1, 130));
    assert!(export(&desk.app.registry, town).await == file, "the copy has the same bytes");
}

/// The versions come before the name, and a line is cut off after them.
#[tokio::test]
async fn a_large_line_is_imported_completely_or_not_at_all() {
    let desk = Desk::open().await;
    let versions: Vec<_> = (0..5)
        .map(|nth| json!({ "system_prompt": nth.to_string().repeat(PROMPT_BYTES) }).to_string())
        .collect();
    let begin = format!(r#"{{"versions":[{}],"#, versions.join(","));
    let head = desk.head().await;
    for end in ["", r#""agent":"A""#, r#""agent":"A","active":9}"#, r#""agent":" "}"#, r#""agent":"A"}}"#] {
        let file = simple("Before", &["1"]) + &begin + end;
        let err = desk.import(&file).await.unwrap_err();
        assert_eq!((err.line, err.done.agents()), (2, 1), "{end}");
    }
    assert_eq!(desk.head().await, head + 1, "the line before");
    assert!(!desk.export().await.contains("\"A\""));
    // The file arrives in small pieces.
    let file = begin + r#""agent":"A","active":5}"#;
    let (one, other) = file.split_at(file.len() / 3);
    let mut slow = BufReader::with_capacity(77, one.as_bytes().chain(other.as_bytes()));
    let done = import(&desk.app.registry, &system(), desk.input(), &mut slow).await.unwrap();
    assert_eq!((done.created, done.versions), (1, 5));
    assert!(desk.export().await.starts_with(r#"{"active":5,"agent":"A""#));
}

#[tokio::test]
async fn agents_without_versions_among_others_are_exported_in_order() {
    let desk = Desk::open().await;
    let line = |nth: usize| {
        let prompts = vec!["p"; if nth.is_multiple_of(97) { 3 } else { 0 }];
        simple(&format!("Agent {nth:03}"), &prompts)
    };
    let file: String = (0..450).map(line).collect();
    desk.import(&file).await.unwrap();
    let got = super::lines(&desk.export().await);
    assert_eq!(got.len(), 450);
    for (line, nth) in got.iter().zip(0..) {
        assert_eq!(line.head.agent, format!("Agent {nth:03}"));
        assert_eq!(line.versions.len(), if usize::is_multiple_of(nth, 97) { 3 } else { 0 });
    }
}
