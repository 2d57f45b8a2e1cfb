//! Property test: compares the map with a model of a registry, across broken connections, restarts and rejected
//! cursors.

use std::collections::VecDeque;

use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

use super::*;

const AGENTS: u8 = 4;

fn agent(nth: u8) -> AgentId {
    Uuid::from_u128(u128::from(nth)).into()
}

/// This agent's configuration since this revision.
fn config(agent_id: AgentId, revision: i64) -> Arc<ActiveConfig> {
    Arc::new(ActiveConfig {
        agent_id,
        customer_id: Uuid::nil().into(),
        name: String::new(),
        version_id: Uuid::nil().into(),
        version_number: 0,
        system_prompt: String::new(),
        model_name: String::new(),
        model_parameters: json_reader::JsonText::default(),
        tools: Vec::new(),
        extensions: json_reader::JsonText::default(),
        content_hash: String::new(),
        bytes_hash: None,
        activated_at: super::super::now(),
        revision: revision.to_string(),
    })
}

/// A model of a registry: for each revision from 0 on, the revision since which each agent's configuration is active.
struct Model(Vec<BTreeMap<AgentId, i64>>);

impl Model {
    fn head(&self) -> i64 {
        i64::try_from(self.0.len()).unwrap() - 1
    }

    fn at(&self, revision: i64) -> &BTreeMap<AgentId, i64> {
        &self.0[usize::try_from(revision).unwrap()]
    }

    fn commit(&mut self, changes: &[(u8, bool)]) {
        let mut next = self.0.last().unwrap().clone();
        for (nth, serves) in changes {
            match serves {
                true => next.insert(agent(*nth), self.head() + 1),
                false => next.remove(&agent(*nth)),
            };
        }
        self.0.push(next);
    }
}

/// The registry's side of one subscription.
struct Stream {
    place: i64,
    queue: VecDeque<ConfigEvent>,
    /// A BOOKMARK is due after this many commits. Stands for the registry's ten seconds.
    due: i64,
}

impl Stream {
    fn open(model: &Model, map: &mut Map, due: i64) -> Self {
        match map.resume() {
            Some(cursor) => Self { place: cursor.parse().unwrap(), queue: VecDeque::new(), due },
            None => {
                let place = model.head();
                let served = model.at(place).iter();
                let mut queue: VecDeque<_> =
                    served.map(|(agent, since)| ConfigEvent::Snapshot(config(*agent, *since))).collect();
                queue.push_back(ConfigEvent::Bookmark(place, place.to_string()));
                Self { place, queue, due }
            }
        }
    }

    fn next(&mut self, model: &Model) -> Option<ConfigEvent> {
        while self.queue.is_empty() && self.place < model.head() {
            let (before, after) = (model.at(self.place), model.at(self.place + 1));
            self.place += 1;
            for (agent, since) in after.iter().filter(|(agent, since)| before.get(agent) != Some(since)) {
                self.queue.push_back(ConfigEvent::Upsert(self.place, config(*agent, *since)));
            }
            for agent in before.keys().filter(|agent| !after.contains_key(agent)) {
                self.queue.push_back(ConfigEvent::Remove(self.place, *agent, "SUSPENDED".to_owned()));
            }
            if self.queue.len() > 1 || self.place % self.due == 0 {
                self.queue.push_back(ConfigEvent::Bookmark(self.place, self.place.to_string()));
            }
        }
        self.queue.pop_front()
    }
}

fn since<'a>(configs: impl Iterator<Item = &'a Arc<ActiveConfig>>) -> BTreeMap<AgentId, i64> {
    configs.map(|config| (config.agent_id, config.revision.parse().unwrap())).collect()
}

impl Map {
    fn served(&self) -> BTreeMap<AgentId, i64> {
        since(self.live.values().filter_map(|slot| slot.config.as_ref()))
    }

