//! The canary: all data of one customer contain a marker, and no other caller ever receives it, whatever they
//! request. Checked for the service as it is, with row-level security alone, and with the service's own filters
//! alone.

mod alike;
mod arguments;
mod ask;
mod crowd;
mod known_values;
mod leak_detector;
mod planted;
mod schema;
mod watch;
mod world;

use std::{collections::BTreeSet, time::Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use ask::ProbeRequest;
use leak_detector::{LeakDetector, RecordedResponse};
use schema::Barred;
use world::{GATEWAY, Outsider, World};

use crate::support::app::Setup;

/// The service without its own tenant filters.
fn row_level_security_only() -> Setup {
    Setup { is_row_level_security_only: true, ..Setup::default() }
}

/// The service without row-level security.
fn own_queries_only() -> Setup {
    Setup { is_row_level_security_off: true, ..Setup::default() }
}

/// All queries that this outsider can make with the other customer's values.
fn queries(world: &World, outsider: &Outsider) -> Vec<ProbeRequest> {
    let World { schema, theirs, ours, .. } = world;
    let (theirs, ours) = (&theirs.guess, &ours.guess);
    let mut asks = ask::queries(schema, theirs, ours, &outsider.barred, &outsider.lean);
    if !outsider.barred.is_empty() {
        // The root fields with all selections too: fields rejected for its own objects must be rejected for the
        // other's.
        let whole = ask::queries(schema, theirs, ours, &Barred::new(), &outsider.lean);
        asks.extend(
            whole.into_iter().filter(|ask| ["customer", "node", "nodes"].contains(&ask.what.as_str())),
        );
    }
    asks
}

/// The mutations that change what is the caller's own, whatever the input says: its profile, its other sessions.
const OWN: &[&str] = &["updateProfile", "revokeOtherSessions"];

/// Whether the response says that nothing was changed.
fn is_refused(heard: &RecordedResponse) -> bool {
    let body: Value = serde_json::from_str(&heard.body).unwrap_or_default();
    match body.get("data").and_then(Value::as_object) {
        Some(data) => data.values().all(|payload| payload["revision"].is_null()),
        None => heard.status >= 400 || body.get("errors").is_some(),
    }
}

/// Makes every request, and searches the responses.
async fn walk(world: &World, ear: &LeakDetector, outsider: &Outsider) {
    let World { schema, theirs, ours, .. } = world;
    let mut asks = queries(world, outsider);
    asks.extend(ask::mutations(schema, &theirs.guess, &ours.guess, &outsider.barred));
    asks.extend(ask::routes(&theirs.guess, &ours.guess));
    let texts = theirs.guess.texts();
    // A document that is too complex asks nothing, so each question needs one that isn't.
    let (mut answered, mut too_complex) = (BTreeSet::new(), BTreeSet::new());
    for ask in asks {
        let heard = world.send_and_record(&outsider.client, &ask).await;
        let what = format!("{} as {}", ask.what, outsider.name);
        assert!(heard.status < 500, "{what}: {}, {ask:?}", heard.body);
        let is_too_complex = heard.body.contains("QUERY_TOO_COMPLEX");
        if is_too_complex { &mut too_complex } else { &mut answered }.insert(ask.what.clone());
        ear.listen(&what, &ask.said(&texts), &heard.bytes);
        let may_write = !ask.is_write || OWN.contains(&ask.what.as_str());
        assert!(may_write || is_refused(&heard), "{what} was accepted: {}, {ask:?}", heard.body);
    }
    let unasked: Vec<_> = too_complex.difference(&answered).collect();
    assert!(unasked.is_empty(), "nothing was asked of {unasked:?} as {}", outsider.name);
}

/// Everything that the other customer's own admin can read.
async fn reading(world: &World) -> String {
    // The first report of any gateway sets it, for everybody.
    let of_everybody = Barred::from([("Convergence".to_owned(), "recountingSince".to_owned())]);
    let selection = world.schema.selection("Customer", 3, &of_everybody);
    let query = format!("query ($id: ID!) {{ customer(id: $id) {selection} }}");
    let answer = world.theirs.admin.gql(&query, json!({ "id": world.theirs.customer })).await;
    answer.at("/customer/members").to_string();
    answer.body.to_string()
}

/// Panics with the first difference between two readings.
fn assert_alike(before: &str, after: &str) {
    let differing = before.bytes().zip(after.bytes()).position(|(one, other)| one != other);
    let at = differing.unwrap_or(before.len().min(after.len())).saturating_sub(150);
    let part = |text: &str| text.chars().skip(at).take(300).collect::<String>();
    assert!(before == after, "what the other customer reads has changed:\n{}\n{}", part(before), part(after));
}

async fn canary(setup: Setup, who: &[&str]) {
    let started = Instant::now();
    let world = World::new(setup).await;
    let (ear, mut outsiders) = (world.ear().await, world.outsiders().await);
    outsiders.retain(|outsider| who.contains(&outsider.name));
    let ([before, _], read) = (world.rows().await, reading(&world).await);
    assert!(read.contains(world::THEIRS), "{read}");
    join_all(outsiders.iter().map(|outsider| walk(&world, &ear, outsider))).await;
    ear.assert_no_leaks();
    let [after, ours] = world.rows().await;
    assert_eq!(before, after, "the other customer's rows and log entries are unchanged");
    assert_alike(&read, &reading(&world).await);
    assert!(ours["agents"].len() == 3 && ours["api_keys"].len() == 2, "our own rows are unchanged");
    let (answers, bytes) = ear.heard();
    assert!(answers > 500 && bytes > 500_000, "{answers} responses of {bytes} bytes");
    let (frames, streamed) = watch::sockets(&world, &outsiders).await;
    println!(
        "canary: {answers} responses ({bytes} bytes), {frames} frames ({streamed} bytes), none with the marker, in {:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn nothing_of_one_customer_reaches_anybody_else() {
    canary(Setup::default(), &["admin", "editor", "viewer", "key", "stranger", GATEWAY]).await;
}

#[tokio::test]
async fn nor_does_it_behind_row_level_security_alone() {
    // Postgres doesn't distinguish the members of a customer, so one of them is enough.
    canary(row_level_security_only(), &["admin", "key", "stranger", GATEWAY]).await;
}

#[tokio::test]
async fn nor_does_it_behind_the_services_own_queries_alone() {
    canary(own_queries_only(), &["admin", "viewer", "key", "stranger", GATEWAY]).await;
}
