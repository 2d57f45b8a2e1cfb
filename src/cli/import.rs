//! `import`: reads agents with their version histories from a JSON Lines file, one agent per line.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;
use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncRead, AsyncSeekExt, BufReader, stdin},
};

use super::{Failure, print_line, progress::bar, with_context};
use crate::{
    app::CliContext,
    clock::Clock,
    config::Common,
    domain::{
        Caller,
        transfer::{ImportAgents, Imported},
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
    /// The model of versions without one
    #[arg(long, default_value = "gpt-4-turbo")]
    model: String,
    /// Activate the last version of each new agent, unless the file says which version is active
    #[arg(long)]
    activate: bool,
}

impl Import {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        // The file is opened first, so that a wrong path fails before a database is started.
        let (mut from, bar) = open(&self.file).await?;
        let work = async |context: &CliContext| {
            let done = self.act(context, &mut from, &bar).await;
            bar.finish_and_clear();
            done
        };
        let Imported { created, updated, unchanged, versions } = with_context(common, work).await?;
        print_line(format_args!(
            "agents created {created}, updated {updated}, unchanged {unchanged}; versions published {versions}"
        ))?;
        Ok(())
    }

    async fn act(
        self,
        context: &CliContext,
        from: &mut File,
        bar: &ProgressBar,
    ) -> Result<Imported, Failure> {
        let Self { file: _, customer, model, activate } = self;
        let input = ImportAgents { customer_id: customer, model_name: model, activate };
        let (registry, caller) = (&context.registry, Caller::system("import"));
        registry
            .check_room_to_import(&caller, &input, &mut BufReader::with_capacity(READ_AT_ONCE, &mut *from))
            .await?;
        from.rewind().await?;
        let mut from = BufReader::with_capacity(READ_AT_ONCE, from);
        let progress = &mut |bytes| bar.set_position(bytes);
        Ok(registry.import_agents(&caller, input, &mut from, progress).await?)
    }
}

/// Opens the file for two passes: the first checks the customer's limits, the second imports. A source that can't be
/// read twice, such as a pipe, is copied to a temporary file.
async fn open(file: &Path) -> Result<(File, ProgressBar), Failure> {
    let unreadable = |err: std::io::Error| Failure::Usage(format!("can't read {}: {err}", file.display()));
    if file == Path::new("-") {
        return copy_to_temp_file(&mut stdin()).await.map_err(unreadable);
    }
    let mut opened = File::open(file).await.map_err(unreadable)?;
    let about = opened.metadata().await.map_err(unreadable)?;
    if about.is_dir() {
        return Err(Failure::Usage(format!("can't read {}: it is a folder", file.display())));
    }
    if !about.is_file() {
        return copy_to_temp_file(&mut opened).await.map_err(unreadable);
    }
    Ok((opened, read_progress(about.len())))
}

/// Copies `from` to an unlinked temporary file, which disappears when it is closed.
async fn copy_to_temp_file(
    from: &mut (dyn AsyncRead + Send + Unpin),
) -> std::io::Result<(File, ProgressBar)> {
    let path =
        std::env::temp_dir().join(format!(".agent-registry-import-{}", Clock::default().id::<uuid::Uuid>()));
    // Mode 0600, because prompts are confidential.
    let mut copy = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).await?;
    tokio::fs::remove_file(&path).await?;
    let size = tokio::io::copy(from, &mut copy).await?;
    copy.rewind().await?;
    Ok((copy, read_progress(size)))
}

/// A progress bar for a file of this size, in bytes.
fn read_progress(size: u64) -> ProgressBar {
    bar(size, "{wide_bar} {bytes}/{total_bytes} {eta}")
}
