//! `plan` on the command line: what it prints, and the exit codes that scripts match on.

use serde_json::{Value, json};

use super::Home;

/// Two versions of an agent, the first of which serves; the second requires one parameter more.
fn history() -> String {
    let version = |required: Value| {
        json!({ "system_prompt": "Help.", "model_name": "m", "tools": [{ "name": "find|all", "inputSchema": {
            "type": "object", "properties": { "city": { "type": "string" } }, "required": required } }] })
    };
    let versions = [version(json!([])), version(json!(["city"]))];
    json!({ "agent": "Helper", "versions": versions, "active": 1 }).to_string()
}

#[test]
fn a_plan_is_printed_and_its_exit_code_says_what_it_is() {
    let home = Home::new("plan");
    let city = home.last(&["customer", "create", "--name", "City"]);
    let file = home.0.join("history.jsonl");
    std::fs::write(&file, history()).unwrap();
    home.output_of(&["import", file.to_str().unwrap(), "--customer", &city]);
    let exported: Value = serde_json::from_str(&home.last(&["export", "--customer", &city])).unwrap();
    let agent = exported["id"].as_str().unwrap();
    let plan = |more: &[&str]| {
        let output = home.run(&[&["plan", "--agent", agent], more].concat());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    let (code, text, complaint) = plan(&["--version", "2"]);
    assert_eq!((code, complaint.as_str()), (2, ""), "changes");
    let hash = text.lines().last().unwrap().strip_prefix("plan hash ").unwrap().to_owned();
    insta::assert_snapshot!(text.replace(&hash, "HASH"), @r#"
    "Helper" in production: version 1 → version 2
    NARROWED; it would go through
      NARROWED   `find|all` now requires `city`
    INFO by ON_BREAKING: the change is NARROWED, and `production` allows that without a confirmation
    plan hash HASH
    "#);
    let (code, markdown, _) = plan(&["--version", "2", "--format", "markdown"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(markdown.replace(&hash, "HASH"), @r#"
    ### "Helper" in production: version 1 → version 2

    **NARROWED; it would go through**

    | impact | finding |
    | --- | --- |
    | NARROWED | `find\|all` now requires `city` |

    | rule | effect | |
    | --- | --- | --- |
    | ON_BREAKING | INFO | the change is NARROWED, and `production` allows that without a confirmation |

    Plan hash `HASH`
    "#);
    let (code, text, _) = plan(&["--version", "2", "--format", "json"]);
    let printed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, 2);
    assert_eq!((&printed["plan_hash"], &printed["decision"]), (&json!(hash), &json!("ALLOW")));
    assert_eq!((&printed["previous_version_number"], &printed["version_number"]), (&json!(1), &json!(2)));
    assert_eq!(printed["findings"][0]["after"], "city");
    let by_id = printed["version_id"].as_str().unwrap();
    assert_eq!(plan(&["--version", by_id]).0, 2);
    assert_eq!(plan(&["--version", "1"]).0, 0, "nothing differs");
    assert_eq!(plan(&["--deactivate"]).0, 2);
    // 2 says that there are changes, so it is no error's code.
    for wrong in [
        &["--version", "3"][..],
        &["--version", "2", "--environment", "elsewhere"],
        &["--version", "2", "--environment", "A B"],
        &["--version", "x"],
        &["--version", "2", "--format", "yaml"],
        &["--version", "2", "--deactivate"],
        &[],
    ] {
        let (code, text, complaint) = plan(wrong);
        assert_eq!((code, text.as_str()), (1, ""), "{wrong:?}: {complaint}");
        let last = complaint.lines().last().unwrap_or_default();
        assert!(last.starts_with("agent-registry: "), "{wrong:?}: {complaint}");
    }
    assert_eq!(home.run(&["plan", "--agent", "x", "--version", "1"]).status.code(), Some(1));
    assert_eq!(home.run(&["customer", "create"]).status.code(), Some(2));
}
