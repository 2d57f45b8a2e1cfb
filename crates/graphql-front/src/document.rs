//! A checked document, and an operation of it that is ready to run.

use std::sync::{Arc, Mutex, PoisonError};

use apollo_compiler::{
    Node,
    executable::{ExecutableDocument as Tree, Operation},
    parser::SourceSpan,
};
use async_graphql_parser::{
    Pos,
    types::{ExecutableDocument, OperationType},
};

use crate::{
    error::{Error, ErrorKind, shortened},
    normalize::Plan,
    usage::Steering,
};

/// The maximum number of cached plans per document. Their weight is limited too.
const PLANS_MAX: usize = 16;
/// The approximate size of a selection with its arguments, in the tree or in a plan, in bytes.
pub(crate) const SELECTION: usize = 512;
/// The approximate size of a document without its selections, in bytes.
const OVERHEAD: usize = 8 * 1024;

/// A document's text, with the offsets at which its lines begin.
#[derive(Debug)]
pub(crate) struct Source {
    text: Arc<str>,
    lines: Vec<usize>,
}

impl Source {
    pub(crate) fn new(text: Arc<str>) -> Self {
        let bytes = text.as_bytes();
        // A line ends with LF, CR LF, or CR alone (section 2.1.2).
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { text, lines }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn pos(&self, span: SourceSpan) -> Pos {
        self.pos_at(span.offset())
    }

    /// Converts an offset in bytes to line and column, both from 1. Columns count characters.
    pub(crate) fn pos_at(&self, offset: usize) -> Pos {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|line| self.lines.get(line)).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        Pos { line, column: before.chars().count() + 1 }
    }
}

/// A document that is valid for the schema of its [`Front`](crate::Front). It doesn't depend on variables or the
/// caller, so one copy can be shared by all requests.
#[derive(Debug)]
pub struct Document {
    pub(crate) source: Source,
    pub(crate) tree: Tree,
    pub(crate) steering: Steering,
    /// The number of selections and arguments in the text.
    selections: usize,
    plans: Mutex<Vec<(PlanKey, Arc<Plan>)>>,
}

/// The key of a plan: the operation's name, and the values of the variables in its `@skip` and `@include`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanKey {
    pub(crate) operation: Option<String>,
    pub(crate) steering: Vec<Option<bool>>,
}

impl Document {
    /// Makes a document. `plan` is one that its checks have made.
    pub(crate) fn new(
        source: Source,
        tree: Tree,
        steering: Steering,
        selections: usize,
        plan: Option<(PlanKey, Plan)>,
    ) -> Self {
        let mut document = Self { source, tree, steering, selections, plans: Mutex::default() };
        let weight_max = document.plan_weight_max();
        let plan = plan.filter(|(_, plan)| plan.weight <= weight_max);
        document.plans = Mutex::new(plan.map(|(key, plan)| (key, Arc::new(plan))).into_iter().collect());
        document
    }

    /// Returns the approximate size of this document in memory, in bytes, including its cached plans.
    #[must_use]
    pub fn weight(&self) -> usize {
        OVERHEAD + 2 * self.source.text.len() + self.selections * SELECTION + self.plan_weight_max()
    }

    /// The maximum total weight of cached plans. Plans that fragments multiply beyond it aren't cached.
    fn plan_weight_max(&self) -> usize {
        OVERHEAD + 2 * self.source.text.len() + 2 * self.selections * SELECTION
    }

    /// Returns the text of the document.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.source.text
    }

    /// Returns the operation of this name, or the only operation when the name is missing or empty (section 6.1,
    /// GetOperation).
    pub(crate) fn operation(&self, name: Option<&str>) -> Result<&Node<Operation>, Error> {
        let operations = &self.tree.operations;
        let message = match name.filter(|name| !name.is_empty()) {
            Some(name) => match operations.named.get(name) {
                Some(operation) => return Ok(operation),
                None => format!("no operation is named {}; {}", shortened(name), self.inventory()),
            },
            None => {
                let mut all = operations.iter();
                match (all.next(), all.next()) {
                    (Some(only), None) => return Ok(only),
                    _ => format!("`operationName` must say which operation runs; {}", self.inventory()),
                }
            }
        };
        Err(Error::new(ErrorKind::Operation, message))
    }

    /// Lists the operations, for an error message.
    fn inventory(&self) -> String {
        let names: Vec<&str> = self.tree.operations.named.keys().map(|name| name.as_str()).collect();
        match names.as_slice() {
            [] => "the document has one operation, without a name".to_owned(),
            names => format!("the document has {}", names.join(", ")),
        }
    }

    /// Returns the plan for `key`. If it isn't cached, makes it with `make`.
    pub(crate) fn plan<E>(
        &self,
        key: PlanKey,
        make: impl FnOnce() -> Result<Plan, E>,
    ) -> Result<Arc<Plan>, E> {
        let found = |plans: &Vec<(PlanKey, Arc<Plan>)>| {
            plans.iter().find(|(kept, _)| *kept == key).map(|(_, plan)| Arc::clone(plan))
        };
        if let Some(plan) = found(&self.plans.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(plan);
        }
        let plan = Arc::new(make()?);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = found(&plans) {
            return Ok(plan);
        }
        if plans.len() >= PLANS_MAX {
            plans.remove(0);
        }
        let kept: usize = plans.iter().map(|(_, plan)| plan.weight).sum();
        if kept.saturating_add(plan.weight) <= self.plan_weight_max() {
            plans.push((key, Arc::clone(&plan)));
        }
        Ok(plan)
    }
}

/// An operation that is completely checked, with the values of its variables inserted.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// One anonymous operation without fragments, directives and variables. Each response key occurs once per
    /// concrete type. It needs no further validation.
    pub executable: ExecutableDocument,
    /// The type of the operation: query, mutation or subscription.
    pub kind: OperationType,
    /// The cost of the operation, in points; see [`Limits::cost`](crate::Limits::cost).
    pub cost: usize,
}
