//! Outside issuers: their settings, and their public keys (JSON Web Key Sets, RFC 7517), which are refreshed in the
//! background.
//!
//! The key determines the algorithm that a token is checked by. A failed refresh keeps the known keys; a successful one
//! replaces them.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use tokio::time::{Instant, sleep};

pub use super::source::Source;
use super::{
    claims::{ClaimMapping, Claims},
    description::Description,
    key_set::{KeySet, parse_keys},
    oidc::ClientSettings,
    refusal::{TokenError, quoted},
    source::Published,
    token::{Expected, UnverifiedToken, VerificationKey, VerifiedToken},
};
use crate::{clock::Clock, task::lock};

/// How often the keys are refreshed, so that a key that is published ahead of its use is known in time.
const REFRESH: Duration = Duration::from_secs(300);
/// How soon they are refreshed after a failure.
const RETRY: Duration = Duration::from_secs(30);
/// How often at most a token with an unknown key triggers an extra refresh.
const UNKNOWN_EVERY: Duration = Duration::from_secs(30);
/// The timeout for reading the key set.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Why the key set can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// The file can't be read.
    #[error("can't read the key set {0}: {1}")]
    File(String, #[source] std::io::Error),
    /// The URL doesn't return a key set.
    #[error("can't fetch the key set from {0}: {1}")]
    Fetch(String, String),
    /// The issuer's description is not usable.
    #[error("can't find the key set by {0}: {1}")]
    Discovery(String, String),
    /// The set contains no key that tokens could be checked with.
    #[error(
        "the key set {0} holds no usable key: Ed25519, P-256, P-384 or RSA (2048 bits or more), for signatures, with a kid"
    )]
    NoUsableKey(String),
}

/// The settings of an outside issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerSettings {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// Its tokens must be for one of these.
    pub audiences: Vec<String>,
    /// Where its keys are published.
    pub source: Source,
    /// How the claims of its tokens are read.
    pub claims: ClaimMapping,
    /// This service's registration at the issuer, if people sign in there with a browser.
    pub client: Option<ClientSettings>,
}

impl IssuerSettings {
    /// The settings of an issuer with the usual claims.
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>, source: Source) -> Self {
        let audiences = vec![audience.into()];
        Self { issuer: issuer.into(), audiences, source, claims: ClaimMapping::default(), client: None }
    }
}

/// An outside issuer and its keys. Clones share them.
#[derive(Clone)]
pub struct OutsideIssuer(Arc<Inner>);

struct Inner {
    settings: IssuerSettings,
    http: reqwest::Client,
    keys: RwLock<KeySet>,
    /// The description that the keys were last found by.
    description: RwLock<Option<Arc<Description>>>,
    /// When a token with an unknown key last triggered a refresh.
    asked: Mutex<Option<Instant>>,
    /// Held while the keys are refreshed, so that refreshes don't overwrite a newer result.
    reading: tokio::sync::Mutex<()>,
}

