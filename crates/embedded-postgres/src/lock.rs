//! Advisory file locks (`flock`). The kernel releases a lock when its process ends. `mod.rs` defines the locking order.

use super::error::{EmbeddedError, io};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A lock file. Two instances with the same path exclude each other, even within one process.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Opens or creates the file, without locking it.
    pub(super) fn open(path: &Path) -> Result<Self, EmbeddedError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(io("open the lock", path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Tries to lock exclusively. Returns `false` at once if another holds the lock.
    pub(super) fn try_exclusive(&self) -> Result<bool, EmbeddedError> {
        match flock(&self.file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(io("lock", &self.path)(error)),
        }
    }

    /// Tries to lock shared. Returns `false` at once if another holds the lock exclusively.
    pub(super) fn try_shared(&self) -> Result<bool, EmbeddedError> {
        match flock(&self.file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(io("lock", &self.path)(error)),
        }
    }

    /// Locks exclusively. Polls, so that dropping the future leaves no blocked thread behind.
    ///
    /// Fails with [`EmbeddedError::Busy`] after `patience`.
    pub(super) async fn exclusive(&self, patience: Duration) -> Result<(), EmbeddedError> {
        let begun = Instant::now();
        while !self.try_exclusive()? {
            if begun.elapsed() > patience {
                return Err(EmbeddedError::Busy { lock: self.path.clone(), seconds: patience.as_secs() });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Releases the lock. Closing the file isn't enough: a child between fork and exec briefly holds a copy of it.
    pub(super) fn release(&self) {
        // Unlocking an open file doesn't fail; if it did, closing the file would release the lock.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.release();
    }
}
