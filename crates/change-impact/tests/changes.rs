//! The changes of fields, by path.

#![cfg(test)]

use change_impact::{Changes, Content, FieldChangeKind, FieldChangeKind::*, changes};
use json_reader::{Json, Limits, read};

fn json(text: &str) -> Json {
    read(text.as_bytes(), &Limits::DEFAULT).unwrap()
}

/// Compares two contents, given as objects of parameters, tools and extensions.
fn compared(old: &str, new: &str) -> Changes {
    let (old, new, empty) = (json(old), json(new), json("{}"));
    let content = |json: &'static Json| Content {
        prompt: "",
        model: "m",
        parameters: json.get("parameters").unwrap_or(json),
        tools: json.get("tools").and_then(Json::as_array).unwrap_or_default(),
        extensions: json.get("extensions"),
    };
    let leak = |json: Json| -> &'static Json {
        let members = ["parameters", "tools", "extensions"].into_iter();
        let members = members.map(|key| (key.to_owned(), json.get(key).unwrap_or(&empty).clone()));
        Box::leak(Box::new(Json::Object(members.collect())))
    };
    changes(&content(leak(old)), &content(leak(new)))
}

/// A change's path, kind and values.
fn listed(changes: &Changes) -> Vec<(String, FieldChangeKind, String, String)> {
    let text = |json: &Option<Json>| json.as_ref().map(Json::to_text).unwrap_or_default();
    changes
        .fields
        .iter()
        .map(|change| (change.path.join("/"), change.kind, text(&change.before), text(&change.after)))
        .collect()
}

#[track_caller]
fn check(old: &str, new: &str, expected: &[(&str, FieldChangeKind, &str, &str)]) {
    let actual = listed(&compared(old, new));
    let actual: Vec<_> = actual
        .iter()
        .map(|(path, kind, old, new)| (path.as_str(), *kind, old.as_str(), new.as_str()))
        .collect();
    assert_eq!(actual, expected);
}

#[test]
fn values_are_compared_by_path_and_meaning() {
    check(
        r#"{"parameters":{"b":1,"a":{"x":1,"y":2}},"extensions":{"org.example":[1]}}"#,
        r#"{"parameters":{"a":{"y":2.0,"x":3},"c":null},"extensions":{"org.example":[1.0]}}"#,
        &[
            ("modelParameters/a/x", Changed, "1", "3"),
            ("modelParameters/b", Removed, "1", ""),
            ("modelParameters/c", Added, "", "null"),
        ],
    );
    check(
        "{}",
        r#"{"extensions":{"org.example":{"a":1}}}"#,
        &[("extensions/org.example", Added, "", r#"{"a":1}"#)],
    );
}

#[test]
fn arrays_are_reordered_changed_or_compared_item_by_item() {
    check(
        r#"{"parameters":{"a":[1,2,2]}}"#,
        r#"{"parameters":{"a":[2,1.0,2]}}"#,
        &[("modelParameters/a", Reordered, "[1,2,2]", "[2,1.0,2]")],
    );
    check(
        r#"{"parameters":{"a":[1,2]}}"#,
        r#"{"parameters":{"a":[1,3]}}"#,
        &[("modelParameters/a", Changed, "[1,2]", "[1,3]")],
    );
    check(
        r#"{"parameters":{"a":[{"x":1},[2]]}}"#,
        r#"{"parameters":{"a":[{"x":2},[2]]}}"#,
        &[("modelParameters/a/0/x", Changed, "1", "2")],
    );
    check(
        r#"{"parameters":{"a":[{"x":1}]}}"#,
        r#"{"parameters":{"a":[{"x":1},{"x":2}]}}"#,
        &[("modelParameters/a", Changed, r#"[{"x":1}]"#, r#"[{"x":1},{"x":2}]"#)],
    );
}

#[test]
fn tools_are_matched_by_name_and_their_members_by_meaning() {
    check(
        r#"{"tools":[{"name":"gone"},{"name":"a","input_schema":{"required":["x","y"]},"title":null}]}"#,
        r#"{"tools":[{"name":"new"},{"name":"a","inputSchema":{"required":["y","x"],"type":"object"}}]}"#,
        &[
            ("tools/gone", Removed, r#"{"name":"gone"}"#, ""),
            ("tools/new", Added, "", r#"{"name":"new"}"#),
            ("tools/a/inputSchema/required", Reordered, r#"["x","y"]"#, r#"["y","x"]"#),
            ("tools/a/inputSchema/type", Added, "", r#""object""#),
        ],
    );
    check(r#"{"tools":[{},{}]}"#, r#"{"tools":[{},{"x":1}]}"#, &[("tools/1/x", Added, "", "1")]);
}

#[test]
fn the_order_of_tools_is_a_flag() {
    let list = |names: &str| {
        let tools: Vec<String> = names.chars().map(|name| format!(r#"{{"name":"{name}"}}"#)).collect();
        format!(r#"{{"tools":[{}]}}"#, tools.join(","))
    };
    for (old, new, expected) in [
        ("ab", "ba", true),
        ("abc", "ac", false),
        ("ab", "xayb", false),
        ("abc", "cxa", true),
        ("", "a", false),
    ] {
        assert_eq!(compared(&list(old), &list(new)).tools_reordered, expected, "{old} {new}");
    }
    check(&list("ab"), &list("ba"), &[]);
}
