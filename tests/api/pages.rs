//! The ends of lists: a page with exactly the remaining nodes says that there are no more, in both directions.

use agent_registry::domain::{KeyScope, member::Role};
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
        of_customer("agents"),
        of_customer("members"),
        of_customer("invitations"),
        of_customer("apiKeys"),
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
