//! Imports of many rows, and several imports at a time.

use serde_json::{Value, json};

use super::{Desk, lines, simple};

/// More rows than one statement takes.
#[tokio::test]
async fn a_history_of_thousands_is_one_commit() {
    let desk = Desk::open().await;
    let operator = desk.app.operator().await;
    let set = "mutation ($id: ID!) { setPlan(input: { customerId: $id, plan: ENTERPRISE }) { userErrors { code } } }";
    operator.gql(set, json!({ "id": desk.customer })).await;
    let versions: Vec<Value> = (1..=2_345).map(|nth| json!({ "system_prompt": format!("{nth}") })).collect();
    let line = json!({ "agent": "Long", "active": 1, "versions": versions });
    let before = desk.head().await;
    assert_eq!(desk.import(&line.to_string()).await.unwrap().versions, 2_345);
    assert_eq!(desk.head().await, before + 1);
    let got = lines(&desk.export().await);
    assert_eq!((got[0].versions.len(), got[0].head.active), (2_345, Some(Some(1))));
    assert!(got[0].versions.iter().zip(1..).all(|(version, nth)| version.system_prompt == format!("{nth}")));
}

/// Both imports lock the customer before any agent, so they can't deadlock.
#[tokio::test]
async fn two_imports_in_opposite_orders_both_succeed() {
    let desk = Desk::open().await;
    let file = |versions: &[&str]| -> Vec<String> {
        (0..20).map(|nth| simple(&format!("Agent {nth}"), versions)).collect()
    };
    desk.import(&file(&["1"]).concat()).await.unwrap();
    for round in 2..6 {
        let prompts: Vec<String> = (1..=round).map(|nth| nth.to_string()).collect();
        let prompts: Vec<&str> = prompts.iter().map(String::as_str).collect();
        let (there, mut back) = (file(&prompts), file(&prompts));
        back.reverse();
        let (there, back) = (there.concat(), back.concat());
        let (one, other) = tokio::join!(desk.import(&there), desk.import(&back));
        assert_eq!(one.unwrap().versions + other.unwrap().versions, 20);
    }
}
