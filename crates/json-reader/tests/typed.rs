//! Tests typed reads, and the paths in their errors.

#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "the reader is compared with it")]

use std::collections::BTreeMap;

use json_reader::{Json, Limits, Object, ReadErrorKind, read, read_as};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Tool {
    name: String,
    input_schema: Option<Json>,
    #[serde(default)]
    retries: u8,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    Plain,
    Weight(f64),
    Pair(i8, i8),
    Named { name: String },
}

fn typed<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    read_as(text.as_bytes(), &Limits::DEFAULT).map_err(|err| err.to_string())
}

#[test]
fn a_struct_is_read_from_an_object_alone() {
    let tool = typed::<Tool>(r#"{"name":"a","inputSchema":{"b":1.0,"a":10000000000000000000000}}"#).unwrap();
    assert_eq!(tool.input_schema.unwrap().to_text(), r#"{"b":1.0,"a":10000000000000000000000}"#);
    assert_eq!(typed::<Tool>(r#"{"name":"a","inputSchema":null}"#).unwrap().input_schema, None);
    for (text, message) in [
        (r#"["a",null,1]"#, "invalid type: sequence, expected an object"),
        (r"{}", "missing field `name`"),
        (r#"{"name":1}"#, "invalid type: integer `1`, expected a string, at `name`"),
        (r#"{"name":"a","retries":256}"#, "invalid value: integer `256`, expected u8, at `retries`"),
        (r#"{"name":"a","retries":1.0}"#, "invalid type: floating point `1.0`, expected u8, at `retries`"),
        (r#"{"name":"a","tries":1}"#, "unknown field `tries`"),
    ] {
        assert_eq!(typed::<Tool>(text).unwrap_err(), message, "{text}");
    }
    let nested = typed::<BTreeMap<String, Vec<Tool>>>(r#"{"tools":[{"name":"a"},{"name":[]}]}"#);
    assert_eq!(nested.unwrap_err(), "invalid type: sequence, expected a string, at `tools[1].name`");
    let nested = typed::<BTreeMap<String, Vec<Tool>>>(r#"{"tools":[{"name":"a"},{}]}"#);
    assert_eq!(nested.unwrap_err(), "missing field `name`, at `tools[1]`");
    let error = read_as::<Tool>(b"{}", &Limits::DEFAULT).unwrap_err();
    assert!(error.is_type() && matches!(error.kind(), ReadErrorKind::Type(_)) && error.position().is_none());
}

#[test]
fn what_is_not_expected_is_quoted_at_some_length_only() {
    let long = format!(r#"{{"name":"a","retries":"{}"}}"#, "x".repeat(1_000_000));
    assert!(typed::<Tool>(&long).unwrap_err().len() < 400);
}

#[test]
fn enums_are_read_as_serde_json_reads_them() {
    for text in [
        r#""PLAIN""#,
        r#"{"PLAIN":null}"#,
        r#"{"WEIGHT":1}"#,
        r#"{"PAIR":[1,2]}"#,
        r#"{"PAIR":[1,2,3]}"#,
        r#"{"NAMED":{"name":"a"}}"#,
        r#"{"NAMED":{}}"#,
        r#""WEIGHT""#,
        r#""OTHER""#,
        r#"{"PLAIN":1}"#,
        r#"{"PLAIN":null,"WEIGHT":1}"#,
        "{}",
        "7",
    ] {
        assert_eq!(typed::<Kind>(text).ok(), serde_json::from_str::<Kind>(text).ok(), "{text}");
    }
    // The fields of a variant aren't read from arrays.
    assert_eq!(
        typed::<Kind>(r#"{"NAMED":["a"]}"#).unwrap_err(),
        "invalid type: sequence, expected an object, at `NAMED`"
    );
}

#[test]
fn serde_jsons_value_is_read_as_its_own_parser_does() {
    for text in [
        "null",
        "true",
        "0",
        "-0",
        "-1",
        "1.0",
        "1e2",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775809",
        r#"{"b":[1,{"a":"\u00e4"}],"a":{}}"#,
    ] {
        assert_eq!(typed::<Value>(text).unwrap(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
    }
}

#[test]
fn an_object_is_read_as_a_field_and_stays_exact() {
    #[derive(Deserialize)]
    struct Request {
        variables: Option<Object>,
    }
    let text = r#"{"variables":{"z":1.0,"a":[-0,1E5]}}"#;
    assert_eq!(typed::<Request>(text).unwrap().variables.unwrap().to_string(), r#"{"z":1.0,"a":[-0,1E5]}"#);
    assert!(typed::<Request>(r#"{"variables":null}"#).unwrap().variables.is_none());
    let error = typed::<Request>(r#"{"variables":[]}"#).map(|_| ()).unwrap_err();
    assert_eq!(error, "invalid type: sequence, expected an object, at `variables`");
}

#[test]
fn keys_may_be_of_types_that_are_read_from_text() {
    #[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    struct Id(String);
    let read = typed::<BTreeMap<Id, u8>>(r#"{"b":1,"a":2}"#).unwrap();
    assert_eq!(read, BTreeMap::from([(Id("a".to_owned()), 2), (Id("b".to_owned()), 1)]));
}

#[test]
fn a_tree_comes_through_other_deserializers_too() {
    let json: Json = serde_json::from_str(r#"{"a":[1,-2,1.5,null,true,"x"]}"#).unwrap();
    assert_eq!(json.to_text(), r#"{"a":[1,-2,1.5,null,true,"x"]}"#);
    assert_eq!(Json::from(serde_json::json!({ "a": [1, 1.5, "x"] })).to_text(), r#"{"a":[1,1.5,"x"]}"#);
    assert!(read(b"[]", &Limits::DEFAULT).is_ok());
}
