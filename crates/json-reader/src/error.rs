//! Why a text is not read.

use std::fmt;

use crate::{Path, TypeError, path::shortened};

/// Why a text is not read: what is wrong, where, and what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    pub(crate) kind: ReadErrorKind,
    pub(crate) path: Path,
    pub(crate) position: Option<Position>,
}

/// A place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// In bytes, from 0; a byte order mark counts.
    pub offset: usize,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The text is longer than [`Limits::bytes`](crate::Limits::bytes).
    #[error("the text has more than {limit} bytes")]
    TooLong {
        /// What is accepted.
        limit: usize,
    },
    /// There are more values than [`Limits::values`](crate::Limits::values).
    #[error("there are more than {limit} values")]
    TooManyValues {
        /// What is accepted.
        limit: usize,
    },
    /// The value is nested deeper than [`Limits::depth`](crate::Limits::depth).
    #[error("arrays and objects are nested more than {limit} levels deep")]
    TooDeep {
        /// What is accepted.
        limit: usize,
    },
    /// Something else stands there than JSON allows.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What may stand there.
        expected: &'static str,
        /// What does.
        found: Found,
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
    /// Half of a pair of UTF-16 stands alone.
    #[error("a \\u escape of a surrogate must be one of a pair, such as \\ud83d\\ude00")]
    LoneSurrogate,
    /// A number's magnitude is beyond that of any double.
    #[error("the number is larger than a double can be (1.8e308)")]
    NumberTooLarge,
    /// A key occurs twice in one object.
    #[error("the key {:?} occurs twice in one object", shortened(.0))]
    DoubledKey(String),
    /// A key begins with what serde_json takes for an instruction.
    #[error("this key is reserved: some parsers of JSON take it for an instruction")]
    ReservedKey,
    /// The text is JSON, but not of the type that is read.
    #[error("{0}")]
    Type(String),
}

/// What stands where something else should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The end of the text.
    End,
    /// This character.
    Character(char),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("the end"),
            Self::Character(quote @ ('"' | '\'' | '\\')) => write!(f, "`{quote}`"),
            Self::Character(character) => write!(f, "`{}`", character.escape_debug()),
        }
    }
}

impl ReadError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }

    /// The value that is wrong, or that was being read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where reading stopped; none when the whole text was read and is not of the type.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// Whether there is more than the limits accept.
    #[must_use]
    pub fn is_too_much(&self) -> bool {
        use ReadErrorKind::{TooDeep, TooLong, TooManyValues};
        matches!(self.kind, TooLong { .. } | TooManyValues { .. } | TooDeep { .. })
    }

    /// Whether the text is JSON, but not of the type that is read.
    #[must_use]
    pub fn is_type(&self) -> bool {
        matches!(self.kind, ReadErrorKind::Type(_))
    }
}

impl From<TypeError> for ReadError {
    fn from(TypeError { message, path }: TypeError) -> Self {
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
