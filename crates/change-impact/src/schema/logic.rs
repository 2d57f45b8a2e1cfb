//! Keywords that combine schemas, and references beside other keywords.

use json_reader::Json;

use super::{
    comparer::Comparer,
    context::Context,
    effect::Effect,
    nodes::Nodes,
    reading::{self, ANY},
    types::TypeSet,
};

impl<'a> Comparer<'a> {
    pub(super) fn logic(&mut self, nodes: Nodes<'a>, context: Context) {
        self.rule(nodes, &["allOf"], true, |comparer| comparer.all_of(nodes, context));
        self.rule(nodes, &["anyOf"], true, |comparer| comparer.any_of(nodes, context));
        self.rule(nodes, &["oneOf"], true, |comparer| comparer.one_of(nodes, context));
        self.rule(nodes, &["not"], true, |comparer| {
            let values = nodes.get("not");
            comparer.opaquely("not", values, |comparer| {
                comparer.at_key("not", |comparer| match values {
                    (Some(old), Some(new)) => comparer.compare(old, new, context.beside().opaque()),
                    values => comparer.push(Effect::Unknown, values, |_| String::new()),
                })
            });
        });
        self.rule(nodes, &["if", "then", "else"], true, |comparer| comparer.conditional(nodes, context));
    }

    /// Each schema of `allOf` is a rule.
    fn all_of(&mut self, nodes: Nodes<'a>, context: Context) {
        let Some((old, new)) = lists(nodes, "allOf") else { return self.not_understood(nodes, &["allOf"]) };
        for pair in self.paired(old, new) {
            match pair {
                (Some((_, old)), Some((at, new))) => self.at_entry("allOf", at, |comparer| {
                    comparer.compare(old, new, context.beside());
                }),
                (None, Some((at, new))) => self.entry("allOf", at, Effect::Narrower, (None, Some(new))),
                (Some((at, old)), None) => self.entry("allOf", at, Effect::Wider, (Some(old), None)),
                (None, None) => {}
            }
        }
    }

    fn any_of(&mut self, nodes: Nodes<'a>, context: Context) {
        match nodes.get("anyOf") {
            (None, Some(_)) => self.changed(nodes, "anyOf", Effect::Narrower),
            (Some(_), None) => self.changed(nodes, "anyOf", Effect::Wider),
            _ => match lists(nodes, "anyOf") {
                Some((old, new)) => self.union(old, new, context.beside()),
                None => self.not_understood(nodes, &["anyOf"]),
            },
        }
    }

    /// Compares schemas of which at least one only consists of `anyOf`; the other one is the same as an `anyOf` of
    /// itself. Returns whether that is the case.
    pub(super) fn lone_union(
        &mut self,
        nodes: Nodes<'a>,
        (old, new): (&'a Json, &'a Json),
        context: Context,
    ) -> bool {
        let alternatives = |schema: &'a Json| -> Option<&'a [Json]> {
            reading::has_only(schema, "anyOf").then(|| schema.get("anyOf")?.as_array()).flatten()
        };
        let (old, new, is_bare) = match (alternatives(old), alternatives(new)) {
            (Some(old), Some(new)) => (old, new, false),
            (Some(old), None) if !has_union(new) => (old, std::slice::from_ref(new), true),
            (None, Some(new)) if !has_union(old) => (std::slice::from_ref(old), new, true),
            _ => return false,
        };
        let context = Context { is_bare, ..context };
        self.rule(nodes, &["anyOf"], true, |comparer| comparer.union(old, new, context));
        true
    }

    /// Each schema of `anyOf` accepts values. A value that one accepts isn't refused because of another.
    fn union(&mut self, old: &'a [Json], new: &'a [Json], context: Context) {
        let is_object = |schema: &Json| {
            TypeSet::read(schema.get("type")).is_none_or(|types| types.has(TypeSet::OBJECT))
                && !reading::is_none(schema)
        };
        let objects = old.iter().filter(|schema| is_object(schema)).count();
        let context = Context { is_alone: context.is_alone && objects <= 1, ..context };
        for pair in self.paired(old, new) {
            match pair {
                (Some((_, old)), Some((at, new))) => {
                    self.at_entry("anyOf", at, |comparer| comparer.compare(old, new, context));
                }
                (None, Some((at, new))) => self.entry("anyOf", at, Effect::Wider, (None, Some(new))),
                (Some((at, old)), None) => self.entry("anyOf", at, Effect::Narrower, (Some(old), None)),
                (None, None) => {}
            }
        }
    }

