//! The text, token by token, before it is parsed: how long it is, how deep its brackets go, and what the parser would read
//! wrongly.
//!
//! The tokens are those of the parser's own lexer, so both agree on what is quoted. The parser gets the tokens alone, each at
//! its offset: it refuses some commas that the grammar ignores, and doesn't know descriptions. It also drops a name without
//! a value from arguments and objects, and takes a string that begins with a line's end; both are refused here.

use apollo_parser::{Lexer, Token, TokenKind};

use crate::{
    document::Source,
    error::{Error, ErrorKind},
    limits::{Figure, Limits, within},
};

/// How many lexemes (tokens, commas and runs of white space) there may be for each token that is allowed.
const SEPARATORS: usize = 4;

/// Refuses a text that is too much for the parser, and answers the text to parse: the same tokens at the same offsets, with
/// spaces between them. Descriptions of operations, fragments and variables (September 2025) are blanked out; they mean
/// nothing to an executor.
///
/// Takes time in proportion to the text, which is at most [`Limits::bytes`] long.
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

/// What an open bracket holds, and what stands next in it.
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
    /// What the parser gets.
    out: String,
    tokens: usize,
    open: Vec<Frame>,
    /// A string that may turn out to be a description.
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
            return Err(self.malformed("a string stands where only a description may", held.index()));
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

    /// Whether a string that stands here may be a description: before a definition, or before a variable. A string after `=`
    /// is a default value.
    fn may_describe(&self) -> bool {
        match self.open.as_slice() {
            [] => true,
            [Frame::Definitions] => self.before != Some(TokenKind::Eq),
            [Frame::Pairs(Next::Name)] => true,
            _ => false,
        }
    }

    /// Takes a token over, once it is sure that it is no description.
    fn put(&mut self, token: &Token<'a>) -> Result<(), Error> {
        let (kind, data) = (token.kind(), token.data());
        match kind {
            TokenKind::Name => within(Figure::NameBytes, data.len(), self.limits.name_bytes)?,
            TokenKind::StringValue if !data.starts_with("\"\"\"") && data.contains(['\n', '\r']) => {
                return Err(self.malformed("a string ends in the line in which it begins", token.index()));
            }
            _ => {}
        }
        self.step(token)?;
        within(Figure::Nesting, self.open.len(), self.limits.nesting)?;
        self.pad(token.index());
        self.out.push_str(data);
        Ok(())
    }

    /// Follows what brackets hold. Whatever else is wrong with the order of tokens is the parser's to report.
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

    /// A bracketed value has ended: the next name may come.
    fn after_value(&mut self) {
        if let Some(Frame::Pairs(next)) = self.open.last_mut() {
            *next = Next::Name;
        }
    }

    /// Spaces up to this offset, and line ends where there were some.
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
            Some(held) => Err(self.malformed("a string stands where only a description may", held.index())),
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
