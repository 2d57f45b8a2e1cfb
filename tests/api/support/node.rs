//! Scripts of Node, with npm's packages of the versions in tests/package.json.

use std::{path::Path, process::Stdio};

use tokio::process::Command;

use super::log;

/// A script, to be run in this folder of tests. It ends with whoever waits for it.
pub(crate) fn script(folder: &str, path: &str) -> Command {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    assert!(tests.join("node_modules").exists(), "run `npm ci` in tests, as `make test` does");
    let mut command = Command::new("node");
    command.current_dir(tests.join(folder)).arg(path);
    command.stdin(Stdio::null()).stderr(log::pipe("node")).kill_on_drop(true);
    command
}
