//! Checks the raw query string of a URL, before it is parsed.

/// The error message for a query string that isn't percent-encoded UTF-8.
pub const NOT_TEXT: &str = "the parameters must be UTF-8, and each % must be followed by two hex digits";

/// Whether a query string is valid percent-encoded UTF-8. The query parser would replace invalid bytes by U+FFFD.
pub fn is_text(query: &str) -> bool {
    let mut bytes = query.bytes();
    let mut plain = Vec::with_capacity(query.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            plain.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return false };
        plain.extend(u8::try_from(high * 16 + low));
    }
    str::from_utf8(&plain).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf_8_behind_its_percents() {
        for query in ["", "a=b&c=%20", "name=%C3%A9", "name=%c3%a9", "q=\u{e9}"] {
            assert!(is_text(query), "{query}");
        }
        for query in ["%FF", "name=%C3%28", "name=%C3", "name=%", "name=%4", "name=%zz", "%ED%A0%80"] {
            assert!(!is_text(query), "{query}");
        }
    }
}
