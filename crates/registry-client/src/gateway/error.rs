//! Why a gateway ends, and what it makes of the ways in which a stream does.

use std::io;

use crate::{ClientError, GraphQlError};

/// A gateway has ended, and not because it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Something that it was given is wrong.
    #[error("{0}")]
    Setting(String),
    /// The registry has never accepted the credential.
    #[error("the registry does not accept the credential: {0}")]
    Credential(ClientError),
    /// The registry has never let it watch this.
    #[error("the registry refuses the watch: {0}")]
    Refused(ClientError),
    /// It was to end once its state is saved, and that can't be.
    #[error("can't save the state: {0}")]
    Save(String),
    /// What it tells can't be told.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What to do about a stream's end.
#[derive(Debug)]
pub(super) enum Way {
    /// Come back.
    Back,
    /// Come back, but not soon: it can't answer now.
    BackLater,
    /// Begin with a snapshot: the cursor is not accepted.
    Anew,
    /// The credential is not accepted.
    Credential,
    /// This may not be watched.
    Refused,
    /// The address is none.
    Address,
}

impl Way {
    pub(super) fn after(end: &ClientError) -> Self {
        match end {
            ClientError::Address(_) => Self::Address,
            ClientError::Closed { code: 4401 | 4403, .. } => Self::Credential,
            ClientError::Closed { code: 1013, .. } | ClientError::Refused(429 | 503) => Self::BackLater,
            ClientError::GraphQl(errors) => Self::told(errors),
            ClientError::Unreachable(_)
            | ClientError::Refused(_)
            | ClientError::Closed { .. }
            | ClientError::Protocol(_)
            | ClientError::Silent
            | ClientError::Lagged => Self::Back,
        }
    }

    fn told(errors: &[GraphQlError]) -> Self {
        match errors.iter().find_map(GraphQlError::code) {
            Some("CURSOR_INVALID" | "CURSOR_TOO_OLD") => Self::Anew,
            Some("UNAVAILABLE" | "RATE_LIMITED" | "INTERNAL") => Self::BackLater,
            Some("UNAUTHENTICATED") => Self::Credential,
            Some(_) | None => Self::Refused,
        }
    }
}
