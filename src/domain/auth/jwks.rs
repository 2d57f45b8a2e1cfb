//! Tokens of an outside issuer. Its public keys (JSON Web Key Set, RFC 7517) come from a file or a URL, and are
//! refreshed in the background.
//!
//! The key determines the algorithm that a token is checked by, and each key has one algorithm. A failed refresh
//! keeps the known keys; a successful one replaces them.

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use json_reader::{Json, Limits, from_json, read_as};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use tokio::{
    io::AsyncReadExt,
    time::{Instant, sleep, timeout},
};

use super::jwt::{Claims, REFUSED, UnverifiedToken, verify};
use crate::{clock::Clock, task::lock};

/// How often the keys are refreshed, so that a key that is published ahead of its use is known in time.
const REFRESH: Duration = Duration::from_secs(300);
/// How soon they are refreshed after a failure.
const RETRY: Duration = Duration::from_secs(30);
/// How often at most a token with an unknown key triggers an extra refresh.
const UNKNOWN_EVERY: Duration = Duration::from_secs(300);
/// The timeout for reading the key set.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest key set, in bytes: about a thousand of the largest keys.
const BYTES_MAX: usize = 1024 * 1024;
/// The shortest RSA modulus, in bytes: 2048 bits (NIST SP 800-131A).
const RSA_BYTES_MIN: usize = 256;
/// The size of a coordinate on either curve, in bytes (RFC 7518, section 6.2.1.2; RFC 8032).
const CURVE_BYTES: usize = 32;

/// The source of the key set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file; it is refreshed like a URL.
    File(PathBuf),
    /// A URL: https, or http to this machine.
    Url(String),
}

impl Source {
    /// Parses the setting of the source.
    ///
    /// # Errors
    /// Why the text isn't a source, as a message for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((scheme, _)) = text.split_once("://") else {
            return if text.is_empty() {
                Err("it is empty; write a URL or a file's path".to_owned())
            } else {
                Ok(Self::File(text.into()))
            };
        };
        let url = reqwest::Url::parse(text).map_err(|err| err.to_string())?;
        let is_local = url.host_str().is_some_and(|host| {
            let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
            host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        });
        match scheme {
            "https" => Ok(Self::Url(text.to_owned())),
            "http" if is_local => Ok(Self::Url(text.to_owned())),
            "http" => Err("keys that are loaded over http can be forged on the way: use https".to_owned()),
            _ => Err("write it as https://… or as the path of a file".to_owned()),
        }
    }
}

/// Why the key set can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// The file can't be read.
    #[error("can't read the key set {0}: {1}")]
    File(String, #[source] std::io::Error),
    /// The URL doesn't return a key set.
    #[error("can't fetch the key set from {0}: {1}")]
    Fetch(String, String),
    /// The set contains no key that tokens could be checked with.
    #[error(
        "the key set {0} holds no usable key: EdDSA (Ed25519), ES256 (P-256) or RS256 (2048 bits or more), with a kid"
    )]
    NoUsableKey(String),
}

type KeySet = HashMap<String, (Algorithm, Arc<DecodingKey>)>;

/// An outside issuer and its keys. Clones share them.
#[derive(Clone)]
pub struct OutsideIssuer(Arc<Inner>);

struct Inner {
    issuer: String,
    audience: String,
    source: Source,
    http: reqwest::Client,
    keys: RwLock<KeySet>,
    /// When a token with an unknown key last triggered a refresh.
    asked: Mutex<Option<Instant>>,
    /// Held while the keys are refreshed, so that refreshes don't overwrite a newer result.
    reading: tokio::sync::Mutex<()>,
}

impl OutsideIssuer {
    /// The issuer with this name. Its tokens must be for this audience. No keys are loaded yet.
    ///
    /// # Errors
    /// [`JwksError::Fetch`] when this machine can't set up TLS.
    pub fn new(issuer: String, audience: String, source: Source) -> Result<Self, JwksError> {
        // Redirects aren't followed: the setting names the source.
        let http = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        // A source on this machine isn't fetched through a proxy, whatever the environment variables say.
        let is_local = matches!(&source, Source::Url(url) if url.starts_with("http://"));
        let http = if is_local { http.no_proxy() } else { http };
        let http = http.build().map_err(|err| JwksError::Fetch(name(&source), err.to_string()))?;
        let (keys, asked, reading) = (RwLock::default(), Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self(Arc::new(Inner { issuer, audience, source, http, keys, asked, reading })))
    }

