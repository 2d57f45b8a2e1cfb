//! The results of the cases, as a table in Markdown, and the bounds that each must keep.

use std::time::Duration;

use super::{attack::Flooded, others::Latencies};

/// The largest ratio of the 95th percentile to that with the same load on a constant.
const RATIO_MAX: f64 = 2.0;
/// A 95th percentile below this keeps its bound, whatever the ratio.
const FLOOR: Duration = Duration::from_millis(20);
/// The largest resident memory of the service: the memory budget, and what the service needs beside it.
pub const PEAK_MAX: u64 = 600 * MIB;
/// A mebibyte.
pub const MIB: u64 = 1024 * 1024;

/// The result of a case.
pub struct Outcome {
    /// The flood: its credential, its connections and what they send.
    pub about: &'static str,
    /// The case's name.
    pub name: &'static str,
    /// The bystander's requests during the flood.
    pub beside: Latencies,
    /// The same while the flood's load was sent to the constant.
    pub constant: Latencies,
    /// The service's resident memory at its peak, in bytes.
    pub peak: u64,
    /// What the flood did.
    pub flooded: Flooded,
    /// Whether the flood was ended early, to keep the machine's memory.
    pub was_cut: bool,
}

impl Outcome {
    fn ratio(&self) -> f64 {
        self.beside.p95().as_secs_f64() / self.constant.p95().as_secs_f64()
    }

    /// The bounds that the case breaks.
    pub fn broken(&self) -> Vec<&'static str> {
        let is_slow = self.ratio() > RATIO_MAX && self.beside.p95() > FLOOR;
        [
            (is_slow, "latency"),
            (self.beside.failed() > 0, "refusals"),
            (self.peak >= PEAK_MAX || self.was_cut, "memory"),
        ]
        .into_iter()
        .filter_map(|(is_broken, bound)| is_broken.then_some(bound))
        .collect()
    }

    /// The row of the table.
    pub fn row(&self) -> String {
        let statuses: Vec<String> =
            self.flooded.statuses.iter().map(|(status, times)| format!("{status} × {times}")).collect();
        let broken = self.broken();
        let verdict = if broken.is_empty() { "✓".to_owned() } else { format!("✗ {}", broken.join(", ")) };
        let failed = match self.beside.failed() {
            0 => "0".to_owned(),
            failed => {
                let failures: Vec<String> =
                    self.beside.failures.iter().map(|(what, times)| format!("{what} × {times}")).collect();
                format!("{failed} of {} ({})", failed + self.beside.times.len() as u64, failures.join("; "))
            }
        };
        format!(
            "| {} | {} | {} | {:.1} × | {failed} | {}{} MiB | {} | {verdict} |",
            self.about,
            milliseconds(self.beside.p95()),
            milliseconds(self.constant.p95()),
            self.ratio(),
            if self.was_cut { "over " } else { "" },
            self.peak / MIB,
            if statuses.is_empty() { "–".to_owned() } else { statuses.join(", ") },
        )
    }
}

/// The head of the table.
pub const HEAD: &str = "| flood | others' p95 | with a constant | ratio | others refused | peak | the flood's statuses | |\n\
     | --- | --- | --- | --- | --- | --- | --- | --- |";

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
