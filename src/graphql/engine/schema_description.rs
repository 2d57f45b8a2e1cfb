//! The description of the whole schema, which GraphiQL shows first: in the schema definition language and in
//! introspection. async-graphql has a fixed text in its place.

use async_graphql::{Name, Value, parser::types::ExecutableDocument, parser::types::Selection};

/// What a developer reads before the first type: how to begin, and what holds for every field.
const DESCRIPTION: &str = "\
The Agent Registry: which version of which AI agent serves, for every customer, in every environment.

**Begin** with `viewer`, who you are and what you may do, and go on with `customers { nodes { agents { nodes { name } } } }`.

- **Lists** that can pass 100 are connections: `first` and `after` go forwards, `last` and `before` backwards. The \
others are plain.
- **One query reads one moment** of the database, whose commit is `revision`.
- **Mutations** take one `input`. Errors that you can correct are in `userErrors`, and nothing was written then. A repeated \
`idempotencyKey` repeats the answer and not the write.
- **Subscriptions** replay from a cursor (`after`) and miss nothing. `activations` sends what became active, `configs` \
is for gateways.
- **Null instead of a value** that your role may not read; the rights are in the fields' descriptions.";

/// Adds the description to a schema in the schema definition language.
pub(in crate::graphql) fn describe_sdl(sdl: &str) -> String {
    sdl.replace("\nschema {", &format!("\n\"\"\"\n{DESCRIPTION}\n\"\"\"\nschema {{"))
}

/// Where an operation asks for the description: the response keys of `__schema` and of its `description`.
#[derive(Debug, Default)]
pub(in crate::graphql) struct DescriptionPlaces(Vec<(Name, Name)>);

impl DescriptionPlaces {
    /// Finds them in a normalised operation, which has no fragments at its root.
    pub(in crate::graphql) fn of(executable: &ExecutableDocument) -> Self {
        let roots =
            executable.operations.iter().flat_map(|(_, operation)| &operation.node.selection_set.node.items);
        let fields = |selection: &Selection| match selection {
            Selection::Field(field) => Some(field.node.clone()),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
        };
        let schemas = roots.filter_map(|root| fields(&root.node)).filter(|root| root.name.node == "__schema");
        let places = schemas.flat_map(|schema| {
            let key = schema.response_key().node.clone();
            let below = schema.selection_set.node.items.iter().filter_map(|item| fields(&item.node));
            let descriptions = below.filter(|field| field.name.node == "description");
            descriptions.map(|field| (key.clone(), field.response_key().node.clone())).collect::<Vec<_>>()
        });
        Self(places.collect())
    }

    /// Writes the description into the operation's data.
    pub(in crate::graphql) fn describe(&self, data: &mut Value) {
        for (schema, description) in &self.0 {
            let Value::Object(root) = data else { return };
            if let Some(Value::Object(schema)) = root.get_mut(schema) {
                schema.insert(description.clone(), Value::from(DESCRIPTION));
            }
        }
    }
}
