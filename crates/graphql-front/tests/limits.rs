//! Tests each limit with one more than allowed, compares the computed sizes with an expansion, and checks that
//! documents of real clients are accepted.

#![cfg(test)]

mod support;

use graphql_front::{ErrorKind, Figure, Figure::*, Front, Limits};
use proptest::prelude::*;
use support::{bomb, front, front_with, nest, run};

/// The limit that a document exceeds, if it is rejected for that.
fn too_much(front: &Front, text: &str) -> Option<(Figure, usize, usize)> {
    let errors = run(front, text, "{}").err()?;
    let message = errors.to_string();
    match errors.into_iter().next().unwrap().kind {
        ErrorKind::TooComplex { figure, found, limit } => {
            assert!(
                message.contains(&format!("{found} ")) && message.contains(&format!("{limit} ")),
                "{message}"
            );
            assert!(!message.contains("secret"), "{message}");
            Some((figure, found, limit))
        }
        _ => None,
    }
}

#[track_caller]
fn allowed(text: &str) {
    assert_eq!(too_much(&front(), text), None, "{text:.200}");
}

#[track_caller]
fn refused(text: &str, figure: Figure, found: usize) {
    let refusal = too_much(&front(), text);
    assert_eq!(refusal.map(|(figure, found, _)| (figure, found)), Some((figure, found)), "{text:.200}");
}

#[test]
fn a_text_is_refused_one_past_each_limit() {
    let spaces = |bytes| format!("{{b{}}}", " ".repeat(bytes - 3));
    allowed(&spaces(Limits::BYTES));
    refused(&spaces(Limits::BYTES + 1), Bytes, Limits::BYTES + 1);
    for (item, tokens) in [("0 ", 1), ("null ", 1), ("a:", 2), ("[]", 2), ("@", 1), ("#\n", 1)] {
        refused(&item.repeat(8_000 / tokens + 1), Tokens, 8_001);
        allowed(&item.repeat(8_000 / tokens));
    }
    refused(&format!("{{b{}}}", ", ".repeat(40_000)), Tokens, 8_001);
    let name = "n".repeat(Limits::NAME_BYTES);
    allowed(&format!("{{ {name}: b }}"));
    refused(&format!("{{ {name}secret: b }}"), NameBytes, Limits::NAME_BYTES + 6);
    for open in ["[", "{", "(", "{a:[", "[]["] {
        let times = 40 / if open == "{a:[" { 2 } else { 1 };
        allowed(&open.repeat(times));
        refused(&open.repeat(2_000), Nesting, 41);
    }
}

