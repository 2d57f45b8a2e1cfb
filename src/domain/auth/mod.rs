//! Authentication: from a bearer token, or the cookie of a session, to a caller.

use std::{collections::BTreeSet, str::FromStr, sync::Mutex};

use chrono::TimeDelta;
use quick_cache::unsync::Cache;
use uuid::Uuid;

use super::{Caller, Error, KeyPrincipal, Principal, Registry, Result, ServicePrincipal, UserPrincipal};
use crate::{
    cache::entry_cache,
    clock::Instant,
    db::{CallOrigin, Scope, View},
    entity::{EnvironmentFilter, api_key, service_token},
    environment_key::EnvironmentKey,
    id::{ApiKeyId, ServiceTokenId},
    task::lock,
};
use claims::Claims;
use jwt::TokenSubject;
use opaque_token::{OpaqueToken, TokenKind};

pub mod claims;
mod description;
mod issuer;
pub mod jwks;
pub mod jwt;
mod key_set;
mod last_use;
pub mod oidc;
pub mod opaque_token;
mod refusal;
mod session;
mod sign_in;
mod source;
mod sync;
mod token;

pub use issuer::Issuer;
pub(in crate::domain) use last_use::Used;
pub use refusal::{TOKEN_BYTES_MAX, TokenError};
pub use token::LEEWAY;
pub(super) use token::parse_part as parse_token_part;

/// How often the use of an API key or a session is stored at most.
const USE_STORED_EVERY: TimeDelta = TimeDelta::seconds(60);
/// For how many keys and sessions the time of the last storing is remembered. Beyond that, one is dropped, which only
/// costs a query.
const USES_REMEMBERED_MAX: usize = 10_000;

/// The state that authentication needs.
#[derive(Debug)]
pub(super) struct Auth {
    pub(super) issuer: Issuer,
    /// When the use of each key and session was last stored, by its id.
    noted: Mutex<Cache<Uuid, Instant>>,
}

impl Auth {
    pub(super) fn new(issuer: Issuer) -> Self {
        Self { issuer, noted: Mutex::new(entry_cache(USES_REMEMBERED_MAX)) }
    }

