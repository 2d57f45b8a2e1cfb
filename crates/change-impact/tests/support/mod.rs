//! Generates small JSON Schemas, changes of them, and instances, all of one small vocabulary so that they meet.

mod mutation;

pub use mutation::mutated;

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// The drafts that are generated, as `$schema` names them; the first one by leaving it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draft {
    Current,
    Middle,
    Legacy,
}

impl Draft {
    pub fn name(self) -> &'static str {
        match self {
            Self::Current => "https://json-schema.org/draft/2020-12/schema",
            Self::Middle => "https://json-schema.org/draft/2019-09/schema",
            Self::Legacy => "http://json-schema.org/draft-07/schema#",
        }
    }
}

fn name() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "ab"]).prop_map(str::to_owned)
}

fn names() -> impl Strategy<Value = Vec<String>> {
    proptest::sample::subsequence(vec!["a".to_owned(), "b".to_owned(), "ab".to_owned()], 0..=3)
}

fn scalar() -> impl Strategy<Value = Value> {
    select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(2),
        json!(3),
        json!(1.5),
        json!(-1),
        json!(""),
        json!("a"),
        json!("ab"),
        json!("abb"),
    ])
}

/// Generates instances.
pub fn instance() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            2 => vec((name(), inner.clone()), 0..4).prop_map(|members| Value::Object(Map::from_iter(members))),
            1 => vec(inner, 0..4).prop_map(Value::Array),
        ]
    })
}

fn type_name() -> impl Strategy<Value = &'static str> {
    select(vec!["null", "boolean", "object", "object", "array", "number", "integer", "string"])
}

fn number() -> impl Strategy<Value = Value> {
    select(vec![json!(-1), json!(0), json!(1), json!(1.5), json!(2), json!(3)])
}