    /// The `iss` of its tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The claims of a token that a key of this issuer signed and that is valid now. An unknown key triggers a
    /// refresh, at most once in five minutes.
    ///
    /// # Errors
    /// Why the token isn't accepted, in words that help no attacker.
    pub async fn check(&self, clock: &Clock, token: &str) -> Result<Claims, &'static str> {
        let token = UnverifiedToken::read(token)?;
        let mut key = self.key(token.kid());
        if key.is_none() && self.may_refresh() {
            if let Err(err) = self.refresh().await {
                tracing::warn!(error = %err, "a token names an unknown key, and the issuer's keys can't be refreshed");
            }
            key = self.key(token.kid());
        }
        let (algorithm, key) = key.ok_or(REFUSED)?;
        verify(clock, token, (algorithm, &key), &self.0.issuer, &self.0.audience)
    }

    /// Loads the keys. The known ones stay if that fails.
    ///
    /// # Errors
    /// [`JwksError`].
    pub async fn refresh(&self) -> Result<(), JwksError> {
        let _turn = self.0.reading.lock().await;
        let source = &self.0.source;
        let text = match source {
            Source::File(path) => read(path).await.map_err(|err| JwksError::File(name(source), err))?,
            Source::Url(url) => self.fetch(url).await.map_err(|why| JwksError::Fetch(name(source), why))?,
        };
        let known = parse_keys(&text);
        if known.is_empty() {
            return Err(JwksError::NoUsableKey(name(source)));
        }
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = known;
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

    fn key(&self, kid: &str) -> Option<(Algorithm, Arc<DecodingKey>)> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned()
    }

    fn may_refresh(&self) -> bool {
        let mut asked = lock(&self.0.asked);
        let may = asked.is_none_or(|asked| asked.elapsed() >= UNKNOWN_EVERY);
        if may {
            *asked = Some(Instant::now());
        }
        may
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>, String> {
        let mut answer = self.0.http.get(url).send().await.map_err(|err| err.without_url().to_string())?;
        if !answer.status().is_success() {
            return Err(format!("it returned status {}", answer.status()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|err| err.without_url().to_string())? {
            if bytes.len() + chunk.len() > BYTES_MAX {
                return Err(format!("it is larger than {BYTES_MAX} bytes"));
            }
            bytes.extend(chunk);
        }
        Ok(bytes)
    }
}

/// Reads a file up to [`BYTES_MAX`], and for [`PATIENCE`] at most: a longer file, or one that never ends, isn't a key
/// set.
async fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let bytes = async {
        let mut bytes = Vec::new();
        let limit = u64::try_from(BYTES_MAX).unwrap_or(u64::MAX);
        tokio::fs::File::open(path).await?.take(limit).read_to_end(&mut bytes).await?;
        Ok(bytes)
    };
    timeout(PATIENCE, bytes).await.map_err(std::io::Error::from)?
}

/// The source's name for messages: of a URL, only the parts without secrets.
fn name(source: &Source) -> String {
    match source {
        Source::File(path) => path.display().to_string(),
        Source::Url(url) => reqwest::Url::parse(url).map_or_else(
            |_| "its address".to_owned(),
            |url| format!("{}{}", url.origin().ascii_serialization(), url.path()),
        ),
    }
}

/// The usable keys of a set, by key id. Ignores what it can't parse (RFC 7517, section 5).
fn parse_keys(text: &[u8]) -> KeySet {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Json>,
    }
    let limits = Limits { bytes: BYTES_MAX, ..Limits::DEFAULT };
    let keys = read_as::<Set>(text, &limits).map(|set| set.keys).unwrap_or_default();
    let keys = keys.iter().filter_map(|key| from_json::<Jwk>(key).ok());
    keys.filter_map(|key| {
        let algorithm = algorithm(&key)?;
        let decoding = DecodingKey::from_jwk(&key).ok()?;
        Some((key.common.key_id?, (algorithm, Arc::new(decoding))))
    })
    .collect()
}

/// The algorithm of a key; `None` when the key isn't for verifying signatures, or is too weak.
fn algorithm(key: &Jwk) -> Option<Algorithm> {
    let common = &key.common;
    let is_for_signatures =
        common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature)
            && common.key_operations.as_ref().is_none_or(|may| may.contains(&KeyOperations::Verify));
    let (algorithm, named) = match &key.algorithm {
        AlgorithmParameters::OctetKeyPair(pair)
            if pair.curve == EllipticCurve::Ed25519 && is_coordinate(&pair.x) =>
        {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        AlgorithmParameters::EllipticCurve(curve)
            if curve.curve == EllipticCurve::P256 && is_coordinate(&curve.x) && is_coordinate(&curve.y) =>
        {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::RSA(rsa) if is_strong(&rsa.n) => (Algorithm::RS256, KeyAlgorithm::RS256),
        _ => return None,
    };
    let is_named_so = common.key_algorithm.is_none_or(|alg| alg == named);
    (is_for_signatures && is_named_so).then_some(algorithm)
}

/// Whether an RSA modulus is long enough.
fn is_strong(modulus: &str) -> bool {
    bytes(modulus).iter().skip_while(|byte| **byte == 0).count() >= RSA_BYTES_MIN
}

/// Whether a field is a coordinate of a point on either curve.
fn is_coordinate(field: &str) -> bool {
    bytes(field).len() == CURVE_BYTES
}

/// A field of a key as bytes; empty when it isn't base64url.
fn bytes(field: &str) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(field).unwrap_or_default()
}

impl fmt::Debug for OutsideIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { issuer, audience, source, http: _, keys: _, asked: _, reading: _ } = &*self.0;
        f.debug_struct("OutsideIssuer")
            .field("issuer", issuer)
            .field("audience", audience)
            .field("source", &name(source))
            .finish_non_exhaustive()
    }
}
