//! The private Postgres' folder: its layout, owners and permissions, and the user that the server runs as. Starts no
//! process.
//!
//! ```text
//! folder/            owned by us; 0700, or 0711 as root
//!   data/            the cluster; owned by the server's user, 0700
//!   socket/          owned by the server's user, 0700; /tmp/agent-registry-HASH if that path is too long
//!   turn.lock        held exclusively to start or stop the server
//!   use.lock         held shared by each user of the server
//!   watch-…  seen-…  the watchdog's pipe, and its replies
//!   postgres.log
//! ```

use super::error::{EmbeddedError, io};
use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The port in the socket's name; no TCP port is ever opened.
pub(super) const PORT: u16 = 5432;

/// The maximum length of a socket's path, in bytes (`sun_path` without its closing NUL).
const LONGEST_SOCKET_PATH: usize = if cfg!(target_os = "macos") { 103 } else { 107 };

/// The unprivileged user that runs the server when this process is root.
#[derive(Debug, Clone)]
pub(super) struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

/// The prepared folder, and the server's user.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The absolute path of the folder, without symlinks.
    pub(super) folder: PathBuf,
    account: Option<Account>,
}

impl Layout {
    /// Creates the folder if it's missing. Checks that it belongs to this process' user and, as root, that the server's
    /// user can enter it.
    pub(super) fn prepare(folder: &Path) -> Result<Self, EmbeddedError> {
        let root = rustix::process::geteuid().is_root();
        make_folders(folder, if root { 0o711 } else { 0o700 })?;
        let folder = fs::canonicalize(folder).map_err(io("find", folder))?;
        let seen = fs::metadata(&folder).map_err(io("inspect", &folder))?;
        check_ours(&folder, &seen, rustix::process::geteuid().as_raw())?;
        let account = if root { Some(Account::choose(&folder.join("data"))?) } else { None };
        let layout = Self { folder, account };
        if let Some((user, closed)) = layout.first_inaccessible_folder(&layout.folder) {
            return Err(EmbeddedError::Unreachable { user, closed, folder: layout.folder });
        }
        Ok(layout)
    }

    /// Reads the cluster's system identifier, which `initdb` made. `None` if there is no cluster.
    pub(super) fn identifier(&self) -> Result<Option<u64>, EmbeddedError> {
        let file = self.data().join("global/pg_control");
        // Its first field, in the machine's byte order.
        let mut bytes = [0; 8];
        match File::open(&file).and_then(|mut file| file.read_exact(&mut bytes)) {
            Ok(()) => Ok(Some(u64::from_ne_bytes(bytes))),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(io("read", &file)(error)),
        }
    }

    /// Returns the folder of the cluster.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Returns the path of the server's log.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    /// Returns the cluster's major version, or `None` if there is no cluster yet.
    pub(super) fn cluster_version(&self) -> Result<Option<u32>, EmbeddedError> {
        let data = self.data();
        match fs::read_to_string(data.join("PG_VERSION")) {
            Ok(text) => match text.trim().parse() {
                Ok(major) => Ok(Some(major)),
                Err(_) => Err(EmbeddedError::NotACluster { folder: data }),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => match fs::read_dir(&data) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(io("read", &data)(error)),
                Ok(children) => match children.count() {
                    0 => Ok(None),
                    _ => Err(EmbeddedError::NotACluster { folder: data }),
                },
            },
            Err(error) => Err(io("read", &data.join("PG_VERSION"))(error)),
        }
    }

    /// Creates the folder for the socket and checks its owner and permissions.
    pub(super) fn socket(&self) -> Result<PathBuf, EmbeddedError> {
        let inside = self.folder.join("socket");
        let folder = if fits(&inside) { inside } else { short_socket_folder(&self.folder) };
        self.make_private(&folder)?;
        let seen = fs::symlink_metadata(&folder).map_err(io("inspect", &folder))?;
        check_ours(&folder, &seen, self.server_uid())?;
        if seen.mode() & 0o077 != 0 {
            return Err(EmbeddedError::NotOurs { folder, problem: "is open to other users".to_owned() });
        }
        Ok(folder)
    }

    /// Creates a folder that belongs to the server's user, with mode 0700. Leaves an existing folder as it is.
    pub(super) fn make_private(&self, folder: &Path) -> Result<(), EmbeddedError> {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(io("create", folder)(error)),
            Ok(()) => match &self.account {
                Some(account) => std::os::unix::fs::lchown(folder, Some(account.uid), Some(account.gid))
                    .map_err(io("change the owner of", folder)),
                None => Ok(()),
            },
        }
    }

    /// Configures a command to run as the server's user, without our environment and its secrets. The process gets
    /// its own process group, so that Ctrl-C doesn't reach it.
    pub(super) fn configure_command(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.folder)
            .env("LC_ALL", "C")
            .env("TZ", "UTC");
        command.current_dir(&self.folder).process_group(0);
        if let Some(account) = &self.account {
            command.uid(account.uid).gid(account.gid);
        }
    }

    /// Returns the first folder on the path to `target` that the server's user can't enter, with that user's name.
    /// Considers permission bits only.
    pub(super) fn first_inaccessible_folder(&self, target: &Path) -> Option<(String, PathBuf)> {
        let account = self.account.as_ref()?;
        let mut way: Vec<&Path> = target.ancestors().collect();
        way.reverse();
        let closed = way
            .into_iter()
            .find(|folder| fs::metadata(folder).is_ok_and(|seen| !account.may_enter(&seen)))?;
        Some((account.name.clone(), closed.to_owned()))
    }

    fn server_uid(&self) -> u32 {
        self.account.as_ref().map_or_else(|| rustix::process::geteuid().as_raw(), |account| account.uid)
    }
}

