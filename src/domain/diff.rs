//! How two prompts differ.

use std::{sync::Arc, time::Duration};

use similar::TextDiff;

use super::{Registry, Result, version::VersionBody};
use crate::db::Fault;

/// How long to look for the smallest diff: prompts reach 512 KiB, and the last per cent is not worth a core.
const EFFORT: Duration = Duration::from_millis(100);
/// How many unchanged lines are shown around each change.
const CONTEXT_LINES: usize = 3;

/// The unified diff of two prompts, by lines; none when they are equal.
#[must_use]
pub fn prompts(from: &str, to: &str) -> Option<String> {
    if from == to {
        return None;
    }
    let diff = TextDiff::configure().timeout(EFFORT).diff_lines(from, to);
    Some(diff.unified_diff().context_radius(CONTEXT_LINES).to_string())
}

impl Registry {
    /// The unified diff of the prompts of two versions, by lines; none when they are equal. It takes its turn: all who
    /// ask for one share half the processors.
    ///
    /// # Errors
    /// [`super::Error::Internal`] when it did not come to its end.
    pub async fn diff_prompts(
        &self,
        from: &Arc<VersionBody>,
        to: &Arc<VersionBody>,
    ) -> Result<Option<String>> {
        if from.system_prompt == to.system_prompt {
            return Ok(None);
        }
        let (from, to) = (Arc::clone(from), Arc::clone(to));
        let work = move || prompts(&from.system_prompt, &to.system_prompt);
        Ok(self.db.tasks().computed(work).await.map_err(Fault::from)?)
    }
}
