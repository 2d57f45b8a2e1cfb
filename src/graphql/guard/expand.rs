//! The parsed document with every fragment expanded, in figures only: each selection is visited twice, whatever the
//! fragments multiply to, since a fragment's figures do not depend on where it is spread.
//!
//! It recurses into what is written, at most `limits.nesting` deep, and never through fragments; figures saturate.

use std::collections::HashMap;

use async_graphql::{
    Name, Number, Positioned, Value, Variables,
    parser::types::{
        DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition,
        OperationType, Selection, SelectionSet, VariableDefinition,
    },
};

use super::{Figure, Limits, Refusal, within};

/// What the operation that is to run comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Whether it reads, writes or watches.
    pub operation: OperationType,
    /// Fields with every fragment expanded; each spread and inline fragment counts as one besides.
    pub fields: usize,
    /// Fields within fields; 1 where no field has a selection.
    pub depth: usize,
    /// Fields at the root, those in fragments included.
    pub root_fields: usize,
    /// Points of cost, see [`Limits::cost`].
    pub cost: usize,
    /// Selections visited to find this out: at most twice as many as the document has.
    pub steps: usize,
}

/// Measures the operation of this name, or the only one, and refuses a document that is past a limit in any of its
/// operations or fragments. A spread of a fragment that is not there is left to validation.
///
/// Fails with [`Refusal::UnknownOperation`], [`Refusal::FragmentCycle`], [`Refusal::SubscriptionRootFields`] and
/// [`Refusal::TooMuch`]. Page sizes are taken from `variables`, or their defaults in the operation.
pub fn measure(
    document: &ExecutableDocument,
    operation_name: Option<&str>,
    variables: &Variables,
    limits: &Limits,
) -> Result<Measured, Refusal> {
    let operations = document.operations.iter().len();
    within(Figure::Operations, operations, limits.operations)?;
    within(Figure::Fragments, document.fragments.len(), limits.fragments)?;
    let runs = operation_to_run(document, operation_name).ok_or(Refusal::UnknownOperation { operations })?;

    let mut walk = Walk {
        pages: Pages::new(runs, variables, limits),
        limits,
        fragments: HashMap::new(),
        directives: 0,
        merges: 0,
        steps: 0,
    };
    for (name, fragment) in spread_first(document, limits, &mut walk.steps)? {
        walk.directives += fragment.directives.len();
        let figures = walk.selections(&fragment.selection_set.node, 1)?;
        within(Figure::Levels, figures.levels, limits.levels)?;
        walk.fragments.insert(name, figures);
    }
    let (mut all, mut measured) = (Figures::default(), Figures::default());
    for (_, operation) in document.operations.iter() {
        let OperationDefinition { ty: _, variable_definitions, directives, selection_set } = &operation.node;
        let of_variables =
            variable_definitions.iter().map(|variable| variable.node.directives.len()).sum::<usize>();
        walk.directives += directives.len() + of_variables;
        let figures = walk.selections(&selection_set.node, 1)?;
        all.add(&figures);
        if std::ptr::eq(&raw const operation.node, runs) {
            measured = figures;
        }
    }

    within(Figure::Directives, walk.directives, limits.directives)?;
    within(Figure::Levels, all.levels, limits.levels)?;
    within(Figure::Depth, all.depth, limits.depth)?;
    within(Figure::Fields, all.fields, limits.fields)?;
    within(Figure::Aliases, all.aliases, limits.aliases)?;
    within(Figure::Merges, walk.merges, limits.merges)?;
    within(Figure::RootFields, measured.level_fields, limits.root_fields)?;
    within(Figure::Cost, measured.cost, limits.cost)?;
    if runs.ty == OperationType::Subscription && (measured.level_fields != 1 || measured.introspects) {
        return Err(Refusal::SubscriptionRootFields { found: measured.level_fields });
    }
    Ok(Measured {
        operation: runs.ty,
        fields: measured.fields,
        depth: measured.depth,
        root_fields: measured.level_fields,
        cost: measured.cost,
        steps: walk.steps,
    })
}

