//! Subscribers of the soak: each records what it receives, leaves or is cut off, and resumes on any instance.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use super::{
    random::SeededRandom,
    record::{After, End, Event, EventContent, Field, LogPosition, Recording, Served, Session, Subscriber},
    truth::Truth,
    world::World,
};

/// Timeout of connecting and of authenticating.
const PATIENCE: Duration = Duration::from_secs(10);
/// The duration of long stays, in milliseconds.
const PATIENT: (u64, u64) = (25_000, 45_000);

/// The behaviour of subscribers.
#[derive(Clone, Copy, Debug)]
pub(super) struct SubscriberBehaviour {
    /// The duration of a stay, in milliseconds.
    pub(super) stay: (u64, u64),
    /// The probability of a bad cursor on reconnect, in percent.
    pub(super) nonsense: usize,
    /// The revision to start after; the newest one if there is none.
    pub(super) from: Option<i64>,
    /// How long to wait for the remaining due events, after the writes have ended.
    pub(super) deadline: Duration,
}

impl Default for SubscriberBehaviour {
    fn default() -> Self {
        Self { stay: (300, 4000), nonsense: 6, from: None, deadline: Duration::from_secs(180) }
    }
}

/// The truth, once the writes have ended.
pub(super) type Finish = Option<Arc<Truth>>;

/// Subscribes until all due events were received, or until the deadline.
pub(super) async fn watch(
    who: Subscriber,
    world: Arc<World>,
    mut dice: SeededRandom,
    habits: SubscriberBehaviour,
    mut finish: watch::Receiver<Finish>,
) -> Recording {
    let mut sessions: Vec<Session> = Vec::new();
    let mut seen: Option<(String, LogPosition)> = None;
    let mut begun = false;
    let mut deadline = None;
    loop {
        if finish.borrow().is_some() {
            let over = *deadline.get_or_insert_with(|| Instant::now() + habits.deadline);
            if Instant::now() > over {
                sessions.last_mut().unwrap().end = End::Silent;
                break;
            }
        }
        let after = match &seen {
            Some((cursor, _)) if dice.percent(habits.nonsense) => After::Bad(spoiled(cursor, &mut dice)),
            Some((cursor, place)) if !who.forgets => After::Cursor(cursor.clone(), *place),
            // From a known revision, or without a cursor.
            _ if who.field != Field::Configs && (begun || habits.from.is_some() || dice.percent(70)) => {
                After::Revision(habits.from.unwrap_or_else(|| world.newest()))
            }
            _ => After::Now,
        };
        begun = true;
        let instance = dice.below(world.bases.len());
        let now = SystemTime::now();
        let session = Session {
            instance,
            floor: world.newest(),
            after,
            began: now,
            ended: now,
            asked: None,
            events: Vec::new(),
            end: End::Lost,
        };
        // Some stay long enough to get bookmarks of a quiet stream.
        let (least, most) = if dice.percent(20) { PATIENT } else { habits.stay };
        let stay = dice.millis(least, most);
        let mut sitting = LiveSession { who: &who, session, deadline: habits.deadline, goal: None };
        sitting.end_with(&world.bases[instance], stay, &mut finish).await;
        let session = sitting.session;
        if let Some(last) = session.events.iter().rev().find_map(|event| cursor_after(&event.what)) {
            seen = Some(last);
        }
        let is_over = matches!(session.end, End::Done | End::Silent);
        sessions.push(session);
        if is_over {
            break;
        }
        sleep(dice.millis(10, 200)).await;
    }
    Recording { who, sessions }
}

/// The cursor to resume at after this event, if it has one.
fn cursor_after(what: &EventContent) -> Option<(String, LogPosition)> {
    match what {
        EventContent::Entry { place, hash, .. } => Some((format!("{}.{}.{hash}", place.0, place.1), *place)),
        EventContent::Bookmark { revision, cursor } => Some((cursor.clone(), (*revision, i32::MAX))),
        EventContent::Snapshot { .. } | EventContent::Upsert { .. } | EventContent::Remove { .. } => None,
    }
}

/// An invalid cursor: of the future, or with the hash of another log.
fn spoiled(cursor: &str, dice: &mut SeededRandom) -> String {
    if dice.percent(50) {
        return "999999999".to_owned();
    }
    let mut parts: Vec<String> = cursor.split('.').map(str::to_owned).collect();
    let flipped = if parts[2].starts_with('0') { "1" } else { "0" };
    parts[2].replace_range(..1, flipped);
    parts.join(".")
}

struct LiveSession<'a> {
    who: &'a Subscriber,
    session: Session,
    deadline: Duration,
    goal: Option<Goal>,
}

/// The last due event's position, and the number of events in its commit.
#[derive(Clone, Copy)]
struct Goal(Option<LogPosition>, usize);

impl Goal {
    fn of(who: &Subscriber, truth: &Truth) -> Self {
        if who.field != Field::Configs {
            return Self(truth.visible(who).into_keys().next_back(), 1);
        }
        let story = truth.story(who);
        let last = story.told.last_key_value();
        Self(last.map(|(revision, _)| (*revision, 0)), last.map_or(0, |(_, told)| told.len()))
    }
}

