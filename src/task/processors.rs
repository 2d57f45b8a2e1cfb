//! The fair queue for CPU-bound work. The holder of a share that has used the least processor time is served next, and
//! its work first in, first out. So a holder that queues much work delays only its own, and one with short pieces isn't
//! held up by one with long pieces, beyond the piece that runs.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::lock;
use crate::share::ShareHolder;

/// The most work of one holder that waits at a time, if it hasn't begun.
pub(super) const WAITING_MAX: usize = 256;

/// The number of holders whose use is remembered before those that have used no more than others are forgotten.
const USED_MAX: usize = 1_000;

/// A holder has too much work waiting already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QueueFull;

/// A limited number of permits, and a queue for each holder. Clones share one state.
#[derive(Clone, Debug)]
pub(super) struct ProcessorQueue(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// The permits that are free. Above 0 only while no work waits.
    free: usize,
    waiting: HashMap<ShareHolder, VecDeque<Waiter>>,
    /// What the holders have used. A holder without an entry has used [`State::floor`].
    used: HashMap<ShareHolder, Use>,
    /// What the holder that was served last had used. A holder that comes back has used no less, so that it can't save
    /// up time.
    floor: Duration,
    /// The number of the next waiter, or turn.
    next: u64,
}

/// What a holder has used so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    time: Duration,
    /// The number of its last turn. It decides among holders that have used the same time.
    turn: u64,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    wake: oneshot::Sender<()>,
}

impl State {
    /// Passes a permit to the next waiter, or keeps it free if no work waits.
    fn release(&mut self) {
        let next = self.waiting.keys().min_by_key(|holder| self.used(holder)).cloned();
        let Some(holder) = next else {
            self.free += 1;
            return;
        };
        self.begin_turn(&holder);
        let Some(queue) = self.waiting.get_mut(&holder) else { return };
        let waiter = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&holder);
        }
        // A waiter leaves the queue before its receiver is dropped, so sending can't fail.
        let _ = waiter.map(|waiter| waiter.wake.send(()));
    }

    fn used(&self, holder: &ShareHolder) -> Use {
        let known = self.used.get(holder).copied();
        let Use { time, turn } = known.unwrap_or(Use { time: self.floor, turn: 0 });
        Use { time: time.max(self.floor), turn }
    }

    fn begin_turn(&mut self, holder: &ShareHolder) {
        let Use { time, turn: _ } = self.used(holder);
        self.floor = self.floor.max(time);
        self.next += 1;
        self.used.insert(holder.clone(), Use { time, turn: self.next });
        if self.used.len() > USED_MAX {
            let (floor, waiting) = (self.floor, &self.waiting);
            self.used.retain(|holder, used| used.time > floor || waiting.contains_key(holder));
        }
    }

    fn end_turn(&mut self, holder: &ShareHolder, took: Duration) {
        let Use { time, turn } = self.used(holder);
        self.used.insert(holder.clone(), Use { time: time + took, turn });
    }

    /// Removes a waiter from its queue. Returns whether it was still there.
    fn remove(&mut self, holder: &ShareHolder, number: u64) -> bool {
        let Some(queue) = self.waiting.get_mut(holder) else { return false };
        let before = queue.len();
        queue.retain(|waiter| waiter.number != number);
        let is_removed = queue.len() < before;
        if queue.is_empty() {
            self.waiting.remove(holder);
        }
        is_removed
    }
}

/// A place in the queue. Leaves the queue when it is dropped, or passes its permit on if it has one already.
struct Place<'a> {
    queue: &'a ProcessorQueue,
    holder: ShareHolder,
    number: u64,
    is_served: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        metrics::gauge!("registry_processor_queue").decrement(1);
        if self.is_served {
            return;
        }
        let mut state = lock(&self.queue.0);
        if !state.remove(&self.holder, self.number) {
            state.release();
        }
    }
}

/// The permit to use a processor, until it is dropped.
#[derive(Debug)]
pub(super) struct ProcessorPermit {
    queue: ProcessorQueue,
    holder: ShareHolder,
    since: Instant,
}

impl Drop for ProcessorPermit {
    fn drop(&mut self) {
        let mut state = lock(&self.queue.0);
        state.end_turn(&self.holder, self.since.elapsed());
        state.release();
    }
}

impl ProcessorQueue {
    pub(super) fn new(permits: usize) -> Self {
        let (waiting, used) = (HashMap::new(), HashMap::new());
        Self(Arc::new(Mutex::new(State { free: permits, waiting, used, floor: Duration::ZERO, next: 0 })))
    }

    fn permit(&self, holder: &ShareHolder) -> ProcessorPermit {
        ProcessorPermit { queue: self.clone(), holder: holder.clone(), since: Instant::now() }
    }

