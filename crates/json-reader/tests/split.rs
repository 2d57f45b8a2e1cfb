//! The splitter accepts what `read` accepts, in pieces of any size, and returns the same values.

use json_reader::{Json, Limits, Object, Piece, ReadError, ReadErrorKind, SplitLimits, Splitter, read};
use proptest::{collection::vec, prelude::*};

const LIMITS: SplitLimits =
    SplitLimits { member: Limits::DEPTH_ONLY, members: usize::MAX, item_bytes: usize::MAX };

/// Splits a text that arrives in these pieces, and puts the object together again.
fn split(chunks: &[&[u8]], limits: SplitLimits) -> Result<Object, ReadError> {
    let mut splitter = Splitter::new("list", limits);
    let (mut object, mut items, mut lists, mut ends) = (Object::new(), Vec::new(), 0, 0);
    for chunk in chunks {
        let mut chunk = *chunk;
        while let Some(piece) = splitter.next(&mut chunk)? {
            match piece {
                Piece::Member(key, value) => assert_eq!(object.insert(key, value), None),
                Piece::List => {
                    lists += 1;
                    assert_eq!(object.insert("list".to_owned(), Json::Null), None);
                }
                Piece::Item(item) => {
                    assert_eq!(item.index, items.len());
                    items.push(item.read(&limits.member)?);
                }
                Piece::End => ends += 1,
            }
        }
        assert!(chunk.is_empty(), "all bytes are taken");
    }
    splitter.finish()?;
    assert_eq!(ends, 1);
    if lists == 1 {
        object.insert("list".to_owned(), Json::Array(items));
    }
    Ok(object)
}

fn member() -> impl Strategy<Value = (String, String)> {
    let value = prop::sample::select(vec![
        "1",
        "-0.5e3",
        "true",
        "null",
        "\"\"",
        "\"a,]}\\\"b\"",
        "[]",
        "[1,{\"a\":[\"]\"]}]",
        "{\"a\":{}}",
        "{ \"b\" : [ 1 , 2 ] }",
        "[[],[[\"\\\\\"]]]",
        "\"\u{1f980}ä\"",
        "01",
        "\"\n\"",
        "tru",
        "[1}",
        "{\"a\":1,\"a\":2}",
        "\"\\ud800\"",
        "",
    ]);
    let key = prop::sample::select(vec!["list", "a", "b", "c\\u0061", "ä", "\\\""]);
    (key, value).prop_map(|(key, value)| (key.to_owned(), value.to_owned()))
}

fn text() -> impl Strategy<Value = String> {
    let space = prop::sample::select(vec!["", " ", "\t\r\n "]);
    let broken = prop::sample::select(vec!["", "", "", "", "", ",", "}", "x", "\"", " []"]);
    (vec((member(), space), 0..5), broken).prop_map(|(members, broken)| {
        let members: Vec<String> = members
            .into_iter()
            .map(|((key, value), space)| format!("{space}\"{key}\"{space}:{space}{value}{space}"))
            .collect();
        format!("{{{}}}{broken}", members.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_split_is_what_is_read(text in text(), sizes in vec(1_usize..9, 1..40)) {
        let (mut chunks, mut rest) = (Vec::new(), text.as_bytes());
        let mut sizes = sizes.iter().cycle();
        while !rest.is_empty() {
            let (chunk, more) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
            chunks.push(chunk);
            rest = more;
        }
        let (whole, one, many) =
            (read(text.as_bytes(), &Limits::DEPTH_ONLY), split(&[text.as_bytes()], LIMITS), split(&chunks, LIMITS));
        prop_assert_eq!(&one, &many, "the sizes of the chunks don't matter");
        match (whole, one) {
            (Ok(Json::Object(whole)), Ok(split)) => prop_assert_eq!(whole, split),
            (Err(_), Err(_)) => {}
            (whole, split) => prop_assert!(false, "{text:?}: {whole:?}, split {split:?}"),
        }
    }
}

#[test]
fn an_error_has_its_place_in_the_object() {
    let error = |text: &str| split(&[text.as_bytes()], LIMITS).unwrap_err().to_string();
    for (text, expected) in [
        ("[]", "expected an object, found `[`, line 1, column 1"),
        ("", "expected an object, found the end, line 1, column 1"),
        (r#"{"a""#, "expected `:`, found the end, line 1, column 5"),
        (
            r#"{"ä": "x", "list": [1, {"b": 01}]}"#,
            "expected a number, such as -1.5e3, found `1`, at `list[1].b`, line 1, column 31",
        ),
        (r#"{"list": [1 2]}"#, "expected `,` or `]`, found `2`, at `list`, line 1, column 13"),
        (r#"{"list": [1,]}"#, "expected a value, found `]`, at `list[1]`, line 1, column 13"),
        ("{\"a\": 1,\n \"a\": 2}", "the key \"a\" occurs twice in one object, line 2, column 2"),
        (r#"{"a": 1} x"#, "expected nothing after the value, found `x`, line 1, column 10"),
        (
            r#"{"$serde_json::private::X": 1}"#,
            "this key is reserved: some JSON parsers interpret it, line 1, column 2",
        ),
        (r#"{"a": é}"#, "expected a value, found `é`, at `a`, line 1, column 7"),
    ] {
        assert_eq!(error(text), expected, "{text}");
    }
    let bytes = &[b'{', b'"', b'a', b'"', b':', b'"', 0xff, b'"', b'}'][..];
    assert_eq!(split(&[bytes], LIMITS).unwrap_err().kind(), &ReadErrorKind::NotUtf8);
}

#[test]
fn each_piece_is_bounded_and_the_object_is_not() {
    let member = Limits { bytes: 10, ..Limits::DEPTH_ONLY };
    let limits = SplitLimits { member, members: 2, item_bytes: 100 };
    let items = vec![format!("\"{}\"", "x".repeat(98)); 1_000].join(",");
    let whole = format!(r#"{{"list":[{items}],"a":"12345678"}}"#);
    let mut splitter = Splitter::new("list", limits);
    let (mut text, mut pieces) = (whole.as_bytes(), 0);
    while splitter.next(&mut text).unwrap().is_some() {
        pieces += 1;
    }
    assert_eq!(pieces, 1_003, "the list, its items, a member, the end");
    for (text, limit) in [
        (format!(r#"{{"list":["{}"]}}"#, "x".repeat(99)), 100),
        (r#"{"a":"123456789"}"#.to_owned(), 10),
        (r#"{"123456789":1}"#.to_owned(), 10),
    ] {
        let err = split(&[text.as_bytes()], limits).unwrap_err();
        assert_eq!(err.kind(), &ReadErrorKind::TooLong { limit }, "{text}");
        assert!(err.is_too_much());
    }
    let many = split(&[br#"{"a":1,"b":2,"c":3}"#], limits).unwrap_err();
    assert_eq!(many.kind(), &ReadErrorKind::TooManyValues { limit: 2 });
}
