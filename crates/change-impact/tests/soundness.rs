//! Compares the classification with a JSON Schema validator: an instance that one schema accepts and the other one
//! refuses proves that the change isn't harmless, and in which direction it isn't.

#![cfg(test)]

#[path = "soundness/closed.rs"]
mod closed;
#[path = "soundness/sample.rs"]
mod sample;
mod support;

use std::cell::Cell;

use change_impact::{Classification, Content, Impact, classify};
use closed::closed;
use json_reader::Json;
use jsonschema::{Validator, validator_for};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use sample::{Choices, sample};
use serde_json::{Value, json};
use support::{Draft, document, instance, mutated};

/// The number of pairs to try, unless the environment's `PROPTEST_CASES` is larger.
const CASES_MIN: u32 = 500;

/// A pair of schemas, and instances.
#[derive(Clone, Debug)]
struct Case {
    old: Value,
    new: Value,
    instances: Vec<Value>,
}

fn case() -> impl Strategy<Value = Case> {
    let pair = document().prop_flat_map(|(_, old)| (Just(old.clone()), mutated(old)));
    // Most of the instances are made after one of the schemas.
    let choices = vec(vec(any::<u8>(), 12), 40);
    (pair, vec(instance(), 20), choices).prop_map(|((old, new), mut instances, choices)| {
        let made = choices.iter().enumerate().map(|(at, choices)| {
            let schema = if at % 2 == 0 { &old } else { &new };
            sample(schema, schema, 0, &mut Choices::new(choices))
        });
        instances.extend(made);
        Case { old, new, instances }
    })
}

fn classified(member: &str, old: &Value, new: &Value) -> Classification {
    let parameters = Json::Object(json_reader::Object::new());
    let tool = |schema: &Value| [Json::from(json!({ "name": "t", member: schema }))];
    let (old, new) = (tool(old), tool(new));
    let content =
        |tools| Content { prompt: "", model: "m", parameters: &parameters, tools, extensions: None };
    classify(Some(&content(&old)), Some(&content(&new)))
}

/// The instances that the first schema accepts and the second one refuses.
fn only<'a>(case: &'a Case, accepts: &Validator, refuses: &Validator) -> Vec<&'a Value> {
    case.instances
        .iter()
        .filter(|instance| accepts.is_valid(instance) && !refuses.is_valid(instance))
        .collect()
}

fn has(classification: &Classification, impact: Impact) -> bool {
    classification.findings.iter().any(|finding| [impact, Impact::Unknown].contains(&finding.impact))
}

/// Runs `check` on generated cases, and requires that it returns `true` for a part of them.
fn run(
    check: impl Fn(&Case, &Validator, &Validator) -> Result<bool, TestCaseError>,
    of_old: fn(&Value) -> Value,
) {
    let cases = ProptestConfig::default().cases.max(CASES_MIN);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let (hits, skipped) = (Cell::new(0), Cell::new(0));
    let result = TestRunner::new(config).run(&case(), |case| {
        let validators = (validator_for(&of_old(&case.old)), validator_for(&case.new));
        // A keyword of another draft may be malformed in this one.
        let (Ok(old), Ok(new)) = validators else {
            skipped.set(skipped.get() + 1);
            return Ok(());
        };
        hits.set(hits.get() + u32::from(check(&case, &old, &new)?));
        Ok(())
    });
    if let Err(err) = result {
        panic!("{err}");
    }
    let (hits, skipped) = (hits.get(), skipped.get());
    println!("{hits} of {cases} pairs differ, {skipped} were skipped");
    assert!(skipped < cases / 2 && hits > cases / 20, "{hits} of {cases}, {skipped} skipped");
}

#[test]
fn a_call_that_is_refused_now_is_never_called_harmless() {
    let check = |case: &Case, old_calls: &Validator, new: &Validator| {
        let refused = only(case, old_calls, new);
        let found = classified("inputSchema", &case.old, &case.new);
        prop_assert!(refused.is_empty() || has(&found, Impact::Narrowed), "{refused:?} {found:#?}");
        Ok(!refused.is_empty())
    };
    run(check, closed);
}

#[test]
fn a_call_that_is_accepted_now_is_never_called_same_or_only_narrowed() {
    let check = |case: &Case, old: &Validator, new: &Validator| {
        let accepted = only(case, new, old);
        let found = classified("inputSchema", &case.old, &case.new);
        prop_assert!(accepted.is_empty() || has(&found, Impact::Widened), "{accepted:?} {found:#?}");
        Ok(!accepted.is_empty())
    };
    run(check, Value::clone);
}

#[test]
fn results_are_judged_in_the_other_direction() {
    let check = |case: &Case, old: &Validator, new: &Validator| {
        let found = classified("outputSchema", &case.old, &case.new);
        let (gone, added) = (only(case, old, new), only(case, new, old));
        prop_assert!(gone.is_empty() || has(&found, Impact::Widened), "{gone:?} {found:#?}");
        prop_assert!(added.is_empty() || has(&found, Impact::Narrowed), "{added:?} {found:#?}");
        Ok(!gone.is_empty() || !added.is_empty())
    };
    run(check, Value::clone);
}

#[test]
fn every_draft_is_generated() {
    let mut runner = TestRunner::deterministic();
    let drafts: Vec<Draft> = (0..50)
        .map(|_| proptest::strategy::ValueTree::current(&document().new_tree(&mut runner).unwrap()).0)
        .collect();
    for draft in [Draft::Current, Draft::Middle, Draft::Legacy] {
        assert!(drafts.contains(&draft));
    }
}
