//! Keywords for objects.

use std::collections::BTreeMap;

use json_reader::Json;

use super::{
    comparer::Comparer,
    context::Context,
    document::Draft,
    effect::{Direction, Effect},
    node::members,
    nodes::{Nodes, Step},
    reading::{self, ANY, is_any, is_none},
    scalar::Side,
};
use crate::finding::quote;

impl<'a> Comparer<'a> {
    pub(super) fn objects(&mut self, nodes: Nodes<'a>, is_relevant: bool, context: Context) {
        let keys = ["properties", "patternProperties", "additionalProperties"];
        self.rule(nodes, &keys, is_relevant, |comparer| comparer.properties(nodes, context));
        self.rule(nodes, &["required"], is_relevant, |comparer| comparer.required(nodes));
        self.rule(nodes, &["propertyNames"], is_relevant, |comparer| {
            let (old, new) = nodes.get("propertyNames");
            let (old, new) = (old.unwrap_or(&ANY), new.unwrap_or(&ANY));
            comparer.at_part(&["propertyNames"], Step::MemberName, |comparer| {
                comparer.compare(old, new, context.part());
            });
        });
        self.count(nodes, "minProperties", Side::Lower, is_relevant);
        self.count(nodes, "maxProperties", Side::Upper, is_relevant);
        let keys: &[&str] = match self.draft() {
            Draft::Legacy => &["dependencies"],
            _ => &["dependentRequired", "dependentSchemas"],
        };
        for key in keys {
            self.rule(nodes, &[key], is_relevant, |comparer| comparer.dependencies(nodes, key, context));
        }
    }

    /// Compares the rules of members together: what one keyword doesn't name, another one is for.
    fn properties(&mut self, nodes: Nodes<'a>, context: Context) {
        let (Some(properties), Some(patterns)) =
            (members(nodes, "properties"), members(nodes, "patternProperties"))
        else {
            return self.not_understood(nodes, &["properties", "patternProperties"]);
        };
        for (name, old, new) in properties {
            if self.is_stopped() {
                return;
            }
            match (old, new) {
                (Some(old), Some(new)) => {
                    self.at_part(&["properties", name], Step::Member(name), |comparer| {
                        comparer.compare(old, new, context.part());
                    });
                }
                (Some(old), None) => self.property_gone(nodes, name, old, context),
                (None, Some(new)) => self.property_added(nodes, name, new, context),
                (None, None) => {}
            }
        }
        for (pattern, old, new) in patterns {
            self.at_part(&["patternProperties", pattern], Step::AnyMember, |comparer| match (old, new) {
                (Some(old), Some(new)) => comparer.compare(old, new, context.part()),
                values => comparer.push(Effect::Unknown, values, |place| {
                    let change = if values.1.is_some() { "is new" } else { "is gone" };
                    format!("{place}: the pattern {} {change}", quote(pattern))
                }),
            });
        }
        self.additional(nodes, context);
    }

    fn additional(&mut self, nodes: Nodes<'a>, context: Context) {
        let values = nodes.get("additionalProperties");
        let (old, new) = (values.0.unwrap_or(&ANY), values.1.unwrap_or(&ANY));
        match (is_none(old), is_none(new)) {
            (true, true) => {}
            (false, true) => self.at_key("additionalProperties", |comparer| {
                comparer.push(Effect::Narrower, values, |place| {
                    format!("{place} now refuses members that it doesn't list")
                });
            }),
            (true, false) => self.at_key("additionalProperties", |comparer| {
                comparer.push(Effect::Wider, values, |place| {
                    format!("{place} now accepts members that it doesn't list")
                });
            }),
            (false, false) => self.at_part(&["additionalProperties"], Step::AnyMember, |comparer| {
                comparer.compare(old, new, context.part());
            }),
        }
    }

    /// A member that only the old schema names. The new schema's rule for other members is for it.
    fn property_gone(&mut self, nodes: Nodes<'a>, name: &'a str, old: &'a Json, context: Context) {
        let others = nodes.get("additionalProperties").1.unwrap_or(&ANY);
        let has_patterns = nodes.get("patternProperties").1.is_some();
        let member = self.part(Some(name));
        let (effect, change) = match () {
            () if is_any(others) && is_any(old) => (self.neutral, "is no longer listed, and still accepted"),
            () if is_any(others) => (Effect::Wider, "is no longer listed, and accepted with any value"),
            () if has_patterns => (Effect::Unknown, "is no longer listed, and a pattern may match it"),
            () if is_none(others) && is_none(old) => (self.neutral, "is no longer listed, and still refused"),
            () if is_none(others) => (Effect::Narrower, "is gone, and refused now"),
            () => {
                return self.at_part(&["properties", name], Step::Member(name), |comparer| {
                    comparer.compare(old, others, context.part());
                });
            }
        };
        self.at_property(name, effect, (Some(old), None), |whole| format!("{whole}: `{member}` {change}"));
    }

