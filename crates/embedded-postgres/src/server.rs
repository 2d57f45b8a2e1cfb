//! The server process: starts it, recognises it, waits for it and stops it. Takes no locks: callers of `start` and
//! `stop` hold `turn.lock` (`mod.rs`).

use super::binaries::Binaries;
use super::error::{EmbeddedError, io};
use super::layout::{Layout, PORT};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The time limit for a start, including recovery after a crash.
const START: Duration = Duration::from_secs(300);
/// The time limit for a fast shutdown, which terminates sessions and writes a checkpoint.
const FAST_STOP: Duration = Duration::from_secs(60);
/// The time limit for an immediate shutdown.
const IMMEDIATE_STOP: Duration = Duration::from_secs(15);
/// The time limit for the sessions of a killed server to end.
const ORPHANS: Duration = Duration::from_secs(20);
/// The polling interval of these waits.
const LOOK: Duration = Duration::from_millis(5);
/// The size above which the log is rotated at the next start, in bytes.
const LONGEST_LOG: u64 = 16 << 20;

/// A process id above the maximum of every system, so that Postgres takes it for a dead process.
const NOBODY: &str = "2147483647";

/// The state of the server, from `postmaster.pid` and the process list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// No server runs.
    Absent,
    /// The server is starting up or shutting down.
    Busy(Pid),
    /// The server accepts connections, on a socket in this folder.
    Ready(Pid, PathBuf),
}

/// Reads the server's state.
pub(super) fn read_state(layout: &Layout) -> Result<State, EmbeddedError> {
    let file = layout.data().join("postmaster.pid");
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(State::Absent),
        Err(error) => return Err(io("read", &file)(error)),
    };
    // Pid, data folder, start time, port, socket folder, address, shared memory, status.
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let pid = lines.first().and_then(|line| line.parse().ok()).and_then(Pid::from_raw);
    Ok(match (pid.filter(|pid| is_ours(layout, *pid)), lines.get(4), lines.get(7)) {
        (None, _, _) => State::Absent,
        (Some(pid), Some(socket), Some(&"ready")) if !socket.is_empty() => {
            State::Ready(pid, PathBuf::from(socket))
        }
        (Some(pid), _, _) => State::Busy(pid),
    })
}

/// Whether this process is a server of our cluster. Its command line must contain the data folder, since process
/// ids are reused.
fn is_ours(layout: &Layout, pid: Pid) -> bool {
    let data = layout.data();
    let data = data.as_os_str().as_encoded_bytes();
    let number = pid.as_raw_nonzero().to_string();
    let line = if Path::new("/proc/self/cmdline").exists() {
        fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default()
    } else {
        let ps = Command::new("/bin/ps")
            .args(["-ww", "-o", "command=", "-p", &number])
            .stderr(Stdio::null())
            .output();
        ps.map(|said| said.stdout).unwrap_or_default()
    };
    line.windows(data.len()).any(|part| part == data)
}

/// Whether this process is the running server of our cluster, wherever its folder is now.
pub(super) fn is_running(layout: &Layout, pid: Pid) -> bool {
    is_ours(layout, pid)
}

