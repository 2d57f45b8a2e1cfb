//! Import: several agents in each transaction, each agent completely. A line that can't be imported changes nothing.

use std::sync::Arc;

use tokio::io::AsyncBufRead;

use super::{
    super::{
        Caller, Error, Registry, Result, customer, permission,
        policy::{self, Action},
        text,
    },
    apply::{self, AppliedLine, ApplyOptions},
    checked::{CheckedLine, LineChecker},
    line::VERSION_BYTES_MAX,
    reader::LineReader,
    report::{ImportError, Imported, LineOutcome, LineReport},
};
use crate::{
    entity::{self, TenantFilter},
    environment_key::EnvironmentKey,
    id::CustomerId,
    share::MemoryShare,
};

/// The most agents of one transaction. All their log entries are appended at its end, and other writers wait for
/// that.
const AGENTS_AT_ONCE: usize = 32;
/// A transaction takes no more lines once it has this many versions.
const VERSIONS_AT_ONCE: usize = 320;
/// A transaction takes no more lines once they have this many bytes.
const BYTES_AT_ONCE: u64 = 1024 * 1024;
/// The most lines that an import skips.
const SKIPPED_MAX: u64 = 10_000;

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct ImportAgents {
    /// The customer that the agents will belong to.
    pub customer_id: CustomerId,
    /// The model of versions that name none.
    pub model_name: String,
    /// The options.
    pub options: ImportOptions,
    /// The longest text of a version, in bytes: at most [`VERSION_BYTES_MAX`]. A few of them are in memory.
    pub version_bytes: usize,
    /// The share of the disk for lines that don't fit the memory. `None` counts nothing, for the command line.
    pub disk: Option<MemoryShare>,
}

impl ImportAgents {
    /// An import without limits of its own, for the command line.
    #[must_use]
    pub fn new(customer_id: CustomerId, model_name: impl Into<String>, options: ImportOptions) -> Self {
        let model_name = model_name.into();
        Self { customer_id, model_name, options, version_bytes: VERSION_BYTES_MAX, disk: None }
    }
}

/// The options of an import. By default, all are off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// The environment that a line's `active`, and [`ImportOptions::activate`], are about.
    pub environment: EnvironmentKey,
    /// Activates the last version of each agent that the import creates, where its line has no `active`.
    pub activate: bool,
    /// Makes each agent exactly as its line: a field that the line leaves out is removed, and a published version
    /// that differs in its message, its time, the order of keys or the form of numbers is an error.
    pub exact: bool,
    /// Skips lines that can't be imported, instead of ending at the first one.
    pub skip_bad: bool,
    /// Does everything but commit.
    pub dry_run: bool,
}

/// The error that ends an import after the lines of a batch, and the agent of its line.
type ReadEnd = (Option<String>, Error);

/// An import that is under way. Dropping it between two calls of [`Import::next`] leaves the agents so far.
pub struct Import<'a> {
    checker: LineChecker,
    input: ImportAgents,
    lines: LineReader<'a>,
    done: Imported,
    /// A failure that follows the lines of the last call.
    failure: Option<ImportError>,
    has_ended: bool,
}

