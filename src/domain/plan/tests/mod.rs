//! Tables of what each rule says, and what a plan's hash depends on.

mod confirm;
mod hash;
mod rules;

use std::sync::Arc;

use chrono::TimeDelta;
use json_reader::{Json, Limits};

use super::*;
use crate::domain::{
    content::Content,
    environment::{BreakingPolicy, EnvironmentKey},
};

/// The environment `staging`.
pub(super) fn staging() -> Option<PromotionSource> {
    Some(PromotionSource { id: uuid::Uuid::nil().into(), key: "staging".parse().ok() })
}

pub(super) fn json(text: &str) -> Json {
    json_reader::read(text.as_bytes(), &Limits::DEFAULT).unwrap()
}

pub(super) fn content(prompt: &str, model: &str, tools: &[&str]) -> ComparedContent {
    let content = Content {
        system_prompt: prompt.to_owned(),
        model_name: model.to_owned(),
        model_parameters: json("{}"),
        tools: tools.iter().map(|tool| json(tool)).collect(),
        extensions: None,
    };
    ComparedContent::Checked(Arc::new(content.check().unwrap()))
}

/// A tool that requires these parameters of three.
pub(super) fn tool(required: &str) -> String {
    format!(
        r#"{{"name":"find","inputSchema":{{"type":"object","additionalProperties":false,
        "properties":{{"city":{{"type":"string"}},"code":{{"type":"string"}},"page":{{"type":"integer"}}}},"required":{required}}}}}"#
    )
}

/// An environment without rules.
pub(super) fn rules() -> PlanRules {
    PlanRules {
        key: EnvironmentKey::default(),
        activate_role: Role::Editor,
        promote_from: None,
        min_soak_seconds: 0,
        on_breaking: BreakingPolicy::Allow,
        allowed_models: None,
    }
}

pub(super) fn now() -> Instant {
    Instant::from_timestamp(1_800_000_000, 0).unwrap()
}

/// The plan of an EDITOR in an environment without rules.
pub(super) fn input(previous: Option<ComparedContent>, next: Option<ComparedContent>) -> PlanInput {
    PlanInput { rules: rules(), caller_role: Role::Editor, previous, next, source: None, now: now() }
}

/// A change that requires one parameter more.
pub(super) fn narrowed() -> PlanInput {
    let of = |required| Some(content("Help.", "m-1", &[&tool(required)]));
    input(of("[]"), of(r#"["city"]"#))
}

pub(super) fn seconds(seconds: i64) -> TimeDelta {
    TimeDelta::seconds(seconds)
}

/// What the rules say, without messages, and the decision.
pub(super) fn said(input: &PlanInput) -> (Vec<(PolicyRule, PolicyEffect)>, PlanDecision) {
    let plan = Plan::of(input).unwrap();
    assert!(plan.policy.iter().all(|finding| !finding.message.is_empty()));
    assert!(plan.policy.is_sorted_by_key(|finding| finding.rule));
    assert_eq!(plan.must_confirm.is_empty(), plan.decision != PlanDecision::Confirm);
    (plan.policy.iter().map(|finding| (finding.rule, finding.effect)).collect(), plan.decision)
}
