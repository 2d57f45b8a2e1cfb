//! Signing in with a browser: the code flow at a real provider, and the answers of an issuer that errs or cheats.

use agent_registry::domain::{
    Caller, Principal, UserPrincipal,
    auth::{
        jwks::{IssuerSettings, Source},
        oidc::{ClientSettings, SignInError, SignInStart, VerifiedIdentity},
    },
};

use super::World;

mod planted;
mod real;
mod routes;

/// The registry's URL, as the provider's clients have it registered.
const PUBLIC_URL: &str = "http://localhost:8080";
/// The address of the callback, without its query.
const CALLBACK: &str = "http://localhost:8080/auth/callback?";

/// The settings of an issuer at which this client signs people in.
fn settings(issuer: &str, id: &str, secret: Option<&str>) -> IssuerSettings {
    let scopes = ["openid", "profile", "email", "groups"].map(str::to_owned).to_vec();
    let client = ClientSettings::parse(Some(id.to_owned()), secret.map(str::to_owned), scopes).unwrap();
    let source = Source::discover(issuer).unwrap();
    IssuerSettings { client, ..IssuerSettings::new(issuer, "agent-registry", source) }
}

/// Begins a sign-in that ends at `/console`.
async fn begin(world: &World) -> SignInStart {
    world.app.registry.begin_sign_in(None, PUBLIC_URL, Some("/console")).await.unwrap()
}

/// Opens the address of a callback with this cookie.
async fn finish(world: &World, callback: &str, cookie: &str) -> Result<VerifiedIdentity, SignInError> {
    let query = callback.strip_prefix(CALLBACK).unwrap_or_else(|| panic!("no callback: {callback}"));
    world.app.registry.finish_sign_in(query, Some(cookie), PUBLIC_URL).await
}

/// The user that an identity is.
async fn user(world: &World, identity: &VerifiedIdentity) -> UserPrincipal {
    let origin = Caller::system("a browser").origin;
    let found = world.app.registry.look_up(identity.credential(), &origin).await.unwrap();
    match found.caller.principal {
        Principal::User(user) => user,
        other => panic!("no user: {other:?}"),
    }
}

/// The value of a parameter of an address.
fn parameter(address: &str, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(address).unwrap();
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}
