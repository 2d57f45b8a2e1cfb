//! Keeps a user's profile and memberships in step with the claims of its tokens: at an identity's first sign-in before
//! the answer, later at most once an hour and beside the request. Claims change only memberships that the claims of the
//! same issuer gave, and never take the last ADMIN's.

use chrono::TimeDelta;

use super::{Claims, sign_in::LoadedUser};
use crate::{
    clock::Instant,
    db::{CallOrigin, Scope},
    domain::{
        Caller, Error, Principal, Registry, Result, UserPrincipal,
        joining::{profile, take_over},
        limit::{self, QuotaKind},
        member::{self, Membership, Role},
        policy::Action,
        right::OpenTxn,
    },
    entity::membership,
    id::CustomerId,
};

/// How often at most a token's claims are taken over.
pub(super) const SYNC_EVERY: TimeDelta = TimeDelta::hours(1);

/// How often at most the claims of a token are tried again whose user could be given no membership yet.
const RETRY_EVERY: TimeDelta = TimeDelta::minutes(1);

/// What differs between a token's claims and the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClaimChanges {
    /// Whether the profile has another name or address.
    profile: bool,
    /// The memberships to give or to change, and with `None`, those to remove.
    memberships: Vec<(CustomerId, Option<Role>)>,
}

/// When claims are to be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SyncDue {
    /// Nothing differs.
    Never,
    /// Not before this time.
    At(Instant),
    /// Before the request goes on.
    Now,
    /// While the request goes on. The next time is not before this one.
    Beside(Instant),
}

impl ClaimChanges {
    /// Compares a token's claims with the user as it was loaded.
    pub(super) fn between(claims: &Claims, user: &LoadedUser) -> Self {
        let profile = user.profile.as_ref().is_some_and(|profile| {
            let email = user.principal.verified_email();
            let is_new = |claim: Option<&str>, known: &Option<String>| {
                claim.is_some_and(|claim| known.as_deref() != Some(claim))
            };
            is_new(email, &profile.email) || is_new(claims.name.as_deref(), &profile.name)
        });
        let Some(given) = &claims.memberships else { return Self { profile, memberships: Vec::new() } };
        let mut memberships = Vec::new();
        for (customer, role) in given {
            let differs = match user.places.iter().find(|place| place.customer_id == *customer) {
                None => true,
                Some(place) => is_of(place.claim_issuer.as_deref(), claims) && place.role != *role,
            };
            if differs {
                memberships.push((*customer, Some(*role)));
            }
        }
        let lost = user.places.iter().filter(|place| {
            is_of(place.claim_issuer.as_deref(), claims) && !given.contains_key(&place.customer_id)
        });
        memberships.extend(lost.map(|place| (place.customer_id, None)));
        Self { profile, memberships }
    }

    /// When to try again to take these changes over, after some of them couldn't be.
    pub(super) fn next_try(&self, user: &LoadedUser, now: Instant) -> Option<Instant> {
        match self.due(user, now) {
            SyncDue::Never => None,
            SyncDue::At(time) | SyncDue::Beside(time) => Some(time),
            // The user has no profile, so nothing notes the time.
            SyncDue::Now => Some(now + RETRY_EVERY),
        }
    }

    /// When to take the changes over.
    pub(super) fn due(&self, user: &LoadedUser, now: Instant) -> SyncDue {
        if !self.profile && self.memberships.is_empty() {
            return SyncDue::Never;
        }
        match user.profile.as_ref().and_then(|profile| profile.synced_at) {
            None => SyncDue::Now,
            Some(last) if now - last >= SYNC_EVERY => SyncDue::Beside(now + SYNC_EVERY),
            Some(last) => SyncDue::At(last + SYNC_EVERY),
        }
    }
}

/// Whether the claims of the same issuer gave a membership.
fn is_of(claim_issuer: Option<&str>, claims: &Claims) -> bool {
    claim_issuer == Some(claims.issuer.as_str())
}

impl Registry {
    /// Takes changes over in a background task.
    pub(super) fn sync_beside(&self, principal: &UserPrincipal, changes: ClaimChanges, origin: &CallOrigin) {
        let (registry, principal, origin) = (self.clone(), principal.clone(), origin.clone());
        self.db().tasks().spawn_background(async move { registry.sync(&principal, changes, &origin).await });
    }

    /// Takes changes over, each customer's in a transaction of its own. A change that can't be taken over is logged: the user
    /// is authenticated all the same.
    pub(super) async fn sync(&self, principal: &UserPrincipal, changes: ClaimChanges, origin: &CallOrigin) {
        let ClaimChanges { profile: _, memberships } = changes;
        for (customer, role) in memberships {
            if let Err(err) = self.sync_membership(principal, customer, role, origin).await {
                tracing::info!(
                    reason = %err, %customer, issuer = principal.issuer,
                    "a membership is not kept in step with a token's claims"
                );
            }
        }
        match self.sync_profile(principal, origin).await {
            // No membership could be given, so there is no profile.
            Ok(()) | Err(Error::NotFound(_)) => {}
            Err(err) => {
                tracing::warn!(error = %err, "a profile can't be kept in step with a token's claims")
            }
        }
    }

    /// Takes the name and the address over. Also notes the time, so that this identity's next change waits.
    async fn sync_profile(&self, principal: &UserPrincipal, origin: &CallOrigin) -> Result<()> {
        let (by, user) = (by(principal, origin), principal.clone());
        let work = async move |txn: OpenTxn| -> Result<()> {
            let (txn, profile) = txn.own_profile().await?;
            take_over(&txn, profile, &user).await
        };
        self.run_sign_in(by, Scope::Auth, work).await?;
        self.set_synced(&principal.issuer, &principal.subject, self.clock().now()).await
    }

    /// Gives, changes or removes a membership.
    async fn sync_membership(
        &self,
        principal: &UserPrincipal,
        customer_id: CustomerId,
        role: Option<Role>,
        origin: &CallOrigin,
    ) -> Result<()> {
        let (by, user, now) = (by(principal, origin), principal.clone(), self.clock().now());
        let action = if role.is_some() { Action::ManageMembers } else { Action::RemoveMembers };
        let work = async move |txn: OpenTxn| -> Result<()> {
            let (txn, customer) = txn.claimed_membership(action, customer_id).await?;
            let id = match role {
                Some(_) => profile(&txn, &user, now).await?,
                None => user.id,
            };
            let issuer = Some(user.issuer);
            match (txn.one(membership::locked(customer_id, id)).await?, role) {
                (None, None) => {}
                (None, Some(role)) => {
                    limit::check_quota(&txn, &customer, QuotaKind::Members, 1, now).await?;
                    let member =
                        Membership { customer_id, user_id: id, role, created_at: now, claim_issuer: issuer };
                    member::enter(&txn, member).await?;
                }
                // A person gave it meanwhile, or another issuer's claims.
                (Some(before), _) if before.claim_issuer != issuer => {}
                (Some(before), Some(role)) => drop(member::assign(&txn, before, role, issuer).await?),
                (Some(before), None) => member::leave(&txn, &before).await?,
            }
            Ok(())
        };
        self.run_sign_in(by, Scope::Joining(customer_id), work).await.map(drop)
    }
}

/// The user itself, as the author of the changes that its token's claims make.
fn by(principal: &UserPrincipal, origin: &CallOrigin) -> Caller {
    Caller::new(Principal::User(principal.clone()), origin.clone())
}
