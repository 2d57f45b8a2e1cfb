//! Signing in with a browser: the authorization code flow of OpenID Connect Core 1.0, with PKCE (RFC 7636), at the
//! issuers whose bearer tokens are accepted. Description, keys, mapping of claims and HTTP client are those of
//! [`OutsideIssuer`].
//!
//! The routes call four functions of [`Registry`]:
//!
//! 1. [`Registry::sign_in_issuers`] lists the issuers to choose from; without any, there is no button.
//! 2. [`Registry::begin_sign_in`] returns the address for the browser and a [`SignInState`], whose cookie value the
//!    route sets for [`SIGN_IN_LIFETIME`].
//! 3. [`Registry::finish_sign_in`] takes the query that the browser returns with and the cookie's value, and returns a
//!    [`VerifiedIdentity`]. [`Registry::look_up`] turns its credential into a caller, as it does for a bearer token. The
//!    route deletes the cookie, whatever the result is.
//! 4. [`Registry::sign_out_address`] returns the issuer's page that ends its own session too.
//!
//! [`SignInError::message`] is a sentence for the page. The reason is logged here; it contains no code and no token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::{Issuer, description::Endpoints, jwks::OutsideIssuer};
use crate::{clock::Clock, domain::Registry};
use callback::Callback;

mod callback;
mod client;
mod exchange;
mod id_token;
mod refusal;
mod return_path;
mod state;

pub use client::ClientSettings;
pub use id_token::VerifiedIdentity;
pub use refusal::SignInError;
pub use return_path::ReturnPath;
pub use state::{SIGN_IN_LIFETIME, SignInState};

/// The path to which an issuer sends the browser back, below the public URL. It is registered at the issuer.
pub const CALLBACK_PATH: &str = "/auth/callback";

/// The beginning of a sign-in.
#[derive(Debug)]
pub struct SignInStart {
    /// The address at the issuer to which the browser is redirected.
    pub address: String,
    /// The state for the browser's cookie.
    pub state: SignInState,
}

impl Registry {
    /// The issuers at which people can sign in with a browser: those with a client id.
    #[must_use]
    pub fn sign_in_issuers(&self) -> Vec<&str> {
        clients(&self.auth().issuer).map(OutsideIssuer::issuer).collect()
    }

    /// Begins a sign-in. `issuer` may be left out if there is one only. `return_to` is the path to show afterwards; one
    /// that isn't a path of this site is replaced by `/`.
    ///
    /// # Errors
    /// [`SignInError`], which is logged.
    pub async fn begin_sign_in(
        &self,
        issuer: Option<&str>,
        public_url: &str,
        return_to: Option<&str>,
    ) -> Result<SignInStart, SignInError> {
        let return_to = return_to.and_then(ReturnPath::parse).unwrap_or_default();
        let begun = async {
            let issuer = choose(&self.auth().issuer, issuer)?;
            begin(issuer, self.clock(), public_url, return_to).await
        };
        begun.await.inspect_err(log)
    }

    /// Finishes a sign-in, by the query of the callback's address and the value of the cookie. The same `public_url` as
    /// at the beginning is expected.
    ///
    /// # Errors
    /// [`SignInError`], which is logged.
    pub async fn finish_sign_in(
        &self,
        query: &str,
        cookie: Option<&str>,
        public_url: &str,
    ) -> Result<VerifiedIdentity, SignInError> {
        let finished = async {
            let state = cookie.and_then(SignInState::from_cookie).ok_or(SignInError::NoState)?;
            let issuer = choose(&self.auth().issuer, Some(state.issuer()))?;
            finish(issuer, self.clock(), public_url, query, state).await
        };
        finished.await.inspect_err(log)
    }

    /// The address at this issuer that ends its own session and then shows the public URL, which must be registered
    /// there (OpenID Connect RP-Initiated Logout 1.0). `None` when the issuer describes none.
    #[must_use]
    pub fn sign_out_address(&self, issuer: &str, public_url: &str) -> Option<String> {
        let issuer = choose(&self.auth().issuer, Some(issuer)).ok()?;
        let description = issuer.known_description()?;
        let found = description.endpoints.end_session_endpoint.as_ref();
        let mut address = Endpoints::url("end_session_endpoint", found).ok()?;
        let back = format!("{public_url}/");
        let parameters = [("client_id", issuer.client()?.id()), ("post_logout_redirect_uri", back.as_str())];
        address.query_pairs_mut().extend_pairs(parameters);
        Some(address.into())
    }
}

fn log(err: &SignInError) {
    tracing::info!(reason = %err, "a sign-in with a browser is refused");
}

fn clients(issuer: &Issuer) -> impl Iterator<Item = &OutsideIssuer> {
    issuer.outside().iter().filter(|issuer| issuer.client().is_some())
}

/// The issuer with this name, or the only one.
fn choose<'i>(issuers: &'i Issuer, name: Option<&str>) -> Result<&'i OutsideIssuer, SignInError> {
    let mut all = clients(issuers);
    match name {
        Some(name) => all
            .find(|issuer| issuer.issuer() == name)
            .ok_or_else(|| SignInError::UnknownIssuer(super::refusal::quoted(name))),
        None => match (all.next(), all.next()) {
            (None, _) => Err(SignInError::NoClient),
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(SignInError::SeveralIssuers),
        },
    }
}

/// The address of the callback, as it is registered at the issuer.
fn callback_address(public_url: &str) -> String {
    format!("{public_url}{CALLBACK_PATH}")
}

/// Builds the address of an authentication request (OpenID Connect Core 1.0, section 3.1.2.1).
async fn begin(
    issuer: &OutsideIssuer,
    clock: &Clock,
    public_url: &str,
    return_to: ReturnPath,
) -> Result<SignInStart, SignInError> {
    let client = issuer.client().ok_or(SignInError::NoClient)?;
    let description =
        issuer.description().await.ok_or_else(|| SignInError::no_description(issuer.issuer()))?;
    let found = description.endpoints.authorization_endpoint.as_ref();
    let mut address = Endpoints::url("authorization_endpoint", found).map_err(SignInError::Endpoint)?;
    let state = SignInState::new(clock, issuer.issuer(), return_to);
    let (scope, callback) = (client.scope(), callback_address(public_url));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(state.verifier()));
    address.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", client.id()),
        ("redirect_uri", &callback),
        ("scope", &scope),
        ("state", state.state()),
        ("nonce", state.nonce()),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    Ok(SignInStart { address: address.into(), state })
}

/// Checks the callback, exchanges its code, and verifies the ID token. The state is compared before anything of the
/// callback is believed.
async fn finish(
    issuer: &OutsideIssuer,
    clock: &Clock,
    public_url: &str,
    query: &str,
    state: SignInState,
) -> Result<VerifiedIdentity, SignInError> {
    let client = issuer.client().ok_or(SignInError::NoClient)?;
    let callback = Callback::parse(query)?;
    callback.check_state(&state)?;
    state.check_time(clock.now())?;
    let description =
        issuer.description().await.ok_or_else(|| SignInError::no_description(issuer.issuer()))?;
    let endpoints = &description.endpoints;
    let is_announced = endpoints.authorization_response_iss_parameter_supported == Some(true);
    callback.check_issuer(issuer.issuer(), is_announced)?;
    let code = callback.code()?;
    let redirect = callback_address(public_url);
    let request = exchange::CodeExchange { code: &code, verifier: state.verifier(), redirect: &redirect };
    let tokens = exchange::exchange(issuer.http(), endpoints, client, request).await?;
    id_token::verify(issuer, client, clock, &tokens, state).await
}
