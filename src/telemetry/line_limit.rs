//! Limits the log lines of one cause, so that a client that causes a line can't fill the log. Suppressed lines are
//! counted, and reported later. Must not log while a line is filtered: a subscriber isn't reentrant.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    callsite::Identifier,
    field::{Field, Visit},
    subscriber::Interest,
};
use tracing_subscriber::layer::{Context, Filter};

use crate::task::lock;

/// The maximum number of lines of one cause in a [`WINDOW`].
const LINES_MAX: u32 = 10;
/// The time after which the lines of a cause are counted from zero again.
const WINDOW: Duration = Duration::from_secs(10);

/// A filter that lets at most [`LINES_MAX`] lines of one cause pass in ten seconds. A cause is a place in the code that
/// logs. Lines at DEBUG and TRACE always pass. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub(super) struct LineLimit(Arc<Mutex<HashMap<Cause, LineCount>>>);

/// A place in the code that logs. All records of the crate `log` of one level have the same callsite, so their file and
/// line, hashed, tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Cause(Identifier, Option<u64>);

/// The lines of a cause.
#[derive(Debug)]
struct LineCount {
    metadata: &'static Metadata<'static>,
    /// When the window began.
    since: Instant,
    /// The lines in the window that passed.
    passed: u32,
    /// The lines that were suppressed since the last report.
    suppressed: u64,
}

impl LineLimit {
    /// Whether a line passes at this time. Counts it.
    fn admit(&self, event: &Event<'_>, now: Instant) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::INFO {
            return true;
        }
        let cause = Cause(metadata.callsite(), (metadata.target() == "log").then(|| place_in_code(event)));
        let mut counts = lock(&self.0);
        let count =
            counts.entry(cause).or_insert(LineCount { metadata, since: now, passed: 0, suppressed: 0 });
        if now.duration_since(count.since) >= WINDOW {
            (count.since, count.passed) = (now, 0);
        }
        if count.passed < LINES_MAX {
            count.passed += 1;
            return true;
        }
        count.suppressed += 1;
        drop(counts);
        metrics::counter!("registry_log_lines_suppressed_total", "level" => metadata.level().as_str())
            .increment(1);
        false
    }

    /// Logs a line for each cause with suppressed lines whose window is over.
    pub(super) fn report(&self, now: Instant) {
        let is_over =
            |count: &&mut LineCount| count.suppressed > 0 && now.duration_since(count.since) >= WINDOW;
        let reported: Vec<_> = lock(&self.0)
            .values_mut()
            .filter(is_over)
            .map(|count| (count.metadata, std::mem::take(&mut count.suppressed)))
            .collect();
        // At most one line for each cause in a window. The lock is released: logging takes it again.
        for (metadata, suppressed) in reported {
            let place = format!("{}:{}", metadata.file().unwrap_or("?"), metadata.line().unwrap_or(0));
            tracing::warn!(target: REPORT, suppressed, level = %metadata.level(), place, "lines of the log were suppressed");
        }
    }
}

/// The target of the reports, which always pass.
const REPORT: &str = "agent_registry::telemetry::suppressed";

impl<S: Subscriber> Filter<S> for LineLimit {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        // `event_enabled` may reject only lines of callsites that are asked each time.
        let is_limited = metadata.is_event() && *metadata.level() <= Level::INFO;
        if is_limited { Interest::sometimes() } else { Interest::always() }
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        event.metadata().target() == REPORT || self.admit(event, Instant::now())
    }
}

/// A hash of the file and line of a record of the crate `log`.
fn place_in_code(event: &Event<'_>) -> u64 {
    struct Place(DefaultHasher);

    impl Visit for Place {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            if matches!(field.name(), "log.file" | "log.line" | "log.target") {
                format!("{value:?}").hash(&mut self.0);
            }
        }
    }

    let mut place = Place(DefaultHasher::new());
    event.record(&mut place);
    place.0.finish()
}
