//! The parameters with which an issuer sends the browser back (OpenID Connect Core 1.0, sections 3.1.2.5 and 3.1.2.6).

use super::{
    super::refusal::quoted,
    refusal::SignInError,
    state::{SignInState, is_same},
};

/// The parameters of the callback. Others are ignored. Nothing of them is logged but the issuer's name and error code.
#[derive(Default)]
pub(super) struct Callback {
    state: Option<String>,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

impl Callback {
    /// Parses the query of the callback's address. A parameter that is there twice is refused (RFC 6749, section 3.1).
    pub(super) fn parse(query: &str) -> Result<Self, SignInError> {
        let mut url = reqwest::Url::parse("callback:")
            .map_err(|_| SignInError::Malformed("its address can't be read"))?;
        url.set_query(Some(query));
        let mut callback = Self::default();
        for (name, value) in url.query_pairs() {
            let place = match &*name {
                "state" => &mut callback.state,
                "code" => &mut callback.code,
                "iss" => &mut callback.iss,
                "error" => &mut callback.error,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(SignInError::Malformed("a parameter is there twice"));
            }
        }
        Ok(callback)
    }

    /// Checks that this browser has begun the sign-in, so that nobody can sign it in as another person.
    pub(super) fn check_state(&self, begun: &SignInState) -> Result<(), SignInError> {
        match &self.state {
            Some(state) if is_same(state, begun.state()) => Ok(()),
            Some(_) => Err(SignInError::State),
            None => Err(SignInError::Malformed("it has no state")),
        }
    }

    /// Checks that the issuer has sent the browser back that it was sent to (RFC 9207, section 2.4).
    pub(super) fn check_issuer(&self, issuer: &str, is_announced: bool) -> Result<(), SignInError> {
        match &self.iss {
            Some(found) if found == issuer => Ok(()),
            Some(found) => Err(SignInError::Issuer(quoted(found))),
            None if is_announced => {
                Err(SignInError::Issuer("absent, though its description promises it".to_owned()))
            }
            None => Ok(()),
        }
    }

    /// The code, or the issuer's error.
    pub(super) fn code(self) -> Result<String, SignInError> {
        match (self.error, self.code) {
            (Some(error), _) if error == "access_denied" => Err(SignInError::Denied),
            (Some(error), _) if ["server_error", "temporarily_unavailable"].contains(&error.as_str()) => {
                Err(SignInError::Silent(format!("it returned the error {}", quoted(&error))))
            }
            (Some(error), _) => Err(SignInError::Refused(quoted(&error))),
            (None, Some(code)) if !code.is_empty() => Ok(code),
            (None, _) => Err(SignInError::Malformed("it has no code")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::return_path::ReturnPath, *};
    use crate::clock::Clock;

    const ISSUER: &str = "https://issuer.invalid";

    fn read(query: &str) -> Callback {
        Callback::parse(query).unwrap()
    }

    #[test]
    fn only_the_state_of_this_browser_is_accepted() {
        let begun = |clock: &Clock| SignInState::new(clock, ISSUER, ReturnPath::default());
        let clock = Clock::default();
        let (ours, others) = (begun(&clock), begun(&clock));
        let query = format!("code=a&state={}", ours.state());
        assert_eq!(read(&query).check_state(&ours), Ok(()));
        assert_eq!(read(&query).check_state(&others), Err(SignInError::State));
        assert_eq!(read("code=a&state=").check_state(&ours), Err(SignInError::State));
        assert_eq!(read("code=a").check_state(&ours), Err(SignInError::Malformed("it has no state")));
    }

    #[test]
    fn the_issuer_is_the_one_that_was_asked() {
        assert_eq!(read("iss=https%3A%2F%2Fissuer.invalid").check_issuer(ISSUER, true), Ok(()));
        assert_eq!(read("code=a").check_issuer(ISSUER, false), Ok(()));
        for (query, is_announced) in
            [("iss=https://elsewhere.invalid", true), ("iss=https://elsewhere.invalid", false), ("a", true)]
        {
            let refused = read(query).check_issuer(ISSUER, is_announced);
            assert!(matches!(refused, Err(SignInError::Issuer(_))), "{query}: {refused:?}");
        }
    }

    #[test]
    fn an_error_counts_before_a_code() {
        assert_eq!(read("code=a%2Bb").code(), Ok("a+b".to_owned()));
        assert_eq!(read("error=access_denied&code=a").code(), Err(SignInError::Denied));
        let error = read("error=login_required&error_description=%3Cscript%3E").code();
        assert_eq!(error, Err(SignInError::Refused("\"login_required\"".to_owned())));
        assert!(matches!(read("error=server_error").code(), Err(SignInError::Silent(_))));
        for query in ["", "code=", "state=x", "%"] {
            assert_eq!(read(query).code(), Err(SignInError::Malformed("it has no code")), "{query}");
        }
    }

    #[test]
    fn a_parameter_is_there_once() {
        for query in ["code=a&code=a", "state=a&code=b&state=c", "error=a&error=b", "iss=a&iss=a"] {
            assert!(Callback::parse(query).is_err(), "{query}");
        }
        assert!(Callback::parse("code=a&other=b&other=c").is_ok());
    }
}
