//! Compares two schemas, keyword by keyword.

use std::collections::BTreeSet;

use json_reader::{Json, Object};

use super::{
    comparer::{Comparer, WORK_PER_STEP},
    context::Context,
    document::Draft,
    effect::Effect,
    nodes::{Nodes, Step},
    reading::{self, ANY, is_annotation},
    types::TypeSet,
};
use crate::{canonical, finding::quote};

impl<'a> Comparer<'a> {
    /// Compares two schemas whose references were followed.
    pub(super) fn node(&mut self, old: &'a Json, new: &'a Json, context: Context) {
        let values = (Some(old), Some(new));
        match (reading::is_none(old), reading::is_none(new)) {
            (true, true) => {}
            (true, false) => {
                self.push(Effect::Wider, values, |place| format!("{place} was refused and is accepted now"))
            }
            (false, true) => self.push(Effect::Narrower, values, |place| format!("{place} is refused now")),
            (false, false) if !is_schema(old) || !is_schema(new) => {
                if !self.is_equal(old, new) {
                    self.push(Effect::Unknown, values, |place| {
                        format!("{place}: the schema is no JSON Schema")
                    });
                }
            }
            (false, false) => {
                self.spend(WORK_PER_STEP + shallow_size(old) + shallow_size(new));
                self.keywords(Nodes { old: old.as_object(), new: new.as_object() }, (old, new), context);
            }
        }
    }

    fn keywords(&mut self, nodes: Nodes<'a>, schemas: (&'a Json, &'a Json), context: Context) {
        // What isn't evaluated depends on all keywords beside it.
        let is_rule = |key: &&&str| {
            let (old, new) = nodes.get(key);
            [old, new].into_iter().flatten().any(|schema| !reading::is_any(schema))
        };
        match ["unevaluatedProperties", "unevaluatedItems"].iter().find(is_rule) {
            Some(key) => self.opaquely(key, nodes.get(key), |comparer| {
                let outer = std::mem::replace(&mut comparer.neutral, Effect::Unknown);
                comparer.rules(nodes, schemas, context.evaluated());
                comparer.neutral = outer;
            }),
            None => self.rules(nodes, schemas, context),
        }
    }

    fn rules(&mut self, nodes: Nodes<'a>, schemas: (&'a Json, &'a Json), context: Context) {
        if !context.is_bare {
            self.annotations((schemas.0, schemas.0), (schemas.1, schemas.1));
        }
        if self.draft() == Draft::Legacy && nodes.have("$ref") {
            return self.reference(nodes, context);
        }
        if self.lone_union(nodes, schemas, context) {
            return;
        }
        self.reference(nodes, context);
        let types = self.types(nodes);
        self.values(nodes);
        self.scalars(nodes, types);
        self.arrays(nodes, types.has(TypeSet::ARRAY), context);
        self.objects(nodes, types.has(TypeSet::OBJECT), context);
        self.logic(nodes, context);
        self.others(nodes, context);
    }

    /// The draft of the newer schema. If the older one has another, there is a finding already.
    pub(super) fn draft(&self) -> Draft {
        self.new.draft
    }

    /// Compares annotations. A schema's own one counts, else that of the schema that it refers to.
    pub(super) fn annotations(&mut self, old: (&'a Json, &'a Json), new: (&'a Json, &'a Json)) {
        let schemas = [old.0, old.1, new.0, new.1].into_iter().filter_map(Json::as_object);
        let keys: BTreeSet<&str> = schemas.flat_map(Object::keys).filter(|key| is_annotation(key)).collect();
        for key in keys {
            let get = |(own, target): (&'a Json, &'a Json)| own.get(key).or_else(|| target.get(key));
            let values = (get(old), get(new));
            let is_equal = match values {
                (Some(old), Some(new)) => self.is_equal(old, new),
                (old, new) => old.is_none() && new.is_none(),
            };
            if !is_equal {
                self.at_key(key, |comparer| {
                    comparer.push(Effect::Note, values, |place| format!("{place}: {} differs", quote(key)));
                });
            }
        }
    }

    /// Compares keywords that no rule knows.
    fn others(&mut self, nodes: Nodes<'a>, context: Context) {
        for key in keys(nodes, |key| !is_annotation(key) && !self.has_rule(key)) {
            match key {
                // Definitions count where they are used, and `check_drafts` has compared the document's draft and id.
                "$defs" | "definitions" => {}
                "$schema" | "$id" => self.rule(nodes, &[key], false, |_| {}),
                "unevaluatedProperties" | "unevaluatedItems" => {
                    let (old, new) = nodes.get(key);
                    self.at_part(&[key], Step::AnyMember, |comparer| {
                        comparer.compare(
                            old.unwrap_or(&ANY),
                            new.unwrap_or(&ANY),
                            context.part().evaluated(),
                        );
                    });
                }
                // Its target depends on schemas around it.
                "$dynamicRef" | "$recursiveRef" => self.unknown(key, nodes),
                _ if self.differ(nodes, key) => self.unknown(key, nodes),
                _ => self.references_in(key, nodes, context),
            }
        }
    }

