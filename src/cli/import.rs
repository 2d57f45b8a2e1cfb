//! `import`: reads agents with their version histories from a JSON Lines file, one agent per line.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, stdin},
};

use super::{Failure, print_line, progress::bar, with_context};
use crate::{
    app::CliContext,
    clock::Clock,
    config::Common,
    domain::{
        Caller,
        environment::EnvironmentKey,
        transfer::{
            Converted, FOREIGN_BYTES_MAX, ForeignFormat, ImportAgents, ImportError, ImportOptions, Imported,
            LineOutcome, LineReport, convert, temporary_file,
        },
    },
    id::CustomerId,
};

/// The size of the read buffer, in bytes.
const READ_AT_ONCE: usize = 256 * 1024;

/// Arguments of `import`.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file to import, in JSON Lines, one agent per line: {"agent": NAME, "versions": [{"published_at": TIME,
    /// "system_prompt": TEXT}, …]}, or the output of `export`; - reads standard input
    #[arg(value_name = "FILE.jsonl")]
    file: PathBuf,
    /// The id of the customer that gets the agents
    #[arg(long, value_name = "ID")]
    customer: CustomerId,
    /// The format of the file; exports of other registries are converted: chat prompts keep their system message, and
    /// the version with the label or alias `production` becomes active
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// The model of versions without one
    #[arg(long, default_value = "gpt-4-turbo")]
    model: String,
    /// The environment that a line's `active`, and --activate, are about
    #[arg(long, value_name = "KEY", default_value_t)]
    environment: EnvironmentKey,
    /// Activate the last version of each new agent, unless the file says which version is active
    #[arg(long)]
    activate: bool,
    /// Make each agent exactly as its line: remove what the line leaves out, and refuse published versions that differ
    /// in their message, their time, the order of keys or the form of numbers
    #[arg(long, conflicts_with = "activate")]
    exact: bool,
    /// Skip lines that can't be imported, and report them, instead of ending at the first one
    #[arg(long)]
    skip_bad: bool,
    /// Report what would be imported, and store nothing
    #[arg(long)]
    dry_run: bool,
}

/// The formats of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One agent per line
    Jsonl,
    /// Prompts of Langfuse, as a JSON array or one per line
    Langfuse,
    /// Prompt versions of MLflow, as a JSON array or one per line
    Mlflow,
}

impl Format {
    /// The format of another registry. `None` for our own.
    fn foreign(self) -> Option<ForeignFormat> {
        match self {
            Self::Jsonl => None,
            Self::Langfuse => Some(ForeignFormat::Langfuse),
            Self::Mlflow => Some(ForeignFormat::Mlflow),
        }
    }
}

impl Import {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        // The file is opened first, so that a wrong path fails before a database is started.
        let (mut from, mut bar) = open(&self.file).await?;
        if let Some(format) = self.format.foreign() {
            (from, bar) = convert_file(from, format, self.skip_bad).await?;
        }
        let dry_run = self.dry_run;
        let work = async |context: &CliContext| {
            let done = self.act(context, &mut from, &bar).await;
            bar.finish_and_clear();
            done
        };
        let done = with_context(common, work).await?;
        print_line(format_args!("{}{}", if dry_run { "dry run: " } else { "" }, summary(done)))?;
        Ok(())
    }

    async fn act(
        self,
        context: &CliContext,
        from: &mut File,
        bar: &ProgressBar,
    ) -> Result<Imported, Failure> {
        let Self { file: _, format: _, customer, model, environment, activate, exact, skip_bad, dry_run } =
            self;
        let options = ImportOptions { environment, activate, exact, skip_bad, dry_run };
        let input = ImportAgents::new(customer, model, options);
        let (registry, caller) = (&context.registry, Caller::system("import"));
        // With `--skip-bad`, a line that the plan has no room for is skipped like any other.
        if !skip_bad {
            let mut whole = BufReader::with_capacity(READ_AT_ONCE, &mut *from);
            registry.check_room_to_import(&caller, &input, &mut whole).await?;
            from.rewind().await?;
        }
        let mut from = BufReader::with_capacity(READ_AT_ONCE, from);
        let import = registry.import(&caller, input, &mut from).await.map_err(ImportError::before_lines)?;
        let report = &mut |reports: &[LineReport], bytes| {
            bar.suspend(|| reports.iter().for_each(print_report));
            bar.set_position(bytes);
        };
        Ok(import.run(report).await?)
    }
}

