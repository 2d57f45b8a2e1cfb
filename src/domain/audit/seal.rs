//! A sealed head: what the log was at a moment, signed, for whoever wants to see later that it still holds.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::AlgorithmParameters};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::chain::Chain;
use crate::{
    clock::Instant,
    domain::{
        Error, Registry, Result,
        auth::jwt::{self, LocalIssuer},
        change::Head,
    },
};

/// The type of its signature (RFC 7515, section 4.1.9): no token of a user's has it.
const TYPE: &str = "agent-registry-head+jws";

/// What is signed: where the log ended, and the hash over all of it. Kept outside, it shows when the log's end was cut off
/// or all of it was written anew, which the chain alone can't.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Names the log.
    pub log_id: Uuid,
    /// Its last commit.
    pub revision: i64,
    /// That commit's last entry.
    pub position: i32,
    /// The chain hash there, in hex.
    pub chain_hash: String,
    /// When it was sealed.
    pub sealed_at: Instant,
}

/// A text is no sealed head.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no sealed head: {0}")]
pub struct SealError(&'static str);

impl Seal {
    /// Reads a sealed head, and names the key that signed it. Whether that is a key to be believed, only its reader knows.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open(text: &str) -> std::result::Result<(Self, String), SealError> {
        // The library parses both parts by serde_json, so it gets none that our own reader has not read.
        for part in text.split('.').take(2) {
            jwt::part(part).map_err(|_| SealError("it is no signed text"))?;
        }
        #[expect(clippy::disallowed_methods, reason = "our own reader has read the header")]
        let header = decode_header(text).map_err(|_| SealError("it is no signed text"))?;
        if header.typ.as_deref() != Some(TYPE) || header.alg != Algorithm::EdDSA {
            return Err(SealError("it is of another kind"));
        }
        let key = header.jwk.ok_or(SealError("it does not say by which key it is signed"))?;
        let AlgorithmParameters::OctetKeyPair(pair) = &key.algorithm else {
            return Err(SealError("its key is of another kind"));
        };
        let name = pair.x.clone();
        let key = DecodingKey::from_jwk(&key).map_err(|_| SealError("its key is none"))?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let seal =
            decode::<Self>(text, &key, &validation).map_err(|_| SealError("its signature is wrong"))?;
        Ok((seal.claims, name))
    }

    /// Whether the chain has been followed to the very entry that was sealed.
    #[must_use]
    pub fn is_at(&self, chain: &Chain) -> bool {
        hex::encode(chain.hash()) == self.chain_hash
    }
}

impl Registry {
    /// Where the log ends now, signed with this key.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn seal(&self, key: &LocalIssuer) -> Result<(Seal, String)> {
        let Head { log_id, revision, position, at: _, chain_hash, floor: _, floor_position: _ } =
            self.head().await?;
        let (chain_hash, sealed_at) = (hex::encode(chain_hash), self.clock().now());
        let seal = Seal { log_id, revision, position, chain_hash, sealed_at };
        let signed = key.sign(TYPE, &seal).map_err(|err| Error::Internal(Box::new(err)))?;
        Ok((seal, signed))
    }
}
