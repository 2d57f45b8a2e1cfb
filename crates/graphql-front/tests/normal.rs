//! Tests normalisation: each response key occurs once per concrete type, and all values are inserted.

#![cfg(test)]

mod support;

use proptest::prelude::*;
use support::{front, run, words};

#[track_caller]
fn assert_normal(text: &str, variables: &str, expected: &str) {
    let prepared = run(&front(), text, variables).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    assert_eq!(words(&prepared.executable), expected, "{text} with {variables}");
}

#[test]
fn a_response_key_stands_once_with_all_that_is_selected_under_it() {
    for (text, expected) in [
        ("{ pet(id: 1) { id } pet(id: 1) { name id } }", "{pet(id: \"1\") {id name}}"),
        (
            "mutation { k: make(input: {name: \"n\"}) { secret } ...F } \
             fragment F on Mutation { k: make(input: {name: \"n\"}) { pet { id } } }",
            "{k: make(input: {name: \"n\"}) {secret pet {id}}}",
        ),
        (
            "{ a: pet(id: 1) { friends { count } ...{ friends { nodes { id } } } } }",
            "{a: pet(id: \"1\") {friends {count nodes {id}}}}",
        ),
        ("{ ...F ...F c } fragment F on Query { b ...G } fragment G on Query { d b }", "{b d c}"),
        ("{ c b c d b }", "{c b d}"),
        ("subscription { made { number } made { secret } }", "{made {number secret}}"),
    ] {
        assert_normal(text, "{}", expected);
    }
}

#[test]
fn under_an_interface_or_a_union_each_type_has_its_own() {
    for (text, expected) in [
        (
            "{ node(id: 1) { id ...on Pet { name id } ...on Person { owner { id } } } }",
            "{node(id: \"1\") {...Pet {id name} ...Person {id owner {...Pet {id} ...Person {id}}}}}",
        ),
        ("{ any { ...on Node { id } ...on Pet { number } } }", "{any {...Pet {id number} ...Person {id}}}"),
        ("{ any { ...on Pet { owner { ...on Pet { name } } } } }", "{any {...Pet {owner {...Pet {name}}}}}"),
        ("{ any { __typename } }", "{any {...Pet {__typename} ...Person {__typename}}}"),
    ] {
        assert_normal(text, "{}", expected);
    }
}

