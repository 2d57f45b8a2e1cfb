//! Task spawning. No other module spawns, so every task is tracked and shutdown can wait for it.

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
use tokio::{runtime::Handle, time::timeout};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};
use tracing::Instrument;

mod cpu;
mod processors;

pub use cpu::{CpuError, is_computing};
use processors::ProcessorQueue;

/// Tracks the service's running tasks and carries the shutdown signal. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Tasks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tracker: TaskTracker,
    stopping: CancellationToken,
    /// Mirrors `stopping`, so that a poll can check it without taking the token's lock.
    is_stopping: AtomicBool,
    /// Permits for CPU-bound work: half the processors, at least 1, so that the others keep serving requests.
    processors: ProcessorQueue,
}

impl Default for Inner {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self {
            tracker: TaskTracker::default(),
            stopping: CancellationToken::default(),
            is_stopping: AtomicBool::default(),
            processors: ProcessorQueue::new((processors / 2).max(1)),
        }
    }
}

/// Locks a mutex and ignores poisoning: after a panic in one task, the others keep using the data instead of panicking
/// too.
pub fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Work didn't finish, because it panicked or the runtime was shutting down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a task didn't finish: it panicked, or the service was shutting down")]
pub struct TaskFailed;

/// A future that always runs to completion. It is polled within its caller's task; if the caller drops it, the rest
/// runs as a task of its own. Spawning a task from the start would cost two thread switches per statement.
struct RunToCompletion<T: Send + 'static> {
    work: Option<Work<T>>,
    tracker: TaskTracker,
    _token: TaskTrackerToken,
}

/// `AssertUnwindSafe` holds because the future is dropped after a panic and never polled again.
type Work<T> = CatchUnwind<AssertUnwindSafe<BoxFuture<'static, T>>>;

impl<T: Send + 'static> Future for RunToCompletion<T> {
    type Output = Result<T, TaskFailed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else { return Poll::Ready(Err(TaskFailed)) };
        let done = ready!(work.poll_unpin(cx));
        self.work = None;
        Poll::Ready(done.map_err(|_| TaskFailed))
    }
}

impl<T: Send + 'static> Drop for RunToCompletion<T> {
    fn drop(&mut self) {
        if let (Some(work), Ok(runtime)) = (self.work.take(), Handle::try_current()) {
            self.tracker.spawn_on(work.in_current_span(), &runtime);
        }
    }
}

/// Counts as a running task until it is dropped. Stands for a task that another library spawned.
#[derive(Debug)]
pub struct TrackedTask(#[expect(dead_code, reason = "held only for its `Drop`")] TaskTrackerToken);

impl Tasks {
    /// Runs `work` to completion, even if the caller is dropped meanwhile. All work that owns a database connection
    /// runs this way, because a cancelled statement leaves its connection in an unknown state (sqlx issue 4385).
    ///
    /// # Errors
    /// [`TaskFailed`] when the work panicked or the runtime shut down.
    pub async fn run_to_completion<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, TaskFailed> {
        if is_computing() {
            // Waiting for a turn, it would hold its connection, and in the end the lock on the log's head.
            return self.0.tracker.spawn(work.in_current_span()).await.map_err(|_| TaskFailed);
        }
        let work = AssertUnwindSafe(work.boxed()).catch_unwind();
        let (tracker, token) = (self.0.tracker.clone(), self.0.tracker.token());
        RunToCompletion { work: Some(work), tracker, _token: token }.await
    }

    /// Spawns a background task that runs until `work` ends or [`Tasks::stop`] is called.
    pub fn spawn_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.0.stopping.clone();
        self.0.tracker.spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Spawns a task that shutdown waits for and doesn't cancel. `work` must end by itself soon after
    /// [`Tasks::stopping`] resolves.
    pub fn spawn_tracked(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.tracker.spawn(work);
    }

    /// Makes shutdown wait until the returned value is dropped. For tasks that another library spawned.
    #[must_use]
    pub fn track(&self) -> TrackedTask {
        TrackedTask(self.0.tracker.token())
    }

    /// Resolves when shutdown begins.
    pub async fn stopping(&self) {
        self.0.stopping.cancelled().await;
    }

    /// Polls `work` until it completes or shutdown begins. Returns `None` at shutdown; the caller may then poll `work`
    /// further. Polling the cancellation token takes a lock that all tasks share, so this method polls it once per
    /// waker, not at every wake-up.
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

    /// Begins shutdown: cancels background tasks and resolves [`Tasks::stopping`].
    pub fn stop(&self) {
        self.0.is_stopping.store(true, Ordering::Release);
        self.0.stopping.cancel();
        self.0.tracker.close();
    }

    /// Begins shutdown and waits up to `most` for all tasks to end. Returns whether all have ended.
    pub async fn shutdown(&self, most: Duration) -> bool {
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

    /// Increments `done` when it completes.
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
        assert_eq!(tasks.run_to_completion(counted(&done)).await, Ok(()));
        assert_eq!(done.load(Ordering::SeqCst), 1);
        // The caller is dropped while the work runs.
        assert!(timeout(A_BIT / 2, tasks.run_to_completion(counted(&done))).await.is_err());
        assert_eq!(done.load(Ordering::SeqCst), 1);
        assert!(tasks.shutdown(Duration::from_secs(10)).await, "shutdown waits for the work");
        assert_eq!(done.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_panic_of_what_is_shielded_is_told() {
        let tasks = Tasks::default();
        assert_eq!(tasks.run_to_completion(async { panic!("planted") }).await, Err::<(), _>(TaskFailed));
        assert!(tasks.shutdown(Duration::from_secs(10)).await);
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
        assert_eq!(tasks.unless_stopping(waits).await, None, "after the stop it returns `None` at once");
    }
}
