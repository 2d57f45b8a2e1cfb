//! A user's sign-in: from the claims of a valid token to the user as the database has it, after accepting the open
//! invitations to its address.

use super::Claims;
use crate::{
    db::{CallOrigin, Scope, View},
    domain::{Registry, Result, UserPrincipal, customer::Plan},
    entity::{membership, operator, user},
};

impl Registry {
    /// The user with these claims, after accepting its open invitations, and whether all of them were accepted.
    pub(super) async fn user(&self, claims: &Claims, origin: &CallOrigin) -> Result<(UserPrincipal, bool)> {
        let view = self.db().internal_view(Scope::Auth);
        let principal = self.load_user(&view, claims).await?;
        let Some(email) = claims.email.as_deref().filter(|_| claims.email_verified) else {
            return Ok((principal, true));
        };
        let invited = self.invited(&view, email).await?;
        if invited.is_empty() {
            return Ok((principal, true));
        }
        drop(view);
        let mut has_joined_all = true;
        for invitation in invited {
            // A user that can't join is authenticated all the same, with the memberships it has.
            if let Err(err) = self.join(&principal, &invitation, origin).await {
                has_joined_all = false;
                tracing::warn!(error = %err, invitation = %invitation.id, "an invitation could not be accepted");
            }
        }
        Ok((self.load_user(&self.db().internal_view(Scope::Auth), claims).await?, has_joined_all))
    }

    /// The user with these claims, as the database has it: profile, memberships, operator or not.
    async fn load_user(&self, view: &View, claims: &Claims) -> Result<UserPrincipal> {
        let Claims { issuer, subject, email, email_verified, name, memberships: _, expires_at } = claims;
        let profile = view.one(user::by_subject(issuer, subject)).await?;
        let places = match &profile {
            Some(profile) => view.all(membership::of_user(profile.id)).await?,
            None => Vec::new(),
        };
        let operator = view.one(operator::by_subject(issuer, subject)).await?.is_some();
        let (id, has_profile) =
            profile.map_or_else(|| (self.clock().id(), false), |profile| (profile.id, true));
        Ok(UserPrincipal {
            id,
            has_profile,
            issuer: issuer.clone(),
            subject: subject.clone(),
            email: email.clone(),
            email_verified: *email_verified,
            name: name.clone(),
            operator,
            memberships: places.iter().map(|place| (place.customer_id, place.role)).collect(),
            plan: places.iter().map(|place| place.plan).max().unwrap_or(Plan::Free),
            expires_at: *expires_at,
        })
    }
}
