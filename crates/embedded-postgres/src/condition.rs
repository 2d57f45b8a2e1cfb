//! The condition of a private Postgres that this process uses, and a restart of it. Nothing here creates a folder or a
//! cluster: a folder that was moved or unmounted must not get an empty cluster in its place.

use super::error::EmbeddedError;
use super::layout::Layout;
use super::{AfterLeave, Embedded, Options, server};

/// The condition of a private Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The server accepts connections, or is about to.
    Running,
    /// The cluster is there, and its server has ended. [`Embedded::restart`] starts it.
    Ended,
    /// The cluster's folder isn't there: it was moved, unmounted or deleted. Its server may still run.
    Gone,
    /// Another cluster is in the folder.
    Replaced,
}

impl Condition {
    /// Whether this cluster isn't in its folder.
    #[must_use]
    pub fn is_lost(self) -> bool {
        match self {
            Self::Gone | Self::Replaced => true,
            Self::Running | Self::Ended => false,
        }
    }
}

impl Embedded {
    /// Looks at the folder and the process.
    ///
    /// # Errors
    /// [`EmbeddedError::Io`] when the folder can't be read, so that its condition isn't known.
    pub fn condition(&self) -> Result<Condition, EmbeddedError> {
        match self.layout.identifier()? {
            None => return Ok(Condition::Gone),
            found if found != self.identifier => return Ok(Condition::Replaced),
            Some(_) => {}
        }
        Ok(match server::read_state(&self.layout)? {
            server::State::Absent => Condition::Ended,
            server::State::Busy(_) | server::State::Ready(..) => Condition::Running,
        })
    }

    /// Starts this cluster's server again after it has ended, or joins the one that another process has started. Never
    /// creates anything in the place of a cluster that is gone.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`] if this cluster isn't in its folder; those of [`Embedded::attach_or_start`].
    pub async fn restart(&self, options: &Options) -> Result<Self, EmbeddedError> {
        if self.condition()?.is_lost() {
            return Err(EmbeddedError::Gone { data: self.layout.data(), evidence: self.layout.log() });
        }
        Self::attach_or_start_in(self.layout.clone(), options, false).await
    }

    /// Stops the server of a cluster that isn't in its folder any more, with a clean shutdown where the folder is now.
    /// Returns its process id, or `None` when it has ended already.
    ///
    /// # Errors
    /// [`EmbeddedError::Stop`] when it doesn't stop.
    pub async fn stop_lost(&self) -> Result<Option<i32>, EmbeddedError> {
        let Some(pid) = self.server.filter(|pid| server::is_running(&self.layout, *pid)) else {
            return Ok(None);
        };
        server::stop(&self.layout, pid, None).await?;
        Ok(Some(server::raw(pid)))
    }

    /// Leaves a cluster that isn't in its folder. `turn.lock` is out of reach, but the share of `use.lock` is held by its
    /// open file, so the last user still stops the server.
    pub(super) async fn leave_lost(mut self) -> Result<AfterLeave, EmbeddedError> {
        self.left = true;
        self.watch = None;
        self.used.release();
        if !self.used.try_exclusive()? {
            return Ok(AfterLeave::InUse);
        }
        if let Some(pid) = self.server.filter(|pid| server::is_running(&self.layout, *pid)) {
            server::stop(&self.layout, pid, self.child.as_mut()).await?;
            tracing::info!(pid = server::raw(pid), "stopped the private PostgreSQL, whose folder is gone");
        }
        Ok(AfterLeave::Stopped)
    }

    /// Returns the folder of the cluster.
    #[must_use]
    pub fn data(&self) -> std::path::PathBuf {
        Layout::data(&self.layout)
    }
}
