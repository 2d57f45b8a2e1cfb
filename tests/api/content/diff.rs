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
