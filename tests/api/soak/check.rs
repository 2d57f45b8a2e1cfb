//! Checks the rules of a subscription on what a subscriber received. The rules for `configs` alone are in
//! `gateway.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    gateway,
    record::{
        After, End, EventContent, FaultPeriod, Field, LogPosition, Recording, Session, Subscriber,
        is_troubled,
    },
    truth::{DueEvents, Row, Truth},
    writer::AcknowledgedWrite,
};

/// How long a due event may take when nothing is broken.
const SILENCE: Duration = Duration::from_secs(10);

/// A guarantee to subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// Positions never decrease.
    Ordered,
    /// No event comes twice, except those after the bookmark that a subscriber resumes at.
    Unique,
    /// Every visible event after the start comes.
    NoneMissing,
    /// The events of a commit come together, and show the state at that commit.
    Atomic,
    /// Each connection resumes right after its cursor, or ends with an error that says why it can't.
    Resumed,
    /// A bookmark follows a snapshot, follows a commit with several events, and comes every ten seconds.
    Bookmarked,
    /// No event comes that the subscriber may not see.
    Visible,
}

/// A broken rule.
#[derive(Clone, Debug)]
pub(super) struct Violation {
    pub(super) rule: Rule,
    pub(super) text: String,
}

/// The data to check one recording with.
pub(super) struct Judge<'a> {
    pub(super) who: &'a Subscriber,
    pub(super) troubles: &'a [FaultPeriod],
    pub(super) visible: BTreeMap<LogPosition, &'a Row>,
    pub(super) story: DueEvents,
    pub(super) found: Vec<Violation>,
}

impl Judge<'_> {
    pub(super) fn find(&mut self, rule: Rule, text: impl AsRef<str>) {
        self.found.push(Violation { rule, text: format!("{}: {}", self.who.name, text.as_ref()) });
    }
}

/// All rules that this recording breaks.
pub(super) fn violations(truth: &Truth, troubles: &[FaultPeriod], recording: &Recording) -> Vec<Violation> {
    let who = &recording.who;
    let (visible, story) = (truth.visible(who), truth.story(who));
    let mut judge = Judge { who, troubles, visible, story, found: Vec::new() };
    for session in &recording.sessions {
        ended_well(&mut judge, session);
    }
    for (number, chapter) in recording.chapters().iter().enumerate() {
        if who.field == Field::Configs {
            gateway::chapter(&mut judge, chapter);
        } else {
            chapter_of_entries(&mut judge, truth, chapter, number + 1 == recording.chapters().len());
        }
    }
    judge.found
}

/// The rules among these violations.
pub(super) fn rules(violations: &[Violation]) -> BTreeSet<Rule> {
    violations.iter().map(|violation| violation.rule).collect()
}

/// Each connection must end for a reason that tells the client whether to reconnect. A valid cursor is never
/// rejected.
fn ended_well(judge: &mut Judge<'_>, session: &Session) {
    let Session { instance, after, end, .. } = session;
    let is_bad = matches!(after, After::Bad(_));
    match end {
        End::Silent => judge.find(
            Rule::NoneMissing,
            format!("no end by the deadline, on instance {instance} from {after:?}"),
        ),
        End::Mute => judge.find(Rule::Resumed, format!("ended without an error from {after:?}")),
        End::Refused(code) if is_bad && (code == "CURSOR_INVALID" || code == "CURSOR_TOO_OLD") => {}
        End::Refused(code) if code == "UNAVAILABLE" => {}
        End::Refused(code) => judge.find(Rule::Resumed, format!("rejected with {code} from {after:?}")),
        // Codes that tell the client to reconnect.
        End::Closed(1000 | 1005 | 1012 | 1013) | End::Left | End::Lost | End::Done => {}
        End::Closed(code) => judge.find(Rule::Resumed, format!("closed with {code} from {after:?}")),
    }
    if is_bad && !session.events.is_empty() {
        judge.find(Rule::Resumed, format!("received events after {after:?}"));
    }
    let is_calm = !is_troubled(judge.troubles, session.began, session.ended);
    let waited = |since| session.ended.duration_since(since).unwrap_or_default();
    if let Some(asked) = session.asked.filter(|_| is_bad && is_calm)
        && matches!(end, End::Left | End::Done)
        && waited(asked) > SILENCE
    {
        judge.find(Rule::Resumed, format!("silence after {after:?}"));
    }
}

