//! Readings of one schema: whether it accepts everything or nothing, and which of its members are rules.

use json_reader::{Json, Object};

/// The schema that accepts everything: where a keyword is left out.
pub(super) static ANY: Json = Json::Bool(true);

/// Whether a keyword only describes values. By convention, `x-` begins a keyword of a tool.
pub(super) fn is_annotation(key: &str) -> bool {
    matches!(
        key,
        "title"
            | "description"
            | "default"
            | "examples"
            | "example"
            | "deprecated"
            | "readOnly"
            | "writeOnly"
            | "$comment"
    ) || key.starts_with("x-")
}

/// Whether a keyword only holds definitions, or names the document.
pub(super) fn is_container(key: &str) -> bool {
    matches!(key, "$defs" | "definitions" | "$schema" | "$id")
}

/// Whether a schema has this keyword, and no other that is a rule.
pub(super) fn has_only(schema: &Json, keyword: &str) -> bool {
    let Some(object) = schema.as_object() else { return false };
    object.contains_key(keyword)
        && object.keys().all(|key| key == keyword || is_annotation(key) || is_container(key))
}

/// Whether a schema has no rule. `false` for a schema whose rules accept everything all the same.
pub(super) fn is_any(schema: &Json) -> bool {
    match schema {
        Json::Bool(accepts) => *accepts,
        Json::Object(object) => object.keys().all(|key| is_annotation(key) || is_container(key)),
        _ => false,
    }
}

/// Whether a schema is written as one that accepts nothing: `false`, or `not` of one that accepts everything.
pub(super) fn is_none(schema: &Json) -> bool {
    match schema {
        Json::Bool(accepts) => !accepts,
        Json::Object(object) => !object.contains_key("$ref") && object.get("not").is_some_and(is_any),
        _ => false,
    }
}

/// Whether a schema has neither schemas nor references in it.
pub(super) fn is_leaf(schema: &Json) -> bool {
    schema.as_object().is_none_or(|object| {
        object.iter().all(|(key, value)| {
            !matches!(value, Json::Object(_) | Json::Array(_))
                && !matches!(key, "$ref" | "$dynamicRef" | "$recursiveRef")
        })
    })
}

/// Whether the rules of an object schema may concern members that it doesn't name, other than by refusing them, or
/// name this member elsewhere than in `properties`.
pub(super) fn mentions(object: &Object, name: &str, cost: &mut usize) -> bool {
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
        "$dynamicRef",
        "$recursiveRef",
        "enum",
        "const",
        "then",
        "else",
        "not",
    ];
    *cost += 256;
    let has_name = |names: &Json| {
        let names = names.as_array().unwrap_or_default();
        names.iter().any(|other| other.as_str() == Some(name))
    };
    let has_property = |properties: &Json| properties.get(name).is_some();
    if OPEN.iter().any(|key| object.contains_key(key))
        || object.get("required").is_some_and(|names| {
            *cost += names.as_array().unwrap_or_default().len();
            has_name(names)
        })
        || object.get("properties").is_some_and(has_property)
    {
        return true;
    }
    let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| object.get(key)?.as_array());
    let schemas = lists.flatten().chain(object.get("if"));
    schemas.filter_map(Json::as_object).any(|object| mentions(object, name, cost))
}
