//! Keys of an outside issuer, and tokens built by hand, so that their headers can have any content.

use std::sync::OnceLock;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
        RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

type Sign = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

/// A signing key and its published JWK.
pub(super) struct Signer {
    pub(super) kid: &'static str,
    /// The `alg` of its tokens.
    pub(super) alg: &'static str,
    pub(super) jwk: Value,
    sign: Box<Sign>,
}

impl Signer {
    pub(super) fn ed(kid: &'static str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let x = text(pair.public_key().as_ref());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
        Self::new(kid, "EdDSA", jwk, move |message| pair.sign(message).as_ref().to_vec())
    }

    pub(super) fn ec(kid: &'static str) -> Self {
        Self::elliptic(kid, "ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    pub(super) fn ec384(kid: &'static str) -> Self {
        Self::elliptic(kid, "ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING)
    }

    fn elliptic(
        kid: &'static str,
        alg: &'static str,
        curve: &str,
        by: &'static EcdsaSigningAlgorithm,
    ) -> Self {
        let pair = EcdsaKeyPair::generate(by).unwrap();
        // An uncompressed point: the byte 4, then both coordinates.
        let (x, y) = pair.public_key().as_ref()[1..].split_at((pair.public_key().as_ref().len() - 1) / 2);
        let jwk = json!({ "kty": "EC", "crv": curve, "x": text(x), "y": text(y) });
        Self::new(kid, alg, jwk, move |message| {
            pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
        })
    }

    pub(super) fn rsa(kid: &'static str) -> Self {
        Self::rsa_with(kid, "RS256")
    }

    /// All RSA signers share one key, because generating one takes long.
    pub(super) fn rsa_with(kid: &'static str, alg: &'static str) -> Self {
        let encoding: &'static dyn RsaEncoding = match alg {
            "RS256" => &RSA_PKCS1_SHA256,
            "RS384" => &RSA_PKCS1_SHA384,
            "RS512" => &RSA_PKCS1_SHA512,
            "PS256" => &RSA_PSS_SHA256,
            "PS384" => &RSA_PSS_SHA384,
            "PS512" => &RSA_PSS_SHA512,
            _ => panic!("no RSA algorithm: {alg}"),
        };
        static DER: OnceLock<Vec<u8>> = OnceLock::new();
        let der = DER.get_or_init(|| {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
            let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
            der.as_ref().to_vec()
        });
        let pair = RsaKeyPair::from_pkcs8(der).unwrap();
        // A sequence of two numbers (RFC 8017, appendix A.1.1): 2,048 bits after a zero byte, and 65,537.
        let modulus = text(&pair.public_key().as_ref()[9..9 + 256]);
        let jwk = json!({ "kty": "RSA", "n": modulus, "e": "AQAB" });
        Self::new(kid, alg, jwk, move |message| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        })
    }

    /// A symmetric secret, which must not be accepted as a published key.
    pub(super) fn secret(kid: &'static str, secret: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let jwk = json!({ "kty": "oct", "k": text(secret) });
        Self::new(kid, "HS256", jwk, move |message| hmac::sign(&key, message).as_ref().to_vec())
    }

    fn new(
        kid: &'static str,
        alg: &'static str,
        mut jwk: Value,
        sign: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        jwk["kid"] = kid.into();
        Self { kid, alg, jwk, sign: Box::new(sign) }
    }

    /// Adds these fields to the published key.
    pub(super) fn published(mut self, fields: Value) -> Self {
        self.jwk.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self
    }

    /// A token with these claims.
    pub(super) fn token(&self, claims: &Value) -> String {
        self.headed(json!({}), claims)
    }

    /// A token with these changes to its header; null removes a field.
    pub(super) fn headed(&self, change: Value, claims: &Value) -> String {
        let mut header = json!({ "alg": self.alg, "typ": "JWT", "kid": self.kid });
        let fields = header.as_object_mut().unwrap();
        fields.extend(change.as_object().unwrap().clone());
        fields.retain(|_, value| !value.is_null());
        let message = format!("{}.{}", text(header.to_string()), text(claims.to_string()));
        let signature = text((self.sign)(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// The key set of these signers.
pub(super) fn set<'a>(signers: impl IntoIterator<Item = &'a Signer>) -> Value {
    let keys: Vec<&Value> = signers.into_iter().map(|signer| &signer.jwk).collect();
    json!({ "keys": keys })
}

pub(super) fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
