//! What is exported is written to a file of its own first: neither a half export nor a slow reader that holds up the
//! database can come of it.

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

/// A file beside its place, which it takes once it is whole. It is gone if it never does.
pub(super) struct Draft {
    file: fs::File,
    path: Option<PathBuf>,
    /// Where it goes as a whole; what can't be replaced is written into instead.
    place: Option<PathBuf>,
}

impl Draft {
    /// Begins one for this place, or for standard output.
    ///
    /// # Errors
    /// [`Failure::Usage`] when that can't be written.
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
        // Prompts are a customer's own: nobody else on the machine reads them.
        let opened = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = opened.map_err(unwritable)?;
        if place.is_none() {
            fs::remove_file(&path)?;
        }
        Ok(Self { file, path: place.is_some().then_some(path), place })
    }

    /// What writes it.
    ///
    /// # Errors
    /// When the file can't be shared.
    pub(super) fn writer(&self) -> io::Result<BufWriter<File>> {
        Ok(BufWriter::new(File::from_std(self.file.try_clone()?)))
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// When it can't be.
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
            // Whoever read us has had enough.
            Err(err) if err.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(err) => Err(err.into()),
            Ok(_) => Ok(()),
        }
    }
}

/// Writes what is left to be written, and waits until the disk has it.
///
/// # Errors
/// When it can't be written.
pub(super) async fn finish(mut file: BufWriter<File>) -> io::Result<()> {
    file.flush().await?;
    file.get_ref().sync_all().await
}

/// The file that is to be replaced or made, if it may be: where a link leads, but neither a device nor a pipe.
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