#[test]
fn skip_and_include_are_resolved_before_anything_merges() {
    let text = "query Q($x: Boolean!) { pet(id: 1) @include(if: $x) { id } pet(id: 1) @skip(if: $x) { name } \
                ... @include(if: $x) { b } ...F @skip(if: $x) c @skip(if: true) } fragment F on Query { d }";
    assert_normal(text, r#"{"x":true}"#, "{pet(id: \"1\") {id} b}");
    assert_normal(text, r#"{"x":false}"#, "{pet(id: \"1\") {name} d}");
    assert_normal("query($x: Boolean! = false) { b c @include(if: $x) }", "{}", "{b}");
    assert_normal("query($x: Boolean! = false) { b c @include(if: $x) }", r#"{"x":true}"#, "{b c}");
    assert_normal("{ b @skip(if: true) }", "{}", "{}");
    // A directive below an excluded field isn't evaluated.
    let text = "query($x: Boolean!, $y: Boolean = true) { c a @include(if: $x) { b @include(if: $y) } }";
    assert_normal(text, r#"{"x":false,"y":null}"#, "{c}");
}

#[test]
fn values_are_coerced_by_the_type_of_their_place() {
    for (text, variables, expected) in [
        ("query($n: Int) { pets(first: $n) { count } }", "{}", "{pets {count}}"),
        ("query($n: Int) { pets(first: $n) { count } }", r#"{"n":null}"#, "{pets(first: null) {count}}"),
        ("query($n: Int = 5) { pets(first: $n) { count } }", "{}", "{pets(first: 5) {count}}"),
        ("query($n: Int) { pets(first: $n) { count } }", r#"{"n":7.0}"#, "{pets(first: 7) {count}}"),
        ("query($n: Int) { echo(needed: $n) }", "{}", "{echo}"),
        ("{ echo(flags: RED, ids: 1) }", "{}", "{echo(flags: [RED])(ids: [[\"1\"]])}"),
        ("query($f: [Flag!]) { echo(flags: $f) }", r#"{"f":"GREEN"}"#, "{echo(flags: [GREEN])}"),
        (
            "query($s: String, $t: [String]) { echo(in: {name: \"n\", tags: [$s, \"x\"], inner: {name: \"m\", tags: $t}}) }",
            "{}",
            "{echo(in: {name: \"n\", tags: [null, \"x\"], inner: {name: \"m\"}})}",
        ),
        (
            "query($i: Input) { echo(in: $i) }",
            r#"{"i":{"name":"n","tags":"one","inner":{"size":3,"name":"m"}}}"#,
            "{echo(in: {name: \"n\", tags: [\"one\"], inner: {size: 3, name: \"m\"}})}",
        ),
        ("query { echo(day: \"2026-11-29\") }", "{}", "{echo(day: \"2026-11-29\")}"),
    ] {
        assert_normal(text, variables, expected);
    }
}

#[test]
fn values_of_a_scalar_of_the_schema_leave_as_their_exact_text() {
    let own = "1.0 2e0 12345678901234567890.10";
    for number in own.split(' ') {
        let expected = format!("{{b(x: {{\"z\":{number},\"a\":[{number}]}})}}");
        assert_normal(&format!("{{ b(x: {{z: {number}, a: [{number}]}}) }}"), "{}", &expected);
        let variables = format!(r#"{{"x":{{"z":{number},"a":[{number}]}}}}"#);
        assert_normal("query($x: JSON) { b(x: $x) }", &variables, &expected);
        assert_normal(
            "query($n: JSON) { b(x: {z: $n, a: [$n]}) }",
            &format!(r#"{{"n":{number}}}"#),
            &expected,
        );
    }
    assert_normal(
        "query($n: Int) { b(x: {z: $n, a: [$n], e: RED}) }",
        "{}",
        r#"{b(x: {"a":[null],"e":"RED"})}"#,
    );
    assert_normal("query($n: Float = 1.50) { b(x: {z: $n}) }", "{}", r#"{b(x: {"z":1.50})}"#);
    // A variable of another type is used with its coerced value.
    let text = "query($l: [Int!], $i: ID, $n: Int, $f: Flag) { b(x: [$l, $i, $n, $f]) }";
    assert_normal(text, r#"{"l":5,"i":7,"n":7.0,"f":"RED"}"#, r#"{b(x: [[5],"7",7,"RED"])}"#);
}

#[test]
fn the_operation_of_the_name_runs_and_no_other() {
    let two = "query A { b } query B { c }";
    assert_normal(two, "A:{}", "{b}");
    assert_normal(two, "B:{}", "{c}");
    assert_normal("query A { b }", "{}", "{b}");
    assert_normal("query A { b }", ":{}", "{b}");
    for (text, name, message) in [
        (two, "", "`operationName` must say which operation runs; the document has A, B"),
        (two, "Foo:", "no operation is named \"Foo\"; the document has A, B"),
        ("{ b }", "Foo:", "no operation is named \"Foo\"; the document has one operation, without a name"),
    ] {
        let errors = run(&front(), text, &format!("{name}{{}}")).unwrap_err();
        assert_eq!(errors.to_string(), message);
    }
}

/// Generates selections of a pet that repeat keys, through fragments and type conditions.
fn selections() -> impl Strategy<Value = String> {
    let leaf =
        prop::sample::select(vec!["id ", "name ", "x: name ", "number ", "__typename ", "...P ", "...N "]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 4, |inner| {
        let heads = vec![
            "owner { ...on Pet { ",
            "owner { ... { ...on Pet { ",
            "... { ",
            "...on Pet { ",
            "...on Node { ...on Pet { ",
            "friends(first: 2) { nodes { ",
            "... @include(if: $t) { ",
            "... @skip(if: $t) { ",
        ];
        (prop::sample::select(heads), prop::collection::vec(inner, 1..4)).prop_map(|(head, inner)| {
            format!("{head}{} {} ", inner.concat(), "}".repeat(head.matches('{').count()))
        })
    })
}

/// Whether a selection set, as formatted by `words`, contains a key twice.
fn repeats(words: &str) -> bool {
    let mut open: Vec<std::collections::HashSet<String>> = vec![];
    for word in words.replace('{', " { ").replace('}', " } ").split_whitespace() {
        match word {
            "{" => open.push(Default::default()),
            "}" => drop(open.pop()),
            word if word.ends_with(':') || word.ends_with(')') => {}
            word => {
                if open.last_mut().is_some_and(|keys| !keys.insert(word.to_owned())) {
                    return true;
                }
            }
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_key_stands_twice_whatever_is_written(all in prop::collection::vec(selections(), 1..5), t in any::<bool>()) {
        let text = format!(
            "query($t: Boolean!) {{ pet(id: 1) {{ {} id @skip(if: $t) ...P ...N }} }} \
             fragment P on Pet {{ id name owner {{ id }} }} fragment N on Node {{ owner {{ id owner {{ id }} }} }}",
            all.concat()
        );
        // Some exceed the depth limit.
        if let Ok(prepared) = run(&front(), &text, &format!(r#"{{"t":{t}}}"#)) {
            let words = words(&prepared.executable).replace("x: name", "x").replace("(first: 2)", "");
            prop_assert!(!repeats(&words), "{} gives {}", text, words);
        }
    }
}
