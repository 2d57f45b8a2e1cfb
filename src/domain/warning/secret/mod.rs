//! Secrets in contents: well-known tokens, by their form, and this service's own credentials, by their checksum. A content
//! is kept for as long as its version, and each reader of the version sees it.
//!
//! Nothing here returns, logs or stores the text that was found.

mod forms;
mod pattern;
mod scan;
#[cfg(test)]
mod tests;

use json_reader::Json;

use super::{Warning, WarningRule, field};
use crate::domain::{
    Error, Result,
    content::{Content, field_of},
    extensions,
};
pub(in crate::domain) use scan::redacted;
use scan::{Secret, Secrets};

/// The most findings of one content. Further ones are left out.
const FINDINGS_MAX: usize = 100;

/// A secret in a content, by its place. The secret itself is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFinding {
    /// What was found, for people, such as `a GitHub token`.
    pub what: &'static str,
    /// The place: steps from the content, such as `tools`, `1`, `description`. A secret in a key is at its object,
    /// and the steps have `…` in its place.
    pub path: Vec<String>,
    /// The line within the prompt, from 1; `None` elsewhere.
    pub line: Option<usize>,
    /// Whether it is a credential of this service, by its checksum.
    pub is_own: bool,
}

impl SecretFinding {
    /// The place, for people.
    fn place(&self) -> String {
        let line = self.line.map(|line| format!(", line {line}")).unwrap_or_default();
        format!("`{}`{line}", self.path.join("."))
    }

    /// The error of a write, for a credential of this service.
    pub(in crate::domain) fn refusal(&self) -> Error {
        let (what, place) = (self.what, self.place());
        let message =
            format!("{place} contains {what}: revoke it, and leave it out, since versions are kept");
        Error::invalid(field(&self.path), message)
    }
}

impl From<&SecretFinding> for Warning {
    fn from(found: &SecretFinding) -> Self {
        let (what, place) = (found.what, found.place());
        let message = format!(
            "{place} contains what looks like {what}: each reader of the version sees it, so leave it out, and revoke it"
        );
        Self { rule: WarningRule::Secret, path: found.path.clone(), line: found.line, message }
    }
}

/// Finds the secrets in a content, in the order of its fields: at most a hundred, and all credentials of this service
/// before others. Reads each text once.
#[must_use]
pub fn find_secrets(content: &Content) -> Vec<SecretFinding> {
    let Content { system_prompt, model_name, model_parameters, tools, extensions } = content;
    let mut search = Search { path: vec!["systemPrompt".to_owned()], ..Search::default() };
    search.read_prompt(system_prompt);
    search.within("modelName", |search| search.read_text(model_name));
    search.within("modelParameters", |search| search.read(model_parameters));
    for (nth, tool) in tools.iter().enumerate() {
        search.path = vec!["tools".to_owned(), nth.to_string()];
        search.read_tool(tool);
    }
    if let Some(extensions) = extensions {
        search.within(extensions::FIELD, |search| search.read(extensions));
    }
    let Search { mut own, others, .. } = search;
    own.extend(others);
    own.truncate(FINDINGS_MAX);
    own
}

/// A secret in a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain) struct PromptSecret {
    /// What was found, for people, such as `a GitHub token`.
    pub what: &'static str,
    /// The line of the prompt, from 1.
    pub line: usize,
}

/// Finds the secrets in a prompt, in its order: at most a hundred.
pub(in crate::domain) fn find_in_prompt(prompt: &str) -> Vec<PromptSecret> {
    let found = secrets_by_line(prompt).map(|(line, Secret { what, .. })| PromptSecret { what, line });
    found.take(FINDINGS_MAX).collect()
}

/// The secrets in a text, each with its line, from 1.
fn secrets_by_line(text: &str) -> impl Iterator<Item = (usize, Secret)> {
    let (mut line, mut counted) = (1, 0);
    Secrets::new(text).map(move |found| {
        let between = text.as_bytes().get(counted..found.start).unwrap_or_default();
        line += between.iter().filter(|byte| **byte == b'\n').count();
        counted = found.start;
        (line, found)
    })
}

/// Refuses a text of this field that contains a credential of this service.
///
/// # Errors
/// [`Error::Invalid`] for the field.
pub(in crate::domain) fn refuse_own(field: &str, text: &str) -> Result<()> {
    let mut search = Search { path: vec![field.to_owned()], ..Search::default() };
    search.read_text(text);
    search.own.first().map_or(Ok(()), |own| Err(own.refusal()))
}

/// A search through a content.
#[derive(Default)]
struct Search {
    path: Vec<String>,
    own: Vec<SecretFinding>,
    others: Vec<SecretFinding>,
}

impl Search {
    fn keep(&mut self, found: &Secret, line: Option<usize>) {
        let Secret { what, is_own, .. } = *found;
        let kept = if is_own { &mut self.own } else { &mut self.others };
        if kept.len() < FINDINGS_MAX {
            kept.push(SecretFinding { what, path: self.path.clone(), line, is_own });
        }
    }

    fn read_prompt(&mut self, prompt: &str) {
        for (line, found) in secrets_by_line(prompt) {
            self.keep(&found, Some(line));
        }
    }

    /// Returns whether the text contains a secret.
    fn read_text(&mut self, text: &str) -> bool {
        let mut is_found = false;
        for found in Secrets::new(text) {
            is_found = true;
            self.keep(&found, None);
        }
        is_found
    }

    fn within<T>(&mut self, field: &str, read: impl FnOnce(&mut Self) -> T) {
        self.path = vec![field.to_owned()];
        read(self);
    }

    /// Reads all strings of a value, keys included. Recursion is as deep as the content may be nested.
    fn read(&mut self, json: &Json) {
        match json {
            Json::String(text) => {
                self.read_text(text);
            }
            Json::Array(items) => {
                for (nth, item) in items.iter().enumerate() {
                    self.read_below(nth.to_string(), item);
                }
            }
            Json::Object(members) => {
                for (key, value) in members {
                    self.read_member(key, value, &[key]);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    /// Reads a tool, whose members are named as GraphQL names them.
    fn read_tool(&mut self, tool: &Json) {
        for (key, value) in tool.as_object().into_iter().flatten() {
            match field_of(key) {
                "additional" => self.read_member(key, value, &["additional", key]),
                known => self.read_member(key, value, &[known]),
            }
        }
    }

    /// Reads a key and its value. A step of a path never has the secret of a key.
    fn read_member(&mut self, key: &str, value: &Json, steps: &[&str]) {
        let depth = self.path.len();
        let has_secret = self.read_text(key);
        let step = |step: &&str| if has_secret { redacted(step).into_owned() } else { (*step).to_owned() };
        self.path.extend(steps.iter().map(step));
        self.read(value);
        self.path.truncate(depth);
    }

    fn read_below(&mut self, step: String, value: &Json) {
        self.path.push(step);
        self.read(value);
        self.path.pop();
    }
}
