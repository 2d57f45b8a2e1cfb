//! A JSON Web Token (RFC 7519, RFC 8725) and the checks that every issuer's tokens get: form, algorithm, signature,
//! audience and times.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta};
use json_reader::{Json, Limits, from_json};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;

use super::{
    claims::ClaimName,
    refusal::{TOKEN_BYTES_MAX, TokenError, quoted, quoted_list},
};
use crate::{
    clock::{Clock, Instant},
    domain::user::is_subject,
};

/// How far an issuer's clock may differ from ours. A token is accepted this long before `nbf` and after `exp`.
pub const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// The limits of each JSON part of a token.
const LIMITS: Limits =
    Limits { bytes: TOKEN_BYTES_MAX, depth: 32, values: 4_000, takes_reserved_keys: false };

/// A token that has been split and parsed. Its signature hasn't been checked.
pub(super) struct UnverifiedToken<'t> {
    /// The header and the claims, as they are signed.
    message: &'t str,
    signature: &'t str,
    alg: String,
    kid: String,
    claims: Json,
}

/// A key that a token's signature can be checked with.
#[derive(Clone)]
pub(super) struct VerificationKey {
    pub(super) key: Arc<DecodingKey>,
    /// The algorithms of the key. The key determines them, never the token (RFC 8725, section 3.1).
    pub(super) algorithms: &'static [Algorithm],
}

/// What a token of an issuer must contain.
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    /// At least one of these must be in the token's audience.
    pub(super) audiences: &'e [String],
    /// The claim that contains the audience: `aud`, unless the issuer's tokens have none.
    pub(super) audience: &'e ClaimName,
}

/// A token whose signature, issuer, audience and times were checked.
pub(super) struct VerifiedToken {
    pub(super) claims: Json,
    pub(super) subject: String,
    pub(super) expires_at: Instant,
    /// The algorithm of the signature.
    pub(super) algorithm: Algorithm,
}

/// The header fields that matter; others are ignored.
#[derive(Deserialize)]
struct TokenHeader {
    alg: Option<String>,
    kid: Option<String>,
    typ: Option<String>,
    jwk: Option<Json>,
    jku: Option<Json>,
    x5u: Option<Json>,
    x5c: Option<Json>,
    crit: Option<Json>,
}

impl<'t> UnverifiedToken<'t> {
    /// Splits and parses a token, and checks its header.
    pub(super) fn read(token: &'t str) -> Result<Self, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong);
        }
        let parts = || {
            let (message, signature) = token.rsplit_once('.')?;
            let (header, claims) = message.split_once('.').filter(|(_, claims)| !claims.contains('.'))?;
            Some((message, header, claims, signature))
        };
        let (message, header, claims, signature) =
            parts().ok_or(TokenError::Malformed("it doesn't have three parts"))?;
        let malformed = |_| TokenError::Malformed("its header has a field of another type");
        let header: TokenHeader = from_json(&part(header)?).map_err(malformed)?;
        let TokenHeader { alg, kid, typ, jwk, jku, x5u, x5c, crit } = header;
        let never = [("jwk", jwk), ("jku", jku), ("x5u", x5u), ("x5c", x5c), ("crit", crit)].into_iter();
        if let Some((name, _)) = never.into_iter().find(|(_, value)| value.is_some()) {
            return Err(TokenError::HeaderMember(name));
        }
        let is_jwt = typ.as_deref().is_none_or(|typ| {
            let typ = typ.to_ascii_lowercase();
            ["jwt", "at+jwt"].contains(&typ.strip_prefix("application/").unwrap_or(&typ))
        });
        if !is_jwt {
            return Err(TokenError::Type(quoted(&typ.unwrap_or_default())));
        }
        let alg = alg.ok_or(TokenError::Malformed("its header has no algorithm (alg)"))?;
        let kid = kid.ok_or(TokenError::NoKeyId)?;
        Ok(Self { message, signature, alg, kid, claims: part(claims)? })
    }

    /// The id of the key that the token claims to be signed with.
    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// The issuer that the token claims to be of.
    pub(super) fn issuer(&self) -> Result<&str, TokenError> {
        text_claim(&self.claims, "iss")
    }

    /// Checks the signature with this key, then the claims that every token has.
    pub(super) fn verify(
        self,
        clock: &Clock,
        VerificationKey { key, algorithms }: &VerificationKey,
        Expected { issuer, audiences, audience }: Expected<'_>,
    ) -> Result<VerifiedToken, TokenError> {
        let algorithm = algorithms.iter().find(|algorithm| is_named(**algorithm, &self.alg));
        let algorithm = algorithm.ok_or_else(|| TokenError::Algorithm {
            found: quoted(&self.alg),
            accepted: algorithms
                .iter()
                .map(|algorithm| format!("{algorithm:?}"))
                .collect::<Vec<_>>()
                .join(", "),
        })?;
        let is_signed = crypto::verify(self.signature, self.message.as_bytes(), key, *algorithm);
        if !is_signed.is_ok_and(|is_signed| is_signed) {
            return Err(TokenError::Signature);
        }
        let found = self.issuer()?;
        if found != issuer {
            return Err(TokenError::Issuer { found: quoted(found), configured: quoted(issuer) });
        }
        let claims = self.claims;
        check_audience(&claims, audiences, audience)?;
        let subject = text_claim(&claims, "sub")?.to_owned();
        if !is_subject(&subject) {
            return Err(TokenError::Claim("sub".to_owned()));
        }
        let (now, expires_at) = (clock.now(), instant(&claims, "exp")?);
        if expires_at + LEEWAY <= now {
            return Err(TokenError::Expired(expires_at));
        }
        if claims.get("nbf").is_some_and(|from| !from.is_null()) {
            let from = instant(&claims, "nbf")?;
            if from > now + LEEWAY {
                return Err(TokenError::NotYetValid(from));
            }
        }
        Ok(VerifiedToken { claims, subject, expires_at, algorithm: *algorithm })
    }
}

