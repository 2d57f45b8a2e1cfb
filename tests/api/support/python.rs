//! Runs Python programs with PyPI's packages, in the versions of tests/requirements.txt.

use std::{path::Path, process::Stdio};

use tokio::process::Command;

/// A program of tests/.venv. The process is killed when its handle is dropped.
pub(crate) fn program(name: &str) -> Command {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/.venv/bin").join(name);
    assert!(program.exists(), "run `scripts/setup test`, as `make test` does");
    let mut command = Command::new(program);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
    command
}
