//! What each rule says, with each of its effects.

use super::{super::*, content, input, narrowed, now, rules, said, seconds, staging, tool};
use crate::domain::environment::BreakingPolicy;
use PolicyEffect::{Confirm, Info, Refuse};
use PolicyRule::{ActivateRole, AllowedModels, MinSoak, OnBreaking, PromoteFrom, SecretInPrompt};

/// A prompt with what looks like a secret in its third line.
const SECRET_PROMPT: &str = "Help.\n\nUse ghp_0123456789abcdefghijklmnopqrstuvwxyz.";

fn harmless() -> PlanInput {
    input(Some(content("Help.", "m-1", &[])), Some(content("Help well.", "m-1", &[])))
}

fn soaked(ended: i64, since: Option<i64>) -> Option<SourceService> {
    Some(SourceService { ended: seconds(ended), active_since: since.map(|since| now() - seconds(since)) })
}

#[test]
fn the_role_counts_for_every_activation() {
    let with = |mut input: PlanInput, needed, has| {
        (input.rules.activate_role, input.caller_role) = (needed, has);
        said(&input)
    };
    let refused = (vec![(ActivateRole, Refuse)], PlanDecision::Refuse);
    let allowed = (vec![], PlanDecision::Allow);
    for (needed, has, expected) in [
        (Role::Admin, Role::Editor, &refused),
        (Role::Admin, Role::Viewer, &refused),
        (Role::Editor, Role::Viewer, &refused),
        (Role::Admin, Role::Admin, &allowed),
        (Role::Editor, Role::Editor, &allowed),
        (Role::Editor, Role::Admin, &allowed),
        (Role::Viewer, Role::Editor, &allowed),
    ] {
        assert_eq!(with(harmless(), needed, has), *expected, "{needed:?} {has:?}");
    }
    let serving = Some(content("Help.", "m-1", &[]));
    assert_eq!(with(input(serving.clone(), serving.clone()), Role::Admin, Role::Editor), refused);
    let deactivation = vec![(ActivateRole, Refuse), (OnBreaking, Info)];
    assert_eq!(with(input(serving, None), Role::Admin, Role::Editor), (deactivation, PlanDecision::Refuse));
}

#[test]
fn a_version_must_have_been_active_where_it_is_promoted_from() {
    let with = |source, min_soak_seconds| {
        let mut input = harmless();
        input.rules.promote_from = staging();
        (input.rules.min_soak_seconds, input.source) = (min_soak_seconds, source);
        said(&input)
    };
    let never = (vec![(PromoteFrom, Refuse)], PlanDecision::Refuse);
    let short = (vec![(MinSoak, Refuse)], PlanDecision::Refuse);
    let allowed = (vec![], PlanDecision::Allow);
    for (source, needed, expected) in [
        (None, 0, &never),
        (None, 60, &never),
        (soaked(0, None), 0, &allowed),
        (soaked(0, Some(0)), 0, &allowed),
        (soaked(59, None), 60, &short),
        (soaked(60, None), 60, &allowed),
        (soaked(0, Some(59)), 60, &short),
        (soaked(0, Some(60)), 60, &allowed),
        // All periods add up.
        (soaked(30, Some(29)), 60, &short),
        (soaked(30, Some(30)), 60, &allowed),
        // Activated by an instance whose clock is ahead.
        (soaked(60, Some(-5)), 60, &allowed),
        (soaked(0, Some(-5)), 1, &short),
    ] {
        assert_eq!(with(source, needed), *expected, "{source:?} {needed}");
    }
}

#[test]
fn a_breaking_change_is_let_through_confirmed_or_refused() {
    for (on_breaking, effect, decision) in [
        (BreakingPolicy::Allow, Info, PlanDecision::Allow),
        (BreakingPolicy::Confirm, Confirm, PlanDecision::Confirm),
        (BreakingPolicy::Refuse, Refuse, PlanDecision::Refuse),
    ] {
        let with = |mut input: PlanInput| {
            input.rules.on_breaking = on_breaking;
            said(&input)
        };
        assert_eq!(with(narrowed()), (vec![(OnBreaking, effect)], decision));
        assert_eq!(with(harmless()), (vec![], PlanDecision::Allow));
        let first = input(None, narrowed().next);
        assert_eq!(with(first), (vec![], PlanDecision::Allow), "no conversation depends on anything");
        let deactivation = input(narrowed().previous, None);
        assert_eq!(with(deactivation), (vec![(OnBreaking, Info)], PlanDecision::Allow));
        assert_eq!(with(input(None, None)), (vec![], PlanDecision::Allow));
    }
}

