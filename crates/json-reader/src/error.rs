//! Errors of reading a text.

use std::fmt;

use crate::{Path, TypeError, path::shortened};

/// Why a text was rejected. Displays the problem, the path and the position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    pub(crate) kind: ReadErrorKind,
    pub(crate) path: Path,
    pub(crate) position: Option<Position>,
}

/// A position in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The offset in bytes, from 0. A byte order mark counts.
    pub offset: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// The kind of a [`ReadError`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The text is longer than [`Limits::bytes`](crate::Limits::bytes).
    #[error("the text has more than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// There are more values than [`Limits::values`](crate::Limits::values).
    #[error("there are more than {limit} values")]
    TooManyValues {
        /// The limit.
        limit: usize,
    },
    /// The value is nested deeper than [`Limits::depth`](crate::Limits::depth).
    #[error("arrays and objects are nested more than {limit} levels deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A syntax error.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What JSON allows at this position.
        expected: &'static str,
        /// What was found instead.
        found: FoundToken,
    },
    /// The text is not UTF-8.
    #[error("the text must be UTF-8")]
    NotUtf8,
    /// A control character in a string is not escaped.
    #[error("a control character in a string must be escaped, such as \\n")]
    ControlCharacter,
    /// A backslash does not begin an escape.
    #[error("expected an escape: \\\" \\\\ \\/ \\b \\f \\n \\r \\t, or \\u with four hex digits")]
    BadEscape,
    /// An escaped UTF-16 surrogate isn't part of a pair.
    #[error("a \\u escape of a surrogate must be one of a pair, such as \\ud83d\\ude00")]
    LoneSurrogate,
    /// A number's magnitude exceeds that of the largest double.
    #[error("the number is larger than the largest double (1.8e308)")]
    NumberTooLarge,
    /// A key occurs twice in one object.
    #[error("the key {:?} occurs twice in one object", shortened(.0))]
    DoubledKey(String),
    /// A key begins with the prefix of keys that serde_json interprets.
    #[error("this key is reserved: some JSON parsers interpret it")]
    ReservedKey,
    /// The text is JSON, but not of the requested type.
    #[error("{0}")]
    Type(String),
}

/// What was found at the position of a syntax error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundToken {
    /// The end of the text.
    End,
    /// This character.
    Character(char),
}

impl fmt::Display for FoundToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("the end"),
            Self::Character(quote @ ('"' | '\'' | '\\')) => write!(f, "`{quote}`"),
            Self::Character(character) => write!(f, "`{}`", character.escape_debug()),
        }
    }
}

impl ReadError {
    /// Returns the kind of error.
    #[must_use]
    pub fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }

    /// Returns the path of the wrong value, or of the value that was being read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the position at which reading stopped. `None` for errors of type, and for a text that is too long.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// Whether a limit was exceeded.
    #[must_use]
    pub fn is_too_much(&self) -> bool {
        use ReadErrorKind::{TooDeep, TooLong, TooManyValues};
        matches!(self.kind, TooLong { .. } | TooManyValues { .. } | TooDeep { .. })
    }

    /// Whether the text is JSON, but not of the requested type.
    #[must_use]
    pub fn is_type(&self) -> bool {
        matches!(self.kind, ReadErrorKind::Type(_))
    }
}

impl From<TypeError> for ReadError {
    fn from(TypeError { message, path, names_member }: TypeError) -> Self {
        let path = if names_member { path.parent() } else { path };
        Self { kind: ReadErrorKind::Type(message), path, position: None }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if !self.path.is_root() {
            write!(f, ", at `{}`", self.path)?;
        }
        match self.position {
            Some(Position { offset: _, line, column }) => write!(f, ", line {line}, column {column}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ReadError {}
