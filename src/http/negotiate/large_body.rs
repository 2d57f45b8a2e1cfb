//! Compresses large bodies on the threads for computations, on the account of their caller. A body is compressed in
//! pieces, each when the client has taken the previous one: so the callers take turns after each piece, and a client
//! that reads slowly has no more than one piece in memory beside its body.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::time::sleep;

use super::{
    coding::{Coding, Encoder},
    compress::Payer,
};
use crate::task::{CpuError, Tasks, lock};

/// The size of a piece, in bytes. Compressing it takes about five milliseconds.
const PIECE_BYTES: usize = 256 * 1024;
/// The time until the next attempt, if too much work of the payer is waiting when a later piece is due.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// A body that is being compressed.
struct LargeBody {
    tasks: Tasks,
    payer: Payer,
    /// `None` after the last piece.
    encoder: Arc<Mutex<Option<Encoder>>>,
    /// The bytes that aren't compressed yet.
    rest: Bytes,
}

impl LargeBody {
    /// Compresses the next piece. `None` after the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, CpuError> {
        while lock(&self.encoder).is_some() {
            let piece = self.rest.slice(..self.rest.len().min(PIECE_BYTES));
            let (bytes, encoder) = (piece.len(), Arc::clone(&self.encoder));
            let is_last = bytes == self.rest.len();
            let Payer { holder, meter } = &self.payer;
            let (ready, time) = self
                .tasks
                .spawn_cpu(holder, "compression", move || {
                    let began = Instant::now();
                    let mut encoder = lock(&encoder);
                    let mut ready = encoder.as_mut().map(|encoder| encoder.write(&piece)).unwrap_or_default();
                    if is_last && let Some(encoder) = encoder.take() {
                        ready.append(&mut encoder.finish());
                    }
                    (ready, began.elapsed())
                })
                .await?;
            if let Some(meter) = meter {
                meter.charge_time(time);
            }
            self.rest = self.rest.slice(bytes..);
            if !ready.is_empty() {
                return Ok(Some(ready));
            }
        }
        Ok(None)
    }

    /// Compresses the next piece as [`LargeBody::next`] does, and waits while too much work of the payer is waiting.
    async fn next_patiently(&mut self) -> Result<Option<Vec<u8>>, CpuError> {
        loop {
            match self.next().await {
                Err(CpuError::QueueFull) => sleep(RETRY_DELAY).await,
                done => return done,
            }
        }
    }
}

/// Compresses a body. Returns after its first piece.
///
/// # Errors
/// [`CpuError`], when the body should be sent as it is.
pub(super) async fn compress(
    tasks: &Tasks,
    payer: Payer,
    coding: Coding,
    plain: Bytes,
) -> Result<Body, CpuError> {
    let encoder = Arc::new(Mutex::new(Some(Encoder::new(coding))));
    let mut body = LargeBody { tasks: tasks.clone(), payer, encoder, rest: plain };
    let first = body.next().await?;
    let pieces = stream::try_unfold((body, first), |(mut body, ready)| async move {
        let ready = match ready {
            Some(ready) => Some(ready),
            None => body.next_patiently().await?,
        };
        Ok::<_, CpuError>(ready.map(|ready| (ready, (body, None))))
    });
    Ok(Body::from_stream(pieces))
}

#[cfg(test)]
mod tests {
    use std::{io::Read, sync::mpsc, thread::available_parallelism};

    use axum::body::to_bytes;
    use futures_util::{FutureExt, future::join_all};

    use super::*;
    use crate::{id::CustomerId, share::ShareHolder};

    fn payer(nth: u128) -> Payer {
        let holder = ShareHolder::Customer(CustomerId::from(uuid::Uuid::from_u128(nth)));
        Payer { holder, meter: None }
    }

    /// Text that compresses to about a third.
    fn text(bytes: u64) -> Bytes {
        let lines = (0..bytes / 10).map(|line| format!("{:09}\n", line * 0x9E37_79B9 % 1_000_000_007));
        lines.collect::<String>().into()
    }

    #[tokio::test]
    async fn a_large_body_is_the_same_in_pieces() {
        let tasks = Tasks::default();
        for bytes in [100_000, 2 * 1024 * 1024] {
            let plain = text(bytes);
            for coding in [Coding::Brotli, Coding::Gzip] {
                let body = compress(&tasks, payer(1), coding, plain.clone()).await.unwrap();
                let packed = to_bytes(body, usize::MAX).await.unwrap();
                let mut unpacked = Vec::new();
                match coding {
                    Coding::Brotli => brotli::Decompressor::new(&packed[..], 4096).read_to_end(&mut unpacked),
                    Coding::Gzip => flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked),
                }
                .unwrap();
                assert!(unpacked == plain && packed.len() < plain.len() / 2, "{coding:?} {bytes}");
            }
        }
    }

    #[tokio::test]
    async fn a_body_is_not_compressed_for_a_caller_with_too_much_waiting_work() {
        let (tasks, greedy, modest) = (Tasks::default(), payer(1), payer(2));
        // Each of the processors' permits is taken until its sender is dropped.
        let permits = (available_parallelism().unwrap().get() / 2).max(1);
        let (running, busy): (Vec<_>, Vec<_>) = (0..permits)
            .map(|_| {
                let (sender, receiver) = mpsc::channel::<()>();
                (sender, tasks.spawn_cpu(&ShareHolder::System, "test", move || receiver.recv().is_err()))
            })
            .unzip();
        let mut busy = Box::pin(join_all(busy));
        assert!((&mut busy).now_or_never().is_none());
        let mut queued: Vec<_> =
            (0..256).map(|_| Box::pin(tasks.spawn_cpu(&greedy.holder, "test", || ()))).collect();
        assert!(queued.iter_mut().all(|waits| waits.now_or_never().is_none()));
        let plain = text(100_000);
        let refused = compress(&tasks, greedy.clone(), Coding::Gzip, plain.clone()).await;
        assert!(matches!(refused, Err(CpuError::QueueFull)));
        let mut waits = Box::pin(compress(&tasks, modest, Coding::Gzip, plain));
        assert!((&mut waits).now_or_never().is_none());
        drop(running);
        busy.await;
        let served = join_all(queued);
        let (_, compressed) = tokio::join!(served, waits);
        assert!(compressed.is_ok());
    }
}
