//! Who is who, kept in memory, and forgotten the moment the log says that it may not be so any more.
//!
//! What is kept is what the tables say of a credential. Its form and its signature are checked each time, and when it ends.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use lru::LruCache;
use sha2::{Digest, Sha256};

use crate::{
    domain::{
        Principal,
        change::{Change, ChangeAction},
    },
    task::lock,
};

/// How many credentials are kept; of more, those that were used longest ago are forgotten.
const KEPT_MAX: usize = 10_000;

/// The credentials that were looked up of late. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Credentials(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// By SHA-256 of the bearer token.
    known: Mutex<LruCache<[u8; 32], Arc<Principal>>>,
    /// How often something was to be forgotten.
    turns: AtomicU64,
}

/// A credential that is being looked up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lookup {
    hash: [u8; 32],
    turn: u64,
}

impl Default for Credentials {
    fn default() -> Self {
        Self(Arc::new(Inner { known: Mutex::new(LruCache::unbounded()), turns: AtomicU64::new(0) }))
    }
}

impl Credentials {
    /// Who has this token, if that is known; and what to keep it with, once it has been looked up.
    pub(super) fn find(&self, bearer: &str) -> (Option<Arc<Principal>>, Lookup) {
        let hash = Sha256::digest(bearer).into();
        // Before the tables are read: what changes from now on is noticed when it is kept.
        let turn = self.0.turns.load(Ordering::SeqCst);
        (lock(&self.0.known).get(&hash).cloned(), Lookup { hash, turn })
    }

    /// Who has this token, if that is known.
    pub(super) fn known(&self, bearer: &str) -> Option<Arc<Principal>> {
        let hash: [u8; 32] = Sha256::digest(bearer).into();
        lock(&self.0.known).get(&hash).cloned()
    }

    /// Keeps who it is, unless somebody's rights have changed since it was begun to be looked up.
    pub(super) fn keep(&self, Lookup { hash, turn }: Lookup, principal: &Principal) {
        let mut known = lock(&self.0.known);
        if self.0.turns.load(Ordering::SeqCst) != turn {
            return;
        }
        known.put(hash, Arc::new(principal.clone()));
        if known.len() > KEPT_MAX {
            known.pop_lru();
        }
    }

    /// Takes note of a commit, before anybody is told that it has arrived.
    pub(super) fn note(&self, changes: &[Arc<Change>]) {
        for change in changes.iter().filter(|change| says_who(change.action)) {
            self.forget(|principal| concerns(change, principal));
        }
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        self.forget(|_| true);
    }

    fn forget(&self, is_concerned: impl Fn(&Principal) -> bool) {
        let mut known = lock(&self.0.known);
        self.0.turns.fetch_add(1, Ordering::SeqCst);
        let those = known.iter().filter(|(_, principal)| is_concerned(principal));
        for hash in those.map(|(hash, _)| *hash).collect::<Vec<_>>() {
            known.pop(&hash);
        }
    }
}

/// Whether this may change what is known of a credential.
fn says_who(action: ChangeAction) -> bool {
    match action {
        ChangeAction::CustomerPlanSet
        | ChangeAction::CustomerBillingSet
        | ChangeAction::CustomerErased
        | ChangeAction::UserCreated
        | ChangeAction::UserUpdated
        | ChangeAction::MemberSet
        | ChangeAction::MemberRemoved
        | ChangeAction::InvitationCreated
        | ChangeAction::OperatorAdded
        | ChangeAction::OperatorRemoved
        | ChangeAction::ApiKeyRotated
        | ChangeAction::ApiKeyRevoked
        | ChangeAction::ServiceTokenRevoked => true,
        ChangeAction::CustomerCreated
        | ChangeAction::CustomerUpdated
        | ChangeAction::InvitationRevoked
        | ChangeAction::ServiceTokenCreated
        | ChangeAction::ApiKeyCreated
        | ChangeAction::AgentCreated
        | ChangeAction::AgentUpdated
        | ChangeAction::AgentArchived
        | ChangeAction::AgentRestored
        | ChangeAction::VersionPublished
        | ChangeAction::AgentActivated
        | ChangeAction::AgentDeactivated
        | ChangeAction::LogPruned => false,
    }
}

/// Whether this may change what is known of them. The log names neither operators nor those who are invited, and whoever
/// has no profile yet may be the one that was made.
fn concerns(change: &Change, principal: &Principal) -> bool {
    match (change.action, principal) {
        (_, Principal::System) => false,
        (ChangeAction::CustomerPlanSet | ChangeAction::CustomerErased, Principal::User(user)) => {
            change.customer_id.is_some_and(|customer| user.memberships.contains_key(&customer))
        }
        (ChangeAction::CustomerPlanSet | ChangeAction::CustomerErased, Principal::ApiKey(key)) => {
            change.customer_id == Some(key.customer_id)
        }
        (ChangeAction::OperatorAdded | ChangeAction::OperatorRemoved, Principal::User(_)) => true,
        // A customer that is served again takes in whom it has invited.
        (ChangeAction::InvitationCreated | ChangeAction::CustomerBillingSet, Principal::User(user)) => {
            user.email.is_some()
        }
        (_, Principal::User(user)) => !user.has_profile || change.subject_id == Some(user.id.into()),
        (_, Principal::ApiKey(key)) => change.subject_id == Some(key.id.into()),
        (_, Principal::Service(service)) => change.subject_id == Some(service.id.into()),
    }
}
