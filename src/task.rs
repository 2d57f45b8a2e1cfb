//! The only place that spawns: every task is tracked, and ends when the service does.

use std::{
    future::{Future, poll_fn},
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker, ready},
    thread::available_parallelism,
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, CatchUnwind},
};
use tokio::{runtime::Handle, sync::Semaphore, time::timeout};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};
use tracing::Instrument;

/// The service's running tasks, and the wish that they end. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Tasks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tracker: TaskTracker,
    stopping: CancellationToken,
    /// The same, to be seen without waiting for it.
    is_stopping: AtomicBool,
    /// Turns at computing: half the processors, so that there are always some to answer.
    turns: Arc<Semaphore>,
}

impl Default for Inner {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self {
            tracker: TaskTracker::default(),
            stopping: CancellationToken::default(),
            is_stopping: AtomicBool::default(),
            turns: Arc::new(Semaphore::new((processors / 2).max(1))),
        }
    }
}

/// Waits for its turn at what is shared. What a task that panicked has left is used as it is: better
/// than that all others panic too.
pub fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Some work did not finish: it panicked, or the runtime was going down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("some work did not finish: it panicked, or the service was going down")]
pub struct Lost;

/// Work that runs to its end: as a part of who waits for it, and when that is dropped, as a task of its own. To hand all of
/// it to a task from the start would cost two changes of threads for each statement.
struct Shielded<T: Send + 'static> {
    work: Option<Work<T>>,
    tracker: TaskTracker,
    _token: TaskTrackerToken,
}

/// What is behind a panic is not looked at again.
type Work<T> = CatchUnwind<AssertUnwindSafe<BoxFuture<'static, T>>>;

impl<T: Send + 'static> Future for Shielded<T> {
    type Output = Result<T, Lost>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else { return Poll::Ready(Err(Lost)) };
        let done = ready!(work.poll_unpin(cx));
        self.work = None;
        Poll::Ready(done.map_err(|_| Lost))
    }
}

impl<T: Send + 'static> Drop for Shielded<T> {
    fn drop(&mut self) {
        if let (Some(work), Ok(runtime)) = (self.work.take(), Handle::try_current()) {
            self.tracker.spawn_on(work.in_current_span(), &runtime);
        }
    }
}

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
        let work = AssertUnwindSafe(work.boxed()).catch_unwind();
        let (tracker, token) = (self.0.tracker.clone(), self.0.tracker.token());
        Shielded { work: Some(work), tracker, _token: token }.await
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
        self.0.tracker.spawn_blocking(work).await.map_err(|_| Lost)
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

    /// Runs `work` to its end, or until the service begins to stop: then answers none, and it is to be run on. Whoever
    /// waits for that anew whenever it is woken waits for a lock that all share; this one waits once.
    pub async fn unless_stopping<F: Future>(&self, mut work: Pin<&mut F>) -> Option<F::Output> {
        let mut stopping = pin!(self.0.stopping.cancelled());
        let mut waiting: Option<Waker> = None;
        poll_fn(|cx| {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            let waits = waiting.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
            if waits && !self.0.is_stopping.load(Ordering::Acquire) {
                return Poll::Pending;
            }
            waiting = Some(cx.waker().clone());
            stopping.as_mut().poll(cx).map(|()| None)
        })
        .await
    }

    /// Asks all to stop.
    pub fn stop(&self) {
        self.0.is_stopping.store(true, Ordering::Release);
        self.0.stopping.cancel();
        self.0.tracker.close();
    }

    /// Waits until all tasks have ended, at most `most`; says whether they have.
    pub async fn ended(&self, most: Duration) -> bool {
        self.stop();
        timeout(most, self.0.tracker.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use tokio::time::sleep;

    use super::*;

    const A_BIT: Duration = Duration::from_millis(20);

    /// Counts when it has come to its end.
    fn counted(done: &Arc<AtomicU32>) -> impl Future<Output = ()> + Send + 'static {
        let done = Arc::clone(done);
        async move {
            sleep(A_BIT).await;
            done.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn what_is_shielded_comes_to_its_end_though_nobody_waits() {
        let (tasks, done) = (Tasks::default(), Arc::new(AtomicU32::new(0)));
        assert_eq!(tasks.shielded(counted(&done)).await, Ok(()));
        assert_eq!(done.load(Ordering::SeqCst), 1);
        // Given up in the middle.
        assert!(timeout(A_BIT / 2, tasks.shielded(counted(&done))).await.is_err());
        assert_eq!(done.load(Ordering::SeqCst), 1);
        assert!(tasks.ended(Duration::from_secs(10)).await, "stopping waits for it");
        assert_eq!(done.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_panic_of_what_is_shielded_is_told() {
        let tasks = Tasks::default();
        assert_eq!(tasks.shielded(async { panic!("planted") }).await, Err::<(), _>(Lost));
        assert!(tasks.ended(Duration::from_secs(10)).await);
    }

    #[tokio::test]
    async fn what_runs_until_the_stop_is_given_back_then() {
        let tasks = Tasks::default();
        assert_eq!(tasks.unless_stopping(pin!(async { 1 })).await, Some(1));
        let (mut waits, stop) = (pin!(std::future::pending::<()>()), tasks.clone());
        let ((), stopped) = tokio::join!(
            async {
                sleep(A_BIT).await;
                stop.stop();
            },
            tasks.unless_stopping(waits.as_mut()),
        );
        assert_eq!(stopped, None);
        assert_eq!(tasks.unless_stopping(waits).await, None, "nor is it begun again");
    }
}
