//! The parser: one loop over the text, with an explicit stack of open arrays and objects.

use std::mem;

use crate::{
    Json, Limits, Number, Object, Path, Position, ReadError, ReadErrorKind, Segment, error::FoundToken, lexer,
};

/// The prefix of all keys that serde_json interprets, in any of its features.
pub(crate) const RESERVED: &str = "$serde_json::private::";
const BYTE_ORDER_MARK: &str = "\u{feff}";

pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Json, ReadError> {
    if bytes.len() > limits.bytes {
        let kind = ReadErrorKind::TooLong { limit: limits.bytes };
        return Err(ReadError { kind, path: Path::default(), position: None });
    }
    // Invalid UTF-8 is parsed up to the first invalid byte, so that the error has a path.
    let (text, is_whole) = match str::from_utf8(bytes) {
        Ok(text) => (text, true),
        Err(err) => {
            let valid = bytes.get(..err.valid_up_to()).unwrap_or_default();
            (str::from_utf8(valid).unwrap_or_default(), false)
        }
    };
    let at = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let mut reader = Reader { text, at, values: 0, limits, open: Vec::new(), is_between: false };
    let read = reader.document();
    let read = match read {
        Ok(_) if !is_whole => Err(ReadErrorKind::NotUtf8),
        Err(ReadErrorKind::Unexpected { found: FoundToken::End, .. }) if !is_whole => {
            Err(ReadErrorKind::NotUtf8)
        }
        read => read,
    };
    read.map_err(|kind| ReadError { kind, path: reader.path(), position: Some(position(text, reader.at)) })
}

fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    let column = line.trim_start_matches(BYTE_ORDER_MARK).chars().count() + 1;
    Position { offset, line: before.matches('\n').count() + 1, column }
}

struct Reader<'t> {
    text: &'t str,
    /// The offset of the next byte. After an error, the offset of the error.
    at: usize,
    values: usize,
    limits: &'t Limits,
    /// The containers around the innermost one, from the outside in.
    open: Vec<Open>,
    /// Whether the parser is between two values of the innermost container.
    is_between: bool,
}

/// A container that is being read.
enum Open {
    /// The document, which contains one value.
    Root,
    /// An array, with the items read so far.
    Array(Vec<Json>),
    /// An object, with the members read so far. The last value is null until it has been read.
    Object(Object),
}

type Step<T> = Result<T, ReadErrorKind>;

