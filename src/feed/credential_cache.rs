//! An in-memory cache of principals by credential. An entry is evicted when the log shows a change that may affect
//! it.
//!
//! It holds only what the tables say. The form, the signature and the expiry of a credential are checked on each
//! request.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use quick_cache::unsync::Cache;
use sha2::{Digest, Sha256};

use crate::{
    cache::entry_cache,
    domain::{
        Principal,
        change::{Change, ChangeAction},
    },
    task::lock,
};

/// The greatest number of entries. Beyond it, entries that are used seldom are evicted.
const KEPT_MAX: usize = 10_000;

/// The cache of principals. Cheap to clone; clones share state.
#[derive(Clone, Debug)]
pub(super) struct CredentialCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Keyed by the SHA-256 of the bearer token.
    known: Mutex<Cache<[u8; 32], Arc<Principal>>>,
    /// How often entries were invalidated.
    generation: AtomicU64,
}

/// A lookup in progress. Pass it to [`CredentialCache::store`] with the result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lookup {
    hash: [u8; 32],
    generation: u64,
}

impl Default for CredentialCache {
    fn default() -> Self {
        Self(Arc::new(Inner { known: Mutex::new(entry_cache(KEPT_MAX)), generation: AtomicU64::new(0) }))
    }
}

impl CredentialCache {
    /// Returns the cached principal of this token, and the lookup to store a new one with.
    pub(super) fn begin_lookup(&self, bearer: &str) -> (Option<Arc<Principal>>, Lookup) {
        let hash = Sha256::digest(bearer).into();
        // Read before the tables are, so that `store` notices a change in between.
        let generation = self.0.generation.load(Ordering::SeqCst);
        (lock(&self.0.known).get(&hash).cloned(), Lookup { hash, generation })
    }

    /// Returns the cached principal of this token.
    pub(super) fn get(&self, bearer: &str) -> Option<Arc<Principal>> {
        let hash: [u8; 32] = Sha256::digest(bearer).into();
        lock(&self.0.known).get(&hash).cloned()
    }

    /// Stores a principal, unless entries were invalidated since the lookup began: it may have been read before
    /// the change.
    pub(super) fn store(&self, Lookup { hash, generation }: Lookup, principal: &Principal) {
        let mut known = lock(&self.0.known);
        if self.0.generation.load(Ordering::SeqCst) != generation {
            return;
        }
        known.insert(hash, Arc::new(principal.clone()));
    }

    /// Evicts the principals that a commit may affect, before the commit is broadcast.
    pub(super) fn invalidate(&self, changes: &[Arc<Change>]) {
        for change in changes.iter().filter(|change| change.action.effects().principals) {
            self.evict_matching(|principal| affects(change, principal));
        }
    }

    /// Evicts all principals.
    pub(super) fn clear(&self) {
        self.evict_matching(|_| true);
    }

    fn evict_matching(&self, is_concerned: impl Fn(&Principal) -> bool) {
        let mut known = lock(&self.0.known);
        self.0.generation.fetch_add(1, Ordering::SeqCst);
        known.retain(|_, principal| !is_concerned(principal));
    }
}

