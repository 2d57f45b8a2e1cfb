//! `export`: writes a customer's agents with their version histories, one agent per line.

use std::path::PathBuf;

use clap::Args;

use super::{
    Failure,
    draft::{Draft, finish},
    progress::spinner,
    with_context,
};
use crate::{
    app::CliContext,
    config::Common,
    domain::{Caller, transfer::Exported},
    id::CustomerId,
};

/// Arguments of `export`.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The id of the customer whose agents are exported
    #[arg(long, value_name = "ID")]
    customer: CustomerId,
    /// The file to write; it is replaced only when the export has succeeded [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        let Self { customer, output } = self;
        let mut draft = Draft::open(output.as_deref())?;
        let work = async |context: &CliContext| write(context, customer, &mut draft).await;
        let Exported { agents, versions } = with_context(common, work).await?;
        draft.publish(output.as_deref())?;
        eprintln!("agents {agents}, versions {versions}");
        Ok(())
    }
}

async fn write(context: &CliContext, customer: CustomerId, draft: &mut Draft) -> Result<Exported, Failure> {
    let bar = spinner("{spinner} {pos} agents {elapsed}");
    let caller = Caller::system("export");
    let mut file = draft.writer()?;
    let progress = &mut |done: Exported| bar.set_position(done.agents);
    let done = context.registry.export_agents(&caller, customer, &mut file, progress).await;
    bar.finish_and_clear();
    let done = done?;
    finish(file).await?;
    Ok(done)
}
