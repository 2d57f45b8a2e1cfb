//! Tests the messages and positions of errors.

#![cfg(test)]

use json_reader::{Json, Limits, ReadErrorKind, read};

fn refusal(text: impl AsRef<[u8]>) -> String {
    read(text.as_ref(), &Limits::DEFAULT).unwrap_err().to_string()
}

#[test]
fn an_error_says_what_is_wrong_and_where_and_what_is_accepted() {
    for (text, message) in [
        ("", "expected a value, found the end, line 1, column 1"),
        ("  \n ", "expected a value, found the end, line 2, column 2"),
        ("[1,]", "expected a value, found `]`, at `[1]`, line 1, column 4"),
        ("[1 2]", "expected `,` or `]`, found `2`, line 1, column 4"),
        ("{\"a\":{\n \"b\": [0, x]}}", "expected a value, found `x`, at `a.b[1]`, line 2, column 11"),
        ("{'a': 1}", "expected a key in double quotes, found `'`, line 1, column 2"),
        ("{\"a\" 1}", "expected `:`, found `1`, at `a`, line 1, column 6"),
        ("{\"a\": 1,}", "expected a key in double quotes, found `}`, line 1, column 9"),
        ("{\"a\": {\"b\": 1]}", "expected `,` or `}`, found `]`, at `a`, line 1, column 14"),
        (
            "{\"ä\": [\"ö",
            "expected the `\"` that ends a string, found the end, at `[\"ä\"][0]`, line 1, column 10",
        ),
        ("nul", "expected null, found the end, line 1, column 4"),
        ("trve", "expected true, found `v`, line 1, column 3"),
        ("[01]", "expected a number, such as -1.5e3, found `1`, at `[0]`, line 1, column 3"),
        ("-", "expected a number, such as -1.5e3, found the end, line 1, column 2"),
        ("[1e400]", "the number is larger than the largest double (1.8e308), at `[0]`, line 1, column 2"),
        ("{} {}", "expected nothing after the value, found `{`, line 1, column 4"),
        ("\u{feff}\u{feff}1", "expected a value, found `\\u{feff}`, line 1, column 1"),
        ("\"a\tb\"", "a control character in a string must be escaped, such as \\n, line 1, column 3"),
        (
            r#""\ud83d""#,
            "a \\u escape of a surrogate must be one of a pair, such as \\ud83d\\ude00, line 1, column 2",
        ),
        (
            r#""\x""#,
            "expected an escape: \\\" \\\\ \\/ \\b \\f \\n \\r \\t, or \\u with four hex digits, line 1, column 2",
        ),
        (
            r#"{"a":[{"k":1,"\u006b":2}]}"#,
            "the key \"k\" occurs twice in one object, at `a[0]`, line 1, column 14",
        ),
    ] {
        assert_eq!(refusal(text), message, "{text}");
    }
    assert_eq!(refusal(b"{\"a\": \"\xff\"}"), "the text must be UTF-8, at `a`, line 1, column 8");
    assert_eq!(refusal(b"1\xff"), "the text must be UTF-8, line 1, column 2");
    // An earlier syntax error is reported first.
    assert_eq!(refusal(b"x\xff"), "expected a value, found `x`, line 1, column 1");
}