    /// Exactly one schema accepts the value, so a schema that accepts more may make the whole accept less.
    fn one_of(&mut self, nodes: Nodes<'a>, context: Context) {
        let values = nodes.get("oneOf");
        self.opaquely("oneOf", values, |comparer| {
            let unknown = |comparer: &mut Self| comparer.push(Effect::Unknown, values, |_| String::new());
            let (Some(_), Some(_), Some((old, new))) = (values.0, values.1, lists(nodes, "oneOf")) else {
                if comparer.differ(nodes, "oneOf") {
                    unknown(comparer);
                }
                return;
            };
            for pair in comparer.paired(old, new) {
                match pair {
                    (Some((_, old)), Some((at, new))) => comparer.at_entry("oneOf", at, |comparer| {
                        comparer.compare(old, new, context.beside().opaque());
                    }),
                    _ => unknown(comparer),
                }
            }
        });
    }

    fn conditional(&mut self, nodes: Nodes<'a>, context: Context) {
        let has_effect = |node: Option<&json_reader::Object>| {
            node.is_some_and(|node| {
                node.contains_key("if") && (node.contains_key("then") || node.contains_key("else"))
            })
        };
        if !has_effect(nodes.old) && !has_effect(nodes.new) {
            return;
        }
        self.opaquely("if", nodes.get("if"), |comparer| {
            if has_effect(nodes.old) != has_effect(nodes.new) {
                return comparer.push(Effect::Unknown, nodes.get("if"), |_| String::new());
            }
            for key in ["if", "then", "else"] {
                let (old, new) = nodes.get(key);
                comparer.at_key(key, |comparer| {
                    comparer.compare(old.unwrap_or(&ANY), new.unwrap_or(&ANY), context.beside().opaque());
                });
            }
        });
    }

    /// Compares references that couldn't be followed, or that are beside other keywords.
    pub(super) fn reference(&mut self, nodes: Nodes<'a>, context: Context) {
        self.rule(nodes, &["$ref"], true, |comparer| {
            let values = nodes.get("$ref");
            let text = |json: Option<&'a Json>| json.and_then(Json::as_str);
            let (old, new) = (text(values.0), text(values.1));
            let targets = (
                old.and_then(|reference| comparer.old.resolve(reference)),
                new.and_then(|reference| comparer.new.resolve(reference)),
            );
            let is_elsewhere = |reference: &str| !reference.starts_with('#');
            match targets {
                (Some(before), Some(after)) => {
                    comparer.at_key("$ref", |comparer| comparer.referenced(before, after, context.beside()));
                }
                // Both refer to the same schema elsewhere.
                _ if old == new
                    && old.is_some_and(is_elsewhere)
                    && !(comparer.old.is_compound || comparer.new.is_compound) => {}
                _ => comparer.changed(nodes, "$ref", Effect::Unknown),
            }
        });
    }

    fn at_entry(&mut self, key: &str, at: usize, compare: impl FnOnce(&mut Self)) {
        self.at_key(key, |comparer| comparer.at_key(&at.to_string(), compare));
    }

    /// A schema that only one of the lists has.
    fn entry(&mut self, key: &str, at: usize, effect: Effect, values: (Option<&'a Json>, Option<&'a Json>)) {
        let is_new = values.1.is_some();
        self.at_entry(key, at, |comparer| {
            comparer.push(effect, values, |place| {
                let change = if is_new { "has one schema more" } else { "has one schema less" };
                format!("{place}: `{key}` {change}")
            });
        });
    }
}

fn has_union(schema: &Json) -> bool {
    schema.get("anyOf").is_some()
}

/// The lists of both schemas; empty where the keyword is left out, `None` when it isn't a list.
fn lists<'a>(nodes: Nodes<'a>, key: &str) -> Option<(&'a [Json], &'a [Json])> {
    let list = |json: Option<&'a Json>| json.map_or(Some(&[][..]), Json::as_array);
    let (old, new) = nodes.get(key);
    Some((list(old)?, list(new)?))
}