impl Account {
    /// Chooses the owner of an existing cluster, else `postgres`, else `nobody`.
    fn choose(data: &Path) -> Result<Self, EmbeddedError> {
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        if let Ok(seen) = fs::metadata(data) {
            if seen.uid() == 0 {
                let problem = "belongs to root, and PostgreSQL refuses to run as root".to_owned();
                return Err(EmbeddedError::NotOurs { folder: data.to_owned(), problem });
            }
            let name = users
                .lines()
                .filter_map(Self::parse)
                .find(|user| user.uid == seen.uid())
                .map(|user| user.name);
            let name = name.unwrap_or_else(|| seen.uid().to_string());
            return Ok(Self { name, uid: seen.uid(), gid: seen.gid() });
        }
        let named = |name: &str| {
            users.lines().filter_map(Self::parse).find(|user| user.name == name && user.uid != 0)
        };
        named("postgres").or_else(|| named("nobody")).ok_or(EmbeddedError::NoPlainUser)
    }

    /// Parses a line of /etc/passwd: `name:x:uid:gid:…`. macOS writes `nobody`'s ids as -2.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let mut number = |skipped: usize| -> Option<u32> {
            let number: i64 = fields.nth(skipped)?.parse().ok()?;
            u32::try_from(number).ok().or_else(|| i32::try_from(number).ok().map(i32::cast_unsigned))
        };
        Some(Self { name, uid: number(1)?, gid: number(0)? })
    }

    fn may_enter(&self, folder: &Metadata) -> bool {
        let bit = if folder.uid() == self.uid {
            0o100
        } else if folder.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        folder.mode() & bit != 0
    }
}

/// Whether an error says that a file isn't there, or a folder above it.
fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// Creates the folder and its missing parents, with this mode regardless of the umask.
fn make_folders(folder: &Path, mode: u32) -> Result<(), EmbeddedError> {
    let mut missing: Vec<&Path> =
        folder.ancestors().take_while(|each| !each.as_os_str().is_empty() && !each.exists()).collect();
    while let Some(each) = missing.pop() {
        match fs::create_dir(each) {
            Ok(()) => fs::set_permissions(each, Permissions::from_mode(mode))
                .map_err(io("set the permissions of", each))?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io("create", each)(error)),
        }
    }
    Ok(())
}

fn check_ours(folder: &Path, seen: &Metadata, owner: u32) -> Result<(), EmbeddedError> {
    let problem = if !seen.is_dir() {
        "isn't a folder".to_owned()
    } else if seen.uid() != owner {
        format!("belongs to another user (uid {}, not {owner})", seen.uid())
    } else if seen.mode() & 0o022 != 0 {
        "is writable by other users".to_owned()
    } else {
        return Ok(());
    };
    Err(EmbeddedError::NotOurs { folder: folder.to_owned(), problem })
}

/// Whether the path of a socket in this folder is short enough, and needs no quoting in `unix_socket_directories`.
fn fits(folder: &Path) -> bool {
    let plain = |text: &str| text.chars().all(|each| each.is_ascii_alphanumeric() || "/._-+@".contains(each));
    folder
        .to_str()
        .is_some_and(|text| plain(text) && text.len() + "/.s.PGSQL.".len() + 4 <= LONGEST_SOCKET_PATH)
}

/// Returns `/tmp/agent-registry-HASH`, which is the same for the same folder in every build. FNV-1a suffices,
/// because the owner of the socket's folder is checked.
fn short_socket_folder(folder: &Path) -> PathBuf {
    let bytes = folder.as_os_str().as_encoded_bytes();
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    PathBuf::from(format!("/tmp/agent-registry-{hash:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read() {
        let user = Account::parse("postgres:x:101:104:PostgreSQL:/var/lib/postgresql:/bin/bash").unwrap();
        assert_eq!((user.name.as_str(), user.uid, user.gid), ("postgres", 101, 104));
        let nobody = Account::parse("nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false").unwrap();
        assert_eq!((nobody.uid, nobody.gid), (u32::MAX - 1, u32::MAX - 1));
        assert!(Account::parse("# a comment").is_none());
    }

    #[test]
    fn a_socket_path_fits_or_not() {
        assert!(fits(Path::new("/srv/agent-registry/postgres/socket")));
        assert!(!fits(Path::new("/srv/with, comma")));
        let edge = LONGEST_SOCKET_PATH - "/.s.PGSQL.5432".len();
        assert!(fits(Path::new(&format!("/{}", "a".repeat(edge - 1)))));
        assert!(!fits(Path::new(&format!("/{}", "a".repeat(edge)))));
        assert!(fits(&short_socket_folder(Path::new("/x"))));
        assert_ne!(short_socket_folder(Path::new("/x")), short_socket_folder(Path::new("/y")));
    }
}
