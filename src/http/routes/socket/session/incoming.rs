//! What a session does with each message of the client: signs in, starts and ends operations, answers pings.

use std::sync::{Arc, Mutex};

use futures_util::{
    FutureExt,
    future::{AbortHandle, Abortable},
};
use json_reader::{Json, Object};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use super::{Completed, Phase, Session};
use crate::{
    domain::{ClientConnection, change::Channel},
    graphql::Operation,
    http::{
        caller,
        routes::socket::{
            message::{Close, Incoming, pong},
            operation::Run,
            transport::Outbox,
        },
        server::body::LARGE_BYTES,
    },
    id::ConnectionId,
    share::Reservation,
};

/// The longest name and version of a client, in characters. Longer ones are cut.
const CLIENT_CHARS_MAX: usize = 100;

impl Session {
    /// Parses a message, a large one on the threads for computations.
    pub(super) fn message(
        &mut self,
        text: Utf8Bytes,
        memory: Option<Reservation>,
        outbox: &Outbox,
    ) -> Result<(), Close> {
        let Phase::SignedIn { rights, .. } = &self.phase else {
            return self.handle(Incoming::parse(&text)?, memory, outbox);
        };
        if text.len() <= LARGE_BYTES {
            return self.handle(Incoming::parse(&text)?, memory, outbox);
        }
        let (registry, (caller, _)) = (self.state.registry.clone(), rights.get());
        self.inbox.set_parsing(true);
        let parsed = async move {
            let parsed = registry.compute(&caller, "request", move || Incoming::parse(&text)).await;
            let parsed = parsed.unwrap_or_else(|_| Err(Close::try_later("Too much work is waiting")));
            Completed::Parsed(parsed.map(Box::new), memory)
        };
        self.work.push(parsed.boxed());
        Ok(())
    }

    /// Handles a message.
    pub(super) fn handle(
        &mut self,
        message: Incoming,
        memory: Option<Reservation>,
        outbox: &Outbox,
    ) -> Result<(), Close> {
        match message {
            Incoming::ConnectionInit(payload) => match self.phase {
                Phase::Fresh => self.sign_in(&payload),
                Phase::SigningIn | Phase::SignedIn { .. } => Err(Close::init_twice()),
            },
            Incoming::Subscribe(id, operation) => self.subscribe(id, operation, memory, outbox),
            Incoming::Complete(id) => {
                // Unknown ids are ignored: the operation may have just completed.
                if let Some(operation) = self.live.remove(&id) {
                    operation.abort();
                }
                Ok(())
            }
            Incoming::Ping(payload) => {
                self.pong(pong(payload.as_ref()), memory, outbox);
                Ok(())
            }
            Incoming::Pong => Ok(()),
        }
    }

    /// Starts the check of the credential in the payload's `authorization`, or else in the upgrade's header.
    fn sign_in(&mut self, payload: &Object) -> Result<(), Close> {
        let given = payload
            .iter()
            .find(|(name, value)| name.eq_ignore_ascii_case("authorization") && !value.is_null());
        let bearer = match (given, &self.header) {
            (Some((_, given)), _) => {
                given.as_str().and_then(|given| caller::token(given).ok()).map(Arc::from)
            }
            (None, Ok(Some(bearer))) => Some(Arc::clone(bearer)),
            (None, Ok(None)) => return Err(Close::unauthorized()),
            (None, Err(_)) => None,
        };
        let bearer: Arc<str> = bearer.ok_or_else(|| Close::forbidden("Forbidden"))?;
        let (state, client) = (self.state.clone(), self.client);
        self.connection = Some(Arc::new(connection(payload, state.registry.clock().id())));
        let request_id = state.registry.clock().id::<Uuid>().to_string();
        self.phase = Phase::SigningIn;
        let since = state.hub.revocation_log().count();
        self.work.push(
            async move {
                let caller = caller::sign_in(&state, &bearer, client, Channel::Socket, &request_id).await;
                Completed::SignedIn(bearer, since, caller)
            }
            .boxed(),
        );
        Ok(())
    }

    fn subscribe(
        &mut self,
        id: String,
        operation: Box<Operation>,
        memory: Option<Reservation>,
        outbox: &Outbox,
    ) -> Result<(), Close> {
        let Phase::SignedIn { bearer, rights } = &self.phase else {
            return Err(Close::unauthorized());
        };
        if self.live.contains_key(&id) {
            return Err(Close::duplicate(&id));
        }
        let (of, ending) = AbortHandle::new_pair();
        let run = Box::new(Run {
            api: self.state.api.clone(),
            registry: self.state.registry.clone(),
            limiter: self.state.limiter.clone(),
            hub: self.state.hub.clone(),
            bearer: Arc::clone(bearer),
            client: self.client,
            connection: self.connection.clone(),
            rights: rights.clone(),
            id: id.clone(),
            outbox: outbox.clone(),
            of: of.clone(),
            memory: Mutex::new(memory),
        });
        let most = self.limits.operations;
        if self.live.len() >= most {
            let message = format!("a socket runs at most {most} operations at a time");
            let refusal = run.refuse(message, "LIMIT_REACHED");
            self.work.push(refusal.map(|()| Completed::Unobserved).boxed());
            return Ok(());
        }
        self.live.insert(id.clone(), of);
        let run = Abortable::new(run.run(operation), ending);
        self.work.push(
            run.map(|ended| match ended {
                Ok(ended) => Completed::Operation(id, ended),
                // The client has completed it, and may have reused its id since.
                Err(_) => Completed::Unobserved,
            })
            .boxed(),
        );
        Ok(())
    }
}

/// What `clientInfo` of the payload says about the client: its `name` and its `version`. Other values are ignored, since the
/// member is for people, and clients may send any.
fn connection(payload: &Object, id: ConnectionId) -> ClientConnection {
    let info = payload.get("clientInfo").and_then(Json::as_object);
    let text = |name: &str| {
        let text = info.and_then(|info| info.get(name)).and_then(Json::as_str)?;
        let text: String = text.chars().filter(|char| !char.is_control()).take(CLIENT_CHARS_MAX).collect();
        Some(text).filter(|text| !text.is_empty())
    };
    ClientConnection { id, client_name: text("name"), client_version: text("version") }
}
