//! What an import says about each line, and about all of them.

use super::super::Error;
use crate::id::AgentId;

/// The result of one line.
#[derive(Debug)]
pub struct LineReport {
    /// The line's number, from 1.
    pub line: u64,
    /// The name in the line; `None` when it can't be read.
    pub agent: Option<String>,
    /// The agent's id; `None` when the line failed. A dry run names an id that isn't kept.
    pub id: Option<AgentId>,
    /// What became of the line.
    pub outcome: LineOutcome,
    /// How many versions were added.
    pub versions: u64,
    /// What differs from the line and stays, and what else the reader should know. For people.
    pub notes: Vec<String>,
}

/// What became of a line.
#[derive(Debug)]
pub enum LineOutcome {
    /// The agent was created.
    Created,
    /// The agent existed and was changed.
    Updated,
    /// The agent was already as the line says.
    Unchanged,
    /// The line can't be imported, and nothing of it was.
    Failed(Error),
}

impl LineOutcome {
    /// The outcome as a word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Failed(_) => "failed",
        }
    }
}

/// The counts of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Agents that were created.
    pub created: u64,
    /// Agents that existed and were changed.
    pub updated: u64,
    /// Agents that were already as their line says.
    pub unchanged: u64,
    /// Lines that were skipped, because they can't be imported.
    pub failed: u64,
    /// Versions that were added.
    pub versions: u64,
}

impl Imported {
    /// How many agents were imported, including unchanged ones.
    #[must_use]
    pub fn agents(self) -> u64 {
        self.created + self.updated + self.unchanged
    }

    pub(super) fn count(&mut self, outcome: &LineOutcome, versions: u64) {
        match outcome {
            LineOutcome::Created => self.created += 1,
            LineOutcome::Updated => self.updated += 1,
            LineOutcome::Unchanged => self.unchanged += 1,
            LineOutcome::Failed(_) => self.failed += 1,
        }
        self.versions += versions;
    }
}

/// An import that failed at a line. The lines before it have been imported.
#[derive(Debug, thiserror::Error)]
#[error("{}{}{}", place(*.line, .agent.as_deref()), .source.in_snake_case().1, before(*.line, *.done))]
pub struct ImportError {
    /// The number of the line that failed; 0 when the import failed before the first.
    pub line: u64,
    /// The agent that the line names, if known.
    pub agent: Option<String>,
    /// The counts of the lines before it.
    pub done: Imported,
    /// The reason.
    pub source: Error,
}

impl ImportError {
    /// An import that failed before its first line.
    #[must_use]
    pub fn before_lines(source: Error) -> Self {
        Self { line: 0, agent: None, done: Imported::default(), source }
    }
}

fn place(line: u64, agent: Option<&str>) -> String {
    match (line, agent) {
        (0, _) => String::new(),
        (line, None) => format!("line {line}: "),
        (line, Some(agent)) => format!("line {line}, agent {agent:?}: "),
    }
}

fn before(line: u64, done: Imported) -> String {
    match (line, done.agents()) {
        (0, _) => String::new(),
        (_, 0) => "; nothing was imported".to_owned(),
        (_, 1) => "; 1 agent was imported before it".to_owned(),
        (_, agents) => format!("; {agents} agents were imported before it"),
    }
}
