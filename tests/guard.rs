//! The guard of documents: what it refuses, what its figures are, that its parser makes of a document what async-graphql's
//! does, and that nothing it accepts can hurt what comes after it. Its checkers are an expansion written the slow way, the
//! brackets of the parsed document counted again, another parser, and a thread with a 512 KiB stack.

#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    reason = "what tests read is our own answers, and serde_json is what ours is compared with"
)]

#[path = "guard/figures.rs"]
mod figures;
#[path = "guard/limits.rs"]
mod limits;
#[path = "guard/linear.rs"]
mod linear;
#[path = "guard/made.rs"]
mod made;
#[path = "guard/parsed.rs"]
mod parsed;
#[path = "guard/stack.rs"]
mod stack;

use agent_registry::graphql::guard::Limits;
use proptest::prelude::ProptestConfig;

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

fn nest(open: &str, middle: &str, close: &str, times: usize) -> String {
    open.repeat(times) + middle + &close.repeat(times)
}

/// `count` fragments, each spreading the next `times` times.
fn bomb(count: usize, times: usize, last: &str) -> String {
    let link = |at| format!("fragment f{at} on Query {{ {} }}\n", format!("...f{} ", at + 1).repeat(times));
    let chain: String = (0..count).map(link).collect();
    format!("{{ a {{ ...f0 }} }} {chain} fragment f{count} on Query {{ {last} }}")
}

/// How many documents are made up for each property.
fn cases() -> ProptestConfig {
    ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() }
}
