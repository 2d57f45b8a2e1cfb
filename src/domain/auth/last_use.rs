//! When credentials were last used: stored in the background, at most once a minute for each.

use uuid::Uuid;

use super::{Registry, USE_STORED_EVERY};
use crate::{
    clock::Instant,
    id::{ApiKeyId, CustomerId, ServiceTokenId, SessionId},
};

/// A credential whose last use is stored.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain) enum Used {
    /// A browser's session.
    Session(SessionId),
    /// A key, and its customer.
    ApiKey(ApiKeyId, CustomerId),
    /// A service token.
    Service(ServiceTokenId),
}

impl Used {
    fn id(self) -> Uuid {
        match self {
            Self::Session(id) => id.into(),
            Self::ApiKey(id, _) => id.into(),
            Self::Service(id) => id.into(),
        }
    }
}

impl Registry {
    /// Stores the use of a credential in a background task, when that is due: `last` is the stored one. It isn't
    /// recorded in the log.
    pub(super) fn note_use(&self, used: Used, last: Option<Instant>, now: Instant) {
        if !self.auth().must_store_use(used.id(), last, now) {
            return;
        }
        let registry = self.clone();
        self.db().tasks().spawn_background(async move {
            if let Err(err) = registry.touch(used, now, now - USE_STORED_EVERY).await {
                tracing::warn!(error = %err, credential = ?used, "the use of a credential was not stored");
            }
        });
    }
}
