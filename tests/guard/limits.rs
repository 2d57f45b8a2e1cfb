//! What is refused, one past each limit.

use agent_registry::graphql::{
    guard::{Figure, Figure::*, Limits, Measured, Refusal, measure, scan},
    parse::parse,
};
use async_graphql::Variables;

use crate::{bomb, nest};

pub(crate) fn both(text: &str, limits: &Limits) -> Result<Measured, Refusal> {
    scan(text, limits)?;
    measure(&parse(text).unwrap(), None, &Variables::default(), limits)
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
