//! The program's exit codes, so that a script can tell what happened without reading messages. `plan` has codes of its
//! own, which its help names.

use std::process::ExitCode;

use registry_client::gateway::GatewayError;

use super::Failure;
use crate::{app::StartError, domain::Error};

/// A wrong argument or setting, or a file that can't be read or has something else in it.
pub(super) const USAGE: u8 = 2;
/// The log, or an excerpt of it, was tampered with.
const TAMPERED: u8 = 3;
/// Nothing was there to change.
const NOTHING: u8 = 4;
/// The database can't be reached, or accepts no requests now.
const NO_DATABASE: u8 = 5;

/// The end of `--help`: the exit codes of all commands but `plan`.
pub(super) const HELP: &str = "Exit codes: 0 success; 1 another failure; 2 a wrong argument, setting or file; 3 the log was \
    tampered with (audit verify); 4 nothing to remove (operator remove); 5 the database can't be reached. The command plan \
    has its own.";

impl Failure {
    /// Returns the program's exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_)
            | Self::File(_)
            | Self::Gateway(GatewayError::Setting(_))
            | Self::Start(StartError::Setting(_) | StartError::Key(_) | StartError::Jwks(_)) => USAGE,
            Self::Audit(_) => TAMPERED,
            Self::Nobody(_) => NOTHING,
            Self::Start(err) if err.is_database_gone() => NO_DATABASE,
            Self::Domain(Error::Unavailable(_)) => NO_DATABASE,
            Self::Start(_)
            | Self::Domain(_)
            | Self::Import(_)
            | Self::Convert(_)
            | Self::Client(_)
            | Self::Gateway(_)
            | Self::Demo(_)
            | Self::Plan(_)
            | Self::Io(_) => 1,
        })
    }
}
