//! The models and the tools that active versions use.

use super::{
    Error, Reading, Registry, Result,
    chart::{tenants_of, within_reach},
    environment::EnvironmentKey,
};
use crate::{
    entity::in_use::{self, IN_USE_ROWS_MAX},
    id::CustomerId,
};

pub use in_use::{InUse, InUseKind};

/// The most models or tools in one list.
const NAMES_MAX: i32 = 1_000;

impl Registry {
    /// The models or the tools of active versions, most agents first: of this customer, or of all whose agents the reader
    /// may see; in this environment, or in all that the reader reaches.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer; [`Error::Forbidden`]; [`Error::Invalid`] for `first`, and when more than
    /// 100,000 servings, or tools of servings, were to be counted.
    pub async fn in_use(
        &self,
        reading: &Reading,
        kind: InUseKind,
        customer: Option<CustomerId>,
        environment: Option<EnvironmentKey>,
        first: i32,
    ) -> Result<Vec<InUse>> {
        let tenants = tenants_of(reading, customer)?;
        if !(1..=NAMES_MAX).contains(&first) {
            return Err(Error::invalid("first", format!("first must be 1–{NAMES_MAX}, got {first}")));
        }
        let environments = environment.map(|key| vec![key]);
        let reach = within_reach(reading, environments.as_deref());
        let found = reading.view.all(in_use::in_use(kind, &tenants, &reach, first.into())).await?;
        let read = found.first().map_or(0, |row| u64::try_from(row.rows_read).unwrap_or(0));
        if read > IN_USE_ROWS_MAX {
            let what = match kind {
                InUseKind::Models => "active versions",
                InUseKind::Tools => "tools of active versions",
            };
            let message =
                format!("these are more than {IN_USE_ROWS_MAX} {what}; give customerId or environment");
            return Err(Error::invalid("customerId", message));
        }
        Ok(found)
    }
}
