//! The watchdog: stops the server when its last user has ended, even if it was killed. Tests need it, because
//! destructors of statics never run, and a test runner may start one process per test.
//!
//! A named pipe tracks the users. Each user holds the writing end open; the watchdog, a detached `sh` script, holds the
//! reading end and sees end-of-file when the last writer is gone. A joiner writes its name and waits for the file
//! `seen-NAME`. After that reply, the watchdog can't see end-of-file before the joiner ends. If there is no reply, the
//! watchdog is stopping the server, and the joiner waits until the pipe is removed. Removing the pipe dismisses the
//! watchdog. All callers hold `turn.lock` (`mod.rs`).

use super::error::{EmbeddedError, io};
use super::layout::Layout;
use rustix::fs::OFlags;
use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The script. Its arguments are the folder and the pipe. It briefly opens the pipe for writing too, because opening it
/// for reading alone would block for ever if the starter was killed. It waits about twenty seconds for the first user.
/// It stops the server after about two seconds without a user, so that a sequence of short processes shares a server.
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

/// The time limit for the watchdog to start or to reply, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(45);

/// The time after which a pipe without a reader counts as abandoned. A running watchdog always holds the reading end.
const NO_READER: Duration = Duration::from_secs(1);

static JOINED: AtomicU64 = AtomicU64::new(0);

/// The writing end of the pipe. Dropping it ends this process' use.
#[derive(Debug)]
pub(super) struct WatchdogHandle {
    _pipe: File,
}

impl WatchdogHandle {
    /// Joins the running watchdog. Returns `None` when there is none, or when it doesn't reply; its pipe is removed
    /// then.
    pub(super) async fn join(layout: &Layout) -> Result<Option<Self>, EmbeddedError> {
        let Some(path) = pipes(layout).pop() else {
            return Ok(None);
        };
        let watch = Self::enter(layout, &path, NO_READER).await?;
        if watch.is_none() {
            dismiss(layout);
        }
        Ok(watch)
    }

    /// Starts a watchdog and joins it. The caller must be the server's only user.
    pub(super) async fn start(layout: &Layout) -> Result<Self, EmbeddedError> {
        for left in entries(layout, "watch-").chain(entries(layout, "seen-")) {
            let _ = fs::remove_file(left.path());
        }
        let path = layout.folder.join(format!("watch-{}", fresh_name()));
        // The watchdog runs as our user, not the server's, since it writes to our folder. It gets none of our
        // environment.
        let mut child = Command::new("/bin/sh")
            .arg("-c")
            .arg(SCRIPT)
            .arg("agent-registry-watchdog")
            .args([&layout.folder, &path])
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
        Self::enter(layout, &path, PATIENCE).await?.ok_or(EmbeddedError::Watchdog)
    }

    /// Joins through this pipe. Returns `None` when the pipe has no reader, is removed, or gets no reply in time.
    async fn enter(layout: &Layout, path: &Path, no_reader: Duration) -> Result<Option<Self>, EmbeddedError> {
        let name = fresh_name();
        let seen = layout.folder.join(format!("seen-{name}"));
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

/// Dismisses the watchdogs of this folder by removing their pipes. Without its pipe, a watchdog doesn't stop the
/// server.
pub(super) fn dismiss(layout: &Layout) {
    for pipe in pipes(layout) {
        // An error means that the pipe is already removed.
        let _ = fs::remove_file(pipe);
    }
}

fn pipes(layout: &Layout) -> Vec<PathBuf> {
    let pipes = entries(layout, "watch-").filter(|child| child.file_type().is_ok_and(|kind| kind.is_fifo()));
    pipes.map(|child| child.path()).collect()
}

fn entries(layout: &Layout, prefix: &str) -> impl Iterator<Item = DirEntry> {
    let children = fs::read_dir(&layout.folder).into_iter().flatten().flatten();
    children.filter(move |child| child.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()))
}

/// Opens the pipe for writing. Without a reader, this fails at once and doesn't block.
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)
}

/// Returns a name that is unique among running processes.
fn fresh_name() -> String {
    format!("{}-{}", std::process::id(), JOINED.fetch_add(1, Ordering::Relaxed))
}
