//! Errors that stop a gateway, and the reaction to each error that ends a stream.

use std::io;

use crate::{ClientError, GraphQlError};

/// Why a gateway stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// A setting, the state file or the credential can't be used.
    #[error("{0}")]
    Setting(String),
    /// The registry rejected the credential, and has never accepted it before.
    #[error("the registry rejects the credential: {0}")]
    Credential(ClientError),
    /// The registry refused the subscription, and has never allowed it before.
    #[error("the registry refuses the subscription: {0}")]
    Refused(ClientError),
    /// With `is_once`: the registry has another log than the saved state, and serves no agent.
    #[error("{0}")]
    Empty(String),
    /// The last save failed.
    #[error("can't save the state: {0}")]
    Save(String),
    /// The notice callback failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// How to react to the end of a stream.
#[derive(Debug)]
pub(super) enum StreamEndAction {
    /// Reconnect.
    Reconnect,
    /// Reconnect after a longer delay, because the registry is overloaded or unavailable.
    ReconnectLater,
    /// Start over with a snapshot, because the cursor was rejected.
    StartOver {
        /// Whether the cursor isn't one of the registry's log. Otherwise it is only too old.
        is_other_log: bool,
    },
    /// The credential was rejected.
    Credential,
    /// The subscription isn't allowed.
    Refused,
    /// The URL is invalid.
    Address,
}

impl StreamEndAction {
    pub(super) fn after(end: &ClientError) -> Self {
        match end {
            ClientError::Address(_) => Self::Address,
            ClientError::Closed { code: 4401 | 4403, .. } => Self::Credential,
            ClientError::Closed { code: 1013, .. } | ClientError::Refused(429 | 503) => Self::ReconnectLater,
            ClientError::GraphQl(errors) => Self::for_codes(errors),
            ClientError::Unreachable(_)
            | ClientError::Refused(_)
            | ClientError::Closed { .. }
            | ClientError::Protocol(_)
            | ClientError::Silent
            | ClientError::Lagged => Self::Reconnect,
        }
    }

    fn for_codes(errors: &[GraphQlError]) -> Self {
        match errors.iter().find_map(GraphQlError::code) {
            Some("CURSOR_INVALID") => Self::StartOver { is_other_log: true },
            Some("CURSOR_TOO_OLD") => Self::StartOver { is_other_log: false },
            Some("UNAVAILABLE" | "RATE_LIMITED" | "INTERNAL") => Self::ReconnectLater,
            Some("UNAUTHENTICATED") => Self::Credential,
            Some(_) | None => Self::Refused,
        }
    }
}
