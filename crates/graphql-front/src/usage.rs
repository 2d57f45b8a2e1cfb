//! Checks the types of literals (section 5.6) and the uses of variables (sections 5.8.3 and 5.8.5), within lists
//! and input objects too. Also checks the root field of subscriptions (5.2.4.1) and the arguments of merged fields
//! (5.3.2).
//!
//! The library checks the rest of section 5. It implements these rules only in part.

use std::collections::{HashMap, HashSet};

use apollo_compiler::{
    Name, Node,
    ast::{Argument, DirectiveList, InputValueDefinition, Type, Value, VariableDefinition},
    executable::{ExecutableDocument as Tree, Operation, Selection, SelectionSet},
    parser::SourceSpan,
};

use crate::{
    document::{PlanKey, Source},
    error::{Error, ErrorKind},
    literal::{Coerced, InputPosition, LiteralError, Reader, ScalarVariable, Variables},
    normalize::{Plan, normalize},
    schema::Inner,
};

/// The variables in `@skip` and `@include` of each operation, by the operation's name.
pub(crate) type Steering = HashMap<Option<Name>, Vec<Name>>;

/// What the checks of a document found.
pub(crate) struct Findings {
    pub(crate) steering: Steering,
    /// The plan of the document's only operation, if no `@skip` or `@include` can change it.
    pub(crate) plan: Option<(PlanKey, Plan)>,
    /// About [`Limits::errors`](crate::Limits::errors) at most.
    pub(crate) errors: Vec<Error>,
}

/// Checks all operations and fragments. If there are no other errors (`is_right`), also checks that merged fields
/// have equal arguments.
pub(crate) fn check(front: &Inner, source: &Source, tree: &Tree, is_right: bool) -> Findings {
    let mut checker = Checker { front, source, errors: Vec::new() };
    let mut fragments: HashMap<&str, OwnUsages<'_>> = HashMap::new();
    for (name, fragment) in &tree.fragments {
        let mut part = OwnUsages::default();
        checker.directives(&fragment.directives, &mut part);
        checker.selections(&fragment.selection_set, &mut part);
        fragments.insert(name.as_str(), part);
    }
    let (mut steering, mut plan) = (Steering::new(), None);
    for operation in tree.operations.iter() {
        let mut part = OwnUsages::default();
        checker.directives(&operation.directives, &mut part);
        for definition in &operation.variables {
            checker.definition(definition);
        }
        checker.selections(&operation.selection_set, &mut part);
        let (mut steers, mut is_conditional): (Vec<Name>, bool) = (Vec::new(), false);
        for part in reachable(&part, &fragments) {
            is_conditional |= part.is_conditional;
            for usage in &part.usages {
                checker.usage(operation, usage);
            }
            steers.extend(part.steering.iter().copied().cloned());
        }
        steers.sort_unstable();
        steers.dedup();
        steering.insert(operation.name.clone(), steers);
        checker.subscription_root(operation, tree);
        if is_right && checker.errors.is_empty() {
            let agreed = checker.arguments_agree(operation, tree);
            // Plans of many operations together could exceed what a document may weigh.
            plan = agreed.filter(|_| !is_conditional && tree.operations.len() == 1).map(|plan| {
                let operation = operation.name.as_ref().map(ToString::to_string);
                (PlanKey { operation, steering: Vec::new() }, plan)
            });
        }
    }
    Findings { steering, plan, errors: checker.errors }
}

/// The content of an operation or a fragment, without the fragments that it spreads.
#[derive(Default)]
struct OwnUsages<'a> {
    usages: Vec<Usage>,
    steering: Vec<&'a Name>,
    /// Whether it has a `@skip` or an `@include`.
    is_conditional: bool,
    spreads: Vec<&'a str>,
}

/// A use of a variable.
struct Usage {
    name: Name,
    /// The expected type, and whether the argument or input field has a default value. `None` within a custom scalar.
    place: Option<(Type, bool)>,
    /// The argument that contains the use, such as `createAgent.input`.
    path: String,
    span: Option<SourceSpan>,
}

