//! The cases of the benchmark: each a result, a yardstick and a target.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use super::{Failure, load::Measured};

/// One row of the results.
pub struct Case {
    /// The name of the case.
    pub what: &'static str,
    /// The service's result, with its unit.
    pub ours: String,
    /// The yardstick's result, with its unit.
    pub beside: String,
    /// The ratio of both, or a dash without a yardstick.
    pub ratio: String,
    /// The target.
    pub aim: &'static str,
    /// Whether the target was reached. `None` without a target.
    pub is_reached: Option<bool>,
}

/// The results so far. Each is printed when it is added.
#[derive(Default)]
pub struct Report(Vec<Case>);

impl Report {
    /// Prints and adds a result.
    pub fn add(&mut self, case: Case) {
        let Case { what, ours, beside, ratio, aim, is_reached } = &case;
        let mark = mark(*is_reached);
        println!("{what}: {ours}; {beside}: {ratio} (target: {aim}) {mark}\n");
        self.0.push(case);
    }

    /// Adds a case that compares rates. Higher is better.
    pub fn rate(&mut self, what: &'static str, (ours, beside): (f64, (&str, f64)), aim: (&'static str, f64)) {
        let (name, theirs) = beside;
        let ratio = ours / theirs.max(f64::MIN_POSITIVE);
        self.add(Case {
            what,
            ours: format!("{ours:.0}/s"),
            beside: format!("{name} {theirs:.0}/s"),
            ratio: format!("{ratio:.2} ×"),
            aim: aim.0,
            is_reached: Some(ratio >= aim.1),
        });
    }

    /// Adds a case that compares the 99th percentile of latencies with a target.
    pub fn latency(&mut self, what: &'static str, measured: &Measured, aim: (&'static str, Duration)) {
        let [half, most] =
            [0.5, 0.99].map(|at| Duration::from_micros(measured.latency.value_at_quantile(at)));
        self.add(Case {
            what,
            ours: format!("{:.1} ms", most.as_secs_f64() * 1e3),
            beside: format!("p50 {:.1} ms", half.as_secs_f64() * 1e3),
            ratio: "–".to_owned(),
            aim: aim.0,
            is_reached: Some(most <= aim.1),
        });
    }

    /// Writes the table, with a description of the machine and the commit, between the two marks in the document.
    pub fn write(&self) -> Result<(), Failure> {
        let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
        let text = std::fs::read_to_string(&place)?;
        let (before, rest) =
            text.split_once(BEGIN).ok_or("docs/performance.md lacks the mark that begins the table")?;
        let (_, after) =
            rest.split_once(END).ok_or("docs/performance.md lacks the mark that ends the table")?;
        let mut table = format!("{BEGIN}\n\n{}\n\n", machine());
        table.push_str(
            "| case | ours | yardstick | ratio | target | |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        for Case { what, ours, beside, ratio, aim, is_reached } in &self.0 {
            let mark = mark(*is_reached);
            writeln!(table, "| {what} | {ours} | {beside} | {ratio} | {aim} | {mark} |")?;
        }
        std::fs::write(&place, format!("{before}{table}\n{END}{after}"))?;
        println!("written: {}", place.display());
        Ok(())
    }
}

const BEGIN: &str = "<!-- measured -->";
const END: &str = "<!-- /measured -->";

fn mark(is_reached: Option<bool>) -> &'static str {
    match is_reached {
        Some(true) => "✓",
        Some(false) => "✗",
        None => "",
    }
}

/// Describes the date, the commit and the machine.
fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let model = model.trim_start_matches(['\t', ' ', ':']);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let gib =
        kib.and_then(|kib| kib.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024 / 1024;
    let commit = git(&["rev-parse", "--short", "HEAD"]);
    let changed = if git(&["status", "--porcelain", "--", "src", "migration", "Cargo.lock"]).is_empty() {
        ""
    } else {
        " with uncommitted changes"
    };
    let day = chrono::Utc::now().format("%Y-%m-%d");
    format!(
        "{day}, commit {commit}{changed}, {cpus} processors ({model}) and {gib} GiB, which the load shares."
    )
}

fn git(arguments: &[&str]) -> String {
    let told =
        std::process::Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    told.map(|told| String::from_utf8_lossy(&told.stdout).trim().to_owned()).unwrap_or_default()
}

/// Prints a measurement.
pub fn say(what: &str, measured: &Measured) {
    let [half, most, worst] = [0.5, 0.99, 1.0].map(|at| measured.latency.value_at_quantile(at));
    println!("  {what:<50} {:>8.0}/s  p50 {half:>6} µs  p99 {most:>6} µs  max {worst:>7} µs", measured.rate);
}

/// Returns the median.
pub fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
