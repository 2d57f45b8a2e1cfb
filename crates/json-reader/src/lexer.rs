//! The lexer: recognises numbers, hex digits, and runs of white space and plain characters.

/// The shape of a number's token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberToken {
    /// The length in bytes.
    pub(crate) len: usize,
    /// The number of digits before the fraction.
    integer_digits: usize,
    has_exponent: bool,
}

/// The maximum number of digits of which every integer is a finite double. The largest double has 309 digits.
const DIGITS_FINITE: usize = 308;

impl NumberToken {
    /// Whether the magnitude fits a double. Parses the token only when its shape doesn't decide.
    pub(crate) fn is_finite(self, token: &str) -> bool {
        if self.integer_digits <= DIGITS_FINITE && !self.has_exponent {
            return true;
        }
        token.parse::<f64>().is_ok_and(f64::is_finite)
    }
}

/// Recognises the number at the beginning of the text.
///
/// # Errors
/// The offset at which it stops being a number, in bytes.
pub(crate) fn number(text: &[u8]) -> Result<NumberToken, usize> {
    let mut at = usize::from(text.first() == Some(&b'-'));
    let integer_digits = digits(text, at);
    match (text.get(at), integer_digits) {
        (_, 0) => return Err(at),
        // A leading zero must be the only digit.
        (Some(b'0'), 2..) => return Err(at + 1),
        _ => at += integer_digits,
    }
    if text.get(at) == Some(&b'.') {
        let fraction = digits(text, at + 1);
        if fraction == 0 {
            return Err(at + 1);
        }
        at += 1 + fraction;
    }
    let has_exponent = matches!(text.get(at), Some(b'e' | b'E'));
    if has_exponent {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(text, at);
        if exponent == 0 {
            return Err(at);
        }
        at += exponent;
    }
    Ok(NumberToken { len: at, integer_digits, has_exponent })
}

fn digits(text: &[u8], from: usize) -> usize {
    run(text.get(from..).unwrap_or_default(), |byte| byte.is_ascii_digit())
}

/// Returns the length of the prefix whose bytes satisfy `is_like`.
fn run(text: &[u8], is_like: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| !is_like(*byte)).unwrap_or(text.len())
}

/// Returns the length of the white space at the beginning of the text, in bytes.
pub(crate) fn space(text: &[u8]) -> usize {
    run(text, |byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
}

/// Returns the length of the prefix that needs no escaping in a string, in bytes. Checks eight bytes at a time.
pub(crate) fn plain(text: &[u8]) -> usize {
    const WORD: usize = size_of::<u64>();
    const ONES: u64 = u64::MAX / 0xff;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    let (words, _) = text.as_chunks::<WORD>();
    let is_plain = |word: &&[u8; WORD]| {
        let word = u64::from_le_bytes(**word);
        let is_quote = has_zero(word ^ (ONES * u64::from(b'"')));
        let is_escape = has_zero(word ^ (ONES * u64::from(b'\\')));
        // A byte below 0x20 has none of its three upper bits.
        let is_control = word.wrapping_sub(ONES * 0x20) & !word & (ONES << 7);
        is_quote | is_escape | is_control == 0
    };
    let sure = words.iter().take_while(is_plain).count() * WORD;
    let rest = text.get(sure..).unwrap_or_default();
    sure + run(rest, |byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
}

/// Parses the four hex digits at the beginning of the text.
pub(crate) fn hex(text: &[u8]) -> Option<u16> {
    text.get(..4)?.iter().try_fold(0, |number: u16, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        Some(number * 16 + u16::try_from(digit).ok()?)
    })
}
