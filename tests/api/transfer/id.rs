//! Ids in files: an import finds an agent after its name was changed, in every registry that the file went through.

use agent_registry::{domain::transfer::ImportOptions, id::CustomerId};
use serde_json::{Value, json};

use super::{Desk, export, export_some, import, lines, simple, system};
use crate::support::{Calls, caller::Client};

async fn rename(client: &Client, agent: &str, name: &str) {
    let update = "mutation ($i: UpdateAgentInput!) { updateAgent(input: $i) { userErrors { code } } }";
    let done = client.gql(update, json!({ "i": { "agentId": agent, "name": name } })).await;
    assert_eq!(done.at("/updateAgent/userErrors"), &json!([]));
}

/// The only agent of an export.
fn only(file: &str) -> (String, String) {
    let all = lines(file);
    assert_eq!(all.len(), 1, "{file}");
    (all[0].head.id.unwrap().to_string(), all[0].head.agent.clone())
}

#[tokio::test]
async fn a_renamed_agent_is_found_by_its_id() {
    let desk = Desk::open().await;
    let operator = desk.app.operator().await;
    let agent = operator.agent(&desk.customer.to_string(), "Helper").await;
    let version = operator.publish(&agent, "one").await;
    operator.activate(&agent, &version).await;
    let file = desk.export().await;
    assert_eq!(only(&file), (agent.clone(), "Helper".to_owned()));
    rename(&operator, &agent, "Permit helper").await;
    let (done, reports) = desk.report(ImportOptions::default(), &file).await;
    assert_eq!(
        (done.unwrap().updated, &reports[..]),
        (1, &["1 Helper updated +0; renamed from \"Permit helper\"".to_owned()][..])
    );
    assert_eq!(desk.export().await, file, "no second agent, and the state of the file");
}

#[tokio::test]
async fn a_copy_keeps_the_id_of_the_file_and_is_found_by_it() {
    let desk = Desk::open().await;
    let operator = desk.app.operator().await;
    let town: CustomerId = operator.customer("Town").await.parse().unwrap();
    let agent = operator.agent(&desk.customer.to_string(), "Helper").await;
    operator.publish(&agent, "one").await;
    let file = desk.export().await;
    let there = || super::ImportAgents { customer_id: town, ..desk.input() };
    import(&desk.app.registry, &system(), there(), &mut file.as_bytes()).await.unwrap();
    assert_eq!(export(&desk.app.registry, town).await, file);

    let list = "query ($c: ID!) { customer(id: $c) { agents { nodes { id } } } }";
    let copies = operator.gql(list, json!({ "c": town })).await;
    let copy = copies.at("/customer/agents/nodes/0/id").as_str().unwrap().to_owned();
    assert_ne!(copy, agent, "an id belongs to one agent");
    rename(&operator, &copy, "Town helper").await;
    operator.publish(&agent, "two").await;
    let done = import(&desk.app.registry, &system(), there(), &mut desk.export().await.as_bytes()).await;
    let done = done.unwrap();
    assert_eq!((done.updated, done.created, done.versions), (1, 0, 1));
    assert_eq!(export(&desk.app.registry, town).await, desk.export().await);
    // The copy's own export finds the original, too.
    let back = export(&desk.app.registry, town).await;
    assert_eq!(desk.import(&back).await.unwrap().unchanged, 1);
}

#[tokio::test]
async fn a_name_of_another_agent_is_refused_and_nothing_is_stored() {
    let desk = Desk::open().await;
    let operator = desk.app.operator().await;
    let home = desk.customer.to_string();
    let agent = operator.agent(&home, "A").await;
    let file = desk.export().await;
    rename(&operator, &agent, "B").await;
    operator.agent(&home, "A").await;
    let (before, head) = (desk.export().await, desk.head().await);
    let err = desk.import(&file).await.unwrap_err().to_string();
    assert!(err.starts_with("line 1, agent \"A\": the customer already has an agent of this name"), "{err}");
    let twice = format!("{file}{}", file.replace("\"A\"", "\"C\""));
    let (done, reports) =
        desk.report(ImportOptions { skip_bad: true, ..ImportOptions::default() }, &twice).await;
    assert_eq!(done.unwrap().failed, 2);
    assert!(reports[1].contains("an earlier line of this file has an agent with this id"), "{reports:?}");
    assert_eq!((desk.export().await, desk.head().await), (before, head));
}

#[tokio::test]
async fn agents_are_exported_by_name_or_id() {
    let desk = Desk::open().await;
    let names = ["A", "B", "C"];
    desk.import(&names.map(|name| simple(name, &["1"])).concat()).await.unwrap();
    let all = desk.export().await;
    let id = lines(&all)[2].head.id.unwrap().to_string().to_uppercase();
    let registry = &desk.app.registry;
    let some = export_some(registry, desk.customer, &["A", &id]).await.unwrap();
    let expected: Vec<&str> = all.lines().filter(|line| !line.contains("\"B\"")).collect();
    assert_eq!(some.lines().collect::<Vec<_>>(), expected);
    let err = export_some(registry, desk.customer, &["A", "D"]).await.unwrap_err().to_string();
    assert_eq!(err, "the customer has no agent with the name or id \"D\"");
}

#[tokio::test]
async fn a_line_without_an_id_is_found_by_its_name() {
    let desk = Desk::open().await;
    desk.import(&simple("A", &["1"])).await.unwrap();
    let mut line: Value = serde_json::from_str(&desk.export().await).unwrap();
    for id in [json!(null), json!("01a20326-e777-71ce-9264-eefdca7dad0e")] {
        line["id"] = id;
        assert_eq!(desk.import(&line.to_string()).await.unwrap().unchanged, 1);
    }
}
