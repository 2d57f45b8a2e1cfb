//! CPU-bound work: on threads of its own, in the turns of its holders.

use std::{
    cell::Cell,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    time::Instant,
};

use futures_util::FutureExt;
use tokio::sync::Notify;
use tracing::Instrument;

use super::{
    TaskFailed, Tasks,
    processors::{ProcessorPermit, QueueFull, WAITING_MAX},
};
use crate::share::ShareHolder;

/// The niceness of the threads that compute.
const NICENESS: i32 = 5;

/// Lowers the priority of the current thread, so that threads which serve requests get a processor first. Other blocking
/// work may run on it later: reading files and looking up names, which hardly compute.
fn yield_to_requests() {
    // On Linux, the niceness is each thread's own. It only fails if the thread has a higher one already.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

/// Why CPU-bound work has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CpuError {
    /// Too much work of its holder was waiting already, so it didn't run.
    #[error("too much work of this caller is waiting for a processor")]
    QueueFull,
    /// It panicked, or the service was shutting down.
    #[error(transparent)]
    Failed(TaskFailed),
}

impl From<QueueFull> for CpuError {
    fn from(QueueFull: QueueFull) -> Self {
        Self::QueueFull
    }
}

thread_local! {
    static IS_COMPUTING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread runs CPU-bound work, with a permit for a processor.
#[must_use]
pub fn is_computing() -> bool {
    IS_COMPUTING.get()
}

/// Marks a thread as computing until it is dropped, also by a panic.
struct Computing;

impl Computing {
    fn begin() -> Self {
        IS_COMPUTING.set(true);
        Self
    }
}

impl Drop for Computing {
    fn drop(&mut self) {
        IS_COMPUTING.set(false);
    }
}

/// Wakes the task that polls a future on other threads.
#[derive(Debug, Default)]
struct WakeUp(Notify);

impl Wake for WakeUp {
    fn wake(self: Arc<Self>) {
        // Kept until the task waits.
        self.0.notify_one();
    }
}

impl Tasks {
    /// Runs CPU-bound work of this holder on a blocking thread, so that it doesn't stall the threads that serve
    /// requests. Waits for a permit first: the holders that wait take turns. If the caller is dropped while waiting,
    /// `work` doesn't run. `kind` names the work in the metrics. Within other CPU-bound work, runs at once, as a part of
    /// it: its thread has a permit, and a second one might never be free.
    ///
    /// # Errors
    /// [`CpuError::QueueFull`] when too much work of this holder is waiting. [`CpuError::Failed`] when the work
    /// panicked or the runtime shut down.
    pub async fn spawn_cpu<T: Send + 'static>(
        &self,
        holder: &ShareHolder,
        kind: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CpuError> {
        if is_computing() {
            return Ok(work());
        }
        let permit = self.0.processors.acquire(holder, WAITING_MAX).await?;
        self.run_cpu(permit, kind, work).await
    }

    /// Runs a future whose polls compute much: each poll is CPU-bound work of this holder, as in
    /// [`Tasks::spawn_cpu`]. Waiting for a database or a clock holds no permit. If the caller is dropped, the future is
    /// dropped after the poll that runs.
    ///
    /// # Errors
    /// [`CpuError::QueueFull`] when too much work of this holder is waiting; the future wasn't polled then.
    /// [`CpuError::Failed`] when a poll panicked or the runtime shut down.
    pub async fn poll_cpu<T: Send + 'static>(
        &self,
        holder: &ShareHolder,
        kind: &'static str,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, CpuError> {
        let mut work = work.in_current_span().boxed();
        let wake_up = Arc::new(WakeUp::default());
        let waker = Waker::from(Arc::clone(&wake_up));
        let mut most = WAITING_MAX;
        loop {
            let permit = self.0.processors.acquire(holder, most).await?;
            let waker = waker.clone();
            let poll = move || match work.poll_unpin(&mut Context::from_waker(&waker)) {
                Poll::Ready(done) => Ok(done),
                Poll::Pending => Err(work),
            };
            match self.run_cpu(permit, kind, poll).await? {
                Ok(done) => return Ok(done),
                Err(rest) => work = rest,
            }
            // It has begun, so it may have written, and is never turned away.
            most = usize::MAX;
            wake_up.0.notified().await;
        }
    }

    async fn run_cpu<T: Send + 'static>(
        &self,
        permit: ProcessorPermit,
        kind: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CpuError> {
        let work = move || {
            let _permit = permit;
            let _computing = Computing::begin();
            yield_to_requests();
            let began = Instant::now();
            let done = work();
            metrics::histogram!("registry_processor_work_seconds", "kind" => kind)
                .record(began.elapsed().as_secs_f64());
            done
        };
        self.0.tracker.spawn_blocking(work).await.map_err(|_| CpuError::Failed(TaskFailed))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use tokio::time::{sleep, timeout};

    use super::*;

    const A_BIT: Duration = Duration::from_millis(20);

    /// Every poll is on a thread for computations, and its own computations are a part of it: there may be one permit
    /// only.
    #[tokio::test]
    async fn each_poll_of_what_computes_much_is_a_turn_of_its_own() {
        let tasks = Tasks::default();
        let inner = tasks.clone();
        let on_this_thread = std::thread::current().id();
        let work = async move {
            let before = std::thread::current().id();
            sleep(A_BIT).await;
            let nested: Vec<_> =
                (0..4).map(|_| inner.spawn_cpu(&ShareHolder::System, "test", || 1)).collect();
            let nested: u32 = futures_util::future::try_join_all(nested).await.unwrap().into_iter().sum();
            (before, std::thread::current().id(), nested)
        };
        let (before, after, nested) = tasks.poll_cpu(&ShareHolder::System, "test", work).await.unwrap();
        assert!(before != on_this_thread && after != on_this_thread);
        assert_eq!(nested, 4);
        let failed = tasks.poll_cpu(&ShareHolder::System, "test", async { panic!("planted") }).await;
        assert_eq!(failed, Err::<(), _>(CpuError::Failed(TaskFailed)));
    }

    #[tokio::test]
    async fn a_caller_that_leaves_drops_what_computes_for_it() {
        let (tasks, done) = (Tasks::default(), Arc::new(AtomicU32::new(0)));
        let kept = Arc::clone(&done);
        let work = async move {
            std::future::pending::<()>().await;
            drop(kept);
        };
        assert!(timeout(A_BIT, tasks.poll_cpu(&ShareHolder::System, "test", work)).await.is_err());
        assert_eq!(Arc::strong_count(&done), 1);
    }

    /// A write must not wait for turns while it holds a connection.
    #[tokio::test]
    async fn what_runs_to_completion_is_not_polled_in_turns() {
        let (tasks, computing) = (Tasks::default(), Arc::new(AtomicU32::new(0)));
        let (inner, seen) = (tasks.clone(), Arc::clone(&computing));
        let work = async move {
            assert!(is_computing());
            let note = async move { seen.fetch_add(u32::from(is_computing()) + 1, Ordering::SeqCst) };
            inner.run_to_completion(note).await
        };
        assert_eq!(tasks.poll_cpu(&ShareHolder::System, "test", work).await, Ok(Ok(0)));
        assert_eq!(computing.load(Ordering::SeqCst), 1, "it ran, and not on a thread for computations");
        assert!(!is_computing());
    }
}
