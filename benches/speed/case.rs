//! What is measured, beside what, and what it is to reach.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use super::{Failure, load::Measured};

/// One line of the result.
pub struct Case {
    /// What is done.
    pub what: &'static str,
    /// Ours, with its unit.
    pub ours: String,
    /// What it is laid beside, with its unit.
    pub beside: String,
    /// The one by the other, or the figure itself where it stands alone.
    pub came_to: String,
    /// What was to be reached.
    pub aim: &'static str,
    /// Whether it was; none when nobody said what was to be.
    pub is_reached: Option<bool>,
}

/// All lines so far, said as they come.
#[derive(Default)]
pub struct Report(Vec<Case>);

impl Report {
    /// One line more.
    pub fn add(&mut self, case: Case) {
        let Case { what, ours, beside, came_to, aim, is_reached } = &case;
        let mark = mark(*is_reached);
        println!("{what}: {ours}; {beside}: {came_to} (to reach: {aim}) {mark}\n");
        self.0.push(case);
    }

    /// A case by rates, of which more is better.
    pub fn rate(&mut self, what: &'static str, (ours, beside): (f64, (&str, f64)), aim: (&'static str, f64)) {
        let (name, theirs) = beside;
        let ratio = ours / theirs.max(f64::MIN_POSITIVE);
        self.add(Case {
            what,
            ours: format!("{ours:.0}/s"),
            beside: format!("{name} {theirs:.0}/s"),
            came_to: format!("{ratio:.2} ×"),
            aim: aim.0,
            is_reached: Some(ratio >= aim.1),
        });
    }

    /// A case by how long nearly all answers took.
    pub fn latency(&mut self, what: &'static str, measured: &Measured, aim: (&'static str, Duration)) {
        let [half, most] =
            [0.5, 0.99].map(|at| Duration::from_micros(measured.latency.value_at_quantile(at)));
        self.add(Case {
            what,
            ours: format!("{:.1} ms", most.as_secs_f64() * 1e3),
            beside: format!("p50 {:.1} ms", half.as_secs_f64() * 1e3),
            came_to: "–".to_owned(),
            aim: aim.0,
            is_reached: Some(most <= aim.1),
        });
    }

    /// The table, with the machine and the state that it was measured on, in the document between its two marks.
    pub fn write(&self) -> Result<(), Failure> {
        let place = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
        let text = std::fs::read_to_string(&place)?;
        let (before, rest) =
            text.split_once(BEGIN).ok_or("docs/performance.md has no place for the table")?;
        let (_, after) = rest.split_once(END).ok_or("docs/performance.md has no end of the table")?;
        let mut table = format!("{BEGIN}\n\n{}\n\n", machine());
        table.push_str(
            "| case | ours | yardstick | ratio | target | |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        for Case { what, ours, beside, came_to, aim, is_reached } in &self.0 {
            let mark = mark(*is_reached);
            writeln!(table, "| {what} | {ours} | {beside} | {came_to} | {aim} | {mark} |")?;
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

/// What it was measured on.
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
        " and what was not committed"
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

/// Says what was measured.
pub fn say(what: &str, measured: &Measured) {
    let [half, most, worst] = [0.5, 0.99, 1.0].map(|at| measured.latency.value_at_quantile(at));
    println!("  {what:<50} {:>8.0}/s  p50 {half:>6} µs  p99 {most:>6} µs  max {worst:>7} µs", measured.rate);
}

/// The one in the middle.
pub fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
