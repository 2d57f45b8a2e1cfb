//! The raw text, in one pass over its bytes: length, tokens, names, nesting. It never recurses and builds nothing.
//!
//! What it takes for one token the parser must not take for many, and no bracket that the parser descends into may look
//! quoted here. What is no token counts as one or several, and the parser refuses it.

use super::{Figure, Limits, Refusal, within};
use crate::graphql::parse::lexer::{is_blank, is_name, run};

/// Refuses a text that is too much for the parser, or whose strings do not end. Everything else that may be wrong
/// with it is left to the parser, which says it better. Takes time in proportion to the text, at most `limits.bytes`.
pub fn scan(text: &str, limits: &Limits) -> Result<(), Refusal> {
    within(Figure::Bytes, text.len(), limits.bytes)?;
    let mut rest = text.as_bytes();
    let (mut tokens, mut nesting) = (0_usize, 0_usize);
    while let Some((lexeme, length)) = first_lexeme(rest, limits.name_bytes)? {
        match lexeme {
            Lexeme::Ignored => {}
            Lexeme::Comment | Lexeme::Token => tokens += 1,
            Lexeme::Open => (tokens, nesting) = (tokens + 1, nesting + 1),
            // One that nothing opened is the parser's to report; it reads no further.
            Lexeme::Close => (tokens, nesting) = (tokens + 1, nesting.saturating_sub(1)),
            Lexeme::Unended => return Err(unended(text, rest.len())),
        }
        within(Figure::Tokens, tokens, limits.tokens)?;
        within(Figure::Nesting, nesting, limits.nesting)?;
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lexeme {
    Ignored,
    /// It means nothing, and has to be looked at all the same.
    Comment,
    Token,
    Open,
    Close,
    Unended,
}

/// The first lexeme of `rest` and its length, at least 1. Looks at no more than that length, the longest name, and a
/// few bytes: so the whole scan is linear.
fn first_lexeme(rest: &[u8], name_bytes: usize) -> Result<Option<(Lexeme, usize)>, Refusal> {
    let Some(&first) = rest.first() else {
        return Ok(None);
    };
    Ok(Some(match first {
        byte if is_blank(byte) => (Lexeme::Ignored, run(rest, is_blank)),
        b'#' => (Lexeme::Comment, run(rest, |byte| !matches!(byte, b'\n' | b'\r'))),
        b'(' | b'[' | b'{' => (Lexeme::Open, 1),
        b')' | b']' | b'}' => (Lexeme::Close, 1),
        b'"' => {
            let end = if rest.starts_with(BLOCK_QUOTE) { block_string(rest) } else { string(rest) };
            end.map_or((Lexeme::Unended, 1), |length| (Lexeme::Token, length))
        }
        b'-' | b'0'..=b'9' => (Lexeme::Token, number(rest)),
        byte if is_name(byte) => (Lexeme::Token, name(rest, name_bytes)?),
        _ if rest.starts_with(BYTE_ORDER_MARK) => (Lexeme::Comment, BYTE_ORDER_MARK.len()),
        b'.' if rest.starts_with(b"...") => (Lexeme::Token, 3),
        _ => (Lexeme::Token, 1),
    }))
}

const BLOCK_QUOTE: &[u8] = b"\"\"\"";
const ESCAPED_BLOCK_QUOTE: &[u8] = b"\\\"\"\"";
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The length of the string that `rest` opens with, or none if a line or the text ends first.
fn string(rest: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match rest.get(at..)? {
            [b'"', ..] => return Some(at + 1),
            [b'\\', escaped, ..] if !matches!(escaped, b'\n' | b'\r') => at += 2,
            [] | [b'\\' | b'\n' | b'\r', ..] => return None,
            here => at += run(here, |byte| !matches!(byte, b'"' | b'\\' | b'\n' | b'\r')),
        }
    }
}

/// The length of the block string that `rest` opens with, or none if the text ends first. Only `\"""` is an escape.
fn block_string(rest: &[u8]) -> Option<usize> {
    let mut at = BLOCK_QUOTE.len();
    loop {
        at += run(rest.get(at..)?, |byte| !matches!(byte, b'"' | b'\\'));
        match rest.get(at..)? {
            here if here.starts_with(BLOCK_QUOTE) => return Some(at + BLOCK_QUOTE.len()),
            here if here.starts_with(ESCAPED_BLOCK_QUOTE) => at += ESCAPED_BLOCK_QUOTE.len(),
            [] => return None,
            _ => at += 1,
        }
    }
}

/// The length of the number that `rest` opens with. `007` is none, and counts as three.
fn number(rest: &[u8]) -> usize {
    let digits = |from: usize| run(rest.get(from..).unwrap_or_default(), |byte| byte.is_ascii_digit());
    let sign = usize::from(rest.starts_with(b"-"));
    let mut at = if rest.get(sign) == Some(&b'0') { sign + 1 } else { sign + digits(sign) };
    if rest.get(at) == Some(&b'.') && digits(at + 1) > 0 {
        at += 1 + digits(at + 1);
    }
    if matches!(rest.get(at), Some(b'e' | b'E')) {
        let signed = at + 1 + usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
        if digits(signed) > 0 {
            at = signed + digits(signed);
        }
    }
    at
}

/// The length of the name that `rest` opens with. It looks no further than the longest that may be.
fn name(rest: &[u8], name_bytes: usize) -> Result<usize, Refusal> {
    let length = run(rest.get(..name_bytes.saturating_add(1)).unwrap_or(rest), is_name);
    within(Figure::NameBytes, length, name_bytes)?;
    Ok(length)
}

/// Where the string is that begins `remaining` bytes before the end.
fn unended(text: &str, remaining: usize) -> Refusal {
    let before = text.get(..text.len().saturating_sub(remaining)).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Refusal::UnendedString {
        line: 1 + before.matches('\n').count(),
        column: 1 + before.get(line_start..).unwrap_or_default().chars().count(),
    }
}

#[cfg(test)]
mod tests {
    use Figure::{Bytes, NameBytes, Nesting, Tokens};

    use super::*;

    /// The lexemes of a text without what is ignored, each with its length; a string that does not end is the last.
    fn lexemes(text: &str) -> Vec<(Lexeme, usize)> {
        let (mut rest, mut found) = (text.as_bytes(), Vec::new());
        while let Some((lexeme, length)) = first_lexeme(rest, 128).unwrap() {
            assert!(length >= 1 && length <= rest.len(), "the scan moves on, and not past the end");
            if !matches!(lexeme, Lexeme::Ignored | Lexeme::Comment) {
                found.push((lexeme, length));
            }
            if lexeme == Lexeme::Unended {
                break;
            }
            rest = &rest[length..];
        }
        found
    }

    #[test]
    fn lexemes_are_the_parsers() {
        use Lexeme::{Close, Open, Token, Unended};
        let table: &[(&str, &[(Lexeme, usize)])] = &[
            ("\u{feff} ,\t\r\n # [ \" \r{", &[(Open, 1)]),
            (r#""a\"[" ]"#, &[(Token, 6), (Close, 1)]),
            (r#""\\"["#, &[(Token, 4), (Open, 1)]),
            (r#"""["#, &[(Token, 2), (Open, 1)]),
            (r#""""["#, &[(Unended, 1)]),
            ("{\"a\\\n\"", &[(Open, 1), (Unended, 1)]),
            (r#""""[\"""["""["#, &[(Token, 12), (Open, 1)]),
            (r#""""\\"""["""["#, &[(Token, 12), (Open, 1)]),
            (r#""""""""""#, &[(Token, 6), (Token, 2)]),
            ("...a ..", &[(Token, 3), (Token, 1), (Token, 1), (Token, 1)]),
            ("-1.5e+3 1.e", &[(Token, 7), (Token, 1), (Token, 1), (Token, 1)]),
            ("007", &[(Token, 1), (Token, 1), (Token, 1)]),
            ("nulltrue1nullable é", &[(Token, 17), (Token, 1), (Token, 1)]),
        ];
        for (text, expected) in table {
            assert_eq!(lexemes(text), *expected, "{text}");
        }
    }

    fn refused(text: &str) -> Option<(Figure, usize)> {
        match scan(text, &Limits::DEFAULT) {
            Ok(()) => None,
            Err(Refusal::TooMuch { figure, found, .. }) => Some((figure, found)),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn one_past_each_limit_is_refused() {
        let spaces = |bytes| format!("{{a{}}}", " ".repeat(bytes - 3));
        assert_eq!(refused(&spaces(Limits::BYTES)), None);
        assert_eq!(refused(&spaces(Limits::BYTES + 1)), Some((Bytes, Limits::BYTES + 1)));
        for item in ["0", "null ", "\"\" ", "a:", "[]", "...a", "-0", "@", "é", "#\n", "\u{feff}"] {
            let each = if matches!(item, "a:" | "[]" | "...a" | "é") { 2 } else { 1 };
            assert_eq!(refused(&item.repeat(8_000 / each)), None, "{item}");
            assert_eq!(refused(&item.repeat(8_001)), Some((Tokens, 8_001)), "{item}");
        }
        for word in ["a", "null", "a0", "true1", "_"] {
            let name = &word.repeat(129)[..129];
            assert_eq!((refused(&name[1..]), refused(name)), (None, Some((NameBytes, 129))), "{word}");
        }
        for open in ["[", "{", "(", "{a:[", "[]["] {
            let times = 40 / if open == "{a:[" { 2 } else { 1 };
            assert_eq!(refused(&open.repeat(times)), None, "{open}");
            assert_eq!(refused(&open.repeat(2_000)), Some((Nesting, 41)), "{open}");
        }
    }

    #[test]
    fn brackets_in_comments_and_strings_are_none_and_others_are_never_missed() {
        let brackets = "[".repeat(2_000);
        for text in [
            format!("{{a #{brackets}\n}}"),
            format!("{{a #\" {brackets}\r}}"),
            format!(r#"{{a(x: "{brackets}")}}"#),
            format!(r#"{{a(x: "\"{brackets}\\")}}"#),
            format!(r#"{{a(x: """{brackets} " "" \""" {brackets} """)}}"#),
            format!("{{a(x: \"\"\"\n#{brackets}\n\"\"\")}}"),
            "\u{feff}{a,,,b}".to_owned(),
        ] {
            assert_eq!(refused(&text), None, "{text:.50}");
        }
        for before in
            ["#\n", "#\r", r#""" "#, r#""\\" "#, r#""\"" "#, r#"""" \""" """ "#, "[}".repeat(10).as_str()]
        {
            assert_eq!(refused(&format!("{{a(x:[{before}{brackets}")), Some((Nesting, 41)), "{before}");
        }
    }

    #[test]
    fn a_string_that_does_not_end_is_refused_where_it_begins() {
        // Who takes the first of these for "" and " x" descends into the brackets.
        let hidden = format!("{{a(x:[\n é\"\"\" x\" {}", "[".repeat(2_000));
        let table = [("{a(x:\"b\n\")}", 1, 6), ("{a(x:\"b\\\n\")}", 1, 6), ("\"\\", 1, 1), ("#\"\n\"", 2, 1)];
        for (text, line, column) in table.into_iter().chain([(hidden.as_str(), 2, 3)]) {
            let refusal = scan(text, &Limits::DEFAULT).unwrap_err();
            assert_eq!(
                (refusal, refusal.code()),
                (Refusal::UnendedString { line, column }, "BAD_USER_INPUT")
            );
        }
    }
}
