//! Temporary folders, and how tests run a Postgres server in them.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use embedded_postgres::Options;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Options of a private Postgres for tests in this folder: fast, and not durable.
pub(crate) fn options(folder: PathBuf, watchdog: bool) -> Options {
    Options { folder, bin_dir: None, path: std::env::var_os("PATH"), durable: false, watchdog }
}

/// A temporary folder with a short path, removed when it is dropped. The server's user can enter it when the tests
/// run as root.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Creates an empty folder.
    pub(crate) fn new() -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(format!("/tmp/ar-test-{}-{count}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).expect("a temporary folder");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o711)).expect("its permissions");
        Self(path)
    }

    /// A path in the folder.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
