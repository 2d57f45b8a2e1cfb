//! From a credential to a principal.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Caller, Error, Principal, Registry, Result, ServicePrincipal, ServiceScope, UserPrincipal, member,
};
use crate::{
    db::{Scope, View},
    entity::{operator, service_token, user},
    id::ServiceTokenId,
};
use jwt::{Claims, LocalIssuer};
use key::{Key, Kind};

pub mod jwt;
pub mod key;

/// The keys that tokens are checked with.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The service's own.
    pub local: LocalIssuer,
}

const REFUSED: Error = Error::Unauthenticated("the token is not valid");

impl Registry {
    /// Who is behind this bearer token.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Unavailable`] when the database is.
    pub async fn authenticate(&self, bearer: &str, request_id: &str) -> Result<Caller> {
        let view = self.db.view(Scope::Auth);
        let principal = if Key::claims(Kind::Service, bearer) {
            let key = Key::parse(Kind::Service, bearer).ok_or(REFUSED)?;
            Principal::Service(service(&view, &key).await?)
        } else {
            let claims = self.auth.local.check(&self.clock, bearer).map_err(Error::Unauthenticated)?;
            Principal::User(self.user(&view, claims).await?)
        };
        Ok(Caller { principal, request_id: request_id.to_owned() })
    }

    /// A token of the local issuer for this subject, valid for `ttl`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the subject.
    pub fn mint(&self, subject: &str, ttl: Duration) -> Result<String> {
        super::user::check_subject(subject)?;
        self.auth.local.mint(&self.clock, subject, ttl).map_err(|err| Error::Internal(Box::new(err)))
    }

    async fn user(&self, view: &View, claims: Claims) -> Result<UserPrincipal> {
        let Claims { issuer, subject, email, name, expires_at } = claims;
        super::user::check_subject(&subject).map_err(|_| REFUSED)?;
        let profile = view.one(user::by_subject(&issuer, &subject)).await?;
        let memberships = match &profile {
            Some(profile) => member::roles(view, profile.id).await?,
            None => Default::default(),
        };
        let operator = view.one(operator::by_subject(&issuer, &subject)).await?.is_some();
        let (id, has_profile) =
            profile.map_or_else(|| (self.clock.id(), false), |profile| (profile.id, true));
        Ok(UserPrincipal { id, has_profile, issuer, subject, email, name, operator, memberships, expires_at })
    }
}

async fn service(view: &View, key: &Key) -> Result<ServicePrincipal> {
    let id = ServiceTokenId::from(key.id());
    let token = view.one(service_token::by_id(id)).await?.ok_or(REFUSED)?;
    if !key.matches(&token.secret_hash) || token.revoked_at.is_some() {
        return Err(REFUSED);
    }
    let scopes: std::result::Result<BTreeSet<ServiceScope>, String> =
        token.scopes.iter().map(|scope| scope.parse()).collect();
    let scopes = scopes.map_err(|err| Error::Internal(err.into()))?;
    Ok(ServicePrincipal { id, name: token.name, scopes })
}
