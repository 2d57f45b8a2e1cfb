//! Keywords for arrays.

use std::cmp::Ordering;

use json_reader::{Json, Object};

use super::{
    comparer::Comparer,
    context::Context,
    document::Draft,
    effect::Effect,
    nodes::{Nodes, Step},
    reading::ANY,
    scalar::Side,
};
use crate::decimal::Decimal;

/// The schemas of an array's items: those of its first items, and that of the others.
struct Layout<'a> {
    first: &'a [Json],
    first_key: &'static str,
    rest: &'a Json,
    rest_key: &'static str,
}

impl<'a> Comparer<'a> {
    pub(super) fn arrays(&mut self, nodes: Nodes<'a>, is_relevant: bool, context: Context) {
        let keys: &[&str] = match self.draft() {
            Draft::Current => &["prefixItems", "items"],
            _ => &["items", "additionalItems"],
        };
        self.rule(nodes, keys, is_relevant, |comparer| comparer.items(nodes, keys, context));
        self.count(nodes, "minItems", Side::Lower, is_relevant);
        self.count(nodes, "maxItems", Side::Upper, is_relevant);
        self.rule(nodes, &["uniqueItems"], is_relevant, |comparer| {
            let is_on = |json: Option<&Json>| json.is_some_and(|json| json.as_bool() != Some(false));
            let (old, new) = nodes.get("uniqueItems");
            match (is_on(old), is_on(new)) {
                (false, true) => comparer.changed(nodes, "uniqueItems", Effect::Narrower),
                (true, false) => comparer.changed(nodes, "uniqueItems", Effect::Wider),
                _ => {}
            }
        });
        let keys: &[&str] = match self.draft() {
            Draft::Legacy => &["contains"],
            _ => &["contains", "minContains", "maxContains"],
        };
        self.rule(nodes, keys, is_relevant, |comparer| comparer.contains(nodes, keys, context));
    }

    fn items(&mut self, nodes: Nodes<'a>, keys: &[&str], context: Context) {
        let (Some(old), Some(new)) = (self.layout(nodes.old), self.layout(nodes.new)) else {
            return self.not_understood(nodes, keys);
        };
        for at in 0..old.first.len().max(new.first.len()) {
            if self.is_stopped() {
                return;
            }
            let (before, after) =
                (old.first.get(at).unwrap_or(old.rest), new.first.get(at).unwrap_or(new.rest));
            self.at_part(&[new.first_key, &at.to_string()], Step::Item(at), |comparer| {
                comparer.compare(before, after, context.part());
            });
        }
        self.at_part(&[new.rest_key], Step::AnyItem, |comparer| {
            comparer.compare(old.rest, new.rest, context.part());
        });
    }

    /// The layout of a schema's items; `None` when a keyword has a form that the draft doesn't know.
    fn layout(&self, node: Option<&'a Object>) -> Option<Layout<'a>> {
        let get = |key: &str| node.and_then(|node| node.get(key));
        let items = get("items");
        if self.draft() == Draft::Current {
            let first = get("prefixItems").map_or(Some(&[][..]), Json::as_array)?;
            let rest = items.unwrap_or(&ANY);
            let is_schema = rest.as_array().is_none();
            return is_schema.then_some(Layout { first, first_key: "prefixItems", rest, rest_key: "items" });
        }
        Some(match items.and_then(Json::as_array) {
            Some(first) => {
                let rest = get("additionalItems").unwrap_or(&ANY);
                Layout { first, first_key: "items", rest, rest_key: "additionalItems" }
            }
            None => Layout { first: &[], first_key: "items", rest: items.unwrap_or(&ANY), rest_key: "items" },
        })
    }

    /// At least `minContains` (1) and at most `maxContains` items are like `contains`. More items are like a wider
    /// schema, so the lower bound follows the schema, and the upper bound goes against it.
    fn contains(&mut self, nodes: Nodes<'a>, keys: &[&str], context: Context) {
        let (old, new) = nodes.get("contains");
        let is_counted = keys.iter().skip(1).any(|key| nodes.have(key));
        match (old, new) {
            (None, None) => {}
            (Some(old), Some(new)) if !is_counted => self.at_part(&["contains"], Step::AnyItem, |comparer| {
                comparer.compare(old, new, context.part());
            }),
            (Some(before), Some(after)) => {
                self.opaquely("contains", (old, new), |comparer| {
                    comparer.at_part(&["contains"], Step::AnyItem, |comparer| {
                        comparer.compare(before, after, context.part().opaque());
                    });
                });
                self.min_contains(nodes);
                self.count(nodes, "maxContains", Side::Upper, true);
            }
            _ if is_counted => self.changed(nodes, "contains", Effect::Unknown),
            (None, Some(_)) => self.changed(nodes, "contains", Effect::Narrower),
            (Some(_), None) => self.changed(nodes, "contains", Effect::Wider),
        }
    }

    /// The default is 1.
    fn min_contains(&mut self, nodes: Nodes<'a>) {
        let read = |json: Option<&Json>| match json {
            None => Some(Decimal::of(&1.into())),
            Some(json) => json.as_number().map(Decimal::of),
        };
        let (old, new) = nodes.get("minContains");
        let effect = match (read(old), read(new)) {
            (Some(old), Some(new)) => match old.cmp(&new) {
                Ordering::Less => Effect::Narrower,
                Ordering::Greater => Effect::Wider,
                Ordering::Equal => return,
            },
            _ => Effect::Unknown,
        };
        self.changed(nodes, "minContains", effect);
    }
}