    fn kept(&self) -> Option<BTreeMap<AgentId, i64>> {
        self.checkpoint.as_ref().map(|checkpoint| since(checkpoint.configs.values()))
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// A commit in the registry: agents that are served from then on, or no longer.
    Commit(Vec<(u8, bool)>),
    /// This many events arrive.
    Hear(u8),
    /// Nothing happens for a while.
    Idle,
    /// The gateway saves `checkpoint`.
    Save,
    /// The connection breaks.
    Cut(i64),
    /// The gateway is killed and restarted from the saved state.
    Kill(i64),
    /// The connection breaks, and the registry rejects the cursor.
    Refuse(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => vec((0..AGENTS, any::<bool>()), 1..4).prop_map(Step::Commit),
        6 => (1..6_u8).prop_map(Step::Hear),
        2 => Just(Step::Idle),
        2 => Just(Step::Save),
        2 => (1..6_i64).prop_map(Step::Cut),
        1 => (1..6_i64).prop_map(Step::Kill),
        1 => (1..6_i64).prop_map(Step::Refuse),
    ]
}

/// A gateway's map, the model, and the revisions that the map must have reached.
struct Run {
    model: Model,
    map: Map,
    stream: Stream,
    saved: Option<Checkpoint>,
    /// The latest revision received per agent, and the revision of the last snapshot.
    told: BTreeMap<AgentId, i64>,
    told_all: i64,
}

impl Run {
    fn hear(&mut self, event: ConfigEvent) {
        let (served, kept, has_unfinished_snapshot) =
            (self.map.served(), self.map.kept(), self.map.has_unfinished_snapshot());
        let is_known = match &event {
            ConfigEvent::Upsert(revision, config) => *revision <= self.told_of(config.agent_id),
            ConfigEvent::Remove(revision, agent, _) => *revision <= self.told_of(*agent),
            ConfigEvent::Snapshot(_) => true,
            ConfigEvent::Bookmark(..) => false,
        };
        let applied = self.map.apply(event.clone()).unwrap();
        assert_eq!(applied == MapChange::Nothing, is_known, "each change is reported once: {event:?}");
        match &event {
            ConfigEvent::Bookmark(revision, _) => {
                if has_unfinished_snapshot {
                    self.told.clear();
                    self.told_all = *revision;
                }
                assert_eq!(
                    self.map.kept().as_ref(),
                    Some(self.model.at(*revision)),
                    "the saved copy at a BOOKMARK"
                );
                assert_eq!(self.map.checkpoint().map(|checkpoint| checkpoint.revision), Some(*revision));
            }
            ConfigEvent::Upsert(revision, config) => self.tell(config.agent_id, *revision),
            ConfigEvent::Remove(revision, agent, _) => self.tell(*agent, *revision),
            ConfigEvent::Snapshot(_) => assert_eq!(self.map.served(), served, "an incomplete copy"),
        }
        if !matches!(event, ConfigEvent::Bookmark(..)) {
            assert_eq!(self.map.kept(), kept, "an incomplete copy");
        }
        if applied == MapChange::Nothing {
            assert_eq!(self.map.served(), served, "a change that wasn't reported");
        }
        self.check();
    }

    fn tell(&mut self, agent: AgentId, revision: i64) {
        let told = self.told.entry(agent).or_default();
        *told = revision.max(*told);
    }

    fn told_of(&self, agent: AgentId) -> i64 {
        self.told.get(&agent).copied().unwrap_or_default().max(self.told_all)
    }

    /// Each agent's configuration is the one at the latest revision received for it.
    fn check(&self) {
        for nth in 0..AGENTS {
            let at = self.told_of(agent(nth));
            let expected = self.model.at(at).get(&agent(nth));
            assert_eq!(self.map.served().get(&agent(nth)), expected, "agent {nth} at {at}");
        }
    }

