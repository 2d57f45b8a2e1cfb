//! Agents in each order and by each filter, against the model.

use std::cmp::Ordering;

use agent_registry::domain::{KeyScope, member::Role};
use serde_json::{Value, json};

use super::{
    all, connection, page, sorted,
    stage::{ENVIRONMENTS, Known, Stage},
};
use crate::support::Calls;

const FIELDS: [&str; 5] = ["NAME", "CREATED_AT", "UPDATED_AT", "LAST_ACTIVATED_AT", "MODEL_NAME"];

/// What the model sorts by: texts, or numbers written so that they sort as texts.
fn value(agent: &Known, field: &str, environment: &str) -> Option<String> {
    let number = |number: usize| format!("{number:08}");
    match field {
        "NAME" => Some(agent.name.to_lowercase()),
        "CREATED_AT" => Some(agent.id.clone()),
        "UPDATED_AT" => Some(number(agent.updated)),
        "LAST_ACTIVATED_AT" => agent.activated.get(environment).map(|at| number(*at)),
        _ => agent.active.get(environment).map(|active| active.model.to_owned()),
    }
}

#[tokio::test]
async fn each_order_is_that_of_the_model_in_both_directions_and_page_by_page() {
    let stage = Stage::new(23).await;
    for field in FIELDS {
        for environment in ENVIRONMENTS {
            for direction in ["ASC", "DESC"] {
                let expected = sorted(
                    &stage.agents,
                    |agent| &agent.id,
                    |agent| value(agent, field, environment),
                    direction == "DESC",
                );
                let order = json!({ "field": field, "direction": direction });
                let arguments = json!({ "id": stage.customer, "environment": environment, "orderBy": order });
                for (list, size) in [("agents", 5), ("customer", 4), ("customer", 100), ("agents", 1)] {
                    let found = all(&stage.editor, list, &arguments, size).await;
                    assert_eq!(found, expected, "{list} of {size} by {field} {direction} in {environment}");
                }
                // Those of all customers are the same here, for a member and for an operator.
                let everywhere = json!({ "environment": environment, "orderBy": order });
                assert_eq!(all(&stage.editor, "agents", &everywhere, 7).await, expected);
                assert_eq!(all(&stage.operator, "agents", &everywhere, 7).await, expected);
            }
        }
    }
    // Something is in each part of each order, or the test would prove less than it says.
    for environment in ENVIRONMENTS {
        let has =
            |is: fn(&Known, &str) -> bool| stage.agents.iter().filter(|agent| is(agent, environment)).count();
        assert!(has(|agent, key| agent.active.contains_key(key)) > 3);
        assert!(has(|agent, key| !agent.activated.contains_key(key)) > 0);
        assert!(has(|agent, key| agent.activated.contains_key(key) && !agent.active.contains_key(key)) > 0);
    }
}

