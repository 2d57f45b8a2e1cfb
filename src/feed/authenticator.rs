//! Finds the caller that a credential belongs to: in memory under the lease, else in the database. While the database
//! is unavailable, the services of the platform are accepted from memory.

use std::sync::Arc;

use super::{credential_cache::CredentialCache, fallback::Fallback, freshness::Freshness};
use crate::domain::{
    CallOrigin, Caller, Error, Principal, Registry, Result,
    auth::{Authenticated, VerifiedCredential},
};

/// Looks callers up.
#[derive(Debug)]
pub(super) struct Authenticator {
    pub(super) registry: Registry,
    pub(super) credentials: CredentialCache,
    pub(super) freshness: Freshness,
    pub(super) fallback: Fallback,
}

impl Authenticator {
    /// Returns the caller behind a token whose form and signature have been verified.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Unavailable`] when the database must be read and can't be.
    pub(super) async fn look_up(
        &self,
        proven: VerifiedCredential,
        bearer: &str,
        origin: &CallOrigin,
    ) -> Result<Caller> {
        let (known, lookup) = self.credentials.begin_lookup(bearer);
        let known = known.and_then(|principal| self.registry.recognize(&principal, origin));
        if let Some(caller) = known.as_ref().filter(|_| self.freshness.has_lease()) {
            return Ok(caller.clone());
        }
        let known = known.filter(|caller| caller.principal.is_service());
        let read = self.registry.look_up(proven, origin);
        match self.fallback.read_unless_late(known.is_some(), read).await {
            Ok(Authenticated { caller, is_settled }) => {
                if is_settled {
                    self.credentials.store(lookup, &caller.principal);
                }
                Ok(caller)
            }
            Err(err @ Error::Unavailable(_)) => known.ok_or(err),
            Err(err) => Err(err),
        }
    }

    /// Returns the service of the platform that this token is cached as, unless it has expired. Checks neither the lease
    /// nor the rights.
    pub(super) fn cached_service(&self, bearer: &str) -> Option<Arc<Principal>> {
        let known = self.credentials.get(bearer).filter(|known| known.is_service())?;
        if known.has_expired(self.registry.clock().now()) { None } else { Some(known) }
    }
}
