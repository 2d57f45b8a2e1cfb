//! Runs subscriptions. Each subscriber has its own position in the log, but an event is rendered once for all
//! subscribers with the same question and the same visibility.
//!
//! The library runs a subscription's resolver in two phases ([`SubscriptionPhase`]): once to read the arguments and
//! open the watch, and then once for each event, to render it.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_graphql::{Pos, Response};
use futures_util::{Stream, StreamExt, future::poll_immediate, stream};

use super::{context::Request, memory::AnswerMemory, operation::library_request, question::Question};
use crate::{
    cache::{Weighed, WeighedCache, weighed_cache},
    domain::{
        Caller, Error, Result,
        activation::Activation,
        change::Change,
        gateway::{Convergence, Gateway},
    },
    feed::{ConfigEvent, ConfigWatch, ConvergenceWatch, EventKey, GatewayWatch, Watch},
    graphql::{Api, CheckedOperation, GraphQlResponse, schema::error::to_graphql_error},
    id::Revision,
    share::{BudgetFull, MemoryShare, Reservation},
    task::lock,
};

/// The most rendered events that are cached. Subscribers get an event within moments of each other, so older ones
/// aren't needed.
const EVENTS_MAX: usize = 4096;
/// The most bytes that rendered events take, roughly.
const BYTES_MAX: u64 = 32 * 1024 * 1024;
/// The least bytes of a shard. An event heavier than that is rendered for each subscriber.
const SHARD_BYTES: u64 = 4 * 1024 * 1024;
/// What an event takes in addition to its text, in bytes.
const OVERHEAD: usize = 1024;
/// The memory that an event asks for, in bytes, once it didn't fit into that of a small one.
const LARGE_EVENT_BYTES: usize = 4 * 1024 * 1024;
/// How long the failed rendering of an event is shared: a thousand subscribers must not each query an unavailable
/// database.
const FAILED_FOR: Duration = Duration::from_millis(250);

/// The watch that a subscription reads events from.
pub(in crate::graphql) enum EventSource {
    Activations(Box<Watch>),
    Changes(Box<Watch>),
    Configs(Box<ConfigWatch>),
    Gateways(Box<GatewayWatch>),
    Convergence(Box<ConvergenceWatch>),
}

/// The event that one response of a subscription renders.
#[derive(Clone, Debug)]
pub(in crate::graphql) enum Event {
    Change(Arc<Change>),
    Config(ConfigEvent),
    /// A gateway has changed.
    Gateway(Arc<Gateway>),
    /// An agent's convergence has changed.
    Convergence(Arc<Convergence>),
    /// The watch has ended with this error.
    Ended(Arc<Error>),
}

/// The phase that a subscription's resolver runs in.
#[derive(Clone)]
pub(in crate::graphql) enum SubscriptionPhase {
    /// Read the arguments, open the watch, and store it here.
    Open(Arc<Mutex<Option<EventSource>>>),
    /// Render this event, and ignore the arguments.
    Render(Event),
}

/// One message of a subscription.
#[derive(Debug)]
pub enum SubscriptionMessage {
    /// The subscription was rejected; no other message follows.
    Rejected(GraphQlResponse),
    /// A rendered event, as JSON, with the memory of a copy of it. Keep the memory until the copy is written.
    Event(Arc<str>, Option<Reservation>),
}

/// An event, rendered for all subscribers of a group.
struct RenderedEvent {
    answer: GraphQlResponse,
    text: Arc<str>,
    /// The revision that it's as new as: the newest one that any read or write had seen, or the tail had applied,
    /// when the rendering began.
    seen: Revision,
    /// When the rendering failed, if a part could not be read because the database was unavailable.
    failed: Option<Instant>,
}

/// The key of a rendered event: the subscribers' group, and the event.
type Key = ([u8; 32], EventKey);

/// The cache of rendered events. Clones share one cache.
#[derive(Clone)]
pub(in crate::graphql) struct RenderCache(Arc<WeighedCache<Key, Arc<RenderedEvent>>>);

impl Default for RenderCache {
    fn default() -> Self {
        Self(Arc::new(weighed_cache(EVENTS_MAX, BYTES_MAX, SHARD_BYTES)))
    }
}

impl RenderCache {
    /// Evicts all events.
    pub(in crate::graphql) fn clear(&self) {
        self.0.clear();
    }
}

/// The rendering needs more memory than was reserved for it.
#[derive(Debug)]
struct Shortage;

/// One running subscription.
struct Subscriber {
    api: Api,
    caller: Arc<Caller>,
    share: MemoryShare,
    question: Question,
    /// The group of all subscribers with the same question and the same visibility.
    group: [u8; 32],
}

impl EventSource {
    async fn next(&mut self) -> Result<Event> {
        match self {
            Self::Activations(watch) => loop {
                let change = watch.next().await?;
                if Activation::recorded_by(&change).is_some() {
                    return Ok(Event::Change(change));
                }
            },
            Self::Changes(watch) => watch.next().await.map(Event::Change),
            // Boxed, because this future is by far the largest of the three.
            Self::Configs(watch) => Box::pin(watch.next()).await.map(Event::Config),
            Self::Gateways(watch) => Box::pin(watch.next()).await.map(Event::Gateway),
            Self::Convergence(watch) => Box::pin(watch.next()).await.map(Event::Convergence),
        }
    }
}

