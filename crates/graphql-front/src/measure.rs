//! Computes the size of a document with all fragments expanded, without expanding them. A fragment's size doesn't
//! depend on where it is spread, so each selection is visited only twice.
//!
//! The walk recurses into nested selections, at most [`Limits::nesting`] deep, and never through fragments.
//! Counters saturate.

use std::collections::HashMap;

use apollo_compiler::{
    Node,
    ast::{Value, VariableDefinition},
    executable::{ExecutableDocument as Tree, Field, Fragment, Operation, Selection, SelectionSet},
};

use crate::{
    error::{Error, ErrorKind},
    limits::{Figure, Limits, within},
};

/// Checks the limits that don't depend on the operation or its variables. Returns the number of selections and
/// arguments in the text. Spreads of undefined fragments are left to validation.
pub(crate) fn shape(tree: &Tree, limits: &Limits) -> Result<usize, Error> {
    within(Figure::Operations, tree.operations.len(), limits.operations)?;
    within(Figure::Fragments, tree.fragments.len(), limits.fragments)?;
    let mut walk = Walk::new(tree, limits, Pages::unknown(limits))?;
    let mut all = Size::default();
    for operation in tree.operations.iter() {
        walk.directives += operation.directives.len();
        walk.directives +=
            operation.variables.iter().map(|variable| variable.directives.len()).sum::<usize>();
        let figures = walk.selections(&operation.selection_set, 1)?;
        within(Figure::RootFields, figures.level_fields, limits.root_fields)?;
        all.add(&figures);
    }
    within(Figure::Directives, walk.directives, limits.directives)?;
    within(Figure::Levels, all.levels, limits.levels)?;
    within(Figure::Depth, all.depth, limits.depth)?;
    within(Figure::Fields, all.fields, limits.fields)?;
    within(Figure::Aliases, all.aliases, limits.aliases)?;
    within(Figure::Copies, walk.longest.saturating_mul(walk.arguments), limits.copies)?;
    Ok(walk.written + walk.arguments)
}

/// Computes the cost of an operation, in points. `length` returns the value of a variable as a page length. Fails
/// when the cost exceeds [`Limits::cost`].
pub(crate) fn cost(
    tree: &Tree,
    operation: &Operation,
    length: &dyn Fn(&str) -> Option<usize>,
    limits: &Limits,
) -> Result<usize, Error> {
    let mut walk = Walk::new(tree, limits, Pages::of(operation, length, limits))?;
    let cost = walk.selections(&operation.selection_set, 1)?.cost;
    if let Err(mut error) = within(Figure::Cost, cost, limits.cost) {
        error.costliest_path = walk.costliest_path(tree, &operation.selection_set)?;
        return Err(error);
    }
    Ok(cost)
}

/// The size of one selection set, with all fragments in it expanded.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    fields: usize,
    depth: usize,
    levels: usize,
    aliases: usize,
    cost: usize,
    /// The number of fields of this object, without nested ones.
    level_fields: usize,
    /// Whether `edges` or `nodes` is among these fields, which makes the object a page.
    is_page: bool,
}

impl Size {
    /// Adds another selection on the same object.
    fn add(&mut self, other: &Self) {
        let Self { fields, depth, levels, aliases, cost, level_fields, is_page } = *other;
        self.fields = self.fields.saturating_add(fields);
        self.depth = self.depth.max(depth);
        self.levels = self.levels.max(levels);
        self.aliases = self.aliases.saturating_add(aliases);
        self.cost = self.cost.saturating_add(cost);
        self.level_fields = self.level_fields.saturating_add(level_fields);
        self.is_page |= is_page;
    }

    /// Returns the size of a spread or an inline fragment of this selection set: one field more.
    fn spread(self) -> Self {
        Self { fields: self.fields.saturating_add(1), ..self }
    }
}

struct Walk<'a> {
    pages: Pages<'a>,
    limits: &'a Limits,
    fragments: HashMap<&'a str, Size>,
    directives: usize,
    /// The number of selections in the text.
    written: usize,
    /// The number of arguments in the text.
    arguments: usize,
    /// The length of the longest string in an argument, in bytes.
    longest: usize,
}

