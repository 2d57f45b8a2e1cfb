//! Variables: an operation without one that it must have is refused before it runs (GraphQL, section 6.1.2).
//!
//! The library notices too, but at the field that uses it, when others have been run already.

use async_graphql::{
    Name, Value, Variables,
    parser::types::{DocumentOperations, ExecutableDocument},
};

/// Whether each variable of the operation that runs, which may not be null, has a value or a default.
///
/// # Errors
/// The message that names the first one that has none.
pub(super) fn required(
    document: &ExecutableDocument,
    operation: Option<&str>,
    variables: &Variables,
) -> Result<(), String> {
    let operation = match (&document.operations, operation) {
        (DocumentOperations::Single(only), _) => Some(only),
        (DocumentOperations::Multiple(all), Some(name)) => all.get(name),
        (DocumentOperations::Multiple(all), None) => all.values().next(),
    };
    // Which operation it is, and whether there is one, is decided elsewhere.
    let definitions = operation.map(|operation| operation.node.variable_definitions.as_slice());
    for definition in definitions.unwrap_or_default() {
        let definition = &definition.node;
        let name: &Name = &definition.name.node;
        let missing = match variables.get(name) {
            None => definition.default_value.is_none(),
            Some(value) => *value == Value::Null,
        };
        if missing && !definition.var_type.node.nullable {
            return Err(format!(
                "the variable ${name} must have a value: it is of type {}",
                definition.var_type.node
            ));
        }
    }
    Ok(())
}
