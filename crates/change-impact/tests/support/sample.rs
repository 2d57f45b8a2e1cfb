//! Makes instances that a schema is likely to accept, or just not to.

use serde_json::{Map, Value, json};

/// Choices, read from bytes that are generated; 0 when they are used up.
pub struct Choices<'a>(std::slice::Iter<'a, u8>);

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.iter())
    }

    fn below(&mut self, count: usize) -> usize {
        self.0.next().map_or(0, |byte| usize::from(*byte)) % count.max(1)
    }

    fn one<'v>(&mut self, values: &'v [Value]) -> &'v Value {
        let at = self.below(values.len());
        values.get(at).unwrap_or(&Value::Null)
    }
}

/// Makes an instance of a schema of this document.
pub fn sample(document: &Value, schema: &Value, depth: usize, choices: &mut Choices<'_>) -> Value {
    let get = |key: &str| schema.get(key);
    let list = |key: &str| get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if let Some(target) = get("$ref").and_then(Value::as_str).and_then(|text| document.pointer(&text[1..]))
        && depth < 5
    {
        return sample(document, target, depth + 1, choices);
    }
    let alternatives =
        ["anyOf", "oneOf", "allOf"].into_iter().flat_map(list).chain(get("then")).chain(get("not"));
    let alternatives: Vec<&Value> = alternatives.collect();
    if !alternatives.is_empty() && depth < 5 && choices.below(3) == 0 {
        return sample(document, alternatives[choices.below(alternatives.len())], depth + 1, choices);
    }
    match (list("enum"), get("const")) {
        (_, Some(value)) if choices.below(4) > 0 => return value.clone(),
        (values, _) if !values.is_empty() && choices.below(4) > 0 => return choices.one(values).clone(),
        _ => {}
    }
    let names = match get("type") {
        Some(Value::Array(names)) => names.clone(),
        Some(name) => vec![name.clone()],
        None => hinted(schema),
    };
    match choices.one(&names).as_str().unwrap_or("object") {
        "null" => Value::Null,
        "boolean" => json!(true),
        "string" => {
            let length = near(schema, ["minLength", "maxLength"], choices);
            json!("abab".get(..length).unwrap_or("a"))
        }
        "array" => array(document, schema, depth, choices),
        "object" => object(document, schema, depth, choices),
        name => number(schema, name == "number", choices),
    }
}

/// The types that a schema without `type` has rules for.
fn hinted(schema: &Value) -> Vec<Value> {
    let has = |keys: &[&str]| keys.iter().any(|key| schema.get(key).is_some());
    let mut names = vec![json!("object")];
    if has(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]) {
        names.push(json!("number"));
    }
    if has(&["minLength", "maxLength", "pattern"]) {
        names.push(json!("string"));
    }
    if has(&["items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems", "unevaluatedItems"]) {
        names.push(json!("array"));
    }
    names
}

/// A count at one of two bounds, or just beyond.
fn near(schema: &Value, keys: [&str; 2], choices: &mut Choices<'_>) -> usize {
    let bound = schema.get(keys[choices.below(2)]).and_then(Value::as_u64).unwrap_or(1);
    (usize::try_from(bound).unwrap() + choices.below(3)).saturating_sub(1)
}

fn number(schema: &Value, may_have_fraction: bool, choices: &mut Choices<'_>) -> Value {
    let keys = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
    let bounds: Vec<f64> = keys.iter().filter_map(|key| schema.get(key)?.as_f64()).collect();
    let base = bounds.get(choices.below(bounds.len())).copied().unwrap_or(1.0);
    let number = base + [0.0, 1.0, -1.0, 0.5][choices.below(if may_have_fraction { 4 } else { 3 })];
    if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
}

fn array(document: &Value, schema: &Value, depth: usize, choices: &mut Choices<'_>) -> Value {
    let listed = |key: &str| schema.get(key).and_then(Value::as_array);
    let first = listed("prefixItems").or_else(|| listed("items")).cloned().unwrap_or_default();
    let rest = ["contains", "items", "additionalItems"].into_iter().find_map(|key| schema.get(key));
    let length = if depth < 5 { near(schema, ["minItems", "maxItems"], choices).max(first.len()) } else { 0 };
    let item = |at: usize| {
        let schema = first.get(at).or(rest).unwrap_or(&Value::Bool(true));
        sample(document, schema, depth + 1, choices)
    };
    (0..length.min(4)).map(item).collect()
}

fn object(document: &Value, schema: &Value, depth: usize, choices: &mut Choices<'_>) -> Value {
    let mut members = Map::new();
    let any = Value::Bool(true);
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    for name in ["a", "b", "ab"] {
        let listed = schema.get("properties").and_then(|all| all.get(name));
        let other =
            ["additionalProperties", "unevaluatedProperties"].into_iter().find_map(|key| schema.get(key));
        let is_there = match (required.contains(&json!(name)), listed.is_some()) {
            (true, _) => choices.below(8) > 0,
            (false, true) => choices.below(2) > 0,
            (false, false) => choices.below(5) == 0,
        };
        if is_there && depth < 5 {
            members.insert(
                name.to_owned(),
                sample(document, listed.or(other).unwrap_or(&any), depth + 1, choices),
            );
        }
    }
    Value::Object(members)
}
