//! Counts for charts, and models and tools in use, against a model that counts in memory.

use std::collections::{BTreeMap, BTreeSet};

use agent_registry::domain::{KeyScope, member::Role};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::stage::{ENVIRONMENTS, Stage};
use crate::support::{App, Calls, caller::Client};

const ACTIVATIONS: &str = "query ($customer: ID, $environments: [String!], $since: DateTime!, $until: DateTime, $zone: String!) {
    activationCounts(customerId: $customer, environments: $environments, since: $since, until: $until, timeZone: $zone) {
      day environmentKey reason count } }";

/// Inserts activations of this customer at these times, without what else an activation changes.
async fn activated(app: &App, customer: &str, rows: &str) {
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let sql = format!(
        "BEGIN; SET LOCAL session_replication_role = replica;
         INSERT INTO registry.activations (id, customer_id, agent_id, environment_id, environment_key, version_id, reason,
             promoted_from, activated_by_kind, activated_at)
         SELECT gen_random_uuid(), '{customer}', '{customer}', e.id, e.key, gen_random_uuid(), r.reason, r.promoted_from, 'SYSTEM', r.at
         FROM ({rows}) AS r (at, key, reason, promoted_from) JOIN registry.environments AS e ON e.customer_id = '{customer}' AND e.key = r.key;
         COMMIT"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
}

/// The offset of a time zone from UTC at this time, in minutes, as the rules of 2026 have it.
fn offset(zone: &str, at: DateTime<Utc>) -> i64 {
    let summer = "2026-03-29T01:00:00Z".parse::<DateTime<Utc>>().unwrap()
        .."2026-10-25T01:00:00Z".parse::<DateTime<Utc>>().unwrap();
    match zone {
        "UTC" => 0,
        "Asia/Kolkata" => 330,
        "Etc/GMT+3" => -180,
        _ if summer.contains(&at) => 120,
        _ => 60,
    }
}

#[tokio::test]
async fn activations_are_counted_by_the_days_of_a_time_zone() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (customer, town) = (operator.customer("City").await, operator.customer("Town").await);
    let (admin, viewer) =
        (app.member(&customer, Role::Admin).await, app.member(&customer, Role::Viewer).await);
    crate::environment::create(&admin, &customer, "staging").await;
    // Every seven hours over half a year, and round both changes of the clocks.
    let begin: DateTime<Utc> = "2026-03-20T00:00:00Z".parse().unwrap();
    let mut rows: Vec<(DateTime<Utc>, &str, &str, Option<&str>)> = Vec::new();
    for nth in 0..800_i64 {
        let reason = ["ACTIVATE", "ROLLBACK", "DEACTIVATE"][usize::try_from(nth % 3).unwrap()];
        let key = ENVIRONMENTS[usize::from(nth % 4 == 0)];
        let from = (reason == "ACTIVATE" && nth % 2 == 0).then_some("dev");
        rows.push((begin + TimeDelta::hours(7 * nth), key, reason, from));
    }
    for at in [
        "2026-03-28T22:59:59Z",
        "2026-03-28T23:00:00Z",
        "2026-03-29T21:59:59Z",
        "2026-03-29T22:00:00Z",
        "2026-10-24T21:59:59Z",
        "2026-10-24T22:00:00Z",
        "2026-10-25T22:59:59Z",
        "2026-10-25T23:00:00Z",
    ] {
        rows.push((at.parse().unwrap(), "production", "PUBLISH", None));
    }
    let values: Vec<String> = rows
        .iter()
        .map(|(at, key, reason, from)| {
            let from = from.map_or("NULL::text".to_owned(), |from| format!("'{from}'"));
            format!("('{at}'::timestamptz, '{key}', '{reason}', {from})", at = at.to_rfc3339())
        })
        .collect();
    activated(&app, &customer, &format!("VALUES {}", values.join(", "))).await;
    activated(
        &app,
        &town,
        "VALUES ('2026-05-05T00:00:00Z'::timestamptz, 'production', 'PUBLISH', NULL::text)",
    )
    .await;

    let (since, until) = ("2026-03-21T05:00:00Z", "2026-11-05T00:00:00Z");
    let within = since.parse::<DateTime<Utc>>().unwrap()..until.parse::<DateTime<Utc>>().unwrap();
    for zone in ["UTC", "Europe/Berlin", "Asia/Kolkata", "Etc/GMT+3"] {
        for environments in [Value::Null, json!(["staging"]), json!(["production", "staging"])] {
            let mut counts: BTreeMap<(String, &str, &str), u64> = BTreeMap::new();
            for (at, key, reason, from) in &rows {
                let is_asked = environments.as_array().is_none_or(|keys| keys.contains(&json!(key)));
                if within.contains(at) && is_asked {
                    let day = (*at + TimeDelta::minutes(offset(zone, *at))).date_naive().to_string();
                    let reason = if from.is_some() { "PROMOTE" } else { reason };
                    *counts.entry((day, key, reason)).or_default() += 1;
                }
            }
            let variables = json!({ "customer": customer, "environments": environments, "since": since, "until": until, "zone": zone });
            let answer = viewer.gql(ACTIVATIONS, variables).await;
            let found = answer.at("/activationCounts").as_array().unwrap();
            let found: BTreeMap<(String, &str, &str), u64> = found
                .iter()
                .map(|row| {
                    let text = |name: &str| row[name].as_str().unwrap();
                    (
                        (text("day").to_owned(), text("environmentKey"), text("reason")),
                        row["count"].as_u64().unwrap(),
                    )
                })
                .collect();
            assert_eq!(found, counts, "{zone} {environments}");
        }
    }
    // Another customer's is counted for the operator alone, and a key of staging counts none of production.
    let sum = async |client: &Client, customer: Option<&str>| {
        let variables = json!({ "customer": customer, "since": since, "until": until, "zone": "UTC" });
        let answer = client.gql(ACTIVATIONS, variables).await;
        answer
            .at("/activationCounts")
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["count"].as_u64().unwrap())
            .sum::<u64>()
    };
    let own = rows.iter().filter(|row| within.contains(&row.0)).count() as u64;
    let staging = rows.iter().filter(|row| within.contains(&row.0) && row.1 == "staging").count() as u64;
    assert_eq!(sum(&viewer, None).await, own);
    assert_eq!(sum(&operator, None).await, own + 1);
    assert_eq!(sum(&operator, Some(&town)).await, 1);
    let limited = app.limited_program(&customer, [KeyScope::AgentsRead], &["staging"]).await;
    assert_eq!(sum(&limited, None).await, staging);
    let refused = json!({ "customer": town, "since": since, "until": until, "zone": "UTC" });
    assert_eq!(viewer.gql(ACTIVATIONS, refused).await.code(), Some("NOT_FOUND"));
}

