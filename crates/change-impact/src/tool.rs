//! Compares lists of tools, and the members of a tool besides its schemas.

use std::collections::{BTreeSet, HashMap, HashSet};

use json_reader::Json;

use crate::{
    canonical,
    content::{Member, Tool, field, is_reordered},
    finding::{Finding, Findings, Impact, quote, show},
    schema::{self, Direction},
};

/// Compares two lists of tools. Tools are matched by name.
pub(crate) fn compare(old: &[Json], new: &[Json], findings: &mut Findings) {
    let (Some(old_tools), Some(new_tools)) = (Tool::read_all(old), Tool::read_all(new)) else {
        return compare_unnamed(old, new, findings);
    };
    let find = |tools: &HashMap<&str, usize>, name: &str| tools.get(name).copied();
    let (in_old, in_new) = (by_name(&old_tools), by_name(&new_tools));
    let added: Vec<&Tool<'_>> = new_tools.iter().filter(|tool| find(&in_old, tool.name).is_none()).collect();
    let mut successors = HashSet::new();
    for tool in old_tools.iter().filter(|tool| find(&in_new, tool.name).is_none()) {
        let is_successor =
            |other: &&&Tool<'_>| !successors.contains(other.name) && is_same_but_for_name(tool, other);
        let successor = added.iter().find(is_successor).map(|other| other.name);
        successors.extend(successor);
        let message = match successor {
            Some(name) => format!("the tool {} is now called {}", quote(tool.name), quote(name)),
            None => format!("the tool {} is gone", quote(tool.name)),
        };
        findings.push(finding(tool.name, Impact::Removed, message));
    }
    if is_reordered(&old_tools, &new_tools) {
        findings.push(Finding {
            impact: Impact::Content,
            path: vec![field::TOOLS.to_owned()],
            message: "the tools are in another order".to_owned(),
            ..Finding::default()
        });
    }
    for tool in &new_tools {
        match find(&in_old, tool.name).and_then(|at| old_tools.get(at)) {
            Some(old) => members(old, tool, findings),
            None => {
                let message = format!("the tool {} is new", quote(tool.name));
                findings.push(finding(tool.name, Impact::Capability, message));
            }
        }
    }
}

fn by_name<'a>(tools: &[Tool<'a>]) -> HashMap<&'a str, usize> {
    tools.iter().enumerate().map(|(at, tool)| (tool.name, at)).collect()
}

/// Compares lists with tools that have no name of their own. A published version has no such list.
fn compare_unnamed(old: &[Json], new: &[Json], findings: &mut Findings) {
    let is_same = old.len() == new.len() && old.iter().zip(new).all(|(old, new)| canonical::equal(old, new));
    if !is_same {
        findings.push(Finding {
            impact: Impact::Unknown,
            path: vec![field::TOOLS.to_owned()],
            message: "the tools differ, and some have no name of their own".to_owned(),
            ..Finding::default()
        });
    }
}

/// Whether a tool may be another one under a new name. Tools with nothing but a name are all alike.
fn is_same_but_for_name(old: &Tool<'_>, new: &Tool<'_>) -> bool {
    !old.members.is_empty()
        && old.members.len() == new.members.len()
        && old
            .members
            .iter()
            .zip(&new.members)
            .all(|((key, old), (other, new))| key == other && canonical::equal(old, new))
}

/// A finding about a whole tool.
fn finding(name: &str, impact: Impact, message: String) -> Finding {
    Finding {
        impact,
        path: vec![field::TOOLS.to_owned(), name.to_owned()],
        tool_name: Some(name.to_owned()),
        before: None,
        after: None,
        message,
    }
}

/// Compares two tools of one name.
fn members(old: &Tool<'_>, new: &Tool<'_>, findings: &mut Findings) {
    let keys: BTreeSet<Member<'_>> = old.members.keys().chain(new.members.keys()).copied().collect();
    for member in keys {
        let (before, after) = (old.members.get(&member).copied(), new.members.get(&member).copied());
        match member {
            Member::InputSchema => schema::compare(new.name, Direction::Input, before, after, findings),
            Member::OutputSchema => schema::compare(new.name, Direction::Output, before, after, findings),
            _ if canonical::equal_optional(before, after) => {}
            Member::Annotations => annotations(new.name, before, after, findings),
            _ => findings.push(of_member(new.name, member, before, after)),
        }
    }
}

/// Compares the annotations of a tool, one by one if both are objects.
fn annotations(tool: &str, before: Option<&Json>, after: Option<&Json>, findings: &mut Findings) {
    let is_object = |json: Option<&Json>| json.is_none_or(|json| json.as_object().is_some());
    if !is_object(before) || !is_object(after) {
        return findings.push(of_member(tool, Member::Annotations, before, after));
    }
    let mut differing = canonical::differing(before, after).peekable();
    if differing.peek().is_none() {
        // An empty object instead of none.
        findings.push(of_member(tool, Member::Annotations, before, after));
    }
    for (key, before, after) in differing {
        let (name, hint) = (quote(tool), quote(key));
        let message = match after {
            Some(value) => format!("{name}: the annotation {hint} is now {}", show(value)),
            None => format!("{name}: the annotation {hint} is gone"),
        };
        let mut finding = finding(tool, Impact::Capability, message);
        finding.path.extend([Member::Annotations.key().to_owned(), key.to_owned()]);
        (finding.before, finding.after) = (before.cloned(), after.cloned());
        findings.push(finding);
    }
}

/// A finding about a member other than a schema.
fn of_member(tool: &str, member: Member<'_>, before: Option<&Json>, after: Option<&Json>) -> Finding {
    let is_strict = |json: Option<&Json>| json.and_then(Json::as_bool) == Some(true);
    let (name, key) = (quote(tool), quote(member.key()));
    let (impact, message) = match member {
        Member::Strict if is_strict(before) && !is_strict(after) => {
            (Impact::Widened, format!("{name}: the model no longer has to follow the input schema exactly"))
        }
        Member::Strict if is_strict(after) => {
            (Impact::Capability, format!("{name}: the model now has to follow the input schema exactly"))
        }
        Member::Execution | Member::Other(_) => {
            (Impact::Unknown, format!("{name}: {key} differs; its effect isn't known here"))
        }
        _ => (Impact::Capability, format!("{name}: {key} differs")),
    };
    let mut finding = finding(tool, impact, message);
    finding.path.push(member.key().to_owned());
    (finding.before, finding.after) = (before.cloned(), after.cloned());
    finding
}
