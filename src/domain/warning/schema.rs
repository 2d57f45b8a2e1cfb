//! Warnings about the schema of a tool.

use std::{cell::OnceCell, collections::HashSet};

use json_reader::Json;

use super::{WARNINGS_MAX, Warning, WarningRule, redacted};

/// The longest pattern that is checked, in bytes.
const PATTERN_BYTES: usize = 1000;
/// The most groups of a pattern that is checked. The parser recurses into groups.
const PATTERN_GROUPS: usize = 100;
/// The most characters of a text that a message quotes.
const QUOTED_CHARS: usize = 100;

/// Walks through the subschemas of a schema. Recursion is as deep as the content may be nested.
pub(super) struct SchemaWalk<'a> {
    root: &'a Json,
    /// The names in the schema, once a reference needs them.
    names: OnceCell<SchemaNames>,
    place: String,
    found: &'a mut Vec<Warning>,
    path: Vec<String>,
    /// The bytes of patterns that may still be checked.
    pattern_bytes: &'a mut usize,
}

/// The names that references may mean.
#[derive(Default)]
struct SchemaNames {
    anchors: HashSet<String>,
    /// Whether a part of the schema has a name of its own.
    has_id: bool,
}

impl SchemaNames {
    fn collect(&mut self, json: &Json) {
        match json {
            Json::Object(object) => {
                let text = |key: &str| object.get(key).and_then(Json::as_str);
                // Before the draft of 2019, an anchor was an `$id` of a fragment.
                let id = text("$id").and_then(|id| id.strip_prefix('#'));
                let anchors = [text("$anchor"), text("$dynamicAnchor"), id];
                self.anchors.extend(anchors.into_iter().flatten().map(str::to_owned));
                self.has_id |= object.contains_key("$id");
                object.values().for_each(|value| self.collect(value));
            }
            Json::Array(items) => items.iter().for_each(|item| self.collect(item)),
            _ => {}
        }
    }
}

/// Keywords with a subschema.
const SCHEMA: &[&str] = &[
    "additionalItems",
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords with a list of subschemas.
const LIST: &[&str] = &["allOf", "anyOf", "items", "oneOf", "prefixItems"];
/// Keywords with an object of subschemas.
const MAP: &[&str] =
    &["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];

impl<'a> SchemaWalk<'a> {
    /// A walk of the schema at this path. `place` names it in messages.
    pub(super) fn new(
        root: &'a Json,
        place: String,
        path: Vec<String>,
        found: &'a mut Vec<Warning>,
        pattern_bytes: &'a mut usize,
    ) -> Self {
        Self { root, names: OnceCell::new(), place, found, path, pattern_bytes }
    }

    fn warn(&mut self, rule: WarningRule, message: String) {
        self.found.push(Warning { rule, path: self.path.clone(), line: None, message });
    }

    /// Finds the warnings of the whole schema.
    pub(super) fn of_root(mut self) {
        if self.root.get("type").and_then(Json::as_str) != Some("object") {
            let message = format!(
                "the schema of {} must have `\"type\": \"object\"` at its root: the APIs of models take no other arguments",
                self.place
            );
            self.warn(WarningRule::SchemaRoot, message);
        }
        self.of_schema(self.root);
    }

    fn of_schema(&mut self, schema: &Json) {
        let Some(object) = schema.as_object() else { return };
        for (key, value) in object {
            // Further warnings would be left out.
            if self.found.len() >= WARNINGS_MAX {
                return;
            }
            self.path.push(key.to_owned());
            self.of_keyword(key, value);
            self.path.pop();
        }
    }

    fn of_keyword(&mut self, key: &str, value: &Json) {
        match (key, value) {
            ("$ref", Json::String(to)) => self.of_ref(to),
            ("pattern", Json::String(pattern)) => self.of_pattern(pattern),
            (_, Json::Object(schemas)) if MAP.contains(&key) => {
                if key == "patternProperties" {
                    schemas.keys().for_each(|pattern| self.of_pattern(pattern));
                }
                for (name, schema) in schemas {
                    self.step(name, schema);
                }
            }
            (_, Json::Array(schemas)) if LIST.contains(&key) => {
                for (nth, schema) in schemas.iter().enumerate() {
                    self.step(&nth.to_string(), schema);
                }
            }
            (_, Json::Object(_)) if SCHEMA.contains(&key) => self.of_schema(value),
            _ => {}
        }
    }

    fn step(&mut self, name: &str, schema: &Json) {
        self.path.push(name.to_owned());
        self.of_schema(schema);
        self.path.pop();
    }

    fn of_ref(&mut self, to: &str) {
        let place = &self.place;
        match to.strip_prefix('#') {
            None if self.names().has_id => {}
            None => {
                let to = shortened(to);
                let message =
                    format!("`$ref` {to:?} in {place} leads out of the schema, and nothing fetches it");
                self.warn(WarningRule::RemoteRef, message);
            }
            Some(fragment) if self.leads_somewhere(fragment) => {}
            Some(_) => {
                let to = shortened(to);
                let message = format!("`$ref` {to:?} in {place} leads nowhere within the schema");
                self.warn(WarningRule::DanglingRef, message);
            }
        }
    }

    /// Checks the syntax alone: no pattern runs. Very long and deeply nested ones, and those beyond the limit of a
    /// content, aren't checked.
    fn of_pattern(&mut self, pattern: &str) {
        let is_plain = pattern.len() <= PATTERN_BYTES
            && pattern.bytes().filter(|byte| *byte == b'(').count() <= PATTERN_GROUPS;
        let Some(left) = self.pattern_bytes.checked_sub(pattern.len()).filter(|_| is_plain) else { return };
        *self.pattern_bytes = left;
        let flags = regress::Flags { unicode: true, no_opt: true, ..regress::Flags::default() };
        if regress::Regex::with_flags(pattern, flags).is_err() {
            let pattern = shortened(pattern);
            let message = format!("{pattern:?} in {} is no regular expression (ECMA-262)", self.place);
            self.warn(WarningRule::Pattern, message);
        }
    }

    fn names(&self) -> &SchemaNames {
        self.names.get_or_init(|| {
            let mut names = SchemaNames::default();
            names.collect(self.root);
            names
        })
    }

    /// Whether a fragment without its `#` leads to a value: the root, a JSON pointer (RFC 6901), or an anchor.
    fn leads_somewhere(&self, fragment: &str) -> bool {
        let fragment = percent_decoded(fragment);
        if fragment.is_empty() {
            return true;
        }
        let Some(pointer) = fragment.strip_prefix('/') else {
            return self.names().anchors.contains(&fragment);
        };
        let mut at = self.root;
        for step in pointer.split('/') {
            let step = step.replace("~1", "/").replace("~0", "~");
            let next = match at {
                Json::Object(object) => object.get(&step),
                Json::Array(items) => step.parse::<usize>().ok().and_then(|nth| items.get(nth)),
                _ => None,
            };
            let Some(next) = next else { return false };
            at = next;
        }
        true
    }
}

/// The beginning of a text, for a message, without the secrets in it.
fn shortened(text: &str) -> String {
    let text = redacted(text);
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into_owned(),
    }
}

/// Decodes `%xx`. A text that isn't UTF-8 afterwards stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = (*first == b'%').then(|| behind.get(..2)).flatten();
        let byte = hex.and_then(|hex| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