impl Event {
    /// The event's key in the cache; `None` for the end of a watch, and for what isn't in the log, which is rendered for its own
    /// subscriber only.
    fn event_key(&self) -> Option<EventKey> {
        match self {
            Self::Change(change) => Some(EventKey::of(change)),
            Self::Config(event) => Some(event.event_key()),
            Self::Gateway(_) | Self::Convergence(_) | Self::Ended(_) => None,
        }
    }

    /// Returns whether the event shows only the state as of its commit, so that later commits don't change it.
    fn is_timeless(&self) -> bool {
        matches!(self, Self::Config(_))
    }
}

impl Api {
    /// Runs a subscription: returns a stream with one message for each event, or with the rejection alone.
    pub fn subscribe(
        &self,
        caller: Arc<Caller>,
        accepted: CheckedOperation,
    ) -> impl Stream<Item = SubscriptionMessage> + Send + use<> {
        enum State {
            Opening(Box<Subscriber>),
            Running(Box<Subscriber>, EventSource),
            Ended,
        }
        let question = Question::new(accepted);
        let group = question.group_key(&caller);
        let share = self.budget.share(caller.share_holder());
        let begun = Box::new(Subscriber { api: self.clone(), caller, share, question, group });
        stream::unfold(State::Opening(begun), |mut state| async move {
            loop {
                state = match state {
                    State::Opening(subscriber) => match Box::pin(subscriber.open()).await {
                        Ok(Some(source)) => State::Running(subscriber, source),
                        Ok(None) => return None,
                        Err(refusal) => return Some((SubscriptionMessage::Rejected(*refusal), State::Ended)),
                    },
                    State::Running(subscriber, mut source) => {
                        let event = subscriber.wait_for_event(&mut source).await;
                        let is_over = event.is_err();
                        let event = event.unwrap_or_else(|err| Event::Ended(Arc::new(err)));
                        match Box::pin(subscriber.render_for_subscriber(event)).await {
                            Some((text, is_failure, memory)) => {
                                let is_last = is_over || is_failure;
                                let next =
                                    if is_last { State::Ended } else { State::Running(subscriber, source) };
                                return Some((SubscriptionMessage::Event(text, memory), next));
                            }
                            None if is_over => return None,
                            None => State::Running(subscriber, source),
                        }
                    }
                    State::Ended => return None,
                };
            }
        })
    }
}

impl Subscriber {
    /// Runs the open phase, and returns the watch; `None` if the selection is empty after `@skip` and `@include`.
    ///
    /// A stream that can't be opened is a request error (GraphQL, section 6.2.3.1), but the library returns it as
    /// an event.
    async fn open(&self) -> std::result::Result<Option<EventSource>, Box<GraphQlResponse>> {
        let slot = Arc::default();
        let memory = AnswerMemory::for_event(&self.share, 0).await;
        let memory = memory.map_err(|full| Box::new(self.no_memory(full)))?;
        match self.run(SubscriptionPhase::Open(Arc::clone(&slot)), memory).await {
            Some(response) => {
                let errors_max = self.api.front.limits().errors;
                let answer = GraphQlResponse::of(response, self.caller.request_id(), errors_max);
                Err(Box::new(GraphQlResponse { data: None, ..answer }))
            }
            None => Ok(lock(&slot).take()),
        }
    }

    /// Waits for the next event. Meanwhile, the question takes no more memory than it must.
    async fn wait_for_event(&self, source: &mut EventSource) -> Result<Event> {
        let mut next = pin!(source.next());
        if let Some(event) = poll_immediate(next.as_mut()).await {
            return event;
        }
        self.question.shrink();
        next.await
    }

    /// Renders an event for this subscriber. Returns its text, whether it ends the stream, and the memory of a copy
    /// of the text; `None` if the selection is empty after `@skip` and `@include`.
    ///
    /// Nothing of the event is kept while the subscriber waits for memory, so that many that wait take none.
    async fn render_for_subscriber(&self, event: Event) -> Option<(Arc<str>, bool, Option<Reservation>)> {
        let (mut held, mut bytes) = (None, 0);
        loop {
            let shown = match event.event_key() {
                Some(mark) => self.render_shared(mark, &event, &mut held, bytes).await,
                None => self.render_within(&event, &mut held, bytes).await,
            };
            let shown = match shown {
                Ok(shown) => shown?,
                // What the caller's open subscriptions keep may leave no room for the largest event.
                Err(Shortage) if bytes < self.share.largest() => {
                    (held, bytes) = (None, (2 * bytes).clamp(LARGE_EVENT_BYTES, self.share.largest()));
                    continue;
                }
                // Waiting longer doesn't help.
                Err(Shortage) => {
                    let text = AnswerMemory::never_fits(self.caller.request_id()).to_json();
                    return Some((text, false, None));
                }
            };
            // The event may show a commit that this instance hasn't applied yet. Wait, so that later reads from memory
            // are at least as new.
            self.api.hub.wait_until_caught_up().await;
            let is_failure = shown.answer.is_root_failure();
            let text = match shown.answer.errors.is_empty() {
                true => Arc::clone(&shown.text),
                // Each error carries the id of the request that it answers.
                false => {
                    let errors_max = self.api.front.limits().errors;
                    shown.answer.clone().with_request_id(self.caller.request_id(), errors_max).to_json()
                }
            };
            bytes = text.len();
            let memory = match held.take() {
                Some(mut memory) => memory.resize(bytes).map(|()| memory),
                None => self.share.try_reserve(bytes),
            };
            if let Ok(memory) = memory {
                return Some((text, is_failure, Some(memory)));
            }
            drop((shown, text));
            held = match AnswerMemory::for_event(&self.share, bytes).await {
                Ok(memory) => memory.into_reservation(),
                Err(full) => return Some((self.no_memory(full).to_json(), true, None)),
            };
        }
    }