/// Waits until no server of a cluster that was in this folder runs. A server removes its `postmaster.pid` shortly before
/// it ends. Without `/proc`, nothing is found.
///
/// Fails with [`EmbeddedError::Orphan`] for one that stays: its folder was moved or unmounted.
pub(super) async fn expect_no_orphan(layout: &Layout) -> Result<(), EmbeddedError> {
    let begun = Instant::now();
    while let Some(pid) = find_orphan(&layout.data()) {
        if begun.elapsed() > ORPHANS {
            return Err(EmbeddedError::Orphan { pid, data: layout.data() });
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Returns the process that was started as a server of this folder, by its command line (see `start_once`).
fn find_orphan(data: &Path) -> Option<i32> {
    let wanted = [b"-D", data.as_os_str().as_encoded_bytes()];
    let is_server = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0);
        let program = words.next().unwrap_or_default();
        program.ends_with(b"/postgres") && words.take(2).eq(wanted)
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(is_server)
}

/// Starts the server and waits until it accepts connections. Returns the process and the socket's folder.
pub(super) async fn start(
    layout: &Layout,
    binaries: &Binaries,
    durable: bool,
) -> Result<(Child, PathBuf), EmbeddedError> {
    let socket = layout.socket()?;
    let begun = Instant::now();
    loop {
        repair_pid_file(layout)?;
        remove_socket(layout, &socket)?;
        match start_once(layout, binaries, durable, &socket).await {
            // The previous server was killed, and some of its sessions still run.
            Err(EmbeddedError::Start { tail, .. })
                if tail.contains("pre-existing shared memory block") && begun.elapsed() < ORPHANS =>
            {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Err(error) => return Err(error),
            Ok(child) => return Ok((child, socket)),
        }
    }
}

async fn start_once(
    layout: &Layout,
    binaries: &Binaries,
    durable: bool,
    socket: &Path,
) -> Result<Child, EmbeddedError> {
    let path = layout.log();
    let before = fs::metadata(&path).map(|seen| seen.len()).unwrap_or(0);
    let before = if before > LONGEST_LOG {
        fs::rename(&path, path.with_extension("log.old")).map_err(io("rotate", &path))?;
        0
    } else {
        before
    };
    let log =
        OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(io("open", &path))?;
    let copy = log.try_clone().map_err(io("open", &path))?;
    let program = binaries.program("postgres");
    let mut command = Command::new(&program);
    command.arg("-D").arg(layout.data()).args(settings(socket, durable));
    layout.configure_command(&mut command);
    command.stdin(Stdio::null()).stdout(log).stderr(copy);
    let mut child = command.spawn().map_err(io("run", &program))?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let begun = Instant::now();
    let failed =
        |problem: String| EmbeddedError::Start { problem, log: path.clone(), tail: tail(&path, before) };
    loop {
        if let Some(status) = child.try_wait().map_err(io("wait for", &program))? {
            return Err(failed(status.to_string()));
        }
        if let State::Ready(ready, _) = read_state(layout)?
            && Some(ready) == pid
        {
            return Ok(child);
        }
        if begun.elapsed() > START {
            if let Some(pid) = pid {
                stop(layout, pid, Some(&mut child)).await?;
            }
            return Err(failed(format!("not ready after {} s", START.as_secs())));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The server's settings. They are passed on the command line and not written to the cluster's files, so that they
/// apply to clusters of every release of this program.
fn settings(socket: &Path, durable: bool) -> Vec<OsString> {
    let mut all: Vec<OsString> = Vec::new();
    let mut set = |setting: OsString| all.extend(["-c".into(), setting]);
    let mut directory = OsString::from("unix_socket_directories=");
    directory.push(socket);
    set(directory);
    set(format!("port={PORT}").into());
    let fixed = [
        "listen_addresses=",
        "unix_socket_permissions=0700",
        "max_connections=200",
        "log_min_messages=warning",
        "log_checkpoints=off",
        "log_line_prefix=%m [%p] ",
        "log_timezone=UTC",
        "TimeZone=UTC",
        "jit=off",
    ];
    // A crash of the machine may corrupt the cluster, which is then created again. Commits stay synchronous, so they
    // survive a killed server.
    let hasty = [
        "shared_buffers=128MB",
        "fsync=off",
        "full_page_writes=off",
        "max_wal_size=4GB",
        "checkpoint_timeout=1h",
    ];
    // Enough for the indexes of some million versions. Memory is allocated as it is used.
    let lasting = ["shared_buffers=512MB"];
    let kind = if durable { lasting.as_slice() } else { hasty.as_slice() };
    fixed.iter().chain(kind).for_each(|setting| set(setting.into()));
    all
}

/// Repairs a stale `postmaster.pid`. Process ids are reused, quickly so in containers, and Postgres refuses to start if
/// another process has a dead server's id. Only the id is replaced: from the rest of the file, Postgres detects whether
/// sessions of the dead server still run.
fn repair_pid_file(layout: &Layout) -> Result<(), EmbeddedError> {
    let file = layout.data().join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&file) else {
        return Ok(());
    };
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let pid = first.trim().parse().ok().and_then(Pid::from_raw);
    if !matches!(read_state(layout)?, State::Absent) || !pid.is_some_and(lives) {
        return Ok(());
    }
    fs::write(&file, format!("{NOBODY}\n{rest}")).map_err(io("write", &file))
}

/// Removes the socket of a dead server, and its lock. A server whose folder was moved leaves them there, and Postgres refuses
/// to start if the lock has the id of any process, such as a dead child that isn't reaped yet.
fn remove_socket(layout: &Layout, socket: &Path) -> Result<(), EmbeddedError> {
    if !matches!(read_state(layout)?, State::Absent) {
        return Ok(());
    }
    for name in [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")] {
        let left = socket.join(name);
        match fs::remove_file(&left) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io("remove", &left)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a process with this id exists, of any user.
fn lives(pid: Pid) -> bool {
    !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

/// Waits until the server is neither starting up nor shutting down.
pub(super) async fn wait_until_settled(layout: &Layout) -> Result<State, EmbeddedError> {
    let begun = Instant::now();
    loop {
        match read_state(layout)? {
            State::Busy(pid) if begun.elapsed() > START => return Err(EmbeddedError::Stop { pid: raw(pid) }),
            State::Busy(_) => tokio::time::sleep(LOOK).await,
            settled => return Ok(settled),
        }
    }
}

/// Stops the server with a fast shutdown. If that times out, uses an immediate shutdown.
pub(super) async fn stop(
    layout: &Layout,
    pid: Pid,
    mut child: Option<&mut Child>,
) -> Result<(), EmbeddedError> {
    for (signal, patience) in [(Signal::INT, FAST_STOP), (Signal::QUIT, IMMEDIATE_STOP)] {
        signal_to(layout, pid, signal);
        let begun = Instant::now();
        while begun.elapsed() < patience {
            // A child that ended stays a zombie until its parent reaps it.
            let ended = child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(Some(_))));
            if ended || !is_ours(layout, pid) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    Err(EmbeddedError::Stop { pid: raw(pid) })
}

/// Signals the process, if it is still the server.
pub(super) fn signal_to(layout: &Layout, pid: Pid, signal: Signal) {
    if is_ours(layout, pid) {
        let _ = kill_process(pid, signal);
    }
}

/// Returns the process id as a number, for messages.
pub(super) fn raw(pid: Pid) -> i32 {
    pid.as_raw_nonzero().get()
}

/// Returns the last lines written to the log after this offset, joined to one line.
fn tail(log: &Path, from: u64) -> String {
    let text = fs::read(log).unwrap_or_default();
    let new = usize::try_from(from).ok().and_then(|from| text.get(from..)).unwrap_or(&text);
    last_lines(&String::from_utf8_lossy(new))
}

/// Returns the last four lines of a program's output, joined to one line.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(4)..).unwrap_or_default();
    if last.is_empty() { "(nothing)".to_owned() } else { last.join(" | ") }
}
