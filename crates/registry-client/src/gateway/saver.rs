//! Saves in a background task, so that a slow disk doesn't delay the stream. Pending requests are coalesced: only the
//! latest is saved.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

use super::{map::Checkpoint, now, state::StateFile};

/// The result of the last save.
#[derive(Clone, Debug, Default)]
pub(super) struct Saved {
    /// The number of the request, counted from 1.
    pub(super) number: u64,
    /// The error, if the save failed.
    pub(super) failure: Option<Arc<str>>,
}

/// The handle with which a gateway requests saves.
#[derive(Debug)]
pub(super) struct Saver {
    wanted: watch::Sender<Option<(u64, Checkpoint)>>,
    saved: watch::Receiver<Saved>,
    number: u64,
    asked: Option<Instant>,
    /// The minimum interval between saves that change only the cursor.
    cursor_lag: Duration,
}

impl Saver {
    /// Starts the background task, which ends when the `Saver` is dropped. Without a file, requests succeed without
    /// saving anything.
    pub(super) fn start(file: Option<Arc<StateFile>>, cursor_lag: Duration) -> Self {
        let (wanted, asked) = watch::channel(None);
        let (done, saved) = watch::channel(Saved::default());
        tokio::spawn(save(file, asked, done));
        Self { wanted, saved, number: 0, asked: None, cursor_lag }
    }

    /// Requests a save. If only the cursor has changed and the last save succeeded, skips requests within
    /// `cursor_lag` of the previous one.
    pub(super) fn request(&mut self, checkpoint: &Checkpoint, is_changed: bool) {
        let is_fresh = self.asked.is_some_and(|asked| asked.elapsed() < self.cursor_lag);
        if is_fresh && !is_changed && self.saved.borrow().failure.is_none() {
            return;
        }
        self.number += 1;
        self.asked = Some(Instant::now());
        self.wanted.send_replace(Some((self.number, checkpoint.clone())));
    }

    /// Waits for the next save and returns its result. Cancel-safe.
    pub(super) async fn next(&mut self) -> Saved {
        // The channel closes only when the task is cancelled at shutdown.
        if self.saved.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.saved.borrow_and_update().clone()
    }

    /// Waits until the last request is saved or has failed.
    pub(super) async fn flush(&mut self) -> Saved {
        let wanted = self.number;
        match self.saved.wait_for(|saved| saved.number >= wanted).await {
            Ok(saved) => saved.clone(),
            Err(_) => Saved { number: wanted, failure: Some("the program is shutting down".into()) },
        }
    }
}

async fn save(
    file: Option<Arc<StateFile>>,
    mut wanted: watch::Receiver<Option<(u64, Checkpoint)>>,
    done: watch::Sender<Saved>,
) {
    while wanted.changed().await.is_ok() {
        let Some((number, checkpoint)) = wanted.borrow_and_update().clone() else { continue };
        let failure = match file.clone() {
            None => None,
            Some(file) => {
                let at = now();
                let saved = tokio::task::spawn_blocking(move || file.save(&checkpoint, at)).await;
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
