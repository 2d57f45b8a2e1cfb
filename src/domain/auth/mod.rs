//! Authentication: from a bearer token to a caller.

use std::{collections::BTreeSet, str::FromStr, sync::Mutex, time::Duration};

use chrono::TimeDelta;
use quick_cache::unsync::Cache;

use super::{
    Caller, Error, KeyPrincipal, Principal, Registry, Result, ServicePrincipal, UserPrincipal, customer::Plan,
};
use crate::{
    cache::entry_cache,
    clock::{Clock, Instant},
    db::{CallOrigin, Scope, View},
    entity::{api_key, membership, operator, service_token, user},
    id::{ApiKeyId, CustomerId, ServiceTokenId},
    task::lock,
};
use jwks::OutsideIssuer;
use jwt::{Claims, LOCAL_ISSUER, LocalIssuer, TokenSubject};
use opaque_token::{OpaqueToken, TokenKind};

pub mod jwks;
pub mod jwt;
pub mod opaque_token;

/// How often the use of an API key is stored at most.
const USE_STORED_EVERY: TimeDelta = TimeDelta::seconds(60);
/// For how many keys the time of the last storing is remembered. Beyond that, some key is dropped, which only
/// costs a query.
const USES_REMEMBERED_MAX: usize = 10_000;

/// The issuer of users' tokens.
#[derive(Clone, Debug)]
pub enum Issuer {
    /// This service, with its own signing key.
    Local(LocalIssuer),
    /// Another service. Tokens of this service's own key aren't accepted then.
    Outside(OutsideIssuer),
}

impl Issuer {
    /// The issuer's name: the `iss` claim of its tokens.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Local(_) => LOCAL_ISSUER,
            Self::Outside(outside) => outside.issuer(),
        }
    }

    async fn check(&self, clock: &Clock, token: &str) -> Result<Claims> {
        let claims = match self {
            Self::Local(local) => local.check(clock, token),
            Self::Outside(outside) => outside.check(clock, token).await,
        };
        claims.map_err(Error::Unauthenticated)
    }
}

/// The state that authentication needs.
#[derive(Debug)]
pub(super) struct Auth {
    pub(super) issuer: Issuer,
    /// When the use of each key was last stored.
    noted: Mutex<Cache<ApiKeyId, Instant>>,
}

impl Auth {
    pub(super) fn new(issuer: Issuer) -> Self {
        Self { issuer, noted: Mutex::new(entry_cache(USES_REMEMBERED_MAX)) }
    }

    /// Whether the use of this key must be stored now.
    fn must_store_use(&self, key: ApiKeyId, last: Option<Instant>, now: Instant) -> bool {
        let is_fresh = |at: Instant| now - at < USE_STORED_EVERY;
        let mut noted = lock(&self.noted);
        if last.is_some_and(is_fresh) || noted.get(&key).copied().is_some_and(is_fresh) {
            return false;
        }
        noted.insert(key, now);
        true
    }
}

/// The error for every credential that isn't accepted, whatever is wrong with it.
pub(super) const REFUSED: Error = Error::Unauthenticated(jwt::REFUSED);

/// A credential whose form, checksum or signature is valid. The database hasn't been asked yet.
#[derive(Debug)]
pub struct VerifiedCredential(Credential);

#[derive(Debug)]
enum Credential {
    Service(OpaqueToken),
    Api(OpaqueToken),
    User(Claims),
}

/// The caller that a credential belongs to.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The caller.
    pub caller: Caller,
    /// Whether authenticating again would give the same result. False when an invitation couldn't be accepted, since
    /// the next attempt may succeed.
    pub is_settled: bool,
}

impl VerifiedCredential {
    /// Whether the credential is a token signed by its issuer, and so can't have been guessed.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        matches!(self.0, Credential::User(_))
    }
}

impl Registry {
    /// Authenticates a bearer token. A user with open invitations for an e-mail address that its issuer has verified
    /// becomes a member of the customers that sent them.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Unavailable`] when the database is.
    pub async fn authenticate(&self, bearer: &str, origin: &CallOrigin) -> Result<Caller> {
        Ok(self.look_up(self.verify_credential(bearer).await?, origin).await?.caller)
    }

    /// Checks the form and the checksum or signature of a bearer token, without a query.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Unavailable`] when the issuer's keys can't be loaded.
    pub async fn verify_credential(&self, bearer: &str) -> Result<VerifiedCredential> {
        let proof = if OpaqueToken::claims(TokenKind::Service, bearer) {
            Credential::Service(OpaqueToken::parse(TokenKind::Service, bearer).ok_or(REFUSED)?)
        } else if OpaqueToken::claims(TokenKind::Api, bearer) {
            Credential::Api(OpaqueToken::parse(TokenKind::Api, bearer).ok_or(REFUSED)?)
        } else {
            let claims = self.auth().issuer.check(self.clock(), bearer).await?;
            super::user::check_subject(&claims.subject).map_err(|_| REFUSED)?;
            Credential::User(claims)
        };
        Ok(VerifiedCredential(proof))
    }