#[tokio::test]
async fn a_chart_of_too_much_is_refused_with_its_bound() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let ask = async |since: &str, until: &str, zone: &str| {
        let variables = json!({ "customer": customer, "since": since, "until": until, "zone": zone });
        let answer = operator.gql(ACTIVATIONS, variables).await;
        (answer.code().map(str::to_owned), answer.body.to_string())
    };
    for (since, until, zone, word) in [
        ("2026-01-01T00:00:00Z", "2027-01-02T00:00:01Z", "UTC", "366 days"),
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "UTC", "before the end"),
        ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "Europe/Nowhere", "timeZone"),
        ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "CET+3", "timeZone"),
    ] {
        let (code, body) = ask(since, until, zone).await;
        assert_eq!(code.as_deref(), Some("BAD_USER_INPUT"), "{since} {until} {zone}");
        assert!(body.contains(word), "{body}");
    }
    let year = ("2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z");
    let rows = |from: u32, to: u32| {
        format!(
            "SELECT '2026-06-01T00:00:00Z'::timestamptz + n * interval '1 second', 'production', 'PUBLISH', NULL::text FROM generate_series({from}, {to}) AS n"
        )
    };
    activated(&app, &customer, &rows(1, 100_000)).await;
    let (code, body) = ask(year.0, year.1, "UTC").await;
    assert_eq!(code, None, "{body}");
    activated(&app, &customer, &rows(100_001, 100_001)).await;
    let (code, body) = ask(year.0, year.1, "UTC").await;
    assert_eq!(code.as_deref(), Some("BAD_USER_INPUT"));
    assert!(body.contains("100000"), "{body}");
    // A shorter window is counted.
    assert_eq!(ask("2026-06-01T00:00:00Z", "2026-06-01T12:00:00Z", "UTC").await.0, None);
}

