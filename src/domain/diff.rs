//! The difference between two versions' contents.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use change_impact::{Classification, Content, changes, classify, hunks, unified};
pub use change_impact::{FieldChange, FieldChangeKind, Finding, Hunk, HunkLine, Impact, LineKind, variables};
use json_reader::Json;

use super::{
    Reading, Registry, Result,
    content::{CheckedContent, canonical_tool, comparable},
    text,
    version::{Extensions, ModelParameters, ToolView, Tools, VersionBody},
};

/// The size of two versions' parts up to which they are compared at once, in bytes: that takes less than a thread switch,
/// or a millisecond at most.
pub(super) const SMALL_BYTES: usize = 16 * 1024;

/// How the parameters and the tools of two versions differ. Values are equal if their canonical forms are, as
/// `contentHash` compares them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentDiff {
    /// The keys of parameters that were added, removed or changed, in alphabetical order.
    pub parameters: Vec<String>,
    /// The names of tools that only the newer version has, in its order.
    pub tools_added: Vec<String>,
    /// The names of tools that only the older version has, in its order.
    pub tools_removed: Vec<String>,
    /// The names of tools that differ, in the order of the newer version.
    pub tools_changed: Vec<String>,
    /// Whether the tools that both have are in another order.
    pub is_reordered: bool,
}

impl ContentDiff {
    /// Compares two contents.
    ///
    /// # Errors
    /// [`super::Error::Internal`] when a value can't be written as JSON. Stored values always can.
    pub fn of(from: &VersionBody, to: &VersionBody) -> Result<Self> {
        let (old, new) = (canonical_parameters(from)?, canonical_parameters(to)?);
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let parameters = keys.into_iter().filter(|key| old.get(*key) != new.get(*key)).cloned().collect();
        let (old, new) = (canonical_tools(from)?, canonical_tools(to)?);
        let find = |tools: &[(String, Vec<u8>)], name: &str| {
            tools.iter().find(|(other, _)| other == name).map(|(_, tool)| tool.clone())
        };
        let names = |tools: &[(String, Vec<u8>)], keep: &dyn Fn(&str, &Vec<u8>) -> bool| -> Vec<String> {
            tools.iter().filter(|(name, tool)| keep(name, tool)).map(|(name, _)| name.clone()).collect()
        };
        let (kept_before, kept) = (
            names(&old, &|name, _| find(&new, name).is_some()),
            names(&new, &|name, _| find(&old, name).is_some()),
        );
        Ok(Self {
            parameters,
            tools_added: names(&new, &|name, _| find(&old, name).is_none()),
            tools_removed: names(&old, &|name, _| find(&new, name).is_none()),
            tools_changed: names(&new, &|name, tool| find(&old, name).is_some_and(|other| other != *tool)),
            is_reordered: kept_before != kept,
        })
    }
}

/// The size of two versions' parameters, tools and extensions, in bytes.
fn value_bytes(from: &VersionBody, to: &VersionBody) -> usize {
    let bytes = |body: &VersionBody| {
        body.model_parameters.0.as_str().len() + body.tools.as_str().len() + body.extensions.bytes()
    };
    bytes(from) + bytes(to)
}

/// The size of two versions' prompts, in bytes.
fn prompt_bytes(from: &VersionBody, to: &VersionBody) -> usize {
    from.system_prompt.len() + to.system_prompt.len()
}

/// The parameters of a version by their keys, each as canonical JSON.
fn canonical_parameters(of: &VersionBody) -> Result<BTreeMap<String, Vec<u8>>> {
    let parameters = of.model_parameters.0.parse();
    let members = parameters.as_object().into_iter().flatten();
    members.map(|(key, value)| Ok((key.to_owned(), text::canonical(&comparable(value))?))).collect()
}

/// The tools of a version with their names, each as canonical JSON.
fn canonical_tools(of: &VersionBody) -> Result<Vec<(String, Vec<u8>)>> {
    let tools = of.tools.to_json();
    let canonical = |(tool, json): (ToolView<'_>, &Json)| {
        Ok((tool.name().to_owned(), text::canonical(&canonical_tool(json))?))
    };
    of.tools.iter().zip(&tools).map(canonical).collect()
}

/// What the change from one version to another may do, and each value that differs.
#[derive(Clone, Debug, Default)]
pub struct ContentImpact {
    /// The worst of the findings.
    pub impact: Impact,
    /// The findings, in the order of the content; at most about a thousand.
    pub findings: Vec<Finding>,
    /// The values of parameters, tools and extensions that differ; at most about a thousand.
    pub changes: Vec<FieldChange>,
}

/// A content as it is classified. Clones share it.
#[derive(Clone, Debug)]
pub enum ComparedContent {
    /// A version's: its model's name, and its body.
    Version(String, Arc<VersionBody>),
    /// A checked one that isn't published yet.
    Checked(Arc<CheckedContent>),
}

impl ComparedContent {
    /// The model's name.
    #[must_use]
    pub fn model_name(&self) -> &str {
        match self {
            Self::Version(name, _) => name,
            Self::Checked(content) => &content.model_name,
        }
    }

    /// The system prompt.
    #[must_use]
    pub fn system_prompt(&self) -> &str {
        match self {
            Self::Version(_, body) => &body.system_prompt,
            Self::Checked(content) => &content.system_prompt,
        }
    }

    /// SHA-256 over the bytes that are served.
    #[must_use]
    pub fn bytes_hash(&self) -> &[u8] {
        match self {
            Self::Version(_, body) => &body.bytes_hash,
            Self::Checked(content) => &content.bytes_hash,
        }
    }

