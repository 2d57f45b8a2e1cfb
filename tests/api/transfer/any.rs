//! Property tests of import and export: any text and any JSON that may be stored survives.

use agent_registry::{
    clock::Clock,
    domain::transfer::{Line, LineHead, LineVersion},
};
use chrono::SecondsFormat;
use json_reader::Limits;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use super::Desk;

/// Any text that may be stored.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[\\PC\r\n\t\u{1}\u{2028}\u{feff}\"\\\\]{0,40}"]
        .prop_map(|text| text.replace('\0', "␀"))
}

/// Any JSON that may be stored.
fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(|number| json!(number)),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| json!(number)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        text().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn version() -> impl Strategy<Value = LineVersion> {
    let parameters = prop::collection::btree_map(text(), any_json(), 0..4);
    let extensions = prop::collection::btree_map("org\\.[a-z]{1,8}(/[a-zA-Z]{1,8})?", any_json(), 1..4);
    let members = (prop::option::of(text()), any_json(), "[1-9][0-9]{0,30}", any::<bool>());
    // Members in any order, further ones, integers of any length, and numbers in several spellings.
    let tool = members.prop_map(|(description, other, digits, is_turned)| {
        let mut schema =
            [r#""type":"object""#.to_owned(), format!(r#""maxProperties":{digits}"#), r#""b":-0"#.to_owned()];
        let mut tool = [
            r#""name":"t""#.to_owned(),
            format!(r#""description":{}"#, json!(description)),
            format!(r#""further":{other}"#),
            r#""z":1e0"#.to_owned(),
        ];
        if is_turned {
            schema.reverse();
            tool.reverse();
        }
        let text = format!(r#"{{{},"input_schema":{{{}}}}}"#, tool.join(","), schema.join(","));
        json_reader::read(text.as_bytes(), &Limits::DEPTH_ONLY).unwrap()
    });
    let message = prop::option::of(text().prop_map(|text| text.chars().take(2000).collect()));
    let values = (parameters, prop::option::of(tool), prop::option::of(extensions));
    (text(), "[a-zäß🦀]{1,20}", values, message, 0_i64..1_700_000_000_000_000).prop_map(
        |(system_prompt, model, (parameters, tool, extensions), message, micros)| LineVersion {
            published_at: chrono::DateTime::from_timestamp_micros(micros)
                .map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true)),
            system_prompt,
            model_name: Some(model),
            model_parameters: Some(Value::Object(parameters.into_iter().collect()).into()),
            tools: Some(tool.into_iter().collect()),
            extensions: extensions.map(|extensions| Value::Object(extensions.into_iter().collect()).into()),
            message: Some(message),
        },
    )
}

fn line() -> impl Strategy<Value = Line> {
    (prop::option::of(text()), prop::collection::vec(version(), 0..4)).prop_map(|(description, versions)| {
        let head = LineHead {
            agent: "any".to_owned(),
            id: Some(Clock::default().id()),
            description: Some(description.map(|text| text.chars().take(2000).collect())),
            archived: Some(false),
            active: Some((!versions.is_empty()).then_some(1)),
            active_in: None,
        };
        Line { head, versions }
    })
}

#[test]
fn any_line_is_written_and_read_unchanged() {
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&line(), |line| {
            let written = line.write();
            let read = Line::read(written.as_bytes()).unwrap();
            prop_assert_eq!(read.write(), written);
            prop_assert_eq!(read, line);
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn any_line_goes_through_the_database_unchanged() {
    let desk = Desk::open().await;
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let mut file = String::new();
    for number in 100..120 {
        let mut line = line().new_tree(&mut runner).unwrap().current();
        line.head.agent = format!("agent {number}");
        file.push_str(&line.write());
        file.push('\n');
    }
    desk.import(&file).await.unwrap();
    assert_eq!(desk.export().await, file);
}
