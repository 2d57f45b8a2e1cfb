//! A place in a text, one token ahead: what stands there, and what is made of what follows. It knows no grammar.

use async_graphql::{Name, Pos, Positioned};

use super::{
    Malformed, Result,
    lexer::{Kind, Lexer, Token},
};

/// The most brackets within brackets; [`Limits`](crate::graphql::guard::Limits) allow fewer.
const NESTING_MAX: usize = 64;

pub(super) struct Cursor<'a> {
    lexer: Lexer<'a>,
    token: Token<'a>,
    /// How many brackets are open.
    nesting: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self> {
        let mut lexer = Lexer::new(text);
        let token = lexer.token()?;
        Ok(Self { lexer, token, nesting: 0 })
    }

    pub(super) fn kind(&self) -> &Kind<'a> {
        &self.token.kind
    }

    pub(super) fn pos(&self) -> Pos {
        self.token.pos
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.token.kind == Kind::End
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.token.kind, Kind::Name(name) if name == word)
    }

    pub(super) fn is_mark(&self, mark: u8) -> bool {
        self.token.kind == Kind::Mark(mark)
    }

    /// What should stand here does not.
    pub(super) fn expected<T>(&self, what: &'static str) -> Result<T> {
        Err(Malformed { what, at: self.token.pos })
    }

    /// Goes on to the next token; answers this one.
    pub(super) fn step(&mut self) -> Result<Token<'a>> {
        let next = self.lexer.token()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    /// Takes this mark, if it stands here.
    pub(super) fn takes(&mut self, mark: u8) -> Result<bool> {
        let stands = self.is_mark(mark);
        if stands {
            self.step()?;
        }
        Ok(stands)
    }

    pub(super) fn mark(&mut self, mark: u8, what: &'static str) -> Result<()> {
        if self.takes(mark)? { Ok(()) } else { self.expected(what) }
    }

    pub(super) fn name(&mut self) -> Result<Positioned<Name>> {
        let Kind::Name(name) = self.token.kind else {
            return self.expected("expected a name");
        };
        let pos = self.step()?.pos;
        Ok(Positioned::new(Name::new(name), pos))
    }

    /// What stands between these brackets, the first of which stands here.
    pub(super) fn within<T>(
        &mut self,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        if self.nesting >= NESTING_MAX {
            return self.expected("fewer brackets within brackets are allowed");
        }
        self.nesting += 1;
        self.step()?;
        let mut items = Vec::new();
        while !self.takes(close)? {
            items.push(item(self)?);
        }
        self.nesting -= 1;
        Ok(items)
    }

    /// The same, and there must be something.
    pub(super) fn some<T>(
        &mut self,
        close: u8,
        what: &'static str,
        item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let at = self.token.pos;
        let items = self.within(close, item)?;
        if items.is_empty() { Err(Malformed { what, at }) } else { Ok(items) }
    }
}
