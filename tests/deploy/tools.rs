//! Checks the files with the tools of others: `systemd-analyze`, `kubectl` and `docker compose`, each only where it is
//! installed.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::{PROGRAM, files, read, root};

/// The first systemd that knows `%d` and rates units without running them.
const SYSTEMD: u32 = 250;
/// The most exposure of a unit that is accepted, in tenths: 0 is best, 100 worst.
const EXPOSURE: &str = "20";

/// Runs a tool in the root of the repository. `None` if it isn't installed or fails to say its version.
fn tool(version: &[&str], arguments: &[&str]) -> Option<Output> {
    let run = |words: &[&str]| {
        let (program, rest) = words.split_first()?;
        Command::new(program).args(rest).current_dir(root()).stdin(Stdio::null()).output().ok()
    };
    run(version).filter(|output| output.status.success())?;
    run(&[&version[..1], arguments].concat())
}

/// A folder of its own for copies of the units, removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether systemd is here, and new enough.
fn has_systemd() -> bool {
    let Some(output) = tool(&["systemd-analyze", "--version"], &["--version"]) else { return false };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number =
        text.split_whitespace().nth(1).and_then(|number| number.split('.').next()?.parse::<u32>().ok());
    number.is_some_and(|number| number >= SYSTEMD)
}

/// The complaints of `systemd-analyze` about a unit. The binary of this build is where the unit expects the installed one.
fn complaints(folder: &Folder, name: &str, unit: &str) -> String {
    let path = folder.0.join(name);
    let unit = unit.replace("ExecStart=/usr/local/bin/agent-registry", &format!("ExecStart={PROGRAM}"));
    std::fs::write(&path, unit).unwrap();
    let path = path.to_str().unwrap();
    let verified = tool(&["systemd-analyze", "--version"], &["verify", "--man=no", path]).unwrap();
    // Units of this machine may have faults of their own.
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let mut complaints: Vec<&str> = said.lines().filter(|line| line.contains(name)).collect();
    let threshold = format!("--threshold={EXPOSURE}");
    let rated = ["security", "--offline=true", "--no-pager", &threshold, path];
    if !tool(&["systemd-analyze", "--version"], &rated).unwrap().status.success() {
        complaints.push("it is exposed too much");
    }
    complaints.join("\n")
}

#[test]
fn systemd_accepts_the_units() {
    if !has_systemd() {
        return;
    }
    let folder = Folder::new("units");
    let paths = files(".service");
    assert_eq!(paths.len(), 2);
    for path in paths {
        let (unit, name) = (read(&path), path.rsplit('/').next().unwrap());
        assert_eq!(complaints(&folder, name, &unit), "", "{path}");
    }
    let unit = read("deploy/systemd/agent-registry.service");
    let planted = unit.replace("ProtectHome=yes", "ProtectHomes=yes");
    assert!(
        complaints(&folder, "planted.service", &planted).contains("ProtectHomes"),
        "a word of no meaning"
    );
    let planted: Vec<&str> = unit.lines().filter(|line| !line.starts_with("SystemCallFilter")).collect();
    let planted =
        planted.join("\n").replace("CapabilityBoundingSet=\n", "").replace("PrivateUsers=yes\n", "");
    assert!(complaints(&folder, "planted.service", &planted).contains("exposed"), "an open unit");
}

#[test]
fn kustomize_builds_both_folders() {
    for folder in ["deploy/kubernetes/base", "deploy/kubernetes/migrate"] {
        let Some(built) = tool(&["kubectl", "version", "--client"], &["kustomize", folder]) else { return };
        assert!(built.status.success(), "{folder}: {}", String::from_utf8_lossy(&built.stderr));
        let text = String::from_utf8(built.stdout).unwrap();
        let image = format!("image: agent-registry:{}\n", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&image), "{folder}: {text}");
    }
}

#[test]
fn compose_accepts_its_file() {
    let arguments = ["compose", "--file", "deploy/compose.yaml", "config", "--quiet"];
    let Some(checked) = tool(&["docker", "compose", "version"], &arguments) else { return };
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
