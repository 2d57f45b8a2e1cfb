//! Splits the text of a large object into its members, as it arrives. The items of one of its arrays are pieces of
//! their own, so that neither the text nor the array is ever in memory as a whole.

use std::{collections::HashSet, mem};

use crate::{
    Json, Limits, Path, Position, ReadError, ReadErrorKind, Segment, error::FoundToken, lexer, read,
    reader::RESERVED,
};

/// The limits of one [`Splitter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitLimits {
    /// The limits of each key and of each value that isn't in the list.
    pub member: Limits,
    /// The number of members of the object.
    pub members: usize,
    /// Bytes of text of each item of the list.
    pub item_bytes: usize,
}

/// A piece of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// A member, other than the list.
    Member(String, Json),
    /// The list begins. Its items follow.
    List,
    /// An item of the list.
    Item(RawItem),
    /// The object has ended.
    End,
}

/// An item of the list, not parsed yet, so that another thread can do that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawItem {
    /// The index in the list, from 0.
    pub index: usize,
    /// The item's JSON text, without white space around it.
    pub text: Vec<u8>,
    list: &'static str,
    began: Position,
}

impl RawItem {
    /// Parses the item.
    ///
    /// # Errors
    /// [`ReadError`], with path and position in the object.
    pub fn read(&self, limits: &Limits) -> Result<Json, ReadError> {
        read(&self.text, limits)
            .map_err(|err| within(err, &[Segment::Index(self.index), key(self.list)], self.began))
    }
}

/// Splits one object. One of its keys names the list.
#[derive(Debug)]
pub struct Splitter {
    list: &'static str,
    limits: SplitLimits,
    state: State,
    /// The text of the key, value or item that is being read.
    text: Vec<u8>,
    scan: Scan,
    keys: HashSet<String>,
    /// The position of the next byte, and of the first byte of `text`.
    at: Position,
    began: Position,
}

/// What is being read, or comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// `{`.
    Begin,
    /// A key. An empty object may end instead.
    Key {
        may_end: bool,
    },
    InKey,
    Colon(String),
    Value(String),
    InValue(String),
    /// `,` or `}`.
    AfterMember,
    /// An item. An empty list may end instead.
    Item {
        index: usize,
        may_end: bool,
    },
    InItem(usize),
    /// `,` or `]`.
    AfterItem(usize),
    End,
}

impl Splitter {
    /// Starts an object whose member `list` is split into its items, if it is an array.
    #[must_use]
    pub fn new(list: &'static str, limits: SplitLimits) -> Self {
        let start = Position { offset: 0, line: 1, column: 1 };
        Self {
            list,
            limits,
            state: State::Begin,
            text: Vec::new(),
            scan: Scan::default(),
            keys: HashSet::new(),
            at: start,
            began: start,
        }
    }

