//! Another customer's object and a missing one get the same response: the same bytes. The test prints the times.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    ask::{self, ProbeRequest},
    known_values::KnownValues,
    leak_detector::RecordedResponse,
    world::{GATEWAY, Outsider, World},
};
use crate::support::{app::Setup, caller::without_points_left, proof};

/// Every request with the other customer's ids, paired with the same request with ids that don't exist.
fn pairs(world: &World, outsider: &Outsider) -> Vec<(ProbeRequest, ProbeRequest)> {
    let World { schema, theirs, ours, .. } = world;
    let all = |guess: &KnownValues| {
        let mut asks = ask::queries(schema, guess, &ours.guess, &outsider.barred, &outsider.lean);
        asks.extend(ask::mutations(schema, guess, &ours.guess, &outsider.barred));
        asks.extend(ask::routes(guess, &ours.guess));
        asks
    };
    let pairs: Vec<_> = all(&theirs.guess).into_iter().zip(all(&theirs.guess.invented())).collect();
    // `/metrics` counts the process's requests, and the time of the last check of the log goes on, so they differ.
    let differs = |ask: &ProbeRequest| ask.path == "/metrics" || ask.what == "auditStatus";
    pairs.into_iter().filter(|(ask, _)| !differs(ask)).collect()
}

/// A response without the texts of the request, the request's id, and the points that are left after it. The length of
/// the body depends on these.
fn blanked(heard: &RecordedResponse, guess: &KnownValues) -> String {
    let headers = heard.headers.iter().filter(|header| !header.starts_with("content-length"));
    let headers: String = headers.map(String::as_str).collect();
    let mut text = format!("{}\n{headers}\n{}", heard.status, heard.body);
    for (number, said) in guess.texts().iter().enumerate() {
        text = text.replace(said, &format!("#{number}"));
    }
    for id in ["\"request_id\":\"", "\"requestId\":\""] {
        let mut parts = text.split(id);
        let first = parts.next().unwrap().to_owned();
        text = parts.fold(first, |text, part| format!("{text}{id}{}", &part[36..]));
    }
    without_points_left(&text)
}

#[tokio::test]
async fn what_is_anothers_is_told_from_what_is_not_by_no_byte() {
    let world = World::new(Setup::default()).await;
    let invented = world.theirs.guess.invented();
    let mut count = 0;
    for outsider in world.outsiders().await {
        if !["admin", "key", GATEWAY].contains(&outsider.name) {
            continue;
        }
        for (theirs, nobodys) in pairs(&world, &outsider) {
            let heard = [
                blanked(&world.send_and_record(&outsider.client, &theirs).await, &world.theirs.guess),
                blanked(&world.send_and_record(&outsider.client, &nobodys).await, &invented),
            ];
            assert_eq!(heard[0], heard[1], "{theirs:?} as {}", outsider.name);
            count += 1;
        }
        if outsider.name == "admin" {
            times(&world, &outsider).await;
        }
    }
    what_is_taken_there_is_free_here(&world).await;
    println!("alike: {count} pairs of responses, the same bytes");
}

/// Names and e-mail addresses are unique within a customer only, so using one doesn't reveal whether another
/// customer has it.
async fn what_is_taken_there_is_free_here(world: &World) {
    let World { theirs, ours, .. } = world;
    let (customer, marker) = (&ours.customer, theirs.marker);
    for (field, input, rest) in [
        ("createAgent", "CreateAgentInput", json!({ "name": theirs.guess.names[0] })),
        (
            "createApiKey",
            "CreateApiKeyInput",
            json!({ "name": format!("{marker} key"), "scopes": ["AGENTS_READ"] }),
        ),
        (
            "inviteMember",
            "InviteMemberInput",
            json!({ "email": format!("admin@{marker}.example"), "role": "VIEWER" }),
        ),
        (
            "inviteMember",
            "InviteMemberInput",
            json!({ "email": format!("open@{marker}.example"), "role": "ADMIN" }),
        ),
    ] {
        let mut given = rest;
        given["customerId"] = json!(customer);
        let mutation = format!(
            "mutation ($input: {input}!) {{ {field}(input: $input) {{ userErrors {{ code message }} }} }}"
        );
        let made = ours.admin.gql(&mutation, json!({ "input": given })).await;
        assert_eq!(made.at(&format!("/{field}/userErrors")), &json!([]), "{given}");
    }
}

/// Prints how long both requests of a pair take. Nothing is asserted, because a busy machine changes the times.
async fn times(world: &World, outsider: &Outsider) {
    let rounds = proof::count(1, 50);
    // The shortest request of each kind, where a difference in time is relatively largest.
    let mut shortest: BTreeMap<String, (ProbeRequest, ProbeRequest)> = BTreeMap::new();
    let length = |ask: &ProbeRequest| ask.body.as_ref().map(String::len);
    for (theirs, nobodys) in pairs(world, outsider) {
        if theirs.body != nobodys.body || theirs.path != nobodys.path {
            match shortest.get(&theirs.what) {
                Some((known, _)) if length(known) <= length(&theirs) => {}
                _ => drop(shortest.insert(theirs.what.clone(), (theirs, nobodys))),
            }
        }
    }
    assert!(shortest.len() > 20, "{:?}", shortest.keys());
    for (what, (theirs, nobodys)) in shortest {
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..rounds * 2 {
            // Alternates which request goes first.
            for turn in [round % 2, 1 - round % 2] {
                let ask = [&theirs, &nobodys][turn];
                let started = Instant::now();
                world.send_and_record(&outsider.client, ask).await;
                times[turn].push(started.elapsed());
            }
        }
        let [theirs, nobodys] = times.map(median);
        let ratio = theirs.as_secs_f64() / nobodys.as_secs_f64();
        println!("time: {what:<40} existing {theirs:>9.2?}  missing {nobodys:>9.2?}  ratio {ratio:.2}");
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
