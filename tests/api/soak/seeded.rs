//! Shows that each rule finds its violations: changes the recordings of healthy subscribers. The unchanged
//! recordings must be clean.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::OnceCell;

use super::{
    check::{Rule, lost, rules, violations},
    play::{Outcome, Play, PlayConfig},
    record::{After, End, Event, EventContent, FaultPeriod, Field, Recording, Session},
    watcher::SubscriberBehaviour,
    world::World,
    writer::ExpectedEntry,
};
use crate::support::{App, app::Instance};

static HEALTHY: OnceCell<Outcome> = OnceCell::const_new();

/// Recordings without faults; shared by all tests.
async fn healthy() -> &'static Outcome {
    HEALTHY
        .get_or_init(|| async {
            let app = App::start().await;
            let second: Instance = app.another().await;
            let bases = vec![app.base.clone(), second.base.clone()];
            let world = World::make(&app, bases, 3).await;
            let habits =
                SubscriberBehaviour { stay: (300, 1200), nonsense: 15, ..SubscriberBehaviour::default() };
            let cast = PlayConfig { seed: 4, writers: 3, holders: 2, watchers: 1, pause: (0, 20), habits };
            let play = Play::begin(&world, &app.database.url, cast);
            // Runs until each change finds a suitable event.
            let begun = Instant::now();
            while play.ledger.acks().len() < 100 || begun.elapsed() < Duration::from_secs(4) {
                assert!(begun.elapsed() < Duration::from_secs(120), "{} writes", play.ledger.acks().len());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let outcome = play.end(&app.database.url, &app.database.admin_url).await;
            assert_eq!(outcome.faults(&app.database.admin_url, &[]).await, [""; 0]);
            second.stop().await;
            outcome
        })
        .await
}

/// Applies a change to the first recording that it fits. Returns the rules that are broken then.
async fn seeded(field: Field, seed: impl Fn(&mut Recording) -> Option<()>) -> BTreeSet<Rule> {
    let Outcome { truth, recordings, .. } = healthy().await;
    for recording in recordings.iter().filter(|recording| recording.who.field == field) {
        let mut recording = recording.clone();
        if seed(&mut recording).is_some() {
            return rules(&violations(truth, &[], &recording));
        }
    }
    panic!("the change fits no recording");
}

/// Applies a change to one connection.
async fn into_session(field: Field, seed: impl Fn(&mut Session) -> Option<()>) -> BTreeSet<Rule> {
    seeded(field, |recording| recording.sessions.iter_mut().find_map(&seed)).await
}

/// Applies a change to the events of one connection.
async fn into_events(field: Field, seed: impl Fn(&mut Vec<Event>) -> Option<()>) -> BTreeSet<Rule> {
    into_session(field, |session| seed(&mut session.events)).await
}

fn has(rules: &BTreeSet<Rule>, rule: Rule) {
    assert!(rules.contains(&rule), "{rule:?} is not among {rules:?}");
}

/// The index of the first `count` adjacent events that satisfy `is_it`.
fn find(events: &[Event], count: usize, is_it: impl Fn(&[&EventContent]) -> bool) -> Option<usize> {
    let whats: Vec<&EventContent> = events.iter().map(|event| &event.what).collect();
    whats.windows(count).position(is_it)
}

