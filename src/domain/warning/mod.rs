//! Warnings about contents that are accepted, but likely a mistake: what no provider of models takes, and secrets.

mod schema;
mod secret;

use schema::SchemaWalk;
pub(super) use secret::{PromptSecret, find_in_prompt, redacted, refuse_own};
pub use secret::{SecretFinding, find_secrets};

use super::{
    Error,
    content::CheckedContent,
    extensions,
    version::{ToolMember, ToolView},
};

/// The longest tool name that the APIs of models take, in characters.
const TOOL_NAME_CHARS_MAX: usize = 64;
/// The most warnings of one content. Further ones are left out.
const WARNINGS_MAX: usize = 100;
/// The most bytes of patterns that are checked in one content.
const PATTERN_BYTES_MAX: usize = 64 * 1024;

/// A warning about a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The rule that the content breaks.
    pub rule: WarningRule,
    /// The place: steps from the content, such as `tools`, `1`, `inputSchema`.
    pub path: Vec<String>,
    /// The line within the prompt, from 1; `None` elsewhere.
    pub line: Option<usize>,
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
    /// A text looks like a secret. The message never quotes it.
    Secret,
}

impl Warning {
    /// The error of a write that accepts no warnings.
    #[must_use]
    pub fn refusal(&self) -> Error {
        Error::invalid(field(&self.path), format!("{}; warnings are refused", self.message))
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
            Self::Secret => "SECRET",
        }
    }
}

impl CheckedContent {
    /// What looks like somebody's secret, by its place.
    #[must_use]
    pub fn secrets(&self) -> &[SecretFinding] {
        &self.secrets
    }

    /// The warnings about this content: those of secrets, then those of its tools, in their order; at most a hundred.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut found: Vec<Warning> = self.secrets.iter().map(Warning::from).collect();
        let mut pattern_bytes = PATTERN_BYTES_MAX;
        for (nth, tool) in self.tools.iter().enumerate() {
            warn_of_tool(nth, tool, &mut found, &mut pattern_bytes);
        }
        found.truncate(WARNINGS_MAX);
        if !self.secrets.is_empty() {
            // A key of a schema may contain one.
            let steps = found.iter_mut().flat_map(|warning| &mut warning.path);
            steps.for_each(|step| *step = redacted(step).into_owned());
        }
        found
    }
}

/// The field at fault, as errors name fields: as far as a tool's member or an extension's key.
fn field(path: &[String]) -> String {
    let steps = match path.first().map(String::as_str) {
        Some("tools") => 3,
        Some(extensions::FIELD) => 2,
        _ => 1,
    };
    path.iter().take(steps).map(String::as_str).collect::<Vec<_>>().join(".")
}

fn warn_of_tool(nth: usize, tool: ToolView<'_>, found: &mut Vec<Warning>, pattern_bytes: &mut usize) {
    let path = |field: &str| vec!["tools".to_owned(), nth.to_string(), field.to_owned()];
    let (name, quoted) = (tool.name(), redacted(tool.name()));
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !name.chars().all(is_plain) || name.len() > TOOL_NAME_CHARS_MAX {
        let message = format!(
            "the APIs of models reject the tool name {quoted:?}: they take up to {TOOL_NAME_CHARS_MAX} letters, digits, `_` and `-`"
        );
        found.push(Warning { rule: WarningRule::ToolName, path: path("name"), line: None, message });
    }
    for (member, field) in
        [(ToolMember::InputSchema, "inputSchema"), (ToolMember::OutputSchema, "outputSchema")]
    {
        if let Some(schema) = tool.json(member) {
            SchemaWalk::new(&schema, format!("the tool {quoted:?}"), path(field), found, pattern_bytes)
                .of_root();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Warning;
    use crate::domain::version::Content;

    fn warnings(tool: &str) -> Vec<Warning> {
        let read = |text: &str| json_reader::read(text.as_bytes(), &json_reader::Limits::DEFAULT).unwrap();
        let content = Content {
            system_prompt: String::new(),
            model_name: "m".to_owned(),
            model_parameters: read("{}"),
            tools: vec![read(tool)],
            extensions: None,
        };
        content.check().unwrap().warnings()
    }

    fn rules(tool: &str) -> Vec<(&'static str, String)> {
        let rule = |warning: Warning| (warning.rule.as_str(), warning.path.join("."));
        warnings(tool).into_iter().map(rule).collect()
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
        let of = |pattern: &str| {
            format!(r#"{{"name":"t","inputSchema":{{"type":"object","pattern":"{pattern}"}}}}"#)
        };
        assert_eq!(rules(&of(&"(".repeat(900))), []);
        let long = warnings(&of(&("[".to_owned() + &"x".repeat(900)))).remove(0).message;
        assert!(long.len() < 300, "{long}");
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
