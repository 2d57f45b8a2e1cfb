//! This service's registration at an issuer, with which people sign in.

use std::fmt;

/// The scopes that are requested unless a setting names others: the claims of the person's name and address.
const SCOPES: [&str; 3] = ["openid", "profile", "email"];

/// The registration of this service at an issuer. Its `Debug` omits the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSettings {
    id: String,
    /// `None` for a public client, which proves by PKCE alone that the code is its own.
    secret: Option<String>,
    scopes: Vec<String>,
}

impl ClientSettings {
    /// Validates the settings of a client. `None` when none is set.
    ///
    /// # Errors
    /// A message for the operator, which begins with the setting's name and contains no secret.
    pub fn parse(
        id: Option<String>,
        secret: Option<String>,
        scopes: Vec<String>,
    ) -> Result<Option<Self>, String> {
        let Some(id) = id else {
            return match (secret, scopes.is_empty()) {
                (Some(_), _) => Err("CLIENT_SECRET is set without CLIENT_ID: set both or neither".to_owned()),
                (None, false) => {
                    Err("CLIENT_SCOPES is set without CLIENT_ID: set both or neither".to_owned())
                }
                (None, true) => Ok(None),
            };
        };
        if id.is_empty() || !is_visible(&id) {
            return Err(format!(
                "CLIENT_ID: {id:?} is no client id: write it as the issuer shows it, in ASCII"
            ));
        }
        if secret.as_ref().is_some_and(|secret| secret.is_empty() || !is_visible(secret)) {
            return Err(
                "CLIENT_SECRET: it is empty, or contains other characters than visible ASCII: write it \
                        as the issuer shows it"
                    .to_owned(),
            );
        }
        if let Some(wrong) = scopes.iter().find(|scope| !is_scope(scope)) {
            return Err(format!("CLIENT_SCOPES: {wrong:?} is no scope: write openid,profile,email"));
        }
        if !scopes.is_empty() && !scopes.iter().any(|scope| scope == "openid") {
            return Err(
                "CLIENT_SCOPES: openid is missing, without which the issuer returns no ID token".to_owned()
            );
        }
        let scopes = if scopes.is_empty() { SCOPES.map(str::to_owned).to_vec() } else { scopes };
        Ok(Some(Self { id, secret, scopes }))
    }

    /// The client id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    /// The scopes, separated by spaces.
    pub(super) fn scope(&self) -> String {
        self.scopes.join(" ")
    }
}

/// Whether a text has only the characters of client ids and secrets (RFC 6749, appendix A.1 and A.2).
fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

/// Whether a text is a scope (RFC 6749, appendix A.4).
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, secret, scopes } = self;
        f.debug_struct("ClientSettings")
            .field("id", id)
            .field("is_public", &secret.is_none())
            .field("scopes", scopes)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(
        id: Option<&str>,
        secret: Option<&str>,
        scopes: &[&str],
    ) -> Result<Option<ClientSettings>, String> {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        ClientSettings::parse(id.map(str::to_owned), secret.map(str::to_owned), scopes)
    }

    #[test]
    fn a_client_has_the_usual_scopes_and_shows_no_secret() {
        assert_eq!(parse(None, None, &[]), Ok(None));
        let client = parse(Some("console"), Some("hush"), &[]).unwrap().unwrap();
        assert_eq!(
            (client.id(), client.secret(), client.scope().as_str()),
            ("console", Some("hush"), "openid profile email")
        );
        assert!(!format!("{client:?}").contains("hush"));
        let public = parse(Some("console"), None, &["openid", "groups"]).unwrap().unwrap();
        assert_eq!((public.secret(), public.scope().as_str()), (None, "openid groups"));
    }

    #[test]
    fn a_wrong_setting_is_named_without_the_secret() {
        for (id, secret, scopes, word) in [
            (None, Some("hush"), &[][..], "CLIENT_SECRET is set without CLIENT_ID"),
            (None, None, &["openid"][..], "CLIENT_SCOPES is set without CLIENT_ID"),
            (Some(""), None, &[], "CLIENT_ID"),
            (Some("a\n"), None, &[], "CLIENT_ID"),
            (Some("a"), Some(""), &[], "CLIENT_SECRET"),
            (Some("a"), Some("hush\n"), &[], "CLIENT_SECRET"),
            (Some("a"), None, &["profile"], "openid is missing"),
            (Some("a"), None, &["openid", "a b"], "\"a b\" is no scope"),
            (Some("a"), None, &["openid", ""], "\"\" is no scope"),
        ] {
            let why = parse(id, secret, scopes).unwrap_err();
            assert!(why.contains(word) && !why.contains("hush") && why.lines().count() == 1, "{why}");
        }
    }
}