/// As async-graphql chooses it: a name finds none where the only operation has none.
fn operation_to_run<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(&operation.node),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(named), Some(name)) => named.get(name).map(|operation| &operation.node),
        (DocumentOperations::Multiple(named), None) => {
            named.values().next().filter(|_| named.len() == 1).map(|operation| &operation.node)
        }
    }
}

/// The fragments, each after all that it spreads. Fails if there is no such order.
fn spread_first<'a>(
    document: &'a ExecutableDocument,
    limits: &Limits,
    steps: &mut usize,
) -> Result<Vec<(&'a str, &'a FragmentDefinition)>, Refusal> {
    let mut ordered = Vec::with_capacity(document.fragments.len());
    let mut is_ordered: HashMap<&str, bool> = HashMap::new();
    for start in document.fragments.keys() {
        let mut ahead = vec![Visit::Enter(start.as_str())];
        while let Some(visit) = ahead.pop() {
            match visit {
                Visit::Enter(name) => {
                    let Some(fragment) = document.fragments.get(name) else {
                        continue;
                    };
                    match is_ordered.get(name) {
                        Some(true) => continue,
                        Some(false) => return Err(Refusal::FragmentCycle),
                        None => is_ordered.insert(name, false),
                    };
                    ahead.push(Visit::Leave(name, &fragment.node));
                    spreads(&fragment.node.selection_set.node, 1, limits, steps, &mut ahead)?;
                }
                Visit::Leave(name, fragment) => {
                    is_ordered.insert(name, true);
                    ordered.push((name, fragment));
                }
            }
        }
    }
    Ok(ordered)
}

enum Visit<'a> {
    Enter(&'a str),
    Leave(&'a str, &'a FragmentDefinition),
}

/// Adds to `ahead` every fragment that is spread somewhere in `set`.
fn spreads<'a>(
    set: &'a SelectionSet,
    nesting: usize,
    limits: &Limits,
    steps: &mut usize,
    ahead: &mut Vec<Visit<'a>>,
) -> Result<(), Refusal> {
    within(Figure::Nesting, nesting, limits.nesting)?;
    for selection in &set.items {
        *steps += 1;
        match &selection.node {
            Selection::Field(field) => {
                spreads(&field.node.selection_set.node, nesting + 1, limits, steps, ahead)?
            }
            Selection::InlineFragment(inline) => {
                spreads(&inline.node.selection_set.node, nesting + 1, limits, steps, ahead)?;
            }
            Selection::FragmentSpread(spread) => ahead.push(Visit::Enter(&spread.node.fragment_name.node)),
        }
    }
    Ok(())
}

/// The figures of one selection set, with every fragment in it expanded.
#[derive(Debug, Clone, Copy, Default)]
struct Figures {
    fields: usize,
    depth: usize,
    levels: usize,
    aliases: usize,
    cost: usize,
    /// Fields of this object itself: not those within fields.
    level_fields: usize,
    /// The same, with the spreads and inline fragments that hold them.
    level_selections: usize,
    /// The most arguments that a field of this object has.
    level_arguments: usize,
    /// Whether `edges` or `nodes` is among them: then the object is a page.
    is_page: bool,
    /// Whether a field that begins with `__` is among them.
    introspects: bool,
}

impl Figures {
    /// Adds what is selected on the same object.
    fn add(&mut self, other: &Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.depth = self.depth.max(other.depth);
        self.levels = self.levels.max(other.levels);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.cost = self.cost.saturating_add(other.cost);
        self.level_fields = self.level_fields.saturating_add(other.level_fields);
        self.level_selections = self.level_selections.saturating_add(other.level_selections);
        self.level_arguments = self.level_arguments.max(other.level_arguments);
        self.is_page |= other.is_page;
        self.introspects |= other.introspects;
    }

    /// What a spread or an inline fragment of these adds: itself, and them.
    fn spread(self) -> Self {
        Self {
            fields: self.fields.saturating_add(1),
            level_selections: self.level_selections.saturating_add(1),
            ..self
        }
    }
}

