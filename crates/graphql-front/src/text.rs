//! The text, token by token, before it is parsed: how long it is, and how deep its brackets go.
//!
//! The tokens are those of the parser's own lexer, so both agree on what is quoted.

use apollo_parser::{Lexer, TokenKind};

use crate::{
    error::Error,
    limits::{Figure, Limits, within},
};

/// How many commas, runs of white space and tokens there may be for each token that is allowed.
const SEPARATORS: usize = 4;

/// Refuses a text that is too much for the parser, and answers the text to parse: the same, with descriptions of
/// operations, fragments and variables blanked out. The specification of September 2025 has them, the parser doesn't
/// know them, and they mean nothing to an executor. Offsets stay what they are.
///
/// Takes time in proportion to the text, at most [`Limits::bytes`].
pub(crate) fn scan(text: &str, limits: &Limits) -> Result<String, Error> {
    within(Figure::Bytes, text.len(), limits.bytes)?;
    let (mut tokens, mut open) = (0_usize, Vec::new());
    let mut descriptions = Vec::new();
    // The last string, when it stands where a description may; and the kind of the token before it.
    let (mut candidate, mut before) = (None, None);
    for (lexed, token) in Lexer::new(text).enumerate() {
        // Commas and runs of white space mean nothing, and the parser keeps them all the same.
        within(Figure::Tokens, lexed / SEPARATORS, limits.tokens)?;
        // What is no token is the parser's to report, and counts as one.
        let Ok(token) = token else {
            tokens += 1;
            within(Figure::Tokens, tokens, limits.tokens)?;
            continue;
        };
        let kind = token.kind();
        tokens += usize::from(!matches!(kind, TokenKind::Whitespace | TokenKind::Comma | TokenKind::Eof));
        within(Figure::Tokens, tokens, limits.tokens)?;
        match kind {
            TokenKind::Whitespace | TokenKind::Comma | TokenKind::Comment => continue,
            TokenKind::LParen | TokenKind::LBracket | TokenKind::LCurly => open.push(kind),
            // A bracket that nothing opened is the parser's to report.
            TokenKind::RParen | TokenKind::RBracket | TokenKind::RCurly => drop(open.pop()),
            TokenKind::Name => within(Figure::NameBytes, token.data().len(), limits.name_bytes)?,
            _ => {}
        }
        within(Figure::Nesting, open.len(), limits.nesting)?;
        let describes = match (kind, open.as_slice()) {
            (TokenKind::Name, []) => is_definition(token.data()),
            // Parentheses at the top hold variable definitions; a string after `=` is a default value there.
            (TokenKind::Dollar, [TokenKind::LParen]) => true,
            _ => false,
        };
        if let (true, Some(found)) = (describes, candidate.take()) {
            descriptions.push(found);
        }
        candidate = (kind == TokenKind::StringValue && before != Some(TokenKind::Eq))
            .then(|| token.index()..token.index() + token.data().len());
        before = Some(kind);
    }
    Ok(blanked(text, &descriptions))
}

fn is_definition(word: &str) -> bool {
    matches!(word, "query" | "mutation" | "subscription" | "fragment")
}

/// The text with spaces where `places` are.
fn blanked(text: &str, places: &[std::ops::Range<usize>]) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut from = 0;
    for place in places {
        blanked.push_str(text.get(from..place.start).unwrap_or_default());
        let quoted = text.get(place.clone()).unwrap_or_default();
        // A space for each byte, not each character, so that offsets stay.
        blanked.extend(std::iter::repeat_n(' ', quoted.len()));
        from = place.end;
    }
    blanked.push_str(text.get(from..).unwrap_or_default());
    blanked
}
