//! The ends of lists: a page with exactly the remaining nodes says that there are no more, in both directions. And the
//! cursors, each of which belongs to one list.

use agent_registry::domain::{KeyScope, member::Role};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{App, Calls};

/// The number of objects of each kind.
const COUNT: usize = 3;

#[tokio::test]
async fn a_page_of_exactly_what_there_is_has_nothing_beyond_it() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    for nth in 1..COUNT {
        operator.customer(&format!("Town {nth}")).await;
    }
    let admin = app.member(&customer, Role::Admin).await;
    for subject in ["ada", "bob"] {
        app.set_member(&customer, subject, Role::Viewer).await;
    }
    let mut agents = Vec::new();
    for nth in 0..COUNT {
        app.program(&customer, [KeyScope::AgentsRead]).await;
        let invite =
            "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id } } }";
        let input =
            json!({ "customerId": customer, "email": format!("{nth}@example.org"), "role": "VIEWER" });
        admin.gql(invite, json!({ "input": input })).await.text("/inviteMember/invitation/id");
        agents.push(admin.agent(&customer, &format!("Agent {nth}")).await);
    }
    let agent = &agents[0];
    for nth in 0..COUNT {
        let version = admin.publish(agent, &format!("{nth}")).await;
        admin.activate(agent, &version).await.text("/activateVersion/revision");
    }
    let of_customer = |list: &str| format!("customer(id: \"{customer}\") {{ @{list} }}");
    let of_agent = |list: &str| format!("agent(id: \"{agent}\") {{ @{list} }}");
    let lists = [
        "@customers".to_owned(),
        "@agents".to_owned(),
        "@activations".to_owned(),
        of_customer("agents"),
        of_customer("members"),
        of_customer("invitations"),
        of_customer("apiKeys"),
        of_customer("activations"),
        of_customer("changes"),
        of_agent("versions"),
        of_agent("activations"),
        of_agent("changes"),
    ];
    for list in &lists {
        let ask = async |arguments: &str| {
            let field = list.rsplit('@').next().unwrap().trim_end_matches([' ', '}']);
            let page = format!(
                "{field}({arguments}) {{ totalCount nodes {{ __typename }} pageInfo {{ hasNextPage hasPreviousPage endCursor startCursor }} }}"
            );
            let query = format!("{{ {} }}", list.replace(&format!("@{field}"), &page));
            let answer = operator.gql(&query, Value::Null).await;
            let mut found = answer.at("").clone();
            while found.get("pageInfo").is_none() {
                found = found.as_object().unwrap().values().next().unwrap().clone();
            }
            found
        };
        let whole = ask("first: 100").await;
        let count = whole["totalCount"].as_u64().unwrap();
        assert!(count >= 3, "{list}: {count}");
        let ends = |page: &Value| {
            let info = &page["pageInfo"];
            let more = [&info["hasPreviousPage"], &info["hasNextPage"]].map(|more| more.as_bool().unwrap());
            (page["nodes"].as_array().unwrap().len() as u64, more)
        };
        for size in ["first", "last"] {
            assert_eq!(
                ends(&ask(&format!("{size}: {count}")).await),
                (count, [false, false]),
                "{size} of {list}"
            );
            let more = ask(&format!("{size}: {}", count + 1)).await;
            assert_eq!(ends(&more), (count, [false, false]), "{size} and one more of {list}");
        }
        assert_eq!(ends(&ask(&format!("first: {}", count - 1)).await), (count - 1, [false, true]), "{list}");
        assert_eq!(ends(&ask(&format!("last: {}", count - 1)).await), (count - 1, [true, false]), "{list}");
        // The remaining nodes after a cursor, exactly.
        let first = ask("first: 1").await;
        let after = format!("first: {}, after: {}", count - 1, first["pageInfo"]["endCursor"]);
        assert_eq!(ends(&ask(&after).await), (count - 1, [true, false]), "{after} of {list}");
        let last = ask("last: 1").await;
        let before = format!("last: {}, before: {}", count - 1, last["pageInfo"]["startCursor"]);
        assert_eq!(ends(&ask(&before).await), (count - 1, [false, true]), "{before} of {list}");
    }
}

/// A cursor is a place in its own list. The same list has several ways to it, and cursors of the first release, which
/// are the key alone, stay valid.
#[tokio::test]
async fn a_cursor_of_another_list_is_rejected() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customers = [operator.customer("City").await, operator.customer("Town").await];
    let mut agents = Vec::new();
    for customer in &customers {
        for name in ["Helper", "Other"] {
            agents.push(operator.agent(customer, name).await);
        }
    }
    for agent in [&agents[0], &agents[2]] {
        for prompt in ["one", "two"] {
            operator.publish(agent, prompt).await;
        }
    }
    let first = async |list: &str| {
        let query = format!("{{ {} }}", list.replace('@', "(first: 1)"));
        let answer = operator.gql(&query, Value::Null).await;
        let text = answer.body.to_string();
        let cursor = text.split("\"endCursor\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        (cursor, answer)
    };
    let after = async |list: &str, cursor: &str| {
        operator
            .gql(&format!("{{ {} }}", list.replace('@', &format!("(after: \"{cursor}\")"))), Value::Null)
            .await
    };
    let page = "{ nodes { __typename } pageInfo { endCursor } }";
    let of_agent = |agent: &str, list: &str| format!("agent(id: \"{agent}\") {{ {list}@ {page} }}");
    let of_customer =
        |customer: &str, list: &str| format!("customer(id: \"{customer}\") {{ {list}@ {page} }}");
    let lists = [
        format!("customers@ {page}"),
        format!("agents@ {page}"),
        of_customer(&customers[0], "agents"),
        of_customer(&customers[1], "agents"),
        of_agent(&agents[0], "versions"),
        of_agent(&agents[2], "versions"),
        format!("changes@ {page}"),
        of_agent(&agents[0], "changes"),
    ];
    for (at, list) in lists.iter().enumerate() {
        let (cursor, _) = first(list).await;
        for (other_at, other) in lists.iter().enumerate() {
            let answer = after(other, &cursor).await;
            if at == other_at {
                assert_eq!(answer.body.get("errors"), None, "{list}: {}", answer.body);
                continue;
            }
            assert_eq!(answer.code(), Some("BAD_USER_INPUT"), "{list} in {other}: {}", answer.body);
            let error = &answer.body["errors"][0];
            assert_eq!(error["message"], "after is a cursor of another list; begin again without it");
            assert_eq!(error["extensions"]["field"], "after");
        }
    }
    // Both ways to a customer's agents, and REST.
    let (cursor, _) = first(&lists[2]).await;
    let flat =
        format!("{{ agents(customerId: \"{}\", after: \"{cursor}\") {{ nodes {{ name }} }} }}", customers[0]);
    let flat = operator.gql(&flat, Value::Null).await;
    assert_eq!(flat.at("/agents/nodes"), &json!([{ "name": "Other" }]));
    let rest = operator.get(&format!("/v1/agents?customer_id={}&after={cursor}", customers[0])).await;
    assert_eq!(rest.body["agents"][0]["name"], "Other");
    let wrong = operator.get(&format!("/v1/agents?customer_id={}&after={cursor}", customers[1])).await;
    assert_eq!((wrong.status.as_u16(), &wrong.body["field"]), (422, &json!("after")));
    // A cursor of the first release.
    let old = URL_SAFE_NO_PAD.encode(&agents[0]);
    let answer = after(&lists[2], &old).await;
    assert_eq!(answer.at("/customer/agents/nodes").as_array().unwrap().len(), 1);
}