/// Returns an operation's own part and the parts of all fragments that it spreads, directly or indirectly.
fn reachable<'p, 'a>(
    own: &'p OwnUsages<'a>,
    fragments: &'p HashMap<&str, OwnUsages<'a>>,
) -> Vec<&'p OwnUsages<'a>> {
    let (mut found, mut ahead, mut seen) = (vec![own], own.spreads.clone(), HashSet::new());
    while let Some(name) = ahead.pop() {
        if let Some(part) = fragments.get(name).filter(|_| seen.insert(name)) {
            found.push(part);
            ahead.extend(&part.spreads);
        }
    }
    found
}

struct Checker<'a> {
    front: &'a Inner,
    source: &'a Source,
    errors: Vec<Error>,
}

impl Checker<'_> {
    fn report(&mut self, message: String, span: Option<SourceSpan>) {
        if self.errors.len() < self.front.limits.errors {
            self.errors.push(Error::new(ErrorKind::Validation, message).at(self.source, span));
        }
    }

    fn report_fault(&mut self, read: Result<Coerced, LiteralError>) {
        if let (Err(fault), true) = (read, self.errors.len() < self.front.limits.errors) {
            self.errors.push(fault.into_error(ErrorKind::Validation, self.source));
        }
    }

    fn selections<'t>(&mut self, set: &'t SelectionSet, part: &mut OwnUsages<'t>) {
        for selection in &set.selections {
            self.directives(selection.directives(), part);
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.name, &field.arguments, &field.definition.arguments, part);
                    self.selections(&field.selection_set, part);
                }
                Selection::InlineFragment(inline) => self.selections(&inline.selection_set, part),
                Selection::FragmentSpread(spread) => part.spreads.push(&spread.fragment_name),
            }
        }
    }

    fn directives<'t>(&mut self, directives: &'t DirectiveList, part: &mut OwnUsages<'t>) {
        for directive in &directives.0 {
            let front = self.front;
            if let Some(defined) = front.schema.directive_definitions.get(&directive.name) {
                self.arguments(&directive.name, &directive.arguments, &defined.arguments, part);
            }
            if matches!(directive.name.as_str(), "skip" | "include") {
                part.is_conditional = true;
                let steered = directive.arguments.iter().filter_map(|argument| match &*argument.value {
                    Value::Variable(name) => Some(name),
                    _ => None,
                });
                part.steering.extend(steered);
            }
        }
    }

    fn arguments(
        &mut self,
        owner: &Name,
        given: &[Node<Argument>],
        defined: &[Node<InputValueDefinition>],
        part: &mut OwnUsages<'_>,
    ) {
        for argument in given {
            let Some(definition) = defined.iter().find(|defined| defined.name == argument.name) else {
                continue;
            };
            let place = InputPosition { ty: &definition.ty, has_default: definition.default_value.is_some() };
            let path = format!("{owner}.{}", argument.name);
            let mut reader = Reader::new(self.front, UsageRecorder(Vec::new()), path.clone());
            let read = reader.read(&argument.value, &place);
            let UsageRecorder(noted) = reader.variables;
            part.usages.extend(noted.into_iter().map(|usage| Usage { path: path.clone(), ..usage }));
            self.report_fault(read);
        }
    }

    /// Checks that a variable's default value has the variable's type.
    fn definition(&mut self, definition: &VariableDefinition) {
        let Some(default) = &definition.default_value else { return };
        let place = InputPosition { ty: &definition.ty, has_default: false };
        let mut reader = Reader::new(self.front, UnresolvedVariables, format!("${}", definition.name));
        let read = reader.read(default, &place);
        self.report_fault(read);
    }

    /// Checks that a variable is defined (section 5.8.3) and allowed here (IsVariableUsageAllowed of section 5.8.5).
    fn usage(&mut self, operation: &Operation, usage: &Usage) {
        let Usage { name, place, path, span } = usage;
        let defined = operation.variables.iter().find(|definition| definition.name == *name);
        let Some(definition) = defined else {
            let of = operation.name.as_ref().map_or_else(String::new, |name| format!(" by operation {name}"));
            return self.report(format!("`{path}`: the variable `${name}` is not defined{of}"), *span);
        };
        let Some((ty, has_default)) = place else { return };
        let has_value = match &definition.default_value {
            Some(default) => !matches!(**default, Value::Null),
            None => false,
        };
        let is_allowed = if ty.is_non_null() && !definition.ty.is_non_null() {
            (has_value || *has_default) && is_compatible(&definition.ty, &ty.clone().nullable())
        } else {
            is_compatible(&definition.ty, ty)
        };
        if !is_allowed {
            let message =
                format!("`{path}`: `${name}` is of type {}, and {ty} is expected here", definition.ty);
            self.report(message, *span);
        }
    }

    /// Checks that merged fields have equal arguments (section 5.3.2). The library checks this too, but considers
    /// `[RED]` and `[RED, GREEN]` equal. Returns the plan in which they are merged, without `@skip` and `@include`.
    fn arguments_agree(&mut self, operation: &Operation, tree: &Tree) -> Option<Plan> {
        normalize(self.front, self.source, tree, operation, None)
            .map_err(|error| self.errors.push(error))
            .ok()
    }

    /// Checks that a subscription has one root field (section 5.2.4.1). Selections with the same response key are
    /// one field.
    fn subscription_root(&mut self, operation: &Operation, tree: &Tree) {
        if !operation.is_subscription() {
            return;
        }
        let (mut keys, mut ahead, mut seen) =
            (HashSet::new(), vec![&operation.selection_set], HashSet::new());
        while let Some(set) = ahead.pop() {
            for selection in &set.selections {
                match selection {
                    Selection::Field(field) => drop(keys.insert(field.response_key())),
                    Selection::InlineFragment(inline) => ahead.push(&inline.selection_set),
                    Selection::FragmentSpread(spread) => {
                        let fragment = tree.fragments.get(&spread.fragment_name);
                        ahead.extend(
                            fragment
                                .filter(|_| seen.insert(&spread.fragment_name))
                                .map(|fragment| &fragment.selection_set),
                        );
                    }
                }
            }
        }
        if keys.len() > 1 {
            let message = format!("a subscription has exactly one root field, this one has {}", keys.len());
            self.report(message, None);
        }
    }
}