const CHANGES: &str =
    "query ($customer: ID, $filter: ChangeFilter, $by: [ChangeCountGroup!]!, $zone: String!) {
    changeCounts(customerId: $customer, filter: $filter, groupBy: $by, timeZone: $zone) {
      day action actor { kind id } agent { id } customer { id } count } }";

#[tokio::test]
async fn entries_of_the_audit_are_counted_by_group() {
    let stage = Stage::new(8).await;
    let admin = stage.app.member(&stage.customer, Role::Admin).await;
    let all = "query ($id: ID!, $after: String) { changes(customerId: $id, first: 100, after: $after) {
        pageInfo { hasNextPage endCursor } nodes { at action actor { kind id } agentId customerId } } }";
    let (mut entries, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = admin.gql(all, json!({ "id": stage.customer, "after": after })).await;
        entries.extend(answer.at("/changes/nodes").as_array().unwrap().clone());
        after = answer.at("/changes/pageInfo/endCursor").clone();
        if answer.at("/changes/pageInfo/hasNextPage") == &json!(false) {
            break;
        }
    }
    assert!(entries.len() > 40);
    let zone = "Asia/Kolkata";
    let day = |entry: &Value| {
        let at: DateTime<Utc> = entry["at"].as_str().unwrap().parse().unwrap();
        json!((at + TimeDelta::minutes(330)).date_naive().to_string())
    };
    for by in [
        vec!["DAY"],
        vec!["ACTION"],
        vec!["ACTOR"],
        vec!["AGENT"],
        vec!["CUSTOMER"],
        vec!["DAY", "ACTION", "AGENT"],
    ] {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for entry in &entries {
            let of = |group: &str, value: Value| if by.contains(&group) { value } else { Value::Null };
            let named = |id: &Value| if id.is_null() { Value::Null } else { json!({ "id": id }) };
            let group = json!([
                of("DAY", day(entry)),
                of("ACTION", entry["action"].clone()),
                of("ACTOR", entry["actor"].clone()),
                of("AGENT", named(&entry["agentId"])),
                of("CUSTOMER", named(&entry["customerId"])),
            ]);
            *counts.entry(group.to_string()).or_default() += 1;
        }
        let filter = json!({ "since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z" });
        let now: DateTime<Utc> = entries[0]["at"].as_str().unwrap().parse().unwrap();
        let filter = if now.date_naive().to_string().starts_with("2026") {
            filter
        } else {
            json!({ "since": (now - TimeDelta::days(2)).to_rfc3339() })
        };
        let answer = admin
            .gql(CHANGES, json!({ "customer": stage.customer, "filter": filter, "by": by, "zone": zone }))
            .await;
        let found: BTreeMap<String, u64> = answer
            .at("/changeCounts")
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let group = json!([row["day"], row["action"], row["actor"], row["agent"], row["customer"]]);
                (group.to_string(), row["count"].as_u64().unwrap())
            })
            .collect();
        assert_eq!(found, counts, "{by:?}");
    }
    // A filter narrows it, and who may not read the audit counts nothing.
    let recent = entries[0]["at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap() - TimeDelta::days(1);
    let filter = json!({ "since": recent.to_rfc3339(), "actions": ["AGENT_CREATED"] });
    let variables = json!({ "customer": stage.customer, "filter": filter, "by": ["ACTION"], "zone": "UTC" });
    assert_eq!(admin.gql(CHANGES, variables.clone()).await.at("/changeCounts/0/count"), &json!(8));
    assert_eq!(stage.editor.gql(CHANGES, variables.clone()).await.code(), Some("FORBIDDEN"));
    for (filter, by, word) in [
        (Value::Null, json!(["DAY"]), "since"),
        (json!({ "since": "2020-01-01T00:00:00Z" }), json!(["DAY"]), "366 days"),
        (json!({ "since": recent.to_rfc3339() }), json!([]), "groupBy"),
    ] {
        let answer = admin.gql(CHANGES, json!({ "filter": filter, "by": by, "zone": "UTC" })).await;
        assert_eq!(answer.code(), Some("BAD_USER_INPUT"));
        assert!(answer.body.to_string().contains(word), "{}", answer.body);
    }
}

