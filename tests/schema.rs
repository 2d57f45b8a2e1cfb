//! The schema equals the checked-in file, describes each of its parts, and passes other projects' tools.

#![cfg(test)]

#[path = "schema/tools.rs"]
mod tools;

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};

#[test]
fn it_is_the_one_checked_in() {
    let file = include_str!("../schema.graphql");
    let code = agent_registry::graphql::sdl();
    assert!(
        file == code,
        "schema.graphql is out of date: run `cargo run -- schema > target/schema.graphql && mv target/schema.graphql schema.graphql`"
    );
}

#[test]
fn the_description_of_rest_is_the_one_checked_in() {
    let file = include_str!("../docs/openapi.json");
    // Generated 20 times, because its order must not vary.
    let code: Vec<_> = (0..20).map(|_| agent_registry::app::openapi()).collect();
    assert!(
        code.iter().all(|code| code == file),
        "docs/openapi.json is out of date: run `cargo run -- schema --openapi > target/openapi.json && mv target/openapi.json docs/openapi.json`"
    );
}

#[test]
fn every_part_of_it_is_described() {
    let mut silent = Vec::new();
    let schema = parse_schema(agent_registry::graphql::types_sdl()).unwrap();
    for definition in schema.definitions {
        let TypeSystemDefinition::Type(definition) = definition else {
            continue;
        };
        let definition = definition.node;
        let name = definition.name.node.to_string();
        if definition.description.is_none() && !["Query", "Mutation"].contains(&name.as_str()) {
            silent.push(name.clone());
        }
        let fields = match definition.kind {
            TypeKind::Object(object) => object.fields,
            TypeKind::Interface(interface) => interface.fields,
            TypeKind::InputObject(input) => {
                let silent_fields = input.fields.iter().filter(|field| field.node.description.is_none());
                silent.extend(silent_fields.map(|field| format!("{name}.{}", field.node.name.node)));
                continue;
            }
            TypeKind::Enum(values) => {
                let silent_values = values.values.iter().filter(|value| value.node.description.is_none());
                silent.extend(silent_values.map(|value| format!("{name}.{}", value.node.value.node)));
                continue;
            }
            TypeKind::Scalar | TypeKind::Union(_) => continue,
        };
        for field in fields {
            let field = field.node;
            let path = format!("{name}.{}", field.name.node);
            let arguments = field.arguments.iter().filter(|argument| argument.node.description.is_none());
            silent.extend(arguments.map(|argument| format!("{path}({})", argument.node.name.node)));
            if field.description.is_none() {
                silent.push(path);
            }
        }
    }
    assert!(silent.is_empty(), "not described: {silent:?}");
}
