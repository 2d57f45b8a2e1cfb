//! Signed heads: the end of the log at a time, signed, so that a later check can show that nothing before it was
//! changed.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::AlgorithmParameters};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::chain::Chain;
use crate::{
    clock::Instant,
    domain::{
        Error, Registry, Result,
        auth::{jwt::LocalIssuer, parse_token_part},
        change::Head,
    },
    id::Revision,
};

/// The `typ` of the signature (RFC 7515, section 4.1.9). No user's token has it.
const TYPE: &str = "agent-registry-head+jws";

/// The signed content: the end of the log, and the chain hash over all of it. Stored outside of the database, it
/// shows when the log's end was cut off or the whole log was rewritten, which the chain alone can't show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// The log's id.
    pub log_id: Uuid,
    /// The log's last commit.
    pub revision: Revision,
    /// The position of that commit's last entry.
    pub position: i32,
    /// The chain hash of that entry, in hex.
    pub chain_hash: String,
    /// When the head was signed.
    pub sealed_at: Instant,
}

/// Why a text isn't a signed head.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a signed head: {0}")]
pub struct SignedHeadError(&'static str);

impl SignedHead {
    /// Reads a signed head and checks its signature. Also returns the public key that signed it, from its header:
    /// whether to trust that key is for the caller to decide.
    ///
    /// # Errors
    /// [`SignedHeadError`].
    pub fn open(text: &str) -> std::result::Result<(Self, String), SignedHeadError> {
        // The library parses both parts by serde_json, so it gets only parts that our own reader has accepted.
        for part in text.split('.').take(2) {
            parse_token_part(part).ok_or(SignedHeadError("it is not a JWS in compact form"))?;
        }
        #[expect(clippy::disallowed_methods, reason = "our own reader has read the header")]
        let header = decode_header(text).map_err(|_| SignedHeadError("its header is not that of a JWS"))?;
        if header.typ.as_deref() != Some(TYPE) || header.alg != Algorithm::EdDSA {
            return Err(SignedHeadError("its `typ` or `alg` is that of another kind of text"));
        }
        let key = header.jwk.ok_or(SignedHeadError("its header contains no public key"))?;
        let AlgorithmParameters::OctetKeyPair(pair) = &key.algorithm else {
            return Err(SignedHeadError("its key is not an Ed25519 key"));
        };
        let name = pair.x.clone();
        let key = DecodingKey::from_jwk(&key).map_err(|_| SignedHeadError("its key can't be read"))?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let signed_head =
            decode::<Self>(text, &key, &validation).map_err(|_| SignedHeadError("its signature is wrong"))?;
        Ok((signed_head.claims, name))
    }

    /// Whether this chain's last entry is the one that was signed.
    #[must_use]
    pub fn is_at(&self, chain: &Chain) -> bool {
        hex::encode(chain.hash()) == self.chain_hash
    }
}

impl Registry {
    /// The current end of the log, signed with this key.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn sign_head(&self, key: &LocalIssuer) -> Result<(SignedHead, String)> {
        let Head { log_id, revision, position, at: _, chain_hash, floor: _, floor_position: _ } =
            self.head().await?;
        let (chain_hash, sealed_at) = (hex::encode(chain_hash), self.clock().now());
        let signed_head = SignedHead { log_id, revision, position, chain_hash, sealed_at };
        let signed = key.sign(TYPE, &signed_head).map_err(|err| Error::Internal(Box::new(err)))?;
        Ok((signed_head, signed))
    }
}
