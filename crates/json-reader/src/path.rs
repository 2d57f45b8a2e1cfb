//! Paths to values in a JSON tree.

use std::fmt;

/// The maximum length of a displayed key, in characters.
const KEY_CHARS_MAX: usize = 64;
/// The number of segments displayed at either end of a long path.
const SEGMENTS_SHOWN: usize = 12;

/// One step into an object or an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The member with this key.
    Key(String),
    /// The item at this index, from 0.
    Index(usize),
}

/// The path from the root to a value. Displays as `variables.input.tools[3].inputSchema`. Keys that aren't
/// identifiers are quoted, as in `headers["content-type"]`; long keys and long paths are truncated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<Segment>);

impl Path {
    /// Makes a path from its segments.
    #[must_use]
    pub fn new(segments: Vec<Segment>) -> Self {
        Self(segments)
    }

    /// Returns the segments, beginning at the root.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether this is the path of the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path to the object or array that contains the value; that of the root for the root.
    pub(crate) fn parent(&self) -> Self {
        let parent = self.0.split_last().map(|(_, parent)| parent.to_vec());
        Self(parent.unwrap_or_default())
    }

    /// Prepends a segment, so that the path begins at the parent of its root.
    #[must_use]
    pub fn within(mut self, parent: Segment) -> Self {
        self.0.insert(0, parent);
        self
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = SEGMENTS_SHOWN..self.0.len().saturating_sub(SEGMENTS_SHOWN);
        for (at, segment) in self.0.iter().enumerate() {
            if hidden.contains(&at) {
                if at == hidden.start {
                    f.write_str("…")?;
                }
                continue;
            }
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if is_identifier(key) => {
                    write!(f, "{}{}", if at == 0 { "" } else { "." }, shortened(key))?;
                }
                Segment::Key(key) => write!(f, "[{:?}]", shortened(key))?,
            }
        }
        Ok(())
    }
}

fn is_identifier(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|char| char == '_' || char == '$' || char.is_ascii_alphanumeric())
}

/// Truncates a key to 64 characters, and marks the truncation with `…`.
pub(crate) fn shortened(key: &str) -> String {
    match key.char_indices().nth(KEY_CHARS_MAX) {
        Some((end, _)) => format!("{}…", key.get(..end).unwrap_or_default()),
        None => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str) -> Segment {
        Segment::Key(key.to_owned())
    }

    #[test]
    fn a_path_is_written_as_a_programmer_writes_it() {
        let path = Path::new(vec![key("variables"), key("tools"), Segment::Index(3), key("inputSchema")]);
        assert_eq!(path.to_string(), "variables.tools[3].inputSchema");
        assert_eq!(Path::default().to_string(), "");
        assert_eq!(Path::new(vec![Segment::Index(0), key("a b"), key("")]).to_string(), r#"[0]["a b"][""]"#);
        assert_eq!(Path::new(vec![key("a\n\"")]).to_string(), r#"["a\n\""]"#);
    }

    #[test]
    fn a_path_of_any_size_is_written_short() {
        let long = Path::new(vec![key(&"x".repeat(100_000)); 1000]);
        assert!(long.to_string().chars().count() <= 2 * SEGMENTS_SHOWN * (KEY_CHARS_MAX + 2) + 1);
        let deep = Path::new((0..40).map(Segment::Index).collect());
        assert!(deep.to_string().contains("[11]…[28]"), "{deep}");
        let all = Path::new((0..24).map(Segment::Index).collect());
        assert!(all.to_string().contains("[11][12]"), "{all}");
    }
}
