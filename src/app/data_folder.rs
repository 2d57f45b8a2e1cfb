//! The data folder: created if it's missing, unless something says that a registry was in it. An empty registry in the
//! place of a folder that was moved or isn't mounted would acknowledge writes, and its gateways would drop all agents.
//!
//! Three files say that a registry was there. The signing key, in the folder, unless the note `first-start` is beside it.
//! The log of the private PostgreSQL (see `embedded_postgres`). And, outside the folder, where it is seen when the whole
//! folder is gone, a marker: `serve` writes it, and removes it when it stops while the cluster is there. If the folder is a
//! mount, the marker stays and says so.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::StartError;
use crate::config::Common;

/// The note that the signing key was made before the first cluster.
const FIRST_START: &str = "first-start";

/// The states of the marker.
const SERVING: &str = "serving\n";
const STOPPED_MOUNT: &str = "stopped, on a mount\n";

/// Returns the absolute path of the data folder, and creates the folder if it's missing.
///
/// # Errors
/// [`StartError`] when the folder can't be determined or created, or, without `DATABASE_URL`, when a registry was in it
/// and isn't there any more. Nothing is created then.
pub fn data_dir(common: &Common) -> Result<PathBuf, StartError> {
    let folder = common.data_dir().map_err(StartError::Setting)?;
    let fail = |err: io::Error| StartError::Folder(folder.display().to_string(), err.to_string());
    let absolute = std::path::absolute(&folder).map_err(fail)?;
    if !common.has_database_url()
        && let Some(evidence) = evidence_of_loss(&absolute, common.signing_key.is_none())
    {
        let (folder, evidence) = (absolute.display().to_string(), evidence.display().to_string());
        return Err(StartError::Lost { folder, evidence });
    }
    if !absolute.exists() {
        fs::create_dir_all(&absolute).map_err(fail)?;
        // Mode 0711 regardless of the umask: under root, the private PostgreSQL runs as another user, who must be
        // able to traverse the folder.
        fs::set_permissions(&absolute, Permissions::from_mode(0o711)).map_err(fail)?;
    }
    Ok(absolute)
}

/// Returns the folder of the private PostgreSQL.
pub(super) fn postgres(folder: &Path) -> PathBuf {
    folder.join("postgres")
}

/// Writes the note that the signing key, which is about to be made, doesn't say that there was a cluster.
///
/// # Errors
/// [`StartError::Folder`] when it can't be written.
pub(super) fn note_first_start(folder: &Path) -> Result<(), StartError> {
    let fail = |err: io::Error| StartError::Folder(folder.display().to_string(), err.to_string());
    if has_cluster(folder) { Ok(()) } else { fs::write(folder.join(FIRST_START), "").map_err(fail) }
}

/// Removes that note: there is a cluster now.
pub(super) fn end_first_start(folder: &Path) {
    remove(&folder.join(FIRST_START));
}

/// Writes the marker that a registry is served from this folder.
pub(super) fn mark_serving(folder: &Path) {
    let Some(marker) = marker(folder) else { return };
    if let Err(err) = fs::write(&marker, SERVING) {
        tracing::debug!(marker = %marker.display(), error = %err, "can't write the marker of the data folder");
    }
}

/// Updates the marker after the last user of the folder's cluster has left it there.
pub(super) fn mark_stopped(folder: &Path) {
    let Some(marker) = marker(folder).filter(|marker| marker.exists()) else { return };
    if is_mount(folder) {
        // If this fails, the marker still says "serving", which is as good.
        let _ = fs::write(&marker, STOPPED_MOUNT);
    } else {
        remove(&marker);
    }
}

/// Returns the file that says that a registry was in this folder, if there is none now.
fn evidence_of_loss(folder: &Path, has_key_inside: bool) -> Option<PathBuf> {
    if has_cluster(folder) {
        return None;
    }
    let key = folder.join("signing-key.pem");
    if has_key_inside && key.exists() && !folder.join(FIRST_START).exists() {
        return Some(key);
    }
    let marker = marker(folder)?;
    let state = fs::read_to_string(&marker).ok()?;
    let is_lost = state != STOPPED_MOUNT || !is_mount(folder);
    is_lost.then_some(marker)
}

fn has_cluster(folder: &Path) -> bool {
    postgres(folder).join("data/PG_VERSION").exists()
}

/// Returns the path of the marker: beside the folder, with its name.
fn marker(folder: &Path) -> Option<PathBuf> {
    let (parent, name) = (folder.parent()?, folder.file_name()?.to_str()?);
    Some(parent.join(format!(".{name}.agent-registry")))
}

/// Whether another file system is mounted on this folder.
fn is_mount(folder: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|seen| seen.dev()).ok();
    folder.parent().is_some_and(|parent| device(folder).is_some_and(|own| device(parent) != Some(own)))
}

fn remove(file: &Path) {
    match fs::remove_file(file) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(file = %file.display(), error = %err, "can't remove a file");
        }
        Ok(()) | Err(_) => {}
    }
}