impl Registry {
    /// Begins to import agents with their versions into this customer. An agent that exists already, by the line's id
    /// or else by its name, must have the line's first versions: then the others are added, and the agent's state is
    /// set as in the line. A field that the line leaves out stays unchanged.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer, [`Error::Forbidden`], [`Error::Suspended`], and [`Error::Invalid`] for
    /// the model or the options.
    pub async fn import<'a>(
        &self,
        caller: &Caller,
        input: ImportAgents,
        from: &'a mut (dyn AsyncBufRead + Send + Unpin),
    ) -> Result<Import<'a>> {
        self.check_import(caller, &input).await?;
        let ImportOptions { activate, exact, .. } = input.options.clone();
        if activate && exact {
            return Err(Error::invalid(
                "activate",
                "activate can't be combined with exact: the file says what serves",
            ));
        }
        let disk = input.disk.clone();
        let checker = LineChecker::new(self.clone(), caller.clone(), &input.model_name, exact, disk);
        let (lines, done) = (LineReader::new(from, input.version_bytes), Imported::default());
        Ok(Import { checker, input, lines, done, failure: None, has_ended: false })
    }

    /// Checks that this caller may import into the customer. Returns the customer's plan.
    pub(super) async fn check_import(&self, caller: &Caller, input: &ImportAgents) -> Result<customer::Plan> {
        policy::allow_on(caller, Action::ImportAgents, input.customer_id, "customer")?;
        text::check_name("modelName", &input.model_name)?;
        let (tenants, id) = (TenantFilter::Only(vec![input.customer_id]), input.customer_id);
        let found = self.reading(caller).view.one(entity::customer::by_ids(&tenants, &[id])).await?;
        let found = found.ok_or(Error::NotFound("customer"))?;
        permission::check_status(caller, Action::ImportAgents, found.status())?;
        Ok(found.plan)
    }
}

