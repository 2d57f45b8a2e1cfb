//! Warnings about contents that are accepted, but likely a mistake: what no provider of models takes.

use std::{cell::OnceCell, collections::HashSet};

use json_reader::Json;

use super::{
    Error,
    content::CheckedContent,
    version::{ToolMember, ToolView},
};

/// The longest tool name that the APIs of models take, in characters.
const TOOL_NAME_CHARS_MAX: usize = 64;
/// The most warnings of one content. Further ones are left out.
const WARNINGS_MAX: usize = 100;
/// The longest pattern that is checked, in bytes.
const PATTERN_BYTES: usize = 1000;
/// The most groups of a pattern that is checked. The parser recurses into groups.
const PATTERN_GROUPS: usize = 100;
/// The most bytes of patterns that are checked in one content.
const PATTERN_BYTES_MAX: usize = 64 * 1024;
/// The most characters of a text that a message quotes.
const QUOTED_CHARS: usize = 100;

/// A warning about a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The rule that the content breaks.
    pub rule: WarningRule,
    /// The place: steps from the content, such as `tools`, `1`, `inputSchema`.
    pub path: Vec<String>,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// What a content is checked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningRule {
    /// A tool's name has characters that the APIs of models reject.
    ToolName,
    /// The root of a tool's schema isn't the type `object`.
    SchemaRoot,
    /// A `$ref` within the schema leads nowhere.
    DanglingRef,
    /// A `$ref` leads out of the schema.
    RemoteRef,
    /// A regular expression doesn't compile.
    Pattern,
}

impl Warning {
    /// The error of a write that accepts no warnings.
    #[must_use]
    pub fn refusal(&self) -> Error {
        // Fields are named as far as a tool's member.
        let field = self.path.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(".");
        Error::invalid(field, format!("{}; warnings are refused", self.message))
    }
}

impl WarningRule {
    /// The rule's name, for clients.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ToolName => "TOOL_NAME",
            Self::SchemaRoot => "SCHEMA_ROOT",
            Self::DanglingRef => "DANGLING_REF",
            Self::RemoteRef => "REMOTE_REF",
            Self::Pattern => "PATTERN",
        }
    }
}

impl CheckedContent {
    /// The warnings about this content, in the order of its tools; at most a hundred.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut found = Vec::new();
        let mut pattern_bytes = PATTERN_BYTES_MAX;
        for (nth, tool) in self.tools.iter().enumerate() {
            warn_of_tool(nth, tool, &mut found, &mut pattern_bytes);
        }
        found.truncate(WARNINGS_MAX);
        found
    }
}

fn warn_of_tool(nth: usize, tool: ToolView<'_>, found: &mut Vec<Warning>, pattern_bytes: &mut usize) {
    let path = |field: &str| vec!["tools".to_owned(), nth.to_string(), field.to_owned()];
    let name = tool.name();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !name.chars().all(is_plain) || name.len() > TOOL_NAME_CHARS_MAX {
        let message = format!(
            "the APIs of models reject the tool name {name:?}: they take up to {TOOL_NAME_CHARS_MAX} letters, digits, `_` and `-`"
        );
        found.push(Warning { rule: WarningRule::ToolName, path: path("name"), message });
    }
    for (member, field) in
        [(ToolMember::InputSchema, "inputSchema"), (ToolMember::OutputSchema, "outputSchema")]
    {
        if let Some(schema) = tool.json(member) {
            let (place, names) = (format!("the tool {name:?}"), OnceCell::new());
            SchemaWalk { root: &schema, names, place, found, path: path(field), pattern_bytes }.of_root();
        }
    }
}

/// Walks through the subschemas of a schema. Recursion is as deep as the content may be nested.
struct SchemaWalk<'a> {
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

