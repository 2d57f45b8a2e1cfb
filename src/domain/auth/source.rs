//! Where an issuer's keys are published: a file, a URL, or the issuer's own description (OpenID Connect Discovery 1.0).

use std::path::{Path, PathBuf};

use tokio::{io::AsyncReadExt, time::timeout};

use super::{
    description::{Description, check_url},
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

/// The content of a source.
pub(super) struct Published {
    /// The text of the key set.
    pub(super) keys: Vec<u8>,
    /// The issuer's description, if the key set was found by it.
    pub(super) description: Option<Description>,
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

    /// Reads the text of the key set, and the issuer's description if the source is one.
    pub(super) async fn read(&self, http: &reqwest::Client, issuer: &str) -> Result<Published, JwksError> {
        let (keys, description) = match self {
            Self::File(path) => {
                (read_file(path).await.map_err(|err| JwksError::File(self.name(), err))?, None)
            }
            Self::Url(url) => {
                (fetch(http, url).await.map_err(|why| JwksError::Fetch(self.name(), why))?, None)
            }
            Self::Discovery(url) => {
                let failed = |why: String| JwksError::Fetch(self.name(), why);
                let text = fetch(http, url).await.map_err(failed)?;
                let description = Description::parse(&text, issuer)
                    .map_err(|why| JwksError::Discovery(self.name(), why))?;
                let keys = fetch(http, &description.jwks_uri).await;
                let name = || Self::Url(description.jwks_uri.clone()).name();
                (keys.map_err(|why| JwksError::Fetch(name(), why))?, Some(description))
            }
        };
        Ok(Published { keys, description })
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

async fn fetch(http: &reqwest::Client, url: &str) -> Result<Vec<u8>, String> {
    let answer = http.get(url).send().await.map_err(|err| err.without_url().to_string())?;
    if !answer.status().is_success() {
        return Err(format!("it returned status {}", answer.status()));
    }
    read_body(answer, BYTES_MAX).await
}

/// Reads the body of an answer, up to this many bytes.
pub(super) async fn read_body(mut answer: reqwest::Response, bytes_max: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|err| err.without_url().to_string())? {
        if bytes.len() + chunk.len() > bytes_max {
            return Err(format!("it is larger than {bytes_max} bytes"));
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
}
