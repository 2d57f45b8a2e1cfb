//! Exports are written to a temporary file first. So a failed export leaves no partial output.

use std::{
    fs::{self, OpenOptions},
    io::{self, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use tokio::{
    fs::File,
    io::{AsyncWriteExt, BufWriter},
};

use super::Failure;
use crate::clock::Clock;

/// A temporary file next to its destination, renamed to it when complete. It is deleted on drop otherwise.
pub(super) struct Draft {
    file: fs::File,
    path: Option<PathBuf>,
    /// The destination of the rename. `None` when the output isn't a regular file: its content is copied instead.
    place: Option<PathBuf>,
}

impl Draft {
    /// Creates a draft for this path, or for standard output.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the output can't be written.
    pub(super) fn open(output: Option<&Path>) -> Result<Self, Failure> {
        let name = format!(".agent-registry-export-{}", Clock::default().id::<uuid::Uuid>());
        let unwritable = |err: io::Error| {
            let place =
                output.map_or_else(|| "a temporary file".to_owned(), |output| output.display().to_string());
            Failure::Usage(format!("can't write {place}: {err}"))
        };
        let place = replaceable(output).map_err(unwritable)?;
        let path = match &place {
            None => std::env::temp_dir().join(name),
            Some(place) => place.with_file_name(name),
        };
        if output.is_some_and(Path::is_dir) {
            return Err(unwritable(io::ErrorKind::IsADirectory.into()));
        }
        // Mode 0600, because prompts are confidential.
        let opened = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = opened.map_err(unwritable)?;
        if place.is_none() {
            fs::remove_file(&path)?;
        }
        Ok(Self { file, path: place.is_some().then_some(path), place })
    }

    /// Returns a buffered writer to the draft.
    ///
    /// # Errors
    /// When the file descriptor can't be duplicated.
    pub(super) fn writer(&self) -> io::Result<BufWriter<File>> {
        Ok(BufWriter::new(File::from_std(self.file.try_clone()?)))
    }

    /// Renames the draft to its destination, or copies its content to an output that can't be replaced.
    ///
    /// # Errors
    /// When the rename or the copy fails. A broken pipe is no failure.
    pub(super) fn publish(mut self, output: Option<&Path>) -> Result<(), Failure> {
        if let (Some(path), Some(place)) = (self.path.take(), &self.place) {
            return Ok(fs::rename(&path, place).inspect_err(|_| drop(fs::remove_file(&path)))?);
        }
        self.file.seek(SeekFrom::Start(0))?;
        let copied = match output {
            Some(place) => {
                let mut place = OpenOptions::new().write(true).open(place)?;
                io::copy(&mut self.file, &mut place)
            }
            None => io::copy(&mut self.file, &mut io::stdout().lock()),
        };
        match copied {
            // The reader of standard output closed the pipe, as `head` does.
            Err(err) if err.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(err) => Err(err.into()),
            Ok(_) => Ok(()),
        }
    }
}

/// Flushes the buffer and syncs the file to disk.
///
/// # Errors
/// When writing or syncing fails.
pub(super) async fn finish(mut file: BufWriter<File>) -> io::Result<()> {
    file.flush().await?;
    file.get_ref().sync_all().await
}

/// Returns the path to replace or create, with symbolic links resolved. Returns `None` for standard output, devices and
/// pipes.
fn replaceable(output: Option<&Path>) -> io::Result<Option<PathBuf>> {
    let Some(output) = output else { return Ok(None) };
    match fs::metadata(output) {
        Ok(found) if found.is_file() => fs::canonicalize(output).map(Some),
        Ok(_) => Ok(None),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(Some(output.to_owned())),
        Err(err) => Err(err),
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}