fn chapter_of_entries(judge: &mut Judge<'_>, truth: &Truth, chapter: &[Session], is_last: bool) {
    let sent = chapter.iter().flat_map(|session| &session.events).map(|event| &event.what);
    let mut seen = BTreeSet::new();
    let mut last: Option<LogPosition> = None;
    for what in sent {
        let EventContent::Entry { place, hash, agent, subject } = what else { continue };
        let row = judge.visible.get(place).copied();
        let is_so = |row: &Row| {
            let same = |one: &Option<String>, other: &Option<String>| one.is_none() || one == other;
            row.hash == *hash && same(agent, &row.agent) && same(subject, &row.subject)
        };
        match row {
            Some(row) if is_so(row) => {}
            Some(row) => judge.find(Rule::Visible, format!("{what:?} came, but the log has {row:?}")),
            None => {
                let row = truth.rows.get(place);
                judge.find(Rule::Visible, format!("{what:?} is not visible to it: {row:?}"));
            }
        }
        if !seen.insert(*place) {
            judge.find(Rule::Unique, format!("{place:?} came twice"));
            continue;
        }
        if let Some(last) = last.filter(|last| place < last) {
            judge.find(Rule::Ordered, format!("{place:?} came after {last:?}"));
            // A later commit had come in between.
            if place.0 < last.0 && seen.range((place.0, 0)..(place.0 + 1, 0)).count() > 1 {
                judge.find(Rule::Atomic, format!("the commit of {place:?} came in parts, around {last:?}"));
            }
        }
        last = last.max(Some(*place));
    }
    // A subscription without a cursor gets nothing older than its first event.
    let start = match &chapter[0].after {
        After::Revision(revision) => Some((*revision, i32::MAX)),
        After::Cursor(_, place) => Some(*place),
        After::Now | After::Bad(_) => seen.first().copied(),
    };
    let end = if is_last { judge.visible.keys().next_back().copied() } else { last };
    if let (Some(start), Some(end)) = (start, end) {
        let due = judge.visible.keys().filter(|place| **place > start && **place <= end);
        let missing: Vec<LogPosition> = due.filter(|place| !seen.contains(place)).copied().collect();
        for place in missing {
            judge.find(Rule::NoneMissing, format!("{place:?} never came"));
            let of_commit = (place.0, 0)..(place.0 + 1, 0);
            if seen.range(of_commit).next().is_some() {
                judge.find(Rule::Atomic, format!("the commit of {place:?} came in part"));
            }
        }
    }
    chapter.iter().for_each(|session| resumed(judge, session));
}

/// The first event must be the one right after the cursor, and must come if it exists.
fn resumed(judge: &mut Judge<'_>, session: &Session) {
    let start = match &session.after {
        After::Cursor(_, place) => *place,
        After::Revision(revision) => (*revision, i32::MAX),
        After::Now | After::Bad(_) => return,
    };
    let due =
        judge.visible.range(start..).find(|(place, _)| **place > start).map(|(place, row)| (*place, row.at));
    match (session.events.first().map(|event| &event.what), due) {
        (Some(EventContent::Entry { place, .. }), Some((due, _))) if *place == due => {}
        (Some(what), due) => {
            let text = format!("{what:?} came first after {start:?}, and {due:?} was due");
            judge.find(Rule::Resumed, text);
        }
        (None, Some((due, at))) => {
            let asked = session.asked.filter(|_| !is_troubled(judge.troubles, session.began, session.ended));
            let waited = asked.and_then(|asked| session.ended.duration_since(asked.max(at)).ok());
            if waited.is_some_and(|waited| waited > SILENCE) {
                judge.find(Rule::Resumed, format!("silence after {start:?}, and {due:?} was due"));
            }
        }
        (None, None) => {}
    }
}

/// The acknowledged writes that the log doesn't have, or has with other content.
pub(super) fn lost(truth: &Truth, acks: &[AcknowledgedWrite]) -> Vec<String> {
    let mut lost = Vec::new();
    for AcknowledgedWrite { revision, asked } in acks {
        let rows: Vec<&Row> =
            truth.rows.range((*revision, 0)..(revision + 1, 0)).map(|(_, row)| row).collect();
        for ask in asked {
            let same = |one: &Option<String>, other: &Option<String>| one.is_none() || one == other;
            let is_it = |row: &&Row| {
                ask.actions.contains(&row.action.as_str())
                    && same(&ask.customer, &row.customer)
                    && same(&ask.agent, &row.agent)
                    && same(&ask.version, &row.version)
                    && same(&ask.subject, &row.subject)
                    // An entry of a creation has no values before and after, so only its ids are compared.
                    && ask.after.as_ref().filter(|_| !row.action.ends_with(".created")).is_none_or(|(pointer, value)| {
                        row.details.pointer(pointer).and_then(|value| value.as_str()) == Some(value.as_str())
                    })
            };
            if !rows.iter().any(is_it) {
                lost.push(format!("{ask:?} was acknowledged as {revision}, where the log has {rows:?}"));
            }
        }
    }
    lost
}
