//! Checks the rules of `configs`: a gateway's map equals the database's at each bookmark, and bookmarks come in
//! time.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use super::{
    check::{Judge, Rule},
    record::{After, End, EventContent, Served, Session, is_troubled},
    truth::DueEvent,
};

/// How long after a bookmark the next one is due, with some time for a busy machine.
const DUE: Duration = Duration::from_secs(20);

/// Checks connections that each resume where the one before ended. The first begins with a snapshot.
pub(super) fn chapter(judge: &mut Judge<'_>, chapter: &[Session]) {
    // The map at the last bookmark, where the next connection resumes.
    let mut kept = BTreeMap::new();
    for session in chapter {
        let start = match &session.after {
            After::Now => None,
            After::Revision(revision) => Some(*revision),
            After::Cursor(_, place) => Some(place.0),
            After::Bad(_) => continue,
        };
        let mut reading = Reading { judge: &mut *judge, session, start, map: kept.clone(), kept };
        reading.all();
        kept = reading.kept;
    }
}

struct Reading<'a, 'b> {
    judge: &'a mut Judge<'b>,
    session: &'a Session,
    /// The bookmark that the connection resumes at.
    start: Option<i64>,
    map: BTreeMap<String, Served>,
    kept: BTreeMap<String, Served>,
}

impl Reading<'_, '_> {
    fn all(&mut self) {
        let events: Vec<&EventContent> = self.session.events.iter().map(|event| &event.what).collect();
        let commits: Vec<&[&EventContent]> =
            events.chunk_by(|one, next| one.revision() == next.revision()).collect();
        let mut told = BTreeSet::new();
        for (number, commit) in commits.iter().enumerate() {
            let is_whole = number + 1 < commits.len() || self.session.end == End::Done;
            let before = if number > 0 { Some(commits[number - 1][0].revision()) } else { self.start };
            let revision = commit[0].revision();
            if before.is_some_and(|before| revision < before) {
                self.judge.find(Rule::Ordered, format!("{revision} came after {before:?}"));
            }
            if !told.insert(revision) {
                self.judge.find(Rule::Atomic, format!("{revision} came in parts"));
            }
            self.between(before, revision);
            self.commit(commit, is_whole);
        }
        if self.session.end == End::Done {
            let from = told.last().copied().or(self.start);
            self.between(from, i64::MAX);
        }
        self.came_right_after();
        self.in_time();
    }

    /// Checks that no commit with events lies between these.
    fn between(&mut self, before: Option<i64>, revision: i64) {
        let Some(before) = before.filter(|before| *before < revision) else { return };
        let missing = self.judge.story.told.range(before + 1..revision).map(|(missing, _)| *missing);
        for missing in missing.collect::<Vec<_>>() {
            self.judge
                .find(Rule::NoneMissing, format!("{missing} never came, between {before} and {revision}"));
        }
    }