    /// A member that only the new schema names. The old schema's rule for other members was for it.
    fn property_added(&mut self, nodes: Nodes<'a>, name: &'a str, new: &'a Json, context: Context) {
        let others = nodes.get("additionalProperties").0.unwrap_or(&ANY);
        let has_patterns = nodes.get("patternProperties").0.is_some();
        let (values, member) = ((None, Some(new)), self.part(Some(name)));
        // A model sends the parameters that it is offered, though the old schema may have accepted them too.
        let is_offered = self.direction == Direction::Input && !is_none(new);
        if is_offered {
            self.at_property(name, Effect::Wider, values, |whole| format!("{whole} now has `{member}`"));
        }
        let (effect, change) = match () {
            () if is_any(others) && is_any(new) => (self.neutral, "is listed now, and was accepted before"),
            () if is_any(others) && self.was_never_sent(nodes, name, context) => {
                (self.neutral, "is listed now, and was never sent before")
            }
            () if is_any(others) => (Effect::Narrower, "was accepted with any value before"),
            () if has_patterns => (Effect::Unknown, "is listed now, and a pattern may have matched it"),
            () if is_none(others) && is_none(new) => (self.neutral, "is listed now, and still refused"),
            () if is_none(others) => (Effect::Wider, "was refused before"),
            () => {
                return self.at_part(&["properties", name], Step::Member(name), |comparer| {
                    comparer.compare(others, new, context.part());
                });
            }
        };
        let is_known = is_offered && matches!(effect, Effect::Note | Effect::Wider);
        if !is_known {
            self.at_property(name, effect, values, |whole| format!("{whole}: `{member}` {change}"));
        }
    }

    fn at_property(
        &mut self,
        name: &str,
        effect: Effect,
        values: (Option<&'a Json>, Option<&'a Json>),
        message: impl FnOnce(&str) -> String,
    ) {
        let whole = self.whole();
        self.at_key("properties", |comparer| {
            comparer.at_key(name, |comparer| comparer.push(effect, values, |_| message(&whole)));
        });
    }

    /// Whether no call has this member, though the old schema accepts it: a model sends members that its schema lists,
    /// requires, or explicitly allows. A schema without any `properties` is for objects of any shape, unless it is the tool's
    /// whole input.
    fn was_never_sent(&mut self, nodes: Nodes<'a>, name: &str, context: Context) -> bool {
        if self.direction == Direction::Output || !context.is_alone {
            return false;
        }
        let Some(old) = nodes.old else { return false };
        let lists_members = context.is_root || old.contains_key("properties");
        let mut cost = 0;
        let is_mentioned = reading::mentions(old, name, &mut cost);
        self.spend(cost);
        lists_members && !is_mentioned
    }

    fn required(&mut self, nodes: Nodes<'a>) {
        let values = nodes.get("required");
        let (Some(old), Some(new)) = (names(values.0), names(values.1)) else {
            return self.not_understood(nodes, &["required"]);
        };
        let only = |names: &BTreeMap<&'a str, &'a Json>, others: &BTreeMap<&'a str, &'a Json>| {
            let names = names.iter().filter(|(name, _)| !others.contains_key(*name));
            names.map(|(name, item)| (*name, *item)).collect::<Vec<_>>()
        };
        let (added, gone) = (only(&new, &old), only(&old, &new));
        let added = added.into_iter().map(|(name, item)| (name, (None, Some(item))));
        let gone = gone.into_iter().map(|(name, item)| (name, (Some(item), None)));
        for (name, values) in added.chain(gone) {
            let (effect, verb) = match values.0 {
                None => (Effect::Narrower, "now requires"),
                Some(_) => (Effect::Wider, "no longer requires"),
            };
            let (whole, member) = (self.whole(), self.part(Some(name)));
            self.at_key("required", |comparer| {
                comparer.at_key(name, |comparer| {
                    comparer.push(effect, values, |_| format!("{whole} {verb} `{member}`"));
                });
            });
        }
    }

    /// Adds a finding for keywords of a form that no schema has.
    pub(super) fn not_understood(&mut self, nodes: Nodes<'a>, keys: &[&str]) {
        for key in keys.iter().filter(|key| nodes.differ(key)) {
            self.changed(nodes, key, Effect::Unknown);
        }
    }
}

/// Returns the names in a list, each with its item. A list that is left out has no names. `None` if the value isn't a
/// list of strings.
pub(super) fn names(json: Option<&Json>) -> Option<BTreeMap<&str, &Json>> {
    match json {
        None => Some(BTreeMap::new()),
        Some(json) => json.as_array()?.iter().map(|item| Some((item.as_str()?, item))).collect(),
    }
}
