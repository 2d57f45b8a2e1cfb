//! The audits of the GraphQL over HTTP specification, from npm's `graphql-http`, against a real service.

use serde_json::{Value, json};

use crate::support::{App, node::script};

/// The number of audits in the version of `graphql-http` that tests/package.json pins.
const AUDITS: u64 = 61;

/// Runs the audits with this credential. Returns whether all passed, and the report.
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

    // Without a credential most audits must fail; otherwise they wouldn't check the responses.
    let (is_well, told) = audit(&app, None).await;
    let wrong = told["wrong"].as_array().unwrap();
    assert!(!is_well && wrong.len() > 20, "{told}");
    assert!(wrong.iter().any(|audit| audit["id"] == "4655" && audit["status"] == "error"), "{told}");
}
