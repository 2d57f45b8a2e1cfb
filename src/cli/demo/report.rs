//! The demo's report: what the demo did, in words, what the subscriber received and how fast, and where to look at it.

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

    /// The receipts of each agent, in the order of publication: an agent's receipts follow each other.
    fn by_agent(&self) -> impl Iterator<Item = &[Receipt]> {
        self.receipts.chunk_by(|one, next| one.agent == next.agent)
    }

    /// What the demo wrote: the customer, and each agent with its versions.
    fn write_story(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (agents, versions) = (self.by_agent().count(), self.receipts.len());
        writeln!(
            f,
            "The demo created the customer \"{}\" with {agents} agents. For each of them, it published the {versions} \
             versions\nin all of a real prompt, in the order in which their authors wrote them, and activated each \
             version in production:\n",
            self.name
        )?;
        for receipts in self.by_agent() {
            let Some(last) = receipts.last() else { continue };
            let agent: String = last.agent.chars().take(NAME_CHARS).collect();
            let count = receipts.len();
            writeln!(
                f,
                "  {agent:NAME_CHARS$}  {count} versions; version {} serves, with a prompt of {} bytes",
                last.number, last.bytes
            )?;
        }
        Ok(())
    }

    /// What the subscriber received, and how fast.
    fn write_arrivals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let received = self.receipts.iter().filter(|receipt| receipt.is_expected).count();
        writeln!(
            f,
            "\nA gateway was subscribed over a second websocket. {received} of {} activations were received as expected, \
             each with\nthe prompt that was published, byte for byte. Milliseconds until they arrived:\n",
            self.receipts.len()
        )?;
        for receipt in self.receipts.iter().filter(|receipt| !receipt.is_expected) {
            let arrival =
                if receipt.since_sent.is_some() { "arrived with another content" } else { "never arrived" };
            writeln!(f, "  NOT AS EXPECTED: version {} of {} {arrival}", receipt.number, receipt.agent)?;
        }
        writeln!(f, "  {:34}{:>9}{:>9}{:>9}{:>9}", "", "min", "median", "p99", "max")?;
        row(f, "after the mutation was sent", self.receipts.iter().filter_map(|receipt| receipt.since_sent))?;
        let acknowledged = self.receipts.iter().filter_map(|receipt| receipt.since_acknowledged);
        row(f, "after the mutation was answered", acknowledged)
    }

    /// Where a reader finds the demo's data.
    fn write_places(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, customer, name: _, receipts: _, ended } = self;
        writeln!(f, "\nThe data is kept. To look at it:\n")?;
        let base = if *ended {
            writeln!(
                f,
                "  start the service         agent-registry serve   (the demo's own service has stopped)"
            )?;
            ""
        } else {
            url.as_str()
        };
        writeln!(
            f,
            "  sign in                   agent-registry console --subject me --operator   (prints a link)"
        )?;
        writeln!(f, "  what serves, what changed {base}/c/{customer}")?;
        writeln!(f, "  the agents                {base}/c/{customer}/agents")?;
        writeln!(f, "  who did what              {base}/c/{customer}/audit")?;
        writeln!(f, "  query the same            {base}/graphiql")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_story(f)?;
        self.write_arrivals(f)?;
        self.write_places(f)
    }
}

fn row(f: &mut fmt::Formatter<'_>, what: &str, values: impl Iterator<Item = f64>) -> fmt::Result {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    write!(f, "  {what:34}")?;
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
