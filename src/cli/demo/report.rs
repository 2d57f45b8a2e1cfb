//! The demo's report: a table of activations and their latencies.

use std::fmt;

use super::super::Failure;

/// The width of the column for agent names, in characters.
const NAME_CHARS: usize = 36;

/// The result of one activation.
#[derive(Clone, Debug)]
pub(super) struct Receipt {
    /// The agent's name.
    pub(super) agent: String,
    /// The version's number.
    pub(super) number: i64,
    /// The size of the version's prompt, in bytes.
    pub(super) bytes: usize,
    /// Whether the subscriber received exactly this activation, with the same prompt.
    pub(super) is_expected: bool,
    /// Milliseconds from sending the mutation to the event's arrival.
    pub(super) since_sent: Option<f64>,
    /// Milliseconds from the mutation's response to the event's arrival; negative when the event arrived first.
    pub(super) since_acknowledged: Option<f64>,
}

/// The results of all activations.
#[derive(Clone, Debug)]
pub(super) struct Report {
    url: String,
    customer: String,
    name: String,
    receipts: Vec<Receipt>,
    ended: bool,
}

impl Report {
    pub(super) fn new(url: &str, customer: &str, name: &str) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            customer: customer.to_owned(),
            name: name.to_owned(),
            receipts: Vec::new(),
            ended: false,
        }
    }

    pub(super) fn add(&mut self, receipt: Receipt) {
        self.receipts.push(receipt);
    }

    /// Marks the service as stopped, because the demo had started it. Its data remains.
    pub(super) fn with_stopped_service(self) -> Self {
        Self { ended: true, ..self }
    }

    /// Fails unless the subscriber received every activation as expected.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let missed = self.receipts.iter().filter(|receipt| !receipt.is_expected).count();
        match missed {
            0 => Ok(()),
            missed => Err(Failure::Demo(format!(
                "{missed} of {} activations weren't received as expected",
                self.receipts.len()
            ))),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, customer, name, receipts, ended } = self;
        writeln!(
            f,
            "Milliseconds until the subscriber received each activation, from sending it and from its response:\n"
        )?;
        writeln!(f, "{:NAME_CHARS$}  version  prompt bytes  from sent  from answered", "agent")?;
        for receipt in receipts {
            let Receipt { agent, number, bytes, is_expected, since_sent, since_acknowledged } = receipt;
            let agent: String = agent.chars().take(NAME_CHARS).collect();
            write!(f, "{agent:NAME_CHARS$}  {number:7}  {bytes:12}  ")?;
            match (since_sent, since_acknowledged) {
                (Some(sent), Some(answered)) => write!(f, "{sent:9.2}  {answered:13.2}")?,
                _ => write!(f, "{:>9}  {:>13}", "never", "never")?,
            }
            writeln!(f, "{}", if *is_expected { "" } else { "  NOT AS EXPECTED" })?;
        }
        let received = receipts.iter().filter(|receipt| receipt.is_expected).count();
        writeln!(
            f,
            "\n{received} of {} activations were received as expected, with identical prompts.",
            receipts.len()
        )?;
        writeln!(f, "{:18}{:>9}{:>9}{:>9}{:>9}", "milliseconds", "min", "median", "p99", "max")?;
        row(f, "from sent", receipts.iter().filter_map(|receipt| receipt.since_sent))?;
        row(f, "from answered", receipts.iter().filter_map(|receipt| receipt.since_acknowledged))?;
        writeln!(f, "\nThe demo's data is kept. To explore it:")?;
        if *ended {
            writeln!(f, "  start     agent-registry serve   (the demo's own service has stopped)")?;
            writeln!(f, "  explore   /graphiql at the address that it prints")?;
        } else {
            writeln!(f, "  explore   {url}/graphiql")?;
        }
        writeln!(f, "  customer  {customer}   ({name})")?;
        writeln!(f, "  a token   agent-registry token user --subject me --operator")
    }
}

fn row(f: &mut fmt::Formatter<'_>, what: &str, values: impl Iterator<Item = f64>) -> fmt::Result {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    write!(f, "{what:18}")?;
    for percent in [0, 50, 99, 100] {
        match nearest_rank(&values, percent) {
            Some(value) => write!(f, "{value:9.2}")?,
            None => write!(f, "{:>9}", "-")?,
        }
    }
    writeln!(f)
}

/// The nearest-rank percentile: the smallest value that at least `percent` of the sorted values don't exceed.
fn nearest_rank(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}
