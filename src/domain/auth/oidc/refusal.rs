//! Why a sign-in with a browser fails. The reason goes to the log, a sentence to the person.

use super::super::{refusal::TokenError, token::LEEWAY};

/// Why a sign-in fails. Its `Display` is the reason for the log, and contains no code, no token and no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// No issuer has a client id.
    #[error("no issuer has a client id: set JWT_CLIENT_ID")]
    NoClient,
    /// The request names none of several issuers.
    #[error("there are several issuers, and the request names none")]
    SeveralIssuers,
    /// No issuer with a client id has this name.
    #[error("people can't sign in at the issuer {0}: it isn't configured, or has no client id")]
    UnknownIssuer(String),
    /// The browser sends no cookie of a sign-in, or a spoiled one.
    #[error("the browser sent no cookie of a sign-in, or a spoiled one")]
    NoState,
    /// The sign-in took longer than ten minutes.
    #[error("the sign-in took longer than ten minutes")]
    Expired,
    /// The callback is of a sign-in that this browser's cookie doesn't belong to.
    #[error("the state of the callback is not that of the browser's cookie")]
    State,
    /// The callback's address lacks a parameter, or has one twice.
    #[error("the callback is malformed: {0}")]
    Malformed(&'static str),
    /// Another issuer has sent the browser back (RFC 9207).
    #[error("the callback's issuer (iss) is not the one that was asked: {0}")]
    Issuer(String),
    /// The person, or a rule of the issuer, has denied the sign-in.
    #[error("the issuer says that access is denied (access_denied)")]
    Denied,
    /// The issuer refuses the sign-in with this error code.
    #[error("the issuer returned the error {0}")]
    Refused(String),
    /// The issuer doesn't answer.
    #[error("the issuer doesn't answer: {0}")]
    Silent(String),
    /// The issuer's description lacks an endpoint, or has one that can't be used.
    #[error("the issuer can't be used to sign in: {0}")]
    Endpoint(String),
    /// The issuer accepts the code no more.
    #[error("the issuer doesn't accept the code (invalid_grant): it was used already, or is too old")]
    Code,
    /// The issuer doesn't accept this service's client id or secret.
    #[error("the issuer doesn't accept the client id or secret: {0}")]
    Client(String),
    /// The token endpoint's answer can't be used.
    #[error("the issuer's answer can't be used: {0}")]
    Answer(String),
    /// The ID token isn't valid.
    #[error("the ID token is refused: {0}")]
    Token(#[from] TokenError),
    /// The ID token was issued for another sign-in.
    #[error("the ID token's nonce is not that of this sign-in")]
    Nonce,
    /// The ID token was issued to another client.
    #[error("the ID token's authorized party (azp) is {0}")]
    Party(String),
    /// The ID token was issued beside another access token.
    #[error("the ID token's at_hash is not that of the access token")]
    AccessToken,
    /// The ID token comes from the future.
    #[error("the ID token was issued more than {} seconds from now", LEEWAY.num_seconds())]
    IssuedAt,
}

impl SignInError {
    /// The error while the description of an issuer isn't known yet.
    pub(super) fn no_description(issuer: &str) -> Self {
        Self::Silent(format!("the description of {issuer} couldn't be read yet"))
    }

    /// The sentence for the person.
    #[must_use]
    pub fn message(&self) -> &'static str {
        match self {
            Self::NoClient => "Signing in with a browser isn't set up here. An operator sets JWT_CLIENT_ID.",
            Self::SeveralIssuers => "Choose where to sign in.",
            Self::UnknownIssuer(_) => "Nobody can sign in there. Choose another place to sign in.",
            Self::NoState => {
                "This browser hasn't begun to sign in, or blocks cookies. Allow cookies for this site, and sign in again."
            }
            Self::Expired => "Signing in took longer than ten minutes. Sign in again.",
            Self::State => "This sign-in was begun in another window. Go on there, or sign in again.",
            Self::Malformed(_) | Self::Issuer(_) => {
                "The address of this page isn't one that your identity provider sends. Sign in again."
            }
            Self::Denied => "Your identity provider says that access was denied. Sign in again to retry.",
            Self::Refused(_) => {
                "Your identity provider refuses the sign-in. Sign in again; if it happens again, ask an operator."
            }
            Self::Silent(_) => "Your identity provider doesn't answer. Sign in again in a minute.",
            Self::Code => "This sign-in was used already, or took too long. Sign in again.",
            Self::Endpoint(_) | Self::Client(_) => {
                "Your identity provider and this registry aren't set up for each other. Ask an operator: the log has the reason."
            }
            Self::Answer(_)
            | Self::Token(_)
            | Self::Nonce
            | Self::Party(_)
            | Self::AccessToken
            | Self::IssuedAt => {
                "The answer of your identity provider isn't valid. Sign in again; if it happens again, ask an operator: the log has the reason."
            }
        }
    }

    /// Whether the issuer failed to answer, so that a later try may succeed.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Silent(_))
    }

    /// Whether the page should offer to sign in again. Otherwise an operator must change a setting first.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        !matches!(self, Self::NoClient | Self::Endpoint(_) | Self::Client(_))
    }
}