impl<'a> Walk<'a> {
    /// Makes a walk, and computes the size of each fragment.
    fn new(tree: &'a Tree, limits: &'a Limits, pages: Pages<'a>) -> Result<Self, Error> {
        let mut walk = Self {
            pages,
            limits,
            fragments: HashMap::new(),
            directives: 0,
            written: 0,
            arguments: 0,
            longest: 0,
        };
        for (name, fragment) in topological_order(tree, limits)? {
            walk.directives += fragment.directives.len();
            let figures = walk.selections(&fragment.selection_set, 1)?;
            within(Figure::Levels, figures.levels, limits.levels)?;
            walk.fragments.insert(name, figures);
        }
        Ok(walk)
    }

    fn selections(&mut self, set: &SelectionSet, nesting: usize) -> Result<Size, Error> {
        within(Figure::Nesting, nesting, self.limits.nesting)?;
        let mut figures = Size::default();
        for selection in &set.selections {
            self.directives += selection.directives().len();
            self.written += 1;
            figures.add(&match selection {
                Selection::Field(field) => self.field(field, nesting)?,
                Selection::InlineFragment(inline) => {
                    self.selections(&inline.selection_set, nesting + 1)?.spread()
                }
                Selection::FragmentSpread(spread) => {
                    self.fragments.get(spread.fragment_name.as_str()).copied().unwrap_or_default().spread()
                }
            });
        }
        figures.levels = figures.levels.saturating_add(1);
        Ok(figures)
    }

    fn field(&mut self, field: &Field, nesting: usize) -> Result<Size, Error> {
        within(Figure::Arguments, field.arguments.len(), self.limits.arguments)?;
        self.arguments += field.arguments.len();
        let longest = field.arguments.iter().map(|argument| longest(&argument.value)).max();
        self.longest = self.longest.max(longest.unwrap_or(0));
        let inner = if field.selection_set.selections.is_empty() {
            Size::default()
        } else {
            self.selections(&field.selection_set, nesting + 1)?
        };
        let times = self.times(field, &inner);
        Ok(Size {
            fields: inner.fields.saturating_add(1),
            depth: inner.depth.saturating_add(1),
            levels: inner.levels,
            aliases: inner.aliases.saturating_add(usize::from(field.alias.is_some())),
            cost: inner.cost.saturating_mul(times).saturating_add(1),
            level_fields: 1,
            is_page: matches!(field.name.as_str(), "edges" | "nodes"),
        })
    }

    /// The number of times that the content of this field counts.
    fn times(&self, field: &Field, inner: &Size) -> usize {
        self.pages.length(field, inner.is_page).max(introspection_list_length(&field.name))
    }

    /// Returns the response path to the innermost list within the costliest fields of each level. Without a list, the
    /// path to the costliest field. The number of fields is limited, so fragments can be expanded.
    fn costliest_path(&mut self, tree: &Tree, set: &SelectionSet) -> Result<Option<String>, Error> {
        let (mut keys, mut list_end): (Vec<&str>, usize) = (Vec::new(), 0);
        let mut level = expanded(tree, set);
        while !level.is_empty() {
            let mut costliest: Option<(&Field, usize)> = None;
            for field in level {
                let cost = self.field(field, 1)?.cost;
                if costliest.is_none_or(|(_, most)| cost > most) {
                    costliest = Some((field, cost));
                }
            }
            let Some((field, _)) = costliest else { break };
            if !matches!(field.name.as_str(), "nodes" | "edges" | "node") || keys.is_empty() {
                keys.push(field.alias.as_ref().unwrap_or(&field.name));
            }
            if !field.selection_set.selections.is_empty() {
                let inner = self.selections(&field.selection_set, 1)?;
                if self.times(field, &inner) > 1 {
                    list_end = keys.len();
                }
            }
            level = expanded(tree, &field.selection_set);
        }
        keys.truncate(if list_end == 0 { keys.len() } else { list_end });
        Ok((!keys.is_empty()).then(|| keys.join(".")))
    }
}

/// The fields of an object, with fragments expanded.
fn expanded<'a>(tree: &'a Tree, set: &'a SelectionSet) -> Vec<&'a Field> {
    let mut fields = Vec::new();
    let mut ahead: Vec<&SelectionSet> = vec![set];
    while let Some(set) = ahead.pop() {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => fields.push(&**field),
                Selection::InlineFragment(inline) => ahead.push(&inline.selection_set),
                Selection::FragmentSpread(spread) => {
                    ahead.extend(
                        tree.fragments.get(&spread.fragment_name).map(|spread| &spread.selection_set),
                    );
                }
            }
        }
    }
    fields
}

