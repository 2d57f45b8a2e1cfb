//! What a caller's `planHash` and `confirm` are worth.

use super::{super::*, content, input, narrowed, staging, tool};
use crate::domain::{Error, ErrorCode, environment::BreakingPolicy};

fn confirmation(hash: Option<PlanHash>, confirmed: &[Impact]) -> PlanConfirmation {
    PlanConfirmation::new(hash.map(|hash| hash.to_string()).as_deref(), confirmed.to_vec()).unwrap()
}

fn objection(of: &PlanConfirmation, plan: &Plan) -> Option<PlanObjection> {
    of.objection(plan).map(|(objection, message)| {
        assert!(!message.is_empty());
        objection
    })
}

#[test]
fn a_confirmation_means_one_plan() {
    let code = |read: Result<PlanConfirmation>| {
        let err: Error = read.unwrap_err();
        (err.code(), err.field().map(str::to_owned))
    };
    let invalid = |field: &str| (ErrorCode::Invalid, Some(field.to_owned()));
    assert_eq!(code(PlanConfirmation::new(None, vec![Impact::Narrowed])), invalid("confirm"));
    for malformed in ["", "ab", &"g".repeat(64), &"A".repeat(64), &"0".repeat(63), &"0".repeat(66)] {
        assert_eq!(
            code(PlanConfirmation::new(Some(malformed), Vec::new())),
            invalid("planHash"),
            "{malformed}"
        );
    }
    assert_eq!(PlanConfirmation::new(None, Vec::new()).unwrap(), PlanConfirmation::default());
    let hash = Plan::of(&narrowed()).unwrap().hash;
    assert_eq!(PlanHash::parse(&hash.to_string()).unwrap(), hash);
    assert!(confirmation(Some(hash), &[]).names_a_plan() && !PlanConfirmation::default().names_a_plan());
}

#[test]
fn a_plan_that_asks_needs_its_hash_and_each_impact() {
    let old = content("Help {{name}}.", "m-1", &[&tool("[]")]);
    let new = content("Help.", "m-1", &[&tool(r#"["city"]"#)]);
    let mut asks = input(Some(old), Some(new));
    asks.rules.on_breaking = BreakingPolicy::Confirm;
    let plan = Plan::of(&asks).unwrap();
    assert_eq!(plan.must_confirm, [Impact::Narrowed, Impact::Removed]);
    let (hash, unconfirmed) = (Some(plan.hash), Some(PlanObjection::Unconfirmed));
    for (of, expected) in [
        (confirmation(None, &[]), unconfirmed),
        (confirmation(hash, &[]), unconfirmed),
        (confirmation(hash, &[Impact::Narrowed]), unconfirmed),
        (confirmation(hash, &[Impact::Removed, Impact::Content]), unconfirmed),
        (confirmation(hash, &[Impact::Removed, Impact::Narrowed]), None),
        (confirmation(hash, &Impact::ALL), None),
        (confirmation(Some(Plan::of(&narrowed()).unwrap().hash), &Impact::ALL), Some(PlanObjection::Changed)),
    ] {
        assert_eq!(objection(&of, &plan), expected, "{of:?}");
    }
}

/// Changes an environment's rules.
type RuleChange = fn(&mut PlanRules);

#[test]
fn no_confirmation_overrules_a_refusal() {
    let cases: [(RuleChange, PlanObjection); 4] = [
        (|rules| rules.activate_role = Role::Admin, PlanObjection::Refused),
        (|rules| rules.on_breaking = BreakingPolicy::Refuse, PlanObjection::Refused),
        (|rules| rules.allowed_models = Some(Vec::new()), PlanObjection::Refused),
        (|rules| rules.promote_from = staging(), PlanObjection::NotPromotable),
    ];
    for (change, expected) in cases {
        let mut refused = narrowed();
        change(&mut refused.rules);
        let plan = Plan::of(&refused).unwrap();
        for of in [PlanConfirmation::default(), confirmation(Some(plan.hash), &Impact::ALL)] {
            assert_eq!(objection(&of, &plan), Some(expected));
        }
    }
    let soaking = SourceService { ended: chrono::TimeDelta::zero(), active_since: None };
    let mut refused = PlanInput { source: Some(soaking), ..narrowed() };
    (refused.rules.promote_from, refused.rules.min_soak_seconds) = (staging(), 1);
    let plan = Plan::of(&refused).unwrap();
    assert_eq!(objection(&PlanConfirmation::default(), &plan), Some(PlanObjection::NotPromotable));
}

#[test]
fn an_environment_without_rules_holds_an_activation_to_the_plan_that_it_names() {
    let (plan, other) = (Plan::of(&narrowed()).unwrap(), Plan::of(&input(None, None)).unwrap());
    assert_eq!(objection(&PlanConfirmation::default(), &plan), None);
    assert_eq!(objection(&confirmation(Some(plan.hash), &[]), &plan), None);
    assert_eq!(objection(&confirmation(Some(other.hash), &[]), &plan), Some(PlanObjection::Changed));
}
