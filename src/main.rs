//! The program: parses, runs, prints why it failed, ends with a code that says whose fault it was.

use std::process::ExitCode;

use agent_registry::cli::{self, Cli};
use clap::Parser;
use mimalloc::MiMalloc;

/// An answer is made of many small pieces: the system's allocator takes a fifth of a nested one's time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are no errors; what is wrong is told in one line.
        Err(err) if !err.use_stderr() => err.exit(),
        Err(err) => {
            eprintln!("agent-registry: {}", cli::one_line(&err));
            return ExitCode::from(2);
        }
    };
    match cli::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("agent-registry: {failure}");
            failure.exit_code()
        }
    }
}
