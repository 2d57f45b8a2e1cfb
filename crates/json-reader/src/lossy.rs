//! Finds integers that change in programs which parse numbers as doubles.

use crate::{Json, Number, Object, Path, Segment};

/// The largest integer up to which doubles represent all integers exactly: 2^53−1 (RFC 7493, section 2.2).
pub const INTEGER_MAX: i64 = (1 << 53) - 1;

/// Returns the path of the first integer token beyond ±[`INTEGER_MAX`], which a program that reads doubles may round.
/// A token with a fraction or an exponent, such as `1e18`, means a double.
#[must_use]
pub fn lossy_integer(json: &Json) -> Option<Path> {
    json.find_number(&is_lossy)
}

impl Json {
    /// Returns the path of the first number that satisfies `is_like`.
    pub fn find_number(&self, is_like: &impl Fn(&Number) -> bool) -> Option<Path> {
        match self {
            Self::Number(number) => is_like(number).then(Path::default),
            Self::Array(items) => items
                .iter()
                .enumerate()
                .find_map(|(at, item)| item.find_number(is_like).map(|path| path.within(Segment::Index(at)))),
            Self::Object(object) => object.find_number(is_like),
            Self::Null | Self::Bool(_) | Self::String(_) => None,
        }
    }
}

impl Object {
    /// Returns the path of the first number that satisfies `is_like`.
    pub fn find_number(&self, is_like: &impl Fn(&Number) -> bool) -> Option<Path> {
        self.iter().find_map(|(key, value)| {
            value.find_number(is_like).map(|path| path.within(Segment::Key(key.to_owned())))
        })
    }
}

fn is_lossy(number: &Number) -> bool {
    let is_exact = |number: i64| (-INTEGER_MAX..=INTEGER_MAX).contains(&number);
    number.is_integer_token() && !number.as_i64().is_some_and(is_exact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, read};

    #[test]
    fn an_integer_is_exact_or_is_found() {
        let found = |token: &str| {
            let json = read(format!(r#"{{"a":[0,{{"b":{token}}}]}}"#).as_bytes(), &Limits::DEFAULT).unwrap();
            lossy_integer(&json).map(|path| path.to_string())
        };
        for token in [
            "0",
            "-0",
            "9007199254740991",
            "-9007199254740991",
            "0.1",
            "1e18",
            "1e21",
            "1.5e300",
            "1e-400",
            "2.0",
        ] {
            assert_eq!(found(token), None, "{token}");
        }
        for token in [
            "9007199254740992",
            "-9007199254740992",
            "18446744073709551616",
            "1000000000000000000001",
            "115792089237316195423570985008687907853269984665640564039457584007913129639935",
        ] {
            assert_eq!(found(token).as_deref(), Some("a[1].b"), "{token}");
        }
    }
}