impl SchemaWalk<'_> {
    fn warn(&mut self, rule: WarningRule, message: String) {
        self.found.push(Warning { rule, path: self.path.clone(), message });
    }

    fn of_root(mut self) {
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

/// The beginning of a text, for a message.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
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

#[cfg(test)]
mod tests {
    use crate::domain::version::Content;

    fn rules(tool: &str) -> Vec<(&'static str, String)> {
        let read = |text: &str| json_reader::read(text.as_bytes(), &json_reader::Limits::DEFAULT).unwrap();
        let content = Content {
            system_prompt: String::new(),
            model_name: "m".to_owned(),
            model_parameters: read("{}"),
            tools: vec![read(tool)],
        };
        let warnings = content.check().unwrap().warnings();
        warnings.into_iter().map(|warning| (warning.rule.as_str(), warning.path.join("."))).collect()
    }

    #[test]
    fn patterns_are_those_of_ecma_262() {
        let rules_of = |pattern: &str| {
            let pattern = serde_json::json!(pattern);
            rules(&format!(
                r#"{{"name":"t","inputSchema":{{"type":"object","properties":{{"a":{{"pattern":{pattern}}}}}}}}}"#
            ))
        };
        for pattern in [r"^\p{L}{1,255}$", "^.{1,65535}$", r"\p{L}{1000}", "(?<year>[0-9]{4})", "a(?=b)", ""]
        {
            assert_eq!(rules_of(pattern), [], "{pattern}");
        }
        for pattern in ["([", "(?P<n>x)", "a++", r"\p{Nothing}", "a{2,1}"] {
            assert_eq!(rules_of(pattern).first().map(|(rule, _)| *rule), Some("PATTERN"), "{pattern}");
        }
    }

    /// Patterns, references and names by the thousand: the work is bounded, and so are the warnings.
    #[test]
    fn a_schema_of_many_patterns_and_references_is_soon_checked() {
        let many = |of: &dyn Fn(usize) -> String| {
            let members: Vec<String> = (0..10_000).map(|nth| format!(r#""p{nth}":{}"#, of(nth))).collect();
            format!(r#"{{"name":"t","inputSchema":{{"type":"object","$defs":{{{}}}}}}}"#, members.join(","))
        };
        let patterns = many(&|_| r#"{"pattern":"(([a-z]{1,1000}){1,1000}){1,1000}"}"#.to_owned());
        assert_eq!(rules(&patterns), []);
        let dangling = many(&|nth| format!(r##"{{"$anchor":"a{nth}","$ref":"#z{nth}"}}"##));
        assert_eq!(rules(&dangling).len(), super::WARNINGS_MAX);
        let found = many(&|nth| format!(r##"{{"$anchor":"a{nth}","$ref":"#a{}"}}"##, 9_999 - nth));
        assert_eq!(rules(&found), []);
        let deep = "(".repeat(900);
        assert_eq!(rules(&many(&|_| format!(r#"{{"pattern":"{deep}"}}"#)).replace("10000", "1")), []);
        let long = rules_message(&format!(
            r#"{{"name":"t","inputSchema":{{"type":"object","pattern":"[{}"}}}}"#,
            "x".repeat(900)
        ));
        assert!(long.len() < 300, "{long}");
    }

    fn rules_message(tool: &str) -> String {
        let read = |text: &str| json_reader::read(text.as_bytes(), &json_reader::Limits::DEFAULT).unwrap();
        let content = Content {
            system_prompt: String::new(),
            model_name: "m".to_owned(),
            model_parameters: read("{}"),
            tools: vec![read(tool)],
        };
        content.check().unwrap().warnings().remove(0).message
    }

    #[test]
    fn what_no_provider_takes_is_named_by_rule_and_path() {
        let schema = |text: &str| format!(r#"{{"name":"t","inputSchema":{text}}}"#);
        let at = |path: &str| format!("tools.0.{path}");
        for (tool, rule, path) in [
            (r#"{"name":"a.b"}"#.to_owned(), "TOOL_NAME", "name"),
            (r#"{"name":"a b"}"#.to_owned(), "TOOL_NAME", "name"),
            (format!(r#"{{"name":"{}"}}"#, "x".repeat(65)), "TOOL_NAME", "name"),
            (schema("true"), "SCHEMA_ROOT", "inputSchema"),
            (schema(r#"{"type":"string"}"#), "SCHEMA_ROOT", "inputSchema"),
            (schema("{}"), "SCHEMA_ROOT", "inputSchema"),
            (
                schema(r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/b"}}}"##),
                "DANGLING_REF",
                "inputSchema.properties.a.$ref",
            ),
            (
                schema(r##"{"type":"object","prefixItems":[{"$ref":"#b"}]}"##),
                "DANGLING_REF",
                "inputSchema.prefixItems.0.$ref",
            ),
            (
                schema(r#"{"type":"object","not":{"$ref":"https://example.org/a"}}"#),
                "REMOTE_REF",
                "inputSchema.not.$ref",
            ),
            (
                schema(r#"{"type":"object","properties":{"a":{"pattern":"(["}}}"#),
                "PATTERN",
                "inputSchema.properties.a.pattern",
            ),
            (
                schema(r#"{"type":"object","patternProperties":{"(":{}}}"#),
                "PATTERN",
                "inputSchema.patternProperties",
            ),
        ] {
            assert_eq!(rules(&tool), [(rule, at(path))], "{tool}");
        }
        let output = r#"{"name":"t","outputSchema":{"type":"array"}}"#;
        assert_eq!(rules(output), [("SCHEMA_ROOT", at("outputSchema"))]);
    }

    #[test]
    fn what_is_right_and_what_is_data_has_no_warning() {
        let schema = r##"{"type":"object","$defs":{"a/b~c":{"$anchor":"named","type":"object"}},"properties":{
            "pattern":{"type":"string","pattern":"^\\p{L}+(?=x)$"},"$ref":{"type":"string"},
            "a":{"$ref":"#/$defs/a~1b~0c"},"b":{"$ref":"#named"},"c":{"$ref":"#"},"d":{"$ref":"#/$defs/a%7E1b~0c"}},
            "default":{"$ref":"#/nowhere","pattern":"(["},"examples":[{"pattern":"("}],"enum":[{"$ref":"#x"}],"const":{"$ref":"y"}}"##;
        let tool = format!(r#"{{"name":"find_section-2","inputSchema":{schema}}}"#);
        assert_eq!(rules(&tool), []);
        assert_eq!(rules(r#"{"name":"t"}"#), []);
    }
}