    /// Checks the events of one commit or of a snapshot, with its bookmarks.
    fn commit(&mut self, commit: &[&EventContent], is_whole: bool) {
        let revision = commit[0].revision();
        let is_snapshot = matches!(commit[0], EventContent::Snapshot { .. })
            || (self.start.is_none() && self.is_first(commit[0]));
        let due: BTreeMap<String, DueEvent> = if is_snapshot {
            let all = self.judge.story.map_at(revision).into_iter();
            all.map(|(agent, served)| (agent, DueEvent::Upsert(served))).collect()
        } else {
            self.judge.story.told.get(&revision).cloned().unwrap_or_default()
        };
        let mut came = BTreeSet::new();
        let mut marks = 0;
        for what in commit {
            match what {
                EventContent::Bookmark { .. } => {
                    marks += 1;
                    self.bookmark(revision);
                    continue;
                }
                EventContent::Snapshot { agent, served, .. } | EventContent::Upsert { agent, served, .. } => {
                    self.check(agent, &DueEvent::Upsert(served.clone()), &due, revision);
                    self.map.insert(agent.clone(), served.clone());
                }
                EventContent::Remove { agent, reason, .. } => {
                    self.check(agent, &DueEvent::Remove(reason.clone()), &due, revision);
                    self.map.remove(agent);
                }
                EventContent::Entry { .. } => {}
            }
            if marks > 0 {
                self.judge.find(Rule::Atomic, format!("a bookmark came in the middle of {revision}"));
            }
            let agent = what.agent().unwrap_or_default();
            if !came.insert(agent) || self.start.is_some_and(|start| revision <= start) {
                self.judge.find(Rule::Unique, format!("{agent} came twice by {revision}"));
            }
        }
        if is_snapshot && revision < self.session.floor {
            let text = format!("a snapshot of {revision}, although {} was acknowledged", self.session.floor);
            self.judge.find(Rule::NoneMissing, text);
        }
        if !is_whole && marks == 0 {
            return;
        }
        for agent in due.keys().filter(|agent| !came.contains(agent.as_str())) {
            // A commit without events here may have been sent on the connection before.
            if came.is_empty() && !is_snapshot && self.start.is_some_and(|start| revision <= start) {
                continue;
            }
            self.judge.find(Rule::NoneMissing, format!("{agent} never came by {revision}"));
            if !came.is_empty() {
                self.judge.find(Rule::Atomic, format!("{revision} came without {agent}"));
            }
        }
        if marks == 0 && (is_snapshot || due.len() > 1) {
            self.judge.find(Rule::Bookmarked, format!("no bookmark followed {revision}"));
        }
    }

    fn is_first(&self, what: &EventContent) -> bool {
        self.session.events.first().is_some_and(|first| std::ptr::eq(&raw const first.what, what))
    }

    fn check(&mut self, agent: &str, came: &DueEvent, due: &BTreeMap<String, DueEvent>, revision: i64) {
        match due.get(agent) {
            Some(due) if due == came => {}
            Some(due) => {
                let text = format!("{agent} by {revision}: {came:?}, where the log has {due:?}");
                self.judge.find(Rule::Atomic, text);
            }
            None => {
                let text = format!("{agent} by {revision}: {came:?} is not its to see");
                self.judge.find(Rule::Visible, text);
            }
        }
    }

    fn bookmark(&mut self, revision: i64) {
        let due = self.judge.story.map_at(revision);
        if self.map != due {
            let wrong: Vec<_> =
                due.iter().filter(|(agent, served)| self.map.get(*agent) != Some(served)).collect();
            let more: Vec<_> = self.map.keys().filter(|agent| !due.contains_key(*agent)).collect();
            let text = format!("the map at bookmark {revision} lacks {wrong:?} and has {more:?}");
            self.judge.find(Rule::Atomic, text);
        }
        self.kept.clone_from(&self.map);
    }

    /// Checks that the first event is the first one after the bookmark.
    fn came_right_after(&mut self) {
        let Some(start) = self.start else { return };
        let due = self.judge.story.told.range(start + 1..).next().map(|(revision, _)| *revision);
        let first = self.session.events.iter().map(|event| &event.what).find(|what| !what.is_bookmark());
        if let Some(first) = first.map(EventContent::revision).filter(|first| Some(*first) != due) {
            self.judge.find(Rule::Resumed, format!("{first} came first after {start}, and {due:?} was due"));
        }
    }

    /// Checks that bookmarks are never far apart while nothing is broken.
    fn in_time(&mut self) {
        let Some(asked) = self.session.asked else { return };
        let marks = self.session.events.iter().filter(|event| event.what.is_bookmark()).map(|event| event.at);
        let times: Vec<SystemTime> = [asked].into_iter().chain(marks).chain([self.session.ended]).collect();
        for pair in times.windows(2) {
            let apart = pair[1].duration_since(pair[0]).unwrap_or_default();
            if apart > DUE && !is_troubled(self.judge.troubles, pair[0], pair[1]) {
                self.judge.find(Rule::Bookmarked, format!("no bookmark for {apart:?}"));
            }
        }
    }
}