#[test]
fn brackets_in_comments_and_strings_do_not_count_and_others_always_do() {
    let brackets = "[".repeat(2_000);
    for text in [
        format!("{{b #{brackets}\n}}"),
        format!("{{b #\" {brackets}\r}}"),
        format!(r#"{{b(x: "{brackets}")}}"#),
        format!(r#"{{b(x: "\"{brackets}\\")}}"#),
        format!(r#"{{b(x: """{brackets} " "" \""" {brackets} """)}}"#),
        format!("{{b(x: \"\"\"\n#{brackets}\n\"\"\")}}"),
    ] {
        allowed(&text);
    }
    for before in
        ["#\n", "#\r", r#""" "#, r#""\\" "#, r#""\"" "#, r#"""" \""" """ "#, "[}".repeat(10).as_str()]
    {
        refused(&format!("{{b(x:[{before}{brackets}"), Nesting, 41);
    }
}

#[test]
fn what_is_written_is_refused_one_past_each_limit() {
    let fill = |shape: &str, each: &str, times| shape.replace('*', &each.repeat(times));
    for (shape, each, most, figure, past) in [
        ("{a*{b}}", "@secret", 50, Directives, 51),
        ("query q($x:Int@b)@b{a*{b} ...@b{b} ...f@b} fragment f on Query@b{b@b}", "@b", 44, Directives, 51),
        ("{a(*){b}}", "secret:1 ", 32, Arguments, 33),
        ("{a{*}}", "secret:b ", 100, Aliases, 101),
        ("{a{*}} fragment f on Query{c:b d:b}", "...f ", 50, Aliases, 102),
        ("{*}", "b ", 20, RootFields, 21),
        ("{...{*}} fragment f on Query{b b}", "...f ", 10, RootFields, 22),
    ] {
        allowed(&fill(shape, each, most));
        refused(&fill(shape, each, most + 1), figure, past);
    }
    let queries = |count| (0..count).map(|at| format!("query secret{at}{{b}}")).collect::<String>();
    allowed(&queries(10));
    refused(&queries(11), Operations, 11);
}

#[test]
fn what_fragments_multiply_to_is_refused_one_past_each_limit() {
    refused(&bomb(100, 1, "b"), Fragments, 101);
    allowed(&bomb(29, 1, "b"));
    refused(&bomb(30, 1, "b"), Levels, 33);
    allowed(&bomb(9, 2, "b"));
    refused(&bomb(11, 2, "b"), Fields, 3 << 11);
    refused(&bomb(29, 2, "...nowhere"), Fields, 3 << 29);
    refused(&bomb(29, 20, "b"), Fields, usize::MAX);
    allowed(&nest("{a", "{b}", "}", 15));
    refused(&nest("{a", "{b}", "}", 16), Depth, 17);
    refused(&format!("{{a {{...f}}}} fragment f on Query {}", nest("{a", "{b}", "}", 15)), Depth, 17);
    let pages = |first| format!("{{a(first:{first}){{edges{{a(first:{first}){{nodes{{b c d b}}}}}}}}}}");
    allowed(&pages(100));
    refused(&pages(150), Cost, 1 + 150 * (1 + 1 + 150 * 5));
}

#[test]
fn a_page_costs_its_length_times_what_it_holds() {
    let front = front_with(Limits { cost: usize::MAX, ..Limits::DEFAULT });
    for (text, variables, expected) in [
        ("{ a { b } }", "{}", 2),
        ("{ a { edges { b } } }", "{}", 1 + 20 * 2),
        ("{ a { ...{ nodes { b } } } }", "{}", 1 + 20 * 2),
        ("{ a { ...f } } fragment f on Query { nodes { b } }", "{}", 1 + 20 * 2),
        ("{ a(first: 5) { nodes { b } } }", "{}", 1 + 5 * 2),
        ("{ pets(first: 2, last: 5) { count } }", "{}", 1 + 5),
        ("{ a(first: 0) { b } }", "{}", 1 + 1),
        ("{ a(first: -1) { b } }", "{}", 1 + 20),
        ("query($n: Int) { a(first: $n) { b } }", r#"{"n":7}"#, 1 + 7),
        ("query($n: Int = 9) { a(first: $n) { b } }", r#"{"n":7}"#, 1 + 7),
        ("query($n: Int = 9) { a(first: $n) { b } }", "{}", 1 + 9),
        ("query($n: Int) { a(first: $n) { b } }", r#"{"n":100.0}"#, 1 + 100),
        ("query($n: Int) { a(first: $n) { b } }", r#"{"n":1e2}"#, 1 + 100),
        ("query($n: Int) { a(first: $n) { b } }", "{}", 1 + 20),
        (
            "query q($n: Int = 9) { ...f } query r($n: Int = 99) { ...f } fragment f on Query { a(first: $n) { b } }",
            "q:{}",
            1 + 9,
        ),
    ] {
        assert_eq!(run(&front, text, variables).unwrap().cost, expected, "{text} with {variables}");
    }
}

#[test]
fn an_operation_that_costs_too_much_is_refused_with_the_path_of_its_costliest_list() {
    let front = front_with(Limits { cost: 50, ..Limits::DEFAULT });
    for (text, expected) in [
        ("{ c cheap: a(first: 5) { b } dear: a(first: 60) { b c } }", "dear"),
        ("{ a { pets(first: 10) { nodes { kin: friends { nodes { id name } } } } } }", "a.pets.kin"),
        (
            "{ pets(first: 10) { ...P } } fragment P on PetPage { ...Q } fragment Q on PetPage { nodes { friends { nodes { id } } } }",
            "pets.friends",
        ),
        ("{ a(first: 9) { edges { ... { a(first: 9) { edges { b } } } } } }", "a.a"),
        ("{ x: a { b c d } y: a { nodes { a { b c d } } } }", "y"),
    ] {
        let error = run(&front, text, "{}").unwrap_err().into_iter().next().unwrap();
        assert!(matches!(error.kind, ErrorKind::TooComplex { figure: Cost, limit: 50, .. }), "{error}");
        assert_eq!(error.costliest_path.as_deref(), Some(expected), "{text}");
    }
    let other = run(&front, "{ nothing }", "{}").unwrap_err().into_iter().next().unwrap();
    assert_eq!(other.costliest_path, None);
}

#[test]
fn variables_of_too_many_values_are_refused() {
    let variables = |count| format!(r#"{{"x":[{}]}}"#, vec!["1"; count].join(","));
    let text = "query($x: JSON) { b(x: $x) }";
    assert!(run(&front(), text, &variables(Limits::VALUES - 1)).is_ok());
    let errors = run(&front(), text, &variables(Limits::VALUES)).unwrap_err();
    assert!(matches!(errors.into_iter().next().unwrap().kind, ErrorKind::TooComplex { figure: Values, .. }));
}

/// The limit that a request exceeds.
fn figure(text: &str, variables: &str) -> Option<Figure> {
    match run(&front(), text, variables).err()?.into_iter().next()?.kind {
        ErrorKind::TooComplex { figure, .. } => Some(figure),
        _ => None,
    }
}

#[test]
fn a_value_counts_wherever_it_stands() {
    let value = "x".repeat(1 << 20);
    let variables = format!(r#"{{"v":"{value}"}}"#);
    let uses = |times: usize| "$v ".repeat(times);
    for (times, refused) in [(8, None), (20, Some(ValueBytes)), (3_900, Some(ValueBytes))] {
        let list = format!("query($v: ID!) {{ echo(ids: [[{}]]) }}", uses(times));
        assert_eq!(figure(&list, &variables), refused, "{times}");
        let json = format!("query($v: String!) {{ b(x: {{a: [{}]}}) }}", uses(times / 2));
        assert_eq!(figure(&json, &variables), refused, "{times}");
    }
    // A literal in a fragment counts at each spread of the fragment.
    let literal = "x".repeat(300_000);
    let link =
        |at: usize| format!("fragment f{at} on Query {{ a {{ ...f{0} }} nodes {{ ...f{0} }} }} ", at + 1);
    let chain: String = (0..7).map(link).collect();
    let many = format!("{{ ...f0 }} {chain} fragment f7 on Query {{ echo(text: \"{literal}\") }}");
    assert_eq!(figure(&many, "{}"), Some(ValueBytes));
    // Each reported conflict contains a copy.
    let value = "x".repeat(900_000);
    let conflicts = format!("{{ echo(text: \"{value}\") a {{ {} }} }}", "b(x: 1) ".repeat(1_000));
    assert_eq!(figure(&conflicts, "{}"), Some(Copies));
    let prompt = format!("mutation {{ make(input: {{name: \"{value}\"}}) {{ number }} }}");
    assert_eq!(figure(&prompt, "{}"), None);
}

#[test]
fn a_deep_variable_within_a_deep_literal_is_refused() {
    let deep = |depth: usize| format!(r#"{{"v":{}}}"#, nest("[", "", "]", depth));
    let text = format!("query($v: JSON) {{ b(x: {}) }}", nest("[", "$v", "]", 20));
    assert!(run(&front(), &text, &deep(100)).is_ok());
    let errors = run(&front(), &text, &deep(120)).unwrap_err();
    assert!(errors.to_string().contains("open within each other"), "{errors}");
}

/// Counts the fields of a document by expanding each fragment at each spread.
fn expanded(from: usize, widths: &[usize]) -> usize {
    match widths.get(from) {
        // A spread, and its content.
        Some(width) => width * (1 + expanded(from + 1, widths)),
        None => 1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fields_are_those_of_the_expansion(widths in prop::collection::vec(1..4_usize, 1..6)) {
        let spread = |at: usize| format!("...f{at} ").repeat(widths.get(at).copied().unwrap_or(0));
        let link = |at: usize| {
            let inner = if at + 1 == widths.len() { "b".to_owned() } else { spread(at + 1) };
            format!("fragment f{at} on Query {{ {inner} }} ")
        };
        let text = format!("{{ a {{ {} }} }} {}", spread(0), (0..widths.len()).map(link).collect::<String>());
        let fields = 1 + expanded(0, &widths);
        let wide = Limits { levels: usize::MAX, root_fields: usize::MAX, cost: usize::MAX, ..Limits::DEFAULT };
        prop_assert_eq!(too_much(&front_with(Limits { fields, ..wide }), &text), None);
        let fewer = too_much(&front_with(Limits { fields: fields - 1, ..wide }), &text);
        prop_assert_eq!(fewer, Some((Fields, fields, fields - 1)));
    }
}
