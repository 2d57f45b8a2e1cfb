//! Stops the server when its last user is gone, even one that was killed: destructors of statics
//! never run, and a test runner may start a process a test.
//!
//! A named pipe counts the users, because the kernel does: each holds the writing end, the watchdog (a few
//! lines of `sh`, detached) the reading end. Who joins writes its name and waits for the file `seen-NAME`:
//! once answered, the watchdog cannot come to an end of the pipe before the joiner has gone. A joiner that is
//! not answered meets a watchdog that is stopping the server, and waits until the pipe is removed. Who
//! removes the pipe relieves the watchdog of its duty. It may not be called but by the holder of the turn
//! (`mod.rs`).

use super::error::{EmbeddedError, io};
use super::place::Place;
use rustix::fs::OFlags;
use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Arguments: the folder, the pipe. The pipe is opened for writing too, for a moment: otherwise this would
/// wait for ever for a starter that was killed; it waits twenty seconds. About two seconds without a user are
/// the end, so that runs of short processes share a server.
const SCRIPT: &str = r#"
trap '' HUP INT
folder=$1 pipe=$2 idle=-100
mkfifo -m 600 "$pipe" && exec 4<>"$pipe" 3<"$pipe" 4>&- || exit 1
while [ "$idle" -lt 10 ]; do
  if read -r name <&3; then
    idle=0
    true >"$folder/seen-$name"
  else
    idle=$((idle + 1))
    sleep 0.2 2>/dev/null || sleep 1
  fi
done
ours() {
  [ -p "$pipe" ] && read -r pid <"$folder/data/postmaster.pid" && [ "$pid" -gt 1 ] || return 1
  if [ -e /proc/self/cmdline ]; then tr '\0' ' ' <"/proc/$pid/cmdline"; else ps -ww -o command= -p "$pid"; fi |
    grep -qF -- "$folder/data"
}
stop() {
  ours && kill "-$1" "$pid" || return 0
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    ours || return 0
    sleep 0.2 2>/dev/null || sleep 1
    ours || return 0
    sleep 1
  done
}
stop INT
stop QUIT
rm -f "$pipe"
"#;

/// How long a watchdog may take to come up or to answer, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(45);

/// How long a pipe without a reader is believed in. A watchdog that lives holds its end all the time.
const NO_READER: Duration = Duration::from_secs(1);

static JOINED: AtomicU64 = AtomicU64::new(0);

/// Our end of the pipe; dropping it is leaving.
#[derive(Debug)]
pub(super) struct Watch {
    _pipe: File,
}

impl Watch {
    /// Joins the watchdog that there is. `None` where there is none, or none that answers (its pipe is then
    /// removed).
    pub(super) async fn join(place: &Place) -> Result<Option<Self>, EmbeddedError> {
        let Some(path) = pipes(place).pop() else {
            return Ok(None);
        };
        let watch = Self::enter(place, &path, NO_READER).await?;
        if watch.is_none() {
            dismiss(place);
        }
        Ok(watch)
    }

    /// Starts a watchdog and joins it. Only for who uses the server alone.
    pub(super) async fn start(place: &Place) -> Result<Self, EmbeddedError> {
        for left in entries(place, "watch-").chain(entries(place, "seen-")) {
            let _ = fs::remove_file(left.path());
        }
        let path = place.folder.join(format!("watch-{}", fresh_name()));
        // As ourselves, not as the server's user: it must be able to write here. It needs nothing of our
        // environment.
        let mut child = Command::new("/bin/sh")
            .arg("-c")
            .arg(SCRIPT)
            .arg("agent-registry-watchdog")
            .args([&place.folder, &path])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(io("run", Path::new("/bin/sh")))?;
        let begun = Instant::now();
        while !path.exists() {
            if begun.elapsed() > PATIENCE || matches!(child.try_wait(), Ok(Some(_))) {
                return Err(EmbeddedError::Watchdog);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Self::enter(place, &path, PATIENCE).await?.ok_or(EmbeddedError::Watchdog)
    }

    /// `None` when the pipe has no reader, goes away, or nobody answers.
    async fn enter(place: &Place, path: &Path, no_reader: Duration) -> Result<Option<Self>, EmbeddedError> {
        let name = fresh_name();
        let seen = place.folder.join(format!("seen-{name}"));
        let _ = fs::remove_file(&seen);
        let begun = Instant::now();
        let mut pipe = None;
        while begun.elapsed() < PATIENCE && path.exists() {
            match &pipe {
                None => match open(path) {
                    Ok(mut opened) => {
                        if writeln!(opened, "{name}").is_ok() {
                            pipe = Some(opened);
                        }
                    }
                    Err(_) if begun.elapsed() < no_reader => {}
                    Err(_) => return Ok(None),
                },
                Some(_) if seen.exists() => {
                    fs::remove_file(&seen).map_err(io("remove", &seen))?;
                    return Ok(pipe.map(|pipe| Self { _pipe: pipe }));
                }
                Some(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(None)
    }
}

/// Relieves every watchdog of this folder: without its pipe it stops nothing.
pub(super) fn dismiss(place: &Place) {
    for pipe in pipes(place) {
        // Somebody else's removal is as good as ours.
        let _ = fs::remove_file(pipe);
    }
}

fn pipes(place: &Place) -> Vec<PathBuf> {
    let pipes = entries(place, "watch-").filter(|child| child.file_type().is_ok_and(|kind| kind.is_fifo()));
    pipes.map(|child| child.path()).collect()
}

fn entries(place: &Place, prefix: &str) -> impl Iterator<Item = DirEntry> {
    let children = fs::read_dir(&place.folder).into_iter().flatten().flatten();
    children.filter(move |child| child.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()))
}

/// Without a reader this fails at once instead of waiting for one.
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)
}

/// A name that no living process but this one uses, and this one once.
fn fresh_name() -> String {
    format!("{}-{}", std::process::id(), JOINED.fetch_add(1, Ordering::Relaxed))
}
