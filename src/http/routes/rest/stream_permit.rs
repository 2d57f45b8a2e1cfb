//! Limits the concurrent streams of one kind, such as excerpts of the audit log: one for each holder of a share, so that
//! a holder can delay only itself, and a total for the instance.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    domain::Error,
    http::count::{Counted, Counts},
    share::ShareHolder,
};

/// The maximum number of concurrent streams of one kind. Each one reads or writes much.
const CONCURRENT_MAX: usize = 8;
/// The maximum number of streams of one kind of one holder.
const OF_ONE_HOLDER: usize = 1;
/// The time limit for waiting for another holder's stream to end.
const WAIT: Duration = Duration::from_secs(5);
/// The time limit for the client to take a piece, after which the stream is cut off. A second request of a holder is
/// rejected for as long.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// The permits of an instance for streams of one kind. Clones share them.
#[derive(Clone, Debug)]
pub struct StreamPermits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The kind, for the metrics.
    what: &'static str,
    /// The message while all permits are taken.
    busy: &'static str,
    /// First in, first out.
    total: Arc<Semaphore>,
    /// The time limit for waiting for a permit.
    wait: Duration,
    /// The streams that run or wait, by holder.
    holders: Counts<ShareHolder>,
}

/// The permit of a stream. Dropping it lets the holder's next one, and that of another holder, begin.
#[derive(Debug)]
pub(super) struct StreamPermit {
    _holder: Counted<ShareHolder>,
    _permit: OwnedSemaphorePermit,
}

impl StreamPermits {
    /// The permits for streams of the kind `what`. `busy` is the message while all of them are taken.
    #[must_use]
    pub fn new(what: &'static str, busy: &'static str) -> Self {
        Self::with_limits(what, busy, CONCURRENT_MAX, WAIT)
    }

    fn with_limits(what: &'static str, busy: &'static str, total: usize, wait: Duration) -> Self {
        let total = Arc::new(Semaphore::new(total));
        Self(Arc::new(Inner { what, busy, total, wait, holders: Counts::default() }))
    }

    /// Acquires a permit for a stream of this holder. Waits a short time while other holders have all permits; the
    /// holder that has waited longest is next.
    ///
    /// # Errors
    /// [`Error::RateLimited`] if the holder has such a stream already; [`Error::Unavailable`] if no permit is free in
    /// time.
    pub(super) async fn acquire(&self, holder: ShareHolder) -> Result<StreamPermit, Error> {
        let Some(holder) = self.0.holders.increment(holder, OF_ONE_HOLDER) else {
            metrics::counter!("registry_rate_limited_total", "what" => self.0.what).increment(1);
            return Err(Error::RateLimited { retry_after_seconds: SEND_TIMEOUT.as_secs() });
        };
        let permit = timeout(self.0.wait, Arc::clone(&self.0.total).acquire_owned()).await;
        match permit {
            Ok(Ok(permit)) => Ok(StreamPermit { _holder: holder, _permit: permit }),
            Ok(Err(_)) | Err(_) => Err(Error::Unavailable(self.0.busy)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::id::CustomerId;

    fn holder(nth: u128) -> ShareHolder {
        ShareHolder::Customer(CustomerId::from(uuid::Uuid::from_u128(nth)))
    }

    #[tokio::test]
    async fn a_holder_has_one_stream_and_waits_only_for_a_full_instance() {
        let excerpts = StreamPermits::with_limits("excerpt", "busy", 2, Duration::from_millis(50));
        let mut permits = Vec::new();
        for nth in 0..2 {
            permits.push(excerpts.acquire(holder(nth)).await.unwrap());
            let second = excerpts.acquire(holder(nth)).await.unwrap_err();
            assert!(matches!(second, Error::RateLimited { retry_after_seconds: 10 }), "{second}");
        }
        let full = excerpts.acquire(holder(8)).await.unwrap_err();
        assert!(matches!(full, Error::Unavailable(_)), "{full}");

        let in_turn = Mutex::new(Vec::new());
        let wait = async |nth| {
            let permit = excerpts.acquire(holder(nth)).await.unwrap();
            in_turn.lock().unwrap().push(nth);
            drop(permit);
        };
        let free = async {
            tokio::task::yield_now().await;
            permits.pop();
        };
        tokio::join!(wait(8), wait(9), free);
        assert_eq!(*in_turn.lock().unwrap(), [8, 9]);
        drop(permits);
        assert_eq!(excerpts.0.holders.keys(), 0);
        excerpts.acquire(holder(0)).await.unwrap();
    }
}
