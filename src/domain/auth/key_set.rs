//! JSON Web Key Sets (RFC 7517): which of the published keys can check signatures, and by which algorithms.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use json_reader::{Json, Limits, from_json, read_as};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;

use super::token::VerificationKey;

/// The largest key set, in bytes: about a thousand of the largest keys.
pub(super) const BYTES_MAX: usize = 1024 * 1024;
/// The shortest RSA modulus, in bytes: 2048 bits (NIST SP 800-131A).
const RSA_BYTES_MIN: usize = 256;
/// The size of a coordinate on the curves P-256 and Ed25519, in bytes (RFC 7518, section 6.2.1.2; RFC 8032).
const COORDINATE_BYTES: usize = 32;
/// The size of a coordinate on the curve P-384, in bytes.
const P384_COORDINATE_BYTES: usize = 48;

/// The usable keys of a set, by key id.
pub(super) type KeySet = HashMap<String, VerificationKey>;

/// Reads the usable keys of a set. Ignores what it can't parse (RFC 7517, section 5).
pub(super) fn parse_keys(text: &[u8]) -> KeySet {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Json>,
    }
    let limits = Limits { bytes: BYTES_MAX, ..Limits::DEFAULT };
    let keys = read_as::<Set>(text, &limits).map(|set| set.keys).unwrap_or_default();
    keys.iter().filter_map(parse_key).collect()
}

fn parse_key(json: &Json) -> Option<(String, VerificationKey)> {
    let key = from_json::<Jwk>(json).ok()?;
    let algorithms = algorithms(&key, json.get("alg").and_then(Json::as_str))?;
    let decoding = DecodingKey::from_jwk(&key).ok()?;
    Some((key.common.key_id?, VerificationKey { key: Arc::new(decoding), algorithms }))
}

/// The algorithms of a key: the one that it names, else those of its kind. `None` when the key isn't for verifying
/// signatures, or is too weak. jsonwebtoken doesn't know all names of algorithms, so `named` is the key's `alg`.
fn algorithms(key: &Jwk, named: Option<&str>) -> Option<&'static [Algorithm]> {
    let common = &key.common;
    let is_for_signatures =
        common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature)
            && common.key_operations.as_ref().is_none_or(|may| may.contains(&KeyOperations::Verify));
    if !is_for_signatures {
        return None;
    }
    match &key.algorithm {
        AlgorithmParameters::OctetKeyPair(pair)
            if pair.curve == EllipticCurve::Ed25519 && is_coordinate(&pair.x, COORDINATE_BYTES) =>
        {
            named.is_none_or(|alg| alg == "EdDSA" || alg == "Ed25519").then_some(&[Algorithm::EdDSA])
        }
        AlgorithmParameters::EllipticCurve(curve) => {
            let fits = |bytes| is_coordinate(&curve.x, bytes) && is_coordinate(&curve.y, bytes);
            match curve.curve {
                EllipticCurve::P256 if fits(COORDINATE_BYTES) => {
                    named.is_none_or(|alg| alg == "ES256").then_some(&[Algorithm::ES256])
                }
                EllipticCurve::P384 if fits(P384_COORDINATE_BYTES) => {
                    named.is_none_or(|alg| alg == "ES384").then_some(&[Algorithm::ES384])
                }
                _ => None,
            }
        }
        AlgorithmParameters::RSA(rsa) if is_strong(&rsa.n) => rsa_algorithms(named),
        _ => None,
    }
}

/// The algorithms of an RSA key. Entra ID publishes its keys without `alg`.
fn rsa_algorithms(named: Option<&str>) -> Option<&'static [Algorithm]> {
    use Algorithm::{PS256, PS384, PS512, RS256, RS384, RS512};
    match named {
        None => Some(&[RS256, RS384, RS512, PS256, PS384, PS512]),
        Some("RS256") => Some(&[RS256]),
        Some("RS384") => Some(&[RS384]),
        Some("RS512") => Some(&[RS512]),
        Some("PS256") => Some(&[PS256]),
        Some("PS384") => Some(&[PS384]),
        Some("PS512") => Some(&[PS512]),
        Some(_) => None,
    }
}

/// Whether an RSA modulus is long enough.
fn is_strong(modulus: &str) -> bool {
    bytes(modulus).iter().skip_while(|byte| **byte == 0).count() >= RSA_BYTES_MIN
}

/// Whether a field is a coordinate of this many bytes.
fn is_coordinate(field: &str, size: usize) -> bool {
    bytes(field).len() == size
}

/// A field of a key as bytes; empty when it isn't base64url.
fn bytes(field: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(field).unwrap_or_default()
}