    /// Takes bytes from the beginning of `bytes` up to the end of a piece, and returns that piece. `None` when all
    /// bytes were taken and no piece has ended.
    ///
    /// # Errors
    /// [`ReadError`]. The object can't be continued then.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Piece>, ReadError> {
        while !bytes.is_empty() {
            let piece = match self.state {
                State::InKey | State::InValue(_) | State::InItem(_) => self.value(bytes)?,
                _ => self.token(bytes)?,
            };
            if piece.is_some() {
                return Ok(piece);
            }
        }
        Ok(None)
    }

    /// Checks that the object has ended.
    ///
    /// # Errors
    /// [`ReadError`] otherwise.
    pub fn finish(&self) -> Result<(), ReadError> {
        match self.state {
            State::End => Ok(()),
            _ => Err(self.unexpected(self.expected(), &[])),
        }
    }

    /// Whether nothing but white space was taken.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.state == State::Begin
    }

    /// Reads white space and one token of punctuation, or the first byte of a value.
    fn token(&mut self, bytes: &mut &[u8]) -> Result<Option<Piece>, ReadError> {
        self.advance(bytes, lexer::space(bytes));
        let Some(&byte) = bytes.first() else { return Ok(None) };
        let (next, piece) = match (mem::replace(&mut self.state, State::End), byte) {
            (State::Begin, b'{') => (State::Key { may_end: true }, None),
            (State::Key { .. }, b'"') => return self.begin(State::InKey),
            (State::Key { may_end: true } | State::AfterMember, b'}') => (State::End, Some(Piece::End)),
            (State::Colon(key), b':') => (State::Value(key), None),
            (State::Value(key), b'[') if key == self.list => {
                (State::Item { index: 0, may_end: true }, Some(Piece::List))
            }
            (State::Value(key), byte) if is_first(byte) => return self.begin(State::InValue(key)),
            (State::AfterMember, b',') => (State::Key { may_end: false }, None),
            (State::Item { may_end: true, .. } | State::AfterItem(_), b']') => (State::AfterMember, None),
            (State::Item { index, .. }, byte) if is_first(byte) => return self.begin(State::InItem(index)),
            (State::AfterItem(index), b',') => (State::Item { index: index + 1, may_end: false }, None),
            (state, _) => {
                self.state = state;
                return Err(self.unexpected(self.expected(), bytes));
            }
        };
        self.state = next;
        self.advance(bytes, 1);
        Ok(piece)
    }

    /// Begins to collect the text of a key, a value or an item.
    fn begin(&mut self, state: State) -> Result<Option<Piece>, ReadError> {
        (self.state, self.scan, self.began) = (state, Scan::default(), self.at);
        self.text.clear();
        Ok(None)
    }

    /// Collects the text of a key, a value or an item, and returns the piece that it completes.
    fn value(&mut self, bytes: &mut &[u8]) -> Result<Option<Piece>, ReadError> {
        let (len, has_ended) = self.scan.run(bytes);
        let limit = match self.state {
            State::InItem(_) => self.limits.item_bytes,
            _ => self.limits.member.bytes,
        };
        if self.text.len() + len > limit {
            let kind = ReadErrorKind::TooLong { limit };
            return Err(ReadError { kind, path: self.path(), position: None });
        }
        self.text.extend_from_slice(bytes.get(..len).unwrap_or_default());
        self.advance(bytes, len);
        if !has_ended {
            return Ok(None);
        }
        match mem::replace(&mut self.state, State::End) {
            State::InKey => {
                self.state = State::Colon(self.key()?);
                Ok(None)
            }
            State::InValue(name) => {
                let value = read(&self.text, &self.limits.member)
                    .map_err(|err| within(err, &[key(&name)], self.began))?;
                self.state = State::AfterMember;
                Ok(Some(Piece::Member(name, value)))
            }
            State::InItem(index) => {
                self.state = State::AfterItem(index);
                let (text, list, began) = (mem::take(&mut self.text), self.list, self.began);
                Ok(Some(Piece::Item(RawItem { index, text, list, began })))
            }
            // Unreachable: only these three collect text.
            other => {
                self.state = other;
                Ok(None)
            }
        }
    }

    /// Parses a key, which must be new.
    fn key(&mut self) -> Result<String, ReadError> {
        let refuse = |kind| ReadError { kind, path: Path::default(), position: Some(self.began) };
        let read = read(&self.text, &self.limits.member).map_err(|err| within(err, &[], self.began))?;
        let name = read.as_str().unwrap_or_default().to_owned();
        if name.starts_with(RESERVED) && !self.limits.member.takes_reserved_keys {
            return Err(refuse(ReadErrorKind::ReservedKey));
        }
        if self.keys.len() >= self.limits.members {
            return Err(refuse(ReadErrorKind::TooManyValues { limit: self.limits.members }));
        }
        if !self.keys.insert(name.clone()) {
            return Err(refuse(ReadErrorKind::DoubledKey(name)));
        }
        Ok(name)
    }

    /// Skips bytes, and counts them.
    fn advance(&mut self, bytes: &mut &[u8], len: usize) {
        let (taken, rest) = bytes.split_at_checked(len).unwrap_or((bytes, &[]));
        self.at.offset += taken.len();
        let last = match taken.iter().rposition(|byte| *byte == b'\n') {
            None => taken,
            Some(at) => {
                self.at.line += taken.iter().filter(|byte| **byte == b'\n').count();
                self.at.column = 1;
                taken.get(at + 1..).unwrap_or_default()
            }
        };
        // Each byte of UTF-8 begins a character, except continuation bytes.
        self.at.column += last.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        *bytes = rest;
    }

    /// The path of what is being read.
    fn path(&self) -> Path {
        let segments = match &self.state {
            State::Value(name) | State::InValue(name) => vec![key(name)],
            State::Item { index, .. } | State::InItem(index) => {
                vec![key(self.list), Segment::Index(*index)]
            }
            State::AfterItem(_) => vec![key(self.list)],
            State::Begin
            | State::Key { .. }
            | State::InKey
            | State::Colon(_)
            | State::AfterMember
            | State::End => {
                vec![]
            }
        };
        Path::new(segments)
    }

    fn expected(&self) -> &'static str {
        match self.state {
            State::Begin => "an object",
            State::Key { may_end: _ } | State::InKey => "a key in double quotes",
            State::Colon(_) => "`:`",
            State::Value(_) | State::InValue(_) | State::Item { .. } | State::InItem(_) => "a value",
            State::AfterMember => "`,` or `}`",
            State::AfterItem(_) => "`,` or `]`",
            State::End => "nothing after the value",
        }
    }

    fn unexpected(&self, expected: &'static str, bytes: &[u8]) -> ReadError {
        let start = bytes.get(..bytes.len().min(4)).unwrap_or_default();
        let first = String::from_utf8_lossy(start).chars().next();
        let found = first.map_or(FoundToken::End, FoundToken::Character);
        let kind = ReadErrorKind::Unexpected { expected, found };
        ReadError { kind, path: self.path(), position: Some(self.at) }
    }
}