/// A keyword without schemas in it.
fn plain_keyword() -> BoxedStrategy<(String, Value)> {
    let count = || 0..4u8;
    let number_key = select(vec!["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]);
    let count_keys = vec!["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"];
    let text_key = select(vec!["description", "title", "default"]);
    let keyword = prop_oneof![
        4 => type_name().prop_map(|name| ("type", json!(name))),
        3 => vec(type_name(), 1..4).prop_map(|mut names| {
            names.sort_unstable();
            names.dedup();
            ("type", json!(names))
        }),
        2 => vec(scalar(), 1..4).prop_map(|mut values| {
            values.sort_by_key(Value::to_string);
            values.dedup();
            ("enum", Value::Array(values))
        }),
        1 => scalar().prop_map(|value| ("const", value)),
        4 => (number_key, number()),
        1 => select(vec![json!(1), json!(2), json!(3), json!(0.5), json!(4)]).prop_map(|value| ("multipleOf", value)),
        5 => (select(count_keys), count().prop_map(|count| json!(count))),
        1 => select(vec!["^a", "b$"]).prop_map(|pattern| ("pattern", json!(pattern))),
        1 => any::<bool>().prop_map(|on| ("uniqueItems", json!(on))),
        4 => names().prop_map(|names| ("required", json!(names))),
        1 => (name(), names()).prop_map(|(name, names)| ("dependentRequired", json!({ name: names }))),
        1 => (name(), names()).prop_map(|(name, names)| ("dependencies", json!({ name: names }))),
        1 => (text_key, select(vec!["x", "y"]).prop_map(|text| json!(text))),
    ];
    keyword.prop_map(|(key, value)| (key.to_owned(), value)).boxed()
}

/// A keyword with schemas for parts of the value.
fn part_keyword(inner: BoxedStrategy<Value>) -> BoxedStrategy<(String, Value)> {
    let slot = prop_oneof![4 => inner, 1 => reference()].boxed();
    let members = |key: BoxedStrategy<String>, slot: &BoxedStrategy<Value>| {
        vec((key, slot.clone()), 0..4).prop_map(|members| Value::Object(Map::from_iter(members)))
    };
    let pattern = select(vec!["^a", "b$"]).prop_map(str::to_owned).boxed();
    let list = vec(slot.clone(), 1..3).prop_map(Value::Array);
    let keyword = prop_oneof![
        6 => members(name().boxed(), &slot).prop_map(|value| ("properties", value)),
        1 => members(pattern, &slot).prop_map(|value| ("patternProperties", value)),
        2 => any::<bool>().prop_map(|accepts| ("additionalProperties", json!(accepts))),
        1 => slot.clone().prop_map(|value| ("additionalProperties", value)),
        1 => slot.clone().prop_map(|value| ("propertyNames", value)),
        2 => slot.clone().prop_map(|value| ("items", value)),
        1 => list.clone().prop_map(|value| ("prefixItems", value)),
        1 => list.prop_map(|value| ("items", value)),
        1 => slot.clone().prop_map(|value| ("additionalItems", value)),
        1 => slot.clone().prop_map(|value| ("contains", value)),
        1 => (select(vec!["minContains", "maxContains"]), (0..3u8).prop_map(|count| json!(count))),
        1 => select(vec!["unevaluatedProperties", "unevaluatedItems"]).prop_map(|key| (key, json!(false))),
        1 => (select(vec!["unevaluatedProperties", "unevaluatedItems"]), slot),
    ];
    keyword.prop_map(|(key, value)| (key.to_owned(), value)).boxed()
}

/// A keyword with schemas for the same value.
fn logic_keyword(inner: BoxedStrategy<Value>) -> BoxedStrategy<(String, Value)> {
    let list = vec(inner.clone(), 1..4).prop_map(Value::Array).boxed();
    let one = |keys: Vec<&'static str>| select(keys);
    let keyword = prop_oneof![
        4 => (one(vec!["anyOf", "anyOf", "allOf", "oneOf"]), list),
        3 => (one(vec!["not", "if", "then", "else", "then"]), inner.clone()),
        1 => (name(), inner.clone()).prop_map(|(name, schema)| ("dependentSchemas", json!({ name: schema }))),
        1 => (name(), inner).prop_map(|(name, schema)| ("dependencies", json!({ name: schema }))),
    ];
    keyword.prop_map(|(key, value)| (key.to_owned(), value)).boxed()
}

fn reference() -> impl Strategy<Value = Value> {
    let target = select(vec!["#/$defs/d", "#/$defs/e", "#"]);
    (target, proptest::option::weighted(0.2, plain_keyword())).prop_map(|(target, beside)| {
        let mut schema = Map::from_iter(beside);
        schema.insert("$ref".to_owned(), json!(target));
        Value::Object(schema)
    })
}

/// Generates schemas, without definitions.
pub fn subschema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Value::Bool),
        12 => vec(plain_keyword(), 0..4).prop_map(|keywords| Value::Object(Map::from_iter(keywords))),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let keyword = prop_oneof![
            4 => plain_keyword(),
            5 => part_keyword(inner.clone().boxed()),
            2 => logic_keyword(inner.boxed()),
        ];
        vec(keyword, 0..4).prop_map(|keywords| Value::Object(Map::from_iter(keywords)))
    })
}

/// A schema of a document that defines `d` and `e`. References to them are in parts of the value only, so that none
/// leads in a circle.
pub fn document() -> impl Strategy<Value = (Draft, Value)> {
    let draft = select(vec![Draft::Current, Draft::Current, Draft::Middle, Draft::Legacy]);
    let slot = || prop_oneof![4 => subschema(), 1 => reference()];
    let keyword = prop_oneof![plain_keyword(), part_keyword(subschema().boxed())];
    let members = (slot(), slot(), proptest::option::of(keyword), any::<bool>());
    let input = members.prop_map(|(a, b, keyword, is_closed)| {
        let mut schema = Map::from_iter([("properties".to_owned(), json!({ "a": a, "b": b }))]);
        schema.extend(is_closed.then(|| ("additionalProperties".to_owned(), json!(false))));
        schema.extend(keyword);
        Value::Object(schema)
    });
    let root = prop_oneof![2 => input, 1 => subschema()];
    (draft, root, subschema(), subschema()).prop_map(|(draft, root, d, e)| {
        let mut root = match root {
            Value::Object(root) => root,
            other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
        };
        root.insert("$defs".to_owned(), json!({ "d": d, "e": e }));
        if draft != Draft::Current {
            root.insert("$schema".to_owned(), json!(draft.name()));
        }
        (draft, Value::Object(root))
    })
}
