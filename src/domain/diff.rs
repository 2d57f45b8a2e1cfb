//! The difference between two prompts.

use std::{sync::Arc, time::Duration};

use similar::TextDiff;

use super::{Reading, Registry, Result, version::VersionBody};

/// How long to search for the smallest diff. Prompts may have 512 KiB, and a slightly larger diff is better than a
/// busy core.
const EFFORT: Duration = Duration::from_millis(100);
/// The size of two prompts up to which they are compared at once, in bytes: that takes less than a thread switch, or a
/// millisecond at most.
const SMALL_BYTES: usize = 16 * 1024;
/// How many unchanged lines are shown around each change.
const CONTEXT_LINES: usize = 3;

/// The unified diff of two prompts by lines; `None` when they are equal.
#[must_use]
pub fn prompts(from: &str, to: &str) -> Option<String> {
    if from == to {
        return None;
    }
    let diff = TextDiff::configure().timeout(EFFORT).diff_lines(from, to);
    Some(diff.unified_diff().context_radius(CONTEXT_LINES).to_string())
}

impl Registry {
    /// The unified diff of the prompts of two versions by lines; `None` when they are equal. Runs on a thread for
    /// computations: all of them together use at most half of the processors, and the callers that wait take turns.
    /// Meanwhile `reading` releases its snapshot, if it may. Computes nothing if the diff isn't wanted any more by then.
    ///
    /// # Errors
    /// [`super::Error::RateLimited`] when too much work of the caller is waiting. [`super::Error::Internal`] when the
    /// computation panicked or the service is shutting down.
    pub async fn diff_prompts(
        &self,
        reading: &Reading,
        from: &Arc<VersionBody>,
        to: &Arc<VersionBody>,
        is_wanted: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<Option<String>> {
        if from.system_prompt == to.system_prompt {
            return Ok(None);
        }
        if from.system_prompt.len() + to.system_prompt.len() <= SMALL_BYTES {
            return Ok(prompts(&from.system_prompt, &to.system_prompt));
        }
        let (from, to) = (Arc::clone(from), Arc::clone(to));
        let work = move || if is_wanted() { prompts(&from.system_prompt, &to.system_prompt) } else { None };
        reading.view.release_while(self.compute(&reading.caller, "diff", work)).await
    }
}
