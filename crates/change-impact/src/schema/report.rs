//! The findings of a comparison, and the words of their messages.

use json_reader::Json;

use super::{
    comparer::{Comparer, WORK_PER_STEP},
    effect::{Direction, Effect},
    nodes::{Step, address},
};
use crate::{
    canonical,
    finding::{FINDINGS_MAX, Finding, Findings, quote, shortened},
};

/// The most characters of a part's name in a message.
const PART_CHARS: usize = 200;

/// The value before and afterwards.
pub(super) type Values<'a> = (Option<&'a Json>, Option<&'a Json>);

/// A finding, with borrowed values.
pub(super) struct Found<'a> {
    effect: Effect,
    path: Vec<String>,
    before: Option<&'a Json>,
    after: Option<&'a Json>,
    message: String,
}

impl<'a> Comparer<'a> {
    /// Adds a finding at the current path. Omits its values if the findings are too large with them, and the finding if
    /// they are too many.
    pub(super) fn push(&mut self, effect: Effect, values: Values<'a>, message: impl FnOnce(&str) -> String) {
        self.effects.insert(effect);
        if self.found.len() >= FINDINGS_MAX {
            return self.omit(effect);
        }
        // A definition that is used in several places, as an object that lists its members and as one that may not,
        // has its findings once.
        let addresses = (values.0.map(address), values.1.map(address));
        let mut is_known = || !self.listed.insert((effect, addresses.0, addresses.1));
        if !self.is_opaque && addresses != (None, None) && is_known() {
            return;
        }
        let path = self.path.iter().map(String::len).sum::<usize>() + self.tool.len();
        let whole = path + [values.0, values.1].into_iter().flatten().map(canonical::size).sum::<usize>();
        if path > self.bytes_left {
            return self.omit(effect);
        }
        let (size, (before, after)) =
            if whole > self.bytes_left { (path, (None, None)) } else { (whole, values) };
        self.bytes_left -= size;
        let message = message(&self.place());
        self.found.push(Found { effect, path: self.path.clone(), before, after, message });
        self.spend(whole + WORK_PER_STEP);
    }

    fn omit(&mut self, effect: Effect) {
        self.omitted.0 += 1;
        self.omitted.1.insert(effect);
        self.spend(WORK_PER_STEP);
    }

    /// The tool's input or result, for messages.
    pub(super) fn whole(&self) -> String {
        match self.direction {
            Direction::Input => quote(self.tool),
            Direction::Output => format!("the result of {}", quote(self.tool)),
        }
    }

    /// The tool, and the part of its input or result, for messages.
    pub(super) fn place(&self) -> String {
        match self.place.is_empty() {
            true => self.whole(),
            false => format!("{}: `{}`", self.whole(), self.part(None)),
        }
    }

    /// The part of the value, such as `addresses[].city`, with a member more.
    pub(super) fn part(&self, member: Option<&str>) -> String {
        let mut text = String::new();
        for step in self.place.iter().copied().chain(member.map(Step::Member)) {
            let dot = if text.is_empty() { "" } else { "." };
            text += &match step {
                Step::Member(name) => format!("{dot}{}", shortened(name, PART_CHARS)),
                Step::AnyMember => format!("{dot}*"),
                Step::MemberName => format!("{dot}(names)"),
                Step::Item(at) => format!("[{at}]"),
                Step::AnyItem => "[]".to_owned(),
            };
        }
        // The end says more than the beginning.
        match text.char_indices().nth_back(PART_CHARS) {
            Some((_, _)) => {
                let end: Vec<char> = text.chars().rev().take(PART_CHARS).collect();
                std::iter::once('…').chain(end.into_iter().rev()).collect()
            }
            None => text,
        }
    }

    /// Adds the findings to those of the contents.
    pub(super) fn finish(self, old: &'a Json, new: &'a Json, findings: &mut Findings) {
        let Self { tool, direction, mut found, omitted: (count, omitted), .. } = self;
        if found.is_empty() && count == 0 {
            let message =
                format!("{}: the {} schema differs, with the same effect", quote(tool), direction.name());
            let (before, after) = (Some(old), Some(new));
            found.push(Found { effect: Effect::Note, path: Vec::new(), before, after, message });
        }
        for Found { effect, path, before, after, message } in found {
            findings.push(Finding {
                impact: direction.impact(effect),
                path: direction.path(tool).into_iter().chain(path).collect(),
                tool_name: Some(tool.to_owned()),
                before: before.cloned(),
                after: after.cloned(),
                message,
            });
        }
        if count > 0 {
            findings.omit(count, omitted.worst(direction));
        }
    }
}
