//! Builds documents from the schema itself, so that no field is left out: it selects every field, and gives each
//! argument the value kept for its name.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition},
};
use serde_json::Value;

/// Fields that a caller may not read even of its own customer. Selecting them could make the rest of the response
/// null.
pub(super) type Barred = BTreeSet<(String, String)>;

/// All types, by name.
pub(super) struct Schema(BTreeMap<String, TypeKind>);

/// The named type inside lists and `!`.
pub(super) fn base(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => base(inner),
    }
}

/// The number of tokens of a document without strings and comments, or somewhat more.
fn tokens(document: &str) -> usize {
    let punctuation = document.chars().filter(|letter| "{}():$!=@[]|&".contains(*letter)).count();
    let others = document.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    punctuation + others.filter(|word| !word.is_empty()).count() + document.matches("...").count()
}

impl Schema {
    pub(super) fn read() -> Self {
        let document = parse_schema(agent_registry::graphql::types_sdl()).unwrap();
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => {
                Some((definition.node.name.node.to_string(), definition.node.kind))
            }
            _ => None,
        });
        Self(types.collect())
    }

    /// The fields of this object type.
    pub(super) fn fields(&self, name: &str) -> Vec<&FieldDefinition> {
        match self.0.get(name) {
            Some(TypeKind::Object(object)) => object.fields.iter().map(|field| &field.node).collect(),
            _ => Vec::new(),
        }
    }

    /// The fields of this input type; none for a scalar.
    pub(super) fn inputs(&self, name: &str) -> Vec<&InputValueDefinition> {
        match self.0.get(name) {
            Some(TypeKind::InputObject(object)) => object.fields.iter().map(|field| &field.node).collect(),
            _ => Vec::new(),
        }
    }

    /// This object type, all objects that implement this interface, or the members of this union.
    fn objects(&self, name: &str) -> Vec<&str> {
        if let Some(TypeKind::Union(union)) = self.0.get(name) {
            return union.members.iter().map(|member| member.node.as_str()).collect();
        }
        let is_one = |(of, kind): &(&String, &TypeKind)| match kind {
            TypeKind::Object(object) => {
                *of == name || object.implements.iter().any(|interface| interface.node == name)
            }
            _ => false,
        };
        self.0.iter().filter(is_one).map(|(of, _)| of.as_str()).collect()
    }

    /// A selection of every field of this type, `depth` objects deep, lists with three nodes. Empty for a type
    /// without fields.
    pub(super) fn selection(&self, name: &str, depth: usize, barred: &Barred) -> String {
        let objects = self.objects(name);
        match objects.as_slice() {
            [] => String::new(),
            [one] if *one == name => format!("{{ __typename {} }}", self.parts(one, &[], depth, barred)),
            many => {
                let parts = many
                    .iter()
                    .map(|of| format!("... on {of} {{ {} }}", self.parts(of, many, depth, barred)));
                format!("{{ __typename {} }}", parts.collect::<Vec<_>>().join(" "))
            }
        }
    }

    /// Same as [`Schema::selection`], one for each object of an interface or a union: together they would be too complex.
    pub(super) fn selections(&self, name: &str, depth: usize, barred: &Barred) -> Vec<String> {
        let objects = self.objects(name);
        if objects.is_empty() || objects == [name] {
            return vec![self.selection(name, depth, barred)];
        }
        let one =
            |of: &&str| format!("{{ __typename ... on {of} {{ {} }} }}", self.parts(of, &[], depth, barred));
        objects.iter().map(one).collect()
    }

    /// The selections of every field that go as deep, up to three objects, as the service's limit of tokens admits; and
    /// those that are an object less deep, because the deepest may cost too much.
    pub(super) fn deepest(&self, name: &str, barred: &Barred) -> Vec<String> {
        let made = (0..=3).rev().map(|depth| self.selections(name, depth, barred));
        made.filter(|made| made.iter().all(|text| tokens(text) < 7_900)).take(2).flatten().collect()
    }

    /// Whether one of these objects has a field of this name with another type; the two can't share a response key.
    fn clashes(&self, field: &FieldDefinition, beside: &[&str]) -> bool {
        let is_other = |other: &&FieldDefinition| {
            other.name.node == field.name.node && other.ty.node.to_string() != field.ty.node.to_string()
        };
        beside.iter().any(|of| self.fields(of).iter().any(is_other))
    }

    fn parts(&self, of: &str, beside: &[&str], depth: usize, barred: &Barred) -> String {
        let is_list = of.ends_with("Connection") || of.ends_with("Edge");
        let mut parts = Vec::new();
        for field in self.fields(of) {
            let (name, kind) = (field.name.node.as_str(), base(&field.ty.node));
            if barred.contains(&(of.to_owned(), name.to_owned())) {
                continue;
            }
            let is_leaf = self.objects(kind).is_empty();
            let field = if self.clashes(field, beside) {
                let called = called(field);
                let called = called.strip_prefix(&format!("{name}_of: ")).unwrap_or(&called);
                format!("{name}_of_{of}: {called}")
            } else {
                called(field)
            };
            // The nodes repeat the objects of the edges.
            let below = if name == "nodes" {
                Some(0)
            } else if is_list {
                Some(depth)
            } else {
                depth.checked_sub(1)
            };
            match below {
                _ if is_leaf => parts.push(field),
                Some(below) => parts.push(format!("{field} {}", self.selection(kind, below, barred))),
                None => {}
            }
        }
        parts.join(" ")
    }

    /// The fields at the end of this path of a response: `customer`, `usage` is `(Customer, usage)`.
    pub(super) fn at_path(&self, path: &[Value]) -> Barred {
        let mut types = vec!["Query"];
        let mut found = Barred::new();
        for name in path.iter().filter_map(Value::as_str) {
            let name = name.split_once("_of").map_or(name, |(name, _)| name);
            let of: Vec<_> = types.iter().flat_map(|name| self.objects(name)).collect();
            found = Barred::new();
            types.clear();
            for of in of {
                let fields = self.fields(of).into_iter().filter(|field| field.name.node == name);
                for field in fields {
                    found.insert((of.to_owned(), name.to_owned()));
                    types.push(base(&field.ty.node));
                }
            }
        }
        found
    }
}

/// A field with its required arguments. It then gets an alias, because another object of the same interface may
/// have a field of that name without arguments.
fn called(field: &FieldDefinition) -> String {
    let name = field.name.node.as_str();
    let arguments: Vec<String> = field
        .arguments
        .iter()
        .filter_map(|argument| match argument.node.name.node.as_str() {
            "first" => Some("first: 3".to_owned()),
            "number" | "from" => Some(format!("{}: 1", argument.node.name.node)),
            "to" => Some("to: 2".to_owned()),
            "archived" => Some("archived: true".to_owned()),
            other => {
                assert!(argument.node.ty.node.nullable, "decide which value {other} of {name} gets");
                None
            }
        })
        .collect();
    match arguments.as_slice() {
        [] => name.to_owned(),
        [page] if page.starts_with("first") => format!("{name}({page})"),
        _ => format!("{name}_of: {name}({})", arguments.join(", ")),
    }
}

/// Writes a value as a GraphQL literal.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name}: {}", literal(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        // An enum value.
        Value::String(text)
            if text.len() > 1 && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') =>
        {
            text.clone()
        }
        other => other.to_string(),
    }
}
