//! JSON: how many values are in it. To build one takes a hundred times the time and the memory that its text does, and the
//! variables' are looked at again by whoever coerces them.

use graphql_front::Limits;

/// The most values in any JSON that is read, as its text shows them.
pub const TEXT_VALUES_MAX: usize = 2 * Limits::VALUES;

/// Whether this JSON has more values than are built of any. The commas and opening brackets outside of its strings are
/// counted: as many as there are values, and one more for each list or object that is empty. It stops when it knows.
#[must_use]
pub fn holds_too_many(json: &[u8]) -> bool {
    let (mut at, mut found, mut is_quoted) = (0, 0, false);
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\\' if is_quoted => at += 1,
            b',' | b'[' | b'{' if !is_quoted => {
                found += 1;
                if found > TEXT_VALUES_MAX {
                    return true;
                }
            }
            _ if is_quoted => {
                let rest = json.get(at..).unwrap_or_default();
                at += rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\')).count();
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_shows_how_many_there_are_and_strings_do_not_count() {
        let list = |value: &str, times| format!(r#"{{"a":[{}]}}"#, vec![value; times].join(","));
        // The object and the list are two of them.
        for value in ["0", "null", r#""x""#, r#"",[{""#, r#""\"[,""#, r#""\\""#, " 1 "] {
            assert!(!holds_too_many(list(value, TEXT_VALUES_MAX - 1).as_bytes()), "{value}");
            assert!(holds_too_many(list(value, TEXT_VALUES_MAX).as_bytes()), "{value}");
        }
        assert!(holds_too_many(list("[]", TEXT_VALUES_MAX / 2).as_bytes()));
        assert!(!holds_too_many(list("[]", TEXT_VALUES_MAX / 2 - 1).as_bytes()));
        assert!(!holds_too_many(format!(r#"["{}"]"#, ",[".repeat(TEXT_VALUES_MAX)).as_bytes()));
        assert!(holds_too_many("[".repeat(TEXT_VALUES_MAX + 1).as_bytes()));
    }
}
