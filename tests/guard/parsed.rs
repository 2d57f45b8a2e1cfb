//! What the parser makes of a document: what async-graphql's own makes of it, places too, but for what the specification
//! has otherwise.

use agent_registry::graphql::{
    guard::{Limits, scan},
    parse::parse,
};
use async_graphql::{
    ServerError,
    parser::{
        parse_query,
        types::{ExecutableDocument, Selection},
    },
};
use proptest::prelude::*;

use crate::{
    cases,
    made::{documents, pieces},
};

/// A document's definitions with all that is known of them, places too, in an order of their own.
fn shown(document: &ExecutableDocument) -> Vec<String> {
    let operations = document.operations.iter().map(|operation| format!("{operation:?}"));
    let mut shown: Vec<String> =
        operations.chain(document.fragments.iter().map(|fragment| format!("{fragment:?}"))).collect();
    shown.sort();
    shown
}

#[test]
fn a_document_is_parsed_as_async_graphql_does() {
    let strings = r#""" "a" "ä\"\\\/\b\f\n\r\t\u00e9" """""" """a""" """ a" b""" "x#y" "#;
    for text in [
        "{a}",
        "query{a}",
        " \u{feff},query q ($a:Int!,$b:[[S!]!]! = [[\"x\"]] $c:E=RED $d:I={a:{b:[]}}) @x(y:$a) @z { a }",
        "mutation M { a(b: $c, d: [1, -2.5e+3, $e, null, true, false, RED], f: {g: {}, h: [], g: 1}) }",
        "subscription S{a:b@c{d e:f(g:0)}}",
        "query on { on } fragment query on on { fragment } fragment b on fragment { ...query ...on on { on } }",
        "{ ... { a } ... @b { a } ... on T @c(d: 1) { a } ...f @g } fragment f on T @h { a }",
        "{ a # { \" \n b #\r\n ,,, c }\n#",
        "{\r\n a\r  b\n\u{feff}c é\n}",
        "{ é }",
        "{ a(b: \"é long enough to be passed over at once, with a second é\") c }",
        "{ a # é long enough to be passed over at once, with a second é\r  b # and once more, as long as it takes é\r\n c }",
        "{ a(b: \"\"\"é long enough to be passed over\n at once \r with é\"\"\", c: 1) d }",
        &format!("{{ a(b: [{strings}]) c }}"),
        "{ a(b: \"\"\"\n    x\r\n      y\r\r    z \n   \n\"\"\") c(d: \"\"\"  x\n    y\n   z\"\"\") }",
        "{ a(b: [0 -0 10 1.0 1e5 1E-5 0.1 123456789012345678901234567890 1e400]) }",
        "{ a(b: [0 -0 10 1.0 1e5 1E-5 0.1 1234567890123456789 18446744073709551615]) }",
        "",
        " ",
        "{",
        "}",
        "{}",
        "{ a ",
        "{ a } }",
        "{ a() }",
        "{ a: }",
        "{ a: b: c }",
        "{ a(b) }",
        "{ a(b:) }",
        "{ a @ }",
        "{ a(b: 01) }",
        "{ a(b: 1.) }",
        "{ a(b: .5) }",
        "{ a(b: 1x) }",
        "{ a(b: -) }",
        "{ a(b: 1e) }",
        "{ a(b: $) }",
        "{ a(b: \"\\x\") }",
        "{ a(b: \"\\u00g0\") }",
        "{ a(b: \"\\ud800\") }",
        "{ a(b: \"",
        "{ a(b: \"\"\"",
        "{ a(b: \"\n\") }",
        "{ a } { b }",
        "{ a } query q { b }",
        "query q { a } { b }",
        "query q { a } query q { b }",
        "fragment f on T { a }",
        "{ a } fragment f on T { a } fragment f on T { b }",
        "query ($a) { b }",
        "query ($a: ) { b }",
        "query (a: I) { b }",
        "query ($a: [I) { b }",
        "query ($a: I!!) { b }",
        "query ($a: I = $b) { c }",
        "query q",
        "query q()",
        "fragment f { a }",
        "fragment on T { a }",
        "{ ... }",
        "{ ...f { a } }",
        "{ ...1 }",
        "type T { a: I }",
        "a",
        "1",
        "\"a\"",
        "{ a ? }",
        "{ a ..b }",
    ] {
        match (parse(text), parse_query(text)) {
            (Ok(ours), Ok(theirs)) => assert_eq!(shown(&ours), shown(&theirs), "{text}"),
            (Err(_), Err(_)) => {}
            (ours, theirs) => panic!("{text}: {ours:?} {theirs:?}"),
        }
    }
}

