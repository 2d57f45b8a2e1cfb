//! Lists of objects of which only plain fields are asked: what is in the row, needs no other read, no argument and no check.
//! The library makes a future of each field of each object; for the rows of a page that is most of what they cost, and
//! here it is done at once. Whatever else is asked for is resolved the library's way, and the answer is the same.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value,
    indexmap::IndexMap,
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
};

/// An object with fields that are plain.
pub(in crate::graphql) trait Plain: OutputType {
    /// The value of the field of this name, if it is plain.
    fn plain(&self, _field: &str) -> Option<Value> {
        None
    }
}

/// A list of objects.
pub(in crate::graphql) struct Listed<T>(pub(in crate::graphql) Vec<T>);

impl<T: Plain> OutputType for Listed<T> {
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
        match asked(&ctx.item.node).and_then(|asked| self.plainly(&asked)) {
            Some(list) => Ok(list),
            None => self.0.resolve(ctx, field).await,
        }
    }
}

impl<T: Plain> Listed<T> {
    /// All of them with these fields, if these are plain.
    fn plainly(&self, asked: &[(&Name, &Name)]) -> Option<Value> {
        let object = |of: &T| {
            let mut object = IndexMap::with_capacity(asked.len());
            for (key, name) in asked {
                object.insert(Name::clone(key), of.plain(name)?);
            }
            Some(Value::Object(object))
        };
        self.0.iter().map(object).collect::<Option<_>>().map(Value::List)
    }
}

/// Under which key each field is asked for, when there is nothing else in this selection.
fn asked(selection: &SelectionSet) -> Option<Vec<(&Name, &Name)>> {
    selection.items.iter().map(|selection| bare(&selection.node)).collect()
}

/// A field's key and name, when it is nothing but that.
fn bare(selection: &Selection) -> Option<(&Name, &Name)> {
    let Selection::Field(field) = selection else { return None };
    let Field { alias: _, name, arguments, directives, selection_set } = &field.node;
    let is_bare = arguments.is_empty() && directives.is_empty() && selection_set.node.items.is_empty();
    is_bare.then_some((&field.node.response_key().node, &name.node))
}
