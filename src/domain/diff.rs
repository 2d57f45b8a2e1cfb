//! How two prompts differ.

use std::time::Duration;

use similar::TextDiff;

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
