//! Saves beside the stream, so that a slow disk makes no configuration late: always what was last asked for, however
//! much was asked for meanwhile.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

use super::{map::Marked, now, state::StateFile};

/// How the last save ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Saved {
    /// Which it was: 1 is the first that was asked for.
    pub(super) number: u64,
    /// Why it failed.
    pub(super) failure: Option<Arc<str>>,
}

/// Whoever asks for saves.
#[derive(Debug)]
pub(super) struct Saver {
    wanted: watch::Sender<Option<(u64, Marked)>>,
    saved: watch::Receiver<Saved>,
    number: u64,
    asked: Option<Instant>,
    /// How long what is saved may lag behind when nothing has changed but the cursor.
    cursor_lag: Duration,
}

impl Saver {
    /// Saves into this file, or nowhere, until the `Saver` is dropped.
    pub(super) fn start(file: Option<Arc<StateFile>>, cursor_lag: Duration) -> Self {
        let (wanted, asked) = watch::channel(None);
        let (done, saved) = watch::channel(Saved::default());
        tokio::spawn(save(file, asked, done));
        Self { wanted, saved, number: 0, asked: None, cursor_lag }
    }

    /// Asks for this to be saved, now or, when it is what was saved but for the cursor, once in a while.
    pub(super) fn ask(&mut self, marked: &Marked, is_changed: bool) {
        let is_fresh = self.asked.is_some_and(|asked| asked.elapsed() < self.cursor_lag);
        if is_fresh && !is_changed && self.saved.borrow().failure.is_none() {
            return;
        }
        self.number += 1;
        self.asked = Some(Instant::now());
        self.wanted.send_replace(Some((self.number, marked.clone())));
    }

    /// How the next save ended. Safe to drop while it waits.
    pub(super) async fn next(&mut self) -> Saved {
        // Its task ends with the program.
        if self.saved.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.saved.borrow_and_update().clone()
    }

    /// Waits until all that was asked for is saved, or has failed to be.
    pub(super) async fn flush(&mut self) -> Saved {
        let wanted = self.number;
        match self.saved.wait_for(|saved| saved.number >= wanted).await {
            Ok(saved) => saved.clone(),
            Err(_) => Saved { number: wanted, failure: Some("the program ends".into()) },
        }
    }
}

async fn save(
    file: Option<Arc<StateFile>>,
    mut wanted: watch::Receiver<Option<(u64, Marked)>>,
    done: watch::Sender<Saved>,
) {
    while wanted.changed().await.is_ok() {
        let Some((number, marked)) = wanted.borrow_and_update().clone() else { continue };
        let failure = match file.clone() {
            None => None,
            Some(file) => {
                let at = now();
                let saved = tokio::task::spawn_blocking(move || file.save(&marked, at)).await;
                let failure = match saved {
                    Ok(Ok(())) => None,
                    Ok(Err(err)) => Some(err.to_string()),
                    Err(lost) => Some(lost.to_string()),
                };
                failure.map(Arc::from)
            }
        };
        done.send_replace(Saved { number, failure });
    }
}
