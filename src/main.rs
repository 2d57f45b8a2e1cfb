//! The program: parses, runs, prints why it failed, ends with a code that says whose fault it was.

use std::process::ExitCode;

use agent_registry::cli::{self, Cli};
use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("agent-registry: {failure}");
            failure.exit_code()
        }
    }
}
