//! `export`: writes a customer's agents with their version histories, one agent per line.

use std::path::PathBuf;

use clap::Args;
use tokio::io::AsyncWriteExt;

use super::{
    Failure,
    draft::{Draft, finish},
    progress::bar,
    with_context,
};
use crate::{
    app::CliContext,
    config::Common,
    domain::{
        Caller,
        environment::EnvironmentKey,
        transfer::{ExportAgents, Exported},
    },
    id::CustomerId,
};

/// Arguments of `export`.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The id of the customer whose agents are exported
    #[arg(long, value_name = "ID")]
    customer: CustomerId,
    /// The environment whose active versions are exported as `active` [default: all, the others as `active_in`]
    #[arg(long, value_name = "KEY")]
    environment: Option<EnvironmentKey>,
    /// An agent to export, by its name or id; may be repeated [default: all agents]
    #[arg(long = "agent", value_name = "NAME|ID")]
    agents: Vec<String>,
    /// The file to write; it is replaced only when the export has succeeded [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub(super) async fn run(self, common: &Common) -> Result<(), Failure> {
        let Self { customer, environment, agents, output } = self;
        let input = ExportAgents { customer_id: customer, environment, agents, memory: None };
        let mut draft = Draft::open(output.as_deref())?;
        let work = async |context: &CliContext| write(context, input, &mut draft).await;
        let Exported { agents, versions } = with_context(common, work).await?;
        draft.publish(output.as_deref())?;
        eprintln!("agents {agents}, versions {versions}");
        Ok(())
    }
}

async fn write(context: &CliContext, input: ExportAgents, draft: &mut Draft) -> Result<Exported, Failure> {
    let mut export = context.registry.export(&Caller::system("export"), input).await?;
    let bar = bar(export.progress().1, "{wide_bar} {pos}/{len} agents {eta}");
    let mut file = draft.writer()?;
    let written = async {
        while let Some(text) = export.next().await? {
            file.write_all(&text).await?;
            bar.set_position(export.progress().0.agents);
        }
        Ok::<_, Failure>(export.progress().0)
    };
    let done = written.await;
    bar.finish_and_clear();
    let done = done?;
    finish(file).await?;
    Ok(done)
}
