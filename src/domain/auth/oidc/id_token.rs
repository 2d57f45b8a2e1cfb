//! The ID token of a sign-in: its checks (OpenID Connect Core 1.0, section 3.1.3.7) and the identity that it proves.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use json_reader::Json;
use jsonwebtoken::Algorithm;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{
    super::{
        Credential, VerifiedCredential,
        claims::{ClaimMapping, Claims},
        jwks::OutsideIssuer,
        refusal::{TokenError, quoted},
        token::{Expected, LEEWAY, UnverifiedToken, VerifiedToken, instant, text_claim},
    },
    client::ClientSettings,
    exchange::TokenSet,
    refusal::SignInError,
    return_path::ReturnPath,
    state::{SignInState, is_same},
};
use crate::clock::{Clock, Instant};

/// The longest session id that is kept, in bytes.
const SID_BYTES_MAX: usize = 255;

/// The identity that a sign-in proves. Only [`super`] makes one.
#[derive(Clone, Debug)]
pub struct VerifiedIdentity {
    claims: Claims,
    sid: Option<String>,
    return_to: ReturnPath,
}

impl VerifiedIdentity {
    /// The credential, as [`crate::domain::Registry::look_up`] takes it.
    #[must_use]
    pub fn credential(&self) -> VerifiedCredential {
        VerifiedCredential(Credential::User(self.claims.clone()))
    }

    /// The claims, read as those of the issuer's bearer tokens.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// When the ID token expires.
    #[must_use]
    pub fn expires_at(&self) -> Instant {
        self.claims.expires_at
    }

    /// The id of the person's session at the issuer, if the ID token names it.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// The page to show.
    #[must_use]
    pub fn return_path(&self) -> &ReturnPath {
        &self.return_to
    }
}

/// Verifies the ID token of an answer. The token was asked for a moment ago, so an unknown key always triggers a refresh
/// of the issuer's keys.
pub(super) async fn verify(
    issuer: &OutsideIssuer,
    client: &ClientSettings,
    clock: &Clock,
    TokenSet { id_token, access_token }: &TokenSet,
    state: SignInState,
) -> Result<VerifiedIdentity, SignInError> {
    let audiences = [client.id().to_owned()];
    let audience = ClaimMapping::default().audience;
    let expected = Expected { issuer: issuer.issuer(), audiences: &audiences, audience: &audience };
    let token = issuer.verify(clock, UnverifiedToken::read(id_token)?, expected, || true).await?;
    check(&token, client.id(), state.nonce(), access_token.as_deref(), clock.now())?;
    let sid = token.claims.get("sid").and_then(Json::as_str).filter(|sid| sid.len() <= SID_BYTES_MAX);
    let sid = sid.map(str::to_owned);
    let claims = issuer.claims().read(issuer.issuer(), token);
    Ok(VerifiedIdentity { claims, sid, return_to: state.into_return_path() })
}

/// Checks the claims that an ID token has beyond those of every token.
fn check(
    token: &VerifiedToken,
    client: &str,
    nonce: &str,
    access_token: Option<&str>,
    now: Instant,
) -> Result<(), SignInError> {
    let VerifiedToken { claims, subject: _, expires_at: _, algorithm } = token;
    if !is_same(text_claim(claims, "nonce")?, nonce) {
        return Err(SignInError::Nonce);
    }
    check_party(claims, client)?;
    if instant(claims, "iat")? > now + LEEWAY {
        return Err(SignInError::IssuedAt);
    }
    let Some(hash) = present(claims, "at_hash") else { return Ok(()) };
    let is_matching = hash.as_str().zip(access_token).is_some_and(|(hash, access)| {
        access_token_hash(*algorithm, access).is_some_and(|expected| is_same(hash, &expected))
    });
    if is_matching { Ok(()) } else { Err(SignInError::AccessToken) }
}

/// Checks that a token for several audiences was issued to this client.
fn check_party(claims: &Json, client: &str) -> Result<(), SignInError> {
    let has_several = claims.get("aud").and_then(Json::as_array).is_some_and(|list| list.len() > 1);
    match present(claims, "azp") {
        None if has_several => Err(SignInError::Party("absent, though the audience has several".to_owned())),
        None => Ok(()),
        Some(party) => match party.as_str() {
            Some(found) if found == client => Ok(()),
            Some(found) => Err(SignInError::Party(quoted(found))),
            None => Err(TokenError::Claim("azp".to_owned()).into()),
        },
    }
}