/// Where the specification (September 2025) is followed, and async-graphql's parser does otherwise.
#[test]
fn a_document_is_parsed_as_the_specification_has_it() {
    let value = |literal: &str| {
        let document = parse(&format!("{{ a(b: {literal}) }}")).ok()?;
        let (_, operation) = document.operations.iter().next()?;
        match &operation.node.selection_set.node.items.first()?.node {
            Selection::Field(field) => field.node.arguments.first()?.1.node.clone().into_json().ok(),
            _ => None,
        }
    };
    for (literal, expected) in [
        (r#""\u{1F600} \u{e9}""#, "\u{1f600} é"),
        (r#""\uD83D\uDE00""#, "\u{1f600}"),
        ("\"\"\"a \\\"\"\" b\"\"\"", "a \"\"\" b"),
        ("\"\"\"\n  a\n \n  b\"\"\"", "a\n\nb"),
        (r#""\u{0000000000041}""#, "A"),
        ("nullable", "nullable"),
        ("true1", "true1"),
    ] {
        assert_eq!(value(literal), Some(expected.into()), "{literal}");
    }
    for literal in
        [r#""\u{}""#, r#""\u{110000}""#, r#""\u{D800}""#, r#""\uD83D""#, r#""\uDE00\uD83D""#, r#""\u+123""#]
    {
        assert_eq!(value(literal), None, "{literal}");
    }
    for text in [
        "queryq { a }",
        "query () { a }",
        "query ($a: I @d = 1) { b }",
        "query ($a: I @d(x: $a)) { b }",
        // A fragment has any name but `on` (section 2.8).
        "fragment on on T { a } { a }",
        "{ ...on }",
    ] {
        assert!(parse(text).is_err(), "{text}");
        assert!(parse_query(text).is_ok(), "{text}");
    }
    for text in [
        "query ($a: I = 1 @d) { b }",
        "query ($a: [ I ! ] !) { b }",
        r#""Why" query ("what for" $a: I) { b } """Which""" fragment f on T { a }"#,
    ] {
        assert!(parse(text).is_ok(), "{text}");
        assert!(parse_query(text).is_err(), "{text}");
    }
    for text in [r#""Why" { a }"#, r#""Why" "twice" query { a }"#, r#"{ a } "Why""#, r#"{ "Why" a }"#] {
        assert!(parse(text).is_err(), "{text}");
    }
    // Deeper than any stack, for who asks it without the scan.
    for open in ["{a", "[", "{...", "{a(b:["] {
        let error = parse(&("{a(b:".to_owned() + &open.repeat(100_000))).unwrap_err().to_string();
        assert!(error.starts_with("the document does not parse: "), "{error}");
    }
    let error = parse("{\n  secret(\n  é secret) }").unwrap_err();
    assert_eq!(error.to_string(), "the document does not parse: a character belongs nowhere");
    let error = ServerError::from(error);
    assert_eq!((error.locations[0].line, error.locations[0].column), (3, 3));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn documents_are_parsed_as_async_graphql_does(text in documents(true)) {
        prop_assert_eq!(shown(&parse(&text).unwrap()), shown(&parse_query(&text).unwrap()));
    }

    #[test]
    fn whatever_both_parse_is_the_same(text in pieces()) {
        // Only the specification takes a quote out of a block string's escape.
        if scan(&text, &Limits::DEFAULT).is_ok()
            && !text.contains("\\\"\"\"")
            && let (Ok(ours), Ok(theirs)) = (parse(&text), parse_query(&text))
        {
            prop_assert_eq!(shown(&ours), shown(&theirs));
        }
    }
}
