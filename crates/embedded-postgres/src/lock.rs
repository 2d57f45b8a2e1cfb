//! Advisory file locks. A lock ends with its process, however that ends.
//! It knows nothing of what is locked: `mod.rs` says in which order locks are taken.

use super::error::{EmbeddedError, io};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A file that can be locked. Two of the same path exclude each other, within one process too.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Opens the file, makes it where it is missing, and locks nothing yet.
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

    /// Takes the lock alone, or says `false` at once.
    pub(super) fn try_exclusive(&self) -> Result<bool, EmbeddedError> {
        match flock(&self.file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(io("lock", &self.path)(error)),
        }
    }

    /// Takes the lock together with others, or says `false` at once.
    pub(super) fn try_shared(&self) -> Result<bool, EmbeddedError> {
        match flock(&self.file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(io("lock", &self.path)(error)),
        }
    }

    /// Takes the lock alone; polls, so that dropping the future leaves nothing behind.
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

    /// Gives it back. Closing alone would not do: a child between fork and exec holds a copy for a moment.
    pub(super) fn release(&self) {
        // Unlocking one's own open file does not fail; were it to, closing the file follows anyway.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.release();
    }
}
