//! Property tests: a content is the same as itself, and neither the order of keys nor the spelling of numbers makes a
//! difference to any result.

#![cfg(test)]

mod support;

use change_impact::{Changes, Classification, Content, Finding, changes, classify};
use json_reader::{Json, Limits, Number, Object, read};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};
use support::{document, instance, mutated};

fn content<'a>(tools: &'a [Json], free: &'a Json) -> Content<'a> {
    Content { prompt: "{{a}}", model: "m", parameters: free, tools, extensions: Some(free) }
}

fn tools(schemas: &[&Value]) -> Vec<Json> {
    let tool = |(at, schema): (usize, &&Value)| {
        Json::from(json!({ "name": format!("t{at}"), "inputSchema": schema, "outputSchema": schema }))
    };
    schemas.iter().enumerate().map(tool).collect()
}

fn free(value: &Value) -> Json {
    Json::from(json!({ "a": value, "b": [value, 1], "c": { "d": value } }))
}

/// The same value with its keys in another order, and its numbers spelt otherwise.
fn respelt(json: &Json, turn: usize) -> Json {
    match json {
        Json::Array(items) => Json::Array(items.iter().map(|item| respelt(item, turn)).collect()),
        Json::Object(object) => {
            let mut members: Vec<_> =
                object.iter().map(|(key, value)| (key.to_owned(), respelt(value, turn))).collect();
            let length = members.len().max(1);
            members.rotate_left(turn % length);
            Json::Object(members.into_iter().collect::<Object>())
        }
        Json::Number(number) => {
            let token = number.as_str();
            let token = match turn % 3 {
                _ if token.contains(['e', '.']) => format!("{token}0").replace("e0", "e"),
                0 => format!("{token}.0"),
                1 => format!("{token}0e-1"),
                _ => format!("{token}.00E0"),
            };
            Json::from(Number::from_token(&token).unwrap_or_else(|| number.clone()))
        }
        other => other.clone(),
    }
}

/// A classification without the spelling of its values.
fn without_spelling(found: Classification) -> Vec<Finding> {
    let spelt = |json: Option<Json>| json.map(|json| Json::from(as_double(&json)));
    let finding = |finding: Finding| Finding {
        before: spelt(finding.before),
        after: spelt(finding.after),
        // Messages quote values as they are spelt.
        message: String::new(),
        ..finding
    };
    found.findings.into_iter().map(finding).collect()
}

/// The value with sorted keys, and all numbers as doubles.
fn as_double(json: &Json) -> Value {
    match json {
        Json::Number(number) => json!(number.as_f64()),
        Json::Array(items) => items.iter().map(as_double).collect(),
        Json::Object(object) => {
            Value::Object(object.iter().map(|(key, value)| (key.to_owned(), as_double(value))).collect())
        }
        other => other.to_serde(),
    }
}

fn places(changes: &Changes) -> Vec<(Vec<String>, change_impact::FieldChangeKind)> {
    changes.fields.iter().map(|change| (change.path.clone(), change.kind)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_content_is_the_same_as_itself_in_any_spelling((_, schema) in document(), value in instance(), turn in 0..30usize) {
        let (given, free) = (tools(&[&schema, &schema]), free(&value));
        let other: Vec<Json> = given.iter().map(|tool| respelt(tool, turn)).collect();
        let other_free = respelt(&free, turn);
        let (old, new) = (content(&given, &free), content(&other, &other_free));
        prop_assert_eq!(classify(Some(&old), Some(&old)), Classification::default());
        prop_assert_eq!(classify(Some(&old), Some(&new)), Classification::default());
        prop_assert_eq!(changes(&old, &new), Changes::default());
    }

    #[test]
    fn the_spelling_of_either_side_makes_no_difference(
        (old, new) in document().prop_flat_map(|(_, old)| (Just(old.clone()), mutated(old))),
        values in (instance(), instance()),
        turns in (0..30usize, 0..30usize),
    ) {
        let (old, new) = (tools(&[&old, &new]), tools(&[&new, &old]));
        let (free_old, free_new) = (free(&values.0), free(&values.1));
        let plain = (content(&old, &free_old), content(&new, &free_new));
        let other = |tools: &[Json], turn: usize| tools.iter().map(|tool| respelt(tool, turn)).collect::<Vec<_>>();
        let (other_old, other_new) = (other(&old, turns.0), other(&new, turns.1));
        let (other_free_old, other_free_new) = (respelt(&free_old, turns.0), respelt(&free_new, turns.1));
        let spelt = (content(&other_old, &other_free_old), content(&other_new, &other_free_new));
        prop_assert_eq!(
            without_spelling(classify(Some(&plain.0), Some(&plain.1))),
            without_spelling(classify(Some(&spelt.0), Some(&spelt.1)))
        );
        prop_assert_eq!(places(&changes(&plain.0, &plain.1)), places(&changes(&spelt.0, &spelt.1)));
    }

    #[test]
    fn each_difference_has_a_change_and_a_finding(old in instance(), new in instance(), place in any::<Index>()) {
        let (old, new) = (Json::from(old), Json::from(new));
        let is_same = as_double(&old) == as_double(&new);
        let empty = Json::from(json!({}));
        let member = ["annotations", "icons", "execution", "_meta", "endpoint"][place.index(5)];
        let tool = |value: &Json| {
            let name = ("name".to_owned(), Json::from("t"));
            [Json::Object([name, (member.to_owned(), value.clone())].into_iter().collect())]
        };
        let (old, new) = (tool(&old), tool(&new));
        let (old, new) = (content(&old, &empty), content(&new, &empty));
        let (found, changes) = (classify(Some(&old), Some(&new)), changes(&old, &new));
        prop_assert_eq!(found.findings.is_empty(), is_same);
        prop_assert_eq!(changes.fields.is_empty(), is_same);
        prop_assert!(found.findings.iter().all(|finding| finding.path.starts_with(&["tools".to_owned(), "t".to_owned()])));
    }
}

#[test]
fn a_value_is_respelt_with_the_same_value() {
    let json = read(br#"{"a":1,"b":[1.5,{"c":-2,"d":null}]}"#, &Limits::DEFAULT).unwrap();
    for turn in 0..6 {
        let other = respelt(&json, turn);
        assert_eq!(as_double(&other), as_double(&json), "{other}");
        assert_ne!(other, json);
    }
}
