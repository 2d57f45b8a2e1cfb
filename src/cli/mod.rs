//! The command line: one file a command. It acts as `system` in the log.

use std::{
    fmt,
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use registry_client::{ClientError, gateway::GatewayError};

use crate::{
    app::{StartError, Workshop},
    config::{Common, Serve},
    domain::{Error, transfer::ImportError},
    telemetry,
};

mod audit;
mod customer;
mod demo;
mod draft;
mod export;
mod import;
mod migrate;
mod operator;
mod progress;
mod serve;
mod token;
mod watch;

/// The source of truth for AI agents in a multi-tenant system.
#[derive(Debug, Parser)]
#[command(name = "agent-registry", version, about, max_term_width = 110, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the database to its shape, then serve GraphQL, REST and websockets until asked to stop
    Serve(Serve),
    /// Show the whole main job on real prompts: publish, activate, and what a watcher receives, how fast
    Demo(demo::Demo),
    /// Bring the database to its shape
    Migrate(migrate::Migrate),
    /// Print the GraphQL schema
    Schema {
        /// Print the OpenAPI description of REST instead
        #[arg(long)]
        openapi: bool,
    },
    /// Name operators: users of the platform itself, for all customers
    #[command(subcommand)]
    Operator(operator::Operator),
    /// Make credentials
    #[command(subcommand)]
    Token(token::Token),
    /// Create and list customers
    #[command(subcommand)]
    Customer(customer::Customer),
    /// Bring agents with their version histories to a customer; what is there already stays as it is
    Import(import::Import),
    /// Write a customer's agents with their version histories, as `import` reads them
    Export(export::Export),
    /// Prove that the change log is what it was, and that what is served is what it says
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Keep a local map of what serves, as a gateway does, and tell each change of it
    Watch(watch::Watch),
}

/// A command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A setting or an argument is wrong: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Something else is: exit code 1.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A verb refused.
    #[error(transparent)]
    Verb(#[from] Error),
    /// An import ended before its end.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The service that was asked did not answer as it should.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A gateway has ended.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The demo did not show what it should.
    #[error("{0}")]
    Demo(String),
    /// The log, or an excerpt of it, does not hold.
    #[error("BROKEN: {0}")]
    Audit(String),
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Failure {
    /// What the program ends with.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_)
            | Self::Gateway(GatewayError::Setting(_))
            | Self::Start(StartError::Setting(_) | StartError::Key(_) | StartError::Jwks(_)) => {
                ExitCode::from(2)
            }
            Self::Start(_)
            | Self::Verb(_)
            | Self::Import(_)
            | Self::Client(_)
            | Self::Gateway(_)
            | Self::Demo(_)
            | Self::Audit(_)
            | Self::Io(_) => ExitCode::FAILURE,
        }
    }
}

/// What is wrong with the arguments or a setting, without the advice that follows it.
#[must_use]
pub fn one_line(err: &clap::Error) -> String {
    let text = err.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let wrong =
        lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    wrong.collect::<Vec<_>>().join(" ").trim_start_matches("error: ").to_owned()
}

/// Does a command's work on the verbs, and ends what it opened whatever comes of it.
async fn in_workshop<T>(
    common: &Common,
    work: impl AsyncFnOnce(&Workshop) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let workshop = Workshop::open(common).await?;
    let done = work(&workshop).await;
    workshop.close().await;
    done
}

/// Prints a line. Whoever reads us may have had enough: that is no failure.
fn say(line: fmt::Arguments<'_>) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(err) if err.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        said => said,
    }
}

/// Runs the command that these arguments ask for.
///
/// # Errors
/// [`Failure`].
pub async fn run(cli: Cli) -> Result<(), Failure> {
    let Cli { common, command } = cli;
    telemetry::log(common.log_format, &common.log);
    match command {
        Command::Serve(settings) => serve::run(&common, &settings).await,
        Command::Demo(command) => command.run(&common).await,
        Command::Migrate(command) => command.run(&common).await,
        Command::Schema { openapi } => {
            let text = if openapi { crate::app::openapi() } else { crate::app::sdl() };
            say(format_args!("{}", text.trim_end()))?;
            Ok(())
        }
        Command::Operator(command) => command.run(&common).await,
        Command::Token(command) => command.run(&common).await,
        Command::Customer(command) => command.run(&common).await,
        Command::Import(command) => command.run(&common).await,
        Command::Export(command) => command.run(&common).await,
        Command::Audit(command) => command.run(&common).await,
        Command::Watch(command) => command.run().await,
    }
}
