//! JSON Web Tokens (RFC 7519, RFC 8725): their checks, and the local issuer, which signs with an Ed25519 key in the
//! data folder (RFC 8037).

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, TimeDelta};
use json_reader::{Json, Limits};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode,
    jwk::{
        AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, OctetKeyPairParameters, OctetKeyPairType,
    },
};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::clock::{Clock, Instant};

/// The `iss` claim of tokens that this service signs itself.
pub const LOCAL_ISSUER: &str = "urn:agent-registry:local";
/// The `aud` claim that a token must have, unless a setting names another.
pub const AUDIENCE: &str = "agent-registry";
/// The longest token, in bytes. Requests' headers may have 8 KiB, and real tokens have half of that.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// The limits of each JSON part of a token.
const LIMITS: Limits =
    Limits { bytes: TOKEN_BYTES_MAX, depth: 32, values: 2_000, takes_reserved_keys: false };
/// The longest e-mail address (RFC 5321, section 4.5.3.1.3) and name that are read from a token, in characters.
const PERSONAL_CHARS_MAX: usize = 254;
/// How far an issuer's clock may be ahead of ours: the tolerance for `nbf`.
const CLOCK_SKEW_MAX: TimeDelta = TimeDelta::seconds(10);

/// The message of most rejections: details would help attackers.
pub(super) const REFUSED: &str = "the token is not valid";

/// The claims of a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The issuer of the token: `iss`.
    pub issuer: String,
    /// The user's name at the issuer: `sub`.
    pub subject: String,
    /// The user's e-mail address, if the token contains one.
    pub email: Option<String>,
    /// Whether the issuer has verified that the address is the user's.
    pub email_verified: bool,
    /// The user's display name, if the token contains one.
    pub name: Option<String>,
    /// When the token expires.
    pub expires_at: Instant,
}

/// The signed payload.
#[derive(Serialize, Deserialize)]
struct Payload {
    iss: String,
    /// A string, or a list of them: the library checks it.
    aud: Value,
    sub: String,
    exp: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iat: Option<Value>,
    /// A value that isn't a string is ignored, and no reason to reject the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<Value>,
    /// `true`, or the string `"true"`, which some issuers send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email_verified: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Value>,
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

/// A token that has been split and parsed. Its signature hasn't been checked.
pub(super) struct UnverifiedToken<'t> {
    token: &'t str,
    claims: Json,
    kid: String,
}

/// The header fields that matter; others are ignored.
#[derive(Deserialize)]
struct TokenHeader {
    kid: Option<String>,
    typ: Option<String>,
    jwk: Option<Json>,
    jku: Option<Json>,
    x5u: Option<Json>,
    x5c: Option<Json>,
    crit: Option<Json>,
}

impl<'t> UnverifiedToken<'t> {
    /// Splits and parses a token, and checks its header. The library parses both parts by serde_json, so it gets only
    /// parts that our own reader has accepted.
    pub(super) fn read(token: &'t str) -> Result<Self, &'static str> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err("the token is longer than 8 KiB");
        }
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(REFUSED);
        };
        let header: TokenHeader = json_reader::from_json(&parse_part(header)?).map_err(|_| REFUSED)?;
        let TokenHeader { kid, typ, jwk, jku, x5u, x5c, crit } = header;
        // A token that brings its own key, or the place to fetch one from, is an attack (RFC 8725, section 3.5). This
        // service supports no extensions, and must reject a token with critical ones (RFC 7515, section 4.1.11).
        let is_refused = [jwk, jku, x5u, x5c, crit].iter().any(Option::is_some);
        // Another `typ` means another kind of token (RFC 8725, section 3.11).
        let is_jwt = typ.as_deref().is_none_or(|typ| {
            let typ = typ.to_ascii_lowercase();
            ["jwt", "at+jwt"].contains(&typ.strip_prefix("application/").unwrap_or(&typ))
        });
        if is_refused || !is_jwt {
            return Err(REFUSED);
        }
        Ok(Self { token, claims: parse_part(claims)?, kid: kid.ok_or(REFUSED)? })
    }

    /// The id of the key that the token claims to be signed with.
    pub(super) fn kid(&self) -> &str {
        &self.kid
    }
}

