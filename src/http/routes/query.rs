//! The query of an address, before anything parses it.

/// Why a query is not looked at.
pub const NOT_TEXT: &str = "the parameters must be UTF-8, and each % must be followed by two hex digits";

/// Whether this is UTF-8 behind its percents. What parses a query puts U+FFFD where it is not.
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
