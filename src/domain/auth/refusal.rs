//! Why a user's token is refused. The reason goes to the log; a client gets a short message that helps no attacker.

use crate::clock::Instant;

/// The longest token, in bytes. A token of Entra ID with 200 groups has 11 KB.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// The most characters of a token's own text that a reason contains.
const QUOTED_CHARS_MAX: usize = 200;

/// The message of most refusals: details would help attackers.
pub(super) const REFUSED: &str = "the token is not valid";

/// Why a token is refused. Contains no token, and no signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is longer than [`TOKEN_BYTES_MAX`].
    #[error("it has more than {TOKEN_BYTES_MAX} bytes")]
    TooLong,
    /// It isn't three parts of base64url, of which two are JSON.
    #[error("it isn't a JWT: {0}")]
    Malformed(&'static str),
    /// Its header has a key, the place of one, or an extension (RFC 8725, section 3.5; RFC 7515, section 4.1.11).
    #[error("its header has {0}, which is never accepted")]
    HeaderMember(&'static str),
    /// It is another kind of token (RFC 8725, section 3.11).
    #[error("its type (typ) is {0}; accepted are JWT and at+jwt")]
    Type(String),
    /// Its header names no key.
    #[error("its header has no key id (kid)")]
    NoKeyId,
    /// No configured issuer has its name.
    #[error("its issuer (iss) is {found}; configured is {configured}")]
    Issuer {
        /// The token's issuer.
        found: String,
        /// The configured issuers.
        configured: String,
    },
    /// Its issuer publishes no key with its id.
    #[error("{issuer} publishes no usable key with its key id (kid) {kid}")]
    UnknownKey {
        /// The issuer.
        issuer: String,
        /// The key's id.
        kid: String,
    },
    /// Its algorithm isn't one of its key's.
    #[error("its algorithm (alg) is {found}, but its key is for {accepted}")]
    Algorithm {
        /// The token's algorithm.
        found: String,
        /// The key's algorithms.
        accepted: String,
    },
    /// Its key didn't make its signature.
    #[error("its signature is not of its key")]
    Signature,
    /// A claim is missing, or isn't of the claim's type.
    #[error("its claim {0} is missing or malformed")]
    Claim(String),
    /// It is for another service.
    #[error("its audience is {found}; expected is {expected}")]
    Audience {
        /// The token's audience.
        found: String,
        /// The accepted audiences.
        expected: String,
    },
    /// It has expired, and so has the leeway.
    #[error("it expired at {0}")]
    Expired(Instant),
    /// It isn't valid yet, and won't be within the leeway.
    #[error("it is valid from {0} on")]
    NotYetValid(Instant),
}

impl TokenError {
    /// The message for the client.
    #[must_use]
    pub fn message(&self) -> &'static str {
        match self {
            Self::TooLong => "the token is longer than 16 KiB",
            Self::Expired(_) => "the token has expired",
            Self::NotYetValid(_) => "the token is not valid yet",
            Self::Malformed(_)
            | Self::HeaderMember(_)
            | Self::Type(_)
            | Self::NoKeyId
            | Self::Issuer { .. }
            | Self::UnknownKey { .. }
            | Self::Algorithm { .. }
            | Self::Signature
            | Self::Claim(_)
            | Self::Audience { .. } => REFUSED,
        }
    }
}

/// Quotes text of a token for a reason: shortened, with control characters escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// Quotes a list of texts for a reason.
pub(super) fn quoted_list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let list: Vec<String> = texts.into_iter().take(8).map(quoted).collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_quotes_little_and_no_line_end() {
        let reason = TokenError::Type(quoted(&format!("a\nb{}", "x".repeat(500)))).to_string();
        assert!(reason.lines().count() == 1 && reason.chars().count() < 300, "{reason}");
        assert!(reason.contains("\\n") && reason.contains('…'), "{reason}");
    }

    #[test]
    fn the_client_learns_no_more_than_that_the_token_is_not_valid() {
        let reasons = [TokenError::Signature, TokenError::NoKeyId, TokenError::Claim("sub".to_owned())];
        assert!(reasons.iter().all(|reason| reason.message() == REFUSED));
    }
}
