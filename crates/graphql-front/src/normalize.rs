//! Normalises an operation into a plan: resolves `@skip` and `@include`, inlines fragments, and merges the
//! selections of each response key into one field (section 6.3.2, CollectFields, and 6.4.3, MergeSelectionSets). So
//! an executor that runs selections one by one runs each field once.
//!
//! Under an interface or a union, each possible type gets its own selections, because merging depends on the type.

use std::collections::{HashMap, HashSet};

use apollo_compiler::{
    Name, Node,
    ast::{DirectiveList, Type, Value},
    executable::{ExecutableDocument as Tree, Field, Operation, Selection, SelectionSet},
};
use async_graphql_parser::Pos;
use async_graphql_value::{Name as OutName, Value as OutValue, indexmap::IndexMap};

use crate::{
    document::{SELECTION, Source},
    error::{Error, ErrorKind},
    limits::{Figure, within},
    literal::{Coerced, InputPosition, Reader},
    schema::Inner,
    usage::UnresolvedVariables,
    variable::weight,
};

/// The maximum number of fields in a plan, as a multiple of [`Limits::fields`](crate::Limits::fields). A field
/// selected on an interface occurs once per possible type.
const FIELDS_FACTOR: usize = 4;

/// A normalised operation. Arguments without variables are already coerced.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// The approximate size in memory, in bytes.
    pub(crate) weight: usize,
}

#[derive(Debug)]
pub(crate) enum Step {
    Field(FieldStep),
    /// The selections on one object type.
    On {
        object: OutName,
        steps: Vec<Step>,
    },
}

#[derive(Debug)]
pub(crate) struct FieldStep {
    pub(crate) alias: Option<OutName>,
    pub(crate) name: OutName,
    pub(crate) pos: Pos,
    pub(crate) arguments: Vec<(OutName, Argument)>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug)]
pub(crate) enum Argument {
    Constant(OutValue),
    /// A literal that contains variables.
    Open {
        value: Node<Value>,
        ty: Type,
        has_default: bool,
        path: String,
    },
}

/// The value of a variable in `@skip` or `@include`; `None` when it is null.
pub(crate) type IsSet<'a> = &'a dyn Fn(&Name) -> Option<bool>;

/// Normalises `operation`. Without `is_set`, `@skip` and `@include` are ignored, so that all selections are included.
///
/// Fails when fields to be merged have different arguments, and when the plan exceeds its limits ([`FIELDS_FACTOR`],
/// [`Limits::value_bytes`](crate::Limits::value_bytes)).
pub(crate) fn normalize(
    front: &Inner,
    source: &Source,
    tree: &Tree,
    operation: &Operation,
    is_set: Option<IsSet<'_>>,
) -> Result<Plan, Error> {
    let mut normalizer = Normalizer { front, source, tree, is_set, fields: 0, bytes: 0 };
    let root = &operation.selection_set;
    let steps = normalizer.object(&root.ty, &[root])?;
    Ok(Plan { steps, weight: normalizer.fields * SELECTION + normalizer.bytes })
}

struct Normalizer<'a> {
    front: &'a Inner,
    source: &'a Source,
    tree: &'a Tree,
    is_set: Option<IsSet<'a>>,
    fields: usize,
    /// Bytes of the values of arguments.
    bytes: usize,
}

/// The fields of each response key, in the order of the keys' first occurrence.
type Groups<'t> = IndexMap<&'t str, Vec<&'t Node<Field>>>;

