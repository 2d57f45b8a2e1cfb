//! Numbers, stored as their tokens.

use std::fmt;

use crate::lexer;

/// The maximum length of a token that is stored inline, in bytes.
const INLINE: usize = 22;

/// A finite number, stored as its JSON token. Numbers are equal if their tokens are: `1`, `1.0` and `1e0` differ.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(Token);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Token {
    // Bytes after the first `len` are zero, so that the derived `Eq` and `Hash` are correct.
    Short { len: u8, bytes: [u8; INLINE] },
    Long(Box<str>),
}

impl Number {
    /// Parses a token. Returns `None` if it isn't a JSON number, or exceeds the largest double.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Self> {
        let number = lexer::number(token.as_bytes()).ok()?;
        (number.len == token.len() && number.is_finite(token)).then(|| Self::from_checked(token))
    }

    /// Makes a number from a checked token.
    pub(crate) fn from_checked(token: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..token.len()), u8::try_from(token.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(token.as_bytes());
                Self(Token::Short { len, bytes })
            }
            _ => Self(Token::Long(token.into())),
        }
    }

    /// Converts a double, with the fewest digits that parse to the same double. Returns `None` for infinity and NaN.
    #[must_use]
    pub fn from_f64(number: f64) -> Option<Self> {
        // Rust's `Debug` format of a finite double is a JSON number: `1.0`, `1e21`, `5e-324`.
        number.is_finite().then(|| Self::from_checked(&format!("{number:?}")))
    }

    /// Returns the token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // The bytes come from a `str`, so this can't fail.
            Token::Short { len, bytes } => bytes
                .get(..usize::from(*len))
                .and_then(|token| str::from_utf8(token).ok())
                .unwrap_or_default(),
            Token::Long(token) => token,
        }
    }

    /// Whether the token has neither fraction nor exponent: `1` and `-0`, but not `1.0` or `1e3`.
    #[must_use]
    pub fn is_integer_token(&self) -> bool {
        !self.as_str().bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
    }

    /// Returns the value if the token is an integer that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        // Tokens with a fraction or an exponent don't parse as integers.
        self.as_str().parse().ok()
    }

    /// Returns the value if the token is an integer that fits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.as_str().parse().ok()
    }

    /// Returns the nearest double.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        // A checked token always parses.
        self.as_str().parse().unwrap_or_default()
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self::from_checked(&number.to_string())
    }
}

impl From<i32> for Number {
    fn from(number: i32) -> Self {
        i64::from(number).into()
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::from_checked(&number.to_string())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stays_as_it_is() {
        let long = "123456789012345678901234567890.5";
        for token in ["0", "-0", "1", "1.0", "1e0", "1E+2", "-1.5e-7", "9223372036854775808", long] {
            assert_eq!(Number::from_token(token).unwrap().as_str(), token);
        }
        for token in ["", "-", "01", "+1", "1.", ".5", "1e", "1e+", "0x1", "1 ", " 1", "NaN", "1e400", "--1"]
        {
            assert_eq!(Number::from_token(token), None, "{token}");
        }
        let digits = "9".repeat(308);
        assert!(Number::from_token(&digits).is_some() && Number::from_token(&(digits + "9")).is_none());
        assert_eq!(size_of::<Number>(), 24);
    }

    #[test]
    fn its_value_is_what_the_token_says() {
        let number = |token: &str| Number::from_token(token).unwrap();
        assert_eq!(
            (number("-7").as_i64(), number("-7").as_u64(), number("-7").as_f64()),
            (Some(-7), None, -7.0)
        );
        assert_eq!((number("1.0").as_i64(), number("1e3").as_u64()), (None, None));
        assert_eq!(number("-0").as_i64(), Some(0));
        assert!(number("-0").as_f64().is_sign_negative());
        let max = u64::MAX.to_string();
        assert_eq!((number(&max).as_i64(), number(&max).as_u64()), (None, Some(u64::MAX)));
        assert!(number("1").is_integer_token() && number("-0").is_integer_token());
        assert!(!number("1.0").is_integer_token() && !number("1e3").is_integer_token());
        for double in [0.0, -0.0, 0.1, 1.0, 1e21, 5e-324, f64::MAX, f64::MIN_POSITIVE] {
            let given = Number::from_f64(double).unwrap();
            assert_eq!(number(given.as_str()).as_f64().to_bits(), double.to_bits());
        }
        assert_eq!((Number::from_f64(f64::NAN), Number::from_f64(f64::INFINITY)), (None, None));
        assert_eq!(Number::from(i64::MIN).as_i64(), Some(i64::MIN));
    }
}
