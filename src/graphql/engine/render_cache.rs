//! Subscriptions. Each subscriber goes its own way through the log; what an event shows is resolved and written once, for
//! all who have asked the same and may see the same.
//!
//! The library runs a subscription twice: to read its arguments and open what it watches, and for each event, to show it.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_graphql::Response;
use futures_util::{Stream, StreamExt, stream};
use quick_cache::{Weighter, sync::Cache};
use sha2::{Digest, Sha256};

use super::context::Request;
use crate::{
    domain::{Caller, Error, Result, activation::Activation, change::Change},
    feed::{ConfigEvent, ConfigWatch, Mark, Watch},
    graphql::{Accepted, Answer, Api},
    task::lock,
};

/// The most events that are kept written, and about the most bytes that they take: what many are sent is sent within
/// moments.
const EVENTS_MAX: usize = 4096;
/// The same.
const BYTES_MAX: u64 = 32 * 1024 * 1024;
/// What an event takes beside its text.
const OVERHEAD: usize = 1024;
/// How long an event that could not be shown is shown so to whoever else wants it: nobody asks a database that is gone a
/// thousand times.
const FAILED_FOR: Duration = Duration::from_millis(250);

/// What a subscription watches.
pub(in crate::graphql) enum Source {
    Activations(Box<Watch>),
    Changes(Box<Watch>),
    Configs(Box<ConfigWatch>),
}

/// What an answer of a subscription is about.
#[derive(Clone, Debug)]
pub(in crate::graphql) enum Event {
    Change(Arc<Change>),
    Config(ConfigEvent),
    /// The watch has ended.
    Over(Arc<Error>),
}

/// What a subscription's resolver is to do.
#[derive(Clone)]
pub(in crate::graphql) enum Part {
    /// Read its arguments, and put here what it watches.
    Open(Arc<Mutex<Option<Source>>>),
    /// Show this event, whatever its arguments are.
    Show(Event),
}

/// What goes over the wire.
#[derive(Clone, Debug)]
pub enum Told {
    /// It is refused: this is the only answer.
    Refused(Answer),
    /// An event, written as JSON.
    Event(Arc<str>),
}

/// An event as it was shown to somebody.
struct Shown {
    answer: Answer,
    text: Arc<str>,
    /// It is as new as what had been seen of the log by then.
    seen: i64,
    /// When, if it could not be shown whole for want of a database.
    failed: Option<Instant>,
}

/// What they are kept by: who has asked for what, and of which event.
type Key = ([u8; 32], Mark);

#[derive(Clone)]
struct Size;

impl Weighter<Key, Arc<Shown>> for Size {
    fn weight(&self, _: &Key, shown: &Arc<Shown>) -> u64 {
        // Its text, and the same as values.
        u64::try_from(OVERHEAD + 3 * shown.text.len()).unwrap_or(u64::MAX)
    }
}

/// The events that have been shown of late. Clones are the same.
#[derive(Clone)]
pub(in crate::graphql) struct Share(Arc<Cache<Key, Arc<Shown>, Size>>);

impl Default for Share {
    fn default() -> Self {
        Self(Arc::new(Cache::with_weighter(EVENTS_MAX, BYTES_MAX, Size)))
    }
}

impl Share {
    /// Drops all of them.
    pub(in crate::graphql) fn clear(&self) {
        self.0.clear();
    }
}

/// One subscriber.
struct Subscriber {
    api: Api,
    caller: Arc<Caller>,
    accepted: Accepted,
    /// Of all who have asked the same and may see the same.
    group: [u8; 32],
}

impl Source {
    async fn next(&mut self) -> Result<Event> {
        match self {
            Self::Activations(watch) => loop {
                let change = watch.next().await?;
                if Activation::recorded_by(&change).is_some() {
                    return Ok(Event::Change(change));
                }
            },
            Self::Changes(watch) => watch.next().await.map(Event::Change),
            // Boxed, since it is by far the largest of these.
            Self::Configs(watch) => Box::pin(watch.next()).await.map(Event::Config),
        }
    }
}

impl Event {
    /// Which one it is; none when it is its subscriber's own.
    fn mark(&self) -> Option<Mark> {
        match self {
            Self::Change(change) => Some(Mark::of(change)),
            Self::Config(event) => Some(event.mark()),
            Self::Over(_) => None,
        }
    }

    /// Whether it shows what was so by its commit, and nothing of what is so now.
    fn is_timeless(&self) -> bool {
        matches!(self, Self::Config(_))
    }
}

