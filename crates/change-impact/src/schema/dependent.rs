//! Keywords for objects with a certain member.

use std::collections::BTreeMap;

use json_reader::Json;

use super::{
    comparer::Comparer, context::Context, effect::Effect, node::members, nodes::Nodes, object::names,
    reading::ANY,
};
use crate::{
    canonical::{self, Keyed},
    finding::quote,
};

impl<'a> Comparer<'a> {
    /// Compares the schemas or names that are required beside a member.
    pub(super) fn dependencies(&mut self, nodes: Nodes<'a>, key: &'static str, context: Context) {
        let Some(dependencies) = members(nodes, key) else { return self.not_understood(nodes, &[key]) };
        for (name, old, new) in dependencies {
            let is_list = |json: Option<&Json>| json.is_some_and(|json| json.as_array().is_some());
            self.at_key(key, |comparer| {
                comparer.at_key(name, |comparer| match (old, new) {
                    _ if is_list(old) || is_list(new) => comparer.dependent_names((name, old, new)),
                    (old, new) if key != "dependentRequired" => {
                        comparer.compare(old.unwrap_or(&ANY), new.unwrap_or(&ANY), context.beside());
                    }
                    (Some(old), Some(new)) if canonical::equal(old, new) => {}
                    values => comparer.push(Effect::Unknown, values, |place| {
                        format!("{place}: {} is no list", quote(name))
                    }),
                });
            });
        }
    }

    fn dependent_names(&mut self, (name, old, new): Keyed<'a>) {
        let (Some(before), Some(after)) = (names(old), names(new)) else {
            return self.push(Effect::Unknown, (old, new), |place| {
                format!("{place}: the requirements beside {} differ", quote(name))
            });
        };
        let has_all = |names: &BTreeMap<&str, &Json>, others: &BTreeMap<&str, &Json>| {
            others.keys().all(|name| names.contains_key(name))
        };
        for (is_changed, effect, change) in [
            (!has_all(&before, &after), Effect::Narrower, "requires more members beside"),
            (!has_all(&after, &before), Effect::Wider, "requires fewer members beside"),
        ] {
            if is_changed {
                self.push(effect, (old, new), |place| format!("{place} {change} {}", quote(name)));
            }
        }
    }
}
