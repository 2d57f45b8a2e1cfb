//! Sets up logging and metrics, once per process. Other modules only emit them.

mod line_limit;

use std::{
    io::{self, IsTerminal},
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use line_limit::LineLimit;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    fmt::MakeWriter,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::LogFormat;

/// Upper bounds of the histogram buckets for durations, in seconds.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The interval at which samples are aggregated into buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// The limit of the process's log lines. The process has one log, however many services it runs.
static LINE_LIMIT: LazyLock<LineLimit> = LazyLock::new(LineLimit::default);

/// Starts logging to standard error. `filter` has the syntax of `RUST_LOG`.
pub fn log(format: LogFormat, filter: &str) {
    // Fails when a subscriber is installed already, as in tests that run several services. The first one stays.
    let _ = subscriber(format, filter, io::stderr, LINE_LIMIT.clone()).try_init();
}

/// Reports the suppressed log lines periodically. Never returns.
pub async fn report_suppressed_lines() {
    loop {
        tokio::time::sleep(UPKEEP).await;
        LINE_LIMIT.report(Instant::now());
    }
}

fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    writer: W,
    limit: LineLimit,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(io::stderr().is_terminal());
    let loggable = filter_fn(is_loggable).and(limit);
    match format {
        LogFormat::Text => Box::new(registry.with(layer.with_target(false).with_filter(loggable))),
        LogFormat::Json => Box::new(registry.with(layer.json().with_filter(loggable))),
    }
}

/// Whether a line may be logged, regardless of the filter. At DEBUG and TRACE, the websocket library logs whole
/// messages, which contain clients' tokens and prompts.
fn is_loggable(line: &Metadata<'_>) -> bool {
    let logs_messages = ["tungstenite", "tokio_tungstenite"]
        .iter()
        .any(|library| line.target().split("::").next() == Some(library));
    !logs_messages || *line.level() <= Level::INFO
}

/// Installs the Prometheus recorder and returns its handle. Returns `None` when a recorder is installed already.
#[must_use]
pub fn metrics() -> Option<PrometheusHandle> {
    let suffix = Matcher::Suffix("_seconds".to_owned());
    let recorder = PrometheusBuilder::new().set_buckets_for_metric(suffix, &SECONDS).ok()?.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).ok()?;
    Some(handle)
}

/// Aggregates samples into buckets periodically. Without it, the recorder keeps every sample until the next scrape.
/// Never returns.
pub async fn upkeep(recorder: Arc<PrometheusHandle>) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        recorder.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn text(&self) -> String {
            let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }

    impl MakeWriter<'_> for Written {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn no_message_of_a_socket_is_logged_however_much_is_asked_for() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let written = Written::default();
            let (filter, limit) = ("trace,tungstenite::protocol=trace", LineLimit::default());
            let log = subscriber(format, filter, written.clone(), limit);
            tracing::subscriber::with_default(log, || {
                tracing::trace!(target: "tungstenite::protocol", "Received message secret");
                tracing::debug!(target: "tungstenite", "secret");
                tracing::debug!(target: "tokio_tungstenite::compat", "secret");
                tracing::warn!(target: "tungstenite::protocol", "a warning");
                tracing::trace!(target: "agent_registry::http", "a detail");
            });
            let text = written.text();
            assert!(!text.contains("secret"), "{text}");
            assert!(text.contains("a warning") && text.contains("a detail"), "{text}");
        }
    }

    #[test]
    fn lines_of_one_cause_are_limited_and_counted() {
        let recorder = PrometheusBuilder::new().build_recorder();
        for format in [LogFormat::Text, LogFormat::Json] {
            let (written, limit) = (Written::default(), LineLimit::default());
            let log = subscriber(format, "debug", written.clone(), limit.clone());
            let later = |seconds| Instant::now() + Duration::from_secs(seconds);
            metrics::with_local_recorder(&recorder, || {
                tracing::subscriber::with_default(log, || {
                    for nth in 0..1_000 {
                        tracing::warn!(nth, "one cause");
                    }
                    for nth in 0..50 {
                        tracing::debug!(nth, "a detail");
                    }
                    tracing::error!("another cause");
                    limit.report(Instant::now());
                    assert!(!written.text().contains("suppressed"), "the window isn't over");
                    limit.report(later(10));
                    limit.report(later(20));
                });
            });
            let text = written.text();
            let count = |part: &str| text.lines().filter(|line| line.contains(part)).count();
            let counts = ["one cause", "a detail", "another cause", "suppressed"].map(count);
            assert_eq!(counts, [10, 50, 1, 1], "{text}");
            let tells = ["suppressed=990", "\"suppressed\":990"].map(|number| text.contains(number));
            assert!(tells.contains(&true) && text.contains("src/telemetry/mod.rs:"), "{text}");
        }
        let metrics = recorder.handle().render();
        assert!(metrics.contains("registry_log_lines_suppressed_total{level=\"WARN\"} 1980"), "{metrics}");
    }
}
