//! A gateway: keeps a local map of active configurations. The subscription `configs` updates the map, and each BOOKMARK
//! saves it to a file, so that the gateway serves complete configurations even while the registry is down. It is the
//! reference for the README's chapter on writing a gateway. It reports events to a callback and prints nothing.

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
use error::StreamEndAction;
use map::Map;
use saver::Saver;
use state::{StateFile, StoredState, Subject};
use stream::End;

use crate::{AgentId, CustomerId};

/// A time of the wall clock, in UTC.
type Timestamp = chrono::DateTime<chrono::Utc>;

/// The wall clock's time. It only says how old a saved map is.
fn now() -> Timestamp {
    chrono::Utc::now()
}

/// The key of each customer's default environment.
const DEFAULT_ENVIRONMENT: &str = "production";

/// The time that a connection must last to reset the backoff.
const STEADY: Duration = Duration::from_secs(10);

/// A gateway's credential.
#[derive(Clone)]
pub enum Credential {
    /// A fixed token.
    Token(String),
    /// A file with the token, read at each connection, so that a rotated token takes effect.
    File(PathBuf),
}

/// A gateway's settings.
#[derive(Clone)]
pub struct Settings {
    /// The registry's URL, such as `http://127.0.0.1:8080`.
    pub url: String,
    /// The credential.
    pub credential: Credential,
    /// The key of the environment to follow; `None` for the default one, `production`.
    pub environment: Option<String>,
    /// Only this customer's agents.
    pub customer: Option<CustomerId>,
    /// Only these agents.
    pub agents: Option<BTreeSet<AgentId>>,
    /// The file in which configurations are saved.
    pub state: Option<PathBuf>,
    /// Whether to stop once the first BOOKMARK is saved.
    pub is_once: bool,
    /// Whether a registry with another log than that of the current configurations may replace them by none. Otherwise
    /// the gateway keeps them, and retries: a registry that was started on an empty database would take every agent out
    /// of service.
    pub accepts_empty: bool,
    /// The time limit between two BOOKMARKs, and between two events of a snapshot. The registry sends a BOOKMARK
    /// about every ten seconds, twenty at most. The limit doubles, at most five times, for each consecutive stream
    /// that is refused or times out before its first event.
    pub patience: Duration,
    /// The maximum age of the saved cursor while no configuration changes.
    pub cursor_lag: Duration,
}

impl Settings {
    /// The default patience: about three BOOKMARKs.
    pub const PATIENCE: Duration = Duration::from_secs(30);
    /// The default cursor lag. Saving rewrites the whole file, while resuming from a cursor that is a minute old is
    /// cheap.
    pub const CURSOR_LAG: Duration = Duration::from_secs(60);
}

/// The callback that receives a gateway's notices. An error stops the gateway.
pub type Tell<'a> = &'a mut dyn FnMut(Notice) -> io::Result<()>;

/// A gateway. [`Gateway::open`] loads its state, [`Gateway::run`] follows the registry.
pub struct Gateway {
    settings: Settings,
    map: Map,
    saver: Saver,
    /// Notices about the state file, to be sent at the start.
    found: Vec<Notice>,
    /// The registry has accepted the credential once. A later rejection is retried, since the token may be rotated.
    was_signed_in: bool,
    /// An event has arrived once. A later refusal of the subscription is retried.
    was_let_in: bool,
    /// No event has arrived on the current stream.
    is_silent: bool,
    /// The number of consecutive streams that were refused or timed out before their first event.
    failed_streams: u32,
    /// The reason of the last `Disconnected` notice, so that each reason is reported once.
    trouble: Option<String>,
    /// Whether the last save failed, so that the failure is reported once.
    is_unsaved: bool,
}

impl Credential {
    /// Reads the current token.
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
    /// Loads the saved state.
    ///
    /// # Errors
    /// [`GatewayError::Setting`] when the state file or the credential can't be used.
    pub fn open(settings: Settings) -> Result<Self, GatewayError> {
        settings.credential.read().map_err(GatewayError::Setting)?;
        let (mut file, mut map, mut found) = (None, Map::default(), Vec::new());
        if let Some(path) = &settings.state {
            let url = settings.url.trim_end_matches('/').to_owned();
            let (customer, agents) = (settings.customer, settings.agents.clone());
            // The default environment's key, given or left out, is one subject.
            let environment = settings.environment.clone().filter(|key| key != DEFAULT_ENVIRONMENT);
            let subject = Subject { url, customer, agents, environment };
            let (opened, was_found) = StateFile::open(path, subject)?;
            let path = opened.path().to_owned();
            match was_found {
                StoredState::Nothing => {}
                StoredState::Damaged(why, kept) => found.push(Notice::Damaged { path, why, kept }),
                StoredState::Saved(checkpoint, at) => {
                    let (revision, age) = (checkpoint.revision, (now() - at).to_std().unwrap_or_default());
                    map = Map::of(checkpoint);
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
            failed_streams: 0,
            trouble: None,
            is_unsaved: false,
        })
    }

    /// Follows the registry until `stop` resolves, or with `is_once` until the first BOOKMARK is saved. Then waits for
    /// the pending save.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub async fn run(mut self, stop: impl Future<Output = ()>, tell: Tell<'_>) -> Result<(), GatewayError> {
        for notice in std::mem::take(&mut self.found) {
            tell(notice)?;
        }
        let ended = select! {
            () = stop => Ok(()),
            ended = self.reconnect_loop(tell) => ended,
        };
        match (ended, self.saver.flush().await.failure) {
            (Ok(()), Some(why)) => Err(GatewayError::Save(why.to_string())),
            (ended, _) => ended,
        }
    }

    /// Reconnects with backoff, until an error occurs that retrying can't fix.
    async fn reconnect_loop(&mut self, tell: Tell<'_>) -> Result<(), GatewayError> {
        let mut backoff = Backoff::default();
        loop {
            let begun = Instant::now();
            let (why, is_later) = match self.connection(tell).await {
                End::Done => return Ok(()),
                End::Failed(err) => return Err(err),
                End::Unready(why) => (why, false),
                End::Broken(end) => match StreamEndAction::after(&end) {
                    StreamEndAction::Address => return Err(GatewayError::Setting(end.to_string())),
                    StreamEndAction::Credential if !self.was_signed_in => {
                        return Err(GatewayError::Credential(end));
                    }
                    StreamEndAction::Refused if !self.was_let_in => return Err(GatewayError::Refused(end)),
                    StreamEndAction::ReconnectLater => (end.to_string(), true),
                    StreamEndAction::Reconnect
                    | StreamEndAction::StartOver { .. }
                    | StreamEndAction::Credential
                    | StreamEndAction::Refused => (end.to_string(), false),
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
