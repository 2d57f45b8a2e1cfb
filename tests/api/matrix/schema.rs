//! The schema as the matrix uses it: the fields of each type, and how to select one.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition},
};

/// The prefix of each selected field's alias.
pub(super) const ASKED: &str = "asked_";

/// A field of a type.
pub(super) struct Field {
    pub(super) name: String,
    /// The named type of its value, or of the list's items.
    pub(super) of: String,
    /// The required arguments.
    args: Vec<(String, Type)>,
}

pub(super) struct Schema {
    /// Object and interface types.
    pub(super) types: BTreeMap<String, Vec<Field>>,
    inputs: BTreeMap<String, Vec<(String, Type)>>,
    /// The first value of each enum.
    enums: BTreeMap<String, String>,
}

impl Schema {
    pub(super) fn read() -> Self {
        let (mut types, mut inputs, mut enums) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for definition in parse_schema(agent_registry::graphql::types_sdl()).unwrap().definitions {
            let TypeSystemDefinition::Type(definition) = definition else {
                continue;
            };
            let name = definition.node.name.node.to_string();
            match definition.node.kind {
                TypeKind::Object(object) => {
                    types.insert(name, object.fields.iter().map(|one| field(&one.node)).collect());
                }
                TypeKind::Interface(interface) => {
                    types.insert(name, interface.fields.iter().map(|one| field(&one.node)).collect());
                }
                TypeKind::InputObject(input) => {
                    inputs.insert(name, input.fields.iter().filter_map(|one| required(&one.node)).collect());
                }
                TypeKind::Enum(values) => {
                    enums.insert(name, values.values[0].node.value.node.to_string());
                }
                // A union has no field of its own.
                TypeKind::Union(_) => {
                    types.insert(name, Vec::new());
                }
                TypeKind::Scalar => {}
            }
        }
        Self { types, inputs, enums }
    }

    /// The payload types of mutations. `coverage` tests each mutation.
    pub(super) fn payloads(&self) -> BTreeSet<&str> {
        self.types["Mutation"].iter().map(|mutation| mutation.of.as_str()).collect()
    }

    /// The field with its arguments. `World` replaces the words in `<…>`.
    pub(super) fn call(&self, field: &Field) -> String {
        let args = field.args.iter().map(|(name, of)| format!("{name}: {}", self.value(field, name, of)));
        let args = args.collect::<Vec<_>>().join(", ");
        if args.is_empty() { field.name.clone() } else { format!("{}({args})", field.name) }
    }

    /// The selection below a field of this type.
    pub(super) fn below(&self, of: &str) -> &'static str {
        if of.ends_with("Connection") {
            "{ nodes { __typename } }"
        } else if self.types.contains_key(of) {
            "{ __typename }"
        } else {
            ""
        }
    }

    /// The query of this template with these fields, each under an alias that can be found in the response.
    pub(super) fn query<'a>(&self, template: &str, fields: impl IntoIterator<Item = &'a Field>) -> String {
        let ask =
            |field: &Field| format!("{ASKED}{}: {} {}", field.name, self.call(field), self.below(&field.of));
        template.replace('@', &fields.into_iter().map(ask).collect::<Vec<_>>().join(" "))
    }

    fn value(&self, field: &Field, name: &str, of: &Type) -> String {
        let of = match &of.base {
            BaseType::List(of) => return format!("[{}]", self.value(field, name, of)),
            BaseType::Named(of) => of.as_str(),
        };
        if let Some(fields) = self.inputs.get(of) {
            let fields = fields.iter().map(|(name, of)| format!("{name}: {}", self.value(field, name, of)));
            return format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "));
        }
        if let Some(value) = self.enums.get(of) {
            return value.clone();
        }
        let value = match (of, name) {
            ("ID", "customerId") => "<customer>",
            ("ID", "agentId" | "ids") => "<agent>",
            ("ID", "id") if field.name == "customer" => "<customer>",
            ("ID", "id") => "<agent>",
            ("ID", "versionId" | "expectedFromVersionId" | "expectedToVersionId") => "<version>",
            ("ID", "userId") => "<user>",
            ("ID", "apiKeyId") => "<key>",
            ("ID", "invitationId") => "<invitation>",
            ("ID", "serviceTokenId") => "<token>",
            ("ID", "environmentId") => "<environment>",
            // Nobody's session.
            ("ID", "sessionId") => "<agent>",
            ("String", "fromEnvironment") => "\"production\"",
            ("String", "toEnvironment" | "key") => "\"staging\"",
            ("Int", "number" | "from") => "1",
            ("Int", "to") => "2",
            ("Revision", "revision") => "\"1\"",
            ("DateTime", "since") => "<yesterday>",
            ("String", "email") => "\"nobody@example.org\"",
            ("String", _) => "\"x\"",
            _ => panic!("no value for {name}: {of} of {}", field.name),
        };
        value.to_owned()
    }
}

fn field(of: &FieldDefinition) -> Field {
    Field {
        name: of.name.node.to_string(),
        of: base(&of.ty.node),
        args: of.arguments.iter().filter_map(|argument| required(&argument.node)).collect(),
    }
}

fn required(of: &InputValueDefinition) -> Option<(String, Type)> {
    let is_required = !of.ty.node.nullable && of.default_value.is_none();
    is_required.then(|| (of.name.node.to_string(), of.ty.node.clone()))
}

fn base(of: &Type) -> String {
    match &of.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(of) => base(of),
    }
}
