//! `import`: agents with their histories, from a file of one agent a line.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::{
    fs::File,
    io::{AsyncBufRead, BufReader, stdin},
};

use super::{Failure, in_workshop, say};
use crate::{
    app::Workshop,
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
        let (from, bar) = open(&self.file).await?;
        let work = async |workshop: &Workshop| {
            let done = self.act(workshop, from, &bar).await;
            bar.finish_and_clear();
            done
        };
        let Imported { created, updated, unchanged, versions } = in_workshop(common, work).await?;
        say(format_args!(
            "agents created {created}, updated {updated}, unchanged {unchanged}; versions published {versions}"
        ))?;
        Ok(())
    }

    async fn act(
        self,
        workshop: &Workshop,
        mut from: Box<dyn AsyncBufRead + Send + Unpin>,
        bar: &ProgressBar,
    ) -> Result<Imported, Failure> {
        let Self { file: _, customer, model, activate } = self;
        let input = ImportAgents { customer_id: customer, model_name: model, activate };
        let caller = Caller::system("import");
        let progress = &mut |bytes| bar.set_position(bytes);
        Ok(workshop.registry.import_agents(&caller, input, &mut *from, progress).await?)
    }
}

async fn open(file: &Path) -> Result<(Box<dyn AsyncBufRead + Send + Unpin>, ProgressBar), Failure> {
    if file == Path::new("-") {
        let bar = ProgressBar::new_spinner();
        bar.set_style(style("{spinner} {bytes} {bytes_per_sec} {elapsed}"));
        return Ok((Box::new(BufReader::with_capacity(READ_AT_ONCE, stdin())), bar));
    }
    let unreadable = |err: std::io::Error| Failure::Usage(format!("can't read {}: {err}", file.display()));
    let opened = File::open(file).await.map_err(unreadable)?;
    let about = opened.metadata().await.map_err(unreadable)?;
    if about.is_dir() {
        return Err(Failure::Usage(format!("can't read {}: it is a folder", file.display())));
    }
    let bar = ProgressBar::new(about.len());
    bar.set_style(style("{wide_bar} {bytes}/{total_bytes} {eta}"));
    Ok((Box::new(BufReader::with_capacity(READ_AT_ONCE, opened)), bar))
}

/// A style that is known to be well-formed, and the usual one were it not.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
