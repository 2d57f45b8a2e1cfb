//! What the hash of a plan depends on, and what it doesn't.

use std::{collections::HashSet, sync::Arc};

use json_reader::{Json, Object};
use proptest::prelude::*;

use super::{super::*, content, input, json, narrowed, now, seconds, staging, tool};
use crate::domain::{content::Content, environment::BreakingPolicy};

fn hash(of: &PlanInput) -> PlanHash {
    Plan::of(of).unwrap().hash
}

#[test]
fn another_environment_content_or_answer_of_a_rule_is_another_plan() {
    let mut plans = vec![narrowed()];
    let mut add = |change: &dyn Fn(&mut PlanInput)| {
        let mut input = narrowed();
        change(&mut input);
        plans.push(input);
    };
    add(&|input| input.rules.key = "staging".parse().unwrap());
    add(&|input| input.previous = Some(content("Help", "m-1", &[&tool("[]")])));
    add(&|input| input.next = Some(content("Help", "m-1", &[&tool(r#"["city"]"#)])));
    add(&|input| input.previous = None);
    add(&|input| input.next = None);
    add(&|input| std::mem::swap(&mut input.previous, &mut input.next));
    add(&|input| input.rules.on_breaking = BreakingPolicy::Confirm);
    add(&|input| input.rules.on_breaking = BreakingPolicy::Refuse);
    add(&|input| input.rules.promote_from = staging());
    add(&|input| input.rules.allowed_models = Some(Vec::new()));
    add(&|input| input.next = Some(content("Use ghp_0123456789abcdefghijklmnopqrstuvwxyz.", "m-1", &[])));
    let hashes: HashSet<PlanHash> = plans.iter().map(hash).collect();
    assert_eq!(hashes.len(), plans.len());
}

#[test]
fn another_finding_is_another_plan() {
    let Plan { findings, .. } = Plan::of(&narrowed()).unwrap();
    let of = |findings: &[Finding]| PlanHash::of("production", [None, None], findings, &[]).unwrap();
    let finding = findings.first().unwrap().clone();
    let (before, after) = (finding.before.clone(), finding.after.clone());
    let others = [
        vec![],
        vec![finding.clone()],
        vec![finding.clone(), finding.clone()],
        vec![Finding { impact: Impact::Removed, ..finding.clone() }],
        vec![Finding { path: vec!["tools".to_owned()], ..finding.clone() }],
        vec![Finding { tool_name: None, ..finding.clone() }],
        vec![Finding { before: None, after: None, ..finding.clone() }],
        vec![Finding { before: Some(Json::Null), after: None, ..finding.clone() }],
        vec![Finding { before: after, after: before, ..finding.clone() }],
    ];
    let hashes: HashSet<PlanHash> = others.iter().map(|findings| of(findings)).collect();
    assert_eq!(hashes.len(), others.len());
    let reworded = Finding { message: "other words".to_owned(), ..finding.clone() };
    assert_eq!(of(&[reworded]), of(&[finding]));
}

#[test]
fn a_content_has_the_hash_of_the_version_that_it_becomes() {
    let planned = narrowed();
    let Some(ComparedContent::Checked(next)) = &planned.next else { panic!("a checked content") };
    let body = crate::domain::version::VersionBody {
        id: uuid::Uuid::nil().into(),
        system_prompt: next.system_prompt.clone(),
        model_parameters: next.model_parameters.clone(),
        tools: next.tools.clone(),
        extensions: next.extensions.clone(),
        bytes_hash: next.bytes_hash.to_vec(),
    };
    let version = ComparedContent::Version(next.model_name.clone(), Arc::new(body));
    let published = PlanInput { next: Some(version), ..planned.clone() };
    assert_eq!(Plan::of(&published).unwrap(), Plan::of(&planned).unwrap());
}

#[test]
fn neither_time_nor_caller_change_a_plan() {
    let soaking = |age| {
        let source = SourceService { ended: seconds(0), active_since: Some(now() - seconds(age)) };
        let mut input = PlanInput { source: Some(source), ..narrowed() };
        (input.rules.promote_from, input.rules.min_soak_seconds) = (staging(), 60);
        input
    };
    assert_eq!(hash(&soaking(1)), hash(&soaking(59)));
    assert_ne!(Plan::of(&soaking(1)).unwrap().policy, Plan::of(&soaking(59)).unwrap().policy, "the message");
    assert_ne!(hash(&soaking(59)), hash(&soaking(60)), "the rule lets it through now");
    assert_eq!(hash(&soaking(60)), hash(&soaking(6000)));
    let mut roles = [Role::Viewer, Role::Editor, Role::Admin].map(|caller_role| {
        let mut input = PlanInput { caller_role, ..narrowed() };
        input.rules.activate_role = Role::Admin;
        hash(&input)
    });
    roles.sort_by_key(ToString::to_string);
    assert_eq!(roles.first(), roles.last());
}

/// The same JSON, with the keys of each object in another order.
fn shuffled(json: &Json, choices: &mut impl Iterator<Item = usize>) -> Json {
    match json {
        Json::Array(items) => Json::Array(items.iter().map(|item| shuffled(item, choices)).collect()),
        Json::Object(members) => {
            let members: std::collections::BTreeMap<_, _> = members
                .iter()
                .map(|(key, value)| (choices.next().unwrap(), (key.to_owned(), shuffled(value, choices))))
                .collect();
            Json::Object(members.into_values().collect::<Object>())
        }
        other => other.clone(),
    }
}

/// A content with many keys, some of which differ between 0 and 1.
fn rich(variant: usize, choices: &mut impl Iterator<Item = usize>) -> ComparedContent {
    let (extra, bound) = if variant == 0 { (r#""required":["a"],"#, 5) } else { ("", 9) };
    let tool = format!(
        r#"{{"name":"find","description":"d","inputSchema":{{"type":"object",{extra}"properties":{{
        "a":{{"type":"integer","maximum":{bound},"minimum":0}},"b":{{"enum":[1,{bound}],"title":"x"}}}},
        "$defs":{{"x":{{"not":{{"const":{{"p":{bound},"q":1}}}}}}}}}},"annotations":{{"p":{bound},"q":2}}}}"#
    );
    let parameters = format!(r#"{{"top_p":1,"stop":{{"m":{bound},"n":2}},"seed":3}}"#);
    let extensions = format!(r#"{{"org.example.b":{{"m":{bound},"n":2}},"org.example.a":1}}"#);
    let content = Content {
        system_prompt: "Help.".to_owned(),
        model_name: "m".to_owned(),
        model_parameters: shuffled(&json(&parameters), choices),
        tools: vec![shuffled(&json(&tool), choices)],
        extensions: Some(shuffled(&json(&extensions), choices)),
    };
    let mut checked = content.check().unwrap();
    // The order of keys counts only in these bytes.
    checked.bytes_hash = [u8::try_from(variant).unwrap(); 32];
    ComparedContent::Checked(Arc::new(checked))
}

proptest! {
    #[test]
    fn the_order_of_keys_makes_no_difference_beyond_the_bytes(choices in proptest::collection::vec(any::<u32>(), 100)) {
        let mut unique = choices.iter().enumerate().map(|(nth, choice)| *choice as usize * 128 + nth);
        let mut in_order = 0..;
        let plain = input(Some(rich(0, &mut in_order)), Some(rich(1, &mut in_order)));
        let other = input(Some(rich(0, &mut unique)), Some(rich(1, &mut unique)));
        let (plain, other) = (Plan::of(&plain).unwrap(), Plan::of(&other).unwrap());
        prop_assert!(plain.findings.len() > 3);
        let paths = |plan: &Plan| -> Vec<_> {
            plan.findings.iter().map(|finding| (finding.impact, finding.path.clone())).collect()
        };
        prop_assert_eq!(paths(&plain), paths(&other));
        prop_assert_eq!(plain.hash, other.hash);
        prop_assert_eq!(plain.policy, other.policy);
    }
}
