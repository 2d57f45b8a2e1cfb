//! A reason for which this instance isn't ready, as long as it lasts. `app` sets it, `/readyz` says it.

use tokio::sync::watch;

/// The current outage of this instance, such as a database whose folder is gone. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Outage(watch::Sender<Option<String>>);

impl Outage {
    /// Begins an outage with this reason, or changes the reason. Returns whether the reason is a new one.
    pub fn begin(&self, reason: &str) -> bool {
        self.0.send_if_modified(|now| {
            let is_new = now.as_deref() != Some(reason);
            if is_new {
                *now = Some(reason.to_owned());
            }
            is_new
        })
    }

    /// Ends the outage. Returns whether there was one.
    pub fn end(&self) -> bool {
        self.0.send_if_modified(|now| now.take().is_some())
    }

    /// Returns the reason of the current outage.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        self.0.borrow().clone()
    }
}