struct Walk<'a> {
    pages: Pages<'a>,
    limits: &'a Limits,
    fragments: HashMap<&'a str, Figures>,
    directives: usize,
    merges: usize,
    steps: usize,
}

impl Walk<'_> {
    fn selections(&mut self, set: &SelectionSet, nesting: usize) -> Result<Figures, Refusal> {
        within(Figure::Nesting, nesting, self.limits.nesting)?;
        let mut figures = Figures::default();
        for selection in &set.items {
            self.steps += 1;
            self.directives += selection.node.directives().len();
            figures.add(&match &selection.node {
                Selection::Field(field) => self.field(&field.node, nesting)?,
                Selection::InlineFragment(inline) => {
                    self.selections(&inline.node.selection_set.node, nesting + 1)?.spread()
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    self.fragments.get(name).copied().unwrap_or_default().spread()
                }
            });
        }
        figures.levels = figures.levels.saturating_add(1);
        // Validation compares each field with the first of its name, once for the set and for each that holds it.
        let merges = figures.level_selections.saturating_mul(figures.level_arguments.saturating_add(1));
        self.merges = self.merges.saturating_add(merges);
        Ok(figures)
    }

    fn field(&mut self, field: &Field, nesting: usize) -> Result<Figures, Refusal> {
        within(Figure::Arguments, field.arguments.len(), self.limits.arguments)?;
        let inner = if field.selection_set.node.items.is_empty() {
            Figures::default()
        } else {
            self.selections(&field.selection_set.node, nesting + 1)?
        };
        let name = field.name.node.as_str();
        let times = self.pages.length(field, inner.is_page).max(introspected(name));
        Ok(Figures {
            fields: inner.fields.saturating_add(1),
            depth: inner.depth.saturating_add(1),
            levels: inner.levels,
            aliases: inner.aliases.saturating_add(usize::from(field.alias.is_some())),
            cost: inner.cost.saturating_mul(times).saturating_add(1),
            level_fields: 1,
            level_selections: 1,
            level_arguments: field.arguments.len(),
            is_page: matches!(name, "edges" | "nodes"),
            introspects: name.starts_with("__"),
        })
    }
}

/// How many of these the schema has, more or less: they are no pages, and each time that they are asked for, all of them
/// are told.
fn introspected(name: &str) -> usize {
    match name {
        "types" => 100,
        "fields" | "inputFields" | "enumValues" => 5,
        "args" | "directives" => 2,
        _ => 1,
    }
}

/// How long pages are, as the operation that runs asks for them.
struct Pages<'a> {
    /// Its variables whose value is a whole number.
    numbers: HashMap<&'a str, &'a Number>,
    /// [`Limits::page`].
    unsaid: usize,
}

impl<'a> Pages<'a> {
    fn new(runs: &'a OperationDefinition, variables: &'a Variables, limits: &Limits) -> Self {
        let number = |variable: &'a Positioned<VariableDefinition>| {
            let VariableDefinition { name, default_value, .. } = &variable.node;
            match variables.get(&name.node).or(default_value.as_ref().map(|value| &value.node))? {
                Value::Number(number) => Some((name.node.as_str(), number)),
                _ => None,
            }
        };
        Self { numbers: runs.variable_definitions.iter().filter_map(number).collect(), unsaid: limits.page }
    }

    /// How many times what is under this field may be answered, at least 1.
    fn length(&self, field: &Field, is_page: bool) -> usize {
        let asked = field.arguments.iter().filter(|(name, _)| matches!(name.node.as_str(), "first" | "last"));
        let longest = asked.map(|(_, value)| {
            let number = |name: Name| self.numbers.get(name.as_str()).map(|number| (*number).clone());
            match value.node.clone().into_const_with(|name| number(name).map(Value::Number).ok_or(())) {
                Ok(Value::Number(number)) => number.as_u64(),
                _ => None,
            }
            .map_or(self.unsaid, |number| usize::try_from(number).unwrap_or(usize::MAX))
        });
        longest.max().unwrap_or(if is_page { self.unsaid } else { 1 }).max(1)
    }
}
