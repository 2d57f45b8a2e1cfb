//! Compares two JSON Schemas, of draft 2020-12, 2019-09, draft-07 or draft-06.
//!
//! A schema is a conjunction of rules, one for each keyword, or for some keywords that depend on each other. Each rule
//! is compared with the other schema's. If every rule of the new schema accepts all that the old one accepts, so does
//! the new schema; hence a schema isn't narrower unless a rule is. `README.md` has the table of rules.

mod array;
mod comparer;
mod context;
mod dependent;
mod document;
mod effect;
mod lists;
mod logic;
mod node;
mod nodes;
mod object;
mod reading;
mod report;
mod scalar;
mod types;
mod values;
mod walk;

use json_reader::Json;

use crate::finding::{Finding, Findings, Impact, quote};
use comparer::Comparer;
use context::Context;
use document::Document;
pub(crate) use effect::Direction;

/// Compares the schemas of a tool's input or result, and adds the findings.
pub(crate) fn compare(
    tool: &str,
    direction: Direction,
    old: Option<&Json>,
    new: Option<&Json>,
    findings: &mut Findings,
) {
    let (Some(old), Some(new)) = (old, new) else {
        if let Some(finding) = presence(tool, direction, old, new) {
            findings.push(finding);
        }
        return;
    };
    if crate::canonical::equal(old, new) {
        return;
    }
    let mut comparer = Comparer::new(tool, direction, Document::new(old), Document::new(new));
    if comparer.check_drafts() {
        comparer.compare(old, new, Context::ROOT);
    }
    comparer.finish(old, new, findings);
}

/// The finding for a schema that one of the versions lacks: without one, any value is accepted.
fn presence(tool: &str, direction: Direction, old: Option<&Json>, new: Option<&Json>) -> Option<Finding> {
    let effect = match (old, new) {
        (None, Some(schema)) if reading::is_any(schema) => effect::Effect::Note,
        (Some(schema), None) if reading::is_any(schema) => effect::Effect::Note,
        (None, Some(_)) => effect::Effect::Narrower,
        (Some(_), None) => effect::Effect::Wider,
        _ => return None,
    };
    let impact: Impact = direction.impact(effect);
    let change = if new.is_some() { "is new" } else { "is gone" };
    Some(Finding {
        impact,
        path: direction.path(tool),
        tool_name: Some(tool.to_owned()),
        before: old.cloned(),
        after: new.cloned(),
        message: format!("{}: the {} schema {change}", quote(tool), direction.name()),
    })
}
