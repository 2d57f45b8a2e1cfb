//! The keywords `enum` and `const`, which together list the accepted values.

use std::collections::BTreeMap;

use json_reader::{Json, Object};

use super::{comparer::Comparer, effect::Effect, nodes::Nodes};
use crate::{canonical, finding::show};

/// The most values that a message lists.
const SHOWN_MAX: usize = 5;

/// The accepted values by their canonical texts; `None` when any value is accepted.
type Values<'a> = Option<BTreeMap<String, &'a Json>>;

impl<'a> Comparer<'a> {
    pub(super) fn values(&mut self, nodes: Nodes<'a>) {
        let key = if nodes.have("enum") { "enum" } else { "const" };
        self.rule(nodes, &["enum", "const"], true, |comparer| {
            comparer.at_key(key, |comparer| match (values(nodes.old), values(nodes.new)) {
                (Ok(old), Ok(new)) => comparer.value_sets(&old, &new, nodes.get(key)),
                _ if nodes.differ("enum") || nodes.differ("const") => {
                    comparer.push(Effect::Unknown, nodes.get(key), |place| {
                        format!("{place}: `enum` is no array")
                    });
                }
                _ => {}
            });
        });
    }

    fn value_sets(
        &mut self,
        old: &Values<'a>,
        new: &Values<'a>,
        values: (Option<&'a Json>, Option<&'a Json>),
    ) {
        let bytes = |set: &Values<'_>| set.iter().flatten().map(|(text, _)| text.len()).sum::<usize>();
        self.spend(bytes(old) + bytes(new));
        let without =
            |set: &BTreeMap<String, &'a Json>, other: &BTreeMap<String, &'a Json>| -> Vec<&'a Json> {
                set.iter().filter(|(text, _)| !other.contains_key(*text)).map(|(_, value)| *value).collect()
            };
        match (old, new) {
            (None, None) => {}
            (None, Some(new)) => self.push(Effect::Narrower, values, |place| {
                format!("{place} must now be {}", listed(&new.values().copied().collect::<Vec<_>>()))
            }),
            (Some(_), None) => self
                .push(Effect::Wider, values, |place| format!("{place} is no longer one of a list of values")),
            (Some(old), Some(new)) => {
                let (gone, added) = (without(old, new), without(new, old));
                if !gone.is_empty() {
                    self.push(Effect::Narrower, values, |place| {
                        format!("{place} can no longer be {}", listed(&gone))
                    });
                }
                if !added.is_empty() {
                    self.push(Effect::Wider, values, |place| {
                        format!("{place} may now be {}", listed(&added))
                    });
                }
            }
        }
    }
}

/// The values that a schema accepts.
fn values(node: Option<&Object>) -> Result<Values<'_>, ()> {
    let Some(node) = node else { return Ok(None) };
    let all = match node.get("enum") {
        Some(Json::Array(items)) => Some(items.iter().map(|item| (canonical::text(item), item)).collect()),
        Some(_) => return Err(()),
        None => None,
    };
    Ok(match (all, node.get("const")) {
        (all, None) => all,
        (all, Some(value)) => {
            let text = canonical::text(value);
            let is_listed = all.is_none_or(|all: BTreeMap<_, _>| all.contains_key(&text));
            Some(is_listed.then_some((text, value)).into_iter().collect())
        }
    })
}

fn listed(values: &[&Json]) -> String {
    let shown: Vec<String> = values.iter().take(SHOWN_MAX).map(|value| show(value)).collect();
    let more = match values.len().saturating_sub(SHOWN_MAX) {
        0 => String::new(),
        more => format!(" or {more} others"),
    };
    match shown.is_empty() {
        true => "any value".to_owned(),
        false => shown.join(" or ") + &more,
    }
}