impl OutsideIssuer {
    /// The issuer with these settings. No keys are loaded yet.
    ///
    /// # Errors
    /// [`JwksError::Fetch`] when this machine can't set up TLS.
    pub fn new(settings: IssuerSettings) -> Result<Self, JwksError> {
        // Redirects aren't followed: the setting names the source.
        let http = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        // A source on this machine isn't fetched through a proxy, whatever the environment variables say.
        let http = if settings.source.is_local() { http.no_proxy() } else { http };
        let http = http.build().map_err(|err| JwksError::Fetch(settings.source.name(), err.to_string()))?;
        let (keys, description) = (RwLock::default(), RwLock::default());
        let (asked, reading) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self(Arc::new(Inner { settings, http, keys, description, asked, reading })))
    }

    /// The `iss` of its tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.settings.issuer
    }

    /// How the claims of its tokens are read.
    #[must_use]
    pub fn claims(&self) -> &ClaimMapping {
        &self.0.settings.claims
    }

    /// This service's registration at the issuer, if people sign in there with a browser.
    #[must_use]
    pub fn client(&self) -> Option<&ClientSettings> {
        self.0.settings.client.as_ref()
    }

    /// The client for requests to the issuer: with a timeout, and without redirects.
    pub(super) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    /// The issuer's description. One that couldn't be read yet is read now, at most once in 30 seconds.
    pub(super) async fn description(&self) -> Option<Arc<Description>> {
        if let Some(description) = self.known_description() {
            return Some(description);
        }
        if self.may_refresh()
            && let Err(err) = self.refresh().await
        {
            tracing::warn!(error = %err, "a user signs in, and the issuer's description can't be read");
        }
        self.known_description()
    }

    /// The claims of a token that a key of this issuer signed and that is valid now. An unknown key triggers a
    /// refresh, at most once in 30 seconds.
    pub(super) async fn check(
        &self,
        clock: &Clock,
        token: UnverifiedToken<'_>,
    ) -> Result<Claims, TokenError> {
        let IssuerSettings { issuer, audiences, source: _, claims, client: _ } = &self.0.settings;
        let expected = Expected { issuer, audiences, audience: &claims.audience };
        let may_refresh = || self.may_refresh();
        Ok(claims.read(issuer, self.verify(clock, token, expected, may_refresh).await?))
    }

    /// Verifies a token by the issuer's keys. An unknown key triggers a refresh, if that is allowed now.
    pub(super) async fn verify(
        &self,
        clock: &Clock,
        token: UnverifiedToken<'_>,
        expected: Expected<'_>,
        may_refresh: impl FnOnce() -> bool,
    ) -> Result<VerifiedToken, TokenError> {
        let mut key = self.key(token.kid());
        if key.is_none() && may_refresh() {
            if let Err(err) = self.refresh().await {
                tracing::warn!(error = %err, "a token names an unknown key, and the issuer's keys can't be refreshed");
            }
            key = self.key(token.kid());
        }
        let issuer = self.issuer().to_owned();
        let key = key.ok_or_else(|| TokenError::UnknownKey { issuer, kid: quoted(token.kid()) })?;
        token.verify(clock, &key, expected)
    }

    /// Loads the keys and the description. The known ones stay if that fails.
    ///
    /// # Errors
    /// [`JwksError`].
    pub async fn refresh(&self) -> Result<(), JwksError> {
        let _turn = self.0.reading.lock().await;
        let IssuerSettings { issuer, source, .. } = &self.0.settings;
        let Published { keys, description } = source.read(&self.0.http, issuer).await?;
        let known = parse_keys(&keys);
        if known.is_empty() {
            return Err(JwksError::NoUsableKey(source.name()));
        }
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = known;
        *self.0.description.write().unwrap_or_else(PoisonError::into_inner) = description.map(Arc::new);
        Ok(())
    }

    /// Refreshes the keys periodically, for as long as the service runs.
    pub async fn keep_fresh(self, clock: Clock) {
        let mut wait = if self.0.keys.read().unwrap_or_else(PoisonError::into_inner).is_empty() {
            RETRY
        } else {
            REFRESH
        };
        loop {
            // The jitter spreads the requests of several instances.
            sleep(wait + clock.jitter(wait / 10)).await;
            wait = match self.refresh().await {
                Ok(()) => REFRESH,
                Err(err) => {
                    tracing::warn!(error = %err, "the issuer's keys can't be refreshed; the known keys stay in use");
                    RETRY
                }
            };
        }
    }

    fn key(&self, kid: &str) -> Option<VerificationKey> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned()
    }

    /// The description that was last read.
    pub(super) fn known_description(&self) -> Option<Arc<Description>> {
        self.0.description.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn may_refresh(&self) -> bool {
        let mut asked = lock(&self.0.asked);
        let may = asked.is_none_or(|asked| asked.elapsed() >= UNKNOWN_EVERY);
        if may {
            *asked = Some(Instant::now());
        }
        may
    }
}

impl fmt::Debug for OutsideIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { settings, http: _, keys: _, description: _, asked: _, reading: _ } = &*self.0;
        let IssuerSettings { issuer, audiences, source, claims, client } = settings;
        f.debug_struct("OutsideIssuer")
            .field("issuer", issuer)
            .field("audiences", audiences)
            .field("source", &source.name())
            .field("claims", claims)
            .field("client", client)
            .finish_non_exhaustive()
    }
}