/// Whether this change may affect this principal. Entries about operators and invitations don't name the user, so
/// they affect every user that they could be about. Entries about sessions name the user. `UserCreated` may be about any user without a profile.
fn affects(change: &Change, principal: &Principal) -> bool {
    match (change.action, principal) {
        (_, Principal::System) => false,
        (ChangeAction::CustomerPlanSet | ChangeAction::CustomerErased, Principal::User(user)) => {
            change.customer_id.is_some_and(|customer| user.memberships.contains_key(&customer))
        }
        (ChangeAction::CustomerPlanSet | ChangeAction::CustomerErased, Principal::ApiKey(key)) => {
            change.customer_id == Some(key.customer_id)
        }
        (ChangeAction::OperatorAdded | ChangeAction::OperatorRemoved, Principal::User(_)) => true,
        // A customer that is served again admits the people whom it has invited.
        (ChangeAction::InvitationCreated | ChangeAction::CustomerBillingSet, Principal::User(user)) => {
            user.email.is_some()
        }
        (_, Principal::User(user)) => !user.has_profile || change.subject_id == Some(user.id.into()),
        (_, Principal::ApiKey(key)) => change.subject_id == Some(key.id.into()),
        (_, Principal::Service(service)) => change.subject_id == Some(service.id.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use uuid::Uuid;

    use super::{super::fixture::change, *};
    use crate::{
        clock::Clock,
        domain::{
            EnvironmentFilter, KeyPrincipal, KeyScope, ServicePrincipal, ServiceScope, UserPrincipal,
            customer::Plan, member::Role,
        },
        id::CustomerId,
    };

    const CITY: Uuid = Uuid::from_u128(1);
    const TOWN: Uuid = Uuid::from_u128(2);
    const ADA: Uuid = Uuid::from_u128(3);
    const KEY: Uuid = Uuid::from_u128(4);
    const SERVICE: Uuid = Uuid::from_u128(5);
    const OTHER: Uuid = Uuid::from_u128(6);

    fn user(id: Uuid, has_profile: bool, email: Option<&str>) -> Principal {
        Principal::User(UserPrincipal {
            id: id.into(),
            has_profile,
            issuer: "issuer".to_owned(),
            subject: "ada".to_owned(),
            email: email.map(str::to_owned),
            email_verified: false,
            name: None,
            operator: false,
            memberships: BTreeMap::from([(CustomerId::from(CITY), Role::Viewer)]),
            plan: Plan::Free,
            expires_at: Clock::default().now(),
            session: None,
            sync_at: None,
        })
    }

    fn key() -> Principal {
        Principal::ApiKey(KeyPrincipal {
            id: KEY.into(),
            customer_id: CITY.into(),
            name: "key".to_owned(),
            scopes: BTreeSet::from([KeyScope::AgentsRead]),
            plan: Plan::Free,
            expires_at: None,
            environments: EnvironmentFilter::All,
        })
    }

    fn service() -> Principal {
        let scopes = BTreeSet::from([ServiceScope::ConfigsRead]);
        Principal::Service(ServicePrincipal {
            id: SERVICE.into(),
            name: "gateway".to_owned(),
            scopes,
            customers: None,
            environments: EnvironmentFilter::All,
            expires_at: None,
        })
    }

    /// Whether this change evicts the principal.
    fn is_forgotten(principal: &Principal, change: &Arc<Change>) -> bool {
        let credentials = CredentialCache::default();
        let (_, lookup) = credentials.begin_lookup("token");
        credentials.store(lookup, principal);
        assert!(credentials.get("token").is_some());
        credentials.invalidate(std::slice::from_ref(change));
        credentials.get("token").is_none()
    }

    #[test]
    fn a_lookup_that_began_before_a_revocation_is_not_kept_after_it() {
        let credentials = CredentialCache::default();
        let (found, lookup) = credentials.begin_lookup("token");
        assert!(found.is_none());
        let revocation = change(ChangeAction::ApiKeyRevoked, Some(CITY), Some(KEY));
        credentials.invalidate(std::slice::from_ref(&revocation));
        credentials.store(lookup, &key());
        assert!(credentials.get("token").is_none(), "the lookup began before the revocation");
        // An unrelated change doesn't prevent storing.
        let (_, lookup) = credentials.begin_lookup("token");
        credentials.invalidate(&[change(ChangeAction::AgentCreated, Some(CITY), None)]);
        credentials.store(lookup, &key());
        assert!(credentials.get("token").is_some());
        // Clearing the cache does.
        let (_, lookup) = credentials.begin_lookup("another");
        credentials.clear();
        assert!(credentials.get("token").is_none());
        credentials.store(lookup, &key());
        assert!(credentials.get("another").is_none());
    }

    #[test]
    fn a_key_is_forgotten_by_what_concerns_it() {
        let of_key = |action| change(action, Some(CITY), Some(KEY));
        for action in [ChangeAction::ApiKeyRotated, ChangeAction::ApiKeyRevoked] {
            assert!(is_forgotten(&key(), &of_key(action)), "{action:?}");
            assert!(!is_forgotten(&key(), &change(action, Some(CITY), Some(OTHER))), "another's {action:?}");
        }
        for action in [ChangeAction::CustomerPlanSet, ChangeAction::CustomerErased] {
            assert!(is_forgotten(&key(), &change(action, Some(CITY), None)), "{action:?}");
            assert!(!is_forgotten(&key(), &change(action, Some(TOWN), None)), "another's {action:?}");
        }
        assert!(!is_forgotten(&key(), &change(ChangeAction::OperatorRemoved, None, None)));
    }

    #[test]
    fn a_service_is_forgotten_by_its_rotation_and_revocation() {
        for action in [ChangeAction::ServiceTokenRotated, ChangeAction::ServiceTokenRevoked] {
            let of_token = |id| change(action, None, Some(id));
            assert!(is_forgotten(&service(), &of_token(SERVICE)), "{action:?}");
            assert!(!is_forgotten(&service(), &of_token(OTHER)), "another's {action:?}");
        }
        assert!(!is_forgotten(&service(), &change(ChangeAction::CustomerPlanSet, Some(CITY), None)));
    }

    #[test]
    fn a_person_is_forgotten_by_what_may_concern_it() {
        let ada = user(ADA, true, None);
        for action in [
            ChangeAction::MemberSet,
            ChangeAction::MemberRemoved,
            ChangeAction::UserCreated,
            ChangeAction::UserUpdated,
            ChangeAction::SessionEnded,
        ] {
            assert!(is_forgotten(&ada, &change(action, Some(CITY), Some(ADA))), "{action:?}");
            assert!(!is_forgotten(&ada, &change(action, Some(CITY), Some(OTHER))), "another's {action:?}");
            // The profile that was created may be that of a user who had none.
            assert!(is_forgotten(&user(ADA, false, None), &change(action, Some(CITY), Some(OTHER))));
        }
        // Entries about operators don't name the user.
        for action in [ChangeAction::OperatorAdded, ChangeAction::OperatorRemoved] {
            assert!(is_forgotten(&ada, &change(action, None, None)), "{action:?}");
        }
        for action in [ChangeAction::CustomerPlanSet, ChangeAction::CustomerErased] {
            assert!(is_forgotten(&ada, &change(action, Some(CITY), None)), "{action:?}");
            assert!(!is_forgotten(&ada, &change(action, Some(TOWN), None)), "{action:?} elsewhere");
        }
        // Entries about invitations don't either, but only a user with an address can accept one.
        for action in [ChangeAction::InvitationCreated, ChangeAction::CustomerBillingSet] {
            assert!(!is_forgotten(&ada, &change(action, Some(TOWN), None)), "{action:?}");
            let invited = user(ADA, true, Some("ada@example.org"));
            assert!(is_forgotten(&invited, &change(action, Some(TOWN), None)), "{action:?}");
        }
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let credentials = CredentialCache::default();
        for nth in 0..3 * KEPT_MAX {
            let (_, lookup) = credentials.begin_lookup(&nth.to_string());
            credentials.store(lookup, &service());
            assert!(credentials.get("0").is_some(), "{nth}: used all the time");
            assert!(credentials.get(&nth.to_string()).is_some(), "a new one is admitted");
        }
        assert_eq!(lock(&credentials.0.known).len(), KEPT_MAX);
    }
}
