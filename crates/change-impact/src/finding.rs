//! Findings, and the list that bounds their number.

use std::fmt::Write as _;

use json_reader::Json;

/// The most findings of a classification, besides the last one that says that there are more.
pub const FINDINGS_MAX: usize = 1000;

/// The most characters of a name or a value in a message.
const QUOTED_CHARS: usize = 64;

/// What a change may do to running conversations and deployed executors, from harmless to worst.
///
/// Two parties hold a version: a conversation, which keeps the version that it began with, and an executor, which may
/// be deployed earlier or later than the version is activated. `Narrowed` concerns running conversations together with
/// the new version; `Widened` concerns new conversations together with executors that know the old version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Impact {
    /// Nothing differs.
    #[default]
    Same,
    /// Text for the model differs.
    Content,
    /// The model's parameters differ.
    Tuning,
    /// The model differs.
    Model,
    /// The model's choice of tools may differ; no call is affected.
    Capability,
    /// A new conversation may send what a deployed executor doesn't know, or get a result that it doesn't expect.
    Widened,
    /// The effect can't be determined. Policies handle it as `Narrowed`.
    Unknown,
    /// A running conversation's calls may be refused, or it gets a result that it doesn't expect.
    Narrowed,
    /// A running conversation may use what doesn't exist any more.
    Removed,
}

impl Impact {
    /// All impacts, from harmless to worst.
    pub const ALL: [Self; 9] = [
        Self::Same,
        Self::Content,
        Self::Tuning,
        Self::Model,
        Self::Capability,
        Self::Widened,
        Self::Unknown,
        Self::Narrowed,
        Self::Removed,
    ];

    /// The impact's name in the API, such as `NARROWED`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "SAME",
            Self::Content => "CONTENT",
            Self::Tuning => "TUNING",
            Self::Model => "MODEL",
            Self::Capability => "CAPABILITY",
            Self::Widened => "WIDENED",
            Self::Unknown => "UNKNOWN",
            Self::Narrowed => "NARROWED",
            Self::Removed => "REMOVED",
        }
    }

    /// Whether a running conversation or a deployed executor may break: `Unknown` counts as `Narrowed`.
    #[must_use]
    pub const fn is_breaking(self) -> bool {
        match self {
            Self::Same | Self::Content | Self::Tuning | Self::Model | Self::Capability | Self::Widened => {
                false
            }
            Self::Unknown | Self::Narrowed | Self::Removed => true,
        }
    }
}

/// One thing that differs, and its possible effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// The effect.
    pub impact: Impact,
    /// Where: a field's name in the API (`modelName`, `tools` …), then the tool's name, the member, and the keywords
    /// of its schema. `$ref` is a step too: the next step is within the definition. Empty for the whole content.
    pub path: Vec<String>,
    /// The tool that it is about.
    pub tool_name: Option<String>,
    /// The value at this path before. `None` when there was none, for the prompt, for whole tools, and where the
    /// findings together would be several times as large as the schemas.
    pub before: Option<Json>,
    /// The value at this path afterwards. `None` when there is none, and in the same cases.
    pub after: Option<Json>,
    /// A sentence for people, without a full stop.
    pub message: String,
}

/// The result of [`classify`](crate::classify).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classification {
    /// The worst of the findings; [`Impact::Same`] without any.
    pub impact: Impact,
    /// The findings, at most [`FINDINGS_MAX`] + 1. If there are more, the last one says how many, and has the worst
    /// impact of the omitted ones, at least [`Impact::Unknown`].
    pub findings: Vec<Finding>,
}

/// The findings as they are collected.
#[derive(Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    omitted: Option<(usize, Impact)>,
}

impl Findings {
    pub(crate) fn push(&mut self, finding: Finding) {
        match self.list.len() < FINDINGS_MAX {
            true => self.list.push(finding),
            false => self.omit(1, finding.impact),
        }
    }

    /// Counts findings that aren't listed.
    pub(crate) fn omit(&mut self, count: usize, worst: Impact) {
        let (counted, impact) = self.omitted.unwrap_or_default();
        self.omitted = Some((counted + count, impact.max(worst)));
    }

    pub(crate) fn finish(self) -> Classification {
        let Self { list: mut findings, omitted } = self;
        if let Some((count, worst)) = omitted {
            let message = format!("{count} more findings are not listed; compare the versions");
            findings.push(Finding { impact: worst.max(Impact::Unknown), message, ..Finding::default() });
        }
        let impact = findings.iter().map(|finding| finding.impact).max().unwrap_or_default();
        Classification { impact, findings }
    }
}

/// A name in backticks, shortened. Backticks of its own become apostrophes, so that they don't end it.
pub(crate) fn quote(name: &str) -> String {
    format!("`{}`", shortened(name, QUOTED_CHARS).replace('`', "'"))
}

/// A value as JSON, shortened. Backticks become apostrophes, as in [`quote`].
pub(crate) fn show(json: &Json) -> String {
    // Writing stops at the limit, so that a large value isn't written whole.
    let mut writer = Bounded { text: String::new(), left: QUOTED_CHARS };
    match write!(writer, "{json}") {
        Ok(()) => writer.text,
        Err(_) => writer.text + "…",
    }
}

/// The first characters of a text.
pub(crate) fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

struct Bounded {
    text: String,
    left: usize,
}

impl std::fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for character in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(std::fmt::Error)?;
            self.text.push(if character == '`' { '\'' } else { character });
        }
        Ok(())
    }
}
