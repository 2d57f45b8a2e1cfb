//! The command line, one file per command. The change log records its writes under the actor kind `system`.

use std::{
    ffi::OsString,
    fmt,
    io::{self, Write},
    process::ExitCode,
};

use clap::{ArgMatches, CommandFactory, Parser, Subcommand};
use registry_client::{ClientError, gateway::GatewayError};

use crate::{
    app::{CliContext, StartError},
    config::{Common, Console, Serve},
    domain::{Error, transfer::ImportError},
    telemetry,
};

mod audit;
mod console;
mod customer;
mod demo;
mod draft;
mod environment;
mod exit_code;
mod export;
mod import;
mod issuer;
mod member;
mod migrate;
mod operator;
mod plan;
mod progress;
mod serve;
mod token;
mod wait;
mod watch;

/// The source of truth for AI agents in a multi-tenant system.
#[derive(Debug, Parser)]
#[command(name = "agent-registry", version, about, max_term_width = 110, arg_required_else_help = true, after_help = exit_code::HELP)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Apply database migrations (unless --no-migrate), then serve GraphQL, REST and websockets until SIGTERM or SIGINT
    Serve(Serve),
    /// Print a one-time address that signs a browser in to the console
    Console(Console),
    /// Publish and activate real prompts, and measure how fast a subscriber receives each activation
    Demo(demo::Demo),
    /// Apply database migrations
    Migrate(migrate::Migrate),
    /// Print the GraphQL schema
    Schema {
        /// Print the OpenAPI description of the REST API instead
        #[arg(long)]
        openapi: bool,
    },
    /// Manage operators: people who run the platform, with all rights at all customers
    #[command(subcommand)]
    Operator(operator::Operator),
    /// Make the running instances read the issuers' keys again
    #[command(subcommand)]
    Issuer(issuer::Issuer),
    /// Add members by issuer and subject, and link further identities to users
    #[command(subcommand)]
    Member(member::Member),
    /// Issue, list and revoke tokens
    #[command(subcommand)]
    Token(token::Token),
    /// Create and list customers
    #[command(subcommand)]
    Customer(customer::Customer),
    /// Create, list, archive and restore the environments of a customer
    #[command(subcommand)]
    Environment(environment::EnvironmentCommand),
    /// Import agents with their version histories into a customer; existing versions aren't changed
    Import(import::Import),
    /// Export a customer's agents with their version histories, in the format of `import`
    Export(export::Export),
    /// Print what the activation of a version would change; exits with 0 if nothing differs, 2 if something does, 3 if the
    /// environment's rules refuse it, and 1 after an error
    Plan(plan::Plan),
    /// Verify the change log and the active versions, sign the log's head, export a customer's audit trail
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Keep a local copy of all active configurations, as a gateway does, and print each change
    Watch(watch::Watch),
    /// Wait until the gateways have applied an activation: the last step of a deployment; exits with 0 when they have, and 1
    /// when they haven't in time
    Wait(wait::Wait),
}

/// Why a command failed. `exit_code` has the program's exit code for each.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A setting or an argument is wrong.
    #[error("{0}")]
    Usage(String),
    /// The program can't start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// An operation of the domain was refused.
    #[error(transparent)]
    Domain(#[from] Error),
    /// An import stopped early.
    #[error(transparent)]
    Import(Box<ImportError>),
    /// A file of another registry can't be converted.
    #[error("{0}")]
    Convert(String),
    /// A request to a running service failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The gateway of `watch` stopped.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The demo didn't behave as expected.
    #[error("{0}")]
    Demo(String),
    /// The log, or an excerpt of it, failed verification.
    #[error("BROKEN: {0}")]
    Audit(String),
    /// A file isn't what the option needs.
    #[error("{0}")]
    File(String),
    /// Nobody was there to remove.
    #[error("{0}")]
    Nobody(String),
    /// A plan couldn't be printed: exit code 1, because 2 says that there are changes.
    #[error(transparent)]
    Plan(Box<Self>),
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl From<ImportError> for Failure {
    fn from(err: ImportError) -> Self {
        Self::Import(Box::new(err))
    }
}

/// Formats a clap error as one line, without the usage and help hints that follow it.
#[must_use]
pub fn one_line(err: &clap::Error) -> String {
    let text = err.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let wrong =
        lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    wrong.collect::<Vec<_>>().join(" ").trim_start_matches("error: ").to_owned()
}

/// Opens a [`CliContext`], runs `work` with it, and closes it even when `work` fails.
async fn with_context<T>(
    common: &Common,
    work: impl AsyncFnOnce(&CliContext) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let context = CliContext::open(common).await?;
    let done = work(&context).await;
    context.close().await;
    done
}

/// Prints a line. A broken pipe (such as `| head`) is no failure.
fn print_line(line: fmt::Arguments<'_>) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(err) if err.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        said => said,
    }
}

/// The exit code for arguments that can't be read: 2, but 1 for `plan`, whose 2 says that there are changes.
#[must_use]
pub fn usage_exit_code(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let read = Cli::command().ignore_errors(true).try_get_matches_from(arguments);
    match read.ok().as_ref().and_then(ArgMatches::subcommand_name) {
        Some("plan") => ExitCode::FAILURE,
        _ => ExitCode::from(exit_code::USAGE),
    }
}

/// Runs the selected command, and returns the program's exit code.
///
/// # Errors
/// [`Failure`].
pub async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let Cli { common, command } = cli;
    telemetry::log(common.log_format, &common.log);
    let done = match command {
        Command::Serve(settings) => serve::run(&common, &settings).await,
        Command::Console(command) => console::run(command, &common).await,
        Command::Demo(command) => command.run(&common).await,
        Command::Migrate(command) => command.run(&common).await,
        Command::Schema { openapi } => {
            let text = if openapi { crate::app::openapi() } else { crate::app::sdl() };
            print_line(format_args!("{}", text.trim_end()))?;
            Ok(())
        }
        Command::Operator(command) => command.run(&common).await,
        Command::Issuer(command) => command.run(&common).await,
        Command::Member(command) => command.run(&common).await,
        Command::Token(command) => command.run(&common).await,
        Command::Customer(command) => command.run(&common).await,
        Command::Environment(command) => command.run(&common).await,
        Command::Import(command) => command.run(&common).await,
        Command::Export(command) => command.run(&common).await,
        Command::Plan(command) => return command.run(&common).await,
        Command::Audit(command) => command.run(&common).await,
        Command::Watch(command) => command.run().await,
        Command::Wait(command) => return command.run().await,
    };
    done.map(|()| ExitCode::SUCCESS)
}
