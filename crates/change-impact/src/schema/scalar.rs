//! Keywords for numbers and strings, and bounds of lengths.

use std::cmp::Ordering;

use json_reader::{Json, Object};

use super::{comparer::Comparer, document::Draft, effect::Effect, nodes::Nodes, types::TypeSet};
use crate::{
    decimal::Decimal,
    finding::{quote, show},
};

/// Which side of a range a bound is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Lower,
    Upper,
}

/// The bound that two keywords form together.
#[derive(Clone)]
struct Bound {
    value: Decimal,
    is_exclusive: bool,
    key: &'static str,
}

impl<'a> Comparer<'a> {
    pub(super) fn scalars(&mut self, nodes: Nodes<'a>, types: TypeSet) {
        let is_number = types.has(TypeSet::NUMBER);
        self.range(nodes, Side::Lower, ["minimum", "exclusiveMinimum"], is_number);
        self.range(nodes, Side::Upper, ["maximum", "exclusiveMaximum"], is_number);
        self.rule(nodes, &["multipleOf"], is_number, |comparer| comparer.multiples(nodes));
        let is_string = types.has(TypeSet::STRING);
        self.count(nodes, "minLength", Side::Lower, is_string);
        self.count(nodes, "maxLength", Side::Upper, is_string);
        self.rule(nodes, &["pattern"], is_string, |comparer| comparer.presence(nodes, "pattern"));
        // Validators may enforce these in draft-07. Since 2019-09 they are annotations.
        let is_enforced = self.draft() == Draft::Legacy;
        self.rule(nodes, &["format"], is_enforced, |comparer| comparer.presence(nodes, "format"));
        for key in ["contentEncoding", "contentMediaType"] {
            self.rule(nodes, &[key], is_enforced, |comparer| comparer.presence(nodes, key));
        }
        if !is_enforced {
            self.rule(nodes, &["contentSchema"], false, |_| {});
        }
    }

    /// A rule that either is there or not, and whose values can't be compared.
    pub(super) fn presence(&mut self, nodes: Nodes<'a>, key: &str) {
        let effect = match nodes.get(key) {
            (None, Some(_)) => Effect::Narrower,
            (Some(_), None) => Effect::Wider,
            _ if nodes.differ(key) => Effect::Unknown,
            _ => return,
        };
        self.changed(nodes, key, effect);
    }

    /// Adds a finding about the value of a keyword.
    pub(super) fn changed(&mut self, nodes: Nodes<'a>, key: &str, effect: Effect) {
        let (before, after) = nodes.get(key);
        self.at_key(key, |comparer| {
            comparer.push(effect, (before, after), |place| {
                let key = quote(key);
                match (before, after) {
                    (Some(before), Some(after)) => {
                        format!("{place}: {key} is {} instead of {}", show(after), show(before))
                    }
                    (None, Some(after)) => format!("{place}: {key} is now {}", show(after)),
                    (_, None) => format!("{place}: {key} is gone"),
                }
            });
        });
    }

    fn range(&mut self, nodes: Nodes<'a>, side: Side, keys: [&'static str; 2], is_relevant: bool) {
        self.rule(nodes, &keys, is_relevant, |comparer| {
            let bounds = (bound(nodes.old, side, keys), bound(nodes.new, side, keys));
            let (Ok(old), Ok(new)) = bounds else {
                // In draft-04, an exclusive bound is a boolean.
                return keys.iter().filter(|key| nodes.differ(key)).for_each(|key| {
                    comparer.changed(nodes, key, Effect::Unknown);
                });
            };
            let (key, effect) = match (&old, &new) {
                (None, None) => return,
                (None, Some(new)) => (new.key, Effect::Narrower),
                (Some(old), None) => (old.key, Effect::Wider),
                (Some(old), Some(new)) => match strictness(old, new, side) {
                    Ordering::Equal => return,
                    Ordering::Less => (new.key, Effect::Narrower),
                    Ordering::Greater => {
                        (if nodes.differ(new.key) { new.key } else { old.key }, Effect::Wider)
                    }
                },
            };
            comparer.changed(nodes, key, effect);
        });
    }

    /// Compares a bound of a length. A minimum that is left out is 0.
    pub(super) fn count(&mut self, nodes: Nodes<'a>, key: &'static str, side: Side, is_relevant: bool) {
        self.rule(nodes, &[key], is_relevant, |comparer| {
            let (old, new) = nodes.get(key);
            let effect = match (read_count(old, side), read_count(new, side)) {
                (Ok(old), Ok(new)) => match compare_counts(&old, &new, side) {
                    Ordering::Equal => return,
                    Ordering::Less => Effect::Narrower,
                    Ordering::Greater => Effect::Wider,
                },
                _ if nodes.differ(key) => Effect::Unknown,
                _ => return,
            };
            comparer.changed(nodes, key, effect);
        });
    }

    fn multiples(&mut self, nodes: Nodes<'a>) {
        let (Some(old), Some(new)) = nodes.get("multipleOf") else {
            return self.presence(nodes, "multipleOf");
        };
        let (Some(old), Some(new)) = (old.as_number(), new.as_number()) else {
            return self.presence(nodes, "multipleOf");
        };
        let (old, new) = (Decimal::of(old), Decimal::of(new));
        if old == new {
            return;
        }
        match (new.is_multiple_of(&old), old.is_multiple_of(&new)) {
            (Some(true), _) => self.changed(nodes, "multipleOf", Effect::Narrower),
            (_, Some(true)) => self.changed(nodes, "multipleOf", Effect::Wider),
            _ => self.changed(nodes, "multipleOf", Effect::Unknown),
        }
    }
}

/// The stricter one of an inclusive and an exclusive bound.
fn bound(node: Option<&Object>, side: Side, keys: [&'static str; 2]) -> Result<Option<Bound>, ()> {
    let mut strictest: Option<Bound> = None;
    for (key, is_exclusive) in keys.into_iter().zip([false, true]) {
        let Some(value) = node.and_then(|node| node.get(key)) else { continue };
        let value = Decimal::of(value.as_number().ok_or(())?);
        let bound = Bound { value, is_exclusive, key };
        let is_stricter = |other: &Bound| strictness(other, &bound, side) == Ordering::Less;
        if strictest.as_ref().is_none_or(is_stricter) {
            strictest = Some(bound);
        }
    }
    Ok(strictest)
}

/// How strict a bound is, compared with another one.
fn strictness(left: &Bound, right: &Bound, side: Side) -> Ordering {
    let by_value = match side {
        Side::Lower => left.value.cmp(&right.value),
        Side::Upper => right.value.cmp(&left.value),
    };
    by_value.then(left.is_exclusive.cmp(&right.is_exclusive))
}

/// A bound of a length; `None` when there is none.
fn read_count(json: Option<&Json>, side: Side) -> Result<Option<Decimal>, ()> {
    match (json, side) {
        (Some(json), _) => json.as_number().map(|number| Some(Decimal::of(number))).ok_or(()),
        (None, Side::Lower) => Ok(Some(Decimal::default())),
        (None, Side::Upper) => Ok(None),
    }
}

fn compare_counts(old: &Option<Decimal>, new: &Option<Decimal>, side: Side) -> Ordering {
    match (old, new, side) {
        (Some(old), Some(new), Side::Lower) => old.cmp(new),
        (Some(old), Some(new), Side::Upper) => new.cmp(old),
        (None, None, _) => Ordering::Equal,
        (None, Some(_), _) => Ordering::Less,
        (Some(_), None, _) => Ordering::Greater,
    }
}
