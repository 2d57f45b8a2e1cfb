//! A schema for the tests, and a text format of normalised operations.

#![allow(dead_code, reason = "each test binary uses some of it")]

use std::fmt::Write as _;

use async_graphql_parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet};
use graphql_front::{ConstValue, Errors, Front, Limits, Prepared, ScalarRule};
use json_reader::{Json, Path};

/// A schema with each kind of type, so that each rule can be violated.
pub const SDL: &str = r#"
    scalar JSON
    scalar Day
    directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
    directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
    interface Node { id: ID! owner: Node }
    type Query { node(id: ID!): Node pets(first: Int = 20, last: Int): PetPage! pet(id: ID!): Pet any: Any
        a(first: Int, x: JSON): Query b(x: JSON): Boolean c: Boolean d: Boolean nodes: [Query!] edges: [Query!]
        echo(text: String, flags: [Flag!], day: Day, ids: [[ID!]], in: Input, needed: Int! = 3): String }
    type Mutation { make(input: Input!): Made! drop(id: ID!): Made! }
    type Subscription { made(first: Int): Made! dropped: Made! }
    type Made { pet: Pet secret: String number: Int }
    type PetPage { nodes: [Pet!]! count: Int! }
    type Pet implements Node { id: ID! owner: Node name: String! number: Int! friends(first: Int): PetPage! }
    type Person implements Node { id: ID! owner: Node name: String number: String! }
    union Any = Pet | Person
    enum Flag { RED GREEN }
    input Input { name: String! size: Int flags: [Flag!] = [RED] day: Day data: JSON inner: Input tags: [String] kept: Boolean! = true }
"#;

fn exact(json: &Json) -> Result<ConstValue, Path> {
    Ok(ConstValue::Binary(json.to_text().into()))
}

fn day(json: &Json) -> Result<ConstValue, Path> {
    let text = json.as_str().filter(|text| text.len() == 10).ok_or_else(Path::default)?;
    Ok(ConstValue::String(text.to_owned()))
}

/// A front of [`SDL`].
pub fn front_with(limits: Limits) -> Front {
    let rules = [
        ("JSON", ScalarRule { accepted: "JSON", accepts_names: true, coerce: exact }),
        ("Day", ScalarRule { accepted: "a Day", accepts_names: false, coerce: day }),
    ];
    Front::new(SDL, rules, limits).unwrap()
}

/// A front of [`SDL`] with the limits of a service.
pub fn front() -> Front {
    front_with(Limits::DEFAULT)
}

/// Checks a document and prepares its only operation, or the one named before a colon in `variables`.
pub fn run(front: &Front, text: &str, variables: &str) -> Result<Prepared, Errors> {
    let (name, variables) = match variables.split_once(':') {
        Some((name, rest)) if !name.contains('{') => (Some(name), rest),
        _ => (None, variables),
    };
    let document = front.check(text.into())?;
    let variables = json_reader::read(variables.as_bytes(), &json_reader::Limits::default()).unwrap();
    front.prepare(&document, name, variables.as_object())
}

/// Formats a normalised operation as GraphQL.
pub fn words(operation: &ExecutableDocument) -> String {
    assert!(operation.fragments.is_empty());
    let DocumentOperations::Single(operation) = &operation.operations else { panic!("several operations") };
    assert!(operation.node.directives.is_empty() && operation.node.variable_definitions.is_empty());
    let mut out = String::new();
    write_set(&operation.node.selection_set.node, &mut out);
    out
}

fn write_set(set: &SelectionSet, out: &mut String) {
    out.push('{');
    for (place, item) in set.items.iter().enumerate() {
        out.push_str(if place == 0 { "" } else { " " });
        assert!(item.node.directives().is_empty());
        match &item.node {
            Selection::Field(field) => {
                let field = &field.node;
                if let Some(alias) = &field.alias {
                    write!(out, "{}: ", alias.node).unwrap();
                }
                out.push_str(&field.name.node);
                for (name, value) in &field.arguments {
                    match &value.node {
                        async_graphql_value::Value::Binary(text) => {
                            write!(out, "({}: {})", name.node, String::from_utf8_lossy(text)).unwrap();
                        }
                        value => write!(out, "({}: {value})", name.node).unwrap(),
                    }
                }
                if !field.selection_set.node.items.is_empty() {
                    out.push(' ');
                    write_set(&field.selection_set.node, out);
                }
            }
            Selection::InlineFragment(inline) => {
                write!(out, "...{} ", inline.node.type_condition.as_ref().unwrap().node.on.node).unwrap();
                write_set(&inline.node.selection_set.node, out);
            }
            Selection::FragmentSpread(_) => panic!("a spread is left"),
        }
    }
    out.push('}');
}

/// Repeats `open` and `close` around `middle`.
pub fn nest(open: &str, middle: &str, close: &str, times: usize) -> String {
    open.repeat(times) + middle + &close.repeat(times)
}

/// A document of `count` fragments, each of which spreads the next one `times` times.
pub fn bomb(count: usize, times: usize, last: &str) -> String {
    let link = |at| format!("fragment f{at} on Query {{ {} }}\n", format!("...f{} ", at + 1).repeat(times));
    let chain: String = (0..count).map(link).collect();
    format!("{{ a {{ ...f0 }} }} {chain} fragment f{count} on Query {{ {last} }}")
}
