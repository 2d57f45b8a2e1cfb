//! The recent changes of callers' rights. Sessions check it to find out when to authenticate again.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::{
    domain::{
        Caller, Principal,
        change::{Change, ChangeAction},
    },
    task::lock,
};

/// How many changes are remembered. A session that has missed more than these must authenticate again.
const REMEMBERED: usize = 1024;

/// The last changes of rights that this instance has read from the log. Cheap to clone; clones share state.
#[derive(Clone, Debug, Default)]
pub struct RevocationLog(Arc<Mutex<RecentChanges>>);

#[derive(Debug, Default)]
struct RecentChanges {
    /// How many changes there have been in total.
    count: u64,
    changes: VecDeque<Arc<Change>>,
}

impl RevocationLog {
    /// Remembers the changes of rights in a commit.
    pub(super) fn record(&self, changes: &[Arc<Change>]) {
        for change in changes.iter().filter(|change| change.action.effects().rights) {
            let mut recent = self.recent();
            recent.count += 1;
            recent.changes.push_back(Arc::clone(change));
            if recent.changes.len() > REMEMBERED {
                recent.changes.pop_front();
            }
        }
    }

    /// Forgets all changes, because some may have been missed: every session must authenticate again.
    pub(super) fn forget(&self) {
        let mut recent = self.recent();
        recent.changes.clear();
        // Raises the total above the number of stored changes, so that `may_affect_since` is true for every caller.
        recent.count += 1;
    }

    /// How many changes of rights there have been; the `since` of a later [`RevocationLog::may_affect_since`].
    #[must_use]
    pub fn count(&self) -> u64 {
        self.recent().count
    }

    /// Whether this caller's rights may have changed after the first `since` changes. True if some of those are
    /// forgotten.
    #[must_use]
    pub fn may_affect_since(&self, since: u64, caller: &Caller) -> bool {
        let recent = self.recent();
        let news = usize::try_from(recent.count.saturating_sub(since)).unwrap_or(usize::MAX);
        news > recent.changes.len()
            || recent.changes.iter().rev().take(news).any(|change| affects(change, caller))
    }

    fn recent(&self) -> MutexGuard<'_, RecentChanges> {
        lock(&self.0)
    }
}

/// Whether this change may affect the caller's rights. Entries about operators don't name the user, so they affect
/// every operator. An erasure removes all members and API keys of the customer. The end of a session names the user, whose
/// other sessions then find that theirs goes on.
fn affects(change: &Change, caller: &Caller) -> bool {
    match (change.action, &caller.principal) {
        (ChangeAction::OperatorRemoved, Principal::User(user)) => user.operator,
        (ChangeAction::CustomerErased, Principal::User(user)) => {
            change.customer_id.is_some_and(|customer| user.memberships.contains_key(&customer))
        }
        (ChangeAction::CustomerErased, Principal::ApiKey(key)) => change.customer_id == Some(key.customer_id),
        _ => change.subject_id.is_some() && change.subject_id == caller.actor().id,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use uuid::Uuid;

    use super::{super::fixture::change, *};
    use crate::{
        clock::Clock,
        domain::{EnvironmentFilter, KeyPrincipal, UserPrincipal, customer::Plan, member::Role},
        id::CustomerId,
    };

    const CITY: Uuid = Uuid::from_u128(1);
    const TOWN: Uuid = Uuid::from_u128(2);
    const ADA: Uuid = Uuid::from_u128(3);
    const KEY: Uuid = Uuid::from_u128(4);

    fn ada(operator: bool) -> Caller {
        let principal = Principal::User(UserPrincipal {
            id: ADA.into(),
            has_profile: true,
            issuer: "issuer".to_owned(),
            subject: "ada".to_owned(),
            email: None,
            email_verified: false,
            name: None,
            operator,
            memberships: BTreeMap::from([(CustomerId::from(CITY), Role::Viewer)]),
            plan: Plan::Free,
            expires_at: Clock::default().now(),
            session: None,
            sync_at: None,
        });
        Caller { principal, ..Caller::system("test") }
    }

    fn key() -> Caller {
        let principal = Principal::ApiKey(KeyPrincipal {
            id: KEY.into(),
            customer_id: CITY.into(),
            name: "key".to_owned(),
            scopes: BTreeSet::new(),
            plan: Plan::Free,
            expires_at: None,
            environments: EnvironmentFilter::All,
        });
        Caller { principal, ..Caller::system("test") }
    }

    /// Whether the caller must authenticate again after this change.
    fn is_touched(caller: &Caller, change: &Arc<Change>) -> bool {
        let rights = RevocationLog::default();
        let before = rights.count();
        rights.record(std::slice::from_ref(change));
        rights.may_affect_since(before, caller)
    }

    #[test]
    fn each_is_told_of_changes_of_its_own_rights() {
        for action in [ChangeAction::MemberSet, ChangeAction::MemberRemoved] {
            assert!(is_touched(&ada(false), &change(action, Some(CITY), Some(ADA))), "{action:?}");
            assert!(!is_touched(&ada(false), &change(action, Some(CITY), Some(KEY))), "another's {action:?}");
        }
        for action in [ChangeAction::ApiKeyRotated, ChangeAction::ApiKeyRevoked] {
            assert!(is_touched(&key(), &change(action, Some(CITY), Some(KEY))), "{action:?}");
            assert!(!is_touched(&key(), &change(action, Some(CITY), Some(ADA))), "another's {action:?}");
        }
        let removed = change(ChangeAction::OperatorRemoved, None, None);
        assert!(is_touched(&ada(true), &removed));
        assert!(!is_touched(&ada(false), &removed) && !is_touched(&key(), &removed));
        for caller in [ada(false), key()] {
            assert!(is_touched(&caller, &change(ChangeAction::CustomerErased, Some(CITY), None)));
            assert!(!is_touched(&caller, &change(ChangeAction::CustomerErased, Some(TOWN), None)));
            assert!(!is_touched(&caller, &change(ChangeAction::AgentCreated, Some(CITY), Some(ADA))));
        }
        assert!(!is_touched(&Caller::system("test"), &removed));
    }

    #[test]
    fn only_what_came_since_counts() {
        let rights = RevocationLog::default();
        let mine = change(ChangeAction::MemberSet, Some(CITY), Some(ADA));
        let others = change(ChangeAction::MemberSet, Some(CITY), Some(KEY));
        rights.record(&[
            Arc::clone(&mine),
            Arc::clone(&others),
            change(ChangeAction::AgentCreated, None, None),
        ]);
        assert_eq!(rights.count(), 2, "creating an agent changes nobody's rights");
        assert!(rights.may_affect_since(0, &ada(false)) && !rights.may_affect_since(1, &ada(false)));
        assert!(!rights.may_affect_since(2, &ada(false)));
        // A missed change may be about anybody.
        rights.forget();
        assert!(rights.may_affect_since(2, &key()) && rights.may_affect_since(2, &ada(false)));
        assert!(!rights.may_affect_since(rights.count(), &ada(false)));
        // So may a forgotten one.
        let before = rights.count();
        for _ in 0..=REMEMBERED {
            rights.record(std::slice::from_ref(&others));
        }
        assert!(rights.may_affect_since(before, &ada(false)));
        assert!(!rights.may_affect_since(before + 1, &ada(false)));
    }
}
