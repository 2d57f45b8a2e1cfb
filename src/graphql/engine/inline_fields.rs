//! A fast path for lists whose selection holds only inline fields: fields that are read from the row, without
//! arguments, statements or checks of rights.
//!
//! The library makes a future for each field of each object, which is most of a page's cost. This resolves all
//! objects at once. Any other selection takes the library's way, with the same result.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value,
    indexmap::IndexMap,
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
};

/// An object type with inline fields.
pub(in crate::graphql) trait InlineFields: OutputType {
    /// Returns the value of this field, or none if the field isn't inline. By default no field is.
    fn inline_field(&self, _field: &str) -> Option<Value> {
        None
    }
}

/// A list that tries the fast path first.
pub(in crate::graphql) struct InlineList<T>(pub(in crate::graphql) Vec<T>);

impl<T: InlineFields> OutputType for InlineList<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match selected_fields(&ctx.item.node)
            .and_then(|selected_fields| self.resolve_inline(&selected_fields))
        {
            Some(list) => Ok(list),
            None => self.0.resolve(ctx, field).await,
        }
    }
}

impl<T: InlineFields> InlineList<T> {
    /// Resolves the list with these response keys and fields; none if one of them isn't inline.
    fn resolve_inline(&self, selected_fields: &[(&Name, &Name)]) -> Option<Value> {
        let object = |of: &T| {
            let mut object = IndexMap::with_capacity(selected_fields.len());
            for (key, name) in selected_fields {
                object.insert(Name::clone(key), of.inline_field(name)?);
            }
            Some(Value::Object(object))
        };
        self.0.iter().map(object).collect::<Option<_>>().map(Value::List)
    }
}

/// Returns the response key and name of each selected field; none if the selection holds anything but bare fields.
fn selected_fields(selection: &SelectionSet) -> Option<Vec<(&Name, &Name)>> {
    selection.items.iter().map(|selection| bare_field(&selection.node)).collect()
}

/// Returns a field's response key and name; none for a fragment, or a field with arguments, directives or a
/// selection.
fn bare_field(selection: &Selection) -> Option<(&Name, &Name)> {
    let Selection::Field(field) = selection else { return None };
    let Field { alias: _, name, arguments, directives, selection_set } = &field.node;
    let is_bare = arguments.is_empty() && directives.is_empty() && selection_set.node.items.is_empty();
    is_bare.then_some((&field.node.response_key().node, &name.node))
}