/// AreTypesCompatible of section 5.8.5.
fn is_compatible(variable: &Type, place: &Type) -> bool {
    match (variable, place) {
        (Type::NonNullNamed(one), Type::NonNullNamed(other) | Type::Named(other))
        | (Type::Named(one), Type::Named(other)) => one == other,
        (Type::NonNullList(one), Type::NonNullList(other) | Type::List(other))
        | (Type::List(one), Type::List(other)) => is_compatible(one, other),
        _ => false,
    }
}

/// Records the variables in a literal.
struct UsageRecorder(Vec<Usage>);

impl Variables for UsageRecorder {
    fn at(
        &mut self,
        name: &Name,
        place: &InputPosition<'_>,
        span: Option<SourceSpan>,
    ) -> Result<Coerced, Error> {
        let place = Some((Type::clone(place.ty), place.has_default));
        self.0.push(Usage { name: name.clone(), place, path: String::new(), span });
        Ok(Coerced::Unresolved)
    }

    fn within_scalar(&mut self, name: &Name, span: Option<SourceSpan>) -> Result<ScalarVariable, Error> {
        self.0.push(Usage { name: name.clone(), place: None, path: String::new(), span });
        Ok(ScalarVariable::Unresolved)
    }
}

/// Resolves no variables: all values are unknown.
pub(crate) struct UnresolvedVariables;

impl Variables for UnresolvedVariables {
    fn at(&mut self, _: &Name, _: &InputPosition<'_>, _: Option<SourceSpan>) -> Result<Coerced, Error> {
        Ok(Coerced::Unresolved)
    }

    fn within_scalar(&mut self, _: &Name, _: Option<SourceSpan>) -> Result<ScalarVariable, Error> {
        Ok(ScalarVariable::Unresolved)
    }
}
