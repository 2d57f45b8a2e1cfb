//! Finds the prose in a file: the comments of Rust, the descriptions of both schemas, and Markdown as it is.

use super::text::{self, Passage};

/// How the prose of a file is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rust,
    Graphql,
    Json,
    Markdown,
}

impl Kind {
    /// By the end of the file's name. Of JSON, only the description of REST has prose.
    pub(super) fn of(file: &str) -> Option<Kind> {
        match file.rsplit_once('.')?.1 {
            "rs" => Some(Kind::Rust),
            "md" => Some(Kind::Markdown),
            "graphql" if file == "schema.graphql" => Some(Kind::Graphql),
            "json" if file == "docs/openapi.json" => Some(Kind::Json),
            _ => None,
        }
    }
}

/// All prose of a file, in the order of its lines.
pub(super) fn passages(kind: Kind, text: &str) -> Vec<Passage> {
    match kind {
        Kind::Markdown => text::passages(numbered(text)),
        Kind::Rust => {
            let comments = comments(text);
            let mut blocks: Vec<Vec<(usize, &str)>> = Vec::new();
            let mut before = (0, "");
            for (line, mark, words) in comments {
                let goes_on = before == (line - 1, mark);
                match blocks.last_mut().filter(|_| goes_on) {
                    Some(block) => block.push((line, words)),
                    None => blocks.push(vec![(line, words)]),
                }
                before = (line, mark);
            }
            blocks.into_iter().flat_map(text::passages).collect()
        }
        Kind::Graphql | Kind::Json => {
            let strings =
                if kind == Kind::Json { json(text, &["description", "summary"]) } else { graphql(text) };
            let numbers = |(line, words): &(usize, String)| {
                // A string of JSON is one line of its file, however many lines it holds.
                let step = usize::from(kind == Kind::Graphql);
                words.lines().enumerate().map(|(at, words)| (line + at * step, words.to_owned())).collect()
            };
            let blocks: Vec<Vec<(usize, String)>> = strings.iter().map(numbers).collect();
            let passages = |block: &Vec<(usize, String)>| {
                text::passages(block.iter().map(|(line, words)| (*line, words.as_str())))
            };
            blocks.iter().flat_map(passages).collect()
        }
    }
}

/// The descriptions in a schema, each with its line.
pub(super) fn descriptions(kind: Kind, text: &str) -> Vec<(usize, String)> {
    match kind {
        Kind::Graphql => graphql(text),
        Kind::Json => json(text, &["description"]),
        Kind::Rust | Kind::Markdown => Vec::new(),
    }
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line))
}

/// The line comments of Rust code: line, marks (`//`, `///` or `//!`), words. Marks within literals are no comments.
/// Block comments are passed over: rustfmt and the house's own rules leave none.
fn comments(text: &str) -> Vec<(usize, &str, &str)> {
    let mut comments = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let step = if rest.starts_with("//") {
            let whole = rest.lines().next().unwrap_or_default();
            let marks = ["///", "//!", "//"].into_iter().find(|marks| whole.starts_with(marks));
            let (marks, words) = whole.split_at(marks.map_or(2, str::len));
            comments.push((line, marks, words));
            whole.len()
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            literal(rest, text[..at].chars().last())
                .unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8))
        };
        line += rest[..step].matches('\n').count();
        at += step;
    }
    comments
}

/// How long the literal is that begins here: a string, raw or not, or a character.
fn literal(rest: &str, before: Option<char>) -> Option<usize> {
    let is_within_name = before.is_some_and(|mark| mark.is_alphanumeric() || mark == '_');
    let raw = rest.trim_start_matches(['b', 'c']).strip_prefix('r').filter(|_| !is_within_name);
    if let Some(raw) = raw {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let begin = rest.len() - raw.len() + hashes + 1;
            return Some(rest[begin..].find(&close).map_or(rest.len(), |end| begin + end + close.len()));
        }
    }
    let quote = rest.chars().next().filter(|mark| ['"', '\''].contains(mark))?;
    if quote == '\'' {
        // Not a lifetime: a backslash, or one character and a quote.
        let mut inside = rest[1..].chars();
        let is_character = match inside.next()? {
            '\\' => true,
            _ => inside.next() == Some('\''),
        };
        if !is_character {
            return None;
        }
    }
    let mut is_escaped = false;
    for (at, mark) in rest.char_indices().skip(1) {
        if !is_escaped && mark == quote {
            return Some(at + 1);
        }
        is_escaped = mark == '\\' && !is_escaped;
    }
    Some(rest.len())
}

/// The strings of a GraphQL schema, each with the line of its first word.
fn graphql(text: &str) -> Vec<(usize, String)> {
    let mut strings = Vec::new();
    let mut block: Option<(usize, String)> = None;
    for (number, line) in numbered(text) {
        let trimmed = line.trim();
        if let Some((_, words)) = &mut block {
            if trimmed == "\"\"\"" {
                strings.extend(block.take().map(|(line, words)| (line, words.trim_end().to_owned())));
            } else {
                words.push_str(trimmed);
                words.push('\n');
            }
        } else if trimmed == "\"\"\"" {
            block = Some((number + 1, String::new()));
        } else if let Some(words) = trimmed.strip_prefix("\"\"\"") {
            strings.push((number, words.trim_end_matches("\"\"\"").to_owned()));
        } else if let Some((_, words)) =
            trimmed.split_once('"').filter(|(before, _)| before.is_empty() || before.ends_with("reason: "))
        {
            let end = words.rfind('"').unwrap_or(words.len());
            strings.push((number, words[..end].replace("\\\"", "\"").replace("\\\\", "\\")));
        }
    }
    strings
}

/// The strings of these keys in JSON that is written a key a line, each with its line.
fn json(text: &str, keys: &[&str]) -> Vec<(usize, String)> {
    let value = |line: &str| {
        let (key, value) = line.trim().trim_end_matches(',').split_once(": ")?;
        let key = key.trim_matches('"');
        let limits = json_reader::Limits::default();
        let value: String = json_reader::read_as(value.as_bytes(), &limits).ok()?;
        keys.contains(&key).then_some(value)
    };
    numbered(text).filter_map(|(number, line)| Some((number, value(line)?))).collect()
}
