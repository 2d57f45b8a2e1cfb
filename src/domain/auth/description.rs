//! An issuer's description of itself (OpenID Connect Discovery 1.0): where its keys are, and where people sign in.

use json_reader::{Limits, from_json, read};
use serde::Deserialize;

use super::key_set::BYTES_MAX;

/// The description of an issuer.
#[derive(Clone, Debug)]
pub(super) struct Description {
    /// The URL of the key set, checked.
    pub(super) jwks_uri: String,
    /// The members for signing in. They aren't checked yet: many issuers of tokens have none, or odd ones.
    pub(super) endpoints: Endpoints,
}

/// The members of a description that a client of the code flow needs. A member of another type makes all of them
/// absent, so that such an issuer's bearer tokens are accepted all the same.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Endpoints {
    pub(super) authorization_endpoint: Option<String>,
    pub(super) token_endpoint: Option<String>,
    /// The page that ends the session at the issuer (OpenID Connect RP-Initiated Logout 1.0, section 2.1).
    pub(super) end_session_endpoint: Option<String>,
    /// How a client proves itself to the token endpoint. `client_secret_basic` if absent.
    pub(super) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether the issuer names itself when it sends a browser back (RFC 9207, section 3).
    pub(super) authorization_response_iss_parameter_supported: Option<bool>,
}

impl Description {
    /// Reads the description of this issuer. One of another issuer is refused, or another one's keys would be accepted
    /// (OpenID Connect Discovery 1.0, section 4.3).
    pub(super) fn parse(text: &[u8], issuer: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Required {
            issuer: String,
            jwks_uri: String,
        }
        let limits = Limits { bytes: BYTES_MAX, ..Limits::DEFAULT };
        let foreign = |why: String| format!("it isn't the description of an issuer: {why}");
        let json = read(text, &limits).map_err(|err| foreign(err.to_string()))?;
        let Required { issuer: described, jwks_uri } =
            from_json(&json).map_err(|err| foreign(err.to_string()))?;
        if described != issuer {
            return Err(format!("it describes the issuer {described:?}, not {issuer:?}"));
        }
        check_url(&jwks_uri).map_err(|why| format!("its jwks_uri: {why}"))?;
        Ok(Self { jwks_uri, endpoints: from_json(&json).unwrap_or_default() })
    }
}

impl Endpoints {
    /// The URL of an endpoint, checked.
    ///
    /// # Errors
    /// Why the description has no usable URL, as a reason for the log.
    pub(super) fn url(name: &str, found: Option<&String>) -> Result<reqwest::Url, String> {
        let text = found.ok_or_else(|| format!("its description has no {name}"))?;
        check_url(text).map_err(|why| format!("its {name}: {why}"))?;
        reqwest::Url::parse(text).map_err(|err| format!("its {name}: {err}"))
    }
}

/// Checks that nobody on the way can forge what this URL returns: it is https, or http to this machine.
pub(super) fn check_url(text: &str) -> Result<(), String> {
    let url = reqwest::Url::parse(text).map_err(|err| err.to_string())?;
    let is_local = url.host_str().is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    });
    match text.split_once("://").map(|(scheme, _)| scheme) {
        Some("https") => Ok(()),
        Some("http") if is_local => Ok(()),
        Some("http") => Err("an answer over http can be forged on the way: use https".to_owned()),
        _ => Err("write it as https://… or as the path of a file".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_of_another_issuer_or_with_keys_over_http_is_refused() {
        let read = |text: &str| Description::parse(text.as_bytes(), "https://a.invalid");
        let good = r#"{"issuer":"https://a.invalid","jwks_uri":"https://keys.invalid/a","other":1}"#;
        assert_eq!(read(good).unwrap().jwks_uri, "https://keys.invalid/a");
        for wrong in [
            r#"{"issuer":"https://b.invalid","jwks_uri":"https://keys.invalid/a"}"#,
            r#"{"issuer":"https://a.invalid/","jwks_uri":"https://keys.invalid/a"}"#,
            r#"{"issuer":"https://a.invalid","jwks_uri":"http://keys.invalid/a"}"#,
            r#"{"issuer":"https://a.invalid","jwks_uri":"/etc/keys"}"#,
            r#"{"issuer":"https://a.invalid"}"#,
            "[]",
            "<html>",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn odd_members_for_signing_in_spoil_no_keys() {
        let odd = r#"{"issuer":"https://a.invalid","jwks_uri":"https://a.invalid/k","token_endpoint":1}"#;
        let description = Description::parse(odd.as_bytes(), "https://a.invalid").unwrap();
        let found = description.endpoints.token_endpoint;
        assert!(
            Endpoints::url("token_endpoint", found.as_ref()).unwrap_err().contains("has no token_endpoint")
        );
        for (text, is_usable) in [
            ("https://a.invalid/token", true),
            ("http://127.0.0.1:1/token", true),
            ("http://a.invalid/token", false),
            ("javascript:alert(1)", false),
            ("/token", false),
        ] {
            let url = Endpoints::url("token_endpoint", Some(&text.to_owned()));
            assert_eq!(url.is_ok(), is_usable, "{text}: {url:?}");
        }
    }
}
