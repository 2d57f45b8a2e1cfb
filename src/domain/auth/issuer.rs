//! The issuers of users' tokens: this service, or outside ones. A token is checked with the settings of the issuer that
//! it names.

use std::time::Duration;

use super::{
    TokenSubject,
    claims::Claims,
    jwks::OutsideIssuer,
    jwt::{LOCAL_ISSUER, LocalIssuer},
    refusal::{TokenError, quoted, quoted_list},
    token::UnverifiedToken,
};
use crate::{
    clock::Clock,
    db::ChangeRecord,
    domain::{
        Caller, Error, Registry, Result,
        change::ChangeAction,
        email::normalize_email,
        policy::{self, Action},
        right::OpenTxn,
        user::check_subject,
    },
};

/// The issuers of users' tokens.
#[derive(Clone, Debug)]
pub enum Issuer {
    /// This service, with its own signing key.
    Local(LocalIssuer),
    /// Other services, each with another name. Tokens of this service's own key aren't accepted then.
    Outside(Vec<OutsideIssuer>),
}

impl Issuer {
    /// The names of the issuers: the `iss` claims of their tokens.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Local(_) => vec![LOCAL_ISSUER],
            Self::Outside(outside) => outside.iter().map(OutsideIssuer::issuer).collect(),
        }
    }

    /// The outside issuers.
    #[must_use]
    pub fn outside(&self) -> &[OutsideIssuer] {
        match self {
            Self::Local(_) => &[],
            Self::Outside(outside) => outside,
        }
    }

    /// The claims of a token that one of the issuers signed and that is valid now.
    pub(super) async fn check(&self, clock: &Clock, token: &str) -> std::result::Result<Claims, TokenError> {
        let token = UnverifiedToken::read(token)?;
        let found = token.issuer()?;
        let unknown = || TokenError::Issuer { found: quoted(found), configured: quoted_list(self.names()) };
        match self {
            Self::Local(local) if found == LOCAL_ISSUER => local.check(clock, token),
            Self::Local(_) => Err(unknown()),
            Self::Outside(outside) => {
                let issuer = outside.iter().find(|issuer| issuer.issuer() == found).ok_or_else(unknown)?;
                issuer.check(clock, token).await
            }
        }
    }
}

impl Registry {
    /// Signs a token of the local issuer for this subject, valid for `ttl`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the subject or the address, or when tokens come from outside issuers.
    pub fn mint(&self, subject: TokenSubject, ttl: Duration) -> Result<String> {
        check_subject(&subject.subject)?;
        if let Some(email) = &subject.email {
            normalize_email(email)?;
        }
        match &self.auth().issuer {
            Issuer::Local(local) => {
                local.mint(self.clock(), subject, ttl).map_err(|err| Error::Internal(Box::new(err)))
            }
            issuer @ Issuer::Outside(_) => {
                let names = issuer.names().join(", ");
                let message = format!("users' tokens come from {names}; this service signs none itself");
                Err(Error::Invalid { field: None, message })
            }
        }
    }

    /// Makes all running instances read the issuers' keys again, at once: they follow the log. For a key that was
    /// withdrawn.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator.
    pub async fn refresh_issuer_keys(&self, caller: &Caller) -> Result<()> {
        policy::allow(caller, Action::ManagePlatform)?;
        let refresh = async move |txn: OpenTxn| -> Result<()> {
            let txn = txn.platform(Action::ManagePlatform).await?;
            txn.record(ChangeRecord::platform(ChangeAction::IssuerKeysRefreshed));
            Ok(())
        };
        self.run(caller, refresh).await.map(drop)
    }

    /// Reads the issuers' keys again in background tasks, because the log says so.
    pub(in crate::domain) fn read_issuer_keys(&self) {
        for issuer in self.auth().issuer.outside() {
            let issuer = issuer.clone();
            self.db().tasks().spawn_background(async move {
                match issuer.refresh().await {
                    Ok(()) => tracing::info!(issuer = issuer.issuer(), "the issuer's keys were read again"),
                    Err(err) => {
                        tracing::warn!(error = %err, "the issuer's keys can't be refreshed; the known keys stay in use")
                    }
                }
            });
        }
    }

    /// Checks that users of this issuer can sign in.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the field `issuer`.
    pub(in crate::domain) fn check_known_issuer(&self, issuer: &str) -> Result<()> {
        let names = self.auth().issuer.names();
        if names.contains(&issuer) {
            return Ok(());
        }
        let message = format!("no users of this issuer can sign in; name one of {}", names.join(", "));
        Err(Error::invalid("issuer", message))
    }

    /// The `iss` claim that users' tokens must have.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the field `issuer` when there are several issuers.
    pub fn issuer(&self) -> Result<&str> {
        match self.auth().issuer.names().as_slice() {
            [only] => Ok(only),
            names => {
                let message = format!("there are several issuers; name one of {}", names.join(", "));
                Err(Error::invalid("issuer", message))
            }
        }
    }
}