#[test]
fn no_surrogate_and_no_escape_comes_through_by_halves() {
    for text in [
        r#""\ude00""#,
        r#""\ud83d\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\n""#,
        r#""\ude00\ud83d""#,
        r#""\u12""#,
        r#""\u12G4""#,
        r#""\u+123""#,
        r#""\"#,
        r#""\u"#,
        r#""\ud83d\u"#,
        r#""\ud83d\ude0"#,
        r#""\U0041""#,
    ] {
        assert!(read(text.as_bytes(), &Limits::DEFAULT).is_err(), "{text}");
    }
    let read = |text: &str| read(text.as_bytes(), &Limits::DEFAULT).unwrap();
    assert_eq!(read(r#""\ud83d\ude00\u00e4\n\/\"\\\b\f\r\t""#), Json::from("😀ä\n/\"\\\u{8}\u{c}\r\t"));
    assert_eq!(read("\u{feff} [ ] "), Json::Array(Vec::new()), "a byte order mark is skipped");
    assert_eq!(read("\"\u{7f}\u{2028}\u{feff}\""), Json::from("\u{7f}\u{2028}\u{feff}"));
}

#[test]
fn keys_that_serde_json_interprets_are_refused_however_they_are_written() {
    for key in [
        "$serde_json::private::RawValue",
        "$serde_json::private::Number",
        "$serde_json::private::",
        r"\u0024serde_json::private::RawValue",
        r"$serde\u005Fjson\u003a:private::Number",
    ] {
        for text in [format!(r#"{{"{key}":"1"}}"#), format!(r#"[{{"a":1,"{key}":null}}]"#)] {
            let error = read(text.as_bytes(), &Limits::DEFAULT).unwrap_err();
            assert_eq!(*error.kind(), ReadErrorKind::ReservedKey, "{text}");
        }
        // As a value, the same string is accepted.
        assert!(read(format!(r#"["{key}"]"#).as_bytes(), &Limits::DEFAULT).is_ok());
    }
    for key in ["$serde_json", "serde_json::private::RawValue", "$serde_json::Private::Number", ""] {
        assert!(read(format!(r#"{{"{key}":"1"}}"#).as_bytes(), &Limits::DEFAULT).is_ok(), "{key}");
    }
}

#[test]
fn limits_hold_over_the_whole_text() {
    let limits = Limits { bytes: 40, depth: 3, values: 4, ..Limits::DEFAULT };
    let kind = |text: &str| read(text.as_bytes(), &limits).map_err(|error| error.kind().clone()).err();
    assert_eq!(kind(&format!("\"{}\"", "x".repeat(38))), None);
    assert_eq!(kind(&format!("\"{}\"", "x".repeat(39))), Some(ReadErrorKind::TooLong { limit: 40 }));
    assert_eq!(kind("[[[]]]"), None);
    assert_eq!(kind("[[[[]]]]"), Some(ReadErrorKind::TooDeep { limit: 3 }));
    assert_eq!(kind("[[[{}]]]"), Some(ReadErrorKind::TooDeep { limit: 3 }));
    assert_eq!(kind("[1,[2,3]]"), None);
    assert_eq!(kind("[1,[2,3,4]]"), Some(ReadErrorKind::TooManyValues { limit: 4 }));
    assert_eq!(kind(r#"{"a":{"b":[1,2]}}"#), None);
    assert_eq!(kind(r#"{"a":{"b":[1,0]},"c":{}}"#), Some(ReadErrorKind::TooManyValues { limit: 4 }));
    assert_eq!(kind("[[],[],[],[],[]]"), Some(ReadErrorKind::TooManyValues { limit: 4 }));
    // The limit is reported before the end of the text, and before later errors.
    assert_eq!(kind("[1,2,3,4,5,x"), Some(ReadErrorKind::TooManyValues { limit: 4 }));
    let wide = Limits { depth: usize::MAX, ..Limits::DEFAULT };
    let error = read("[".repeat(Limits::DEPTH_MAX + 1).as_bytes(), &wide).unwrap_err();
    assert_eq!(*error.kind(), ReadErrorKind::TooDeep { limit: Limits::DEPTH_MAX });
    assert!(error.is_too_much() && !error.is_type());
}

#[test]
fn an_error_stays_short_whatever_is_in_the_text() {
    let key = "k".repeat(1_000_000);
    assert!(refusal(format!(r#"{{"{key}":1,"{key}":2}}"#)).len() < 300);
    assert!(refusal(format!(r#"{{"{key}":x}}"#)).len() < 300);
    let deep = format!(r#"{{"{}":"#, "k".repeat(1000)).repeat(127);
    assert!(refusal(deep).len() < 3000);
}
