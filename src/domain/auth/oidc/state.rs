//! The state of a sign-in while the browser is at the issuer. It lives in the browser's cookie only, so that no visitor
//! can fill the service's memory.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use json_reader::{Limits, read_as};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{refusal::SignInError, return_path::ReturnPath};
use crate::clock::{Clock, Instant};

/// How long a sign-in may take from its beginning to the callback.
pub const SIGN_IN_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// The largest value of a cookie, in bytes. Browsers store 4,096 bytes with the name and the attributes.
const COOKIE_BYTES_MAX: usize = 3_800;
/// The limits of the JSON in a cookie.
const LIMITS: Limits = Limits { bytes: COOKIE_BYTES_MAX, depth: 2, values: 16, takes_reserved_keys: false };

/// The state of a sign-in. Its `Debug` omits the secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInState {
    /// Binds the callback to this browser.
    state: String,
    /// Binds the ID token to this sign-in.
    nonce: String,
    /// Binds the code to this sign-in (RFC 7636, section 4.1).
    verifier: String,
    issuer: String,
    return_to: ReturnPath,
    /// The end of the sign-in, in seconds since 1970.
    ends_at: i64,
}

impl SignInState {
    /// A new state, with 256 random bits in each of its secrets.
    pub(super) fn new(clock: &Clock, issuer: &str, return_to: ReturnPath) -> Self {
        let secret = || URL_SAFE_NO_PAD.encode(clock.secret());
        Self {
            state: secret(),
            nonce: secret(),
            verifier: secret(),
            issuer: issuer.to_owned(),
            return_to,
            ends_at: (clock.now() + SIGN_IN_LIFETIME).timestamp(),
        }
    }

    /// The value of the cookie: base64url, which needs no quotes.
    #[must_use]
    pub fn to_cookie(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Parses the value of a cookie. `None` for any other text.
    #[must_use]
    pub fn from_cookie(text: &str) -> Option<Self> {
        if text.len() > COOKIE_BYTES_MAX {
            return None;
        }
        read_as(&URL_SAFE_NO_PAD.decode(text).ok()?, &LIMITS).ok()
    }

    /// The issuer at which the browser signs in.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }

    pub(super) fn into_return_path(self) -> ReturnPath {
        self.return_to
    }

    /// Checks that the sign-in isn't over. An end that is too far away is no end that this service has set.
    pub(super) fn check_time(&self, now: Instant) -> Result<(), SignInError> {
        let left = self.ends_at.saturating_sub(now.timestamp());
        if (1..=SIGN_IN_LIFETIME.num_seconds()).contains(&left) { Ok(()) } else { Err(SignInError::Expired) }
    }
}

/// Compares two secrets in a time that doesn't depend on where they differ.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

impl fmt::Debug for SignInState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state: _, nonce: _, verifier: _, issuer, return_to, ends_at } = self;
        f.debug_struct("SignInState")
            .field("issuer", issuer)
            .field("return_to", return_to)
            .field("ends_at", ends_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_survives_its_cookie_and_ends_after_ten_minutes() {
        let clock = Clock::default();
        clock.stop();
        let path = ReturnPath::parse("/console?tab=keys").unwrap();
        let state = SignInState::new(&clock, "https://issuer.invalid", path.clone());
        let cookie = state.to_cookie();
        assert!(cookie.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{cookie}");
        assert!(cookie.len() < 600, "{}", cookie.len());
        let back = SignInState::from_cookie(&cookie).unwrap();
        assert_eq!(back, state);
        assert_eq!(back.check_time(clock.now()), Ok(()));
        clock.shift(TimeDelta::minutes(10));
        assert_eq!(back.check_time(clock.now()), Err(SignInError::Expired));
        clock.shift(TimeDelta::minutes(-21));
        assert_eq!(back.check_time(clock.now()), Err(SignInError::Expired), "the end is 21 minutes away");
        assert_eq!(back.into_return_path(), path);
    }

    #[test]
    fn two_states_share_no_secret_and_print_none() {
        let clock = Clock::default();
        let new = || SignInState::new(&clock, "https://issuer.invalid", ReturnPath::default());
        let (one, other) = (new(), new());
        let secrets =
            |state: &SignInState| [state.state.clone(), state.nonce.clone(), state.verifier.clone()];
        let mut all: Vec<String> = secrets(&one).into_iter().chain(secrets(&other)).collect();
        assert!(all.iter().all(|secret| secret.len() == 43 && !format!("{one:?}{other:?}").contains(secret)));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 6);
    }

    #[test]
    fn another_text_is_no_state() {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let with_path = |path: &str| {
            encode(&format!(
                r#"{{"state":"a","nonce":"b","verifier":"c","issuer":"d","return_to":"{path}","ends_at":1}}"#
            ))
        };
        assert!(SignInState::from_cookie(&with_path("/")).is_some());
        for text in [
            String::new(),
            "{}".to_owned(),
            encode("{}"),
            encode("[]"),
            with_path("//elsewhere.invalid"),
            with_path("https://elsewhere.invalid"),
            "A".repeat(COOKIE_BYTES_MAX + 1),
        ] {
            assert!(SignInState::from_cookie(&text).is_none(), "{text}");
        }
    }
}