/// Prints what the reader must know of a line: its failure, and its notes.
fn print_report(report: &LineReport) {
    let LineReport { line, agent, id: _, outcome, versions: _, notes } = report;
    let agent = agent.as_ref().map(|agent| format!(", agent {agent:?}")).unwrap_or_default();
    if let LineOutcome::Failed(err) = outcome {
        eprintln!("line {line}{agent}: {}; skipped", err.in_snake_case().1);
    }
    for note in notes {
        eprintln!("line {line}{agent}: {note}");
    }
}

fn summary(done: Imported) -> String {
    let Imported { created, updated, unchanged, failed, versions } = done;
    let skipped = if failed > 0 { format!("; lines skipped {failed}") } else { String::new() };
    format!(
        "agents created {created}, updated {updated}, unchanged {unchanged}; versions published {versions}{skipped}"
    )
}

/// Opens the file for two passes: the first checks the customer's limits, the second imports. A source that can't be
/// read twice, such as a pipe, is copied to a temporary file.
async fn open(file: &Path) -> Result<(File, ProgressBar), Failure> {
    let unreadable = |err: std::io::Error| Failure::Usage(format!("can't read {}: {err}", file.display()));
    if file == Path::new("-") {
        return copy_to_temporary_file(&mut stdin()).await.map_err(unreadable);
    }
    let mut opened = File::open(file).await.map_err(unreadable)?;
    let about = opened.metadata().await.map_err(unreadable)?;
    if about.is_dir() {
        return Err(Failure::Usage(format!("can't read {}: it is a folder", file.display())));
    }
    if !about.is_file() {
        return copy_to_temporary_file(&mut opened).await.map_err(unreadable);
    }
    Ok((opened, read_progress(about.len())))
}

async fn copy_to_temporary_file(
    from: &mut (dyn AsyncRead + Send + Unpin),
) -> std::io::Result<(File, ProgressBar)> {
    let mut copy = temporary_file(&Clock::default()).await?;
    let size = tokio::io::copy(from, &mut copy).await?;
    copy.rewind().await?;
    Ok((copy, read_progress(size)))
}

/// Converts the file of another registry to a temporary file of lines. A record that can't be converted is an error, or
/// is skipped.
async fn convert_file(
    mut from: File,
    format: ForeignFormat,
    skip_bad: bool,
) -> Result<(File, ProgressBar), Failure> {
    let (mut text, limit) = (Vec::new(), u64::try_from(FOREIGN_BYTES_MAX).unwrap_or(u64::MAX));
    (&mut from).take(limit.saturating_add(1)).read_to_end(&mut text).await?;
    let Converted { lines, refused, notes } = convert(format, &text)?;
    notes.iter().for_each(|note| eprintln!("{note}"));
    match refused.first() {
        Some(first) if !skip_bad => {
            let others = match refused.len() - 1 {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            return Err(Failure::Convert(format!("{first}{others}; nothing was imported")));
        }
        _ => refused.iter().for_each(|refusal| eprintln!("{refusal}; skipped")),
    }
    let mut file = temporary_file(&Clock::default()).await?;
    file.write_all(lines.as_bytes()).await?;
    file.rewind().await?;
    Ok((file, read_progress(u64::try_from(lines.len()).unwrap_or(u64::MAX))))
}

/// A progress bar for a file of this size, in bytes.
fn read_progress(size: u64) -> ProgressBar {
    bar(size, "{wide_bar} {bytes}/{total_bytes} {eta}")
}
