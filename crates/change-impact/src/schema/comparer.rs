//! The state of a comparison: the path, the findings, and the bounds.

use std::collections::{HashMap, HashSet};

use json_reader::Json;

use super::{
    context::Context,
    document::{Document, Draft, Expanded},
    effect::{Direction, Effect, Effects},
    nodes::{Nodes, Step, address},
    reading,
    report::{Found, Values},
};
/// The most schemas within each other, references included. JSON of 32 levels has half as many.
const DEPTH_MAX: usize = 48;

/// The work that a comparison may do for each byte of its schemas, in compared bytes. Without references, it takes a
/// part of that.
const WORK_PER_BYTE: usize = 20;

/// The work that any comparison may do.
const WORK_MIN: usize = 1 << 18;

/// The work of comparing two schemas, besides their content: they are looked up.
const WORK_PER_SCHEMA: usize = 512;

/// The work of comparing the keywords of two schemas, of following references, and of a finding, besides their
/// content.
pub(super) const WORK_PER_STEP: usize = 512;

/// The size of a comparison's findings, for each byte of its schemas: a difference in a definition that is used often
/// may be a finding more than once.
const BYTES_PER_BYTE: usize = 4;

/// The size that the findings of any comparison may have.
const BYTES_MIN: usize = 1 << 16;

/// Compares the schemas of two documents.
pub(super) struct Comparer<'a> {
    pub(super) tool: &'a str,
    pub(super) direction: Direction,
    pub(super) old: Document<'a>,
    pub(super) new: Document<'a>,
    /// The keywords from the root to the schemas that are being compared.
    pub(super) path: Vec<String>,
    /// The members of the value that these schemas are for.
    pub(super) place: Vec<Step<'a>>,
    pub(super) found: Vec<Found<'a>>,
    /// How many findings aren't listed, and their effects.
    pub(super) omitted: (usize, Effects),
    /// The bytes that the paths and values of further findings may have.
    pub(super) bytes_left: usize,
    /// The findings that were listed, each by its effect and the addresses of its values.
    pub(super) listed: HashSet<(Effect, Option<usize>, Option<usize>)>,
    /// Whether findings are going to be replaced by one.
    pub(super) is_opaque: bool,
    /// The effect of a rule's change that accepts the same values: a note, or unknown where it matters that the rule is
    /// there.
    pub(super) neutral: Effect,
    /// The effects that were found since the last call of [`Comparer::scoped`].
    pub(super) effects: Effects,
    compared: HashMap<(usize, usize, Context), Progress>,
    depth: usize,
    pub(super) work_left: usize,
    pub(super) is_stopped: bool,
}

/// A pair of definitions that a reference led to.
#[derive(Clone, Copy)]
enum Progress {
    /// It is being compared, for a value as many steps deep as this.
    Open(usize),
    Done(Effects),
}

impl<'a> Comparer<'a> {
    pub(super) fn new(tool: &'a str, direction: Direction, old: Document<'a>, new: Document<'a>) -> Self {
        let bytes = old.bytes + new.bytes;
        Self {
            tool,
            direction,
            old,
            new,
            path: Vec::new(),
            place: Vec::new(),
            found: Vec::new(),
            omitted: (0, Effects::default()),
            bytes_left: bytes.saturating_mul(BYTES_PER_BYTE).max(BYTES_MIN),
            listed: HashSet::new(),
            is_opaque: false,
            neutral: Effect::Note,
            effects: Effects::default(),
            compared: HashMap::new(),
            depth: 0,
            work_left: bytes.saturating_mul(WORK_PER_BYTE).max(WORK_MIN),
            is_stopped: false,
        }
    }