/// Whether a token calls the algorithm by this name. RFC 9864 gives EdDSA with Ed25519 a name of its own.
fn is_named(algorithm: Algorithm, name: &str) -> bool {
    name == format!("{algorithm:?}") || (algorithm == Algorithm::EdDSA && name == "Ed25519")
}

/// Parses a part of a token: JSON in base64url.
pub(in crate::domain) fn parse_part(text: &str) -> Option<Json> {
    part(text).ok()
}

fn part(text: &str) -> Result<Json, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Malformed("a part isn't base64url"))?;
    let json = json_reader::read(&bytes, &LIMITS);
    json.ok()
        .filter(|json| json.as_object().is_some())
        .ok_or(TokenError::Malformed("a part isn't a JSON object"))
}

/// Reads a claim that is a text.
pub(super) fn text_claim<'c>(claims: &'c Json, name: &str) -> Result<&'c str, TokenError> {
    claims.get(name).and_then(Json::as_str).ok_or_else(|| TokenError::Claim(name.to_owned()))
}

/// Checks that the audience, a text or a list of texts (RFC 7519, section 4.1.3), contains one that is accepted.
fn check_audience(claims: &Json, accepted: &[String], name: &ClaimName) -> Result<(), TokenError> {
    let missing = || TokenError::Claim(name.to_string());
    let claim = name.find(claims).ok_or_else(missing)?;
    let found: Vec<&str> = match claim.as_array() {
        Some(list) => list.iter().map(Json::as_str).collect::<Option<_>>().ok_or_else(missing)?,
        None => vec![claim.as_str().ok_or_else(missing)?],
    };
    if found.iter().any(|found| accepted.iter().any(|accepted| accepted == found)) {
        return Ok(());
    }
    let expected = quoted_list(accepted.iter().map(String::as_str));
    Err(TokenError::Audience { found: quoted_list(found), expected })
}

/// Parses a NumericDate (RFC 7519, section 2): seconds, of which a fraction is truncated.
pub(super) fn instant(claims: &Json, name: &str) -> Result<Instant, TokenError> {
    let wrong = || TokenError::Claim(name.to_owned());
    let date = claims.get(name).and_then(Json::as_number).ok_or_else(wrong)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, and timestamps out of range are rejected below"
    )]
    let seconds = date.as_i64().unwrap_or_else(|| date.as_f64() as i64);
    DateTime::from_timestamp(seconds, 0).ok_or_else(wrong)
}
