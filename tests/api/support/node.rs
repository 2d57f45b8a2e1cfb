//! Runs Node scripts with npm's packages, in the versions of tests/package.json.

use std::{path::Path, process::Stdio};

use tokio::process::Command;

use super::log;

/// A command that runs this script in this folder of tests. The process is killed when its handle is dropped.
pub(crate) fn script(folder: &str, path: &str) -> Command {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    assert!(tests.join("node_modules").exists(), "run `npm ci` in tests, as `make test` does");
    let mut command = Command::new("node");
    command.current_dir(tests.join(folder)).arg(path);
    command.stdin(Stdio::null()).stderr(log::pipe("node")).kill_on_drop(true);
    command
}
