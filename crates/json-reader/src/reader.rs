//! The reader: one loop over the text, with the open arrays and objects on a stack of its own.

use std::mem;

use crate::{
    Json, Limits, Number, Object, Path, Position, ReadError, ReadErrorKind, Segment, error::Found, lexer,
};

/// What serde_json interprets begins with this, in whichever of its features.
const RESERVED: &str = "$serde_json::private::";
const BYTE_ORDER_MARK: &str = "\u{feff}";

pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Json, ReadError> {
    if bytes.len() > limits.bytes {
        let kind = ReadErrorKind::TooLong { limit: limits.bytes };
        return Err(ReadError { kind, path: Path::default(), position: None });
    }
    // What is not UTF-8 is read up to there, so that the error has its path.
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
        Err(ReadErrorKind::Unexpected { found: Found::End, .. }) if !is_whole => Err(ReadErrorKind::NotUtf8),
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
    /// Where the next byte is; when something is wrong, where that is.
    at: usize,
    values: usize,
    limits: &'t Limits,
    /// What has begun around the innermost array or object, from the outside in.
    open: Vec<Open>,
    /// Whether the last value of the innermost array or object has been read, and the next has not begun.
    is_between: bool,
}

/// What the next value is put into.
enum Open {
    /// The whole, which is one value.
    Root,
    /// An array, with the items that have been read.
    Array(Vec<Json>),
    /// An object, with the members that have been read; the last one is null as long as its value has not been.
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
            // A value that ends an array or an object makes that a value in its turn.
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

    /// Ends the innermost array or object.
    fn close(&mut self, inner: &mut Open) -> Json {
        self.is_between = false;
        match mem::replace(inner, self.open.pop().unwrap_or(Open::Root)) {
            Open::Array(items) => Json::Array(items),
            Open::Object(object) => Json::Object(object),
            // The whole is never in another.
            Open::Root => Json::Null,
        }
    }

    /// Reads a value that holds no others.
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

    /// Reads a key and its colon, and begins the member of the innermost object.
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

    /// Goes past an opening bracket.
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

    /// The next byte that is no white space, without going past it.
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

    /// Goes past so many bytes, and answers them. They end where a character does.
    fn take(&mut self, len: usize) -> &str {
        let begin = self.at;
        self.at += len;
        self.text.get(begin..self.at).unwrap_or_default()
    }

    fn unexpected(&self, expected: &'static str) -> ReadErrorKind {
        let found = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        ReadErrorKind::Unexpected { expected, found: found.map_or(Found::End, Found::Character) }
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

    /// Reads a string, from its opening quote to behind its closing one.
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

    /// The way to what is read.
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