impl Api {
    /// Runs a subscription: an answer an event. A refusal is the only answer then.
    pub fn subscribe(
        &self,
        caller: Arc<Caller>,
        accepted: Accepted,
    ) -> impl Stream<Item = Told> + Send + use<> {
        enum State {
            Begun(Box<Subscriber>),
            Goes(Box<Subscriber>, Source),
            Ended,
        }
        let group = group(&caller, &accepted);
        let begun = Box::new(Subscriber { api: self.clone(), caller, accepted, group });
        stream::unfold(State::Begun(begun), |mut state| async move {
            loop {
                state = match state {
                    State::Begun(subscriber) => match Box::pin(subscriber.open()).await {
                        Ok(Some(source)) => State::Goes(subscriber, source),
                        Ok(None) => return None,
                        Err(refusal) => return Some((Told::Refused(*refusal), State::Ended)),
                    },
                    State::Goes(subscriber, mut source) => {
                        let event = source.next().await;
                        let is_over = event.is_err();
                        let event = event.unwrap_or_else(|err| Event::Over(Arc::new(err)));
                        match Box::pin(subscriber.tell(event)).await {
                            Some((text, is_failure)) => {
                                let is_last = is_over || is_failure;
                                let next =
                                    if is_last { State::Ended } else { State::Goes(subscriber, source) };
                                return Some((Told::Event(text), next));
                            }
                            None if is_over => return None,
                            None => State::Goes(subscriber, source),
                        }
                    }
                    State::Ended => return None,
                };
            }
        })
    }
}

impl Subscriber {
    /// What it watches, as its arguments say. None when it selects nothing.
    ///
    /// A stream that can't be opened is a request error (GraphQL, section 6.2.3.1). The library tells it as an event.
    async fn open(&self) -> std::result::Result<Option<Source>, Box<Answer>> {
        let slot = Arc::default();
        match self.run(Part::Open(Arc::clone(&slot))).await {
            Some(response) => {
                let errors_max = self.api.front.limits().errors;
                let answer = Answer::of(response, self.caller.request_id(), errors_max);
                Err(Box::new(Answer { data: None, ..answer }))
            }
            None => Ok(lock(&slot).take()),
        }
    }

    /// The event as this subscriber is sent it, and whether it is one that ends the stream. None when nothing of it was
    /// asked for.
    async fn tell(&self, event: Event) -> Option<(Arc<str>, bool)> {
        let shown = match event.mark() {
            Some(mark) => self.shared(mark, event).await,
            None => self.show(event).await,
        }?;
        // Who has this knows what it shows.
        self.api.hub.settle().await;
        let is_failure = shown.answer.is_root_failure();
        if shown.answer.errors.is_empty() {
            return Some((Arc::clone(&shown.text), is_failure));
        }
        // Errors name the request that they are an answer to.
        let own = shown.answer.clone().stamped(self.caller.request_id(), self.api.front.limits().errors);
        Some((own.written(), is_failure))
    }

    /// The event as it was shown to another of the group, if nobody has seen more of the log since; else it is shown, for
    /// this one and all who want it meanwhile.
    async fn shared(&self, mark: Mark, event: Event) -> Option<Arc<Shown>> {
        let (key, cache) = ((self.group, mark), &self.api.share.0);
        let (asked, seen) = (Instant::now(), self.api.registry.seen());
        let is_good = |shown: &Arc<Shown>| match shown.failed {
            Some(failed) => asked.saturating_duration_since(failed) < FAILED_FOR,
            None => event.is_timeless() || shown.seen >= seen,
        };
        loop {
            cache.remove_if(&key, |shown| !is_good(shown));
            let show = async { self.show(event.clone()).await.ok_or(()) };
            let shown = cache.get_or_insert_async(&key, show).await.ok()?;
            if is_good(&shown) {
                return Some(shown);
            }
        }
    }

    async fn show(&self, event: Event) -> Option<Arc<Shown>> {
        metrics::counter!("registry_events_shown_total").increment(1);
        // What the tail has handed on is there for whoever reads from now on.
        let seen = self.api.registry.seen().max(self.api.hub.applied());
        let response = self.run(Part::Show(event)).await?;
        let answer = Answer::raw(response);
        let failed = answer.is_for_want_of_database().then(Instant::now);
        let text = answer.written();
        Some(Arc::new(Shown { answer, text, seen, failed }))
    }

    async fn run(&self, part: Part) -> Option<Response> {
        let (registry, hub) = (&self.api.registry, &self.api.hub);
        let data = Request::new(registry, hub, Arc::clone(&self.caller), Some(part));
        // Boxed by the library. It has at most one answer, since it is told of one event.
        self.api.schema.execute_stream(self.accepted.request().data(data)).next().await
    }
}

/// Names all who have asked the same and may see the same.
fn group(caller: &Caller, accepted: &Accepted) -> [u8; 32] {
    let Accepted { document, operation_name, variables, prepared: _, carries_text: _, asked: _ } = accepted;
    let mut digest = Sha256::new();
    let visibility = caller.visibility().bytes();
    let name = operation_name.as_deref().unwrap_or_default();
    for part in [document.text().as_bytes(), name.as_bytes(), variables.as_bytes(), &visibility] {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}
