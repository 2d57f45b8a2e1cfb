//! Tests each rule of the specification's section 5 and of the coercion of variables (6.1.2): the error and its kind.

#![cfg(test)]

mod support;

use graphql_front::ErrorKind;
use support::{front, run};

#[track_caller]
fn assert_refused(text: &str, variables: &str, kind: ErrorKind, message: &str) {
    let errors = run(&front(), text, variables).expect_err(text);
    let found: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(found.iter().any(|found| found.contains(message)), "{text}: {found:?} without {message:?}");
    assert_eq!(errors.iter().next().unwrap().kind, kind, "{text}: {found:?}");
}

#[track_caller]
fn assert_taken(text: &str, variables: &str) {
    if let Err(errors) = run(&front(), text, variables) {
        panic!("{text} with {variables}: {errors}");
    }
}

#[test]
fn a_document_that_breaks_a_rule_is_refused() {
    for (text, message) in [
        // 5.2
        ("query A { b } query A { c }", "defined multiple times"),
        ("{ b } query A { c }", "anonymous operation"),
        ("subscription { made { number } dropped { number } }", "exactly one root field"),
        ("subscription { x: made { number } made { number } }", "exactly one root field"),
        ("subscription { __typename }", "introspection"),
        ("subscription { made @skip(if: true) { number } }", "@skip or @include"),
        (
            "subscription { ...F } fragment F on Subscription { made { number } ...{ dropped { number } } }",
            "exactly one",
        ),
        ("query Q { b } subscription S { made { number } dropped { number } }", "exactly one root field"),
        // 5.3
        ("{ nothing }", "does not have a field `nothing`"),
        ("{ any { name } }", "does not have a field"),
        ("{ pet(id: 1) { name: number ...F } } fragment F on Pet { name }", "different"),
        (
            "{ pet(id: 1) { friends(first: 1) { count } ...on Pet { friends(first: 2) { count } } } }",
            "conflicting",
        ),
        ("{ node(id: 1) { ...on Pet { x: name } ...on Person { x: name } } }", "different types"),
        ("{ node(id: 1) { ...on Pet { x: number } ...on Person { x: number } } }", "different types"),
        ("{ a { a { b x: c } } ...F } fragment F on Query { a { a { x: d } } }", "different fields"),
        (
            "mutation { a: make(input: {name: \"A\"}) { number } ...on Mutation { a: make(input: {name: \"B\"}) { number } } }",
            "conflicting",
        ),
        ("{ pet(id: 1) }", "must have a subselection"),
        ("{ b { c } }", "must not have subselections"),
        ("{ pet(id: 1) { id } ...F } fragment F on Query { pet(id: 2) { id } }", "conflicting"),
        (
            "{ echo(flags: [RED]) ...F } fragment F on Query { echo(flags: [RED, GREEN]) }",
            "different arguments",
        ),
        ("{ echo(flags: []) ...F } fragment F on Query { echo(flags: [RED]) }", "different arguments"),
        ("{ b(x: {a: [1, [2]]}) ...@skip(if: true) { b(x: {a: [1, [2, 3]]}) } }", "different arguments"),
        (
            "{ any { ...on Pet { friends(first: 1) { count } } ...on Node { ...on Pet { friends { count } } } } }",
            "conflicting",
        ),
        // 5.4
        ("{ b(y: 1) }", "not supported"),
        ("{ __typename(x: 1) }", "not supported"),
        ("{ b @skip(iff: true) }", "not supported"),
        ("{ pet(id: 1, id: 2) { id } }", "multiple times"),
        ("{ pet { id } }", "not provided"),
        ("{ b @skip }", "not provided"),
        // 5.5
        ("{ ...F } fragment F on Query { b } fragment F on Query { c }", "defined multiple times"),
        ("{ ...F } fragment F on Nothing { b }", "not a type"),
        ("{ ...on Flag { b } }", "`Flag`"),
        ("{ b } fragment F on Query { c }", "must be used"),
        ("{ ...F }", "fragment"),
        ("{ ...F } fragment F on Query { a { ...F } }", "spreads itself"),
        ("{ pet(id: 1) { ...on Person { id } } }", "cannot be applied"),
        // 5.6
        (
            "{ pets(first: \"1\") { count } }",
            "`pets.first`: expected an Int, a whole number of 32 bits, found a string",
        ),
        ("{ pets(first: 1.0) { count } }", "found a Float"),
        ("{ pets(first: 2147483648) { count } }", "found 2147483648"),
        ("{ echo(in: {name: \"n\", inner: {name: \"m\", size: 3000000000}}) }", "`echo.in.inner.size`"),
        ("{ echo(text: RED) }", "found a name"),
        ("{ echo(text: 1) }", "expected a String"),
        ("{ echo(flags: [\"RED\"]) }", "`echo.flags[0]`: expected Flag!, found a string"),
        ("{ echo(flags: [BLUE]) }", "`BLUE` isn't a value of the enum Flag"),
        ("{ echo(flags: [null]) }", "found null"),
        ("{ echo(flags: true) }", "expected Flag!"),
        ("{ echo(ids: [[1.5]]) }", "`echo.ids[0][0]`"),
        ("{ echo(day: \"tomorrow\") }", "`echo.day`: expected a Day, found a string"),
        ("{ echo(day: RED) }", "expected Day, found the name `RED`"),
        ("{ echo(needed: null) }", "found null"),
        ("{ echo(in: \"x\") }", "expected Input, found a string"),
        ("{ echo(in: {name: \"n\", other: 1}) }", "Input has no field `other`"),
        ("{ echo(in: {name: \"n\", name: \"m\"}) }", "`name` is given twice"),
        ("{ echo(in: {name: \"n\", data: {a: [{b: 1, b: 2}]}}) }", "`b` is given twice"),
        ("{ echo(in: {size: 1}) }", "`name` of type String! is missing"),
        ("mutation { make(input: null) { number } }", "null"),
        // 5.7
        ("{ b @nothing }", "directive"),
        ("query @skip(if: true) { b }", "not supported for"),
        ("query($x: Int @skip(if: true)) { b(x: $x) }", "not supported for"),
        ("{ b @skip(if: true) @skip(if: true) }", "only be used once"),
        // 5.8
        ("query($x: Int, $x: Int) { pets(first: $x) { count } }", "multiple times"),
        ("query($x: Pet) { b(x: $x) }", "input type"),
        ("{ pets(first: $x) { count } }", "`pets.first`: the variable `$x` is not defined"),
        ("{ b(x: {a: [$nowhere]}) }", "the variable `$nowhere` is not defined"),
        (
            "query Q($x: Int) { pets(first: $x) { count } ...F } query R { ...F } fragment F on Query { b(x: [$x]) }",
            "not defined by operation R",
        ),
        ("query Q { ...F } fragment F on Query { pets(first: $x) { count } }", "variable"),
        ("query($x: Int) { b }", "unused variable"),
        (
            "query($x: String) { pets(first: $x) { count } }",
            "`pets.first`: `$x` is of type String, and Int is expected",
        ),
        ("query($x: Boolean) { b @include(if: $x) }", "`include.if`: `$x` is of type Boolean"),
        ("query($x: String) { echo(in: {name: $x}) }", "and String! is expected here"),
        ("query($x: String = null) { echo(in: {name: $x}) }", "and String! is expected here"),
        ("query($x: String) { echo(in: {name: \"n\", tags: [[$x]]}) }", "found a list"),
        ("query($x: [Flag]) { echo(flags: $x) }", "[Flag!]"),
        ("query($x: ID!) { echo(ids: $x) }", "[[ID!]]"),
        ("query($x: Flag) { echo(flags: [$x]) }", "Flag!"),
        ("query($x: Int) { ...F } fragment F on Query { echo(text: $x) }", "String is expected"),
        ("query($x: Int = \"1\") { pets(first: $x) { count } }", "`$x`: expected an Int"),
        ("query($x: Flag = \"RED\") { echo(flags: $x) }", "expected Flag, found a string"),
    ] {
        assert_refused(text, "{}", ErrorKind::Validation, message);
    }
}