    /// Whether the drafts of both schemas are known. A change of the draft is a finding.
    pub(super) fn check_drafts(&mut self) -> bool {
        let nodes = Nodes { old: self.old.root.as_object(), new: self.new.root.as_object() };
        let is_known = self.old.draft != Draft::Other && self.new.draft != Draft::Other;
        if self.old.draft != self.new.draft || !is_known {
            self.at_key("$schema", |comparer| {
                comparer.push(Effect::Unknown, nodes.get("$schema"), |place| {
                    format!("{place}: the draft of JSON Schema differs, or isn't known here")
                });
            });
        }
        // References to elsewhere are relative to it.
        if (self.old.has_references || self.new.has_references) && nodes.differ("$id") {
            self.changed(nodes, "$id", Effect::Unknown);
        }
        is_known
    }

    /// Compares two schemas.
    pub(super) fn compare(&mut self, old: &'a Json, new: &'a Json, context: Context) {
        if self.is_stopped {
            return;
        }
        if self.depth >= DEPTH_MAX {
            return self.push(Effect::Unknown, (Some(old), Some(new)), |place| {
                format!("{place}: the schema is nested too deep to compare")
            });
        }
        // Equal references may lead to definitions that differ.
        let has_references = self.old.has_references || self.new.has_references;
        if (!has_references || reading::is_leaf(old)) && self.is_equal(old, new) {
            return;
        }
        self.spend(WORK_PER_SCHEMA);
        self.depth += 1;
        let (from, to) = (self.old.expand(old), self.new.expand(new));
        if from.is_circle || to.is_circle {
            self.push_circle((Some(old), Some(new)));
        } else if from.steps.is_empty() && to.steps.is_empty() {
            // The root is a definition too: `#` refers to it.
            match self.depth {
                1 => self.once(old, new, context),
                _ => self.node(old, new, context),
            }
        } else {
            self.expanded((old, &from), (new, &to), context);
        }
        self.depth -= 1;
    }

    /// Compares the schemas that at least one of two given schemas refers to.
    fn expanded(
        &mut self,
        (given_old, old): (&'a Json, &Expanded<'a>),
        (given_new, new): (&'a Json, &Expanded<'a>),
        context: Context,
    ) {
        if !context.is_bare {
            self.annotations((given_old, old.schema), (given_new, new.schema));
        }
        let steps = if new.steps.is_empty() { &old.steps } else { &new.steps };
        let length = self.path.len();
        self.path.extend(steps.iter().map(|step| (*step).to_owned()));
        self.once(old.schema, new.schema, Context { is_bare: true, ..context });
        self.path.truncate(length);
    }

    /// Compares the schemas that references beside other keywords refer to.
    pub(super) fn referenced(&mut self, old: &'a Json, new: &'a Json, context: Context) {
        let (from, to) = (self.old.expand(old), self.new.expand(new));
        if from.is_circle || to.is_circle || self.depth >= DEPTH_MAX {
            return self.push_circle((Some(old), Some(new)));
        }
        self.depth += 1;
        self.once(from.schema, to.schema, context);
        self.depth -= 1;
    }

    /// Compares a pair of definitions, unless that was done before: each finding is reported once.
    fn once(&mut self, old: &'a Json, new: &'a Json, context: Context) {
        self.spend(WORK_PER_STEP);
        let context = Context { is_root: context.is_root && old.get("properties").is_none(), ..context };
        let key = (address(old), address(new), Context { is_bare: false, ..context });
        match self.compared.get(&key).copied() {
            Some(Progress::Done(effects)) => self.effects.extend(effects),
            // The value is deeper than before, so the other findings of the pair decide.
            Some(Progress::Open(depth)) if depth < self.place.len() => {}
            Some(Progress::Open(_)) => self.push_circle((Some(old), Some(new))),
            None => {
                self.compared.insert(key, Progress::Open(self.place.len()));
                let effects = self.scoped(|comparer| comparer.node(old, new, context));
                self.compared.insert(key, Progress::Done(effects));
            }
        }
    }

    fn push_circle(&mut self, values: Values<'a>) {
        self.push(Effect::Unknown, values, |place| {
            format!("{place}: the references of the schema lead in a circle, or too deep to compare")
        });
    }
}
