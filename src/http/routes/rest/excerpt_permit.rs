//! Limits the concurrent excerpts of the audit log: one for each holder of a share, so that a holder can delay only
//! itself, and a total for the instance.

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

/// The maximum number of concurrent excerpts of an instance. Each one scans the whole log.
const CONCURRENT_MAX: usize = 8;
/// The maximum number of excerpts of one holder.
const OF_ONE_HOLDER: usize = 1;
/// The time limit for waiting for another holder's excerpt to end.
const WAIT: Duration = Duration::from_secs(5);
/// The time limit for the client to take a piece, after which the excerpt is cut off. A second request of a holder is
/// rejected for as long.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// The limits and the running excerpts of an instance. Clones share them.
#[derive(Clone, Debug)]
pub struct Excerpts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// First in, first out.
    total: Arc<Semaphore>,
    /// The time limit for waiting for a permit.
    wait: Duration,
    /// The excerpts that run or wait, by holder.
    holders: Counts<ShareHolder>,
}

impl Default for Excerpts {
    fn default() -> Self {
        Self::new(CONCURRENT_MAX, WAIT)
    }
}

/// The permit of an excerpt. Dropping it lets the holder's next excerpt, and that of another holder, begin.
#[derive(Debug)]
pub(super) struct ExcerptPermit {
    _holder: Counted<ShareHolder>,
    _permit: OwnedSemaphorePermit,
}

impl Excerpts {
    fn new(total: usize, wait: Duration) -> Self {
        let total = Arc::new(Semaphore::new(total));
        Self(Arc::new(Inner { total, wait, holders: Counts::default() }))
    }

    /// Acquires a permit for an excerpt of this holder. Waits a short time while other holders have all permits; the
    /// holder that has waited longest is next.
    ///
    /// # Errors
    /// [`Error::RateLimited`] if the holder has an excerpt already; [`Error::Unavailable`] if no permit is free in
    /// time.
    pub(super) async fn acquire(&self, holder: ShareHolder) -> Result<ExcerptPermit, Error> {
        let Some(holder) = self.0.holders.increment(holder, OF_ONE_HOLDER) else {
            metrics::counter!("registry_rate_limited_total", "what" => "excerpt").increment(1);
            return Err(Error::RateLimited { retry_after_seconds: SEND_TIMEOUT.as_secs() });
        };
        let permit = timeout(self.0.wait, Arc::clone(&self.0.total).acquire_owned()).await;
        match permit {
            Ok(Ok(permit)) => Ok(ExcerptPermit { _holder: holder, _permit: permit }),
            Ok(Err(_)) | Err(_) => {
                Err(Error::Unavailable("this instance is writing as many audit excerpts as it can"))
            }
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
    async fn a_holder_has_one_excerpt_and_waits_only_for_a_full_instance() {
        let excerpts = Excerpts::new(2, Duration::from_millis(50));
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