/// The agents that use a model or a tool, and their versions.
type Uses<'a> = (BTreeSet<&'a str>, BTreeSet<(&'a str, usize)>);

#[tokio::test]
async fn models_and_tools_in_use_are_those_of_active_versions() {
    let stage = Stage::new(20).await;
    let town = stage.operator.customer("Town").await;
    let other = stage.operator.agent(&town, "Townhall").await;
    let input = json!({ "agentId": other, "systemPrompt": "p", "modelName": "opus", "tools": [{ "name": "find" }], "activate": true });
    stage.operator.publish_input(input).await;
    let query = "query ($customer: ID, $environment: String, $first: Int!) {
        models: modelsInUse(customerId: $customer, environment: $environment, first: $first) { name agentCount customerCount versionCount lastActivatedAt }
        tools: toolsInUse(customerId: $customer, environment: $environment, first: $first) { name agentCount customerCount versionCount lastActivatedAt } }";
    for environment in [Some("production"), Some("staging"), None] {
        let mut uses: BTreeMap<(&str, &str), Uses<'_>> = BTreeMap::new();
        for agent in &stage.agents {
            for (key, active) in &agent.active {
                if environment.is_none_or(|environment| environment == *key) {
                    let names = active.tools.iter().map(|tool| ("tools", *tool));
                    for name in names.chain([("models", active.model)]) {
                        let (agents, versions) = uses.entry(name).or_default();
                        agents.insert(&agent.id);
                        versions.insert((&agent.id, active.number));
                    }
                }
            }
        }
        let variables = json!({ "customer": stage.customer, "environment": environment, "first": 100 });
        let answer = stage.editor.gql(query, variables).await;
        for kind in ["models", "tools"] {
            let mut expected: Vec<(usize, &str, usize)> = uses
                .iter()
                .filter(|((of, _), _)| *of == kind)
                .map(|((_, name), (agents, versions))| (agents.len(), *name, versions.len()))
                .collect();
            expected.sort_by(|one, two| two.0.cmp(&one.0).then(one.1.cmp(two.1)));
            let expected: Vec<Value> =
                expected.iter().map(|(agents, name, versions)| json!([name, agents, 1, versions])).collect();
            let found: Vec<Value> = answer
                .at(&format!("/{kind}"))
                .as_array()
                .unwrap()
                .iter()
                .map(|row| {
                    assert!(row["lastActivatedAt"].is_string());
                    json!([row["name"], row["agentCount"], row["customerCount"], row["versionCount"]])
                })
                .collect();
            assert_eq!(found, expected, "{kind} {environment:?}");
            assert!(!found.is_empty());
        }
    }
    // Of all customers for an operator, cut to the first; of staging alone for a key of staging.
    let answer = stage.operator.gql(query, json!({ "environment": "production", "first": 1 })).await;
    assert_eq!(answer.at("/models").as_array().unwrap().len(), 1);
    let wide = stage.operator.gql(query, json!({ "environment": "production", "first": 100 })).await;
    let opus = wide.at("/models").as_array().unwrap().iter().find(|row| row["name"] == "opus").unwrap();
    assert_eq!(opus["customerCount"], json!(2));
    let limited = stage.app.limited_program(&stage.customer, [KeyScope::AgentsRead], &["staging"]).await;
    let (everywhere, staging) = (json!({ "first": 100 }), json!({ "environment": "staging", "first": 100 }));
    assert_eq!(limited.gql(query, everywhere).await.at(""), stage.editor.gql(query, staging).await.at(""));
    for first in [0, 1001] {
        assert_eq!(stage.editor.gql(query, json!({ "first": first })).await.code(), Some("BAD_USER_INPUT"));
    }
}