/// Whether these are changes, and exactly those marked 0 are of the first one's commit.
fn commits(whats: &[&EventContent], of: &[u8]) -> bool {
    let is_change =
        |what: &EventContent| !matches!(what, EventContent::Snapshot { .. } | EventContent::Bookmark { .. });
    let first = whats[0].revision();
    whats.iter().zip(of).all(|(what, of)| is_change(what) && (what.revision() == first) == (*of == 0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_is_seen() {
    for field in [Field::Activations, Field::Configs] {
        let drop_one = |events: &mut Vec<Event>| {
            let at = find(events, 3, |whats| {
                commits(whats, &[0, 1, 1]) && whats[1].revision() != whats[2].revision()
            })?;
            events.remove(at + 1);
            Some(())
        };
        has(&into_events(field, drop_one).await, Rule::NoneMissing);
        let silent = |session: &mut Session| {
            session.end = (session.end == End::Done).then_some(End::Silent)?;
            Some(())
        };
        has(&into_session(field, silent).await, Rule::NoneMissing);
    }
    let drop_snapshot = |events: &mut Vec<Event>| {
        let at =
            find(events, 2, |whats| whats.iter().all(|what| matches!(what, EventContent::Snapshot { .. })))?;
        events.remove(at);
        Some(())
    };
    has(&into_events(Field::Configs, drop_snapshot).await, Rule::NoneMissing);
    let stale = |session: &mut Session| {
        matches!(session.events.first()?.what, EventContent::Snapshot { .. }).then_some(())?;
        session.floor = i64::MAX;
        Some(())
    };
    has(&into_session(Field::Configs, stale).await, Rule::NoneMissing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_twice_is_seen() {
    for field in [Field::Activations, Field::Configs] {
        let repeat = |events: &mut Vec<Event>| {
            let at = find(events, 1, |whats| commits(whats, &[0]))?;
            events.insert(at, events[at].clone());
            Some(())
        };
        has(&into_events(field, repeat).await, Rule::Unique);
        // An event again on a later connection, which resumed after it.
        let again = |recording: &mut Recording| {
            let mut before: Vec<Event> = Vec::new();
            for session in &mut recording.sessions {
                let seen = |event: &&Event| match &session.after {
                    After::Cursor(_, place) => {
                        commits(&[&event.what], &[0]) && event.what.revision() <= place.0
                    }
                    _ => false,
                };
                if let Some(event) = before.iter().rev().find(seen) {
                    session.events.insert(0, event.clone());
                    return Some(());
                }
                before.extend(session.events.iter().cloned());
            }
            None
        };
        has(&seeded(field, again).await, Rule::Unique);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_back_is_seen() {
    for field in [Field::Activations, Field::Configs] {
        let swap = |events: &mut Vec<Event>| {
            let at = find(events, 2, |whats| commits(whats, &[0, 1]))?;
            events.swap(at, at + 1);
            Some(())
        };
        has(&into_events(field, swap).await, Rule::Ordered);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_in_parts_is_seen() {
    let split = |events: &mut Vec<Event>| {
        let at = find(events, 3, |whats| commits(whats, &[0, 0, 1]))?;
        events.swap(at + 1, at + 2);
        Some(())
    };
    has(&into_events(Field::Activations, split).await, Rule::Atomic);
    let halve = |events: &mut Vec<Event>| {
        let at = find(events, 3, |whats| commits(whats, &[0, 0, 1]))?;
        events.remove(at + 1);
        Some(())
    };
    has(&into_events(Field::Activations, halve).await, Rule::Atomic);
    let several = |whats: &[&EventContent]| commits(&whats[..2], &[0, 0]) && whats[2].is_bookmark();
    let mark_within = |events: &mut Vec<Event>| {
        let at = find(events, 3, several)?;
        events.swap(at + 1, at + 2);
        Some(())
    };
    has(&into_events(Field::Configs, mark_within).await, Rule::Atomic);
    let halve = |events: &mut Vec<Event>| {
        let at = find(events, 3, several)?;
        events.remove(at + 1);
        Some(())
    };
    has(&into_events(Field::Configs, halve).await, Rule::Atomic);
    // A newer state in the event of an earlier commit.
    let torn = |events: &mut Vec<Event>| {
        let upsert = events.iter_mut().find_map(|event| match &mut event.what {
            EventContent::Upsert { served, .. } => Some(served),
            _ => None,
        });
        upsert?.prompt.push('.');
        Some(())
    };
    has(&into_events(Field::Configs, torn).await, Rule::Atomic);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_led_back_is_seen() {
    for field in [Field::Activations, Field::Configs] {
        let is_resumed = |session: &Session| matches!(session.after, After::Cursor(..));
        let skip = |session: &mut Session| {
            let at =
                find(&session.events, 2, |whats| commits(whats, &[0, 1])).filter(|_| is_resumed(session))?;
            session.events.drain(..=at);
            Some(())
        };
        has(&into_session(field, skip).await, Rule::Resumed);
        for end in [
            End::Mute,
            End::Closed(4403),
            End::Refused("CURSOR_INVALID".into()),
            End::Refused("INTERNAL".into()),
        ] {
            let ends = |session: &mut Session| {
                session.end = is_resumed(session).then(|| end.clone())?;
                Some(())
            };
            has(&into_session(field, ends).await, Rule::Resumed);
        }
        let taken = |session: &mut Session| {
            matches!(session.after, After::Bad(_)).then(|| session.end = End::Left)?;
            session.ended += Duration::from_secs(60);
            Some(())
        };
        has(&into_session(field, taken).await, Rule::Resumed);
    }
    let silence = |session: &mut Session| {
        (matches!(session.after, After::Cursor(..)) && !session.events.is_empty()).then_some(())?;
        session.events.clear();
        session.ended += Duration::from_secs(60);
        Some(())
    };
    has(&into_session(Field::Activations, silence).await, Rule::Resumed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bookmark_that_is_forgotten_or_late_is_seen() {
    type Neighbours = fn(&[&EventContent]) -> bool;
    let several: Neighbours = |whats| commits(&whats[..2], &[0, 0]) && whats[2].is_bookmark();
    let snapshot: Neighbours =
        |whats| matches!(whats[1], EventContent::Snapshot { .. }) && whats[2].is_bookmark();
    for before in [several, snapshot] {
        let forget = |events: &mut Vec<Event>| {
            let at = find(&events[..events.len().saturating_sub(1)], 3, before)?;
            events.remove(at + 2);
            Some(())
        };
        has(&into_events(Field::Configs, forget).await, Rule::Bookmarked);
    }
    let Outcome { truth, recordings, .. } = healthy().await;
    let mut recording =
        recordings.iter().find(|recording| recording.who.field == Field::Configs).unwrap().clone();
    let last = recording.sessions.last_mut().unwrap();
    let from = last.ended;
    last.ended += Duration::from_secs(21);
    has(&rules(&violations(truth, &[], &recording)), Rule::Bookmarked);
    // Not when a fault was active meanwhile.
    let trouble = FaultPeriod { from, until: from + Duration::from_secs(1) };
    assert_eq!(rules(&violations(truth, &[trouble], &recording)), BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_of_others_is_seen() {
    let Outcome { truth, .. } = healthy().await;
    let of_others = |recording: &mut Recording| {
        let sees = recording.who.sees.clone()?;
        let is_foreign =
            |customer: &Option<String>| customer.as_ref().is_some_and(|customer| !sees.contains(customer));
        let mut rows = truth.rows.values();
        let row = rows.find(|row| row.action == "agent.activated" && is_foreign(&row.customer))?;
        let (agent, hash, revision) = (row.agent.clone()?, row.hash.clone(), row.place.0);
        let what = match recording.who.field {
            Field::Configs => EventContent::Remove { revision, agent, reason: "DEACTIVATED".to_owned() },
            _ => EventContent::Entry { place: row.place, hash, agent: Some(agent), subject: None },
        };
        let event = Event { at: SystemTime::now(), what };
        recording.sessions[0].events.push(event);
        Some(())
    };
    for field in [Field::Activations, Field::Configs] {
        has(&seeded(field, of_others).await, Rule::Visible);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_write_that_is_lost_is_seen() {
    let Outcome { truth, ledger, .. } = healthy().await;
    let ack = ledger.acks().into_iter().find(|ack| ack.asked[0].agent.is_some()).unwrap();
    assert_eq!(lost(truth, std::slice::from_ref(&ack)), [""; 0]);
    let mut never = ack.clone();
    never.revision = truth.rows.keys().next_back().unwrap().0 + 1;
    let mut other = ack.clone();
    other.asked[0] = ExpectedEntry { agent: Some("another".to_owned()), ..other.asked[0].clone() };
    for wrong in [never, other] {
        assert!(!lost(truth, &[wrong]).is_empty());
    }
}
