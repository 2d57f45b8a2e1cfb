//! The texts of one line's versions, between reading the line and writing it: in memory while they are small, then in
//! a temporary file. So a transaction begins when its last line has arrived, however large and slow that line is.

use std::io::{self, SeekFrom};

use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
    sync::Mutex,
};

use super::super::{Error, Result};
use crate::{
    clock::Clock,
    share::{MemoryShare, Reservation},
};

/// The size from which the texts are in a file, in bytes.
const HELD_BYTES_MAX: usize = 1024 * 1024;

/// The texts of a line's versions, one after the other.
#[derive(Debug, Default)]
pub(super) struct Spool {
    held: Vec<u8>,
    file: Option<Mutex<File>>,
    bytes: u64,
    room: Option<Reservation>,
}

impl Spool {
    /// Appends a text, and returns where it begins. Counts the bytes of the file in `disk`.
    ///
    /// # Errors
    /// [`Error::TooLarge`] or [`Error::Unavailable`] when the share has no room, [`Error::Unavailable`] when the file
    /// can't be written.
    pub(super) async fn push(
        &mut self,
        text: &[u8],
        clock: &Clock,
        disk: Option<&MemoryShare>,
    ) -> Result<u64> {
        let begin = self.bytes;
        self.bytes += u64::try_from(text.len()).unwrap_or(u64::MAX);
        if self.file.is_none() && self.held.len() + text.len() <= HELD_BYTES_MAX {
            self.held.extend_from_slice(text);
            return Ok(begin);
        }
        if let Some(disk) = disk {
            self.reserve(disk)?;
        }
        let file = match &mut self.file {
            Some(file) => file.get_mut(),
            empty @ None => {
                let file = temporary_file(clock).await.map_err(no_room)?;
                let file = empty.insert(Mutex::new(file)).get_mut();
                file.write_all(&std::mem::take(&mut self.held)).await.map_err(no_room)?;
                file
            }
        };
        file.write_all(text).await.map_err(no_room)?;
        Ok(begin)
    }

    /// Whether the texts are in a file.
    pub(super) fn is_on_disk(&self) -> bool {
        self.file.is_some()
    }

    /// Reads the bytes from `begin` on.
    ///
    /// # Errors
    /// [`Error::Internal`] when the texts aren't in a file, or it can't be read.
    pub(super) async fn read(&self, begin: u64, bytes: usize) -> Result<Vec<u8>> {
        let failed = |err: io::Error| Error::Internal(Box::new(err));
        let file = self.file.as_ref().ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        let mut file = file.lock().await;
        // Writes are buffered, and a seek waits for them.
        file.flush().await.map_err(failed)?;
        file.seek(SeekFrom::Start(begin)).await.map_err(failed)?;
        let mut text = vec![0; bytes];
        file.read_exact(&mut text).await.map_err(failed)?;
        Ok(text)
    }

    /// Counts all bytes so far in the share of the disk.
    fn reserve(&mut self, disk: &MemoryShare) -> Result<()> {
        let bytes = usize::try_from(self.bytes).unwrap_or(usize::MAX);
        if bytes > disk.largest() {
            let (field, unit) = ("the history of the agent".to_owned(), "bytes or more");
            return Err(Error::TooLarge { field, actual: bytes, limit: disk.largest(), unit });
        }
        let reserved = match &mut self.room {
            Some(room) => room.grow_to(bytes),
            None => disk.try_reserve(bytes).map(|room| self.room = Some(room)),
        };
        reserved.map_err(|_| {
            Error::Unavailable("other imports take up the disk space for imports; try again later")
        })
    }
}

/// Creates a temporary file without a name, which disappears when it is closed. Only this user can read it, because
/// prompts are confidential.
///
/// # Errors
/// When the folder for temporary files isn't writable.
pub async fn temporary_file(clock: &Clock) -> io::Result<File> {
    let path = std::env::temp_dir().join(format!(".agent-registry-import-{}", clock.id::<uuid::Uuid>()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).await?;
    tokio::fs::remove_file(&path).await?;
    Ok(file)
}

fn no_room(err: io::Error) -> Error {
    tracing::warn!(error = %err, "an import's temporary file can't be written");
    Error::Unavailable("the folder for temporary files has no room for this line")
}
