//! The documents as text: pages, fenced blocks, tables. Reads nothing at run time.

/// A Markdown file of the repository.
#[derive(Clone, Copy)]
pub(super) struct Page {
    /// Relative to the root of the repository.
    pub(super) path: &'static str,
    pub(super) text: &'static str,
}

/// A fenced block: its language and its text.
pub(super) struct Block {
    pub(super) language: &'static str,
    pub(super) text: String,
}

macro_rules! page {
    ($path:literal) => {
        Page { path: $path, text: include_str!(concat!("../../../", $path)) }
    };
}

pub(super) const README: Page = page!("README.md");
pub(super) const INDEX: Page = page!("docs/README.md");
pub(super) const GUIDE: Page = page!("docs/guide.md");
pub(super) const GATEWAYS: Page = page!("docs/gateways.md");
pub(super) const OPERATIONS: Page = page!("docs/operations.md");
pub(super) const REFERENCE: Page = page!("docs/reference.md");
pub(super) const PROMISES: Page = page!("docs/promises.md");
pub(super) const SECURITY: Page = page!("docs/security.md");
pub(super) const DEPENDENCIES: Page = page!("docs/dependencies.md");
pub(super) const QUESTIONS: Page = page!("docs/questions.md");

/// The pages of the book in reading order: an example may use an id that an earlier page's answer names.
pub(super) const BOOK: [Page; 15] = [
    GUIDE,
    GATEWAYS,
    page!("docs/dashboards.md"),
    OPERATIONS,
    REFERENCE,
    page!("docs/problems.md"),
    PROMISES,
    SECURITY,
    page!("docs/performance.md"),
    page!("docs/conformance.md"),
    page!("docs/architecture.md"),
    page!("docs/internals.md"),
    QUESTIONS,
    page!("docs/glossary.md"),
    DEPENDENCIES,
];

impl Page {
    /// The fenced blocks, in order.
    pub(super) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            if let Some(language) = line.strip_prefix("```") {
                let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                blocks.push(Block { language, text: text.join("\n") });
            }
        }
        blocks
    }

    /// The text without its fenced blocks.
    pub(super) fn prose(&self) -> String {
        let mut prose = String::new();
        let mut is_code = false;
        for line in self.text.lines() {
            if line.starts_with("```") {
                is_code = !is_code;
            } else if !is_code {
                prose.push_str(line);
                prose.push('\n');
            }
        }
        prose
    }

    /// The rows of the first table below this heading, cell by cell, without the head.
    pub(super) fn table(&self, heading: &str) -> Vec<Vec<&'static str>> {
        let heading = format!("## {heading}");
        let below = self.text.lines().skip_while(|line| **line != heading);
        let rows = below.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        let rows: Vec<Vec<&str>> = rows.skip(2).map(cells).collect();
        assert!(!rows.is_empty(), "no table below {heading} in {}", self.path);
        rows
    }
}

/// The cells of a table's row.
pub(super) fn cells(row: &'static str) -> Vec<&'static str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
}

/// The texts between backticks.
pub(super) fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}
