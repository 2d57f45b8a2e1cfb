//! Reads the lines of a file piece by piece: a line may be larger than the memory.

use std::io;

use json_reader::{Limits, Object, Piece, RawItem, ReadError, ReadErrorKind, SplitLimits, Splitter};
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::{
    super::{Error, Result},
    line::{LineHead, MEMBER_BYTES_MAX, VERSIONS, invalid, no_versions, not_json},
};

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
/// The limits of a line, except for the size of a version. The number of versions is limited by the plan only.
const MEMBERS: SplitLimits = SplitLimits {
    member: Limits { bytes: MEMBER_BYTES_MAX, ..Limits::DEPTH_ONLY },
    members: 100,
    item_bytes: 0,
};
const UTF_16: &str = "the file is in UTF-16; convert it to UTF-8, with one agent a line";
const ONE_A_LINE: &str = "write one agent a line, as an object of its own (JSON Lines), not";

/// Reads a file. Skips blank lines, and a byte order mark before the first line.
pub(super) struct LineReader<'a> {
    from: &'a mut (dyn AsyncBufRead + Send + Unpin),
    limits: SplitLimits,
    splitter: Splitter,
    members: Object,
    agent: Option<String>,
    has_versions: bool,
    number: u64,
    bytes: u64,
    has_ended: bool,
    is_broken: bool,
}

/// A part of a line.
pub(super) enum LinePart {
    /// A version that isn't parsed yet.
    Version(RawItem),
    /// The line has ended: its other members.
    End(LineHead),
}

impl<'a> LineReader<'a> {
    /// Reads a file in which a version's text has at most this many bytes.
    pub(super) fn new(from: &'a mut (dyn AsyncBufRead + Send + Unpin), version_bytes: usize) -> Self {
        let limits = SplitLimits { item_bytes: version_bytes, ..MEMBERS };
        Self {
            from,
            limits,
            splitter: Splitter::new(VERSIONS, limits),
            members: Object::new(),
            agent: None,
            has_versions: false,
            number: 1,
            bytes: 0,
            has_ended: false,
            is_broken: false,
        }
    }

    /// Whether the file couldn't be read, so that no line follows.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// The number of the line that is being read, or was read last.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// How many bytes have been read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The name in the line that is being read, if it has been read.
    pub(super) fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }

    /// Skips blank lines. Returns whether there is a further line; its parts are next.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the file can't be read.
    pub(super) async fn begin(&mut self) -> Result<bool> {
        self.splitter = Splitter::new(VERSIONS, self.limits);
        (self.members, self.agent, self.has_versions) = (Object::new(), None, false);
        while !self.has_ended {
            let chunk = self.from.fill_buf().await.map_err(broken(&mut self.is_broken))?;
            let Some(&first) = chunk.first() else {
                self.has_ended = true;
                return Ok(false);
            };
            let is_mark =
                usize::try_from(self.bytes).ok().and_then(|at| BYTE_ORDER_MARK.get(at)) == Some(&first);
            match first {
                b'\n' => self.number += 1,
                b' ' | b'\t' | b'\r' => {}
                _ if is_mark => {}
                _ => return Ok(true),
            }
            self.skip(1);
        }
        Ok(false)
    }

    /// Reads the next part of the line that [`LineReader::begin`] found.
    ///
    /// # Errors
    /// [`Error::Invalid`] or [`Error::TooLarge`]. [`LineReader::skip_line`] continues with the next line.
    pub(super) async fn next(&mut self) -> Result<LinePart> {
        loop {
            let chunk = self.from.fill_buf().await.map_err(broken(&mut self.is_broken))?;
            let (line, ends) = match chunk.iter().position(|byte| *byte == b'\n') {
                Some(end) => (chunk.get(..end).unwrap_or_default(), true),
                None => (chunk, chunk.is_empty()),
            };
            let mut rest = line;
            let piece = self.splitter.next(&mut rest);
            let (taken, was) = (line.len() - rest.len(), rest.first().copied());
            let is_utf16 = piece.is_err() && is_utf16(rest);
            self.skip(taken);
            match piece {
                Ok(Some(Piece::Item(item))) => return Ok(LinePart::Version(item)),
                Ok(Some(Piece::Member(key, value))) => {
                    if key == VERSIONS {
                        return Err(no_versions(Some(&value)));
                    }
                    if key == "agent" {
                        self.agent = value.as_str().map(str::to_owned);
                    }
                    self.members.insert(key, value);
                }
                Ok(Some(Piece::List)) => self.has_versions = true,
                Ok(Some(Piece::End)) => {}
                Ok(None) if ends => return self.end(),
                Ok(None) => {}
                Err(_) if is_utf16 => return Err(invalid(UTF_16)),
                Err(_) if self.splitter.is_blank() => return Err(no_object(was)),
                Err(err) => return Err(unreadable(err)),
            }
        }
    }

    /// Reads the members of a line whose text has ended.
    fn end(&mut self) -> Result<LinePart> {
        self.splitter.finish().map_err(|err| {
            let Error::Invalid { message, .. } = not_json(err) else { return invalid(ONE_A_LINE) };
            invalid(format!("{message}; {ONE_A_LINE} over several lines"))
        })?;
        let head = LineHead::read(std::mem::take(&mut self.members))?;
        if !self.has_versions {
            return Err(no_versions(None));
        }
        Ok(LinePart::End(head))
    }

    /// Skips the rest of a line that can't be read.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the file can't be read.
    pub(super) async fn skip_line(&mut self) -> Result<()> {
        loop {
            let chunk = self.from.fill_buf().await.map_err(broken(&mut self.is_broken))?;
            let (len, ends) = match chunk.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end, true),
                None => (chunk.len(), chunk.is_empty()),
            };
            self.skip(len);
            if ends {
                return Ok(());
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.from.consume(bytes);
        self.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
    }
}

/// Whether this text, which isn't JSON in UTF-8, looks like UTF-16: it begins with a mark, or has a null byte.
fn is_utf16(text: &[u8]) -> bool {
    text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]) || text.contains(&0)
}

fn unreadable(err: ReadError) -> Error {
    match *err.kind() {
        ReadErrorKind::TooLong { limit } => Error::TooLarge {
            field: err.path().to_string(),
            actual: limit.saturating_add(1),
            limit,
            unit: "bytes or more",
        },
        _ => not_json(err),
    }
}

fn broken(is_broken: &mut bool) -> impl FnOnce(io::Error) -> Error {
    move |err| {
        *is_broken = true;
        invalid(format!("the file can't be read: {err}"))
    }
}

/// The error of a line that doesn't begin with `{`.
fn no_object(first: Option<u8>) -> Error {
    match first {
        Some(b'[') => {
            invalid(format!("expected an object with an agent, found `[`: {ONE_A_LINE} as one array"))
        }
        Some(first) if first.is_ascii_graphic() => {
            let first = char::from(first);
            invalid(format!(
                "not JSON: expected an object with an agent, found `{first}`: {ONE_A_LINE} as text"
            ))
        }
        _ => invalid(format!("not JSON: expected an object with an agent: {ONE_A_LINE} as text")),
    }
}
