//! Which keys are names with an owner, and what each refusal names.

use proptest::prelude::*;

use super::*;

const ACCEPTED: &[&str] = &[
    "https://example.org",
    "https://example.org/skills/v1",
    "https://example.org:8443/a?b=c/d?#e?/",
    "http://user@example.org",
    "urn:example:skills",
    "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "tag:example.org,2026:skills",
    "did:web:example.org",
    "mailto:a@example.org",
    "a:b",
    "a:/b",
    "x+y.z-1:(%20)",
    "org.example",
    "org.example.skills",
    "org.example-2.3m",
    "org.example/skills",
    "org.example/Skills_v1.2-beta",
    "io.modelcontextprotocol/server",
    "a.b",
    "xn--p1ai.example",
];

const REFUSED: &[&str] = &[
    "",
    " ",
    "skills",
    "example",
    "__proto__",
    "constructor",
    "$ref",
    "1.0",
    "3m.com",
    ".",
    "..",
    ".org",
    "org.",
    "org..example",
    "Org.Example",
    "org.Example",
    "org.example_x",
    "-a.b",
    "a-.b",
    "org.-a",
    "org.a-",
    "org.example/",
    "org.example//a",
    "org.example/a/b",
    "org.example/-a",
    "org.example/a.",
    "org.example ",
    " org.example",
    "org.exämple",
    "org.example\n",
    "org.example\u{0}",
    "org\u{2024}example",
    "HTTPS://example.org",
    "Https://example.org",
    "https:",
    "https:/",
    "https://",
    "https:///a",
    "file:///etc/passwd",
    "//example.org",
    ":a",
    "1a:b",
    "a:?b",
    "a:#b",
    "a:b c",
    "a:b%2",
    "a:b%zz",
    "a:b%",
    "a:<b>",
    "a:\"b\"",
    "a:b#c#d",
    "a:bé",
    "http://[::1]/",
    "a:\\b",
    "a:b\u{7f}",
    "a:{b}",
];

fn pattern() -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::json!({ "pattern": KEY_PATTERN })).unwrap()
}

#[test]
fn a_key_is_a_uri_or_a_reverse_domain_and_the_pattern_says_the_same() {
    let pattern = pattern();
    for key in ACCEPTED {
        assert!(is_key(key) && pattern.is_valid(&serde_json::json!(key)), "{key:?} is a name");
    }
    for key in REFUSED {
        assert!(!is_key(key) && !pattern.is_valid(&serde_json::json!(key)), "{key:?} is no name");
    }
}

#[test]
fn a_key_and_its_labels_have_a_longest_length() {
    let of = |length: usize| format!("org.{}", "a".repeat(length));
    assert!(is_key(&of(63)) && !is_key(&of(64)));
    let of = |length: usize| format!("urn:{}", "a".repeat(length - 4));
    assert!(is_key(&of(KEY_BYTES_MAX)) && !is_key(&of(KEY_BYTES_MAX + 1)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Keys near the accepted ones: pieces of them in any order.
    #[test]
    fn the_pattern_agrees_on_any_key(pieces in prop::collection::vec(
        prop_oneof![
            "[a-zA-Z0-9]{1,3}",
            "[:/?#%.@_~ -]",
            Just("//".to_owned()), Just("https://".to_owned()), Just("org.".to_owned()), Just("%2F".to_owned()),
            Just("\n".to_owned()), Just("é".to_owned()), Just("[".to_owned()),
        ], 0..8))
    {
        let key = pieces.concat();
        let is_described = pattern().is_valid(&serde_json::json!(key));
        prop_assert_eq!(is_key(&key), is_described, "{:?}", key);
    }
}

fn refusal(text: &str) -> Error {
    checked_extensions(Some(&json_reader::read(text.as_bytes(), &json_reader::Limits::DEPTH_ONLY).unwrap()))
        .unwrap_err()
}

#[test]
fn a_refusal_names_the_key_as_one_step() {
    for key in ["skills", "Org.Example.skills", "https:///a.b", "a b.c"] {
        let err = refusal(&serde_json::json!({ key: 1, "org.example": 2 }).to_string());
        assert_eq!(err.path(), Some(vec!["extensions".to_owned(), key.to_owned()]), "{err}");
        let (field, message) = err.in_snake_case();
        assert_eq!(field, Some(format!("extensions.{key}")), "keys keep their letters");
        assert!(message.contains(&format!("{key:?}")) && message.contains("reverse domain"), "{message}");
    }
    let deep = format!(r#"{{"org.example.Deep/x":{}1{}}}"#, "[".repeat(40), "]".repeat(40));
    assert!(matches!(refusal(&deep.replace("Deep", "deep")).path().as_deref(),
        Some([field, key]) if field == "extensions" && key == "org.example.deep/x"));
    // Names that nobody can read aren't repeated as a field.
    for key in ["", "a\u{1b}[2J", &"x".repeat(10_000)] {
        let err = refusal(&serde_json::json!({ key: 1 }).to_string());
        assert_eq!(err.path(), Some(vec!["extensions".to_owned()]));
        assert!(err.to_string().len() < 1000 && !err.to_string().contains('\u{1b}'), "{err}");
    }
}

#[test]
fn all_keys_at_fault_are_told_at_once() {
    let err = refusal(r#"{"a":1,"org.example":2,"b":3}"#);
    let paths: Vec<_> = err.each().iter().filter_map(Error::path).map(|path| path.join("/")).collect();
    assert_eq!(paths, ["extensions/a", "extensions/b"]);
}

#[test]
fn null_and_an_empty_object_are_none() {
    for given in [None, Some(Json::Null), Some(Json::Object(Object::new()))] {
        let none = checked_extensions(given.as_ref()).unwrap();
        assert_eq!((none.text(), none.as_str(), none.bytes()), (None, "{}", 0));
    }
    assert!(matches!(refusal("[]"), Error::Invalid { .. }));
}
