//! Opaque bearer tokens: prefix, id, 256 random bits, checksum. The checksum rejects invented tokens without a query.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// How many bytes of SHA-256 end a token, as a checksum against typing mistakes.
const CHECKSUM_BYTES: usize = 4;
const ID_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
/// The length of a token as text: its prefix, and two hex digits for each byte.
const TEXT_BYTES: usize = 4 + 2 * (ID_BYTES + SECRET_BYTES + CHECKSUM_BYTES);

/// The kind of caller that a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A customer's own program: `ark_`.
    Api,
    /// One of the platform's own services: `ars_`.
    Service,
    /// A browser's session of the console: `arc_`. A cookie holds it, and it is never accepted as a bearer token.
    Session,
}

impl TokenKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Api, Self::Service, Self::Session];

    fn prefix(self) -> &'static str {
        match self {
            Self::Api => "ark_",
            Self::Service => "ars_",
            Self::Session => "arc_",
        }
    }
}

/// A token in clear text. Its `Debug` omits the secret.
#[derive(Clone)]
pub struct OpaqueToken {
    kind: TokenKind,
    id: Uuid,
    secret: [u8; SECRET_BYTES],
}

impl OpaqueToken {
    /// The token with this id and secret.
    #[must_use]
    pub fn new(kind: TokenKind, id: Uuid, secret: [u8; 32]) -> Self {
        Self { kind, id, secret }
    }

    /// Parses a token. `None` for another form or a wrong checksum. Accepts hex in lower case only: if a token had
    /// several spellings, caches and counters would take them for several tokens.
    #[must_use]
    pub fn parse(kind: TokenKind, text: &str) -> Option<Self> {
        let mut bytes = [0; ID_BYTES + SECRET_BYTES + CHECKSUM_BYTES];
        let digits = text.strip_prefix(kind.prefix())?;
        if digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
            return None;
        }
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        let (body, checksum) = bytes.split_at(ID_BYTES + SECRET_BYTES);
        let (id, secret) = body.split_at(ID_BYTES);
        let key = Self { kind, id: Uuid::from_slice(id).ok()?, secret: secret.try_into().ok()? };
        (key.checksum().as_slice() == checksum).then_some(key)
    }

    /// The length of the token that this text begins with, in any case of letters; `None` if it begins with none whose
    /// checksum is right.
    #[must_use]
    pub fn leading(text: &str) -> Option<usize> {
        let kind = TokenKind::ALL.into_iter().find(|kind| Self::claims(*kind, text))?;
        let token = text.get(..TEXT_BYTES)?;
        Self::parse(kind, &token.to_ascii_lowercase()).map(|_| TEXT_BYTES)
    }

    /// Whether a bearer token has the prefix of this kind.
    #[must_use]
    pub fn claims(kind: TokenKind, text: &str) -> bool {
        text.starts_with(kind.prefix())
    }

    /// The id of the token's row.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The hash of the secret.
    fn secret_hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret).into()
    }

    /// The hash that the row stores. That of a token that is limited to some customers or environments is another one: a
    /// release that doesn't know the limit compares the hash of the secret, and so rejects the token instead of
    /// accepting it without its limit.
    #[must_use]
    pub fn stored_hash(&self, is_limited: bool) -> [u8; 32] {
        let hash = self.secret_hash();
        if is_limited { Sha256::digest(hash).into() } else { hash }
    }

    /// Compares [`OpaqueToken::stored_hash`] with the stored one, in constant time.
    #[must_use]
    pub fn matches(&self, stored: &[u8], is_limited: bool) -> bool {
        self.stored_hash(is_limited).ct_eq(stored).into()
    }

    fn checksum(&self) -> [u8; CHECKSUM_BYTES] {
        let hash = Sha256::new()
            .chain_update(self.kind.prefix())
            .chain_update(self.id)
            .chain_update(self.secret)
            .finalize();
        let mut checksum = [0; CHECKSUM_BYTES];
        checksum.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        checksum
    }
}

impl fmt::Display for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, secret) = (hex::encode(self.id), hex::encode(self.secret));
        write!(f, "{}{id}{secret}{}", self.kind.prefix(), hex::encode(self.checksum()))
    }
}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kind", &self.kind).field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limited_token_is_no_token_for_all_customers() {
        let key = OpaqueToken::new(TokenKind::Service, Uuid::from_u128(7), [0xab; SECRET_BYTES]);
        let [whole, limited] = [false, true].map(|is_limited| key.stored_hash(is_limited));
        assert!(key.matches(&whole, false) && key.matches(&limited, true));
        assert!(!key.matches(&limited, false) && !key.matches(&whole, true));
    }

    #[test]
    fn a_token_has_one_spelling() {
        for kind in TokenKind::ALL {
            let key = OpaqueToken::new(kind, Uuid::from_u128(0xabcd_ef01), [0xab; SECRET_BYTES]);
            let text = key.to_string();
            assert!(OpaqueToken::parse(kind, &text).is_some());
            let letters = text.char_indices().skip(4).filter(|(_, digit)| digit.is_ascii_lowercase());
            let mut tried = 0;
            for (place, digit) in letters {
                let mut other = text.clone();
                other.replace_range(place..=place, &digit.to_ascii_uppercase().to_string());
                assert!(OpaqueToken::parse(kind, &other).is_none(), "{other}");
                tried += 1;
            }
            assert!(tried > 20);
            for other in [text.to_uppercase(), format!(" {text}"), format!("{text}\n"), format!("{text}0")] {
                assert!(OpaqueToken::parse(kind, &other).is_none(), "{other:?}");
            }
        }
    }
}
