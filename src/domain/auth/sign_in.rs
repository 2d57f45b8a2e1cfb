//! A user's sign-in: from the claims of a valid token to the user as the database has it. Accepts the open invitations
//! to its address, and keeps its profile and memberships in step with the claims (`sync.rs`).

use super::{
    Claims,
    sync::{ClaimChanges, SyncDue},
};
use crate::{
    db::{CallOrigin, Scope, View},
    domain::{Registry, Result, UserPrincipal, customer::Plan},
    entity::{
        membership::{self, MembershipWithPlan},
        operator::{self, OperatorName},
        user::{self, SignedInProfile},
    },
};

/// A user as the database has it.
pub(super) struct LoadedUser {
    pub(super) principal: UserPrincipal,
    /// The user's profile, if it has one.
    pub(super) profile: Option<SignedInProfile>,
    pub(super) places: Vec<MembershipWithPlan>,
}

impl Registry {
    /// The user with these claims, after accepting its open invitations, and whether all of them were accepted.
    pub(in crate::domain) async fn user(
        &self,
        claims: &Claims,
        origin: &CallOrigin,
    ) -> Result<(UserPrincipal, bool)> {
        let view = self.db().internal_view(Scope::Auth);
        let mut loaded = self.load_user(&view, claims).await?;
        let invited = match loaded.principal.verified_email() {
            Some(email) => self.invited(&view, email).await?,
            None => Vec::new(),
        };
        drop(view);
        let mut has_joined_all = true;
        for invitation in &invited {
            // A user that can't join is authenticated all the same, with the memberships it has.
            if let Err(err) = self.join(&loaded.principal, invitation, origin).await {
                has_joined_all = false;
                tracing::info!(reason = %err, invitation = %invitation.id, "an invitation is not accepted");
            }
        }
        if !invited.is_empty() {
            loaded = self.load_user(&self.db().internal_view(Scope::Auth), claims).await?;
        }
        let changes = ClaimChanges::between(claims, &loaded);
        match changes.due(&loaded, self.clock().now()) {
            SyncDue::Never => {}
            SyncDue::At(time) => loaded.principal.sync_at = Some(time),
            SyncDue::Now => {
                self.sync(&loaded.principal, changes, origin).await;
                loaded = self.load_user(&self.db().internal_view(Scope::Auth), claims).await?;
                let rest = ClaimChanges::between(claims, &loaded);
                loaded.principal.sync_at = rest.next_try(&loaded, self.clock().now());
            }
            SyncDue::Beside(next) => {
                loaded.principal.sync_at = Some(next);
                self.sync_beside(&loaded.principal, changes, origin);
            }
        }
        explain_no_rights(claims, &loaded);
        Ok((loaded.principal, has_joined_all))
    }

    /// The user with these claims, as the database has it: profile, memberships, operator or not.
    async fn load_user(&self, view: &View, claims: &Claims) -> Result<LoadedUser> {
        let Claims { issuer, subject, email, email_verified, name, memberships: _, expires_at } = claims;
        let profile = view.one(user::signed_in(issuer, subject)).await?;
        let places = match &profile {
            Some(profile) => view.all(membership::of_user(profile.id)).await?,
            None => Vec::new(),
        };
        let id = profile.as_ref().map_or_else(|| self.clock().id(), |profile| profile.id);
        let person = OperatorName { issuer: issuer.clone(), subject: subject.clone(), user: id };
        let operator = view.one(operator::of_person(&person)).await?.is_some();
        let principal = UserPrincipal {
            id,
            has_profile: profile.is_some(),
            issuer: person.issuer,
            subject: person.subject,
            email: email.clone(),
            email_verified: *email_verified,
            name: name.clone(),
            operator,
            memberships: places.iter().map(|place| (place.customer_id, place.role)).collect(),
            plan: places.iter().map(|place| place.plan).max().unwrap_or(Plan::Free),
            expires_at: *expires_at,
            session: None,
            sync_at: None,
        };
        Ok(LoadedUser { principal, profile, places })
    }
}

/// Logs why a user who signs in has no right at all.
fn explain_no_rights(claims: &Claims, LoadedUser { principal, .. }: &LoadedUser) {
    if principal.operator || !principal.memberships.is_empty() {
        return;
    }
    let address = match (&claims.email, claims.email_verified) {
        (None, _) => "the token contains no e-mail address, so it accepts no invitation",
        (Some(_), false) => {
            "the issuer hasn't verified the token's e-mail address, so it accepts no invitation"
        }
        (Some(_), true) => "no open invitation is to the token's e-mail address",
    };
    let roles = match &claims.memberships {
        None => "the issuer's settings, or the token, name no roles",
        Some(given) if given.is_empty() => "no role or group of the token gives a membership",
        Some(_) => "the memberships that the token's roles give can't be taken over",
    };
    tracing::info!(issuer = claims.issuer, address, roles, "a user signed in without any right");
}
