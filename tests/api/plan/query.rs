//! What a plan says, who gets one, and that planning writes nothing.

use agent_registry::domain::{KeyScope, ServiceScope, member::Role};
use serde_json::{Value, json};

use super::{PLAN, Stage, content, contents, with};
use crate::support::Calls;

/// An id that no row has.
const NOBODY: &str = "01a20326-e777-71ce-9264-eefdca7dad0e";

#[tokio::test]
async fn a_plan_says_what_would_change_and_what_the_rules_say() {
    let stage = Stage::open().await;
    let plan = stage.plan(&stage.editor, 2, &json!({})).await;
    let hash = plan["planHash"].as_str().unwrap();
    assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
    let head = stage.app.registry.head().await.unwrap().revision.0;
    assert_eq!(plan["revision"], head.to_string());
    insta::assert_json_snapshot!(plan, { ".planHash" => "-", ".revision" => "-", ".agent.id" => "-" }, @r#"
    {
      "affectedGateways": 0,
      "agent": {
        "id": "-"
      },
      "decision": "ALLOW",
      "environment": {
        "key": "production"
      },
      "findings": [
        {
          "after": null,
          "before": null,
          "impact": "CONTENT",
          "message": "the system prompt differs",
          "path": [
            "systemPrompt"
          ],
          "toolName": null
        },
        {
          "after": "city",
          "before": null,
          "impact": "NARROWED",
          "message": "`find` now requires `city`",
          "path": [
            "tools",
            "find",
            "inputSchema",
            "required",
            "city"
          ],
          "toolName": "find"
        }
      ],
      "impact": "NARROWED",
      "mustConfirm": [],
      "pendingGateways": 0,
      "planHash": "-",
      "policy": [
        {
          "effect": "INFO",
          "message": "the change is NARROWED, and `production` allows that without a confirmation",
          "rule": "ON_BREAKING"
        }
      ],
      "previousVersion": {
        "number": 1
      },
      "revision": "-",
      "version": {
        "number": 3
      }
    }
    "#);
    // The version that serves, a deactivation, and an environment in which nothing serves.
    let same = stage.plan(&stage.editor, 0, &json!({})).await;
    assert_eq!(
        (&same["impact"], &same["decision"], &same["findings"]),
        (&json!("SAME"), &json!("ALLOW"), &json!([]))
    );
    let nothing = stage.ask(&stage.editor, &json!({})).await;
    assert_eq!((&nothing["impact"], &nothing["version"]), (&json!("REMOVED"), &Value::Null));
    stage.environment("staging", &json!({})).await;
    let first = stage.plan(&stage.editor, 2, &json!({ "environment": "staging" })).await;
    assert_eq!(
        (&first["previousVersion"], &first["impact"], &first["decision"]),
        (&Value::Null, &json!("CAPABILITY"), &json!("ALLOW"))
    );
    let hashes = [&plan, &same, &nothing, &first].map(|plan| plan["planHash"].to_string());
    assert_eq!(std::collections::HashSet::from(hashes).len(), 4);
}

#[tokio::test]
async fn a_content_has_the_plan_of_the_version_that_it_becomes() {
    let stage = Stage::open().await;
    let [_, _, third] = contents();
    let of_version = stage.plan(&stage.editor, 2, &json!({})).await;
    let of_content = stage.ask(&stage.editor, &json!({ "content": third })).await;
    assert_eq!((&of_content["version"], &of_version["version"]["number"]), (&Value::Null, &json!(3)));
    let without_version = |plan: &Value| with(plan.clone(), &json!({ "version": null }));
    assert_eq!(without_version(&of_content), without_version(&of_version));

    let fourth = content("Help better.", &["city"]);
    let planned = stage.ask(&stage.editor, &json!({ "content": fourth })).await["planHash"].clone();
    let input = with(fourth, &json!({ "activate": true, "planHash": planned }));
    let done = stage.publish(&stage.editor, &input).await;
    assert_eq!((done.at("/done/userErrors"), done.at("/done/version/number")), (&json!([]), &json!(4)));
    assert_eq!(stage.serves("production").await, 4);
}

#[tokio::test]
async fn planning_writes_nothing() {
    let stage = Stage::open().await;
    stage.environment("staging", &json!({ "onBreaking": "REFUSE" })).await;
    let [_, _, third] = contents();
    let asked = [
        json!({ "version": stage.versions[2] }),
        json!({ "content": third }),
        json!({}),
        json!({ "version": stage.versions[1], "environment": "staging" }),
    ];
    stage.ask(&stage.editor, &asked[0]).await;
    let before = stage.stored().await;
    for variables in &asked {
        assert!(stage.ask(&stage.editor, variables).await["planHash"].is_string());
    }
    let rest = json!({ "version_id": stage.versions[2], "environment": "staging" });
    let rest = stage.editor.post(&format!("/v1/agents/{}/plan", stage.agent), rest).await;
    assert_eq!(rest.status, 200);
    assert_eq!(stage.stored().await, before);
}

#[tokio::test]
async fn what_a_reader_may_not_see_has_no_plan() {
    let stage = Stage::open().await;
    let other = stage.operator.customer("Other").await;
    let stranger = stage.app.member(&other, Role::Admin).await;
    let theirs = stranger.agent(&other, "Theirs").await;
    let foreign = stranger.publish(&theirs, "x").await;
    stage.environment("staging", &json!({})).await;
    let ours = json!({ "agent": stage.agent, "version": stage.versions[2] });
    for (caller, variables) in [
        (&*stranger, ours.clone()),
        (&*stage.editor, json!({ "agent": NOBODY })),
        (&stage.editor, json!({ "agent": stage.agent, "version": NOBODY })),
        (&stage.editor, json!({ "agent": stage.agent, "version": foreign })),
        (&stage.operator, json!({ "agent": stage.agent, "version": foreign })),
        (&stage.editor, with(ours.clone(), &json!({ "environment": "elsewhere" }))),
        (&stranger, json!({ "agent": theirs, "version": foreign, "environment": "staging" })),
    ] {
        let answer = caller.gql(PLAN, variables.clone()).await;
        assert_eq!(answer.at("/plan"), &Value::Null, "{variables}");
    }
    let reader = stage.app.program(&stage.customer, [KeyScope::AgentsRead]).await;
    let viewer = stage.app.member(&stage.customer, Role::Viewer).await;
    for (caller, rules) in [(&*reader, json!([])), (&viewer, json!(["ACTIVATE_ROLE"]))] {
        let plan = stage.plan(caller, 1, &json!({})).await;
        let policy = plan["policy"].as_array().unwrap();
        let said: Vec<_> = policy.iter().map(|finding| finding["rule"].clone()).collect();
        assert_eq!(json!(said), rules);
    }
    for scopes in [[KeyScope::VersionsActivate], [KeyScope::ConfigsRead]] {
        let program = stage.app.program(&stage.customer, scopes).await;
        assert_eq!(program.gql(PLAN, ours.clone()).await.code(), Some("FORBIDDEN"));
    }
    let limited = stage.app.limited_program(&stage.customer, [KeyScope::AgentsRead], &["staging"]).await;
    assert_eq!(limited.gql(PLAN, ours.clone()).await.at("/plan"), &Value::Null, "production is out of reach");
    assert!(stage.plan(&limited, 2, &json!({ "environment": "staging" })).await["planHash"].is_string());
    let service = stage.app.service(ServiceScope::ALL).await;
    assert_eq!(service.gql(PLAN, ours.clone()).await.code(), Some("FORBIDDEN"));
    for wrong in [json!({ "version": "1" }), json!({ "agent": "1" }), json!({ "environment": "A B" })] {
        let answer = stage.editor.gql(PLAN, with(ours.clone(), &wrong)).await;
        assert_eq!(answer.code(), Some("BAD_USER_INPUT"), "{wrong}");
    }
    let both = with(ours, &json!({ "content": contents()[0] }));
    assert_eq!(stage.editor.gql(PLAN, both).await.code(), Some("BAD_USER_INPUT"));
    let wrong = with(content("x", &[]), &json!({ "modelName": " " }));
    let wrong = json!({ "agent": stage.agent, "content": wrong });
    assert_eq!(stage.editor.gql(PLAN, wrong).await.code(), Some("BAD_USER_INPUT"));
}
