//! The options of an import, and what it says about each line.

use agent_registry::domain::{
    environment::EnvironmentKey,
    transfer::{ImportOptions, Imported},
};
use serde_json::{Value, json};

use super::{Desk, lines, simple};

const SKIP: ImportOptions = ImportOptions {
    environment: EnvironmentKey::DEFAULT,
    activate: false,
    exact: false,
    skip_bad: true,
    dry_run: false,
};
const DRY: ImportOptions = ImportOptions {
    environment: EnvironmentKey::DEFAULT,
    activate: false,
    exact: false,
    skip_bad: false,
    dry_run: true,
};
const EXACT: ImportOptions = ImportOptions {
    environment: EnvironmentKey::DEFAULT,
    activate: false,
    exact: true,
    skip_bad: false,
    dry_run: false,
};
const PLAIN: ImportOptions = ImportOptions {
    environment: EnvironmentKey::DEFAULT,
    activate: false,
    exact: false,
    skip_bad: false,
    dry_run: false,
};

fn line(value: &Value) -> String {
    format!("{value}\n")
}

#[tokio::test]
async fn bad_lines_are_skipped_and_reported_and_the_others_are_stored() {
    let desk = Desk::open().await;
    desk.import(&simple("Known", &["1", "2"])).await.unwrap();
    let file = [
        simple("One", &["1"]),
        "{\"agent\": \n".to_owned(),
        simple("Known", &["1", "other"]),
        "\n".to_owned(),
        simple("Two", &["1", "2"]),
        line(&json!({ "agent": "Bad", "versions": [{ "system_prompt": "1", "model_name": " " }] })),
        simple("One", &["again"]),
        simple("Known", &["1", "2"]),
        "[1]".to_owned(),
    ];
    let (done, reports) = desk.report(SKIP, &file.concat()).await;
    let expected = Imported { created: 2, updated: 0, unchanged: 0, failed: 6, versions: 3 };
    assert_eq!(done.unwrap(), expected);
    insta::assert_snapshot!(reports.join("\n"), @r#"
    1 One created +1
    2 ? failed +0: not JSON: expected a value, found the end, at `agent`, at column 11; write one agent a line, as an object of its own (JSON Lines), not over several lines
    3 Known failed +0: version 2 differs from the one in the registry in its prompt, model, parameters, tools or extensions
    5 Two created +2
    6 Bad failed +0: version 1: model_name must not be blank
    7 One failed +0: an earlier line of this file has an agent with this name
    8 Known failed +0: an earlier line of this file has an agent with this name
    9 ? failed +0: expected an object with an agent, found `[`: write one agent a line, as an object of its own (JSON Lines), not as one array
    "#);
    let names: Vec<String> = lines(&desk.export().await).into_iter().map(|line| line.head.agent).collect();
    assert_eq!(names, ["Known", "One", "Two"]);
}

#[tokio::test]
async fn a_dry_run_reports_as_the_import_does_and_stores_nothing() {
    let desk = Desk::open().await;
    desk.import(&simple("Known", &["1"])).await.unwrap();
    let (before, head) = (desk.export().await, desk.head().await);
    let file = simple("Known", &["1", "2"]) + &simple("New", &["1"]) + &simple("Known 2", &[]);
    let (done, reports) = desk.report(DRY, &file).await;
    assert_eq!((desk.export().await, desk.head().await), (before, head));
    let (did, really) = desk.report(PLAIN, &file).await;
    assert_eq!((done.unwrap(), reports), (did.unwrap(), really));

    // Agents of earlier transactions count, although these were rolled back.
    let many: String = (0..600).map(|nth| simple(&format!("Agent {nth}"), &[])).collect();
    let head = desk.head().await;
    let (done, _) = desk.report(DRY, &many).await;
    let err = done.unwrap_err();
    assert!(err.to_string().contains("plan allows 500 agents"), "{err}");
    assert_eq!(err.done.created, 497, "there are 3 already");
    assert_eq!(desk.head().await, head);
}

#[tokio::test]
async fn null_removes_and_what_is_left_out_stays() {
    let desk = Desk::open().await;
    let versions = json!([{ "system_prompt": "1" }, { "system_prompt": "2" }]);
    let full = json!({ "agent": "A", "description": "d", "active": 2, "versions": versions });
    desk.import(&line(&full)).await.unwrap();
    let before = desk.export().await;
    let bare = json!({ "agent": "A", "versions": versions });
    assert_eq!(desk.import(&line(&bare)).await.unwrap().unchanged, 1);
    assert_eq!(desk.export().await, before);
    let null = json!({ "agent": "A", "description": null, "active": null, "versions": versions });
    assert_eq!(desk.import(&line(&null)).await.unwrap().updated, 1);
    let head = lines(&desk.export().await).remove(0).head;
    assert_eq!((head.description, head.active), (Some(None), Some(None)));
    // The file says that the agent serves nothing, so its last version isn't activated.
    let activate = ImportOptions { activate: true, ..PLAIN };
    let (done, _) =
        desk.report(activate, &line(&json!({ "agent": "B", "active": null, "versions": versions }))).await;
    assert_eq!(done.unwrap().created, 1);
    assert_eq!(lines(&desk.export().await)[1].head.active, Some(None));
}

#[tokio::test]
async fn exact_makes_the_agent_as_its_line_or_refuses() {
    let desk = Desk::open().await;
    let versions = json!([{ "system_prompt": "1", "message": "why" }]);
    let full = json!({ "agent": "A", "description": "d", "active": 1, "versions": versions });
    desk.import(&line(&full)).await.unwrap();
    let bare = json!({ "agent": "A", "versions": versions });
    let (done, _) = desk.report(EXACT, &line(&bare)).await;
    assert_eq!(done.unwrap().updated, 1);
    let file = desk.export().await;
    let head = lines(&file).remove(0).head;
    assert_eq!((head.description, head.active, head.archived), (Some(None), Some(None), Some(false)));
    let (done, _) = desk.report(EXACT, &file).await;
    assert_eq!(done.unwrap().unchanged, 1);

    let away = json!({ "agent": "A", "archived": true, "versions": versions });
    desk.report(EXACT, &line(&away)).await.0.unwrap();
    assert_eq!(lines(&desk.export().await)[0].head.archived, Some(true));
    desk.report(EXACT, &line(&bare)).await.0.unwrap();
    assert_eq!(desk.export().await, file, "a line that doesn't say archived isn't");

    let head = desk.head().await;
    for (version, what) in [
        (json!({ "system_prompt": "1" }), "its message"),
        (json!({ "system_prompt": "1", "message": "another" }), "its message"),
        (
            json!({ "system_prompt": "1", "message": "why", "published_at": "2020-01-01T00:00:00Z" }),
            "its time of publication",
        ),
    ] {
        let (done, _) = desk.report(EXACT, &line(&json!({ "agent": "A", "versions": [version] }))).await;
        let told = done.unwrap_err().to_string();
        assert!(
            told.contains(&format!("version 1 differs from the one in the registry in {what}")),
            "{told}"
        );
        assert!(told.contains("a published version never changes"), "{told}");
    }
    assert_eq!((desk.export().await, desk.head().await), (file, head));
    let both = desk.with(ImportOptions { activate: true, ..EXACT });
    let (system, mut from) = (super::system(), &b""[..]);
    let refused = desk.app.registry.import(&system, both, &mut from).await.err().unwrap();
    assert_eq!(refused.field(), Some("activate"));
}

#[tokio::test]
async fn another_message_is_reported_and_changes_nothing() {
    let desk = Desk::open().await;
    let versions = |message: &str| -> Vec<Value> {
        (1..=7).map(|nth| json!({ "system_prompt": format!("{nth}"), "message": message })).collect()
    };
    desk.import(&line(&json!({ "agent": "A", "versions": versions("why") }))).await.unwrap();
    let (before, head) = (desk.export().await, desk.head().await);
    let mut some = versions("why");
    some[1]["message"] = json!("another");
    let (done, reports) = desk.report(PLAIN, &line(&json!({ "agent": "A", "versions": some }))).await;
    assert_eq!(done.unwrap().unchanged, 1);
    assert_eq!(reports, ["1 A unchanged +0; version 2 differs from the one in the registry in its message"]);
    let (_, reports) = desk.report(PLAIN, &line(&json!({ "agent": "A", "versions": versions("all") }))).await;
    let note = "versions 1, 2, 3, 4, 5 and 2 more differ from those in the registry in their message";
    assert_eq!(reports, [format!("1 A unchanged +0; {note}")]);
    assert_eq!((desk.export().await, desk.head().await), (before, head));
}

#[tokio::test]
async fn another_order_of_keys_is_reported_and_changes_nothing() {
    let desk = Desk::open().await;
    let file = |parameters: &str| {
        format!(
            "{{\"agent\":\"A\",\"versions\":[{{\"system_prompt\":\"\",\"model_parameters\":{parameters}}}]}}\n"
        )
    };
    desk.import(&file(r#"{"b":1.0,"a":1e0}"#)).await.unwrap();
    let before = desk.export().await;
    assert!(before.contains(r#""model_parameters":{"b":1.0,"a":1e0}"#), "{before}");
    let (done, reports) = desk.report(PLAIN, &file(r#"{"a":1,"b":1}"#)).await;
    assert_eq!(done.unwrap().unchanged, 1);
    let note = "version 1 differs from the one in the registry in its order of keys or form of numbers";
    assert_eq!(reports, [format!("1 A unchanged +0; {note}")]);
    let (done, _) = desk.report(EXACT, &file(r#"{"a":1,"b":1}"#)).await;
    assert!(done.unwrap_err().to_string().contains(note));
    assert_eq!(desk.export().await, before);
}

#[tokio::test]
async fn an_agent_archived_on_both_sides_gets_its_new_versions_and_stays_archived() {
    let desk = Desk::open().await;
    let versions = |count: usize| -> Vec<Value> {
        (1..=count).map(|nth| json!({ "system_prompt": format!("{nth}") })).collect()
    };
    let away = |count| line(&json!({ "agent": "A", "archived": true, "versions": versions(count) }));
    desk.import(&away(2)).await.unwrap();
    let since = lines(&desk.export().await);
    let done = desk.import(&(away(4) + &simple("After", &["1"]))).await.unwrap();
    assert_eq!((done.updated, done.created, done.versions), (1, 1, 3));
    let now = lines(&desk.export().await);
    assert_eq!((now[0].versions.len(), now[0].head.archived), (4, Some(true)));
    assert_eq!(now[0].versions[..2], since[0].versions);
    // A line that doesn't say so may not add to an archived agent.
    let head = desk.head().await;
    let err = desk.import(&line(&json!({ "agent": "A", "versions": versions(5) }))).await.unwrap_err();
    assert!(err.to_string().contains("archived"), "{err}");
    assert_eq!(desk.head().await, head);
}
