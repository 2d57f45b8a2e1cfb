//! Test cases: the ones checked in, and any number of generated ones.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::Value;

use crate::support::node::script;

/// The seed of the generated cases in `make test`.
const SEED: &str = "20261129";

/// A request, and the verdict that the service must reach.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) document: String,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Option<Value>,
    /// The kind of the chosen operation. `None` when no operation can be chosen.
    pub(super) kind: Option<Kind>,
    pub(super) verdict: Verdict,
    /// The section of the specification that the case tests.
    pub(super) rule: String,
    /// The stage that rejects the request.
    #[serde(rename = "stage")]
    _stage: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Query,
    Mutation,
    Subscription,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Ok,
    Refused,
}

/// A request with repeated response keys, and the merged document that it is equivalent to.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Mergeable {
    pub(super) name: String,
    pub(super) document: String,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Value,
    pub(super) merged: String,
}

/// The cases that are checked in.
pub(super) fn fixed() -> Vec<Case> {
    read(include_str!("../../../conformance/differential/fixed.jsonl"))
}

/// Makes `count` cases from a seed.
pub(super) async fn made(seed: &str, count: usize) -> Vec<Case> {
    generate(&["--seed", seed, "--count", &count.to_string()]).await
}

/// Makes `count` requests from a seed.
pub(super) async fn mergeable(seed: &str, count: usize) -> Vec<Mergeable> {
    generate(&["--merged", "--seed", seed, "--count", &count.to_string()]).await
}

/// Prints and returns the seed of this run: `SEED` if it is set, the current time in a long run, else a fixed one.
/// The printed seed repeats the run.
pub(super) fn seed() -> String {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().to_string();
    let is_long = std::env::var_os("PROOF").is_some();
    let seed = std::env::var("SEED").unwrap_or_else(|_| if is_long { now() } else { SEED.to_owned() });
    println!("differential: SEED={seed}");
    seed
}

async fn generate<T: for<'de> Deserialize<'de>>(arguments: &[&str]) -> Vec<T> {
    let output = script("conformance/differential", "generate.mjs").args(arguments).output().await.unwrap();
    assert!(output.status.success(), "generate.mjs {arguments:?}");
    read(std::str::from_utf8(&output.stdout).unwrap())
}

fn read<T: for<'de> Deserialize<'de>>(lines: &str) -> Vec<T> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
