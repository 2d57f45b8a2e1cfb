//! An activation is held to the plan that its caller has seen, and confirms what the plan asks.

use agent_registry::domain::KeyScope;
use serde_json::{Value, json};

use super::{Stage, codes, contents, with};

#[tokio::test]
async fn a_plan_that_is_not_true_any_more_activates_nothing() {
    let stage = Stage::open().await;
    let planned = stage.plan(&stage.editor, 2, &json!({})).await["planHash"].clone();
    stage.activate(&stage.editor, 1, &json!({})).await;
    let before = stage.stored().await;
    let refused = stage.activate(&stage.editor, 2, &json!({ "planHash": planned })).await;
    assert_eq!(codes(&refused), ["PLAN_CHANGED"]);
    assert_eq!(refused.at("/done/userErrors/0/field"), "planHash");
    assert_eq!(refused.at("/done/revision"), &Value::Null);
    assert_eq!(stage.stored().await, before);
    let now = refused.at("/done/plan").clone();
    assert_eq!((&now["previousVersion"]["number"], &now["version"]["number"]), (&json!(2), &json!(3)));
    assert_eq!(now["planHash"], stage.plan(&stage.editor, 2, &json!({})).await["planHash"]);
    let done = stage.activate(&stage.editor, 2, &json!({ "planHash": now["planHash"] })).await;
    assert_eq!((codes(&done), done.at("/done/plan")), (vec![], &Value::Null));
    assert_eq!(stage.serves("production").await, 3);
    // The same plan once more: the version serves by now.
    let before = stage.stored().await;
    let again = stage.activate(&stage.editor, 2, &json!({ "planHash": now["planHash"] })).await;
    assert_eq!(codes(&again), ["PLAN_CHANGED"]);
    assert_eq!(stage.stored().await, before);
}

#[tokio::test]
async fn of_two_at_once_with_plans_of_the_same_moment_one_wins() {
    let stage = Stage::open().await;
    for _ in 0..8 {
        let hash = async |version| stage.plan(&stage.editor, version, &json!({})).await["planHash"].clone();
        let (second, third) = (hash(1).await, hash(2).await);
        let activate = async |version, hash: &Value| {
            stage.activate(&stage.editor, version, &json!({ "planHash": hash })).await
        };
        let (second, third) = tokio::join!(activate(1, &second), activate(2, &third));
        let mut both = [codes(&second), codes(&third)].concat();
        both.sort_unstable();
        assert_eq!(both, ["PLAN_CHANGED"]);
        assert_eq!(codes(&stage.activate(&stage.editor, 0, &json!({})).await), [""; 0]);
    }
}

#[tokio::test]
async fn a_refusal_shows_its_plan_to_those_who_may_read_contents() {
    let stage = Stage::open().await;
    let wrong = json!({ "planHash": "0".repeat(64) });
    for (scopes, is_shown) in [
        (vec![KeyScope::VersionsActivate], false),
        (vec![KeyScope::VersionsActivate, KeyScope::ConfigsRead], false),
        (vec![KeyScope::VersionsActivate, KeyScope::AgentsRead], true),
    ] {
        let program = stage.app.program(&stage.customer, scopes).await;
        // A key's first use is stored.
        program.gql("{ viewer { kind } }", json!({})).await;
        let before = stage.stored().await;
        let refused = stage.activate(&program, 2, &wrong).await;
        assert_eq!((codes(&refused), refused.at("/done/plan").is_object()), (vec!["PLAN_CHANGED"], is_shown));
        assert_eq!(stage.stored().await, before);
    }
}

#[tokio::test]
async fn a_changed_rule_is_a_changed_plan() {
    let stage = Stage::open().await;
    let planned = stage.plan(&stage.editor, 2, &json!({})).await["planHash"].clone();
    stage.rules("production", &json!({ "name": "Live", "minSoakSeconds": 0 })).await;
    assert_eq!(
        stage.plan(&stage.editor, 2, &json!({})).await["planHash"],
        planned,
        "no rule says anything else"
    );
    stage.rules("production", &json!({ "onBreaking": "CONFIRM" })).await;
    let before = stage.stored().await;
    let refused =
        stage.activate(&stage.editor, 2, &json!({ "planHash": planned, "confirm": ["NARROWED"] })).await;
    assert_eq!(codes(&refused), ["PLAN_CHANGED"]);
    assert_eq!(stage.stored().await, before);
}

