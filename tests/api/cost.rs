//! What one client asks for does not make all others wait, nor take all memory: lengths that only the rows know.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{App, Calls, caller::Operator};

/// Versions of the largest prompts, each line another than before, so that a diff finds nothing in common.
async fn histories(operator: &Operator, versions: usize) -> String {
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Helper").await;
    for version in 0..versions {
        let lines: Vec<String> = (0..37_000).map(|line| format!("{:012}", line * 7 + version)).collect();
        operator.publish(&agent, &lines.join("\n")).await;
    }
    agent
}

/// This field so many times, each under another name.
fn repeated(field: &str, times: usize) -> String {
    let fields: Vec<String> = (0..times).map(|nth| format!("f{nth}: {field}")).collect();
    format!("query ($agent: ID!) {{ agent(id: $agent) {{ {} }} }}", fields.join(" "))
}

/// All of this runs on one thread, the service too: whatever keeps that busy is a gap between two looks at the clock.
#[tokio::test]
async fn whoever_compares_prompts_leaves_time_for_others() {
    let app = App::start().await;
    let operator = app.operator().await;
    let agent = histories(&operator, 2).await;
    let diffs = repeated("diff(from: 1, to: 2) { systemPrompt }", 30);
    let greedy = tokio::spawn(async move { operator.gql(&diffs, json!({ "agent": agent })).await });
    let (begun, mut longest) = (Instant::now(), Duration::ZERO);
    while begun.elapsed() < Duration::from_secs(2) && !greedy.is_finished() {
        let looked = Instant::now();
        tokio::time::sleep(Duration::from_millis(5)).await;
        longest = longest.max(looked.elapsed());
    }
    greedy.abort();
    assert!(longest < Duration::from_secs(1), "{longest:?}");
}

#[tokio::test]
async fn an_answer_is_refused_before_it_fills_the_memory() {
    let app = App::start().await;
    let operator = app.operator().await;
    let agent = histories(&operator, 2).await;
    let few =
        operator.gql(&repeated("version(number: 1) { systemPrompt }", 10), json!({ "agent": agent })).await;
    assert!(few.at("/agent/f9/systemPrompt").is_string());
    for field in [
        "versions { nodes { systemPrompt a: systemPrompt } }",
        "version(number: 2) { systemPrompt }",
        "diff(from: 1, to: 2) { systemPrompt }",
    ] {
        let much = operator.gql(&repeated(field, 80), json!({ "agent": agent })).await;
        assert_eq!(much.code(), Some("QUERY_TOO_COMPLEX"), "{field}: {}", much.body);
    }
}