/// A claim that isn't null.
fn present<'c>(claims: &'c Json, name: &str) -> Option<&'c Json> {
    claims.get(name).filter(|value| !value.is_null())
}

/// The hash of an access token: the left half, by the hash function of the ID token's algorithm (OpenID Connect Core
/// 1.0, section 3.1.3.6). Ed25519 uses SHA-512. `None` for an algorithm that no key here has.
fn access_token_hash(algorithm: Algorithm, access_token: &str) -> Option<String> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let hash = match algorithm {
        RS256 | PS256 | ES256 => Sha256::digest(access_token).to_vec(),
        RS384 | PS384 | ES384 => Sha384::digest(access_token).to_vec(),
        RS512 | PS512 | EdDSA => Sha512::digest(access_token).to_vec(),
        _ => return None,
    };
    let (left, _) = hash.split_at(hash.len() / 2);
    Some(URL_SAFE_NO_PAD.encode(left))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use json_reader::Limits;

    use super::*;

    const CLIENT: &str = "console";

    fn now() -> Instant {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    /// The result for a token with these claims, beside the access token of the standard's example.
    fn result(claims: &str) -> Result<(), SignInError> {
        let claims = json_reader::read(claims.as_bytes(), &Limits::DEFAULT).unwrap();
        let token = VerifiedToken {
            claims,
            subject: "ada".to_owned(),
            expires_at: now() + TimeDelta::hours(1),
            algorithm: Algorithm::RS256,
        };
        check(&token, CLIENT, "n-0S6_WzA2Mj", Some("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), now())
    }

    /// The example of OpenID Connect Core 1.0, appendix A.3.
    #[test]
    fn the_hash_of_an_access_token_is_the_standards() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        let hash = |algorithm| access_token_hash(algorithm, token).unwrap();
        assert_eq!(hash(Algorithm::RS256), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!((hash(Algorithm::ES384).len(), hash(Algorithm::EdDSA).len()), (32, 43));
        assert_eq!(access_token_hash(Algorithm::HS256, token), None);
    }

    #[test]
    fn an_id_token_is_of_this_sign_in_and_client() {
        for claims in [
            r#"{"nonce":"n-0S6_WzA2Mj","iat":1800000029,"aud":"console"}"#,
            r#"{"nonce":"n-0S6_WzA2Mj","iat":1799999000,"aud":["console"],"azp":null,"at_hash":null}"#,
            r#"{"nonce":"n-0S6_WzA2Mj","iat":1,"aud":["console","b"],"azp":"console","at_hash":"77QmUPtjPfzWtF2AnpK9RQ"}"#,
        ] {
            assert_eq!(result(claims), Ok(()), "{claims}");
        }
        let missing = |claim: &str| SignInError::Token(TokenError::Claim(claim.to_owned()));
        for (claims, error) in [
            (r#"{"nonce":"other","iat":1}"#, SignInError::Nonce),
            (r#"{"nonce":"","iat":1}"#, SignInError::Nonce),
            (r#"{"iat":1}"#, missing("nonce")),
            (r#"{"nonce":null,"iat":1}"#, missing("nonce")),
            (r#"{"nonce":"n-0S6_WzA2Mj"}"#, missing("iat")),
            (r#"{"nonce":"n-0S6_WzA2Mj","iat":1800000031}"#, SignInError::IssuedAt),
            (r#"{"nonce":"n-0S6_WzA2Mj","iat":1,"azp":"b"}"#, SignInError::Party("\"b\"".to_owned())),
            (r#"{"nonce":"n-0S6_WzA2Mj","iat":1,"azp":7}"#, missing("azp")),
            (
                r#"{"nonce":"n-0S6_WzA2Mj","iat":1,"at_hash":"77QmUPtjPfzWtF2AnpK9RR"}"#,
                SignInError::AccessToken,
            ),
            (r#"{"nonce":"n-0S6_WzA2Mj","iat":1,"at_hash":7}"#, SignInError::AccessToken),
        ] {
            assert_eq!(result(claims), Err(error), "{claims}");
        }
        let several = result(r#"{"nonce":"n-0S6_WzA2Mj","iat":1,"aud":["console","b"]}"#);
        assert!(matches!(several, Err(SignInError::Party(_))), "{several:?}");
    }
}