#[tokio::test]
async fn each_filter_passes_what_the_model_says_in_each_order() {
    let stage = Stage::new(19).await;
    let some = [stage.agents[2].id.clone(), stage.agents[5].id.clone(), stage.customer.clone()];
    let owner = stage.agents.iter().find_map(|agent| agent.owner.clone()).unwrap();
    let moment = stage.times.len() / 2;
    let since = stage.times[moment - 1].clone();
    type Passes<'a> = Box<dyn Fn(&Known, &str) -> bool + 'a>;
    let serves =
        |agent: &Known, key: &str, model: &str| agent.active.get(key).is_some_and(|a| a.model == model);
    let latest =
        |agent: &Known, key: &str| agent.active.get(key).is_some_and(|a| a.number == agent.versions.len());
    let filters: Vec<(Value, Passes<'_>)> = vec![
        (json!({ "serving": true }), Box::new(|agent, key| agent.active.contains_key(key))),
        (json!({ "serving": false }), Box::new(|agent, key| !agent.active.contains_key(key))),
        (json!({ "servesLatest": true }), Box::new(latest)),
        (
            json!({ "servesLatest": false }),
            Box::new(move |agent, key| !agent.versions.is_empty() && !latest(agent, key)),
        ),
        (json!({ "modelNames": ["opus", "none"] }), Box::new(move |agent, key| serves(agent, key, "opus"))),
        (
            json!({ "modelNames": ["opus", "haiku"], "modelName": "haiku" }),
            Box::new(move |agent, key| serves(agent, key, "haiku")),
        ),
        (json!({ "modelNames": [] }), Box::new(|_, _| false)),
        (
            json!({ "toolName": "say" }),
            Box::new(|agent, key| agent.active.get(key).is_some_and(|a| a.tools.contains(&"say"))),
        ),
        (
            json!({ "activatedSince": since }),
            Box::new(move |agent, key| agent.activated.get(key) >= Some(&moment)),
        ),
        (json!({ "updatedSince": since }), Box::new(move |agent, _| agent.updated >= moment)),
        (json!({ "ids": some }), Box::new(|agent, _| some.contains(&agent.id))),
        (json!({ "ids": [] }), Box::new(|_, _| false)),
        (json!({ "ownerId": owner }), Box::new(|agent, _| agent.owner.as_deref() == Some(&owner))),
        (json!({ "archived": true }), Box::new(|agent, _| agent.is_archived)),
        (
            json!({ "nameContains": "SK", "serving": true, "archived": false }),
            Box::new(|agent, key| agent.name.to_lowercase().contains("sk") && agent.active.contains_key(key)),
        ),
    ];
    let mut passed = 0;
    for (filter, passes) in &filters {
        for environment in ENVIRONMENTS {
            let agents: Vec<Known> =
                stage.agents.iter().filter(|agent| passes(agent, environment)).cloned().collect();
            passed += agents.len();
            for field in FIELDS {
                for direction in ["ASC", "DESC"] {
                    let expected = sorted(
                        &agents,
                        |agent| &agent.id,
                        |agent| value(agent, field, environment),
                        direction == "DESC",
                    );
                    let order = json!({ "field": field, "direction": direction });
                    let arguments = json!({ "id": stage.customer, "environment": environment, "filter": filter, "orderBy": order });
                    let found = all(&stage.editor, "customer", &arguments, 3).await;
                    assert_eq!(found, expected, "{filter} by {field} {direction} in {environment}");
                }
            }
        }
    }
    assert!(passed > filters.len());
}

/// Without `orderBy`, a list and its cursors are what they were before there were orders.
#[tokio::test]
async fn without_an_order_the_oldest_come_first_and_old_cursors_stay_valid() {
    let stage = Stage::new(6).await;
    let created: Vec<String> = stage.agents.iter().map(|agent| agent.id.clone()).collect();
    assert!(created.is_sorted());
    let plain = json!({ "id": stage.customer });
    assert_eq!(all(&stage.editor, "agents", &plain, 2).await, created);
    // The first release's cursor is the id alone, the next one's has the hash of the list after it.
    let old = |text: String| {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD.encode(text)
    };
    let first = json!({ "id": stage.customer, "first": 1 });
    let answer = page(&stage.editor, "agents", &first).await;
    let cursor = connection(&answer)["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    for cursor in [cursor.clone(), old(created[0].clone())] {
        let rest =
            page(&stage.editor, "agents", &json!({ "id": stage.customer, "first": 9, "after": cursor }))
                .await;
        assert_eq!(super::ids(connection(&rest)), created[1..]);
        // It is one of CREATED_AT, ascending, too, which is the same list.
        let order = json!({ "field": "CREATED_AT" });
        let same = json!({ "id": stage.customer, "first": 9, "after": cursor, "orderBy": order });
        assert_eq!(super::ids(connection(&page(&stage.editor, "agents", &same).await)), created[1..]);
    }
    // And of no other order.
    for order in [json!({ "field": "NAME" }), json!({ "field": "CREATED_AT", "direction": "DESC" })] {
        let other = json!({ "id": stage.customer, "first": 9, "after": cursor, "orderBy": order });
        assert_eq!(page(&stage.editor, "agents", &other).await.code(), Some("BAD_USER_INPUT"));
    }
    let bare =
        json!({ "id": stage.customer, "after": old(created[0].clone()), "orderBy": { "field": "NAME" } });
    assert_eq!(page(&stage.editor, "agents", &bare).await.code(), Some("BAD_USER_INPUT"));
}