impl Import<'_> {
    /// Imports the next lines, and reports each. `None` at the end of the file.
    ///
    /// # Errors
    /// [`ImportError`]: the line that can't be imported, unless such lines are skipped; or why no line can be.
    pub async fn next(&mut self) -> std::result::Result<Option<Vec<LineReport>>, ImportError> {
        if let Some(failure) = self.failure.take() {
            self.has_ended = true;
            return Err(failure);
        }
        if self.has_ended {
            return Ok(None);
        }
        let mut reports = Vec::new();
        let (batch, end) = self.batch(&mut reports).await;
        self.import_batch(batch, &mut reports).await;
        if let Some((agent, source)) = end
            && self.failure.is_none()
        {
            let (line, done) = (self.lines.number(), self.done);
            self.failure = Some(ImportError { line, agent, done, source });
        }
        reports.sort_by_key(|report| report.line);
        match self.failure.take() {
            Some(failure) if reports.is_empty() => {
                self.has_ended = true;
                Err(failure)
            }
            failure => {
                self.failure = failure;
                Ok(Some(reports))
            }
        }
    }

    /// Imports all lines that are left, and passes each report to `report`, with the bytes read so far.
    ///
    /// # Errors
    /// As [`Import::next`].
    pub async fn run(
        mut self,
        report: &mut (dyn FnMut(&[LineReport], u64) + Send),
    ) -> std::result::Result<Imported, ImportError> {
        while let Some(reports) = self.next().await? {
            report(&reports, self.bytes());
        }
        Ok(self.done)
    }

    /// The counts so far.
    #[must_use]
    pub fn done(&self) -> Imported {
        self.done
    }

    /// How many bytes have been read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.lines.bytes()
    }

    /// The caller that the import is done for.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.checker.caller
    }

    /// Reads lines for one transaction. Also returns the error that ends the import after them, with the agent.
    async fn batch(&mut self, reports: &mut Vec<LineReport>) -> (Vec<CheckedLine>, Option<ReadEnd>) {
        let (mut batch, mut versions, mut bytes) = (Vec::new(), 0, 0);
        while batch.len() < AGENTS_AT_ONCE
            && reports.len() < AGENTS_AT_ONCE
            && versions < VERSIONS_AT_ONCE
            && bytes < BYTES_AT_ONCE
        {
            match self.lines.begin().await {
                Ok(true) => {}
                Ok(false) => {
                    self.has_ended = true;
                    break;
                }
                Err(source) => return (batch, Some((None, source))),
            }
            let source = match self.checker.line(&mut self.lines).await {
                Ok(line) => {
                    versions += line.versions.len();
                    bytes += line.bytes();
                    batch.push(line);
                    continue;
                }
                Err(source) => source,
            };
            let agent = self.lines.agent().map(str::to_owned);
            if !self.may_skip(&source) {
                return (batch, Some((agent, source)));
            }
            self.fail(self.lines.number(), agent, source, reports);
            if let Err(source) = self.lines.skip_line().await {
                return (batch, Some((None, source)));
            }
        }
        (batch, None)
    }

    /// Imports a batch in one transaction. If that fails, imports its lines one by one, so that the error can name the
    /// one that fails, and the others are imported: all of them, or those before it.
    async fn import_batch(&mut self, batch: Vec<CheckedLine>, reports: &mut Vec<LineReport>) {
        let batch = Arc::new(batch);
        if batch.len() > 1
            && let Ok(outcomes) = self.import_range(&batch, 0..batch.len()).await
        {
            for (line, outcome) in batch.iter().zip(outcomes) {
                self.succeed(line, outcome, reports);
            }
            return;
        }
        for (place, line) in batch.iter().enumerate() {
            match self.import_range(&batch, place..place + 1).await {
                Ok(outcomes) => outcomes.into_iter().for_each(|outcome| self.succeed(line, outcome, reports)),
                Err(source) => self.fail(line.number, Some(line.name.clone()), source, reports),
            }
            if self.failure.is_some() {
                return;
            }
        }
    }

    async fn import_range(
        &mut self,
        batch: &Arc<Vec<CheckedLine>>,
        range: std::ops::Range<usize>,
    ) -> Result<Vec<AppliedLine>> {
        let ImportOptions { environment, activate, exact, dry_run, skip_bad: _ } = self.input.options.clone();
        let rehearsed = usize::try_from(self.done.created).unwrap_or(usize::MAX);
        let customer_id = self.input.customer_id;
        let options = ApplyOptions {
            customer_id,
            environment,
            activate,
            exact,
            rehearsed: if dry_run { rehearsed } else { 0 },
        };
        let registry = &self.checker.registry;
        let (within, batch) = (registry.clone(), Arc::clone(batch));
        let work = move |txn| async move {
            apply::apply(batch.get(range).unwrap_or_default(), txn, &within, options).await
        };
        match dry_run {
            true => registry.rehearse(&self.checker.caller, work).await,
            false => Ok(registry.run(&self.checker.caller, work).await?.value),
        }
    }

    fn succeed(&mut self, line: &CheckedLine, outcome: AppliedLine, reports: &mut Vec<LineReport>) {
        let AppliedLine { id, created, versions, changed, notes } = outcome;
        let outcome = match (created, changed) {
            (true, _) => LineOutcome::Created,
            (false, true) => LineOutcome::Updated,
            (false, false) => LineOutcome::Unchanged,
        };
        self.done.count(&outcome, versions);
        let (agent, id) = (Some(line.name.clone()), Some(id));
        reports.push(LineReport { line: line.number, agent, id, outcome, versions, notes });
    }

    /// Records that a line failed: as the import's failure, or as a skipped line.
    fn fail(&mut self, line: u64, agent: Option<String>, source: Error, reports: &mut Vec<LineReport>) {
        if !self.may_skip(&source) {
            self.failure = Some(ImportError { line, agent, done: self.done, source });
            return;
        }
        let outcome = LineOutcome::Failed(source);
        self.done.count(&outcome, 0);
        reports.push(LineReport { line, agent, id: None, outcome, versions: 0, notes: Vec::new() });
    }

    /// Whether the import continues after this error of a line.
    fn may_skip(&self, err: &Error) -> bool {
        let is_of_line = matches!(
            err,
            Error::Invalid { .. }
                | Error::InPart { .. }
                | Error::Several(_)
                | Error::TooLarge { .. }
                | Error::AlreadyExists { .. }
                | Error::Archived
                | Error::Plan(_)
                | Error::LimitReached { .. }
                | Error::NotFound("version of this agent")
        );
        is_of_line && !self.lines.is_broken() && self.input.options.skip_bad && self.done.failed < SKIPPED_MAX
    }
}
