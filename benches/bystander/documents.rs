//! Documents that are rejected.

use serde_json::{Value, json};

/// Documents that are rejected, each for another reason.
pub fn refused() -> Vec<Value> {
    let bomb: String =
        (0..30).map(|n| format!("fragment F{n} on Query {{ ...F{} ...F{} }} ", n + 1, n + 1)).collect();
    let documents = [
        format!("{{ nodes(ids: {}", "[".repeat(2000)),
        format!("{{ ...F0 }} {bomb} fragment F30 on Query {{ __typename }}"),
        format!("{{ {} }}", (0..101).map(|n| format!("a{n}: __typename ")).collect::<String>()),
        format!("{{ {} }}", "a ".repeat(9000)),
        format!("{{ a # {}\n }}", "x".repeat(1024 * 1024)),
        format!("{{ {} ]", "a ".repeat(7900)),
        format!("{{ {} }}", "a ".repeat(7900)),
        format!("{{ customers {{ {} }} }}", (0..4000).map(|n| format!("f{n} ")).collect::<String>()),
    ];
    documents.map(|query| json!({ "query": query })).into()
}