    /// Compares the definitions that an unknown keyword, which is the same in both schemas, refers to.
    fn references_in(&mut self, key: &str, nodes: Nodes<'a>, context: Context) {
        let (Some(old), Some(new)) = nodes.get(key) else { return };
        if !self.old.has_references {
            return;
        }
        let mut references = Vec::new();
        collect_references(old, &mut references);
        self.spend(canonical::size(old));
        self.opaquely(key, (Some(old), Some(new)), |comparer| {
            for reference in references {
                match (comparer.old.resolve(reference), comparer.new.resolve(reference)) {
                    (Some(old), Some(new)) => comparer.referenced(old, new, context.part().evaluated()),
                    _ if reference.starts_with('#') => {
                        comparer.push(Effect::Unknown, (None, None), |_| String::new())
                    }
                    _ => {}
                }
            }
        });
    }

    fn unknown(&mut self, key: &str, nodes: Nodes<'a>) {
        self.at_key(key, |comparer| {
            comparer.push(Effect::Unknown, nodes.get(key), |place| {
                format!("{place}: {} differs; its effect can't be determined", quote(key))
            });
        });
    }

    /// Whether one of the rules compares this keyword, in this draft.
    fn has_rule(&self, key: &str) -> bool {
        let draft = self.draft();
        match key {
            "type" | "enum" | "const" | "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                true
            }
            "multipleOf" | "minLength" | "maxLength" | "pattern" | "format" => true,
            "contentEncoding" | "contentMediaType" => true,
            "minItems" | "maxItems" | "uniqueItems" | "items" | "contains" => true,
            "properties" | "patternProperties" | "additionalProperties" | "propertyNames" => true,
            "required" | "minProperties" | "maxProperties" => true,
            "allOf" | "anyOf" | "oneOf" | "not" | "$ref" => true,
            "if" | "then" | "else" => true,
            "contentSchema" | "dependentRequired" | "dependentSchemas" => draft != Draft::Legacy,
            "minContains" | "maxContains" => draft != Draft::Legacy,
            "prefixItems" => draft == Draft::Current,
            "additionalItems" => draft != Draft::Current,
            "dependencies" => draft == Draft::Legacy,
            _ => false,
        }
    }
}

/// The keys of both schemas that satisfy a condition, in alphabetical order.
fn keys<'a>(nodes: Nodes<'a>, is_wanted: impl Fn(&str) -> bool) -> BTreeSet<&'a str> {
    let objects = nodes.old.into_iter().chain(nodes.new);
    objects.flat_map(Object::keys).filter(|key| is_wanted(key)).collect()
}

/// The size of a schema without the schemas in it, in bytes, roughly.
fn shallow_size(schema: &Json) -> usize {
    let leaf = |json: &Json| match json {
        Json::String(text) => text.len(),
        Json::Number(number) => number.as_str().len(),
        _ => 1,
    };
    let member = |(key, value): (&str, &Json)| {
        key.len()
            + match value {
                Json::Array(items) => items.iter().map(leaf).sum(),
                Json::Object(object) => object.len(),
                other => leaf(other),
            }
    };
    1 + schema.as_object().into_iter().flatten().map(member).sum::<usize>()
}

/// Collects the references in a value.
fn collect_references<'a>(json: &'a Json, found: &mut Vec<&'a str>) {
    match json {
        Json::Object(object) => {
            for (key, value) in object {
                match value {
                    Json::String(reference) if key == "$ref" => found.push(reference),
                    other => collect_references(other, found),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        _ => {}
    }
}

/// Whether a value may be a schema.
fn is_schema(json: &Json) -> bool {
    matches!(json, Json::Object(_) | Json::Bool(_))
}

/// The keys of two schemas' objects below a keyword, with both values; `None` when the keyword isn't an object.
pub(super) fn members<'a>(nodes: Nodes<'a>, key: &str) -> Option<Vec<canonical::Keyed<'a>>> {
    let (old, new) = nodes.get(key);
    let is_object = |json: Option<&Json>| json.is_none_or(|json| json.as_object().is_some());
    (is_object(old) && is_object(new)).then(|| canonical::keyed(old, new))
}