    fn idle(&mut self) {
        if self.stream.queue.is_empty() && self.stream.place == self.model.head() {
            let place = self.stream.place;
            self.hear(ConfigEvent::Bookmark(place, place.to_string()));
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Commit(changes) => self.model.commit(&changes),
            Step::Hear(events) => {
                for _ in 0..events {
                    if let Some(event) = self.stream.next(&self.model) {
                        self.hear(event);
                    }
                }
            }
            Step::Idle => self.idle(),
            Step::Save => self.saved = self.map.checkpoint().cloned(),
            Step::Cut(due) => self.stream = Stream::open(&self.model, &mut self.map, due),
            Step::Kill(due) => {
                self.map = self.saved.clone().map(Map::of).unwrap_or_default();
                self.told.clear();
                self.told_all = self.saved.as_ref().map_or(0, |saved| saved.revision);
                self.stream = Stream::open(&self.model, &mut self.map, due);
            }
            Step::Refuse(due) => {
                self.map.forget_cursor(false);
                self.stream = Stream::open(&self.model, &mut self.map, due);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_breaks_it_holds_what_the_registry_serves(steps in vec(step(), 1..80)) {
        let (model, mut map) = (Model(vec![BTreeMap::new()]), Map::default());
        let stream = Stream::open(&model, &mut map, 5);
        let mut run = Run { model, map, stream, saved: None, told: BTreeMap::new(), told_all: 0 };
        for step in steps {
            run.take(step);
            run.check();
        }
        while let Some(event) = run.stream.next(&run.model) {
            run.hear(event);
        }
        run.idle();
        let head = run.model.at(run.model.head());
        prop_assert_eq!(&run.map.served(), head);
        prop_assert_eq!(run.map.kept(), Some(head.clone()));
        prop_assert_eq!(run.map.len(), head.len());
    }
}

#[test]
fn a_snapshot_takes_away_who_is_not_in_it_and_says_so() {
    let checkpoint = |revision: i64, agents: &[u8]| {
        let configs = agents.iter().map(|nth| (agent(*nth), config(agent(*nth), 1))).collect();
        Checkpoint { revision, cursor: revision.to_string(), configs }
    };
    let mut map = Map::of(checkpoint(5, &[1, 2]));
    map.forget_cursor(false);
    assert_eq!(map.resume(), None);
    assert_eq!(map.apply(ConfigEvent::Snapshot(config(agent(2), 1))).unwrap(), MapChange::Nothing);
    assert_eq!(map.len(), 2);
    // A registry that was restored from a backup may send a snapshot of an older revision.
    let applied = map.apply(ConfigEvent::Bookmark(3, "3".to_owned())).unwrap();
    assert_eq!(applied, MapChange::Snapshot(3, vec![agent(1)]));
    assert_eq!((map.len(), map.resume()), (1, Some("3".to_owned())));
    // The resumed stream must not contain a SNAPSHOT.
    assert!(map.apply(ConfigEvent::Snapshot(config(agent(1), 1))).is_err());
}

#[test]
fn an_empty_snapshot_of_another_log_replaces_nothing() {
    let configs = BTreeMap::from([(agent(1), config(agent(1), 1))]);
    let checkpoint = Checkpoint { revision: 5, cursor: "5".to_owned(), configs };
    let mut map = Map::of(checkpoint.clone());
    map.forget_cursor(true);
    assert_eq!(map.resume(), None);
    assert_eq!(map.apply(ConfigEvent::Bookmark(0, "0".to_owned())).unwrap(), MapChange::Withheld);
    assert_eq!((map.len(), map.checkpoint()), (1, Some(&checkpoint)));
    // The next stream tries the cursor again. A snapshot with agents is taken.
    assert_eq!(map.resume(), Some("5".to_owned()));
    map.forget_cursor(true);
    assert_eq!(map.resume(), None);
    map.apply(ConfigEvent::Snapshot(config(agent(2), 1))).unwrap();
    let applied = map.apply(ConfigEvent::Bookmark(1, "1".to_owned())).unwrap();
    assert_eq!(applied, MapChange::Snapshot(1, vec![agent(1)]));
    // Then the log is the gateway's own, and may become empty.
    map.forget_cursor(false);
    assert_eq!(map.resume(), None);
    let applied = map.apply(ConfigEvent::Bookmark(2, "2".to_owned())).unwrap();
    assert_eq!((applied, map.len()), (MapChange::Snapshot(2, vec![agent(2)]), 0));
}