    /// Waits for the holder's turn. If the caller is dropped meanwhile, it leaves the queue.
    ///
    /// # Errors
    /// [`QueueFull`] if `most` pieces of the holder's work are waiting.
    pub(super) async fn acquire(
        &self,
        holder: &ShareHolder,
        most: usize,
    ) -> Result<ProcessorPermit, QueueFull> {
        let (mut place, woken) = {
            let mut state = lock(&self.0);
            if let Some(free) = state.free.checked_sub(1) {
                state.free = free;
                state.begin_turn(holder);
                return Ok(self.permit(holder));
            }
            let waiting = state.waiting.get(holder).map_or(0, VecDeque::len);
            if waiting >= most {
                return Err(QueueFull);
            }
            let (number, (wake, woken)) = (state.next, oneshot::channel());
            state.next += 1;
            state.waiting.entry(holder.clone()).or_default().push_back(Waiter { number, wake });
            (Place { queue: self, holder: holder.clone(), number, is_served: false }, woken)
        };
        metrics::gauge!("registry_processor_queue").increment(1);
        // The sender stays in the queue until it sends, so receiving can't fail.
        let _ = woken.await;
        place.is_served = true;
        Ok(self.permit(holder))
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Poll};

    use futures_util::{FutureExt, poll};

    use super::*;
    use crate::id::CustomerId;

    fn customer(nth: u128) -> ShareHolder {
        ShareHolder::Customer(CustomerId::from(uuid::Uuid::from_u128(nth)))
    }

    type Acquired<'a> = futures_util::future::BoxFuture<'a, Result<ProcessorPermit, QueueFull>>;

    /// Begins to wait for this holder's turn.
    fn queued<'a>(queue: &'a ProcessorQueue, holder: &'a ShareHolder) -> Acquired<'a> {
        let mut waits = queue.acquire(holder, WAITING_MAX).boxed();
        assert!((&mut waits).now_or_never().is_none());
        waits
    }

    #[tokio::test]
    async fn a_holder_with_much_work_lets_others_go_first() {
        let (queue, greedy, modest) = (ProcessorQueue::new(1), customer(1), customer(2));
        let mut held = queue.acquire(&greedy, WAITING_MAX).await.unwrap();
        let mut much: VecDeque<_> = (0..100).map(|_| queued(&queue, &greedy)).collect();
        let mut little = queued(&queue, &modest);
        let mut served_before = 0;
        loop {
            drop(held);
            if let Some(permit) = (&mut little).now_or_never() {
                drop(permit.unwrap());
                break;
            }
            held = much.pop_front().unwrap().now_or_never().unwrap().unwrap();
            served_before += 1;
        }
        assert!(served_before <= 1, "{served_before} pieces ran first");
        // The rest is served in its order.
        while !much.is_empty() {
            assert!(much.iter_mut().skip(1).all(|later| later.now_or_never().is_none()));
            drop(much.pop_front().unwrap().now_or_never().unwrap().unwrap());
        }
        assert_eq!(lock(&queue.0).free, 1);
    }

    /// A long piece counts as many short ones.
    #[tokio::test]
    async fn a_holder_with_long_pieces_lets_short_ones_go_first() {
        let (queue, greedy, modest) = (ProcessorQueue::new(1), customer(1), customer(2));
        let mut held = queue.acquire(&greedy, WAITING_MAX).await.unwrap();
        lock(&queue.0).end_turn(&greedy, Duration::from_secs(60));
        let mut long = queued(&queue, &greedy);
        let short: Vec<_> = (0..50).map(|_| queued(&queue, &modest)).collect();
        for piece in short {
            drop(held);
            held = piece.now_or_never().unwrap().unwrap();
            assert!((&mut long).now_or_never().is_none());
        }
        drop(held);
        drop((&mut long).now_or_never().unwrap().unwrap());
        assert_eq!(lock(&queue.0).free, 1);
    }

    #[tokio::test]
    async fn a_dropped_waiter_leaves_the_queue_and_passes_its_permit_on() {
        let (queue, one, other) = (ProcessorQueue::new(1), customer(1), customer(2));
        let held = queue.acquire(&one, WAITING_MAX).await;
        let gone = queued(&queue, &one);
        let (served, mut last) = (queued(&queue, &one), queued(&queue, &other));
        drop(gone);
        drop(held);
        // It was given the permit, and never took it.
        drop(served);
        drop((&mut last).now_or_never().unwrap().unwrap());
        let state = lock(&queue.0);
        assert!(state.free == 1 && state.waiting.is_empty(), "{state:?}");
    }

    #[tokio::test]
    async fn a_holder_has_a_bounded_queue() {
        let (queue, greedy, modest) = (ProcessorQueue::new(1), customer(1), customer(2));
        let _held = queue.acquire(&greedy, WAITING_MAX).await;
        let waiting: Vec<_> = (0..WAITING_MAX).map(|_| queued(&queue, &greedy)).collect();
        assert!(matches!(queue.acquire(&greedy, WAITING_MAX).await, Err(QueueFull)));
        let mut other = pin!(queue.acquire(&modest, WAITING_MAX));
        assert!(matches!(poll!(other.as_mut()), Poll::Pending), "another holder has a queue of its own");
        drop(waiting);
        assert!(matches!(poll!(other), Poll::Pending));
    }
}
