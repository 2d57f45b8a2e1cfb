//! Scans the tokens of a text before it is parsed: checks limits, and works around errors of the parser.
//!
//! The tokens come from the parser's own lexer, so both agree on strings. The parser gets a text of the tokens
//! alone, at the same offsets, because it rejects some commas that the grammar ignores, and doesn't support
//! descriptions of operations. It also ignores names without a value in arguments and objects, and accepts line
//! breaks in strings. The scan rejects both.

use apollo_parser::{Lexer, Token, TokenKind};

use crate::{
    document::Source,
    error::{Error, ErrorKind},
    limits::{Figure, Limits, within},
};

/// The maximum number of lexemes (tokens, commas and runs of white space), as a multiple of the token limit.
const SEPARATORS: usize = 4;

/// Checks a text and returns the text to parse: the same tokens at the same offsets, with spaces between them.
/// Descriptions of operations, fragments and variables (September 2025) are blanked out, since an executor ignores
/// them.
///
/// Takes time linear in the length of the text, which is at most [`Limits::bytes`].
pub(crate) fn scan(source: &Source, limits: &Limits) -> Result<String, Error> {
    let text = source.text();
    let mut scan = Scan {
        source,
        text,
        limits,
        out: String::with_capacity(text.len()),
        tokens: 0,
        open: Vec::new(),
        held: None,
        before: None,
    };
    for (lexed, token) in Lexer::new(text).enumerate() {
        within(Figure::Tokens, lexed / SEPARATORS, limits.tokens)?;
        let token = token.map_err(|error| scan.malformed(error.message(), error.index()))?;
        scan.token(&token)?;
    }
    scan.finish()
}

/// The content of an open bracket, and the token expected next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Selections,
    /// `$name: Type = default` of an operation.
    Definitions,
    /// `name: value` in parentheses or braces.
    Pairs(Next),
    List,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Name,
    Colon,
    Value,
    /// The name of a variable, after `$`.
    Variable,
}

struct Scan<'a> {
    source: &'a Source,
    text: &'a str,
    limits: &'a Limits,
    /// The text for the parser.
    out: String,
    tokens: usize,
    open: Vec<Frame>,
    /// A string that may be a description, depending on the next token.
    held: Option<Token<'a>>,
    before: Option<TokenKind>,
}

impl<'a> Scan<'a> {
    fn token(&mut self, token: &Token<'a>) -> Result<(), Error> {
        let kind = token.kind();
        match kind {
            TokenKind::Whitespace | TokenKind::Comma | TokenKind::Eof => return Ok(()),
            TokenKind::Comment => return self.count(),
            _ => self.count()?,
        }
        let describes = match (kind, self.open.last()) {
            (TokenKind::Name, None) => is_definition(token.data()),
            (TokenKind::Dollar, Some(Frame::Definitions)) => true,
            (TokenKind::Dollar, Some(Frame::Pairs(Next::Name))) => self.open.len() == 1,
            _ => false,
        };
        if let Some(held) = self.held.take().filter(|_| !describes) {
            return Err(
                self.malformed("unexpected string: only a description may precede this", held.index())
            );
        }
        if kind == TokenKind::StringValue && self.may_describe() {
            self.held = Some(token.clone());
        } else {
            self.put(token)?;
        }
        self.before = Some(kind);
        Ok(())
    }

    fn count(&mut self) -> Result<(), Error> {
        self.tokens += 1;
        within(Figure::Tokens, self.tokens, self.limits.tokens)
    }

    /// Whether a string at this position may be a description, which precedes a definition or a variable. A string
    /// after `=` is a default value.
    fn may_describe(&self) -> bool {
        match self.open.as_slice() {
            [] => true,
            [Frame::Definitions] => self.before != Some(TokenKind::Eq),
            [Frame::Pairs(Next::Name)] => true,
            _ => false,
        }
    }

    /// Checks a token that isn't a description, and appends it to the output.
    fn put(&mut self, token: &Token<'a>) -> Result<(), Error> {
        let (kind, data) = (token.kind(), token.data());
        match kind {
            TokenKind::Name => within(Figure::NameBytes, data.len(), self.limits.name_bytes)?,
            TokenKind::StringValue if !data.starts_with("\"\"\"") && data.contains(['\n', '\r']) => {
                return Err(self.malformed("a string must end on the line on which it begins", token.index()));
            }
            _ => {}
        }
        self.step(token)?;
        within(Figure::Nesting, self.open.len(), self.limits.nesting)?;
        self.pad(token.index());
        self.out.push_str(data);
        Ok(())
    }

    /// Tracks the content of brackets. Other errors in the order of tokens are left to the parser.
    fn step(&mut self, token: &Token<'a>) -> Result<(), Error> {
        let kind = token.kind();
        if let Some(Frame::Pairs(Next::Colon)) = self.open.last()
            && kind != TokenKind::Colon
        {
            return Err(self.malformed("expected `:` and a value after a name", token.index()));
        }
        match kind {
            TokenKind::LParen => self.open.push(Frame::Pairs(Next::Name)),
            TokenKind::LBracket => self.open.push(Frame::List),
            TokenKind::LCurly => {
                let is_value = matches!(self.open.last(), Some(frame) if *frame != Frame::Selections);
                self.open.push(if is_value { Frame::Pairs(Next::Name) } else { Frame::Selections });
            }
            TokenKind::RParen | TokenKind::RBracket | TokenKind::RCurly => {
                self.open.pop();
                self.after_value();
            }
            _ => match (self.open.last_mut(), kind) {
                (Some(frame @ Frame::Pairs(Next::Name)), TokenKind::Dollar) => *frame = Frame::Definitions,
                (Some(Frame::Pairs(next @ Next::Name)), TokenKind::Name) => *next = Next::Colon,
                (Some(Frame::Pairs(next @ Next::Colon)), TokenKind::Colon) => *next = Next::Value,
                (Some(Frame::Pairs(next @ Next::Value)), TokenKind::Dollar) => *next = Next::Variable,
                (Some(Frame::Pairs(next @ (Next::Value | Next::Variable))), _) => *next = Next::Name,
                _ => {}
            },
        }
        Ok(())
    }

    /// Expects the next name, because a bracketed value has ended.
    fn after_value(&mut self) {
        if let Some(Frame::Pairs(next)) = self.open.last_mut() {
            *next = Next::Name;
        }
    }

    /// Appends spaces up to this offset, and preserves line breaks.
    fn pad(&mut self, offset: usize) {
        let between = self.text.get(self.out.len()..offset).unwrap_or_default();
        self.out.extend(between.bytes().map(|byte| match byte {
            b'\n' => '\n',
            b'\r' => '\r',
            _ => ' ',
        }));
    }

    fn finish(self) -> Result<String, Error> {
        match &self.held {
            Some(held) => {
                Err(self.malformed("unexpected string: only a description may precede this", held.index()))
            }
            None => Ok(self.out),
        }
    }

    fn malformed(&self, what: &str, offset: usize) -> Error {
        let mut error = Error::new(ErrorKind::Syntax, format!("the document does not parse: {what}"));
        error.locations.push(self.source.pos_at(offset));
        error
    }
}

fn is_definition(word: &str) -> bool {
    matches!(word, "query" | "mutation" | "subscription" | "fragment")
}
