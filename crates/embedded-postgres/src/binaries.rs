//! Finds the installed Postgres: in the configured folder, else in PATH, else where distributions install it. Runs only
//! `postgres --version`. Reads no environment: PATH is an argument.

use super::error::EmbeddedError;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest supported major version.
pub const MINIMUM_MAJOR: u32 = 15;

/// Parent folder, prefix and suffix of versioned installations: `parent/prefixN/suffix` contains version N.
const KNOWN: [(&str, &str, &str); 8] = [
    ("/usr/lib/postgresql", "", "bin"),                       // Debian, Ubuntu
    ("/opt/homebrew/opt", "postgresql@", "bin"),              // Homebrew on ARM
    ("/usr/local/opt", "postgresql@", "bin"),                 // Homebrew on Intel
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"), // Homebrew on Linux
    ("/usr", "pgsql-", "bin"),                                // PGDG on Fedora, RHEL
    ("/usr/libexec", "postgresql", ""),                       // Alpine
    ("/usr/lib", "postgresql", "bin"),                        // SUSE
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"), // Postgres.app
];

/// Folders without a version in their name.
const KNOWN_PLAIN: [&str; 4] = [
    "/opt/homebrew/opt/postgresql/bin",
    "/usr/local/opt/postgresql/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql/bin",
    "/usr/local/pgsql/bin",
];

/// An installation of Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    /// The bin folder, with symlinks resolved.
    pub(super) folder: PathBuf,
    /// The major version.
    pub(super) major: u32,
}

impl Binaries {
    /// Returns the path of a program in the bin folder.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Finds the installation to use. If the folder `cluster` contains a cluster, its version must be `needed`.
/// Otherwise the configured folder is used, else the first supported version in PATH, else the newest elsewhere.
pub(super) fn find(
    setting: Option<&Path>,
    path: Option<&OsStr>,
    needed: Option<u32>,
    cluster: &Path,
) -> Result<Binaries, EmbeddedError> {
    let found = match setting {
        Some(folder) => {
            vec![probe(folder).ok_or_else(|| EmbeddedError::BadBinFolder { folder: folder.to_owned() })?]
        }
        None => installed(path),
    };
    choose(&found, needed, cluster)
}

fn choose(found: &[Binaries], needed: Option<u32>, cluster: &Path) -> Result<Binaries, EmbeddedError> {
    if let Some(needed) = needed {
        return found.iter().find(|each| each.major == needed).cloned().ok_or_else(|| {
            let majors: BTreeSet<u32> = found.iter().map(|each| each.major).collect();
            let majors: Vec<String> = majors.iter().map(u32::to_string).collect();
            EmbeddedError::MissingVersion {
                folder: cluster.to_owned(),
                needed,
                found: if majors.is_empty() { "none".to_owned() } else { majors.join(", ") },
            }
        });
    }
    if let Some(good) = found.iter().find(|each| each.major >= MINIMUM_MAJOR) {
        return Ok(good.clone());
    }
    Err(match found.iter().max_by_key(|each| each.major) {
        Some(old) => {
            EmbeddedError::TooOld { folder: old.folder.clone(), major: old.major, minimum: MINIMUM_MAJOR }
        }
        None => EmbeddedError::NoBinaries { minimum: MINIMUM_MAJOR },
    })
}

/// Lists all installations: those in PATH in its order, then those in known places, newest first.
fn installed(path: Option<&OsStr>) -> Vec<Binaries> {
    let mut found: Vec<Binaries> = Vec::new();
    let on_path = path.map(OsStr::as_bytes).unwrap_or_default().split(|byte| *byte == b':');
    let on_path =
        on_path.map(|folder| Path::new(OsStr::from_bytes(folder))).filter(|folder| folder.is_absolute());
    for binaries in on_path.filter_map(probe) {
        if !found.contains(&binaries) {
            found.push(binaries);
        }
    }
    let mut elsewhere: Vec<Binaries> = known_folders().iter().filter_map(|folder| probe(folder)).collect();
    elsewhere.sort_by_key(|each| std::cmp::Reverse(each.major));
    for binaries in elsewhere {
        if !found.contains(&binaries) {
            found.push(binaries);
        }
    }
    found
}

fn known_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for (parent, before, after) in KNOWN {
        let Ok(children) = fs::read_dir(parent) else {
            continue;
        };
        for child in children.flatten() {
            let name = child.file_name();
            let version = name.to_str().and_then(|name| name.strip_prefix(before));
            if version.is_some_and(|version| leading_number(version).is_some()) {
                folders.push(child.path().join(after));
            }
        }
    }
    folders.extend(KNOWN_PLAIN.iter().map(PathBuf::from));
    folders
}

/// Returns the installation in this folder, if it has `initdb` and a `postgres` that runs. Symlinks are resolved,
/// because `initdb` looks for its files relative to itself.
fn probe(folder: &Path) -> Option<Binaries> {
    let folder = fs::canonicalize(folder.join("initdb")).ok()?.parent()?.to_owned();
    let said = Command::new(folder.join("postgres"))
        .arg("--version")
        .env_clear()
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let major = parse_version(std::str::from_utf8(&said.stdout).ok()?)?;
    Some(Binaries { folder, major })
}

/// Parses the major version: `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)` → 15; also `17beta1`.
fn parse_version(said: &str) -> Option<u32> {
    leading_number(said.trim().strip_prefix("postgres (PostgreSQL) ")?)
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(folder: &str, major: u32) -> Binaries {
        Binaries { folder: folder.into(), major }
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 19beta2"), Some(19));
        assert_eq!(parse_version("postgres (PostgreSQL) devel"), None);
        assert_eq!(parse_version("something else 15"), None);
    }

    #[test]
    fn the_first_that_will_do_is_chosen() {
        let found = [at("/old", 14), at("/path", 15), at("/newer", 17)];
        assert_eq!(choose(&found, None, Path::new("/d")).unwrap(), at("/path", 15));
        assert_eq!(choose(&found, Some(17), Path::new("/d")).unwrap(), at("/newer", 17));
    }

    #[test]
    fn what_is_missing_is_named() {
        let found = [at("/a", 17), at("/b", 15)];
        let error = choose(&found, Some(16), Path::new("/d")).unwrap_err().to_string();
        assert!(
            error.starts_with("/d was created by PostgreSQL 16, which isn't installed (found: 15, 17)"),
            "{error}"
        );
        assert!(error.contains("apt-get install postgresql-16"), "{error}");
        let error = choose(&[at("/old", 14)], None, Path::new("/d")).unwrap_err().to_string();
        assert!(error.contains("/old is PostgreSQL 14, and 15 or newer is required"), "{error}");
        let error = choose(&[], None, Path::new("/d")).unwrap_err().to_string();
        assert!(error.contains("PostgreSQL 15 or newer isn't installed"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}
