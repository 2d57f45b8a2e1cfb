//! A text's tokens, one after another, each with its place.

use async_graphql::Pos;

use super::{Malformed, Result, text};

/// What a token is.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::graphql::parse) enum Kind<'a> {
    /// One of the marks that executable documents have.
    Mark(u8),
    /// `...`
    Spread,
    Name(&'a str),
    Number(&'a str),
    /// A string's value, plain or block.
    Text(String),
    /// There is no more.
    End,
}

/// A token and where it begins.
#[derive(Debug)]
pub(in crate::graphql::parse) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) pos: Pos,
}

pub(in crate::graphql::parse) struct Lexer<'a> {
    rest: &'a str,
    pos: Pos,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, pos: Pos { line: 1, column: 1 } }
    }

    /// The next token, after what is ignored.
    pub(super) fn token(&mut self) -> Result<Token<'a>> {
        self.skip();
        let (pos, rest) = (self.pos, self.rest);
        let wrong = |what| Malformed { what, at: pos };
        let (kind, length) = match rest.as_bytes() {
            [] => (Kind::End, 0),
            [mark @ (b'!' | b'$' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'}'), ..] => {
                (Kind::Mark(*mark), 1)
            }
            [b'.', b'.', b'.', ..] => (Kind::Spread, 3),
            [b'_' | b'a'..=b'z' | b'A'..=b'Z', ..] => {
                let name = start(rest, run(rest.as_bytes(), is_name));
                (Kind::Name(name), name.len())
            }
            [b'-' | b'0'..=b'9', ..] => {
                let number = number(rest).ok_or(wrong("a number is malformed"))?;
                (Kind::Number(number), number.len())
            }
            [b'"', b'"', b'"', ..] => {
                let (value, length) = text::block(rest).ok_or(wrong("a string does not end"))?;
                (Kind::Text(value), length)
            }
            [b'"', ..] => {
                let (value, length) = text::line(rest).ok_or(wrong("a string is malformed"))?;
                (Kind::Text(value), length)
            }
            _ => return Err(wrong("a character belongs nowhere")),
        };
        self.advance(length);
        Ok(Token { kind, pos })
    }

    /// Passes over what is ignored.
    fn skip(&mut self) {
        loop {
            let rest = self.rest.as_bytes();
            let length = match rest {
                [byte, ..] if is_blank(*byte) => run(rest, is_blank),
                [b'#', ..] => run(rest, |byte| byte != b'\n' && byte != b'\r'),
                [0xef, 0xbb, 0xbf, ..] => 3,
                _ => return,
            };
            self.advance(length);
        }
    }

    /// Goes on by so many bytes. Places are async-graphql's: a column is a character, and a line ends with a line feed
    /// alone, so that a carriage return goes back to its start.
    fn advance(&mut self, length: usize) {
        let (passed, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        // Most tokens are so short that there is nothing to win.
        if length < SHORT {
            for byte in passed.bytes() {
                match byte {
                    b'\n' => self.pos = Pos { line: self.pos.line + 1, column: 1 },
                    b'\r' => self.pos.column = 1,
                    _ if is_continuation(byte) => {}
                    _ => self.pos.column += 1,
                }
            }
            return;
        }
        self.pos.line += passed.bytes().filter(|byte| *byte == b'\n').count();
        let last = match passed.rfind('\n').max(passed.rfind('\r')) {
            Some(at) => {
                self.pos.column = 1;
                passed.get(at + 1..).unwrap_or_default()
            }
            None => passed,
        };
        self.pos.column += last.chars().count();
    }
}

/// What is shorter is looked at byte by byte.
const SHORT: usize = 32;

pub(in crate::graphql) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',')
}

/// Whether it is the second byte of a character, or a later one.
fn is_continuation(byte: u8) -> bool {
    (0x80..=0xbf).contains(&byte)
}

pub(in crate::graphql) fn is_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// How many bytes at the start of this are as wanted. In a long run the compiler looks at many at once, since nothing
/// within a chunk depends on what came before.
pub(in crate::graphql) fn run(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    let (first, rest) = bytes.split_at_checked(SHORT).unwrap_or((bytes, &[]));
    let short = first.iter().take_while(|byte| wanted(**byte)).count();
    if short < SHORT {
        return short;
    }
    let is_whole = |chunk: &&[u8]| chunk.iter().fold(true, |all, byte| all & wanted(*byte));
    let whole = short + SHORT * rest.chunks_exact(SHORT).take_while(is_whole).count();
    whole + bytes.get(whole..).unwrap_or_default().iter().take_while(|byte| wanted(**byte)).count()
}

fn start(text: &str, length: usize) -> &str {
    text.get(..length).unwrap_or(text)
}

/// The number that this begins with, unless it is malformed: a leading zero, no digit where one must be, or a name right
/// after it.
fn number(text: &str) -> Option<&str> {
    let digits =
        |from: usize| text.get(from..).map_or(0, |rest| run(rest.as_bytes(), |byte| byte.is_ascii_digit()));
    let at = |at: usize| text.as_bytes().get(at).copied();
    let sign = usize::from(at(0) == Some(b'-'));
    let whole = digits(sign);
    if whole == 0 || (whole > 1 && at(sign) == Some(b'0')) {
        return None;
    }
    let mut end = sign + whole;
    if at(end) == Some(b'.') {
        let part = digits(end + 1);
        if part == 0 {
            return None;
        }
        end += 1 + part;
    }
    if matches!(at(end), Some(b'e' | b'E')) {
        let from = end + 1 + usize::from(matches!(at(end + 1), Some(b'+' | b'-')));
        let exponent = digits(from);
        if exponent == 0 {
            return None;
        }
        end = from + exponent;
    }
    let is_over = !at(end).is_some_and(|byte| byte == b'.' || is_name(byte));
    is_over.then(|| start(text, end))
}