impl<'t> Normalizer<'t> {
    /// Merges selection sets on a value of the composite type `ty`.
    fn composite(&mut self, ty: &Name, sets: &[&'t SelectionSet]) -> Result<Vec<Step>, Error> {
        if !self.front.is_abstract(ty) {
            return self.object(ty, sets);
        }
        let possible = self.front.possible_types(ty);
        let mut steps = Vec::with_capacity(possible.len());
        for object in possible {
            let of_object = self.object(&object, sets)?;
            if !of_object.is_empty() {
                steps.push(Step::On { object: OutName::new(object.as_str()), steps: of_object });
            }
        }
        Ok(steps)
    }

    fn object(&mut self, object: &Name, sets: &[&'t SelectionSet]) -> Result<Vec<Step>, Error> {
        let (mut groups, mut seen) = (Groups::new(), HashSet::new());
        for set in sets {
            self.collect(object, set, &mut groups, &mut seen)?;
        }
        groups.into_values().map(|fields| self.field(object, &fields)).collect()
    }

    fn collect(
        &self,
        object: &Name,
        set: &'t SelectionSet,
        groups: &mut Groups<'t>,
        seen: &mut HashSet<&'t Name>,
    ) -> Result<(), Error> {
        for selection in &set.selections {
            if !self.is_selected(selection.directives())? {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    groups.entry(field.response_key().as_str()).or_default().push(field)
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.type_condition.as_ref();
                    if condition.is_none_or(|condition| self.front.applies(condition, object)) {
                        self.collect(object, &inline.selection_set, groups, seen)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.tree.fragments.get(&spread.fragment_name);
                    let Some(fragment) = fragment.filter(|_| seen.insert(&spread.fragment_name)) else {
                        continue;
                    };
                    if self.front.applies(&fragment.selection_set.ty, object) {
                        self.collect(object, &fragment.selection_set, groups, seen)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn is_selected(&self, directives: &DirectiveList) -> Result<bool, Error> {
        let Some(is_set) = self.is_set else { return Ok(true) };
        for directive in &directives.0 {
            let argument = directive.arguments.iter().find(|argument| argument.name == "if");
            let condition = match argument.map(|argument| &*argument.value) {
                Some(Value::Boolean(condition)) => *condition,
                Some(Value::Variable(name)) => is_set(name).ok_or_else(|| {
                    let message = format!("`${name}` is null, and @{} takes a Boolean", directive.name);
                    Error::new(ErrorKind::Variable, message).at(self.source, directive.location())
                })?,
                _ => false,
            };
            match directive.name.as_str() {
                "skip" if condition => return Ok(false),
                "include" if !condition => return Ok(false),
                _ => {}
            }
        }
        Ok(true)
    }

    /// Merges the fields of one response key. Validation has ensured that they have the same name.
    fn field(&mut self, object: &Name, fields: &[&'t Node<Field>]) -> Result<Step, Error> {
        self.fields += 1;
        within(Figure::Fields, self.fields, self.front.limits.fields.saturating_mul(FIELDS_FACTOR))?;
        let first =
            fields.first().ok_or_else(|| Error::new(ErrorKind::Validation, "a field without a selection"))?;
        if let Some(other) = fields.iter().find(|field| !same_arguments(field, first)) {
            let message = format!("`{}` is selected twice with different arguments", first.response_key());
            return Err(Error::new(ErrorKind::Validation, message).at(self.source, other.location()));
        }
        let sets: Vec<&'t SelectionSet> = fields.iter().map(|field| &field.selection_set).collect();
        // The object's own definition counts: its type may be narrower than that of the interface's field.
        let defined = self.front.schema.type_field(object, &first.name);
        let ty = defined.map_or(&first.definition.ty, |defined| &defined.ty).inner_named_type().clone();
        let steps = if self.front.is_composite(&ty) { self.composite(&ty, &sets)? } else { Vec::new() };
        Ok(Step::Field(FieldStep {
            alias: first.alias.as_ref().map(|alias| OutName::new(alias.as_str())),
            name: OutName::new(first.name.as_str()),
            pos: first.location().map(|span| self.source.pos(span)).unwrap_or_default(),
            arguments: self.arguments(first)?,
            steps,
        }))
    }

    fn arguments(&mut self, field: &Field) -> Result<Vec<(OutName, Argument)>, Error> {
        let mut arguments = Vec::with_capacity(field.arguments.len());
        for argument in &field.arguments {
            let defined = field.definition.arguments.iter().find(|defined| defined.name == argument.name);
            let Some(definition) = defined else { continue };
            let (ty, has_default) = (&*definition.ty, definition.default_value.is_some());
            let path = format!("{}.{}", field.name, argument.name);
            let mut reader = Reader::new(self.front, UnresolvedVariables, path.clone());
            let read = reader.read(&argument.value, &InputPosition { ty, has_default });
            let value = match read.map_err(|fault| fault.into_error(ErrorKind::Validation, self.source))? {
                Coerced::Value(value) => {
                    self.bytes += weight(&value);
                    within(Figure::ValueBytes, self.bytes, self.front.limits.value_bytes)?;
                    Argument::Constant(value.into_value())
                }
                Coerced::Absent => continue,
                Coerced::Unresolved => {
                    Argument::Open { value: argument.value.clone(), ty: ty.clone(), has_default, path }
                }
            };
            arguments.push((OutName::new(argument.name.as_str()), value));
        }
        Ok(arguments)
    }
}

/// Whether two fields have the same arguments, in any order.
fn same_arguments(one: &Field, other: &Field) -> bool {
    let (one, other) = (&one.arguments, &other.arguments);
    one.len() == other.len()
        && one.iter().all(|argument| {
            let twin = other.iter().find(|twin| twin.name == argument.name);
            twin.is_some_and(|twin| same_value(&argument.value, &twin.value))
        })
}

/// Whether two literals are equal. The order of an object's fields doesn't matter.
fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let twins: HashMap<&Name, &Node<Value>> =
                other.iter().map(|(name, value)| (name, value)).collect();
            let is_in_other = |(name, value): &(Name, Node<Value>)| {
                twins.get(name).is_some_and(|twin| same_value(value, twin))
            };
            one.len() == other.len() && one.iter().all(is_in_other)
        }
        (one, other) => one == other,
    }
}
