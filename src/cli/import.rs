//! `import`: agents with their histories, from a file of one agent a line.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;
use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncRead, AsyncSeekExt, BufReader, stdin},
};

use super::{Failure, in_workshop, progress::bar, say};
use crate::{
    app::Workshop,
    clock::Clock,
    config::Common,
    domain::{
        Caller,
        transfer::{ImportAgents, Imported},
    },
    id::CustomerId,
};

/// How much of the file is read at a time, in bytes.
const READ_AT_ONCE: usize = 256 * 1024;

/// What to import.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// JSON Lines, one agent a line: {"agent": NAME, "versions": [{"published_at": TIME, "system_prompt": TEXT}, …]}, or as `export` writes it; - reads standard input
    #[arg(value_name = "FILE.jsonl")]
    file: PathBuf,
    /// Whose the agents are to be: a customer's id
    #[arg(long, value_name = "ID")]
    customer: CustomerId,
    /// The model of versions that name none
    #[arg(long, default_value = "gpt-4-turbo")]
    model: String,
    /// Make the last version of each new agent the one that serves, where the file does not say which one is
    #[arg(long)]
    activate: bool,
}

impl Import {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        // Before a database is started for it.
        let (mut from, bar) = open(&self.file).await?;
        let work = async |workshop: &Workshop| {
            let done = self.act(workshop, &mut from, &bar).await;
            bar.finish_and_clear();
            done
        };
        let Imported { created, updated, unchanged, versions } = in_workshop(common, work).await?;
        say(format_args!(
            "agents created {created}, updated {updated}, unchanged {unchanged}; versions published {versions}"
        ))?;
        Ok(())
    }

    async fn act(self, workshop: &Workshop, from: &mut File, bar: &ProgressBar) -> Result<Imported, Failure> {
        let Self { file: _, customer, model, activate } = self;
        let input = ImportAgents { customer_id: customer, model_name: model, activate };
        let (registry, caller) = (&workshop.registry, Caller::system("import"));
        registry
            .check_room_to_import(&caller, &input, &mut BufReader::with_capacity(READ_AT_ONCE, &mut *from))
            .await?;
        from.rewind().await?;
        let mut from = BufReader::with_capacity(READ_AT_ONCE, from);
        let progress = &mut |bytes| bar.set_position(bytes);
        Ok(registry.import_agents(&caller, input, &mut from, progress).await?)
    }
}

/// The file, which is read twice: first to see whether there is room for it. What can be read only once is copied.
async fn open(file: &Path) -> Result<(File, ProgressBar), Failure> {
    let unreadable = |err: std::io::Error| Failure::Usage(format!("can't read {}: {err}", file.display()));
    if file == Path::new("-") {
        return copied(&mut stdin()).await.map_err(unreadable);
    }
    let mut opened = File::open(file).await.map_err(unreadable)?;
    let about = opened.metadata().await.map_err(unreadable)?;
    if about.is_dir() {
        return Err(Failure::Usage(format!("can't read {}: it is a folder", file.display())));
    }
    if !about.is_file() {
        return copied(&mut opened).await.map_err(unreadable);
    }
    Ok((opened, read_of(about.len())))
}

/// A copy of what is there to read, in a file that is gone when it is closed.
async fn copied(from: &mut (dyn AsyncRead + Send + Unpin)) -> std::io::Result<(File, ProgressBar)> {
    let path =
        std::env::temp_dir().join(format!(".agent-registry-import-{}", Clock::default().id::<uuid::Uuid>()));
    // Prompts are a customer's own: nobody else on the machine reads them.
    let mut copy = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).await?;
    tokio::fs::remove_file(&path).await?;
    let size = tokio::io::copy(from, &mut copy).await?;
    copy.rewind().await?;
    Ok((copy, read_of(size)))
}

/// How far a file of this size has been read.
fn read_of(size: u64) -> ProgressBar {
    bar(size, "{wide_bar} {bytes}/{total_bytes} {eta}")
}