impl LiveSession<'_> {
    async fn end_with(&mut self, base: &str, stay: Duration, finish: &mut watch::Receiver<Finish>) {
        self.session.end = self.sit(base, stay, finish).await.unwrap_or_else(|end| end);
        self.session.ended = SystemTime::now();
    }

    async fn sit(
        &mut self,
        base: &str,
        stay: Duration,
        finish: &mut watch::Receiver<Finish>,
    ) -> Result<End, End> {
        let signed_in = timeout(PATIENCE, self.sign_in(base)).await;
        let mut socket = signed_in.map_err(|_| End::Lost)??;
        let leave = Instant::now() + stay;
        loop {
            if self.goal.is_none() {
                self.goal = finish.borrow_and_update().as_deref().map(|truth| Goal::of(self.who, truth));
            }
            let goal = self.goal.map(|goal| self.has_reached(goal));
            if goal == Some(true) {
                return Ok(End::Done);
            }
            // The connection may have begun after the last event, so that none is due.
            let is_late = self.session.after == After::Now && self.session.events.is_empty();
            if goal.is_some() && is_late && self.who.field != Field::Configs {
                return Ok(End::Left);
            }
            let until = if goal.is_some() { Instant::now() + self.deadline } else { leave };
            tokio::select! {
                frame = socket.next() => self.frame(&mut socket, frame).await?,
                _ = finish.changed() => {}
                () = sleep_until(until) => return Ok(if goal.is_some() { End::Silent } else { End::Left }),
            }
        }
    }

    async fn sign_in(&mut self, base: &str) -> Result<Socket, End> {
        let url = format!("{}/graphql", base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (mut socket, _) = connect_async(request).await.map_err(|_| End::Lost)?;
        let bearer = json!({ "Authorization": format!("Bearer {}", self.who.token) });
        say(&mut socket, &json!({ "type": "connection_init", "payload": bearer })).await?;
        while self.session.asked.is_none() {
            let frame = socket.next().await;
            self.frame(&mut socket, frame).await?;
        }
        Ok(socket)
    }

    async fn frame(
        &mut self,
        socket: &mut Socket,
        frame: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
    ) -> Result<(), End> {
        let text = match frame {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(Some(close)))) => return Err(End::Closed(close.code.into())),
            Some(Ok(Message::Close(None)) | Err(_)) | None => return Err(End::Lost),
            Some(Ok(_)) => return Ok(()),
        };
        let mut message: Value = serde_json::from_str(&text).unwrap();
        match message["type"].as_str() {
            Some("ping") => say(socket, &json!({ "type": "pong" })).await,
            Some("connection_ack") => {
                let after = match &self.session.after {
                    After::Now => Value::Null,
                    After::Revision(revision) => json!(revision.to_string()),
                    After::Cursor(cursor, _) | After::Bad(cursor) => json!(cursor),
                };
                let Subscriber { field, customer, agents, environment, .. } = self.who;
                let mut variables = json!({ "customer": customer, "after": after });
                if !matches!(field, Field::Changes | Field::CustomerEvents) {
                    variables["in"] = json!(environment);
                }
                if let Some(agents) = agents {
                    variables["agents"] = json!(agents);
                }
                let payload = json!({ "query": field.query(), "variables": variables });
                say(socket, &json!({ "id": "1", "type": "subscribe", "payload": payload })).await?;
                self.session.asked = Some(SystemTime::now());
                Ok(())
            }
            Some("next") if message.pointer("/payload/errors").is_none() => {
                let event =
                    message.pointer_mut(&format!("/payload/data/{}", self.who.field.name())).unwrap().take();
                self.session.events.push(Event { at: SystemTime::now(), what: what(self.who.field, &event) });
                Ok(())
            }
            Some("next" | "error") => {
                let code = ["/payload/errors/0/extensions/code", "/payload/0/extensions/code"];
                let code = code.iter().find_map(|pointer| message.pointer(pointer)?.as_str());
                Err(End::Refused(code.map_or_else(|| message.to_string(), str::to_owned)))
            }
            Some("complete") => Err(End::Mute),
            _ => panic!("{message}"),
        }
    }

    /// Whether the last due event was received.
    fn has_reached(&self, Goal(goal, events): Goal) -> bool {
        let last = self.session.events.last().map(|event| &event.what);
        let came = match (last, &self.session.after) {
            (Some(EventContent::Entry { place, .. }), _) | (None, After::Cursor(_, place)) => Some(*place),
            // A commit with several events ends with a bookmark.
            (Some(what), _) if what.is_bookmark() || events == 1 => Some((what.revision(), 0)),
            (None, After::Revision(revision)) => Some((*revision, i32::MAX)),
            _ => None,
        };
        goal <= came
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn say(socket: &mut Socket, message: &Value) -> Result<(), End> {
    socket.send(Message::text(message.to_string())).await.map_err(|_| End::Lost)
}

fn what(field: Field, event: &Value) -> EventContent {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    if field != Field::Configs {
        let cursor = text("/cursor").unwrap();
        let parts: Vec<&str> = cursor.split('.').collect();
        let place = (parts[0].parse().unwrap(), parts[1].parse().unwrap());
        return EventContent::Entry {
            place,
            hash: parts[2].to_owned(),
            agent: text("/agent/id"),
            subject: text("/id"),
        };
    }
    let revision = text("/revision").unwrap().parse().unwrap();
    let agent = || text("/agentId").unwrap();
    let served = || Served {
        customer: text("/config/customerId").unwrap(),
        name: text("/config/name").unwrap(),
        version: text("/config/versionId").unwrap(),
        prompt: text("/config/systemPrompt").unwrap(),
        revision: text("/config/revision").unwrap().parse().unwrap(),
    };
    match text("/kind").unwrap().as_str() {
        "SNAPSHOT" => EventContent::Snapshot { revision, agent: agent(), served: served() },
        "UPSERT" => EventContent::Upsert { revision, agent: agent(), served: served() },
        "REMOVE" => EventContent::Remove { revision, agent: agent(), reason: text("/reason").unwrap() },
        "BOOKMARK" => EventContent::Bookmark { revision, cursor: text("/cursor").unwrap() },
        _ => panic!("{event}"),
    }
}