#[test]
fn a_text_that_is_no_document_is_refused() {
    for text in [
        "",
        "#",
        "{",
        "{ }",
        "query",
        "{ a(",
        "{ b(x: \"a\n\") }",
        "{ b(x: \"\\uD83D\") }",
        "{ b(x: 1a) }",
        "{ b(x: 007) }",
        "{ ...on }",
        "\"d\" { b }",
        "{ ...fragment } \"a\" \"b\" fragment on Query { b }",
        "\"a\" \"b\" query Q { b }",
        "query Q(\"a\" \"b\" $x: Int) { b(x: $x) }",
        "{ b } \"a\"",
        "{ b(x) }",
        "{ b(x x: 1) }",
        "{ b(x: {a}) }",
        "{ b(x: {a b: 1}) }",
        "{ b @skip(if if: true) }",
        "{ b(x: \"\nx\") }",
        "{ b(x: \"\rx\") }",
        "query($x) { b }",
        "query(x: Int) { b }",
        "{ b(x: \"\"\" ) }",
        "query($x: Int = $y) { b }",
    ] {
        let errors = run(&front(), text, "{}").expect_err(text);
        assert_eq!(errors.iter().count(), 1, "{text}: {errors}");
        assert_eq!(errors.iter().next().unwrap().kind, ErrorKind::Syntax, "{text}: {errors}");
    }
}

