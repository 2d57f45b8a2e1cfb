//! The only place that spawns: every task is tracked, and ends when the service does.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::available_parallelism,
    time::Duration,
};

use tokio::{sync::Semaphore, time::timeout};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// The service's running tasks, and the wish that they end. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Tasks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tracker: TaskTracker,
    stopping: CancellationToken,
    /// Turns at computing: half the processors, so that there are always some to answer.
    turns: Arc<Semaphore>,
}

impl Default for Inner {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self {
            tracker: TaskTracker::default(),
            stopping: CancellationToken::default(),
            turns: Arc::new(Semaphore::new((processors / 2).max(1))),
        }
    }
}

/// Waits for its turn at what is shared. What a task that panicked has left is used as it is: better
/// than that all others panic too.
pub fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A task did not finish: it panicked, or the runtime was going down.
#[derive(Debug, thiserror::Error)]
#[error("a task did not finish: {0}")]
pub struct Lost(#[from] tokio::task::JoinError);

/// A task that is not ours to spawn, as long as this lives.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "it is there to be dropped")] TaskTrackerToken);

impl Tasks {
    /// Runs `work` to its end, also when the caller is dropped meanwhile: whoever owns a database connection runs so,
    /// because a statement cut off in flight leaves the connection in an unknown state (sqlx issue 4385).
    ///
    /// # Errors
    /// [`Lost`] when the work panicked or the runtime shut down.
    pub async fn shielded<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Lost> {
        let span = tracing::Span::current();
        Ok(self.0.tracker.spawn(tracing::Instrument::instrument(work, span)).await?)
    }

    /// Runs what takes a processor for long on a thread of its own, when it is its turn: on a thread that serves
    /// requests it would make all of them wait. A caller that is dropped before its turn has cost nothing.
    ///
    /// # Errors
    /// [`Lost`] when the work panicked or the runtime shut down.
    pub async fn computed<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Lost> {
        // It is never closed, so there is always a turn.
        let turn = Arc::clone(&self.0.turns).acquire_owned().await.ok();
        let work = move || {
            let _turn = turn;
            work()
        };
        Ok(self.0.tracker.spawn_blocking(work).await?)
    }

    /// Runs `work` beside the requests until it ends or [`Tasks::stop`] is called.
    pub fn beside(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.0.stopping.clone();
        self.0.tracker.spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Runs `work` beside the requests to its end. It must see to it itself that this comes soon once
    /// [`Tasks::stopping`] resolves.
    pub fn attended(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.tracker.spawn(work);
    }

    /// Counts something that another library has spawned as a task, until what this answers is dropped.
    #[must_use]
    pub fn hold(&self) -> Held {
        Held(self.0.tracker.token())
    }

    /// Resolves when the service begins to stop.
    pub async fn stopping(&self) {
        self.0.stopping.cancelled().await;
    }

    /// Asks all to stop.
    pub fn stop(&self) {
        self.0.stopping.cancel();
        self.0.tracker.close();
    }

    /// Waits until all tasks have ended, at most `most`; says whether they have.
    pub async fn ended(&self, most: Duration) -> bool {
        self.stop();
        timeout(most, self.0.tracker.wait()).await.is_ok()
    }
}