    /// The rejection, or the last event, of a subscription that found no memory. The client resumes after its last
    /// cursor.
    fn no_memory(&self, full: BudgetFull) -> GraphQlResponse {
        GraphQlResponse::of_error(&Error::NoMemory(full), self.caller.request_id())
    }

    /// Returns the cached rendering, if it's at least as new as everything seen so far. Otherwise renders the
    /// event, once for all subscribers of the group that wait for it.
    async fn render_shared(
        &self,
        mark: EventKey,
        event: &Event,
        held: &mut Option<Reservation>,
        bytes: usize,
    ) -> std::result::Result<Option<Arc<RenderedEvent>>, Shortage> {
        let (key, cache) = ((self.group, mark), &self.api.render_cache.0);
        let (asked, seen) = (Instant::now(), self.api.registry.observed_revision());
        let is_good = |shown: &Arc<RenderedEvent>| match shown.failed {
            Some(failed) => asked.saturating_duration_since(failed) < FAILED_FOR,
            None => event.is_timeless() || shown.seen >= seen,
        };
        loop {
            cache.remove_if(&key, |shown| !is_good(&shown.value));
            if held.is_none() && cache.peek(&key).is_none() {
                // Outside of the cache: others of the group must not wait for this caller's memory.
                let memory = AnswerMemory::for_event(&self.share, bytes).await.map_err(|_| Shortage)?;
                *held = memory.into_reservation();
            }
            let show = async {
                let shown = self.render_within(event, held, bytes).await;
                let shown = shown.map_err(Some)?.ok_or(None)?;
                // The text, and the same data as values.
                let bytes = OVERHEAD + 3 * shown.text.len();
                // `None`: there is nothing to render.
                Ok::<_, Option<Shortage>>(Weighed::new(shown, bytes))
            };
            let shown = match cache.get_or_insert_async(&key, show).await {
                Ok(shown) => shown.value,
                Err(Some(shortage)) => return Err(shortage),
                Err(None) => return Ok(None),
            };
            if is_good(&shown) {
                return Ok(Some(shown));
            }
        }
    }

    /// Renders an event, within the memory that is held, or else within `bytes`. Then holds what was reserved.
    async fn render_within(
        &self,
        event: &Event,
        held: &mut Option<Reservation>,
        bytes: usize,
    ) -> std::result::Result<Option<Arc<RenderedEvent>>, Shortage> {
        metrics::counter!("registry_events_shown_total").increment(1);
        let memory = match held.take() {
            Some(held) => AnswerMemory::of(held),
            None => AnswerMemory::for_event(&self.share, bytes).await.map_err(|_| Shortage)?,
        };
        // Read before rendering: a read that begins now sees at least all commits that the tail has applied.
        let seen = self.api.registry.observed_revision().max(self.api.hub.applied());
        let response = self.run(SubscriptionPhase::Render(event.clone()), memory.clone()).await;
        let is_short = memory.shortage().is_some();
        *held = memory.into_reservation();
        let Some(response) = response else { return Ok(None) };
        if is_short {
            return Err(Shortage);
        }
        let answer = GraphQlResponse::raw(response);
        let failed = answer.is_unavailable().then(Instant::now);
        let text = answer.to_json();
        Ok(Some(Arc::new(RenderedEvent { answer, text, seen, failed })))
    }

    async fn run(&self, phase: SubscriptionPhase, memory: AnswerMemory) -> Option<Response> {
        let (registry, hub) = (&self.api.registry, &self.api.hub);
        let data = Request::new(registry, hub, Arc::clone(&self.caller), Some(phase), memory);
        let executable = match self.question.executable(&self.api.front) {
            Ok(executable) => executable,
            Err(err) => {
                let error = to_graphql_error(&err).into_server_error(Pos::default());
                return Some(Response::from_errors(vec![error]));
            }
        };
        // The stream, which the library boxes, yields at most one response: the one for this event.
        self.api.schema.execute_stream(library_request(executable).data(data)).next().await
    }
}
