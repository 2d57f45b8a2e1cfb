//! What the demo saw, for people to read.

use std::fmt;

use super::super::Failure;

/// How many characters of an agent's name are shown.
const NAME_CHARS: usize = 36;

/// What came of one activation.
#[derive(Clone, Debug)]
pub(super) struct Receipt {
    /// The agent's name.
    pub(super) agent: String,
    /// The version's number.
    pub(super) number: i64,
    /// The size of its prompt.
    pub(super) bytes: usize,
    /// Whether the watcher received just this activation, its prompt byte for byte.
    pub(super) is_expected: bool,
    /// Milliseconds from just before the mutation was sent to the event's arrival.
    pub(super) since_sent: Option<f64>,
    /// Milliseconds from the mutation's answer to the event's arrival; negative when the event came first.
    pub(super) since_acknowledged: Option<f64>,
}

/// All of them.
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

    /// The service was the demo's own: it is there no more, its data is.
    pub(super) fn of_a_service_that_ended(self) -> Self {
        Self { ended: true, ..self }
    }

    /// Fails unless the watcher received all of it.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let missed = self.receipts.iter().filter(|receipt| !receipt.is_expected).count();
        match missed {
            0 => Ok(()),
            missed => Err(Failure::Demo(format!(
                "of {} activations the watcher did not receive {missed} as expected",
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
            "What the watcher received, and how many milliseconds after the activation was sent and answered:\n"
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
            "\n{received} of {} activations were received as expected, prompts byte for byte.",
            receipts.len()
        )?;
        writeln!(f, "{:18}{:>9}{:>9}{:>9}{:>9}", "milliseconds", "min", "median", "p99", "max")?;
        row(f, "from sent", receipts.iter().filter_map(|receipt| receipt.since_sent))?;
        row(f, "from answered", receipts.iter().filter_map(|receipt| receipt.since_acknowledged))?;
        writeln!(f, "\nIt is all still there. To explore it:")?;
        if *ended {
            writeln!(f, "  start     agent-registry serve   (the demo's own service has ended)")?;
            writeln!(f, "  explore   /graphiql at the address that it says")?;
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

/// The smallest of the sorted values that at least `percent` of them do not exceed.
fn nearest_rank(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}
