//! Settings of the issuers of user tokens.

use std::path::PathBuf;

use clap::{
    Args,
    builder::{FalseyValueParser, NonEmptyStringValueParser},
};

/// The default audience.
const AUDIENCE: &str = "agent-registry";
/// The default claims (OpenID Connect Core 1.0, section 5.1; RFC 7519, section 4.1.3).
const AUDIENCE_CLAIM: &str = "aud";
const EMAIL_CLAIM: &str = "email";
const EMAIL_VERIFIED_CLAIM: &str = "email_verified";
const NAME_CLAIM: &str = "name";

/// The issuers of user tokens: one by the settings, or several by a file.
#[derive(Clone, Debug, Args)]
pub struct Identity {
    /// The external issuer of user tokens: the value of their `iss` claim. If unset, this service signs user tokens
    /// itself
    #[arg(long, env = "JWT_ISSUER", global = true, value_parser = NonEmptyStringValueParser::new())]
    pub jwt_issuer: Option<String>,
    /// The audiences of tokens from JWT_ISSUER, comma-separated; the `aud` claim must contain one
    #[arg(long, env = "JWT_AUDIENCE", global = true, default_value = AUDIENCE, value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    pub jwt_audience: Vec<String>,
    /// The claim that contains the audience, such as client_id
    #[arg(long, env = "JWT_AUDIENCE_CLAIM", global = true, default_value = AUDIENCE_CLAIM)]
    pub jwt_audience_claim: String,
    /// The JSON Web Key Set with the public keys of JWT_ISSUER: a file or an https URL [default: the one that the
    /// issuer's /.well-known/openid-configuration names]
    #[arg(long, env = "JWT_JWKS", global = true)]
    pub jwt_jwks: Option<String>,
    /// The claim that contains the e-mail address, such as preferred_username. Here as in the other claims, a path
    /// such as /profile/email names a claim inside another
    #[arg(long, env = "JWT_EMAIL_CLAIM", global = true, default_value = EMAIL_CLAIM)]
    pub jwt_email_claim: String,
    /// The claim that says whether the issuer has verified the address
    #[arg(long, env = "JWT_EMAIL_VERIFIED_CLAIM", global = true, default_value = EMAIL_VERIFIED_CLAIM)]
    pub jwt_email_verified_claim: String,
    /// Take every address of JWT_ISSUER for verified, because its administrators assign the addresses
    #[arg(long, env = "JWT_EMAIL_TRUSTED", global = true, value_parser = FalseyValueParser::new())]
    pub jwt_email_trusted: bool,
    /// The domains whose addresses JWT_ISSUER can verify, comma-separated [default: any domain]
    #[arg(long, env = "JWT_EMAIL_DOMAINS", global = true, value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    pub jwt_email_domains: Vec<String>,
    /// The claim that contains the display name
    #[arg(long, env = "JWT_NAME_CLAIM", global = true, default_value = NAME_CLAIM)]
    pub jwt_name_claim: String,
    /// The claim that contains roles or groups, such as groups or /realm_access/roles. If unset, tokens give no
    /// memberships
    #[arg(long, env = "JWT_ROLES_CLAIM", global = true)]
    pub jwt_roles_claim: Option<String>,
    /// The memberships that values of JWT_ROLES_CLAIM give, comma-separated: VALUE=CUSTOMER:ROLE
    #[arg(long, env = "JWT_MEMBERSHIPS", global = true, value_delimiter = ',')]
    pub jwt_memberships: Vec<String>,
    /// The client id of this service at JWT_ISSUER. With it, people sign in there with a browser; PUBLIC_URL is needed
    /// too, and PUBLIC_URL/auth/callback is the redirect address to register
    #[arg(long, env = "JWT_CLIENT_ID", global = true, value_parser = NonEmptyStringValueParser::new())]
    pub jwt_client_id: Option<String>,
    /// The client's secret. If unset, this service is a public client, which proves itself by PKCE alone
    #[arg(long, env = "JWT_CLIENT_SECRET", hide_env_values = true, global = true, value_parser = NonEmptyStringValueParser::new())]
    pub jwt_client_secret: Option<String>,
    /// The file that has the client's secret, in place of JWT_CLIENT_SECRET. Read at the start
    #[arg(long, env = "JWT_CLIENT_SECRET_FILE", global = true)]
    pub jwt_client_secret_file: Option<PathBuf>,
    /// The scopes to request at a sign-in, comma-separated; the claims above must be in the ID token that they give
    /// [default: openid,profile,email]
    #[arg(long, env = "JWT_CLIENT_SCOPES", global = true, value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    pub jwt_client_scopes: Vec<String>,
    /// The JSON file of several external issuers, in place of JWT_ISSUER and its settings
    #[arg(long, env = "JWT_ISSUERS", global = true)]
    pub jwt_issuers: Option<PathBuf>,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            jwt_issuer: None,
            jwt_audience: vec![AUDIENCE.to_owned()],
            jwt_audience_claim: AUDIENCE_CLAIM.to_owned(),
            jwt_jwks: None,
            jwt_email_claim: EMAIL_CLAIM.to_owned(),
            jwt_email_verified_claim: EMAIL_VERIFIED_CLAIM.to_owned(),
            jwt_email_trusted: false,
            jwt_email_domains: Vec::new(),
            jwt_name_claim: NAME_CLAIM.to_owned(),
            jwt_roles_claim: None,
            jwt_memberships: Vec::new(),
            jwt_client_id: None,
            jwt_client_secret: None,
            jwt_client_secret_file: None,
            jwt_client_scopes: Vec::new(),
            jwt_issuers: None,
        }
    }
}
