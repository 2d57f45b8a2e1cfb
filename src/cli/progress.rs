//! Bars and spinners for work that takes its time.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar up to this length.
pub(super) fn bar(length: u64, template: &str) -> ProgressBar {
    ProgressBar::new(length).with_style(style(template))
}

/// A spinner, for work of which nobody knows how much it is.
pub(super) fn spinner(template: &str) -> ProgressBar {
    ProgressBar::new_spinner().with_style(style(template))
}

/// A style that is known to be well-formed, and the usual one were it not.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
