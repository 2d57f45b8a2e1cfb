//! One connection of a gateway, and the streams on it: a second one where the first one's cursor is not accepted.

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

/// How often the patience is doubled at most: half a minute becomes a quarter of an hour.
const PATIENCE_DOUBLINGS: u32 = 5;

/// How a connection ended.
pub(super) enum End {
    /// There is nothing more to do.
    Done,
    /// It never began.
    Unready(String),
    /// The registry, or what is between, has ended it.
    Broken(ClientError),
    /// The gateway can't go on.
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
    /// Signs in with the credential as it is now, and follows until that ends.
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

    /// Follows one stream. Ends well when the first BOOKMARK is saved and that was all that was wanted.
    async fn stream(&mut self, session: &Session, cursor: Option<String>, tell: Tell<'_>) -> Result<(), End> {
        let after = self.map.marked().filter(|_| cursor.is_some()).map(|marked| marked.revision);
        let variables = json!({
            "customer": self.settings.customer,
            "agents": self.settings.agents,
            "after": cursor,
        });
        let mut events = session.subscribe(CONFIGS, variables)?;
        // That a stream has begun is not said by the protocol; where the last one was refused, it is not told until
        // something comes.
        let mut is_untold = self.barren > 0;
        if !is_untold {
            self.trouble = None;
            tell(Notice::Connected { after })?;
        }
        // The socket's own pings see to a connection that leads nowhere. A registry that has very much to look through
        // before the first event would be left again and again if it were not given more time.
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
                    let end = ClientError::Protocol("the stream was completed".to_owned());
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

    /// Takes one event over; true for a BOOKMARK.
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

    /// Tells that what serves can't be saved, once.
    fn note(&mut self, saved: Saved, tell: Tell<'_>) -> Result<(), GatewayError> {
        let was_unsaved = std::mem::replace(&mut self.is_unsaved, saved.failure.is_some());
        match saved.failure {
            Some(why) if !was_unsaved => Ok(tell(Notice::Unsaved { why: why.to_string() })?),
            _ => Ok(()),
        }
    }
}