    /// The size of what is compared, in bytes of text.
    pub(super) fn bytes(&self) -> usize {
        let (parameters, tools, extensions) = self.values();
        self.system_prompt().len() + parameters.0.as_str().len() + tools.as_str().len() + extensions.bytes()
    }

    fn values(&self) -> (&ModelParameters, &Tools, &Extensions) {
        match self {
            Self::Version(_, body) => (&body.model_parameters, &body.tools, &body.extensions),
            Self::Checked(content) => (&content.model_parameters, &content.tools, &content.extensions),
        }
    }

    /// Parses the values, as [`ComparedContent::content`] borrows them.
    fn parse(&self) -> ParsedValues {
        let (parameters, tools, extensions) = self.values();
        ParsedValues {
            parameters: parameters.0.parse(),
            tools: tools.to_json(),
            extensions: extensions.parse(),
        }
    }

    fn content<'a>(&'a self, values: &'a ParsedValues) -> Content<'a> {
        let (prompt, model) = (self.system_prompt(), self.model_name());
        let ParsedValues { parameters, tools, extensions } = values;
        Content { prompt, model, parameters, tools, extensions: extensions.as_ref() }
    }
}

/// The JSON of a content, parsed.
struct ParsedValues {
    parameters: Json,
    tools: Vec<Json>,
    extensions: Option<Json>,
}

/// Classifies the change from `old`, which serves now, to `new`: `None` is nothing, before the first activation and
/// after a deactivation.
#[must_use]
pub fn classify_contents(old: Option<&ComparedContent>, new: Option<&ComparedContent>) -> Classification {
    let (old_values, new_values) = (old.map(ComparedContent::parse), new.map(ComparedContent::parse));
    let old = old.zip(old_values.as_ref()).map(|(old, values)| old.content(values));
    let new = new.zip(new_values.as_ref()).map(|(new, values)| new.content(values));
    classify(old.as_ref(), new.as_ref())
}

impl ContentImpact {
    /// Classifies the change from one version to another.
    #[must_use]
    pub fn of(from: &ComparedContent, to: &ComparedContent) -> Self {
        let (old, new) = (from.parse(), to.parse());
        let (old, new) = (from.content(&old), to.content(&new));
        let Classification { impact, findings } = classify(Some(&old), Some(&new));
        Self { impact, findings, changes: changes(&old, &new).fields }
    }
}

impl Registry {
    /// The unified diff of the prompts of two versions by lines; `None` when they are equal. Runs on a thread for
    /// computations: all of them together use at most half of the processors, and the callers that wait take turns.
    /// Meanwhile `reading` releases its snapshot, if it may. Computes nothing if the diff isn't wanted any more by then.
    ///
    /// # Errors
    /// [`super::Error::RateLimited`] when too much work of the caller is waiting. [`super::Error::Internal`] when the
    /// computation panicked or the service is shutting down.
    pub async fn diff_prompts(
        &self,
        reading: &Reading,
        from: &Arc<VersionBody>,
        to: &Arc<VersionBody>,
        is_wanted: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<Option<String>> {
        if from.system_prompt == to.system_prompt {
            return Ok(None);
        }
        let ([from, to], bytes) = ([Arc::clone(from), Arc::clone(to)], prompt_bytes(from, to));
        let work = move || unified(&from.system_prompt, &to.system_prompt);
        Ok(self.compare(reading, bytes, is_wanted, work).await?.flatten())
    }

    /// Compares two versions: at once if what is compared is small, else on a thread for computations. `None` if the
    /// result isn't wanted any more by then.
    pub(super) async fn compare<T: Send + 'static>(
        &self,
        reading: &Reading,
        bytes: usize,
        is_wanted: impl FnOnce() -> bool + Send + 'static,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>> {
        if bytes <= SMALL_BYTES {
            return Ok(Some(work()));
        }
        let work = move || is_wanted().then(work);
        reading.view.release_while(self.compute(&reading.caller, "diff", work)).await
    }

    /// The lines of two versions' prompts that differ, computed as [`Registry::diff_prompts`] is.
    ///
    /// # Errors
    /// As [`Registry::diff_prompts`].
    pub async fn diff_hunks(
        &self,
        reading: &Reading,
        from: &Arc<VersionBody>,
        to: &Arc<VersionBody>,
        is_wanted: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<Vec<Hunk>> {
        let ([from, to], bytes) = ([Arc::clone(from), Arc::clone(to)], prompt_bytes(from, to));
        let work = move || hunks(&from.system_prompt, &to.system_prompt);
        Ok(self.compare(reading, bytes, is_wanted, work).await?.unwrap_or_default())
    }

    /// Classifies the change from one version to another, computed as [`Registry::diff_prompts`] is.
    ///
    /// # Errors
    /// As [`Registry::diff_prompts`].
    pub async fn classify_change(
        &self,
        reading: &Reading,
        from: ComparedContent,
        to: ComparedContent,
        is_wanted: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<ContentImpact> {
        let bytes = from.bytes() + to.bytes();
        let work = move || ContentImpact::of(&from, &to);
        Ok(self.compare(reading, bytes, is_wanted, work).await?.unwrap_or_default())
    }

    /// Compares the parameters and the tools of two versions, like [`Registry::diff_prompts`] at once or on a thread for
    /// computations.
    ///
    /// # Errors
    /// As [`Registry::diff_prompts`].
    pub async fn diff_contents(
        &self,
        reading: &Reading,
        from: &Arc<VersionBody>,
        to: &Arc<VersionBody>,
        is_wanted: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<ContentDiff> {
        let ([from, to], bytes) = ([Arc::clone(from), Arc::clone(to)], value_bytes(from, to));
        let work = move || ContentDiff::of(&from, &to);
        Ok(self.compare(reading, bytes, is_wanted, work).await?.transpose()?.unwrap_or_default())
    }
}