    /// Whether the use of this key or session must be stored now.
    fn must_store_use(&self, key: Uuid, last: Option<Instant>, now: Instant) -> bool {
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
pub(super) const REFUSED: Error = Error::Unauthenticated(refusal::REFUSED);

/// A credential whose form, checksum or signature is valid. The database hasn't been asked yet.
#[derive(Debug)]
pub struct VerifiedCredential(Credential);

#[derive(Debug)]
enum Credential {
    Service(OpaqueToken),
    Api(OpaqueToken),
    Session(OpaqueToken),
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

    /// Checks the form and the checksum or signature of a bearer token, or of a session's cookie, without a query.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Unavailable`] when the issuer's keys can't be loaded.
    pub async fn verify_credential(&self, bearer: &str) -> Result<VerifiedCredential> {
        let mistyped = || refuse("its form or checksum is wrong", None);
        let proof = if OpaqueToken::claims(TokenKind::Service, bearer) {
            Credential::Service(OpaqueToken::parse(TokenKind::Service, bearer).ok_or_else(mistyped)?)
        } else if OpaqueToken::claims(TokenKind::Api, bearer) {
            Credential::Api(OpaqueToken::parse(TokenKind::Api, bearer).ok_or_else(mistyped)?)
        } else if OpaqueToken::claims(TokenKind::Session, bearer) {
            Credential::Session(OpaqueToken::parse(TokenKind::Session, bearer).ok_or_else(mistyped)?)
        } else {
            let checked = self.auth().issuer.check(self.clock(), bearer).await;
            Credential::User(checked.map_err(|err| {
                tracing::info!(reason = %err, "a user's token is refused");
                Error::Unauthenticated(err.message())
            })?)
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
            Credential::Service(key) => Principal::Service(self.service(&key).await?),
            Credential::Api(key) => Principal::ApiKey(self.api_key(&key).await?),
            Credential::Session(key) => Principal::User(self.session_user(&key).await?),
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
    /// expired, or the token's claims must be compared with the database again. Also stores the use of an API key or a
    /// session, when that is due.
    #[must_use]
    pub fn recognize(&self, principal: &Principal, origin: &CallOrigin) -> Option<Caller> {
        let caller = Caller::new(principal.clone(), origin.clone());
        let now = self.clock().now();
        if caller.has_expired(now) {
            return None;
        }
        // The claims of its token are compared with the database again.
        if let Principal::User(UserPrincipal { sync_at: Some(due), .. }) = principal
            && *due <= now
        {
            return None;
        }
        match principal {
            Principal::ApiKey(KeyPrincipal { id, customer_id, .. }) => {
                self.note_use(Used::ApiKey(*id, *customer_id), None, now);
            }
            Principal::Service(ServicePrincipal { id, .. }) => {
                self.note_use(Used::Service(*id), None, now);
            }
            Principal::User(UserPrincipal { session: Some(id), .. }) => {
                self.note_use(Used::Session(*id), None, now);
            }
            Principal::User(_) | Principal::System => {}
        }
        Some(caller)
    }

    async fn api_key(&self, key: &OpaqueToken) -> Result<KeyPrincipal> {
        let id = ApiKeyId::from(key.id());
        let refuse = |reason| refuse(reason, Some(key.id()));
        let found = self.db().internal_view(Scope::Auth).one(api_key::credential(id)).await?;
        let found = found.ok_or_else(|| refuse("there is no such API key"))?;
        let now = self.clock().now();
        if !key.matches(&found.secret_hash, found.environments.is_some()) {
            return Err(refuse("its secret is not the API key's"));
        }
        if found.revoked_at.is_some() {
            return Err(refuse("the API key is revoked"));
        }
        if found.expires_at.is_some_and(|at| at <= now) {
            return Err(refuse("the API key has expired"));
        }
        self.note_use(Used::ApiKey(id, found.customer_id), found.last_used_at, now);
        let api_key::Credential { customer_id, name, scopes, plan, expires_at, environments, .. } = found;
        let (scopes, environments) = (parse_scopes(&scopes)?, reach(environments.as_deref())?);
        Ok(KeyPrincipal { id, customer_id, name, scopes, plan, expires_at, environments })
    }

    async fn service(&self, key: &OpaqueToken) -> Result<ServicePrincipal> {
        let now = self.clock().now();
        let view = self.db().internal_view(Scope::Auth);
        let (principal, last) = service(&view, key, now).await?;
        self.note_use(Used::Service(principal.id), last, now);
        Ok(principal)
    }
}

/// Logs why a credential of a program is refused, and returns the error for its client.
fn refuse(reason: &'static str, id: Option<Uuid>) -> Error {
    tracing::info!(reason, id = ?id, "a program's credential is refused");
    REFUSED
}

/// The token's principal, and when it was last used.
async fn service(
    view: &View,
    key: &OpaqueToken,
    now: Instant,
) -> Result<(ServicePrincipal, Option<Instant>)> {
    let id = ServiceTokenId::from(key.id());
    let refuse = |reason| refuse(reason, Some(key.id()));
    let token = view.one(service_token::by_id(id)).await?;
    let token = token.ok_or_else(|| refuse("there is no such service token"))?;
    let service_token::Model {
        name,
        secret_hash,
        scopes,
        revoked_at,
        customer_ids,
        expires_at,
        environments,
        last_used_at,
        ..
    } = token;
    if !key.matches(&secret_hash, customer_ids.is_some() || environments.is_some()) {
        return Err(refuse("its secret is not the service token's"));
    }
    if revoked_at.is_some() {
        return Err(refuse("the service token is revoked"));
    }
    if expires_at.is_some_and(|at| at <= now) {
        return Err(refuse("the service token has expired"));
    }
    let customers = customer_ids.map(BTreeSet::from_iter);
    let (scopes, environments) = (parse_scopes(&scopes)?, reach(environments.as_deref())?);
    Ok((ServicePrincipal { id, name, scopes, customers, environments, expires_at }, last_used_at))
}

/// The environments that a credential with these keys reaches; all without a list.
fn reach(environments: Option<&[String]>) -> Result<EnvironmentFilter> {
    let Some(keys) = environments else { return Ok(EnvironmentFilter::All) };
    let keys: std::result::Result<BTreeSet<EnvironmentKey>, _> = keys.iter().map(|key| key.parse()).collect();
    let keys = keys.map_err(|err| Error::Internal(Box::new(err)))?;
    Ok(EnvironmentFilter::Only(keys.into_iter().collect()))
}

/// Parses the scopes of a row. The table's constraint allows no unknown ones.
pub(super) fn parse_scopes<S: FromStr<Err = String> + Ord>(scopes: &[String]) -> Result<BTreeSet<S>> {
    let scopes: std::result::Result<BTreeSet<S>, String> = scopes.iter().map(|scope| scope.parse()).collect();
    scopes.map_err(|err| Error::Internal(err.into()))
}
