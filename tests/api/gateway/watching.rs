//! Runs a real `watch` process and reads its output.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_agent-registry");
/// How long to wait for an event: many times what it takes.
const DEADLINE: Duration = Duration::from_secs(60);

/// A folder for a gateway's files; removed when it is dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        let id = agent_registry::clock::Clock::default().id::<uuid::Uuid>();
        let folder = std::env::temp_dir().join(format!("agent-registry-gateway-{id}"));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The content of the state file; none when there is no file.
    pub(super) fn state(&self) -> Option<Value> {
        let bytes = std::fs::read(self.path("state")).ok()?;
        // The file is replaced atomically, so it is never incomplete.
        let mut file: Value = serde_json::from_slice(&bytes).unwrap();
        Some(file["state"].take())
    }

    /// The names of the files.
    pub(super) fn names(&self) -> Vec<String> {
        let files = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn command(url: &str, token: Option<&str>, args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["watch", "--url", url]).args(args).stdin(Stdio::null()).env("LOG", "warn");
    match token {
        Some(token) => command.env("TOKEN", token),
        None => command.env_remove("TOKEN"),
    };
    command
}

/// Runs `watch` to its end.
pub(super) async fn run(url: &str, token: Option<&str>, args: &[&str]) -> Output {
    let mut command = command(url, token, args);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// The exit code and the error output.
pub(super) fn complaint(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stderr.clone()).unwrap())
}

/// A running `watch`; killed when it is dropped.
pub(super) struct WatchProcess {
    process: Child,
    said: Arc<Mutex<Vec<String>>>,
}

impl WatchProcess {
    /// Starts it with `--state` in this folder.
    pub(super) fn start(url: &str, token: Option<&str>, folder: &Folder, args: &[&str]) -> Self {
        let state = folder.path("state");
        let args = [&["--state", state.to_str().unwrap()], args].concat();
        let mut process =
            command(url, token, &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        listen(process.stdout.take().unwrap(), &said);
        listen(process.stderr.take().unwrap(), &said);
        Self { process, said }
    }

    /// All lines of its output so far.
    pub(super) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it has printed `times` lines that contain `what`. Returns the last of them.
    pub(super) async fn says(&self, what: &str, times: usize) -> String {
        let found = until(|| self.said().into_iter().filter(|line| line.contains(what)).nth(times - 1)).await;
        found.unwrap_or_else(|| panic!("{times} × {what:?} is not in {:#?}", self.said()))
    }

    /// Kills it with SIGKILL.
    pub(super) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Stops it with SIGTERM. Returns its exit status.
    pub(super) async fn stop(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        until(|| self.process.try_wait().unwrap()).await.expect("it does not exit")
    }
}

impl Drop for WatchProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            println!("watch: {:#?}", self.said());
        }
    }
}

fn listen(from: impl Read + Send + 'static, to: &Arc<Mutex<Vec<String>>>) {
    let to = Arc::clone(to);
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            to.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}

/// Polls until `find` returns a value. Returns none after [`DEADLINE`].
pub(super) async fn until<T>(mut find: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    while begun.elapsed() < DEADLINE {
        if let Some(found) = find() {
            return Some(found);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

/// A path as an argument.
pub(super) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