/// The estimated length of an introspection list, for a schema of a few hundred fields. These lists have no pages
/// and always return all items.
fn introspection_list_length(name: &str) -> usize {
    match name {
        "types" => 100,
        "fields" | "inputFields" | "enumValues" => 5,
        "args" | "directives" => 2,
        _ => 1,
    }
}

/// Sorts the fragments topologically, each after those that it spreads. Fails if there is a cycle.
fn topological_order<'a>(tree: &'a Tree, limits: &Limits) -> Result<Vec<(&'a str, &'a Fragment)>, Error> {
    enum Visit<'a> {
        Enter(&'a str),
        Leave(&'a str, &'a Fragment),
    }
    fn spreads<'a>(
        set: &'a SelectionSet,
        nesting: usize,
        limits: &Limits,
        ahead: &mut Vec<Visit<'a>>,
    ) -> Result<(), Error> {
        within(Figure::Nesting, nesting, limits.nesting)?;
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => spreads(&field.selection_set, nesting + 1, limits, ahead)?,
                Selection::InlineFragment(inline) => {
                    spreads(&inline.selection_set, nesting + 1, limits, ahead)?;
                }
                Selection::FragmentSpread(spread) => ahead.push(Visit::Enter(&spread.fragment_name)),
            }
        }
        Ok(())
    }

    let mut ordered = Vec::with_capacity(tree.fragments.len());
    let mut is_ordered: HashMap<&str, bool> = HashMap::new();
    for start in tree.fragments.keys() {
        let mut ahead = vec![Visit::Enter(start.as_str())];
        while let Some(visit) = ahead.pop() {
            match visit {
                Visit::Enter(name) => {
                    let Some(fragment) = tree.fragments.get(name) else { continue };
                    match is_ordered.get(name) {
                        Some(true) => continue,
                        Some(false) => {
                            let message = "A fragment spreads itself, directly or through others.";
                            return Err(Error::new(ErrorKind::Validation, message));
                        }
                        None => is_ordered.insert(name, false),
                    };
                    ahead.push(Visit::Leave(name, fragment));
                    spreads(&fragment.selection_set, 1, limits, &mut ahead)?;
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

/// The lengths of pages in the operation that runs.
struct Pages<'a> {
    /// The lengths from variables; `None` for a value that isn't a length.
    lengths: HashMap<&'a str, Option<usize>>,
    /// [`Limits::page`].
    unsaid: usize,
}

impl<'a> Pages<'a> {
    fn unknown(limits: &Limits) -> Self {
        Self { lengths: HashMap::new(), unsaid: limits.page }
    }

    fn of(operation: &'a Operation, length: &dyn Fn(&str) -> Option<usize>, limits: &Limits) -> Self {
        let of = |definition: &'a Node<VariableDefinition>| {
            let name = definition.name.as_str();
            (name, length(name))
        };
        Self { lengths: operation.variables.iter().map(of).collect(), unsaid: limits.page }
    }

    /// Returns the maximum number of items of this field, at least 1.
    fn length(&self, field: &Field, is_page: bool) -> usize {
        let asked =
            field.arguments.iter().filter(|argument| matches!(argument.name.as_str(), "first" | "last"));
        let longest = asked.map(|argument| {
            let length = match &*argument.value {
                Value::Variable(name) => self.lengths.get(name.as_str()).copied().flatten(),
                literal => literal_length(literal),
            };
            length.unwrap_or(self.unsaid)
        });
        longest.max().unwrap_or(if is_page { self.unsaid } else { 1 }).max(1)
    }
}

/// Returns the length of the longest string within a literal, in bytes.
fn longest(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Int(int) => int.as_str().len(),
        Value::Float(float) => float.as_str().len(),
        Value::List(values) => values.iter().map(|value| longest(value)).max().unwrap_or(0),
        Value::Object(fields) => fields.iter().map(|(_, value)| longest(value)).max().unwrap_or(0),
        Value::Null | Value::Boolean(_) | Value::Enum(_) | Value::Variable(_) => 0,
    }
}

fn literal_length(value: &Value) -> Option<usize> {
    match value {
        Value::Int(int) => int.as_str().parse().ok(),
        _ => None,
    }
}
