//! JSON Web Tokens of the local issuer: an Ed25519 key in the data folder (RFC 7519, RFC 8037).

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::DateTime;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::{Clock, Instant};

/// The `iss` of tokens that this service signs itself.
pub const LOCAL_ISSUER: &str = "urn:agent-registry:local";
/// The `aud` that a token must name.
pub const AUDIENCE: &str = "agent-registry";
/// The longest token, in bytes: headers hold 8 KiB, and real tokens half of that.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Who vouches for the subject.
    pub issuer: String,
    /// Its name there.
    pub subject: String,
    /// Its address, when it says so.
    pub email: Option<String>,
    /// What people call it, when it says so.
    pub name: Option<String>,
    /// When the token ceases to be valid.
    pub expires_at: Instant,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    iss: String,
    aud: String,
    sub: String,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// Signs and checks tokens with one Ed25519 key.
#[derive(Clone)]
pub struct LocalIssuer {
    kid: String,
    signing: EncodingKey,
    checking: DecodingKey,
}

/// The signing key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file can't be read or written.
    #[error("signing key {0}: {1}")]
    File(String, #[source] io::Error),
    /// It is no Ed25519 key in PKCS#8 PEM.
    #[error("signing key {0}: not an Ed25519 private key in PKCS#8 PEM")]
    Format(String),
}

impl LocalIssuer {
    /// Reads the key of this file, after making one (mode 0600) if there is none.
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
            signing: EncodingKey::from_ed_der(&der),
            checking: DecodingKey::from_ed_der(public),
        })
    }

    /// A token for this subject, valid from now for `ttl`.
    ///
    /// # Errors
    /// When signing fails, which it does not for a key that was read.
    pub fn mint(
        &self,
        clock: &Clock,
        subject: &str,
        ttl: Duration,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let now = clock.now().timestamp();
        let payload = Payload {
            iss: LOCAL_ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: subject.to_owned(),
            exp: now.saturating_add_unsigned(ttl.as_secs()),
            nbf: None,
            iat: now,
            email: None,
            name: None,
        };
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, &payload, &self.signing)
    }

    /// What a token says, if this key signed it and it is valid now.
    ///
    /// # Errors
    /// Why not, in words that give nothing away.
    pub fn check(&self, clock: &Clock, token: &str) -> Result<Claims, &'static str> {
        const REFUSED: &str = "the token is not valid";
        if token.len() > TOKEN_BYTES_MAX {
            return Err("the token is too long");
        }
        let header = decode_header(token).map_err(|_| REFUSED)?;
        // A key or a place to fetch one from, named by the token itself, is an attack (RFC 8725, section 3.5).
        let names_key =
            header.jwk.is_some() || header.jku.is_some() || header.x5u.is_some() || header.x5c.is_some();
        let is_jwt = header
            .typ
            .as_deref()
            .is_none_or(|typ| ["jwt", "at+jwt"].contains(&typ.to_ascii_lowercase().as_str()));
        if names_key || !is_jwt || header.kid.as_deref() != Some(&self.kid) {
            return Err(REFUSED);
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[LOCAL_ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        // Times go by our own clock, below.
        validation.validate_exp = false;
        let payload = decode::<Payload>(token, &self.checking, &validation).map_err(|_| REFUSED)?.claims;
        let instant = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(REFUSED);
        let (now, expires_at) = (clock.now(), instant(payload.exp)?);
        if expires_at <= now {
            return Err("the token has expired");
        }
        if payload.nbf.map(instant).transpose()?.is_some_and(|from| from > now) {
            return Err("the token is not valid yet");
        }
        let Payload { iss, aud: _, sub, exp: _, nbf: _, iat: _, email, name } = payload;
        Ok(Claims { issuer: iss, subject: sub, email, name, expires_at })
    }
}

/// Makes a key file. It appears whole or not at all, and never in place of another that appeared meanwhile.
fn make(path: &Path) -> io::Result<()> {
    let no_randomness = |_| io::Error::other("no randomness");
    let pair = Ed25519KeyPair::generate().map_err(no_randomness)?;
    let der = pair.to_pkcs8v1().map_err(no_randomness)?;
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
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
