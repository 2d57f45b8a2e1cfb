//! The local issuer, which signs tokens with an Ed25519 key in the data folder (RFC 8037).

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
    time::Duration,
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, encode,
    jwk::{
        AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, OctetKeyPairParameters, OctetKeyPairType,
    },
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    claims::{ClaimMapping, Claims},
    refusal::{TokenError, quoted},
    token::{Expected, UnverifiedToken, VerificationKey},
};
use crate::clock::Clock;

/// The `iss` claim of tokens that this service signs itself.
pub const LOCAL_ISSUER: &str = "urn:agent-registry:local";
/// The `aud` claim that a token must have, unless a setting names another.
pub const AUDIENCE: &str = "agent-registry";
/// The signed payload.
#[derive(Serialize)]
struct Payload {
    iss: &'static str,
    aud: &'static str,
    sub: String,
    exp: i64,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// The user that a local token is for.
#[derive(Clone, Debug)]
pub struct TokenSubject {
    /// The user's name: `sub`.
    pub subject: String,
    /// The user's e-mail address. It becomes a verified one, so the caller must be sure of it.
    pub email: Option<String>,
    /// The user's display name.
    pub name: Option<String>,
}

/// Signs and checks tokens with one Ed25519 key.
#[derive(Clone)]
pub struct LocalIssuer {
    kid: String,
    /// The public key, in base64url.
    public: String,
    signing: EncodingKey,
    checking: VerificationKey,
}

/// Why the signing key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file can't be read or written.
    #[error("signing key {0}: {1}")]
    File(String, #[source] io::Error),
    /// The file isn't an Ed25519 key in PKCS#8 PEM.
    #[error("signing key {0}: not an Ed25519 private key in PKCS#8 PEM")]
    Format(String),
}

impl LocalIssuer {
    /// Reads the key from this file. Creates the file with a new key (mode 0600) if it doesn't exist.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let name = || path.display().to_string();
        let file = |err| KeyError::File(name(), err);
        if !path.exists() {
            make(path).map_err(file)?;
        }
        let pem = fs::read_to_string(path).map_err(file)?;
        Self::from_pem(&pem).ok_or_else(|| KeyError::Format(name()))
    }

    fn from_pem(pem: &str) -> Option<Self> {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        let der = STANDARD.decode(body).ok()?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok()?;
        let public = pair.public_key().as_ref();
        let kid = hex::encode(Sha256::digest(public)).chars().take(16).collect();
        Some(Self {
            kid,
            public: URL_SAFE_NO_PAD.encode(public),
            signing: EncodingKey::from_ed_der(&der),
            checking: VerificationKey {
                key: Arc::new(DecodingKey::from_ed_der(public)),
                algorithms: &[Algorithm::EdDSA],
            },
        })
    }

    /// Signs a token for this subject, valid for `ttl` from now.
    ///
    /// # Errors
    /// When signing fails, which it doesn't with a key that was read.
    pub fn mint(
        &self,
        clock: &Clock,
        subject: TokenSubject,
        ttl: Duration,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let TokenSubject { subject, email, name } = subject;
        let now = clock.now().timestamp();
        let payload = Payload {
            iss: LOCAL_ISSUER,
            aud: AUDIENCE,
            sub: subject,
            exp: now.saturating_add_unsigned(ttl.as_secs()),
            iat: now,
            email_verified: email.as_ref().map(|_| true),
            email,
            name,
        };
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, &payload, &self.signing)
    }

    /// Signs other content than a token, with this `typ`. The header contains the public key (RFC 7515, section
    /// 4.1.3), so that the signature can be checked without another source of it.
    ///
    /// # Errors
    /// As [`LocalIssuer::mint`].
    pub fn sign(&self, typ: &str, what: &impl Serialize) -> Result<String, jsonwebtoken::errors::Error> {
        let key = OctetKeyPairParameters {
            key_type: OctetKeyPairType::OctetKeyPair,
            curve: EllipticCurve::Ed25519,
            x: self.public.clone(),
        };
        let jwk =
            Jwk { common: CommonParameters::default(), algorithm: AlgorithmParameters::OctetKeyPair(key) };
        let header = Header {
            typ: Some(typ.to_owned()),
            kid: Some(self.kid.clone()),
            jwk: Some(jwk),
            ..Header::new(Algorithm::EdDSA)
        };
        encode(&header, what, &self.signing)
    }

    /// The public key, in base64url.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The claims of a token that this key has signed and that is valid now.
    pub(super) fn check(&self, clock: &Clock, token: UnverifiedToken<'_>) -> Result<Claims, TokenError> {
        if token.kid() != self.kid {
            return Err(TokenError::UnknownKey { issuer: LOCAL_ISSUER.to_owned(), kid: quoted(token.kid()) });
        }
        let claims = ClaimMapping::default();
        let (audiences, audience) = (&[AUDIENCE.to_owned()], &claims.audience);
        let expected = Expected { issuer: LOCAL_ISSUER, audiences, audience };
        Ok(claims.read(LOCAL_ISSUER, token.verify(clock, &self.checking, expected)?))
    }
}

/// Creates a key file. The file appears atomically, and never replaces one that another process has just created.
fn make(path: &Path) -> io::Result<()> {
    let no_randomness = |_| io::Error::other("no randomness");
    let pair = Ed25519KeyPair::generate().map_err(no_randomness)?;
    let der = pair.to_pkcs8v1().map_err(no_randomness)?;
    let draft = path.with_extension(format!("draft-{}", Clock::default().id::<uuid::Uuid>()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(
        file,
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
        STANDARD.encode(der.as_ref())
    )?;
    file.sync_all()?;
    let placed = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match placed {
        Err(err) if err.kind() != io::ErrorKind::AlreadyExists => Err(err),
        _ => Ok(()),
    }
}

impl fmt::Debug for LocalIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalIssuer").field("kid", &self.kid).finish_non_exhaustive()
    }
}
