//! Writes the service's log to the output of the test that runs it, so that the log is printed when that test
//! fails.
//!
//! One subscriber serves the whole process, because a scoped one doesn't follow spawned tasks. It prints with
//! `print!`: the test runner captures that by thread, and a thread inherits the capture of the thread that started
//! it. Each test has its own runtime, so all tasks of its service run on its threads.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::Stdio,
    sync::Mutex,
    thread,
};

use tracing_subscriber::EnvFilter;

/// How many of the last lines are kept for [`lines_with`].
const KEPT: usize = 5_000;

static LINES: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Prints lines into the output of the test, and keeps them.
struct KeepingWriter;

impl Write for KeepingWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line).into_owned();
        print!("{text}");
        let mut lines = LINES.lock().unwrap();
        lines.push_back(text);
        if lines.len() > KEPT {
            lines.pop_front();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the last log lines that contain this text, such as a request's id. Lines of services in this process only.
pub(crate) fn lines_with(text: &str) -> Vec<String> {
    LINES.lock().unwrap().iter().filter(|line| line.contains(text)).cloned().collect()
}

/// Sends the log lines of this process to the output of the test. `TEST_LOG` filters them, in the form of
/// `RUST_LOG`.
///
/// The default level is `info`: at `debug` the service skips its fast path, so tests of the fast path would test
/// nothing. `make proof` prints the output of all tests, so its level is `error`.
pub(crate) fn capture() {
    let level = if std::env::var_os("PROOF").is_some() { "error" } else { "info" };
    let filter = EnvFilter::try_from_env("TEST_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    // The first test of the process sets the subscriber up; for the others this fails, which is fine.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| KeepingWriter)
        .with_ansi(false)
        .try_init();
}

/// Returns an output for a child process. Each line is printed, after `name`, into the output of the test that
/// started it.
pub(crate) fn pipe(name: &'static str) -> Stdio {
    let (reader, writer) = io::pipe().expect("a pipe");
    thread::spawn(move || {
        for line in BufReader::new(reader).lines().map_while(Result::ok) {
            println!("{name}: {line}");
        }
    });
    writer.into()
}

/// Prints what a process has written into this file, if the test is failing. Called in the `Drop` of the process's
/// owner.
pub(crate) fn show_if_failing(file: &Path) {
    if thread::panicking()
        && let Ok(log) = std::fs::read_to_string(file)
    {
        println!("{}:\n{log}", file.display());
    }
}
