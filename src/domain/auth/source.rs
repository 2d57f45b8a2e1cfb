//! Where an issuer's keys are published: a file, a URL, or the issuer's own description (OpenID Connect Discovery 1.0).

use std::path::{Path, PathBuf};

use json_reader::{Limits, read_as};
use serde::Deserialize;
use tokio::{io::AsyncReadExt, time::timeout};

use super::{
    jwks::{JwksError, PATIENCE},
    key_set::BYTES_MAX,
};

/// The end of a description's URL (OpenID Connect Discovery 1.0, section 4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// The source of the key set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file; it is refreshed like a URL.
    File(PathBuf),
    /// The URL of the key set: https, or http to this machine.
    Url(String),
    /// The URL of the issuer's description, which names that of the key set.
    Discovery(String),
}

impl Source {
    /// Parses the setting of the source. A URL that ends as that of a description is one.
    ///
    /// # Errors
    /// Why the text isn't a source, as a message for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.contains("://") {
            return if text.is_empty() {
                Err("it is empty; write a URL or a file's path".to_owned())
            } else {
                Ok(Self::File(text.into()))
            };
        }
        check_url(text)?;
        Ok(if text.ends_with(WELL_KNOWN) {
            Self::Discovery(text.to_owned())
        } else {
            Self::Url(text.to_owned())
        })
    }

    /// The description of this issuer.
    ///
    /// # Errors
    /// Why the issuer's name isn't a URL that can be asked, as a message for the operator.
    pub fn discover(issuer: &str) -> Result<Self, String> {
        check_url(issuer)?;
        // A slash at the end is dropped (OpenID Connect Discovery 1.0, section 4.1).
        Ok(Self::Discovery(format!("{}{WELL_KNOWN}", issuer.strip_suffix('/').unwrap_or(issuer))))
    }

    /// Whether the source is on this machine.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Self::File(_) => true,
            Self::Url(url) | Self::Discovery(url) => url.starts_with("http://"),
        }
    }

    /// Reads the text of the key set.
    pub(super) async fn read(&self, http: &reqwest::Client, issuer: &str) -> Result<Vec<u8>, JwksError> {
        match self {
            Self::File(path) => read_file(path).await.map_err(|err| JwksError::File(self.name(), err)),
            Self::Url(url) => fetch(http, url).await.map_err(|why| JwksError::Fetch(self.name(), why)),
            Self::Discovery(url) => {
                let failed = |why: String| JwksError::Fetch(self.name(), why);
                let text = fetch(http, url).await.map_err(failed)?;
                let keys =
                    key_set_url(&text, issuer).map_err(|why| JwksError::Discovery(self.name(), why))?;
                fetch(http, &keys).await.map_err(|why| JwksError::Fetch(Self::Url(keys).name(), why))
            }
        }
    }

    /// The source's name for messages: of a URL, only the parts without secrets.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Url(url) | Self::Discovery(url) => reqwest::Url::parse(url).map_or_else(
                |_| "its address".to_owned(),
                |url| format!("{}{}", url.origin().ascii_serialization(), url.path()),
            ),
        }
    }
}

/// Checks that nobody on the way can forge what this URL returns: it is https, or http to this machine.
fn check_url(text: &str) -> Result<(), String> {
    let url = reqwest::Url::parse(text).map_err(|err| err.to_string())?;
    let is_local = url.host_str().is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    });
    match text.split_once("://").map(|(scheme, _)| scheme) {
        Some("https") => Ok(()),
        Some("http") if is_local => Ok(()),
        Some("http") => Err("keys that are loaded over http can be forged on the way: use https".to_owned()),
        _ => Err("write it as https://… or as the path of a file".to_owned()),
    }
}

/// Reads the URL of the key set from an issuer's description. The description must be that of this issuer, or another
/// one's keys would be accepted (OpenID Connect Discovery 1.0, section 4.3).
fn key_set_url(text: &[u8], issuer: &str) -> Result<String, String> {
    #[derive(Deserialize)]
    struct Description {
        issuer: String,
        jwks_uri: String,
    }
    let limits = Limits { bytes: BYTES_MAX, ..Limits::DEFAULT };
    let Description { issuer: described, jwks_uri } =
        read_as(text, &limits).map_err(|err| format!("it isn't the description of an issuer: {err}"))?;
    if described != issuer {
        return Err(format!("it describes the issuer {described:?}, not {issuer:?}"));
    }
    check_url(&jwks_uri).map_err(|why| format!("its jwks_uri: {why}"))?;
    Ok(jwks_uri)
}

async fn fetch(http: &reqwest::Client, url: &str) -> Result<Vec<u8>, String> {
    let mut answer = http.get(url).send().await.map_err(|err| err.without_url().to_string())?;
    if !answer.status().is_success() {
        return Err(format!("it returned status {}", answer.status()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|err| err.without_url().to_string())? {
        if bytes.len() + chunk.len() > BYTES_MAX {
            return Err(format!("it is larger than {BYTES_MAX} bytes"));
        }
        bytes.extend(chunk);
    }
    Ok(bytes)
}

/// Reads a file up to [`BYTES_MAX`], and for [`PATIENCE`] at most: a longer file, or one that never ends, isn't a key
/// set.
async fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    let bytes = async {
        let mut bytes = Vec::new();
        let limit = u64::try_from(BYTES_MAX).unwrap_or(u64::MAX);
        tokio::fs::File::open(path).await?.take(limit).read_to_end(&mut bytes).await?;
        Ok(bytes)
    };
    timeout(PATIENCE, bytes).await.map_err(std::io::Error::from)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_described_below_its_name() {
        let discovered = |issuer| Source::discover(issuer).unwrap();
        let at = |url: &str| Source::Discovery(url.to_owned());
        let plain = "https://issuer.invalid/.well-known/openid-configuration";
        for issuer in ["https://issuer.invalid", "https://issuer.invalid/"] {
            assert_eq!(discovered(issuer), at(plain));
        }
        let realm = "https://issuer.invalid/realms/city/.well-known/openid-configuration";
        assert_eq!(discovered("https://issuer.invalid/realms/city"), at(realm));
        assert_eq!(Source::parse(plain), Ok(at(plain)));
        for issuer in ["accounts.example", "urn:issuer", "http://issuer.invalid", ""] {
            assert!(Source::discover(issuer).is_err(), "{issuer}");
        }
    }

    #[test]
    fn a_description_of_another_issuer_or_with_keys_over_http_is_refused() {
        let read = |text: &str| key_set_url(text.as_bytes(), "https://a.invalid");
        let good = r#"{"issuer":"https://a.invalid","jwks_uri":"https://keys.invalid/a","other":1}"#;
        assert_eq!(read(good).unwrap(), "https://keys.invalid/a");
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
}
