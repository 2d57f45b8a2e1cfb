//! Tests hostile texts: all stages take linear time, don't panic, and fit a stack of 512 KiB.

#![cfg(test)]

mod support;

use std::{thread, time::Duration};

use graphql_front::{Limits, Prepared};
use proptest::prelude::*;
use rustix::time::{ClockId, clock_gettime};
use support::{bomb, front, front_with, nest, run};

/// Checks and prepares a request on a stack of 512 KiB. Returns whether it was accepted.
fn survives(text: &str, variables: &str) -> bool {
    let (text, variables) = (text.to_owned(), variables.to_owned());
    let serve = move || {
        run(&front(), &text, &variables).map(|Prepared { executable, .. }| executable.clone()).is_ok()
    };
    thread::Builder::new().stack_size(512 * 1024).spawn(serve).unwrap().join().unwrap()
}

#[test]
fn the_deepest_that_is_accepted_fits_the_stack() {
    const MOST: usize = Limits::NESTING;
    for (open, middle, close, times) in [
        ("[", "", "]", MOST - 2),
        ("{a:", "1", "}", MOST - 2),
        ("[{a:", "1", "}]", MOST / 2 - 1),
        ("[", "\"\"\"[\"\"\"", "]", MOST - 2),
    ] {
        assert!(survives(&format!("{{b(x:{})}}", nest(open, middle, close, times)), "{}"), "{open}");
    }
    let inner = nest("{name:\"n\",inner:", "{name:\"n\"}", "}", MOST - 3);
    assert!(survives(&format!("{{echo(in:{inner})}}"), "{}"));
    for text in [
        nest("{a", "{b}", "}", 15),
        nest("{...", "{b}", "}", 31),
        bomb(29, 1, "b"),
        format!("{{node(id:1){}}}", nest("{owner", "{id}", "}", 6)),
    ] {
        assert!(survives(&text, "{}"), "{text}");
    }
    // Rejected, but only after parsing.
    let types =
        format!("query($a:{}={}){{b}}", nest("[", "Int", "]", MOST - 1), nest("[", "1", "]", MOST - 1));
    for text in
        [nest("{a", "{b}", "}", MOST - 1), nest("{...", "{b}", "}", MOST - 1), "{a".repeat(MOST), types]
    {
        assert!(!survives(&text, "{}"), "{text}");
    }
    let deep = json_reader::Limits::default().depth;
    let variables = format!(r#"{{"v":{}}}"#, nest("[", "", "]", deep - 2));
    assert!(survives("query($v: JSON) {b(x:$v)}", &variables));
}

#[test]
fn brackets_by_the_hundred_thousand_are_refused_at_once() {
    for open in ["[", "{", "(", "{a(x:[", "{a{", "[{a:"] {
        assert!(!survives(&open.repeat(200_000 / open.len()), "{}"), "{open}");
    }
}

/// Families of texts: a part repeated to a number of bytes, between a beginning and an end.
const FAMILIES: &[(&str, &str, &str)] = &[
    ("{", "b ", "}"),
    ("{", "unknown ", "}"),
    ("{", "b:b ", "}"),
    ("{", "b:b b:c ", "}"),
    ("{b(", "x:1 ", ")}"),
    ("{", "b@a ", "}"),
    ("{", "...f ", "} fragment f on Query {b}"),
    ("{", "...{b} ", "}"),
    ("{node(id:1){", "...on Pet{x:name} ...on Person{x:number} ", "}}"),
    ("{", "a{a{b}} ", "}"),
    ("{b(x:[", "0 ", "])}"),
    ("{b(x:[", "{a:1}", "])}"),
    ("{b(x:{", "a:1 ", "})}"),
    ("{echo(in:{name:\"n\",tags:[", "\"x\" ", "]})}"),
    ("{b(x:\"", "x", "\")}"),
    ("{b(x:\"", "\\n", "\")}"),
    ("{b(x:\"", "\\u{1f600}", "\")}"),
    ("{b(x:\"\"\"", " x\n", "\"\"\")}"),
    ("{b(x:\"\"\"", "\\\"\"\"", "\"\"\")}"),
    ("{b(x:\"\"\"", "\"\"\\", ""),
    ("{", "#\n", "b}"),
    ("{", "#", "\nb}"),
    ("{", ",", "b}"),
    ("{b(x:", "1", ")}"),
    ("{", "é", "}"),
    ("query(", "$a:Int=1 ", "){b}"),
    ("", "query a{b}", ""),
    ("", "\"\"query a{b}", ""),
];

/// The processor time of this thread, which excludes the work of others.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

#[test]
fn sixteen_times_the_text_takes_about_sixteen_times_as_long() {
    const ALL: usize = usize::MAX;
    let limits = Limits {
        bytes: ALL,
        tokens: ALL / 4,
        name_bytes: ALL,
        operations: ALL,
        fragments: ALL,
        directives: ALL,
        arguments: ALL,
        fields: ALL,
        levels: ALL,
        aliases: ALL,
        root_fields: ALL,
        cost: ALL,
        ..Limits::DEFAULT
    };
    let front = front_with(limits);
    let shortest = |text: &str| {
        let once = || {
            let before = worked();
            let _ = run(&front, text, "{}");
            worked() - before
        };
        (0..2).map(|_| once()).min().unwrap_or_default()
    };
    let mut squares = Vec::new();
    for (before, each, after) in FAMILIES {
        let text = |bytes: usize| format!("{before}{}{after}", each.repeat(bytes / each.len()));
        let (short, long) = (shortest(&text(1024)), shortest(&text(16 * 1024)));
        // Quadratic time would be 256 times as long. Less than a tenth of a millisecond can't be quadratic for this
        // many bytes.
        if long > 80 * short.max(Duration::from_micros(100)) {
            squares.push(format!("{before}{each}…: {short:?}, and {long:?} for sixteen times as much"));
        }
    }
    assert!(squares.is_empty(), "{squares:#?}");
}

/// Pieces that are difficult for a parser.
fn pieces() -> impl Strategy<Value = String> {
    let words = r#"[ ] { } ( ) {a {b} a(x: b(x: [1] {a: " "" """ \""" \ # , ... ...f null true 0 -1.5e3 $a @a : ! é "b" "\""
        """b""" """\"""""" query fragment on ...on query($a:[[Int]]=[1]){ ...{ ...on Query{ @skip(if: node(id:1){ in:{name:"n" "#;
    let words: Vec<_> = words.split_whitespace().chain(["\n", "\r", " ", "\u{feff}", "\0"]).collect();
    let runs = r#"[ {a {a: a(x:[ ...{ [""" "\" ["" "\""["#.split(' ').chain(["#\r["]).collect::<Vec<_>>();
    let piece = prop_oneof![
        8 => prop::sample::select(words).prop_map(str::to_owned),
        1 => (prop::sample::select(runs), prop_oneof![30..70_usize, 70..2_500_usize]).prop_map(|(run, times)| run.repeat(times)),
        1 => any::<String>(),
    ];
    let starts = ["", "{a(x:[", "{a", "{", "query($a:Int)"].map(str::to_owned).to_vec();
    (prop::sample::select(starts), prop::collection::vec(piece, 0..24))
        .prop_map(|(start, rest)| start + &rest.concat())
}

/// Generates a document of fragments `f1` to `f4`, each of which may spread any other.
fn documents() -> impl Strategy<Value = String> {
    let set = || {
        let leaf = prop_oneof![
            prop::sample::select(vec![
                "b ",
                "c: b #[{(\n",
                "echo(in: {name: \"n\"}) ",
                "b(x: {a: [1.0, $v]}) "
            ])
            .prop_map(str::to_owned),
            (0..5_usize).prop_map(|to| format!("...f{to} ")),
        ];
        let selection = leaf.prop_recursive(4, 12, 3, |inner| {
            let heads = vec!["a", "d: a", "...", "... on Query", "nodes", "a @include(if: $t)"];
            (prop::sample::select(heads), prop::collection::vec(inner, 1..3))
                .prop_map(|(head, inner)| format!("{head} {{ {} }} ", inner.concat()))
        });
        prop::collection::vec(selection, 1..4).prop_map(|items| items.concat())
    };
    [set(), set(), set(), set(), set()].prop_map(|[all, rest @ ..]| {
        let fragment = |(at, set)| format!("fragment f{} on Query {{ {set} }}\n", at + 1);
        format!("query($t: Boolean! = true, $v: Int) {{ {all} b(x: $v) ...{{ c @skip(if: $t) }} }}")
            + &rest.iter().enumerate().map(fragment).collect::<String>()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        survives(&text, "{}");
    }

    #[test]
    fn no_pieces_overflow_the_stack(text in pieces()) {
        survives(&text, "{}");
    }

    #[test]
    fn no_document_makes_it_panic(text in documents()) {
        survives(&text, "{}");
    }
}
