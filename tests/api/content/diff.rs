//! The difference of two versions: one notion of equality, and lines that end at LF alone.

use std::{fs, process::Command};

use serde_json::{Value, json};

use super::City;
use crate::support::Calls;

const DIFF: &str = "query ($id: ID!, $from: Int!, $to: Int!) { agent(id: $id) { diff(from: $from, to: $to) {
    isSame systemPrompt modelNameChanged modelParametersChanged toolsAdded toolsRemoved toolsChanged toolsReordered } } }";

impl City {
    async fn diff(&self, from: i32, to: i32) -> Value {
        let variables = json!({ "id": self.agent, "from": from, "to": to });
        self.editor.gql(DIFF, variables).await.at("/agent/diff").clone()
    }
}

#[tokio::test]
async fn what_is_the_same_names_no_difference_and_a_reorder_is_named() {
    let city = City::new().await;
    let [a, b] = [r#"{"name":"a","inputSchema":{"type":"object","minProperties":1.0}}"#, r#"{"name":"b"}"#];
    let other = r#"{"input_schema":{"minProperties":1,"type":"object"},"name":"a","description":null}"#;
    for (parameters, tools) in [
        (r#"{"temperature":1.0,"stop":["x"]}"#, format!("[{a},{b}]")),
        (r#"{"stop":["x"],"temperature":1}"#, format!("[{other},{b}]")),
        (r#"{"stop":["x"],"temperature":1}"#, format!("[{b},{a}]")),
        (r#"{"stop":["y"]}"#, r#"[{"name":"c"},{"name":"b","title":"B"}]"#.to_owned()),
    ] {
        assert_eq!(city.publish_text(parameters, &tools).await.status, 201);
    }
    let same = json!({ "isSame": true, "systemPrompt": null, "modelNameChanged": false, "modelParametersChanged": [],
        "toolsAdded": [], "toolsRemoved": [], "toolsChanged": [], "toolsReordered": false });
    assert_eq!(city.diff(1, 2).await, same);
    let reordered = json!({ "isSame": false, "systemPrompt": null, "modelNameChanged": false,
        "modelParametersChanged": [], "toolsAdded": [], "toolsRemoved": [], "toolsChanged": [], "toolsReordered": true });
    assert_eq!(city.diff(2, 3).await, reordered);
    let changed = json!({ "isSame": false, "systemPrompt": null, "modelNameChanged": false,
        "modelParametersChanged": ["stop", "temperature"], "toolsAdded": ["c"], "toolsRemoved": ["a"],
        "toolsChanged": ["b"], "toolsReordered": false });
    assert_eq!(city.diff(1, 4).await, changed);
}

const IMPACT: &str =
    "query ($id: ID!, $from: Int!, $to: Int!) { agent(id: $id) { diff(from: $from, to: $to) {
    isSame impact findings { impact path toolName before after message } changes { path kind before after }
    hunks { oldStart newStart lines { kind text } } } } }";

/// `crates/change-impact` has the table of changes. This is how the graph shows them.
#[tokio::test]
async fn findings_say_what_a_change_may_do() {
    let city = City::new().await;
    let tools = |schema: &str| format!(r#"[{{"name":"find","inputSchema":{{"type":"object",{schema}}}}}]"#);
    let publish = async |prompt: &str, parameters: &str, tools: &str| {
        let body = format!(
            r#"{{"system_prompt":{},"model_name":"m","model_parameters":{parameters},"tools":{tools}}}"#,
            json!(prompt)
        );
        let request = city.editor.request(reqwest::Method::POST, &city.versions());
        let request = request.header("content-type", "application/json").body(body);
        assert_eq!(crate::support::Answer::of(request).await.status, 201);
    };
    publish("one\ntwo", r#"{"a":1}"#, &tools(r#""properties":{"x":{"type":"string"}}"#)).await;
    publish("one\ntwo", r#"{"a":1.0}"#, &tools(r#""properties":{"x":{"type":"string"}}"#)).await;
    publish("one\n2", r#"{"a":2}"#, &tools(r#""properties":{"x":{"type":"string"}},"required":["x"]"#)).await;
    let diff = async |from: i32, to: i32| {
        let variables = json!({ "id": city.agent, "from": from, "to": to });
        city.editor.gql(IMPACT, variables).await.at("/agent/diff").clone()
    };
    let same = json!({ "isSame": true, "impact": "SAME", "findings": [], "changes": [], "hunks": [] });
    assert_eq!(diff(1, 2).await, same);
    assert_eq!(diff(2, 2).await, same);
    let changed = diff(2, 3).await;
    assert_eq!((&changed["isSame"], &changed["impact"]), (&json!(false), &json!("NARROWED")));
    let impacts: Vec<&str> =
        changed["findings"].as_array().unwrap().iter().map(|one| one["impact"].as_str().unwrap()).collect();
    assert_eq!(impacts, ["CONTENT", "TUNING", "NARROWED"]);
    let narrowed = &changed["findings"][2];
    assert_eq!(
        (&narrowed["toolName"], &narrowed["message"]),
        (&json!("find"), &json!("`find` now requires `x`"))
    );
    assert_eq!(narrowed["path"], json!(["tools", "find", "inputSchema", "required", "x"]));
    assert_eq!(
        changed["changes"][0],
        json!({ "path": ["modelParameters", "a"], "kind": "CHANGED", "before": 1.0, "after": 2 })
    );
    let line = |kind: &str, text: &str| json!({ "kind": kind, "text": text });
    assert_eq!(
        changed["hunks"],
        json!([{ "oldStart": 1, "newStart": 1,
            "lines": [line("CONTEXT", "one"), line("REMOVED", "two"), line("ADDED", "2")] }])
    );
    // The other way round, a deployed executor may get calls that it doesn't know.
    assert_eq!(diff(3, 2).await["impact"], "WIDENED");
    // From a version itself, compared with the one before it or with another one.
    let own = "query ($id: ID!) { agent(id: $id) { versions(first: 10) { nodes {
        number diff { from { number } } first: diff(against: 1) { to { number } } none: diff(against: 9) { isSame } } } } }";
    let answer = city.editor.gql(own, json!({ "id": city.agent })).await;
    let versions = answer.at("/agent/versions/nodes").as_array().unwrap();
    for version in versions {
        let number = version["number"].as_i64().unwrap();
        let before = if number == 1 { Value::Null } else { json!({ "from": { "number": number - 1 } }) };
        assert_eq!(version["diff"], before, "{version}");
        assert_eq!(version["first"], json!({ "to": { "number": number } }));
        assert_eq!(version["none"], Value::Null);
    }
    assert_eq!(versions.len(), 3);
}

/// A double would round both to the same number.
#[tokio::test]
async fn neighbouring_integers_that_no_double_holds_differ() {
    let city = City::new().await;
    for maximum in ["9223372036854775807", "9223372036854775806", "1e21", "1000000000000000000000"] {
        let tools =
            format!(r#"[{{"name":"a","inputSchema":{{"type":"object","maxProperties":{maximum}}}}}]"#);
        assert_eq!(city.publish_text("{}", &tools).await.status, 201);
    }
    let changed = city.diff(1, 2).await;
    assert_eq!((&changed["isSame"], &changed["toolsChanged"]), (&json!(false), &json!(["a"])));
    assert_eq!(city.diff(3, 4).await["isSame"], true);
}

/// `patch` and `git apply` end a line at LF alone.
#[tokio::test]
async fn a_diff_is_what_patch_applies() {
    let city = City::new().await;
    let folder = std::env::temp_dir().join(format!("agent-registry-diff-{}", city.agent));
    fs::create_dir_all(&folder).unwrap();
    let prompts = [
        "one\rstill one\ntwo\r\nthree\n",
        "one\rstill 1\ntwo\r\nthree\nfour\r",
        "one\rstill 1\r\ntwo\r\nthree\nfour\r\n",
        "",
        "\r\r\n\n\r",
        "a\u{2028}b\u{85}c\u{b}d",
    ];
    for prompt in prompts {
        city.editor.publish(&city.agent, prompt).await;
    }
    for (from, to) in [(1, 2), (2, 3), (3, 1), (1, 4), (4, 5), (5, 6), (6, 1)] {
        let diff = city.diff(from, to).await["systemPrompt"].as_str().unwrap().to_owned();
        let (file, patch) = (folder.join("prompt"), folder.join("patch"));
        let prompt = |number: i32| prompts[usize::try_from(number - 1).unwrap()];
        fs::write(&file, prompt(from)).unwrap();
        fs::write(&patch, format!("--- a/prompt\n+++ b/prompt\n{diff}")).unwrap();
        let applied = Command::new("git")
            .args(["apply", "--whitespace=nowarn", "--no-index", "--unidiff-zero", "patch"])
            .env("GIT_CEILING_DIRECTORIES", &folder)
            .current_dir(&folder)
            .output()
            .unwrap();
        let why = String::from_utf8_lossy(&applied.stderr).into_owned();
        assert!(applied.status.success(), "{from} to {to}: {why}\n{diff:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), prompt(to), "{from} to {to}: {diff:?}");
    }
    fs::remove_dir_all(&folder).unwrap();
}
