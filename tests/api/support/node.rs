//! Runs Node scripts with npm's packages, in the versions of tests/package.json or console/package.json.

use std::{path::Path, process::Stdio};

use tokio::process::Command;

use super::log;

/// A command that runs this script in this folder of tests. The process is killed when its handle is dropped.
pub(crate) fn script(folder: &str, path: &str) -> Command {
    run("tests", folder, path)
}

/// A command that runs this script of the console. The process is killed when its handle is dropped.
pub(crate) fn console_script(name: &str) -> Command {
    run("console", ".", &format!("scripts/{name}"))
}

fn run(package: &str, folder: &str, path: &str) -> Command {
    let package_folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(package);
    let is_installed = package_folder.join("node_modules").exists();
    assert!(is_installed, "run `npm ci` in {package}, as `make test` does");
    let mut command = Command::new("node");
    command.current_dir(package_folder.join(folder)).arg(path);
    command.stdin(Stdio::null()).stderr(log::pipe("node")).kill_on_drop(true);
    command
}
