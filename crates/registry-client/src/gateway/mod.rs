//! A gateway's view of the registry, and how to keep it: a local map of what serves, told by the subscription
//! `configs`, saved at each BOOKMARK, served while the registry is away, and never half. It is the reference for the
//! README's chapter on writing a gateway; it tells what happens and prints nothing.

use std::{collections::BTreeSet, fs, io, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    select,
    time::{Instant, sleep},
};

mod backoff;
mod error;
mod event;
mod map;
mod notice;
mod saver;
mod state;
mod stream;

pub use error::GatewayError;
pub use event::{ActiveConfig, Tool};
pub use notice::Notice;

use backoff::Backoff;
use error::Way;
use map::Map;
use saver::Saver;
use state::{Found, StateFile, Subject};
use stream::End;

use crate::{AgentId, CustomerId};

/// A time of the wall clock, in UTC.
type Timestamp = chrono::DateTime<chrono::Utc>;

/// The wall clock's time. It only says how old a saved map is.
fn now() -> Timestamp {
    chrono::Utc::now()
}

/// How long a stream is to have lasted before the next wait is a short one again.
const STEADY: Duration = Duration::from_secs(10);

/// What a gateway signs in with.
#[derive(Clone)]
pub enum Credential {
    /// This token.
    Token(String),
    /// What is in this file each time: whoever rotates tokens replaces it.
    File(PathBuf),
}

/// What to watch, and how.
#[derive(Clone)]
pub struct Settings {
    /// Where the registry is, such as `http://127.0.0.1:8080`.
    pub url: String,
    /// Who asks.
    pub credential: Credential,
    /// Only this customer's agents.
    pub customer: Option<CustomerId>,
    /// Only these agents.
    pub agents: Option<BTreeSet<AgentId>>,
    /// The file to keep what serves in.
    pub state: Option<PathBuf>,
    /// End once the first BOOKMARK is saved.
    pub is_once: bool,
    /// How long a stream may be without a BOOKMARK, or a snapshot without an event; twice as long after one that was
    /// given up before anything came. The registry gives a BOOKMARK each ten seconds.
    pub patience: Duration,
    /// How long the saved cursor may lag behind while no configuration changes.
    pub cursor_lag: Duration,
}

impl Settings {
    /// Three BOOKMARKs that do not come.
    pub const PATIENCE: Duration = Duration::from_secs(30);
    /// Where much serves, a save is work, and a cursor that is a minute old costs little to resume from.
    pub const CURSOR_LAG: Duration = Duration::from_secs(60);
}

/// Tells somebody what happens.
pub type Tell<'a> = &'a mut dyn FnMut(Notice) -> io::Result<()>;

/// A gateway.
pub struct Gateway {
    settings: Settings,
    map: Map,
    saver: Saver,
    /// What there is to tell of the state file.
    found: Vec<Notice>,
    /// The credential was accepted once, so one that is refused now is replaced, perhaps.
    was_signed_in: bool,
    /// An event has come, so what is refused now may be allowed again.
    was_let_in: bool,
    /// Nothing has come on this stream.
    is_silent: bool,
    /// How many streams in a row were refused, or given up, before anything came.
    barren: u32,
    /// Why it is not connected, as was told.
    trouble: Option<String>,
    /// That it can't save was told.
    is_unsaved: bool,
}

impl Credential {
    /// The token as it is now.
    fn read(&self) -> Result<String, String> {
        let token = match self {
            Self::Token(token) => token.trim().to_owned(),
            Self::File(path) => fs::read_to_string(path)
                .map_err(|err| format!("can't read the token in {}: {err}", path.display()))?
                .trim()
                .to_owned(),
        };
        if token.is_empty() { Err("the token is empty".to_owned()) } else { Ok(token) }
    }
}

impl Gateway {
    /// Takes up what was saved.
    ///
    /// # Errors
    /// [`GatewayError::Setting`] when the state file or the credential can't be used.
    pub fn open(settings: Settings) -> Result<Self, GatewayError> {
        settings.credential.read().map_err(GatewayError::Setting)?;
        let (mut file, mut map, mut found) = (None, Map::default(), Vec::new());
        if let Some(path) = &settings.state {
            let url = settings.url.trim_end_matches('/').to_owned();
            let subject = Subject { url, customer: settings.customer, agents: settings.agents.clone() };
            let (opened, was_found) = StateFile::open(path, subject)?;
            let path = opened.path().to_owned();
            match was_found {
                Found::Nothing => {}
                Found::Damaged(why, kept) => found.push(Notice::Damaged { path, why, kept }),
                Found::Saved(marked, at) => {
                    let (revision, age) = (marked.revision, (now() - at).to_std().unwrap_or_default());
                    map = Map::of(marked);
                    found.push(Notice::Loaded { path, agents: map.len(), revision, age });
                }
            }
            file = Some(Arc::new(opened));
        }
        Ok(Self {
            saver: Saver::start(file, settings.cursor_lag),
            settings,
            map,
            found,
            was_signed_in: false,
            was_let_in: false,
            is_silent: true,
            barren: 0,
            trouble: None,
            is_unsaved: false,
        })
    }

    /// Watches until `stop` resolves, or the first BOOKMARK is saved when that is all that is wanted; then saves what is
    /// not saved yet.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn run(mut self, stop: impl Future<Output = ()>, tell: Tell<'_>) -> Result<(), GatewayError> {
        for notice in std::mem::take(&mut self.found) {
            tell(notice)?;
        }
        let ended = select! {
            () = stop => Ok(()),
            ended = self.keep(tell) => ended,
        };
        match (ended, self.saver.flush().await.failure) {
            (Ok(()), Some(why)) => Err(GatewayError::Save(why.to_string())),
            (ended, _) => ended,
        }
    }

    /// Comes back for as long as that may help.
    async fn keep(&mut self, tell: Tell<'_>) -> Result<(), GatewayError> {
        let mut backoff = Backoff::default();
        loop {
            let begun = Instant::now();
            let (why, is_later) = match self.connection(tell).await {
                End::Done => return Ok(()),
                End::Failed(err) => return Err(err),
                End::Unready(why) => (why, false),
                End::Broken(end) => match Way::after(&end) {
                    Way::Address => return Err(GatewayError::Setting(end.to_string())),
                    Way::Credential if !self.was_signed_in => return Err(GatewayError::Credential(end)),
                    Way::Refused if !self.was_let_in => return Err(GatewayError::Refused(end)),
                    Way::BackLater => (end.to_string(), true),
                    Way::Back | Way::Anew | Way::Credential | Way::Refused => (end.to_string(), false),
                },
            };
            if begun.elapsed() >= STEADY {
                backoff = Backoff::default();
            }
            let wait = backoff.next(is_later);
            tracing::debug!(why, ?wait, "not connected");
            if self.trouble.as_ref() != Some(&why) {
                self.trouble = Some(why.clone());
                tell(Notice::Disconnected { why, agents: self.map.len() })?;
            }
            sleep(wait).await;
        }
    }
}