/// Parses a part of a token: JSON in base64url.
pub(in crate::domain) fn parse_part(text: &str) -> Result<Json, &'static str> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| REFUSED)?;
    json_reader::read(&bytes, &LIMITS).map_err(|_| REFUSED)
}

/// The claims of a token that this key has signed, by this algorithm and for this audience, and that is valid now.
pub(super) fn verify(
    clock: &Clock,
    UnverifiedToken { token, claims, kid: _ }: UnverifiedToken<'_>,
    (algorithm, key): (Algorithm, &DecodingKey),
    issuer: &str,
    audience: &str,
) -> Result<Claims, &'static str> {
    // The key determines the algorithm, never the token (RFC 8725, section 3.1).
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    // Times are checked below, by our own clock.
    validation.validate_exp = false;
    decode::<IgnoredAny>(token, key, &validation).map_err(|_| REFUSED)?;
    let payload: Payload = json_reader::from_json(&claims).map_err(|_| REFUSED)?;
    let (now, expires_at) = (clock.now(), instant(&payload.exp)?);
    if expires_at <= now {
        return Err("the token has expired");
    }
    if payload.nbf.as_ref().map(instant).transpose()?.is_some_and(|from| from > now + CLOCK_SKEW_MAX) {
        return Err("the token is not valid yet");
    }
    let Payload { iss, aud: _, sub, exp: _, nbf: _, iat: _, email, email_verified, name } = payload;
    let sane = |claim: Option<Value>| {
        let text = claim?.as_str()?.to_owned();
        let fits = (1..=PERSONAL_CHARS_MAX).contains(&text.chars().count());
        (fits && !text.chars().any(char::is_control)).then_some(text)
    };
    Ok(Claims {
        issuer: iss,
        subject: sub,
        email: sane(email),
        email_verified: matches!(&email_verified, Some(Value::Bool(true)))
            || email_verified.is_some_and(|value| value.as_str() == Some("true")),
        name: sane(name),
        expires_at,
    })
}

/// Parses a NumericDate (RFC 7519, section 2): seconds, of which a fraction is truncated.
fn instant(date: &Value) -> Result<Instant, &'static str> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, and timestamps out of range are rejected below"
    )]
    let seconds = date.as_i64().or_else(|| date.as_f64().map(|seconds| seconds as i64)).ok_or(REFUSED)?;
    DateTime::from_timestamp(seconds, 0).ok_or(REFUSED)
}

/// Signs and checks tokens with one Ed25519 key.
#[derive(Clone)]
pub struct LocalIssuer {
    kid: String,
    /// The public key, in base64url.
    public: String,
    signing: EncodingKey,
    checking: DecodingKey,
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
            checking: DecodingKey::from_ed_der(public),
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
            iss: LOCAL_ISSUER.to_owned(),
            aud: AUDIENCE.into(),
            sub: subject,
            exp: now.saturating_add_unsigned(ttl.as_secs()).into(),
            nbf: None,
            iat: Some(now.into()),
            email_verified: email.as_ref().map(|_| true.into()),
            email: email.map(Value::from),
            name: name.map(Value::from),
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
    ///
    /// # Errors
    /// Why the token isn't accepted, in words that help no attacker.
    pub fn check(&self, clock: &Clock, token: &str) -> Result<Claims, &'static str> {
        let token = UnverifiedToken::read(token)?;
        if token.kid() != self.kid {
            return Err(REFUSED);
        }
        verify(clock, token, (Algorithm::EdDSA, &self.checking), LOCAL_ISSUER, AUDIENCE)
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
