//! Removals and writes that wait for the same row lock.

use agent_registry::domain::{Caller, Error, customer::CreateCustomer, member::Role};
use serde_json::json;
use tokio::time::timeout;

use super::{DEADLINE, Town, sent, user_id};
use crate::support::Calls;

/// The writer waits for the customer's row behind the removal. Its later reads must see the removal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_waited_behind_the_removal_is_refused() {
    let town = Town::new().await;
    let editor = town.app.member(&town.customer, Role::Editor).await;
    let user = user_id(&editor).await;
    let mut hold = town.hold("customers", &town.customer).await;
    let (registry, id, who) =
        (town.other.registry.clone(), town.customer.parse().unwrap(), user.parse().unwrap());
    let removal = tokio::spawn(async move { registry.remove_member(&Caller::system("test"), id, who).await });
    hold.wait_for_waiters(1).await;
    let publish = format!(
        "mutation {{ publishVersion(input: {{ agentId: \"{}\", systemPrompt: \"late\", modelName: \"m\" }}) {{ revision userErrors {{ code }} }} }}",
        town.agent
    );
    let request = sent(&editor, publish);
    hold.wait_for_waiters(2).await;
    hold.release().await;
    let removed = removal.await.unwrap().unwrap().revision.0;
    let answer = request.await.unwrap();
    assert_eq!(answer.at("/publishVersion/userErrors"), &json!([{ "code": "NOT_FOUND" }]));
    assert_eq!(town.entries_after(removed, &user).await, 0);
    assert_eq!(town.operator.active_number(&town.agent).await, json!(null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_operators_who_remove_each_other_one_wins() {
    let town = Town::new().await;
    let (system, issuer) = (Caller::system("test"), town.app.registry.issuer().unwrap().to_owned());
    for round in 0..25 {
        let mut callers = Vec::new();
        for name in ["ann", "ben"] {
            town.app.registry.add_operator(&system, &issuer, name).await.unwrap();
            let token = town.app.user(name, None).token.unwrap();
            callers.push(town.app.registry.authenticate(&token, &system.origin).await.unwrap());
        }
        let (ann, ben) = (&callers[0], &callers[1]);
        let both = async {
            tokio::join!(
                town.app.registry.remove_operator(ann, &issuer, "ben"),
                town.other.registry.remove_operator(ben, &issuer, "ann"),
            )
        };
        let (first, second) = timeout(DEADLINE, both).await.expect("the two removals deadlocked");
        let won = [&first, &second].into_iter().filter(|removed| matches!(removed, Ok(true))).count();
        let refused =
            [&first, &second].into_iter().filter(|removed| matches!(removed, Err(Error::Forbidden(_))));
        assert_eq!((won, refused.count()), (1, 1), "round {round}: {first:?}, {second:?}");
        let left = town.app.registry.operators(&system).await.unwrap();
        let left = left.iter().filter(|operator| ["ann", "ben"].contains(&operator.subject.as_str()));
        assert_eq!(left.count(), 1, "round {round}");
    }
}

/// Each of these first writes creates the operator's profile, with the same id, which the look-up of the credential
/// has chosen. One of them creates the row, and the others find it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operators_first_writes_at_once_make_one_profile() {
    let town = Town::new().await;
    let (system, issuer) = (Caller::system("test"), town.app.registry.issuer().unwrap().to_owned());
    for round in 0..60 {
        let name = format!("operator {round}");
        town.app.registry.add_operator(&system, &issuer, &name).await.unwrap();
        let token = town.app.user(&name, None).token.unwrap();
        let caller = town.app.registry.authenticate(&token, &system.origin).await.unwrap();
        let writes = (0..8).map(|nth| {
            let (registry, caller) = (town.app.registry.clone(), caller.clone());
            let input = CreateCustomer { name: format!("City {nth}"), external_id: None };
            tokio::spawn(async move { registry.create_customer(&caller, input).await })
        });
        for write in writes.collect::<Vec<_>>() {
            let made = write.await.unwrap();
            assert!(made.is_ok(), "round {round}: {made:?}");
        }
    }
    let mut session = town.session().await;
    let profiles = "SELECT count(*) FROM registry.users WHERE subject LIKE 'operator %'";
    let profiles: i64 = sqlx::query_scalar(profiles).fetch_one(&mut session).await.unwrap();
    let entries = "SELECT count(*), count(DISTINCT actor_id) FROM registry.changes WHERE action = 'customer.created' AND actor_kind = 'OPERATOR'";
    let entries: (i64, i64) = sqlx::query_as(entries).fetch_one(&mut session).await.unwrap();
    // Olga has created the town.
    assert_eq!((profiles, entries), (60, (60 * 8 + 1, 61)));
}

/// The same over HTTP, with an idempotency key: there is one write, and every request gets its result.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operators_first_retries_at_once_are_one() {
    let town = Town::new().await;
    let (system, issuer) = (Caller::system("test"), town.app.registry.issuer().unwrap().to_owned());
    for round in 0..20 {
        let name = format!("operator {round}");
        town.app.registry.add_operator(&system, &issuer, &name).await.unwrap();
        let client = town.app.user(&name, None);
        let create = format!(
            "mutation {{ createCustomer(input: {{ name: \"City {round}\", idempotencyKey: \"k\" }}) {{ customer {{ id }} userErrors {{ code }} }} }}"
        );
        let answers: Vec<_> = (0..8).map(|_| sent(&client, create.clone())).collect();
        let mut ids = Vec::new();
        for answer in answers {
            ids.push(answer.await.unwrap().text("/createCustomer/customer/id"));
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "round {round}");
    }
}
