//! The guard of documents: what it refuses, what its figures are, and that nothing it accepts can hurt what comes
//! after it. Its checkers are an expansion written the slow way, the brackets of the parsed document counted again,
//! and a thread with a 512 KiB stack.

#![cfg(test)]

use std::thread;

use agent_registry::graphql::guard::{Figure, Figure::*, Limits, Measured, Refusal, measure, scan};
use async_graphql::{
    EmptyMutation, EmptySubscription, Json, Object, Request, Schema, Variables,
    parser::{
        parse_query,
        types::{ExecutableDocument, Selection, SelectionSet},
    },
};
use proptest::prelude::*;

/// The service's limits, but for those that a bomb would meet before it is measured to the end.
const WIDE: Limits = Limits {
    fragments: usize::MAX,
    directives: usize::MAX,
    fields: usize::MAX,
    depth: usize::MAX,
    levels: usize::MAX,
    aliases: usize::MAX,
    root_fields: usize::MAX,
    merges: usize::MAX,
    cost: usize::MAX,
    ..Limits::DEFAULT
};

fn both(text: &str, limits: &Limits) -> Result<Measured, Refusal> {
    scan(text, limits)?;
    measure(&parse_query(text).unwrap(), None, &Variables::default(), limits)
}

fn nest(open: &str, middle: &str, close: &str, times: usize) -> String {
    open.repeat(times) + middle + &close.repeat(times)
}

/// `count` fragments, each spreading the next `times` times.
fn bomb(count: usize, times: usize, last: &str) -> String {
    let link = |at| format!("fragment f{at} on Query {{ {} }}\n", format!("...f{} ", at + 1).repeat(times));
    let chain: String = (0..count).map(link).collect();
    format!("{{ a {{ ...f0 }} }} {chain} fragment f{count} on Query {{ {last} }}")
}

#[track_caller]
fn allowed(text: &str) -> Measured {
    both(text, &Limits::DEFAULT).unwrap()
}

