//! How rules are compared: what was found, where, and how much work it was.

use json_reader::Json;

use super::{
    comparer::Comparer,
    effect::{Effect, Effects},
    nodes::{Nodes, Step},
    report::Values,
};
use crate::{canonical, finding::quote};

impl<'a> Comparer<'a> {
    /// Runs `compare`, and returns the effects that it found.
    pub(super) fn scoped(&mut self, compare: impl FnOnce(&mut Self)) -> Effects {
        let outer = std::mem::take(&mut self.effects);
        compare(self);
        let inner = self.effects;
        self.effects.extend(outer);
        inner
    }

    /// Runs `compare`, and replaces findings that are more than notes by one of unknown effect, at the key.
    pub(super) fn opaquely(&mut self, key: &str, values: Values<'a>, compare: impl FnOnce(&mut Self)) {
        let (mark, omitted, outer) = (self.found.len(), self.omitted, self.effects);
        let is_within = std::mem::replace(&mut self.is_opaque, true);
        let effects = self.scoped(compare);
        self.is_opaque = is_within;
        if effects.is_semantic() {
            self.found.truncate(mark);
            (self.omitted, self.effects) = (omitted, outer);
            self.at_key(key, |comparer| {
                comparer.push(Effect::Unknown, values, |place| {
                    format!("{place}: {} differs; its effect can't be determined", quote(key))
                })
            });
        }
    }

    /// Compares the values of keywords that form one rule. Notes a difference without effect.
    pub(super) fn rule(
        &mut self,
        nodes: Nodes<'a>,
        keys: &[&str],
        is_relevant: bool,
        compare: impl FnOnce(&mut Self),
    ) {
        if !keys.iter().any(|key| nodes.have(key)) {
            return;
        }
        if is_relevant && !self.scoped(compare).is_empty() {
            return;
        }
        for key in keys {
            if self.differ(nodes, key) {
                self.note(key, nodes);
            }
        }
    }

    /// Adds a finding for a difference without effect on the accepted values.
    pub(super) fn note(&mut self, key: &str, nodes: Nodes<'a>) {
        self.at_key(key, |comparer| {
            comparer
                .push(comparer.neutral, nodes.get(key), |place| format!("{place}: {} differs", quote(key)));
        });
    }

    /// Runs `compare` with a step more in the path.
    pub(super) fn at_key(&mut self, key: &str, compare: impl FnOnce(&mut Self)) {
        self.path.push(key.to_owned());
        compare(self);
        self.path.pop();
    }

    /// Runs `compare` with steps more in the path, for a part of the value.
    pub(super) fn at_part(&mut self, keys: &[&str], step: Step<'a>, compare: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.extend(keys.iter().map(|key| (*key).to_owned()));
        self.place.push(step);
        compare(self);
        self.place.pop();
        self.path.truncate(length);
    }

    /// Whether two values are equal. The work counts.
    pub(super) fn is_equal(&mut self, old: &Json, new: &Json) -> bool {
        let mut cost = 0;
        let is_equal = canonical::equal_at_cost(old, new, &mut cost);
        self.spend(cost);
        is_equal
    }

    /// Whether the values of a keyword differ. The work counts.
    pub(super) fn differ(&mut self, nodes: Nodes<'a>, key: &str) -> bool {
        match nodes.get(key) {
            (Some(old), Some(new)) => !self.is_equal(old, new),
            (old, new) => old.is_some() || new.is_some(),
        }
    }

    /// Counts work, and stops the comparison if it is too much: schemas whose references make many pairs.
    pub(super) fn spend(&mut self, work: usize) {
        self.work_left = self.work_left.saturating_sub(work);
        if self.work_left == 0 && !self.is_stopped {
            self.is_stopped = true;
            self.push(Effect::Unknown, (None, None), |place| {
                format!("{place}: the references of the schema make it too large to compare")
            });
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped
    }
}
