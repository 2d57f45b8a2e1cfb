//! Classifies the change from one version of an agent to another: what it may do to running conversations and to
//! executors of tools that are deployed already.
//!
//! [`classify`] returns findings, each with its [`Impact`]; [`changes`] returns the values that differ, by path;
//! [`hunks`] returns the lines of the prompt that differ. All three are pure: equal inputs give equal results, but for
//! [`hunks`] of prompts that are too large to search for the smallest difference.
//!
//! JSON Schemas are compared keyword by keyword. This crate doesn't validate instances, doesn't load a `$ref` from
//! elsewhere, and doesn't run patterns.

mod canonical;
mod changes;
mod content;
mod decimal;
mod finding;
mod lines;
mod model;
mod schema;
mod tool;
mod variables;

pub use changes::{CHANGES_MAX, Changes, FieldChange, FieldChangeKind, changes};
pub use content::Content;
pub use finding::{Classification, FINDINGS_MAX, Finding, Impact};
pub use lines::{CONTEXT_LINES, Hunk, HunkLine, LineKind, hunks, unified};
pub use variables::variables;

use content::field;
use finding::{Findings, quote};
use json_reader::Json;

/// Classifies the change from `old`, which serves now, to `new`. `old` is `None` for the first activation, `new` is
/// `None` for a deactivation.
///
/// The findings are in the order of the content: prompt, variables (removed ones, then added ones), model, parameters
/// by key, tools (removed ones in their old order, then the others in their new order, each with its members in
/// [`tool order`](Content::tools)), extensions by key. The order of keys in the input makes no difference.
#[must_use]
pub fn classify(old: Option<&Content<'_>>, new: Option<&Content<'_>>) -> Classification {
    let mut findings = Findings::default();
    match (old, new) {
        (None, None) => {}
        (None, Some(_)) => findings.push(Finding {
            impact: Impact::Capability,
            message: "nothing serves now, so no conversation and no executor depends on it".to_owned(),
            ..Finding::default()
        }),
        (Some(_), None) => findings.push(Finding {
            impact: Impact::Removed,
            message: "nothing serves any more".to_owned(),
            ..Finding::default()
        }),
        (Some(old), Some(new)) => {
            prompt(old.prompt, new.prompt, &mut findings);
            model::compare(old.model, new.model, &mut findings);
            parameters(old.parameters, new.parameters, &mut findings);
            tool::compare(old.tools, new.tools, &mut findings);
            extensions(old.extensions, new.extensions, &mut findings);
        }
    }
    findings.finish()
}

fn prompt(old: &str, new: &str, findings: &mut Findings) {
    if old == new {
        return;
    }
    findings.push(Finding {
        impact: Impact::Content,
        path: vec![field::PROMPT.to_owned()],
        message: "the system prompt differs".to_owned(),
        ..Finding::default()
    });
    let variable = |impact, name: String, is_new: bool| {
        let message = match is_new {
            true => format!("the prompt now needs the variable {}", quote(&name)),
            false => format!("the prompt no longer has the variable {}", quote(&name)),
        };
        let value = Some(Json::from(name.as_str()));
        let (before, after) = if is_new { (None, value) } else { (value, None) };
        Finding {
            impact,
            path: vec![field::VARIABLES.to_owned(), name],
            tool_name: None,
            before,
            after,
            message,
        }
    };
    let (old, new) = (variables(old), variables(new));
    let without = |names: &[String], others: &[String]| -> Vec<String> {
        let others: std::collections::HashSet<&String> = others.iter().collect();
        names.iter().filter(|name| !others.contains(name)).cloned().collect()
    };
    without(&old, &new).into_iter().for_each(|name| findings.push(variable(Impact::Removed, name, false)));
    without(&new, &old).into_iter().for_each(|name| findings.push(variable(Impact::Narrowed, name, true)));
}

fn parameters(old: &Json, new: &Json, findings: &mut Findings) {
    for (key, before, after) in canonical::differing(Some(old), Some(new)) {
        let name = quote(key);
        let message = match (before, after) {
            (None, _) => format!("{name} is a parameter that the older version doesn't have"),
            (_, None) => format!("the parameter {name} is gone"),
            _ => format!("the parameter {name} differs"),
        };
        findings.push(Finding {
            impact: Impact::Tuning,
            path: vec![field::PARAMETERS.to_owned(), key.to_owned()],
            tool_name: None,
            before: before.cloned(),
            after: after.cloned(),
            message,
        });
    }
}

/// The registry delivers extensions without interpreting them. A running conversation doesn't use a new one, and may use
/// one that is gone; a change in between may do anything.
fn extensions(old: Option<&Json>, new: Option<&Json>, findings: &mut Findings) {
    for (key, before, after) in canonical::differing(old, new) {
        let name = quote(key);
        let (impact, change) = match (before, after) {
            (None, _) => (Impact::Capability, "is new"),
            (_, None) => (Impact::Removed, "is gone"),
            _ => (Impact::Unknown, "differs; its effect isn't known here"),
        };
        findings.push(Finding {
            impact,
            path: vec![field::EXTENSIONS.to_owned(), key.to_owned()],
            tool_name: None,
            before: before.cloned(),
            after: after.cloned(),
            message: format!("the extension {name} {change}"),
        });
    }
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
