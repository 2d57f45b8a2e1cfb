//! Documents that are made up, and what is none.

use proptest::prelude::*;

use crate::nest;

/// Pieces over which a scan may stumble.
pub(crate) fn pieces() -> impl Strategy<Value = String> {
    let words = r#"[ ] { } ( ) {a {b} a(x: b(x: [1] {a: " "" """ \""" \ # , ... ...f null true 0 -1.5e3 $a @a : ! é "b" "\""
        """b""" """\"""""" query fragment on ...on query($a:[[Int]]=[1]){"#;
    let words: Vec<_> = words.split_whitespace().chain(["\n", "\r", " ", "\u{feff}", "\0"]).collect();
    let runs = r#"[ {a {a: a(x:[ ...{ [""" "\" ["" "\""["#.split(' ').chain(["#\r["]).collect::<Vec<_>>();
    let piece = prop_oneof![
        8 => prop::sample::select(words).prop_map(str::to_owned),
        1 => (prop::sample::select(runs), prop_oneof![30..70_usize, 70..2_500_usize]).prop_map(|(run, times)| run.repeat(times)),
        1 => any::<String>(),
    ];
    // The last is where the parser reads on, and finds brackets, if a block string that does not end is let through.
    let hidden = "{a(x:[\"\"\"b\" ".to_owned() + &"[".repeat(2_000);
    let starts = ["", "{a(x:[", "{a", "{"].map(str::to_owned).into_iter().chain([hidden]);
    let start = prop::sample::select(starts.collect::<Vec<_>>());
    (start, prop::collection::vec(piece, 0..24)).prop_map(|(start, rest)| start + &rest.concat())
}

/// A document of fragments `f1` to `f4`, each of which spreads later ones only, unless it may make `cycles`.
pub(crate) fn documents(cycles: bool) -> impl Strategy<Value = String> {
    let set = move |from: usize| {
        let value =
            prop::sample::select(vec!["1", "\"[\"", "\"\"\"{\"\"\"", "\"\\\"[\""]).prop_map(str::to_owned);
        let value = value.prop_recursive(4, 8, 2, |inner| {
            let item = prop::sample::select(vec![("[", "]"), ("{a:", "}")]);
            (item, inner).prop_map(|((open, close), inner)| nest(open, &inner, close, 1))
        });
        let leaf = prop_oneof![
            prop::sample::select(vec!["b ", "c: b #[{(\n"]).prop_map(str::to_owned),
            value.prop_map(|value| format!("b(x: {value}) ")),
            (0..5_usize).prop_map(move |to| format!("...f{} ", if cycles { to } else { from + 1 + to })),
        ];
        let selection = leaf.prop_recursive(4, 12, 3, |inner| {
            let heads = vec!["a", "d: a", "...", "... on Query", "nodes"];
            (prop::sample::select(heads), prop::collection::vec(inner, 1..3))
                .prop_map(|(head, inner)| format!("{head} {{ {} }} ", inner.concat()))
        });
        prop::collection::vec(selection, 1..4).prop_map(|items| items.concat())
    };
    [set(0), set(1), set(2), set(3), set(4)].prop_map(|[all, rest @ ..]| {
        let fragment = |(at, set)| format!("fragment f{} on Query {{ {set} }}\n", at + 1);
        format!("{{ {all} }}") + &rest.iter().enumerate().map(fragment).collect::<String>()
    })
}
