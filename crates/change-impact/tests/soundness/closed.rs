//! A schema as a model reads it: calls have the members that it lists, requires, or explicitly allows.

use serde_json::{Map, Value, json};

/// Adds `additionalProperties: false` to each object schema that lists its members, and to the root. A schema is left
/// open if it says how open it is, or if others apply to the same value and may list more.
pub fn closed(document: &Value) -> Value {
    let mut closed = document.clone();
    close(&mut closed, true, true);
    closed
}

/// Keywords by which a schema says itself which other members it takes, or depends on them.
const OPEN: [&str; 16] = [
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "minProperties",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "$ref",
    "enum",
    "const",
    "allOf",
    "oneOf",
    "not",
    "then",
    "else",
];

fn close(schema: &mut Value, is_alone: bool, is_root: bool) {
    let Value::Object(object) = schema else { return };
    let lists = is_root || object.contains_key("properties");
    // Alternatives of which at most one is an object don't list members of each other.
    let alternatives = object.get("anyOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_null = |schema: &&Value| **schema == json!({ "type": "null" });
    let is_nullable = object.keys().all(|key| matches!(key.as_str(), "anyOf" | "$defs" | "$schema"))
        && alternatives.iter().filter(is_null).count() + 1 >= alternatives.len();
    let names = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_listed =
        |name: &Value| object.get("properties").is_some_and(|all| all.get(name.as_str().unwrap()).is_some());
    let unlisted: Vec<String> = names
        .iter()
        .filter(|name| !is_listed(name))
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect();
    let is_simple = !object.contains_key("anyOf") && OPEN.iter().all(|key| !object.contains_key(*key));
    close_parts(object, is_alone && is_nullable);
    if is_alone && lists && is_simple {
        // A member that is required is sent, listed or not.
        let listed = object.entry("properties").or_insert_with(|| json!({}));
        listed.as_object_mut().unwrap().extend(unlisted.into_iter().map(|name| (name, json!(true))));
        object.insert("additionalProperties".to_owned(), json!(false));
    }
}

fn close_parts(object: &mut Map<String, Value>, are_alternatives_alone: bool) {
    for (key, value) in object.iter_mut() {
        match (key.as_str(), value) {
            ("properties", Value::Object(schemas)) => {
                schemas.values_mut().for_each(|schema| close(schema, true, false))
            }
            ("additionalProperties" | "items", schema @ Value::Object(_)) => close(schema, true, false),
            ("prefixItems" | "items", Value::Array(schemas)) => {
                schemas.iter_mut().for_each(|schema| close(schema, true, false));
            }
            ("anyOf", Value::Array(schemas)) => {
                schemas.iter_mut().for_each(|schema| close(schema, are_alternatives_alone, false));
            }
            _ => {}
        }
    }
}