#[tokio::test]
async fn a_cursor_is_of_one_order_one_direction_and_one_environment() {
    let stage = Stage::new(5).await;
    let listed = |field: &str, direction: &str, environment: &str| {
        json!({
            "id": stage.customer, "first": 2, "environment": environment,
            "orderBy": { "field": field, "direction": direction },
        })
    };
    let mut cursors = Vec::new();
    for field in FIELDS {
        for direction in ["ASC", "DESC"] {
            for environment in ENVIRONMENTS {
                let answer = page(&stage.editor, "agents", &listed(field, direction, environment)).await;
                let cursor = connection(&answer)["pageInfo"]["endCursor"].clone();
                cursors.push((field, direction, environment, cursor));
            }
        }
    }
    for (of, way, place, cursor) in &cursors {
        for (field, direction, environment, _) in &cursors {
            let mut arguments = listed(field, direction, environment);
            arguments["after"] = cursor.clone();
            let answer = page(&stage.editor, "agents", &arguments).await;
            let depends = matches!(*field, "LAST_ACTIVATED_AT" | "MODEL_NAME");
            let is_same = of == field && way == direction && (place == environment || !depends);
            let code = (!is_same).then_some("BAD_USER_INPUT");
            assert_eq!(answer.code(), code, "{of} {way} {place} as {field} {direction} {environment}");
        }
    }
}

#[tokio::test]
async fn an_environment_is_asked_of_those_who_have_it_and_reach_it() {
    let stage = Stage::new(8).await;
    let town = stage.operator.customer("Town").await;
    stage.operator.agent(&town, "Townhall").await;
    let by =
        |environment: &str, field: &str| json!({ "environment": environment, "orderBy": { "field": field } });
    // Town has no staging. Orders that aren't about an environment list its agent all the same.
    for (environment, field, count) in [
        ("staging", "MODEL_NAME", 8),
        ("staging", "LAST_ACTIVATED_AT", 8),
        ("staging", "NAME", 9),
        ("production", "MODEL_NAME", 9),
        ("nowhere", "MODEL_NAME", 0),
    ] {
        assert_eq!(
            all(&stage.operator, "agents", &by(environment, field), 3).await.len(),
            count,
            "{environment} {field}"
        );
    }
    // A credential for staging alone learns nothing of production, and not when anything last changed.
    let limited = stage.app.limited_program(&stage.customer, [KeyScope::AgentsRead], &["staging"]).await;
    let free = stage.app.program(&stage.customer, [KeyScope::AgentsRead]).await;
    for field in ["MODEL_NAME", "LAST_ACTIVATED_AT"] {
        let seen = all(&limited, "agents", &by("staging", field), 3).await;
        assert_eq!(seen, all(&free, "agents", &by("staging", field), 3).await);
        assert_eq!(all(&limited, "agents", &by("production", field), 3).await, Vec::<String>::new());
    }
    for filter in
        [json!({ "serving": false }), json!({ "servesLatest": false }), json!({ "modelNames": ["opus"] })]
    {
        let arguments = json!({ "environment": "production", "filter": filter });
        assert_eq!(all(&limited, "agents", &arguments, 3).await, Vec::<String>::new(), "{filter}");
    }
    for arguments in
        [by("staging", "UPDATED_AT"), json!({ "filter": { "updatedSince": "2020-01-01T00:00:00Z" } })]
    {
        assert_eq!(page(&limited, "agents", &arguments).await.code(), Some("FORBIDDEN"));
        assert_eq!(page(&free, "agents", &arguments).await.code(), None);
    }
}

#[tokio::test]
async fn nobody_lists_another_customers_agents_in_any_order() {
    let stage = Stage::new(4).await;
    let town = stage.operator.customer("Town").await;
    let own = stage.operator.agent(&town, "Own").await;
    let outsider = stage.app.member(&town, Role::Admin).await;
    for field in FIELDS {
        let mine = all(&outsider, "agents", &json!({ "orderBy": { "field": field } }), 2).await;
        assert_eq!(mine, [own.as_str()]);
        let theirs = json!({ "id": stage.customer, "orderBy": { "field": field } });
        assert_eq!(all(&outsider, "agents", &theirs, 2).await, Vec::<String>::new());
        let ids: Vec<&str> = stage.agents.iter().map(|agent| agent.id.as_str()).collect();
        let by_ids = json!({ "filter": { "ids": ids }, "orderBy": { "field": field } });
        assert_eq!(all(&outsider, "agents", &by_ids, 2).await, Vec::<String>::new());
    }
    // A mistake in the model or in the order would show: the model's own order reversed is another one.
    let names = sorted(&stage.agents, |agent| &agent.id, |agent| value(agent, "NAME", "production"), false);
    let reversed = sorted(&stage.agents, |agent| &agent.id, |agent| value(agent, "NAME", "production"), true);
    assert_ne!(names.cmp(&reversed), Ordering::Equal);
}