#[test]
fn an_unknown_impact_counts_as_narrowed() {
    let of = |schema: &str| {
        let tool = format!(r#"{{"name":"find","inputSchema":{{"type":"object","not":{schema}}}}}"#);
        Some(content("Help.", "m-1", &[&tool]))
    };
    let mut input = input(of(r#"{"required":["a"]}"#), of(r#"{"required":["b"]}"#));
    input.rules.on_breaking = BreakingPolicy::Confirm;
    let plan = Plan::of(&input).unwrap();
    assert_eq!((plan.impact, plan.must_confirm), (Impact::Unknown, vec![Impact::Unknown]));
    input.rules.on_breaking = BreakingPolicy::Refuse;
    assert_eq!(said(&input), (vec![(OnBreaking, Refuse)], PlanDecision::Refuse));
}

#[test]
fn each_breaking_impact_must_be_confirmed_and_no_other() {
    let (old, new) = (tool("[]"), tool(r#"["city"]"#));
    let old = content("Help {{name}}.", "m-1", &[&old, r#"{"name":"gone"}"#]);
    let new = content("Help.", "m-2", &[&new, r#"{"name":"new"}"#]);
    let mut input = input(Some(old), Some(new));
    input.rules.on_breaking = BreakingPolicy::Confirm;
    let plan = Plan::of(&input).unwrap();
    assert_eq!(plan.must_confirm, [Impact::Narrowed, Impact::Removed]);
    assert_eq!(plan.impact, Impact::Removed);
}

#[test]
fn only_allowed_models_serve() {
    let with = |allowed: Option<&[&str]>| {
        let mut input = harmless();
        input.rules.allowed_models = allowed.map(|names| names.iter().map(ToString::to_string).collect());
        said(&input)
    };
    let refused = (vec![(AllowedModels, Refuse)], PlanDecision::Refuse);
    let allowed = (vec![], PlanDecision::Allow);
    assert_eq!(with(None), allowed);
    assert_eq!(with(Some(&["m-0", "m-1"])), allowed);
    assert_eq!(with(Some(&["m-0", "M-1", "m-10"])), refused);
    assert_eq!(with(Some(&[])), refused);
}

#[test]
fn a_secret_is_confirmed_where_breaking_changes_are_and_refused_nowhere() {
    for (on_breaking, effect, decision) in [
        (BreakingPolicy::Allow, Info, PlanDecision::Allow),
        (BreakingPolicy::Confirm, Confirm, PlanDecision::Confirm),
        (BreakingPolicy::Refuse, Confirm, PlanDecision::Confirm),
    ] {
        let mut input = PlanInput { next: Some(content(SECRET_PROMPT, "m-1", &[])), ..harmless() };
        input.rules.on_breaking = on_breaking;
        assert_eq!(said(&input), (vec![(SecretInPrompt, effect)], decision));
        let plan = Plan::of(&input).unwrap();
        assert!(plan.policy.iter().all(|finding| finding.message.contains("line 3 (a GitHub token)")));
        let confirmed = if decision == PlanDecision::Confirm { vec![Impact::Content] } else { vec![] };
        assert_eq!(plan.must_confirm, confirmed);
        // The same prompt, with another model.
        let next = Some(content(SECRET_PROMPT, "m-2", &[]));
        let kept = PlanInput { previous: input.next.clone(), next, ..input };
        assert_eq!(said(&kept), (vec![(SecretInPrompt, Info)], PlanDecision::Allow));
    }
}

#[test]
fn what_serves_already_is_let_through_by_every_rule() {
    let contents = [content("", "m", &[]), content(SECRET_PROMPT, "m-1", &[&tool("[]")])];
    for (serving, on_breaking) in contents.iter().flat_map(|of| {
        [BreakingPolicy::Allow, BreakingPolicy::Confirm, BreakingPolicy::Refuse].map(|on| (of, on))
    }) {
        let rules = PlanRules {
            promote_from: staging(),
            min_soak_seconds: 60,
            allowed_models: Some(Vec::new()),
            on_breaking,
            ..rules()
        };
        let same = PlanInput { rules, ..input(Some(serving.clone()), Some(serving.clone())) };
        let plan = Plan::of(&same).unwrap();
        assert_eq!((plan.impact, plan.decision), (Impact::Same, PlanDecision::Allow));
        assert_eq!((plan.findings.len(), plan.policy.len(), plan.must_confirm.len()), (0, 0, 0));
    }
}

#[test]
fn the_rules_speak_in_a_fixed_order_and_the_worst_decides() {
    let all = PlanRules {
        activate_role: Role::Admin,
        promote_from: staging(),
        on_breaking: BreakingPolicy::Confirm,
        allowed_models: Some(vec!["other".to_owned()]),
        ..rules()
    };
    let next = Some(content(SECRET_PROMPT, "m-1", &[]));
    let input = PlanInput { rules: all, next, ..narrowed() };
    let expected = [
        (ActivateRole, Refuse),
        (PromoteFrom, Refuse),
        (OnBreaking, Confirm),
        (AllowedModels, Refuse),
        (SecretInPrompt, Confirm),
    ];
    assert_eq!(said(&input), (expected.to_vec(), PlanDecision::Refuse));
}

#[test]
fn an_environment_without_rules_needs_no_plan() {
    assert!(rules().is_unrestricted());
    assert!(PlanRules { activate_role: Role::Viewer, ..rules() }.is_unrestricted());
    for restricted in [
        PlanRules { activate_role: Role::Admin, ..rules() },
        PlanRules { promote_from: staging(), ..rules() },
        PlanRules { on_breaking: BreakingPolicy::Confirm, ..rules() },
        PlanRules { on_breaking: BreakingPolicy::Refuse, ..rules() },
        PlanRules { allowed_models: Some(Vec::new()), ..rules() },
    ] {
        assert!(!restricted.is_unrestricted(), "{restricted:?}");
    }
}
