//! The user behind the cookie of a session. The rights are those of the user, read as for a token.

use super::{OpaqueToken, Used, refuse};
use crate::{
    db::Scope,
    domain::{Registry, Result, UserPrincipal, customer::Plan, session::IDLE},
    entity::{
        membership,
        operator::{self, OperatorName},
        session::{self, Credential},
    },
    id::SessionId,
};

impl Registry {
    /// The user who is signed in by this session. Invitations are accepted when a user signs in, not here.
    pub(super) async fn session_user(&self, key: &OpaqueToken) -> Result<UserPrincipal> {
        let id = SessionId::from(key.id());
        let refuse = |reason| refuse(reason, Some(key.id()));
        let view = self.db().internal_view(Scope::Auth);
        let found = view.one(session::credential(id)).await?;
        let found = found.ok_or_else(|| refuse("there is no such session"))?;
        let Credential { user_id, secret_hash, last_seen_at, expires_at, ended_at, .. } = found;
        let (issuer, subject, email, name) = (found.issuer, found.subject, found.email, found.name);
        let now = self.clock().now();
        if !key.matches(&secret_hash, false) {
            return Err(refuse("its secret is not the session's"));
        }
        if ended_at.is_some() {
            return Err(refuse("the session was ended"));
        }
        if expires_at <= now || last_seen_at + IDLE <= now {
            return Err(refuse("the session has expired"));
        }
        let places = view.all(membership::of_user(user_id)).await?;
        let person = OperatorName { issuer, subject, user: user_id };
        let operator = view.one(operator::of_person(&person)).await?.is_some();
        self.note_use(Used::Session(id), Some(last_seen_at), now);
        Ok(UserPrincipal {
            id: user_id,
            has_profile: true,
            issuer: person.issuer,
            subject: person.subject,
            // A profile has only an address that the issuer has verified.
            email_verified: email.is_some(),
            email,
            name,
            operator,
            memberships: places.iter().map(|place| (place.customer_id, place.role)).collect(),
            plan: places.iter().map(|place| place.plan).max().unwrap_or(Plan::Free),
            expires_at: expires_at.min(now + IDLE),
            session: Some(id),
            sync_at: None,
        })
    }
}