#[tokio::test]
async fn each_impact_that_a_plan_names_is_confirmed_with_its_hash() {
    let stage = Stage::open().await;
    stage.rules("production", &json!({ "onBreaking": "CONFIRM" })).await;
    let plan = stage.plan(&stage.editor, 2, &json!({})).await;
    assert_eq!((&plan["decision"], &plan["mustConfirm"]), (&json!("CONFIRM"), &json!(["NARROWED"])));
    let (hash, before) = (plan["planHash"].clone(), stage.stored().await);
    for (more, code, field) in [
        (json!({}), "CONFIRMATION_REQUIRED", "confirm"),
        (json!({ "planHash": hash }), "CONFIRMATION_REQUIRED", "confirm"),
        (json!({ "planHash": hash, "confirm": ["REMOVED", "UNKNOWN"] }), "CONFIRMATION_REQUIRED", "confirm"),
        (json!({ "confirm": ["NARROWED"] }), "INVALID", "confirm"),
        (json!({ "planHash": "x", "confirm": ["NARROWED"] }), "INVALID", "planHash"),
        (json!({ "planHash": "0".repeat(64), "confirm": ["NARROWED"] }), "PLAN_CHANGED", "planHash"),
    ] {
        let refused = stage.activate(&stage.editor, 2, &more).await;
        assert_eq!(
            (codes(&refused), refused.at("/done/userErrors/0/field")),
            (vec![code], &json!(field)),
            "{more}"
        );
        let expected = if code == "INVALID" { &Value::Null } else { &hash };
        assert_eq!(refused.at("/done/plan").get("planHash").unwrap_or(&Value::Null), expected, "{more}");
    }
    assert_eq!(stage.stored().await, before);
    let confirmed = json!({ "planHash": hash, "confirm": ["NARROWED"] });
    assert_eq!(codes(&stage.activate(&stage.editor, 2, &confirmed).await), [""; 0]);
    assert_eq!(stage.serves("production").await, 3);
    // What isn't breaking needs no confirmation.
    stage.activate(&stage.editor, 2, &json!({})).await;
    let [_, second, third] = contents();
    let back = stage.publish(&stage.editor, &with(second, &json!({ "activate": true }))).await;
    assert_eq!(codes(&back), [""; 0], "a parameter less is WIDENED");
    let before = stage.stored().await;
    let asked = stage.publish(&stage.editor, &with(third.clone(), &json!({ "activate": true }))).await;
    assert_eq!(codes(&asked), ["CONFIRMATION_REQUIRED"]);
    assert_eq!(stage.stored().await, before);
    let plan = asked.at("/done/plan").clone();
    assert_eq!((&plan["version"], &plan["mustConfirm"]), (&Value::Null, &json!(["NARROWED"])));
    let more = json!({ "activate": true, "planHash": plan["planHash"], "confirm": ["NARROWED"] });
    assert_eq!(codes(&stage.publish(&stage.editor, &with(third.clone(), &more)).await), [""; 0]);
    // Without `activate` there is nothing to hold to a plan.
    let (idle, before) = (with(third, &json!({ "planHash": plan["planHash"] })), stage.stored().await);
    assert_eq!(codes(&stage.publish(&stage.editor, &idle).await), ["INVALID"]);
    assert_eq!(stage.stored().await, before);
}

#[tokio::test]
async fn a_repeated_write_is_told_again_although_its_plan_has_changed() {
    let stage = Stage::open().await;
    let planned = stage.plan(&stage.editor, 2, &json!({})).await["planHash"].clone();
    let input = json!({ "planHash": planned, "idempotencyKey": "once" });
    let first = stage.activate(&stage.editor, 2, &input).await;
    let again = stage.activate(&stage.editor, 2, &input).await;
    assert_eq!(codes(&again), [""; 0]);
    assert_eq!(again.at("/done/revision"), first.at("/done/revision"));
}

#[tokio::test]
async fn a_refused_write_keeps_no_idempotency_key() {
    let stage = Stage::open().await;
    let refused = stage
        .activate(&stage.editor, 2, &json!({ "planHash": "0".repeat(64), "idempotencyKey": "once" }))
        .await;
    let hash = refused.at("/done/plan/planHash");
    let done = stage.activate(&stage.editor, 2, &json!({ "planHash": hash, "idempotencyKey": "once" })).await;
    assert_eq!((codes(&done), stage.serves("production").await), (vec![], json!(3)));
}
