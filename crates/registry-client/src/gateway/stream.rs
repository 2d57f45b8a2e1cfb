//! One connection of a gateway, and its streams. When the registry rejects the cursor of the first stream, a second one
//! starts with a snapshot.

use std::io;

use json_reader::Json;
use serde_json::json;
use tokio::{
    select,
    time::{Instant, timeout_at},
};

use super::{
    Gateway, GatewayError, Notice, Tell,
    error::StreamEndAction,
    event::{ConfigEvent, configs},
    map::MapChange,
    saver::Saved,
};
use crate::{ClientError, Session};

/// The maximum number of doublings of the patience: 30 seconds become 16 minutes.
const PATIENCE_DOUBLINGS: u32 = 5;

/// Why a connection ended.
pub(super) enum End {
    /// The first BOOKMARK is saved, and `is_once` is set.
    Done,
    /// The credential couldn't be read, or the registry's snapshot isn't to be trusted.
    Unready(String),
    /// The connection failed, or the registry ended it.
    Broken(ClientError),
    /// The gateway must stop.
    Failed(GatewayError),
}

impl From<GatewayError> for End {
    fn from(err: GatewayError) -> Self {
        Self::Failed(err)
    }
}

impl From<io::Error> for End {
    fn from(err: io::Error) -> Self {
        Self::Failed(err.into())
    }
}

impl From<ClientError> for End {
    fn from(err: ClientError) -> Self {
        Self::Broken(err)
    }
}

impl Gateway {
    /// Connects with the current credential, and follows the stream until it ends.
    pub(super) async fn connection(&mut self, tell: Tell<'_>) -> End {
        let token = match self.settings.credential.read() {
            Ok(token) => token,
            Err(why) => return End::Unready(why),
        };
        let session = match Session::connect(&self.settings.url, &token).await {
            Ok(session) => session,
            Err(err) => return err.into(),
        };
        self.was_signed_in = true;
        loop {
            let cursor = self.map.resume();
            let is_resumed = cursor.is_some();
            self.is_silent = true;
            let Err(end) = self.stream(&session, cursor, tell).await else { return End::Done };
            let End::Broken(end) = end else { return end };
            match StreamEndAction::after(&end) {
                StreamEndAction::StartOver { is_other_log } if is_resumed => {
                    self.map.forget_cursor(is_other_log && !self.settings.accepts_empty);
                    if let Err(err) = tell(Notice::StartingOver { why: end.to_string() }) {
                        return err.into();
                    }
                }
                action => {
                    let is_refused = !matches!(action, StreamEndAction::Reconnect);
                    if self.is_silent && (is_refused || matches!(end, ClientError::Silent)) {
                        self.failed_streams += 1;
                    }
                    return End::Broken(end);
                }
            }
        }
    }

    /// Follows one stream until it fails. Returns `Ok` only with `is_once`, when the first BOOKMARK is saved.
    async fn stream(&mut self, session: &Session, cursor: Option<String>, tell: Tell<'_>) -> Result<(), End> {
        let after = self.map.checkpoint().filter(|_| cursor.is_some()).map(|checkpoint| checkpoint.revision);
        let environment = self.settings.environment.as_deref();
        let mut variables = json!({
            "customer": self.settings.customer,
            "agents": self.settings.agents,
            "after": cursor,
        });
        if let (Some(environment), Some(variables)) = (environment, variables.as_object_mut()) {
            variables.insert("environment".to_owned(), environment.into());
        }
        let mut events = session.subscribe(&configs(environment), variables)?;
        // The protocol doesn't acknowledge the start of a stream. After a failed stream, `Connected` is reported
        // only with the first event.
        let mut is_untold = self.failed_streams > 0;
        if !is_untold {
            self.trouble = None;
            tell(Notice::Connected { after })?;
        }
        // The socket's pings detect a dead connection, so this timeout can grow. It must: a registry that scans a
        // long log before the first event would otherwise be abandoned at every attempt.
        let patience = self.settings.patience * (1 << self.failed_streams.min(PATIENCE_DOUBLINGS));
        let mut heard = Instant::now();
        loop {
            let event = select! {
                biased;
                saved = self.saver.next() => {
                    self.report_save(saved, tell)?;
                    continue;
                }
                event = timeout_at(heard + patience, events.next()) => event,
            };
            let data = match event {
                Err(_) => return Err(ClientError::Silent.into()),
                Ok(None) => {
                    let end = ClientError::Protocol("the service completed the stream".to_owned());
                    return Err(end.into());
                }
                Ok(Some(event)) => event?.data,
            };
            if std::mem::take(&mut is_untold) {
                tell(Notice::Connected { after })?;
            }
            (self.is_silent, self.failed_streams, self.was_let_in, self.trouble) = (false, 0, true, None);
            let (is_marked, has_unfinished_snapshot) =
                (self.apply_event(data, tell)?, self.map.has_unfinished_snapshot());
            if is_marked || has_unfinished_snapshot {
                heard = Instant::now();
            }
            if is_marked && self.settings.is_once {
                self.saver.flush().await;
                return Ok(());
            }
        }
    }

    /// Applies one event, requests a save at a BOOKMARK, and sends notices. Returns whether it was a BOOKMARK.
    fn apply_event(&mut self, data: Json, tell: Tell<'_>) -> Result<bool, End> {
        let applied = self.map.apply(ConfigEvent::read(&data)?)?;
        let is_changed = match &applied {
            MapChange::Snapshot(..) => Some(true),
            MapChange::Bookmark(_, is_changed) => Some(*is_changed),
            MapChange::Nothing | MapChange::Upsert(..) | MapChange::Remove(..) | MapChange::Withheld => None,
        };
        if let Some((is_changed, checkpoint)) = is_changed.zip(self.map.checkpoint()) {
            self.saver.request(checkpoint, is_changed);
        }
        match applied {
            MapChange::Nothing => {}
            MapChange::Withheld => {
                let why = "the registry serves no agent, and its log is another one than before, as after a start on an \
                           empty database: keeping the configurations (`--accept-empty` accepts none)"
                    .to_owned();
                let is_once = self.settings.is_once;
                return Err(if is_once { GatewayError::Empty(why).into() } else { End::Unready(why) });
            }
            MapChange::Upsert(revision, config) => tell(Notice::Upsert(revision, config))?,
            MapChange::Remove(revision, agent, reason) => tell(Notice::Remove(revision, agent, reason))?,
            MapChange::Snapshot(revision, gone) => {
                tell(Notice::Snapshot { revision, agents: self.map.len(), gone })?;
                tell(Notice::Bookmark(revision))?;
            }
            MapChange::Bookmark(revision, _) => tell(Notice::Bookmark(revision))?,
        }
        Ok(is_changed.is_some())
    }

    /// Sends [`Notice::Unsaved`] for the first of consecutive failed saves.
    fn report_save(&mut self, saved: Saved, tell: Tell<'_>) -> Result<(), GatewayError> {
        let was_unsaved = std::mem::replace(&mut self.is_unsaved, saved.failure.is_some());
        match saved.failure {
            Some(why) if !was_unsaved => Ok(tell(Notice::Unsaved { why: why.to_string() })?),
            _ => Ok(()),
        }
    }
}
