//! Progress bars and spinners on standard error.

use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar of this length.
pub(super) fn bar(length: u64, template: &str) -> ProgressBar {
    ProgressBar::new(length).with_style(style(template))
}

/// A spinner, for work whose total isn't known.
pub(super) fn spinner(template: &str) -> ProgressBar {
    ProgressBar::new_spinner().with_style(style(template))
}

/// Parses a template. Templates are constants of ours; a malformed one falls back to the default style.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