    /// Looks up the caller of a verified credential.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Unavailable`] when the database is.
    pub async fn look_up(
        &self,
        VerifiedCredential(proof): VerifiedCredential,
        origin: &CallOrigin,
    ) -> Result<Authenticated> {
        let mut is_settled = true;
        let principal = match proof {
            Credential::Service(key) => {
                Principal::Service(service(&self.db().internal_view(Scope::Auth), &key).await?)
            }
            Credential::Api(key) => Principal::ApiKey(self.api_key(&key).await?),
            Credential::User(claims) => {
                let (user, has_joined_all) = self.user(&claims, origin).await?;
                is_settled = has_joined_all;
                Principal::User(user)
            }
        };
        let caller = Caller::new(principal, origin.clone());
        Ok(Authenticated { caller, is_settled })
    }

    /// The caller for a principal that was authenticated earlier with the same token. `None` once the credential has
    /// expired. Also stores the use of an API key, when that is due.
    #[must_use]
    pub fn recognize(&self, principal: &Principal, origin: &CallOrigin) -> Option<Caller> {
        let caller = Caller::new(principal.clone(), origin.clone());
        let now = self.clock().now();
        if caller.has_expired(now) {
            return None;
        }
        if let Principal::ApiKey(KeyPrincipal { id, customer_id, .. }) = principal
            && self.auth().must_store_use(*id, None, now)
        {
            self.store_use(*id, *customer_id, now);
        }
        Some(caller)
    }

    /// Signs a token of the local issuer for this subject, valid for `ttl`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the subject, or when tokens come from an outside issuer.
    pub fn mint(&self, subject: TokenSubject, ttl: Duration) -> Result<String> {
        super::user::check_subject(&subject.subject)?;
        match &self.auth().issuer {
            Issuer::Local(local) => {
                local.mint(self.clock(), subject, ttl).map_err(|err| Error::Internal(Box::new(err)))
            }
            Issuer::Outside(outside) => {
                let message =
                    format!("users' tokens come from {}; this service signs none itself", outside.issuer());
                Err(Error::Invalid { field: None, message })
            }
        }
    }

    /// The `iss` claim that users' tokens must have.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.auth().issuer.name()
    }

    /// The user with these claims, after accepting its open invitations, and whether all of them were accepted.
    async fn user(&self, claims: &Claims, origin: &CallOrigin) -> Result<(UserPrincipal, bool)> {
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
        let Claims { issuer, subject, email, email_verified: _, name, expires_at } = claims;
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
            name: name.clone(),
            operator,
            memberships: places.iter().map(|place| (place.customer_id, place.role)).collect(),
            plan: places.iter().map(|place| place.plan).max().unwrap_or(Plan::Free),
            expires_at: *expires_at,
        })
    }

    async fn api_key(&self, key: &OpaqueToken) -> Result<KeyPrincipal> {
        let id = ApiKeyId::from(key.id());
        let found =
            self.db().internal_view(Scope::Auth).one(api_key::credential(id)).await?.ok_or(REFUSED)?;
        let now = self.clock().now();
        let is_over = found.revoked_at.is_some() || found.expires_at.is_some_and(|at| at <= now);
        if !key.matches(&found.secret_hash) || is_over {
            return Err(REFUSED);
        }
        if self.auth().must_store_use(id, found.last_used_at, now) {
            self.store_use(id, found.customer_id, now);
        }
        let api_key::Credential { customer_id, name, scopes, plan, expires_at, .. } = found;
        Ok(KeyPrincipal { id, customer_id, name, scopes: parse_scopes(&scopes)?, plan, expires_at })
    }

    /// Stores the use of a key in a background task. It isn't recorded in the log.
    fn store_use(&self, id: ApiKeyId, customer: CustomerId, now: Instant) {
        let registry = self.clone();
        self.db().tasks().spawn_background(async move {
            if let Err(err) = registry.touch_key(id, customer, now, now - USE_STORED_EVERY).await {
                tracing::warn!(error = %err, key = %id, "the use of an API key was not stored");
            }
        });
    }
}

async fn service(view: &View, key: &OpaqueToken) -> Result<ServicePrincipal> {
    let id = ServiceTokenId::from(key.id());
    let token = view.one(service_token::by_id(id)).await?.ok_or(REFUSED)?;
    if !key.matches(&token.secret_hash) || token.revoked_at.is_some() {
        return Err(REFUSED);
    }
    Ok(ServicePrincipal { id, name: token.name, scopes: parse_scopes(&token.scopes)? })
}

/// Parses the scopes of a row. The table's constraint allows no unknown ones.
pub(super) fn parse_scopes<S: FromStr<Err = String> + Ord>(scopes: &[String]) -> Result<BTreeSet<S>> {
    let scopes: std::result::Result<BTreeSet<S>, String> = scopes.iter().map(|scope| scope.parse()).collect();
    scopes.map_err(|err| Error::Internal(err.into()))
}
