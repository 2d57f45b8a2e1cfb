//! Builds the tree that async-graphql executes from a normalised operation and the values of its variables.

use std::collections::HashMap;

use async_graphql_parser::{
    Pos, Positioned,
    types::{
        DocumentOperations, ExecutableDocument, Field, InlineFragment, OperationDefinition, OperationType,
        Selection, SelectionSet, TypeCondition,
    },
};
use async_graphql_value::{Name, Value};

use crate::{
    document::Source,
    error::{Error, ErrorKind},
    literal::{Coerced, InputPosition, Reader},
    normalize::{Argument, FieldStep, Plan, Step},
    schema::Inner,
    variable::VariableValues,
};

pub(crate) fn bind(
    front: &Inner,
    source: &Source,
    plan: &Plan,
    ty: OperationType,
    known: &VariableValues<'_>,
) -> Result<ExecutableDocument, Error> {
    let binder = Binder { front, source, known };
    let operation = OperationDefinition {
        ty,
        variable_definitions: Vec::new(),
        directives: Vec::new(),
        selection_set: binder.selections(&plan.steps, Pos::default())?,
    };
    Ok(ExecutableDocument {
        operations: DocumentOperations::Single(Positioned::new(operation, Pos::default())),
        fragments: HashMap::new(),
    })
}

struct Binder<'a> {
    front: &'a Inner,
    source: &'a Source,
    known: &'a VariableValues<'a>,
}

impl Binder<'_> {
    fn selections(&self, steps: &[Step], pos: Pos) -> Result<Positioned<SelectionSet>, Error> {
        let items = steps.iter().map(|step| self.selection(step, pos)).collect::<Result<_, _>>()?;
        Ok(Positioned::new(SelectionSet { items }, pos))
    }

    fn selection(&self, step: &Step, pos: Pos) -> Result<Positioned<Selection>, Error> {
        Ok(match step {
            Step::Field(field) => {
                let at = field.pos;
                Positioned::new(Selection::Field(Positioned::new(self.field(field)?, at)), at)
            }
            Step::On { object, steps } => {
                let condition = TypeCondition { on: Positioned::new(object.clone(), pos) };
                let inline = InlineFragment {
                    type_condition: Some(Positioned::new(condition, pos)),
                    directives: Vec::new(),
                    selection_set: self.selections(steps, pos)?,
                };
                Positioned::new(Selection::InlineFragment(Positioned::new(inline, pos)), pos)
            }
        })
    }

    fn field(&self, step: &FieldStep) -> Result<Field, Error> {
        let FieldStep { alias, name, pos, arguments, steps } = step;
        let here = |name: &Name| Positioned::new(name.clone(), *pos);
        let mut bound = Vec::with_capacity(arguments.len());
        for (name, argument) in arguments {
            if let Some(value) = self.argument(argument)? {
                bound.push((here(name), Positioned::new(value, *pos)));
            }
        }
        Ok(Field {
            alias: alias.as_ref().map(here),
            name: here(name),
            arguments: bound,
            directives: Vec::new(),
            selection_set: self.selections(steps, *pos)?,
        })
    }

    /// Returns an argument's value, or `None` when it is a variable without a value; the argument is then omitted.
    fn argument(&self, argument: &Argument) -> Result<Option<Value>, Error> {
        let (value, ty, has_default, path) = match argument {
            Argument::Constant(value) => return Ok(Some(value.clone())),
            Argument::Open { value, ty, has_default, path } => (value, ty, *has_default, path),
        };
        let mut reader = Reader::new(self.front, self.known, path.clone());
        match reader.read(value, &InputPosition { ty, has_default }) {
            Ok(Coerced::Value(value)) => Ok(Some(value.into_value())),
            Ok(Coerced::Absent | Coerced::Unresolved) => Ok(None),
            Err(fault) => Err(fault.into_error(ErrorKind::Variable, self.source)),
        }
    }
}
