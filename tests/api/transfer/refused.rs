//! Inputs that an import rejects without storing anything.

use agent_registry::{
    clock::Clock,
    domain::{
        Caller, ErrorCode,
        member::Role,
        transfer::{ExportAgents, ImportAgents, VERSION_BYTES_MAX},
    },
};
use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, BufReader};

use crate::support::caller::Client;

use super::{Desk, import, simple, system};

#[tokio::test]
async fn a_bad_line_is_named_and_stores_nothing() {
    let desk = Desk::open().await;
    let future = (Clock::default().now() + TimeDelta::minutes(5)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let version = |members: Value| {
        let mut version = json!({ "system_prompt": "fine" });
        version.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        json!({ "agent": "Bad", "versions": [{ "system_prompt": "first" }, version] }).to_string()
    };
    let deep = (0..40).fold(json!({}), |inner, _| json!({ "a": inner }));
    let cases = [
        ("{".to_owned(), "not JSON"),
        ("{\"agent\": \"Bad\",".to_owned(), "write one agent a line"),
        ("[{}]".to_owned(), "write one agent a line, as an object of its own (JSON Lines), not as one array"),
        ("null".to_owned(), "expected"),
        ("agent,prompt".to_owned(), "expected an object with an agent, found `a`"),
        ("\u{feff}{}".to_owned(), "expected an object"),
        ("{}".to_owned(), "missing field `agent`"),
        ("{\"agent\": 1e999}".to_owned(), "larger than the largest double"),
        (r#"{"agent":"Bad"}"#.to_owned(), "versions"),
        (r#"{"agent":"Bad","versions":{}}"#.to_owned(), "expected a list of versions, found an object"),
        (r#"{"agent":"Bad","id":"me","versions":[]}"#.to_owned(), "at `id`"),
        (r#"{"agent":"Bad","versions":[{}]}"#.to_owned(), "system_prompt"),
        (r#"{"agent":7,"versions":[]}"#.to_owned(), "expected a string"),
        (r#"{"agent":"Bad","agent":"Bad","versions":[]}"#.to_owned(), "the key \"agent\" occurs twice"),
        (r#"{"agent":"Bad","versions":[],"owner":"x"}"#.to_owned(), "unknown field `owner`"),
        (r#"{"agent":"Bad","versions":[]} {}"#.to_owned(), "expected nothing after the value"),
        (r#"{"agent":"\ud800","versions":[]}"#.to_owned(), "not JSON"),
        (r#"{"agent":" ","versions":[]}"#.to_owned(), "blank"),
        (json!({ "agent": "x".repeat(201), "versions": [] }).to_string(), "too large"),
        (json!({ "agent": "Bad", "description": "a\0", "versions": [] }).to_string(), "U+0000"),
        (r#"{"agent":"Bad","active":3,"versions":[]}"#.to_owned(), "active must be"),
        (
            r#"{"agent":"Bad","active":1,"archived":true,"versions":[{"system_prompt":""}]}"#.to_owned(),
            "archived",
        ),
        (version(json!({ "colour": 1 })), "unknown field `colour`"),
        (
            version(json!({ "system_prompt": "a\0b" })),
            "version 2: system_prompt must not contain the character U+0000",
        ),
        (
            version(json!({ "system_prompt": "x".repeat(512 * 1024 + 1) })),
            "version 2: system_prompt is too large",
        ),
        (version(json!({ "published_at": future })), "version 2: published_at must not be in the future"),
        (version(json!({ "published_at": "yesterday" })), "RFC 3339"),
        (version(json!({ "published_at": "1969-12-31T23:59:59Z" })), "before 1970"),
        (version(json!({ "model_name": "" })), "version 2: model_name must not be blank"),
        (version(json!({ "model_parameters": [] })), "must be a JSON object"),
        (version(json!({ "model_parameters": deep })), "levels deep"),
        (version(json!({ "model_parameters": { "n": u64::MAX } })), "2^53"),
        (version(json!({ "tools": [{ "inputs": 1 }] })), "version 2: tools.0 must have a name"),
        (version(json!({ "tools": [{ "name": "t" }, { "name": "t" }] })), "two tools named"),
        (
            version(json!({ "tools": [{ "name": "t", "input_schema": { "type": 1 } }] })),
            "tools.0.input_schema is not a valid JSON Schema",
        ),
        (version(json!({ "message": "x".repeat(2001) })), "message is too large"),
        (simple("Good", &["g"]), "an earlier line"),
        (simple(" Good ", &["other"]), "an earlier line"),
    ];
    desk.import(&simple("Good", &["g"])).await.unwrap();
    let (before, kept) = (desk.head().await, desk.export().await);
    for (line, what) in cases {
        let err =
            desk.import(&format!("{}\n{line}\n{}", simple("Good", &["g"]), simple("After", &["a"]))).await;
        let err = err.expect_err(what);
        let told = err.to_string();
        assert!(told.starts_with("line 3") && told.contains(what), "{told} should say {what}");
        assert!(told.ends_with("; 1 agent was imported before it") && told.chars().count() < 500, "{told}");
        assert_eq!((desk.head().await, err.line), (before, 3));
    }
    assert_eq!(desk.export().await, kept);
}

#[tokio::test]
async fn an_endless_version_is_refused_within_bounded_memory() {
    let desk = Desk::open().await;
    let begin = &br#"{"agent":"Endless","versions":[{"system_prompt":"x"},{"system_prompt":""#[..];
    let endless = begin.chain(tokio::io::repeat(b'x').take(VERSION_BYTES_MAX as u64 * 2));
    let err = import(&desk.app.registry, &system(), desk.input(), &mut BufReader::new(endless)).await;
    let err = err.unwrap_err();
    assert_eq!(err.source.code(), ErrorCode::TooLarge);
    let told = err.to_string();
    assert!(told.starts_with("line 1, agent \"Endless\": versions[1] is too large"), "{told}");
    assert_eq!(desk.export().await, "");
    // Blank lines aren't held in memory.
    let mut blank = BufReader::new(tokio::io::repeat(b' ').take(VERSION_BYTES_MAX as u64 * 2));
    let done = import(&desk.app.registry, &system(), desk.input(), &mut blank).await.unwrap();
    assert_eq!(done.agents(), 0);
}

#[tokio::test]
async fn a_file_in_utf_16_is_named_as_such() {
    let desk = Desk::open().await;
    let line = simple("A", &["1"]);
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let marked = format!("\u{feff}{line}");
    for file in [little(&line), big(&line), little(&marked), big(&marked)] {
        let err = import(&desk.app.registry, &system(), desk.input(), &mut &file[..]).await.unwrap_err();
        assert!(err.to_string().contains("the file is in UTF-16; convert it to UTF-8"), "{err}");
    }
    assert_eq!(desk.export().await, "");
    assert_eq!(desk.import(&marked).await.unwrap().created, 1, "a mark of UTF-8 is skipped");
}

#[tokio::test]
async fn what_is_no_text_is_refused() {
    let desk = Desk::open().await;
    let err = import(&desk.app.registry, &system(), desk.input(), &mut &b"{\"agent\":\"\xff\"}"[..]).await;
    assert!(err.unwrap_err().to_string().starts_with("line 1: not JSON"));
}

#[tokio::test]
async fn who_may_not_write_may_not_import() {
    let desk = Desk::open().await;
    let city = desk.customer.to_string();
    let viewer = caller(&desk, &desk.app.member(&city, Role::Viewer).await.0).await;
    let editor = caller(&desk, &desk.app.member(&city, Role::Editor).await.0).await;
    let stranger = caller(&desk, &desk.app.stranger().0).await;
    let gateway = caller(&desk, &desk.app.gateway().await.0).await;
    let import_as = async |caller: &Caller| {
        let (input, file) = (desk.input(), simple("A", &["1"]));
        import(&desk.app.registry, caller, input, &mut file.as_bytes()).await
    };
    let admin = caller(&desk, &desk.app.member(&city, Role::Admin).await.0).await;
    let before = desk.head().await;
    for (caller, code) in [
        (&viewer, ErrorCode::Forbidden),
        (&editor, ErrorCode::Forbidden),
        (&gateway, ErrorCode::Forbidden),
        (&stranger, ErrorCode::NotFound),
    ] {
        let input =
            ExportAgents { customer_id: desk.customer, environment: None, agents: Vec::new(), memory: None };
        assert_eq!(desk.app.registry.export(caller, input).await.unwrap_err().code(), code);
        let err = import_as(caller).await.unwrap_err();
        assert_eq!((err.source.code(), err.line), (code, 0));
    }
    assert_eq!(desk.head().await, before);
    assert_eq!(import_as(&admin).await.unwrap().created, 1);
    let nobody = ImportAgents { customer_id: Clock::default().id(), ..desk.input() };
    let err = import(&desk.app.registry, &system(), nobody, &mut &b""[..]).await.unwrap_err();
    assert_eq!(err.to_string(), "there is no such customer");
}

/// The caller of this client's token.
async fn caller(desk: &Desk, client: &Client) -> Caller {
    let token = client.token.as_deref().unwrap();
    desk.app.registry.authenticate(token, &Caller::system("test").origin).await.unwrap()
}
