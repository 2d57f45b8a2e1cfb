//! A stream adapter that polls its inner stream only after that was woken. `select!` polls all its branches whenever
//! one of them wakes the task: without this, each event on a socket would also poll its TCP stream several times.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::{Stream, StreamExt, task::AtomicWaker};

/// The inner stream's waker. Sets a flag, and wakes the outer task.
#[derive(Default)]
struct WakeFlag {
    is_woken: AtomicBool,
    outer: AtomicWaker,
}

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.outer.wake();
    }
}

/// Polls the inner stream only if it was woken, or returned an item at the last poll.
pub(super) struct PollOnWake<S> {
    inner: S,
    flag: Arc<WakeFlag>,
    waker: Waker,
}

impl<S> PollOnWake<S> {
    pub(super) fn new(inner: S) -> Self {
        let flag = Arc::new(WakeFlag { is_woken: AtomicBool::new(true), outer: AtomicWaker::new() });
        Self { inner, waker: Waker::from(Arc::clone(&flag)), flag }
    }
}

impl<S: Stream + Unpin> Stream for PollOnWake<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = &mut *self;
        // Register before the flag is read: a wake-up after the read then wakes the current task.
        this.flag.outer.register(cx.waker());
        if !this.flag.is_woken.swap(false, Ordering::Acquire) {
            return Poll::Pending;
        }
        let polled = this.inner.poll_next_unpin(&mut Context::from_waker(&this.waker));
        if polled.is_ready() {
            this.flag.is_woken.store(true, Ordering::Release);
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::{stream, task::noop_waker};

    use super::*;

    #[test]
    fn it_is_polled_when_it_has_asked_to_be_and_never_otherwise() {
        let (polls, waker) = (AtomicUsize::new(0), std::sync::Mutex::new(None::<Waker>));
        let counted = stream::poll_fn(|cx| {
            *waker.lock().unwrap() = Some(cx.waker().clone());
            // The first two polls return an item.
            match polls.fetch_add(1, Ordering::Relaxed) {
                said @ (0 | 1) => Poll::Ready(Some(said)),
                _ => Poll::Pending,
            }
        });
        let mut woken = PollOnWake::new(counted);
        let mut poll = || woken.poll_next_unpin(&mut Context::from_waker(&noop_waker()));
        assert_eq!((poll(), poll()), (Poll::Ready(Some(0)), Poll::Ready(Some(1))));
        for _ in 0..10 {
            assert_eq!(poll(), Poll::Pending);
        }
        assert_eq!(polls.load(Ordering::Relaxed), 3);
        waker.lock().unwrap().take().unwrap().wake();
        for _ in 0..10 {
            assert_eq!(poll(), Poll::Pending);
        }
        assert_eq!(polls.load(Ordering::Relaxed), 4);
    }

    /// No item is lost when another thread wakes the stream over and over.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_that_is_sent_is_missed() {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        crate::task::Tasks::default().spawn_tracked(async move {
            for nth in 0..100_000 {
                sender.send(nth).await.unwrap();
            }
        });
        let received = PollOnWake::new(
            stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) })
                .boxed(),
        );
        let all: Vec<i32> = received.collect().await;
        assert!(all.iter().copied().eq(0..100_000));
    }
}
