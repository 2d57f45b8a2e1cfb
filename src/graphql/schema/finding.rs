//! Findings about a change of content in the GraphQL schema: what differs, and what that may do.

use async_graphql::{Enum, SimpleObject};

use super::scalar::Json;
use crate::{domain::diff, graphql::engine::context::RequestView};

/// What a change may do to running conversations and deployed executors, from harmless to worst. UNKNOWN is handled as
/// NARROWED.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "diff::Impact")]
pub enum ChangeImpact {
    /// Nothing differs between the versions.
    Same,
    /// Text for the model differs.
    Content,
    /// The model's parameters differ.
    Tuning,
    /// The model differs.
    Model,
    /// The model may choose other tools; no call is affected.
    Capability,
    /// A new conversation may send what a deployed executor doesn't know, or get a result that it doesn't expect.
    Widened,
    /// The effect can't be determined.
    Unknown,
    /// A running conversation's calls may be refused, or it may get a result that it doesn't expect.
    Narrowed,
    /// A running conversation may use what isn't there any more.
    Removed,
}

/// One thing that differs, and what it may do.
#[derive(Clone, SimpleObject)]
pub struct Finding {
    /// What it may do, at worst.
    impact: ChangeImpact,
    /// The place, such as `["tools", "find_section", "inputSchema", "required"]`: a tool is named by its name. Empty for
    /// the whole content.
    path: Vec<String>,
    /// The name of the tool that differs; null outside of tools.
    tool_name: Option<String>,
    /// The value at this path in the older version; null if there is none, for the prompt and for whole tools.
    before: Option<Json>,
    /// The value at this path in the newer version; null if there is none, for the prompt and for whole tools.
    after: Option<Json>,
    /// A sentence for people: "`find_section` now requires `city`". Its wording may change.
    message: String,
}

/// A value that differs, by its path.
#[derive(Clone, SimpleObject)]
pub struct FieldChange {
    /// The place, such as `["modelParameters", "temperature"]`. A tool is named by its name.
    path: Vec<String>,
    /// How it differs.
    kind: FieldChangeKind,
    /// The value before, in the older version; null if there is none.
    before: Option<Json>,
    /// The value afterwards, in the newer version; null if there is none.
    after: Option<Json>,
}

/// How a value differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "diff::FieldChangeKind")]
pub enum FieldChangeKind {
    /// Only the newer version has it, or it was unset before.
    Added,
    /// Only the older version has it, or it is unset now.
    Removed,
    /// Both have it, with other values.
    Changed,
    /// A list with the same elements in another order.
    Reordered,
}

/// Lines that differ, with three lines around them; lines end at LF alone.
#[derive(Clone, SimpleObject)]
pub struct DiffHunk {
    /// The number of the hunk's first line in the older prompt, from 1.
    old_start: i32,
    /// The number of the hunk's first line in the newer prompt, from 1.
    new_start: i32,
    /// The lines, in the order of a unified diff.
    lines: Vec<DiffLine>,
}

/// A line of a hunk, without its LF.
#[derive(Clone, SimpleObject)]
pub struct DiffLine {
    /// Which of the prompts has the line.
    kind: DiffLineKind,
    /// The line's text.
    text: String,
}

/// Which of two prompts has a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "diff::LineKind")]
pub enum DiffLineKind {
    /// Both prompts have it.
    Context,
    /// The newer prompt has it.
    Added,
    /// The older prompt has it.
    Removed,
}

impl Finding {
    /// Makes the objects of these findings, after counting them towards the answer.
    pub(super) fn all(of: &[diff::Finding], view: &RequestView) -> async_graphql::Result<Vec<Self>> {
        let make = |finding: &diff::Finding| {
            let diff::Finding { impact, path, tool_name, before, after, message } = finding;
            let (before, after) = (value(before.as_ref(), view)?, value(after.as_ref(), view)?);
            view.weigh(path.iter().map(String::len).sum::<usize>() + message.len())?;
            let (path, tool_name, message) = (path.clone(), tool_name.clone(), message.clone());
            Ok(Self { impact: (*impact).into(), path, tool_name, before, after, message })
        };
        of.iter().map(make).collect()
    }
}

impl FieldChange {
    /// Makes the objects of these changes, after counting them towards the answer.
    pub(super) fn all(of: &[diff::FieldChange], view: &RequestView) -> async_graphql::Result<Vec<Self>> {
        let make = |change: &diff::FieldChange| {
            let diff::FieldChange { path, kind, before, after } = change;
            let (before, after) = (value(before.as_ref(), view)?, value(after.as_ref(), view)?);
            view.weigh(path.iter().map(String::len).sum())?;
            Ok(Self { path: path.clone(), kind: (*kind).into(), before, after })
        };
        of.iter().map(make).collect()
    }
}

impl DiffHunk {
    /// Makes the objects of these hunks, after counting their text towards the answer.
    pub(super) fn all(of: Vec<diff::Hunk>, view: &RequestView) -> async_graphql::Result<Vec<Self>> {
        let number = |line: usize| i32::try_from(line).unwrap_or(i32::MAX);
        let make = |hunk: diff::Hunk| {
            let diff::Hunk { old_start, new_start, lines } = hunk;
            let line = |line: diff::HunkLine| {
                view.weigh_text(&line.text)?;
                Ok(DiffLine { kind: line.kind.into(), text: line.text })
            };
            let lines = lines.into_iter().map(line).collect::<async_graphql::Result<_>>()?;
            Ok(Self { old_start: number(old_start), new_start: number(new_start), lines })
        };
        of.into_iter().map(make).collect()
    }
}

fn value(json: Option<&json_reader::Json>, view: &RequestView) -> async_graphql::Result<Option<Json>> {
    let text = json.map(json_reader::Json::to_text);
    view.weigh(text.as_ref().map_or(0, String::len))?;
    Ok(text.map(Json))
}