fn key(name: &str) -> Segment {
    Segment::Key(name.to_owned())
}

/// Whether a value can begin with this byte. Other bytes are errors at once, instead of after the whole text.
fn is_first(byte: u8) -> bool {
    matches!(byte, b'"' | b'[' | b'{' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n')
}

/// Moves an error of a piece into the object: `parents`, from the innermost out, are the path to the piece.
fn within(err: ReadError, parents: &[Segment], began: Position) -> ReadError {
    let ReadError { kind, path, position } = err;
    let path = parents.iter().fold(path, |path, parent| path.within(parent.clone()));
    let position = position.map(|Position { offset, line, column }| Position {
        offset: began.offset + offset,
        line: began.line + line - 1,
        column: if line == 1 { began.column + column - 1 } else { column },
    });
    ReadError { kind, path, position }
}

/// Finds the end of one value, without checking it.
#[derive(Clone, Copy, Debug, Default)]
struct Scan {
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
}

impl Scan {
    /// Returns the number of bytes that belong to the value, and whether it ends with them.
    fn run(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.is_in_string {
                if mem::take(&mut self.is_escaped) {
                    at += 1;
                    continue;
                }
                let plain = lexer::plain(bytes.get(at..).unwrap_or_default());
                at += plain;
                match bytes.get(at) {
                    Some(b'\\') => self.is_escaped = true,
                    Some(b'"') => {
                        self.is_in_string = false;
                        if self.depth == 0 {
                            return (at + 1, true);
                        }
                    }
                    // A control character, which `read` rejects, or the end of the bytes.
                    Some(_) => {}
                    None => return (at, false),
                }
                at += 1;
                continue;
            }
            match byte {
                b'"' => self.is_in_string = true,
                b'[' | b'{' => self.depth += 1,
                b']' | b'}' if self.depth > 1 => self.depth -= 1,
                b']' | b'}' if self.depth == 1 => return (at + 1, true),
                b']' | b'}' | b',' | b' ' | b'\n' | b'\r' | b'\t' if self.depth == 0 => return (at, true),
                _ => {}
            }
            at += 1;
        }
        (at, false)
    }
}
