//! Reserved memory, which its owner grows, shrinks and returns.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::{BudgetFull, Share, UNIT, to_units};

/// Reserved memory. It is returned when the reservation is dropped.
#[derive(Debug)]
#[must_use = "dropping it returns the memory"]
pub struct Reservation {
    share: Arc<Share>,
    /// Of the share, of its class, and of the instance. Equal numbers of units.
    permits: [OwnedSemaphorePermit; 3],
}

impl Reservation {
    pub(super) fn new(share: &Arc<Share>, permits: [OwnedSemaphorePermit; 3]) -> Self {
        Self { share: Arc::clone(share), permits }
    }

    /// The reserved bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let [own, ..] = &self.permits;
        own.num_permits() * UNIT
    }

    /// Grows the reservation to this many bytes, without waiting.
    ///
    /// # Errors
    /// [`BudgetFull`]. The reservation then stays as it is.
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), BudgetFull> {
        let missing = bytes.saturating_sub(self.bytes());
        if missing == 0 {
            return Ok(());
        }
        let more = self.share.try_take(to_units(missing))?;
        for (permit, more) in self.permits.iter_mut().zip(more) {
            permit.merge(more);
        }
        Ok(())
    }

    /// Grows or shrinks the reservation to this many bytes, without waiting.
    ///
    /// # Errors
    /// [`BudgetFull`]. The reservation then stays as it is.
    pub fn resize(&mut self, bytes: usize) -> Result<(), BudgetFull> {
        self.grow_to(bytes)?;
        self.shrink_to(bytes);
        Ok(())
    }

    /// Returns what exceeds this many bytes.
    pub fn shrink_to(&mut self, bytes: usize) {
        let keep = usize::try_from(to_units(bytes)).unwrap_or(usize::MAX);
        for permit in self.permits.iter_mut().filter(|permit| permit.num_permits() > keep) {
            drop(permit.split(permit.num_permits() - keep));
        }
    }
}