#[track_caller]
fn refused(text: &str, figure: Figure, found: usize) {
    let refusal = both(text, &Limits::DEFAULT).unwrap_err();
    let Refusal::TooMuch { limit, .. } = refusal else { panic!("{refusal}") };
    assert_eq!(refusal, Refusal::TooMuch { figure, found, limit });
    assert_eq!(refusal.code(), "QUERY_TOO_COMPLEX");
    let message = refusal.to_string();
    assert!(message.contains(&format!("{found} ")) && message.contains(&format!("{limit} ")), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

#[test]
fn what_is_written_is_refused_one_past_each_limit() {
    let fill = |shape: &str, each: &str, times| shape.replace('*', &each.repeat(times));
    let mixed = "query q($a:I@b)@b{a* ...@b{b} ...f@b} fragment f on Q@b{b@b}";
    for (shape, each, most, figure, past) in [
        ("{a*}", "@secret", 50, Directives, 51),
        (mixed, "@b", 44, Directives, 51),
        ("{a(*)}", "secret:1 ", 32, Arguments, 33),
        ("{a{*}}", "secret:b ", 100, Aliases, 101),
        ("{a{*}} fragment f on Q{c:b d:b}", "...f ", 50, Aliases, 102),
        ("{*}", "secret ", 20, RootFields, 21),
        ("{...{*}} fragment f on Q{b b}", "...f ", 10, RootFields, 22),
    ] {
        allowed(&fill(shape, each, most));
        refused(&fill(shape, each, most + 1), figure, past);
    }
    let queries = |count| (0..count).map(|at| format!("query secret{at}{{b}}")).collect::<String>();
    let unnamed = Err(Refusal::UnknownOperation { operations: 10 });
    assert_eq!(both(&queries(10), &Limits::DEFAULT), unnamed);
    refused(&queries(11), Operations, 11);
}

#[test]
fn what_fragments_multiply_to_is_refused_one_past_each_limit() {
    refused(&bomb(100, 1, "b"), Fragments, 101);
    allowed(&bomb(29, 1, "b"));
    refused(&bomb(30, 1, "b"), Levels, 33);
    refused(&bomb(32, 1, "b").replace("a { ...f0 }", "b"), Levels, 33);
    allowed(&bomb(9, 2, "b"));
    refused(&bomb(11, 2, "b"), Fields, 3 << 11);
    refused(&bomb(29, 2, "...nowhere"), Fields, 3 << 29);
    refused(&bomb(29, 20, "b"), Fields, usize::MAX);
    allowed(&nest("{a", "", "}", 16));
    refused(&nest("{a", "", "}", 17), Depth, 17);
    let in_fragment = format!("{{a {{...f}}}} fragment f on Q {}", nest("{a", "", "}", 16));
    refused(&in_fragment, Depth, 17);
    let same = |arguments, times| format!("{{a{{b({}){}}}}}", "x:1 ".repeat(arguments), " b".repeat(times));
    allowed(&same(1, 4_000));
    refused(&same(32, 2_000), Merges, 2_001 * 33 + 1);
    let pages = |first| format!("{{a(first:{first}){{edges{{a(first:{first}){{nodes{{b c d e}}}}}}}}}}");
    assert_eq!(allowed(&pages(100)).cost, 1 + 100 * (1 + 1 + 100 * 5));
    refused(&pages(150), Cost, 1 + 150 * (1 + 1 + 150 * 5));
}

#[test]
fn each_selection_is_visited_twice_whatever_they_multiply_to() {
    let steps = |text: &str| both(text, &WIDE).unwrap().steps;
    for (count, times) in [(30, 2), (60, 2), (300, 2), (600, 2), (30, 20), (30, 40)] {
        let written = count * times + 1;
        assert_eq!(steps(&bomb(count, times, "b")), 2 * written + 2, "{count} of {times}");
    }
    for count in [900, 1_800] {
        let long = format!("{{...f}} fragment f on Q{{{}}}", "a{b}".repeat(count));
        assert_eq!(steps(&long), 1 + 4 * count);
    }
}

struct Query;

#[Object]
impl Query {
    async fn a(&self, x: Option<Json<serde_json::Value>>) -> Option<Self> {
        x.is_none().then_some(Self)
    }
    async fn b(&self, x: Option<Json<serde_json::Value>>) -> bool {
        x.is_some()
    }
    async fn nodes(&self) -> Vec<Self> {
        vec![Self, Self]
    }
}

/// Does with a request all that the service does, on a stack of 512 KiB, and says whether it got to run.
/// What the scan accepts may not run into a limit of the parser: those are what saves the parser's stack.
fn survives(text: &str, variables: &str) -> bool {
    let (text, variables) = (text.to_owned(), variables.to_owned());
    let serve = move || {
        let variables = serde_json::from_str::<Variables>(&variables).unwrap();
        if scan(&text, &Limits::DEFAULT).is_err() {
            return false;
        }
        let document = match parse_query(&text) {
            Ok(document) => document,
            Err(error) => {
                assert!(!error.to_string().to_lowercase().contains("limit"), "{text:.99}: {error:.200}");
                return false;
            }
        };
        if measure(&document, None, &variables, &Limits::DEFAULT).is_err() {
            return false;
        }
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription).finish();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut request = Request::new(text).variables(variables);
        request.set_parsed_query(document);
        runtime.block_on(schema.execute(request)).is_ok()
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
        let text = format!("{{b(x:{})}}", nest(open, middle, close, times));
        assert!(survives(&text, "{}"), "{text}");
    }
    let chain: String = (0..14).map(|at| format!("fragment f{at} on Query{{a{{...f{}}}}}", at + 1)).collect();
    for text in [
        nest("{a", "{b}", "}", 15),
        nest("{...", "{b}", "}", 31),
        nest("{...", "", "", 4) + &nest("{...{a", "{b}", "}}", 13) + &"}".repeat(4),
        bomb(29, 1, "b"),
        format!("{{...f0}} {chain} fragment f14 on Query{{nodes{{b}}}}"),
    ] {
        assert!(survives(&text, "{}"), "{text}");
    }
    let types =
        format!("query($a:{}={}){{b}}", nest("[", "Int", "]", MOST - 1), nest("[", "1", "]", MOST - 1));
    // Refused, but not before the parser has been through them.
    for text in
        [nest("{a", "{b}", "}", MOST - 1), nest("{...", "{b}", "}", MOST - 1), "{a".repeat(MOST), types]
    {
        assert_eq!(scan(&text, &Limits::DEFAULT), Ok(()));
        assert!(!survives(&text, "{}"), "{text}");
    }
    // Variables are as deep as serde_json reads: 127 with the object around them.
    let variables = format!(r#"{{"v":{}}}"#, nest("[", "", "]", 126));
    assert!(survives("query($v: JSON) {b(x:$v)}", &variables));
}

/// The figures the slow way, each fragment walked again wherever it is spread: fields, depth, aliases, root fields.
fn expanded(document: &ExecutableDocument, set: &SelectionSet) -> [usize; 4] {
    set.items.iter().fold([0; 4], |sum, selection| {
        let [fields, depth, aliases, roots] = match &selection.node {
            Selection::Field(field) => {
                let [fields, depth, aliases, _] = expanded(document, &field.node.selection_set.node);
                [fields, depth + 1, aliases + usize::from(field.node.alias.is_some()), 1]
            }
            Selection::InlineFragment(inline) => expanded(document, &inline.node.selection_set.node),
            Selection::FragmentSpread(spread) => {
                let fragment = document.fragments.get(&spread.node.fragment_name.node);
                fragment.map_or([0; 4], |found| expanded(document, &found.node.selection_set.node))
            }
        };
        [sum[0] + fields + 1, sum[1].max(depth), sum[2] + aliases, sum[3] + roots]
    })
}

/// The most brackets within brackets of what was parsed, counted from the selections and their arguments.
fn brackets(set: &SelectionSet) -> usize {
    fn of_value(json: &serde_json::Value) -> usize {
        match json {
            serde_json::Value::Array(items) => 1 + items.iter().map(of_value).max().unwrap_or(0),
            serde_json::Value::Object(items) => 1 + items.values().map(of_value).max().unwrap_or(0),
            _ => 0,
        }
    }
    let of_selection = |selection: &Selection| match selection {
        Selection::Field(field) => {
            let values =
                field.node.arguments.iter().map(|(_, value)| value.node.clone().into_json().unwrap());
            values
                .map(|json| 1 + of_value(&json))
                .max()
                .unwrap_or(0)
                .max(brackets(&field.node.selection_set.node))
        }
        Selection::InlineFragment(inline) => brackets(&inline.node.selection_set.node),
        Selection::FragmentSpread(_) => 0,
    };
    set.items.iter().map(|selection| 1 + of_selection(&selection.node)).max().unwrap_or(0)
}

/// Pieces over which a scan may stumble.
fn pieces() -> impl Strategy<Value = String> {
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
fn documents(cycles: bool) -> impl Strategy<Value = String> {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_scan_panic(text in any::<String>(), limit in 0..9_usize) {
        let _ = scan(&text, &Limits { tokens: limit, name_bytes: limit, ..Limits::DEFAULT });
    }

    #[test]
    fn no_text_that_is_accepted_overflows_the_stack(text in pieces()) {
        survives(&text, "{}");
    }

    #[test]
    fn no_document_makes_the_measuring_panic(text in documents(true)) {
        survives(&text, "{}");
    }

    #[test]
    fn figures_are_those_of_the_expansion(text in documents(false)) {
        let document = parse_query(&text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let [fields, depth, aliases, root_fields] = expanded(&document, &operation.node.selection_set.node);
        let measured = |limits| measure(&document, None, &Variables::default(), &limits);
        let found = measured(Limits { aliases, ..WIDE }).unwrap();
        prop_assert_eq!([found.fields, found.depth, found.root_fields], [fields, depth, root_fields]);
        if let Some(limit) = aliases.checked_sub(1) {
            let refusal = Refusal::TooMuch { figure: Aliases, found: aliases, limit };
            prop_assert_eq!(measured(Limits { aliases: limit, ..WIDE }), Err(refusal));
        }
    }

    #[test]
    fn every_bracket_that_the_parser_takes_is_counted(text in documents(false)) {
        let document = parse_query(&text).unwrap();
        let operations = document.operations.iter().map(|(_, operation)| brackets(&operation.node.selection_set.node));
        let fragments = document.fragments.values().map(|fragment| brackets(&fragment.node.selection_set.node));
        let nesting = operations.chain(fragments).max().unwrap();
        prop_assert_eq!(scan(&text, &Limits { nesting, ..WIDE }), Ok(()));
        let fewer = scan(&text, &Limits { nesting: nesting - 1, ..WIDE });
        prop_assert!(fewer.is_err());
    }
}