impl Reader<'_> {
    fn document(&mut self) -> Step<Json> {
        let mut inner = Open::Root;
        let read = self.values_into(&mut inner);
        if read.is_err() {
            self.open.push(inner);
        }
        read
    }

    fn values_into(&mut self, inner: &mut Open) -> Step<Json> {
        loop {
            let first = self.token();
            self.is_between = false;
            let mut value = match first {
                Some(b'[') => {
                    self.deeper()?;
                    if self.token() != Some(b']') {
                        self.open.push(mem::replace(inner, Open::Array(Vec::new())));
                        self.count()?;
                        continue;
                    }
                    self.at += 1;
                    Json::Array(Vec::new())
                }
                Some(b'{') => {
                    self.deeper()?;
                    if self.token() != Some(b'}') {
                        self.open.push(mem::replace(inner, Open::Object(Object::new())));
                        self.is_between = true;
                        if let Open::Object(object) = inner {
                            self.member(object)?;
                        }
                        continue;
                    }
                    self.at += 1;
                    Json::Object(Object::new())
                }
                _ => self.scalar(first)?,
            };
            // Adds the value to its container. If that closes the container, the container is the next value.
            loop {
                match inner {
                    Open::Root => {
                        let is_end = self.token().is_none();
                        return if is_end {
                            Ok(value)
                        } else {
                            Err(self.unexpected("nothing after the value"))
                        };
                    }
                    Open::Array(items) => {
                        items.push(value);
                        self.is_between = true;
                        match self.token() {
                            Some(b',') => {
                                self.at += 1;
                                self.count()?;
                                break;
                            }
                            Some(b']') => {}
                            _ => return Err(self.unexpected("`,` or `]`")),
                        }
                    }
                    Open::Object(object) => {
                        if let Some(last) = object.last_mut() {
                            *last = value;
                        }
                        self.is_between = true;
                        match self.token() {
                            Some(b',') => {
                                self.at += 1;
                                self.member(object)?;
                                break;
                            }
                            Some(b'}') => {}
                            _ => return Err(self.unexpected("`,` or `}`")),
                        }
                    }
                }
                self.at += 1;
                value = self.close(inner);
            }
        }
    }

    /// Closes the innermost container and returns it.
    fn close(&mut self, inner: &mut Open) -> Json {
        self.is_between = false;
        match mem::replace(inner, self.open.pop().unwrap_or(Open::Root)) {
            Open::Array(items) => Json::Array(items),
            Open::Object(object) => Json::Object(object),
            // Unreachable: the root isn't closed.
            Open::Root => Json::Null,
        }
    }

    /// Reads a value that isn't a container.
    fn scalar(&mut self, first: Option<u8>) -> Step<Json> {
        match first {
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => Err(self.unexpected("a value")),
        }
    }

    /// Reads a key and its colon, and adds the member to `object`.
    fn member(&mut self, object: &mut Object) -> Step<()> {
        if self.token() != Some(b'"') {
            return Err(self.unexpected("a key in double quotes"));
        }
        self.count()?;
        let begin = self.at;
        let key = self.string()?;
        let wrong = if key.starts_with(RESERVED) && !self.limits.takes_reserved_keys {
            Some(ReadErrorKind::ReservedKey)
        } else {
            object.insert_new(key, Json::Null).map(ReadErrorKind::DoubledKey)
        };
        if let Some(wrong) = wrong {
            self.at = begin;
            return Err(wrong);
        }
        self.is_between = false;
        match self.token() {
            Some(b':') => self.at += 1,
            _ => return Err(self.unexpected("`:`")),
        }
        Ok(())
    }

    /// Skips an opening bracket, and checks the depth.
    fn deeper(&mut self) -> Step<()> {
        let limit = self.limits.depth.min(Limits::DEPTH_MAX);
        if self.open.len() >= limit {
            return Err(ReadErrorKind::TooDeep { limit });
        }
        self.at += 1;
        Ok(())
    }

    fn count(&mut self) -> Step<()> {
        self.values += 1;
        let limit = self.limits.values;
        if self.values > limit { Err(ReadErrorKind::TooManyValues { limit }) } else { Ok(()) }
    }

    /// Skips white space, and returns the next byte without skipping it.
    fn token(&mut self) -> Option<u8> {
        let next = self.peek()?;
        if next > b' ' {
            return Some(next);
        }
        self.at += lexer::space(self.rest());
        self.peek()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Skips `len` bytes and returns them. They must end at a character boundary.
    fn take(&mut self, len: usize) -> &str {
        let begin = self.at;
        self.at += len;
        self.text.get(begin..self.at).unwrap_or_default()
    }

    fn unexpected(&self, expected: &'static str) -> ReadErrorKind {
        let found = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        ReadErrorKind::Unexpected { expected, found: found.map_or(FoundToken::End, FoundToken::Character) }
    }

    fn word(&mut self, word: &'static str, value: Json) -> Step<Json> {
        let same = self.rest().iter().zip(word.bytes()).take_while(|(byte, other)| *byte == other).count();
        self.at += same;
        if same == word.len() { Ok(value) } else { Err(self.unexpected(word)) }
    }

    fn number(&mut self) -> Step<Number> {
        match lexer::number(self.rest()) {
            Err(len) => {
                self.at += len;
                Err(self.unexpected("a number, such as -1.5e3"))
            }
            Ok(number) => {
                let token = self.text.get(self.at..self.at + number.len).unwrap_or_default();
                if !number.is_finite(token) {
                    return Err(ReadErrorKind::NumberTooLarge);
                }
                self.at += number.len;
                Ok(Number::from_checked(token))
            }
        }
    }

    /// Reads a string, including both quotes.
    fn string(&mut self) -> Step<String> {
        self.at += 1;
        let plain = lexer::plain(self.rest());
        let mut string = self.take(plain).to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => {
                    let character = self.escape()?;
                    string.push(character);
                }
                Some(_) => return Err(ReadErrorKind::ControlCharacter),
                None => return Err(self.unexpected("the `\"` that ends a string")),
            }
            let plain = lexer::plain(self.rest());
            string.push_str(self.take(plain));
        }
    }

    /// Reads an escape, from its backslash on.
    fn escape(&mut self) -> Step<char> {
        let rest = self.rest();
        let character = match rest.get(1) {
            Some(b'u') => return self.unicode_escape(),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(same @ (b'"' | b'\\' | b'/')) => char::from(*same),
            Some(_) => return Err(ReadErrorKind::BadEscape),
            None => return Err(self.past_end()),
        };
        self.at += 2;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Step<char> {
        let rest = self.rest();
        let unit = |at: usize| {
            let digits = rest.get(at..)?.strip_prefix(b"\\u")?;
            lexer::hex(digits)
        };
        let Some(first) = unit(0) else {
            return Err(if rest.len() < 6 { self.past_end() } else { ReadErrorKind::BadEscape });
        };
        let second = unit(6).filter(|second| (0xdc00..0xe000).contains(second));
        let (units, len) = match second {
            Some(second) if (0xd800..0xdc00).contains(&first) => ([first, second], 12),
            _ => ([first, 0], 6),
        };
        match char::decode_utf16(units).next() {
            Some(Ok(character)) => {
                self.at += len;
                Ok(character)
            }
            _ => Err(ReadErrorKind::LoneSurrogate),
        }
    }

    fn past_end(&mut self) -> ReadErrorKind {
        self.at = self.text.len();
        self.unexpected("the `\"` that ends a string")
    }

    /// Returns the path of the current value.
    fn path(&self) -> Path {
        let known = self.open.len().saturating_sub(usize::from(self.is_between));
        let segment = |open: &Open| match open {
            Open::Root => None,
            Open::Array(items) => Some(Segment::Index(items.len())),
            Open::Object(object) => object.keys().last().map(|key| Segment::Key(key.to_owned())),
        };
        Path::new(self.open.iter().take(known).filter_map(segment).collect())
    }
}
