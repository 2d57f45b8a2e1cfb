//! The content of a version, as this crate compares it.

use std::collections::BTreeMap;

use json_reader::Json;

/// Names of fields in paths, spelled as clients of the registry's API spell them.
pub(crate) mod field {
    pub(crate) const PROMPT: &str = "systemPrompt";
    pub(crate) const VARIABLES: &str = "variables";
    pub(crate) const MODEL: &str = "modelName";
    pub(crate) const PARAMETERS: &str = "modelParameters";
    pub(crate) const TOOLS: &str = "tools";
    pub(crate) const EXTENSIONS: &str = "extensions";
}

/// The content of a version. Everything is borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// The system prompt.
    pub prompt: &'a str,
    /// The model's name.
    pub model: &'a str,
    /// The model's parameters: an object.
    pub parameters: &'a Json,
    /// The tools, as MCP spells them; `input_schema` and `output_schema` are accepted too. Their members are compared
    /// in this order: input schema, output schema, strict, description, title, annotations, icons, execution, `_meta`,
    /// then any other by key.
    pub tools: &'a [Json],
    /// The extensions: an object, whose keys are URIs or reverse domains. `None` is the same as an empty one.
    pub extensions: Option<&'a Json>,
}

/// A member of a tool that has a meaning here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Member<'a> {
    InputSchema,
    OutputSchema,
    Strict,
    Description,
    Title,
    Annotations,
    Icons,
    Execution,
    Meta,
    /// Any other member, by its key.
    Other(&'a str),
}

impl<'a> Member<'a> {
    fn of_key(key: &'a str) -> Self {
        match key {
            "inputSchema" | "input_schema" => Self::InputSchema,
            "outputSchema" | "output_schema" => Self::OutputSchema,
            "strict" => Self::Strict,
            "description" => Self::Description,
            "title" => Self::Title,
            "annotations" => Self::Annotations,
            "icons" => Self::Icons,
            "execution" => Self::Execution,
            "_meta" => Self::Meta,
            other => Self::Other(other),
        }
    }

    /// The key in paths.
    pub(crate) fn key(self) -> &'a str {
        match self {
            Self::InputSchema => "inputSchema",
            Self::OutputSchema => "outputSchema",
            Self::Strict => "strict",
            Self::Description => "description",
            Self::Title => "title",
            Self::Annotations => "annotations",
            Self::Icons => "icons",
            Self::Execution => "execution",
            Self::Meta => "_meta",
            Self::Other(key) => key,
        }
    }
}

/// A tool, by its members. A known member that is null counts as left out.
pub(crate) struct Tool<'a> {
    pub(crate) name: &'a str,
    pub(crate) json: &'a Json,
    pub(crate) members: BTreeMap<Member<'a>, &'a Json>,
}

impl<'a> Tool<'a> {
    /// Reads a tool; `None` when it is no object or has no name.
    fn read(json: &'a Json) -> Option<Self> {
        let name = json.get("name")?.as_str()?;
        let mut members = BTreeMap::new();
        for (key, value) in json.as_object()?.iter().filter(|(key, _)| *key != "name") {
            let member = Member::of_key(key);
            if !value.is_null() || matches!(member, Member::Other(_)) {
                members.entry(member).or_insert(value);
            }
        }
        Some(Self { name, json, members })
    }

    /// Reads a list of tools; `None` when one has no name, or two have the same.
    pub(crate) fn read_all(tools: &'a [Json]) -> Option<Vec<Self>> {
        let tools: Vec<Self> = tools.iter().map(Self::read).collect::<Option<_>>()?;
        let names: std::collections::HashSet<&str> = tools.iter().map(|tool| tool.name).collect();
        (names.len() == tools.len()).then_some(tools)
    }
}

/// Whether the tools that both lists have are in another order.
pub(crate) fn is_reordered(old: &[Tool<'_>], new: &[Tool<'_>]) -> bool {
    let names = |tools: &[Tool<'_>]| -> std::collections::HashSet<String> {
        tools.iter().map(|tool| tool.name.to_owned()).collect()
    };
    let (in_old, in_new) = (names(old), names(new));
    let kept_before = old.iter().map(|tool| tool.name).filter(|name| in_new.contains(*name));
    let kept = new.iter().map(|tool| tool.name).filter(|name| in_old.contains(*name));
    !kept_before.eq(kept)
}
