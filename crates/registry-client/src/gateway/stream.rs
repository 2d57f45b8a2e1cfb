//! One connection of a gateway, and its streams. When the registry rejects the cursor of the first stream, a second one
//! starts with a snapshot.

use std::io;

use serde_json::{Value, json};
use tokio::{
    select,
    time::{Instant, timeout_at},
};

use super::{
    Gateway, GatewayError, Notice, Tell,
    error::Way,
    event::{CONFIGS, ConfigEvent},
    map::Applied,
    saver::Saved,
};
use crate::{ClientError, Session};

/// The maximum number of doublings of the patience: 30 seconds become 16 minutes.
const PATIENCE_DOUBLINGS: u32 = 5;

/// Why a connection ended.
pub(super) enum End {
    /// The first BOOKMARK is saved, and `is_once` is set.
    Done,
    /// The credential couldn't be read.
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
            match end {
                End::Broken(end) if is_resumed && matches!(Way::after(&end), Way::Anew) => {
                    self.map.forget_cursor();
                    if let Err(err) = tell(Notice::Anew { why: end.to_string() }) {
                        return err.into();
                    }
                }
                End::Broken(end) => {
                    let is_refused = !matches!(Way::after(&end), Way::Back);
                    if self.is_silent && (is_refused || matches!(end, ClientError::Silent)) {
                        self.barren += 1;
                    }
                    return End::Broken(end);
                }
                end => return end,
            }
        }
    }

    /// Follows one stream until it fails. Returns `Ok` only with `is_once`, when the first BOOKMARK is saved.
    async fn stream(&mut self, session: &Session, cursor: Option<String>, tell: Tell<'_>) -> Result<(), End> {
        let after = self.map.marked().filter(|_| cursor.is_some()).map(|marked| marked.revision);
        let variables = json!({
            "customer": self.settings.customer,
            "agents": self.settings.agents,
            "after": cursor,
        });
        let mut events = session.subscribe(CONFIGS, variables)?;
        // The protocol doesn't acknowledge the start of a stream. After a failed stream, `Connected` is reported
        // only with the first event.
        let mut is_untold = self.barren > 0;
        if !is_untold {
            self.trouble = None;
            tell(Notice::Connected { after })?;
        }
        // The socket's pings detect a dead connection, so this timeout can grow. It must: a registry that scans a
        // long log before the first event would otherwise be abandoned at every attempt.
        let patience = self.settings.patience * (1 << self.barren.min(PATIENCE_DOUBLINGS));
        let mut heard = Instant::now();
        loop {
            let event = select! {
                biased;
                saved = self.saver.next() => {
                    self.note(saved, tell)?;
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
            (self.is_silent, self.barren, self.was_let_in, self.trouble) = (false, 0, true, None);
            let (is_marked, is_gathering) = (self.take(data, tell)?, self.map.is_gathering());
            if is_marked || is_gathering {
                heard = Instant::now();
            }
            if is_marked && self.settings.is_once {
                self.saver.flush().await;
                return Ok(());
            }
        }
    }

    /// Applies one event, requests a save at a BOOKMARK, and sends notices. Returns whether it was a BOOKMARK.
    fn take(&mut self, data: Value, tell: Tell<'_>) -> Result<bool, End> {
        let applied = self.map.apply(ConfigEvent::read(data)?)?;
        let is_changed = match &applied {
            Applied::Snapshot(..) => Some(true),
            Applied::Bookmark(_, is_changed) => Some(*is_changed),
            Applied::Nothing | Applied::Upsert(..) | Applied::Remove(..) => None,
        };
        if let Some((is_changed, marked)) = is_changed.zip(self.map.marked()) {
            self.saver.ask(marked, is_changed);
        }
        match applied {
            Applied::Nothing => {}
            Applied::Upsert(revision, config) => tell(Notice::Upsert(revision, config))?,
            Applied::Remove(revision, agent, reason) => tell(Notice::Remove(revision, agent, reason))?,
            Applied::Snapshot(revision, gone) => {
                tell(Notice::Snapshot { revision, agents: self.map.len(), gone })?;
                tell(Notice::Bookmark(revision))?;
            }
            Applied::Bookmark(revision, _) => tell(Notice::Bookmark(revision))?,
        }
        Ok(is_changed.is_some())
    }

    /// Sends [`Notice::Unsaved`] for the first of consecutive failed saves.
    fn note(&mut self, saved: Saved, tell: Tell<'_>) -> Result<(), GatewayError> {
        let was_unsaved = std::mem::replace(&mut self.is_unsaved, saved.failure.is_some());
        match saved.failure {
            Some(why) if !was_unsaved => Ok(tell(Notice::Unsaved { why: why.to_string() })?),
            _ => Ok(()),
        }
    }
}
