//! Changes a few keywords of a schema.

use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::subschema;

/// A change at one of the schema's places.
#[derive(Clone, Debug)]
enum Mutation {
    /// Inserts the keywords of another schema.
    Merge(Value),
    /// Removes a keyword.
    Remove(Index),
    /// Replaces the whole schema.
    Replace(Value),
    /// Makes it one of two alternatives.
    Nullable,
    /// Changes the order of a list.
    Rotate(Index),
    /// Adds one to a number, or subtracts it.
    Count(Index, bool),
    /// Makes an inclusive bound exclusive, or the other way round.
    Exclude(Index),
    /// Removes a property.
    Drop(Index),
    /// Refuses members that aren't listed.
    Close,
}

fn mutation() -> impl Strategy<Value = (Index, Mutation)> {
    let change = prop_oneof![
        4 => subschema().prop_map(Mutation::Merge),
        3 => any::<Index>().prop_map(Mutation::Remove),
        1 => subschema().prop_map(Mutation::Replace),
        1 => Just(Mutation::Nullable),
        1 => any::<Index>().prop_map(Mutation::Rotate),
        2 => any::<(Index, bool)>().prop_map(|(nth, is_more)| Mutation::Count(nth, is_more)),
        1 => any::<Index>().prop_map(Mutation::Exclude),
        2 => any::<Index>().prop_map(Mutation::Drop),
        1 => Just(Mutation::Close),
    ];
    (any::<Index>(), change)
}

/// Generates a document's successor with a few changes.
pub fn mutated(document: Value) -> impl Strategy<Value = Value> {
    proptest::collection::vec(mutation(), 1..4).prop_map(move |mutations| {
        let mut changed = document.clone();
        for (place, mutation) in mutations {
            let mut pointers = Vec::new();
            places(&changed, String::new(), &mut pointers);
            // A definition that nothing refers to has no effect.
            if !changed.to_string().contains("\"$ref\"") {
                pointers.retain(|pointer| !pointer.starts_with("/$defs"));
            }
            let pointer = place.get(&pointers).clone();
            let target = changed.pointer_mut(&pointer).unwrap();
            apply(target, mutation, pointer.is_empty());
        }
        changed
    })
}

/// The pointers of the schemas in a schema.
fn places(schema: &Value, at: String, found: &mut Vec<String>) {
    found.push(at.clone());
    let Some(object) = schema.as_object() else { return };
    for (key, value) in object {
        let at = format!("{at}/{key}");
        match (key.as_str(), value) {
            ("properties" | "patternProperties" | "dependentSchemas" | "$defs", Value::Object(schemas)) => {
                schemas.iter().for_each(|(name, schema)| places(schema, format!("{at}/{name}"), found));
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems" | "items", Value::Array(schemas)) => {
                schemas
                    .iter()
                    .enumerate()
                    .for_each(|(nth, schema)| places(schema, format!("{at}/{nth}"), found));
            }
            (
                "additionalProperties"
                | "propertyNames"
                | "items"
                | "additionalItems"
                | "contains"
                | "not"
                | "if"
                | "then"
                | "else"
                | "unevaluatedProperties"
                | "unevaluatedItems",
                schema,
            ) => places(schema, at, found),
            _ => {}
        }
    }
}

fn apply(target: &mut Value, mutation: Mutation, is_root: bool) {
    match mutation {
        Mutation::Merge(Value::Object(keywords)) => match target {
            Value::Object(object) => object.extend(keywords),
            other => *other = Value::Object(keywords),
        },
        Mutation::Remove(nth) => {
            let Value::Object(object) = target else { return };
            let keys: Vec<String> =
                object.keys().filter(|key| !matches!(key.as_str(), "$defs" | "$schema")).cloned().collect();
            if !keys.is_empty() {
                object.remove(nth.get(&keys));
            }
        }
        Mutation::Rotate(nth) => {
            let Value::Object(object) = target else { return };
            let mut lists: Vec<&mut Vec<Value>> =
                object.values_mut().filter_map(Value::as_array_mut).filter(|list| !list.is_empty()).collect();
            if !lists.is_empty() {
                let nth = nth.index(lists.len());
                lists[nth].rotate_left(1);
            }
        }
        Mutation::Count(nth, is_more) => {
            let Value::Object(object) = target else { return };
            let mut numbers: Vec<&mut Value> =
                object.values_mut().filter(|value| value.is_number()).collect();
            if !numbers.is_empty() {
                let nth = nth.index(numbers.len());
                let number = numbers[nth].as_f64().unwrap() + if is_more { 1.0 } else { -1.0 };
                *numbers[nth] = if number.fract() == 0.0 { json!(number as i64) } else { json!(number) };
            }
        }
        Mutation::Exclude(nth) => {
            let Value::Object(object) = target else { return };
            let pairs = [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")];
            let pairs: Vec<_> = pairs.into_iter().flat_map(|(from, to)| [(from, to), (to, from)]).collect();
            let there: Vec<_> = pairs.into_iter().filter(|(from, _)| object.contains_key(*from)).collect();
            if !there.is_empty() {
                let (from, to) = nth.get(&there);
                let value = object.remove(*from).unwrap();
                object.insert((*to).to_owned(), value);
            }
        }
        Mutation::Drop(nth) => {
            let Some(Value::Object(properties)) = target.get_mut("properties") else { return };
            let names: Vec<String> = properties.keys().cloned().collect();
            if !names.is_empty() {
                properties.remove(nth.get(&names));
            }
        }
        Mutation::Close => {
            if let Value::Object(object) = target {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        _ if is_root => {}
        Mutation::Nullable => *target = json!({ "anyOf": [target.take(), { "type": "null" }] }),
        Mutation::Merge(schema) | Mutation::Replace(schema) => *target = schema,
    }
}
