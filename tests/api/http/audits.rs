//! The audits of the GraphQL over HTTP specification, as npm's `graphql-http` has them, against a real service.

use serde_json::{Value, json};

use crate::support::{App, node::script};

/// How many audits there are in the version of `graphql-http` that is pinned in tests/package.json.
const AUDITS: u64 = 61;

/// Runs them with this credential; answers whether all are ok, and what it printed.
async fn audit(app: &App, token: Option<&str>) -> (bool, Value) {
    let mut script = script("conformance", "audits.mjs");
    script.args(["--url", &format!("{}/graphql", app.base)]);
    script.env_remove("TOKEN").envs(token.map(|token| ("TOKEN", token)));
    let output = script.output().await.expect("node");
    (output.status.success(), serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_audits_of_graphql_over_http_are_ok() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (is_well, told) = audit(&app, operator.token.as_deref()).await;
    println!("graphql-http: {} of {} audits are ok", told["ok"], told["audits"]);
    assert_eq!((is_well, &told), (true, &json!({ "audits": AUDITS, "ok": AUDITS, "wrong": [] })), "{told}");

    // Without a credential most must fail, or they would not look at the answers.
    let (is_well, told) = audit(&app, None).await;
    let wrong = told["wrong"].as_array().unwrap();
    assert!(!is_well && wrong.len() > 20, "{told}");
    assert!(wrong.iter().any(|audit| audit["id"] == "4655" && audit["status"] == "error"), "{told}");
}
