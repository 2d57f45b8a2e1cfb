//! Property tests: no text panics, serde_json accepts the same texts (with named exceptions), and every token is kept.

#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "the reader is compared with it")]

use json_reader::{Json, Limits, Number, Object, ReadErrorKind, lossy_integer, read};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;

/// Generates texts that resemble JSON.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u",
        "d83d",
        "\\ude00",
        "0024",
        "\"a\"",
        "\"b\":",
        "1",
        "0",
        "-",
        ".5",
        "e",
        "E+9",
        "e999",
        "true",
        "false",
        "null",
        " ",
        "\n",
        "\u{feff}",
        "ä",
        "\u{1}",
        "$serde_json::private::RawValue",
        "\"$serde_json::private::Number\":\"1\"",
        "123456789012345678901234567890",
        "{}",
        "[]",
    ]);
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn json() -> impl Strategy<Value = Json> {
    let token = "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?";
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        token.prop_map(|token| Number::from_token(&token).map_or(Json::Null, Json::from)),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Json::Null, Json::from)),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 120, 30, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Json::from),
            vec((any::<String>(), inner), 0..30).prop_map(|members| Json::from(Object::from_iter(members))),
        ]
    })
}

/// White space and escapes that don't change the value.
fn respelt(text: &str) -> String {
    let mut is_quoted = false;
    let mut characters = text.chars();
    let mut out = String::new();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                out.push(character);
                out.extend(characters.next());
            }
            '"' => {
                is_quoted = !is_quoted;
                out.push(character);
            }
            _ if is_quoted => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04X}"));
                }
            }
            ',' | ':' | '[' | ']' | '{' | '}' => out.push_str(&format!(" {character}\r\n\t")),
            _ => out.push(character),
        }
    }
    out
}

/// Parses a text with serde_json. Returns `None` when serde_json rejects it.
fn in_serde(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, &Limits::DEFAULT).map_err(|err| err.to_string());
    }

    #[test]
    fn the_verdict_is_serde_jsons_but_for_what_is_named(text in text()) {
        let theirs = serde_json::from_str::<Value>(&text);
        match (read(text.as_bytes(), &Limits::DEFAULT), theirs) {
            (Ok(ours), Ok(_)) => prop_assert_eq!(Some(ours.to_serde()), in_serde(&text)),
            (Ok(_), Err(err)) => prop_assert!(text.starts_with('\u{feff}'), "{text}: {err}"),
            (Err(err), Ok(_)) => prop_assert!(
                matches!(err.kind(), ReadErrorKind::DoubledKey(_) | ReadErrorKind::ReservedKey),
                "{text}: {err}"
            ),
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn a_tree_is_read_back_as_it_was_written(json in json()) {
        let text = json.to_text();
        let back = read(text.as_bytes(), &Limits::DEFAULT).unwrap();
        prop_assert_eq!(&back, &json);
        prop_assert_eq!(&back.to_text(), &text, "the text is the same, byte for byte");
        prop_assert_eq!(&read(respelt(&text).as_bytes(), &Limits::DEFAULT).unwrap(), &json);
        prop_assert_eq!(back.count_values(), json.count_values());
        prop_assert_eq!(Some(json.to_serde()), in_serde(&text));
    }

    #[test]
    fn a_tree_without_finding_is_carried_by_doubles(json in json()) {
        let json_of = |value: &Value| Json::from(value.clone());
        if lossy_integer(&json).is_none() {
            prop_assert_eq!(lossy_integer(&json_of(&json.to_serde())), None);
        }
    }

    #[test]
    fn what_is_cut_off_is_refused_where_it_ends(json in json(), at in any::<prop::sample::Index>()) {
        let text = Json::from(vec![json]).to_text();
        let cut = at.index(text.len());
        let error = read(&text.as_bytes()[..cut], &Limits::DEFAULT).unwrap_err();
        let offset = error.position().unwrap().offset;
        prop_assert!(offset <= cut, "{offset} {cut}");
    }
}