#[test]
fn a_value_that_does_not_fit_its_variable_is_refused() {
    for (text, variables, message) in [
        ("query($x: Int!) { b(x: {a: $x}) }", r#"{"x":{"no":"int"}}"#, "`$x`: expected an Int"),
        ("query($x: Int) { pets(first: $x) { count } }", r#"{"x":"1"}"#, "found a string"),
        ("query($x: Int) { pets(first: $x) { count } }", r#"{"x":1.5}"#, "found 1.5"),
        ("query($x: Int) { pets(first: $x) { count } }", r#"{"x":2147483648}"#, "found 2147483648"),
        ("query($x: ID!) { pet(id: $x) { id } }", "{}", "`$x` of type ID! has no value"),
        ("query($x: ID!) { pet(id: $x) { id } }", r#"{"x":null}"#, "found null"),
        ("query($x: ID! = 1) { pet(id: $x) { id } }", r#"{"x":null}"#, "found null"),
        ("query($x: ID!) { pet(id: $x) { id } }", r#"{"x":1.5}"#, "expected an ID"),
        ("query($x: ID!) { pet(id: $x) { id } }", r#"{"x":["1"]}"#, "expected an ID"),
        ("query($x: [Flag!]) { echo(flags: $x) }", r#"{"x":["RED",null]}"#, "`$x[1]`"),
        ("query($x: [Flag!]) { echo(flags: $x) }", r#"{"x":["BLUE"]}"#, "expected Flag, one of RED, GREEN"),
        ("query($x: Day) { echo(day: $x) }", r#"{"x":"tomorrow"}"#, "`$x`: expected a Day"),
        (
            "query($x: Input) { echo(in: $x) }",
            r#"{"x":{"name":"n","inner":{"size":1}}}"#,
            "`$x.inner`: the field `name`",
        ),
        (
            "query($x: Input) { echo(in: $x) }",
            r#"{"x":{"name":"n","other":1}}"#,
            "Input has no field \"other\"",
        ),
        ("query($x: Input) { echo(in: $x) }", r#"{"x":"n"}"#, "expected Input, found a string"),
        ("query($x: Int = 1) { echo(needed: $x) }", r#"{"x":null}"#, "`$x` is null"),
        ("query($x: Boolean!) { b @skip(if: $x) }", r#"{"x":"true"}"#, "expected a Boolean"),
        ("query($x: Boolean = false) { b @skip(if: $x) }", r#"{"x":null}"#, "`$x` is null"),
    ] {
        assert_refused(text, variables, ErrorKind::Variable, message);
    }
}

#[test]
fn what_no_rule_forbids_is_taken() {
    for (text, variables) in [
        (
            "\"of an operation\" query Q(\"of a variable\" $x: String = \"not one\" \"\"\"block\"\"\" $y: Int) { echo(text: $x, needed: $y) }",
            "{}",
        ),
        ("{ ...F } \"of a fragment\" fragment F on Query { b }", "{}"),
        ("\u{feff}{ b }", "{}"),
        (
            ",{, pet(, id:, 1,),, {, ..., on, Pet, { id }, }, ..., F, a, :, b(x:, [,1,,{,a,:,1,},]), },,fragment, F on Query, { c, } #",
            "{}",
        ),
        ("{ # one\n...# two\n{ b #\n(x# three\n: 1) } }", "{}"),
        ("{ pet(id: 1) { id } pet(id: 1) { name } b(x: {a: 1, c: [2]}) ...{ b(x: {c: [2], a: 1}) } }", "{}"),
        (
            "{ b(x: \"\\u{1F600} \\uD83D\\uDE00 \"\"\"\"a \\\"\"\" b\"\"\") }"
                .replace(" \"\"\"\"a", "\") c: b(x: \"\"\"a")
                .as_str(),
            "{}",
        ),
        ("{ pets(first: -0) { count } }", "{}"),
        ("subscription { made { number } ...{ made { secret } } }", "{}"),
        ("{ node(id: 1) { ...on Pet { x: id } ...on Person { x: id } } }", "{}"),
        ("{ any { ...on Pet { id } ...on Node { owner { id } } } }", "{}"),
        ("query($x: Int, $y: [Int!]) { b(x: [1, $x, {a: $y}]) }", "{}"),
        ("query($x: Int = 3) { echo(needed: $x) }", "{}"),
        ("query($x: Int!) { pets(first: $x) { count } }", r#"{"x":1,"unknown":[]}"#),
        ("{ __schema { types { name fields { name } } } __type(name: \"Pet\") { kind } }", "{}"),
    ] {
        assert_taken(text, variables);
    }
}

#[test]
fn errors_say_where_and_are_no_more_than_the_limit() {
    let errors = front().check("{\n  b(x: \"é\") nothing\n  nothing2 }".into()).unwrap_err();
    let places: Vec<_> = errors.iter().map(|error| error.locations[0]).collect();
    assert_eq!(places.iter().map(|pos| (pos.line, pos.column)).collect::<Vec<_>>(), [(2, 13), (3, 3)]);
    let many = format!("{{ {} }}", (0..19).map(|at| format!("unknown{at} ")).collect::<String>());
    assert_eq!(front().check(many.as_str().into()).unwrap_err().iter().count(), 10);
}
