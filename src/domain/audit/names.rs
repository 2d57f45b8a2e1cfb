//! The names of callers in the audit log, for its readers.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::{
    domain::{
        Error, Reading, Registry, Result,
        change::{ActorKind, Change},
    },
    id::{ApiKeyId, ServiceTokenId, UserId},
};

impl ActorKind {
    /// The name of a caller of this kind for a reader who may not see its own name, or if it has none.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::ApiKey => "API key",
            Self::Service => "Service",
            Self::Operator => "Operator",
            Self::System => "System",
        }
    }
}

/// The names of the actors of some entries, as far as the reader may see them.
#[derive(Debug, Default)]
pub(super) struct ActorNames {
    users: HashMap<UserId, String>,
    keys: HashMap<ApiKeyId, String>,
    tokens: HashMap<ServiceTokenId, String>,
}

impl ActorNames {
    /// Reads the names of the actors of these entries.
    pub(super) async fn read(registry: &Registry, reading: &Reading, entries: &[Change]) -> Result<Self> {
        let mut names = Self::default();
        let users: Vec<UserId> = ids_of(entries, &[ActorKind::User, ActorKind::Operator]);
        if !users.is_empty() {
            for user in visible(registry.users_by_ids(reading, &users).await)? {
                let name = user.visible_name(&reading.caller).map(str::to_owned);
                names.users.extend(name.map(|name| (user.id, name)));
            }
        }
        let keys: Vec<ApiKeyId> = ids_of(entries, &[ActorKind::ApiKey]);
        if !keys.is_empty() {
            names.keys = registry.api_key_names(reading, &keys).await?;
        }
        let tokens: Vec<ServiceTokenId> = ids_of(entries, &[ActorKind::Service]);
        if !tokens.is_empty() {
            names.tokens = registry.service_token_names(reading, &tokens).await?;
        }
        Ok(names)
    }

    /// The name of this entry's actor, else the name of its kind. Never empty.
    pub(super) fn of(&self, entry: &Change) -> String {
        let name = entry.actor_id.and_then(|id| match entry.actor_kind {
            ActorKind::User | ActorKind::Operator => self.users.get(&id.into()),
            ActorKind::ApiKey => self.keys.get(&id.into()),
            ActorKind::Service => self.tokens.get(&id.into()),
            ActorKind::System => None,
        });
        name.cloned().unwrap_or_else(|| entry.actor_kind.label().to_owned())
    }
}

/// The ids of the actors of these kinds, each once.
fn ids_of<T: From<Uuid>>(entries: &[Change], kinds: &[ActorKind]) -> Vec<T> {
    let of_kind = entries.iter().filter(|entry| kinds.contains(&entry.actor_kind));
    let ids: HashSet<Uuid> = of_kind.filter_map(|entry| entry.actor_id).collect();
    ids.into_iter().map(T::from).collect()
}

/// Empty instead of [`Error::Forbidden`]: a reader of the log may have no right to the objects that its entries name.
pub(super) fn visible<T: Default>(read: Result<T>) -> Result<T> {
    match read {
        Err(Error::Forbidden(_)) => Ok(T::default()),
        other => other,
    }
}
