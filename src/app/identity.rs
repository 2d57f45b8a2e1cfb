//! The issuers of user tokens: their settings are validated, and their keys are read, before a database is started.

use std::path::Path;

use json_reader::{Limits, read_as};
use serde::Deserialize;

use super::{
    StartError,
    data_folder::{self, data_dir},
};
use crate::{
    config::{Common, Identity},
    domain::{
        auth::{
            Issuer,
            claims::{ClaimMapping, ClaimName, MembershipRule},
            jwks::{IssuerSettings, JwksError, OutsideIssuer, Source},
            jwt::{AUDIENCE, LocalIssuer},
            oidc::ClientSettings,
        },
        email::is_domain,
        member::Role,
    },
    id::CustomerId,
};

/// The largest number of issuers.
const ISSUERS_MAX: usize = 100;

/// An issuer in the file of issuers. The members are named as the settings of a single one.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerEntry {
    issuer: String,
    audience: Option<OneOrMore>,
    audience_claim: Option<String>,
    jwks: Option<String>,
    email_claim: Option<String>,
    email_verified_claim: Option<String>,
    email_trusted: Option<bool>,
    email_domains: Option<Vec<String>>,
    name_claim: Option<String>,
    roles_claim: Option<String>,
    memberships: Option<Vec<MembershipEntry>>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_scopes: Option<Vec<String>>,
}

/// A text, or a list of texts.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// A membership that a value of the roles claim gives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MembershipEntry {
    value: String,
    customer: String,
    role: String,
}

/// Returns the issuers of user tokens: the external ones if `JWT_ISSUER` or `JWT_ISSUERS` is set, else the local
/// signing key.
///
/// # Errors
/// [`StartError`] when a setting, the key or a key set can't be used.
pub async fn issuer(common: &Common) -> Result<Issuer, StartError> {
    let settings = match entries(&common.identity)? {
        None => return Ok(Issuer::Local(signing_key(common)?)),
        Some((place, entries)) => validate(&place, entries)?,
    };
    let mut outside = Vec::new();
    for settings in settings {
        let issuer = OutsideIssuer::new(settings)?;
        match issuer.refresh().await {
            Ok(()) => {}
            // The issuer may be down while the service starts. `OutsideIssuer::keep_fresh` retries.
            Err(err @ JwksError::Fetch(..)) => {
                tracing::warn!(error = %err, issuer = issuer.issuer(), "can't fetch JWT_JWKS yet: user tokens are rejected until it succeeds")
            }
            Err(err) => return Err(err.into()),
        }
        outside.push(issuer);
    }
    Ok(Issuer::Outside(outside))
}

/// Returns the external issuers, and the beginning of messages about them. `None` when none is set.
fn entries(identity: &Identity) -> Result<Option<(String, Vec<IssuerEntry>)>, StartError> {
    let wrong = |why: &str| Err(StartError::Setting(why.to_owned()));
    match (&identity.jwt_issuers, &identity.jwt_issuer, &identity.jwt_jwks) {
        (Some(_), Some(_), _) => wrong("JWT_ISSUERS and JWT_ISSUER are both set: set one of them"),
        (Some(_), None, Some(_)) => wrong("JWT_JWKS is set with JWT_ISSUERS: name the key sets in that file"),
        (Some(file), None, None) => read_file(file).map(Some),
        (None, Some(issuer), _) => Ok(Some(("JWT_".to_owned(), vec![single_entry(identity, issuer)?]))),
        (None, None, Some(_)) => wrong("JWT_JWKS is set without JWT_ISSUER: set both or neither"),
        (None, None, None) => Ok(None),
    }
}

fn read_file(file: &Path) -> Result<(String, Vec<IssuerEntry>), StartError> {
    let place = format!("JWT_ISSUERS: {}: ", file.display());
    let wrong = |why: String| StartError::Setting(format!("{place}{why}"));
    let text = std::fs::read(file).map_err(|err| wrong(err.to_string()))?;
    let entries: Vec<IssuerEntry> = read_as(&text, &Limits::DEFAULT).map_err(|err| wrong(err.to_string()))?;
    if entries.is_empty() || entries.len() > ISSUERS_MAX {
        return Err(wrong(format!("it has {} issuers; write 1 to {ISSUERS_MAX}", entries.len())));
    }
    Ok((place, entries))
}

/// The entry of a single issuer, from its settings.
fn single_entry(identity: &Identity, issuer: &str) -> Result<IssuerEntry, StartError> {
    let Identity {
        jwt_issuer: _,
        jwt_issuers: _,
        jwt_audience,
        jwt_audience_claim,
        jwt_jwks,
        jwt_email_claim,
        jwt_email_verified_claim,
        jwt_email_trusted,
        jwt_email_domains,
        jwt_name_claim,
        jwt_roles_claim,
        jwt_memberships,
        jwt_client_id,
        jwt_client_secret,
        jwt_client_secret_file,
        jwt_client_scopes,
    } = identity.clone();
    let client_secret = client_secret(jwt_client_secret, jwt_client_secret_file.as_deref())?;
    let memberships = jwt_memberships.iter().map(|text| split_membership(text));
    let memberships: Result<Vec<MembershipEntry>, String> = memberships.collect();
    Ok(IssuerEntry {
        issuer: issuer.to_owned(),
        audience: Some(OneOrMore::More(jwt_audience)),
        audience_claim: Some(jwt_audience_claim),
        jwks: jwt_jwks,
        email_claim: Some(jwt_email_claim),
        email_verified_claim: Some(jwt_email_verified_claim),
        email_trusted: Some(jwt_email_trusted),
        email_domains: Some(jwt_email_domains),
        name_claim: Some(jwt_name_claim),
        roles_claim: jwt_roles_claim,
        memberships: Some(memberships.map_err(|why| StartError::Setting(format!("JWT_MEMBERSHIPS: {why}")))?),
        client_id: jwt_client_id,
        client_secret,
        client_scopes: Some(jwt_client_scopes),
    })
}

/// Returns the client's secret: the one that is set, or the one in the file, without the line end after it.
fn client_secret(given: Option<String>, file: Option<&Path>) -> Result<Option<String>, StartError> {
    let wrong = |why: String| Err(StartError::Setting(why));
    match (given, file) {
        (Some(_), Some(_)) => {
            wrong("JWT_CLIENT_SECRET and JWT_CLIENT_SECRET_FILE are both set: set one of them".to_owned())
        }
        (Some(secret), None) => Ok(Some(secret)),
        (None, Some(file)) => match std::fs::read_to_string(file) {
            Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
            Err(err) => wrong(format!("JWT_CLIENT_SECRET_FILE: {}: {err}", file.display())),
        },
        (None, None) => Ok(None),
    }
}

/// Splits `VALUE=CUSTOMER:ROLE`. The value may contain both signs.
fn split_membership(text: &str) -> Result<MembershipEntry, String> {
    let split = || {
        let (value, place) = text.trim().rsplit_once('=')?;
        let (customer, role) = place.rsplit_once(':')?;
        Some((value.to_owned(), customer.to_owned(), role.to_owned()))
    };
    let (value, customer, role) = split().ok_or_else(|| format!("{text:?}: expected VALUE=CUSTOMER:ROLE"))?;
    Ok(MembershipEntry { value, customer, role })
}

/// Validates issuers. Each must have another name: a token is checked with the settings of the issuer that it names.
fn validate(place: &str, entries: Vec<IssuerEntry>) -> Result<Vec<IssuerSettings>, StartError> {
    let mut valid: Vec<IssuerSettings> = Vec::new();
    for entry in entries {
        let name = entry.issuer.clone();
        let is_double = valid.iter().any(|other| other.issuer == name);
        let settings = if is_double { Err("it is there twice".to_owned()) } else { settings(entry) };
        // The settings of a single issuer have names of their own, with which `why` begins.
        let about = if place == "JWT_" { place.to_owned() } else { format!("{place}{name}: ") };
        valid.push(settings.map_err(|why| StartError::Setting(format!("{about}{why}")))?);
    }
    Ok(valid)
}

/// Validates the settings of an issuer. The message begins with the name of the setting.
fn settings(entry: IssuerEntry) -> Result<IssuerSettings, String> {
    let IssuerEntry {
        issuer,
        audience,
        audience_claim,
        jwks,
        email_claim,
        email_verified_claim,
        email_trusted,
        email_domains,
        name_claim,
        roles_claim,
        memberships,
        client_id,
        client_secret,
        client_scopes,
    } = entry;
    let usual = ClaimMapping::default();
    let claim = |setting: &str, name: Option<String>, usual: ClaimName| match name {
        Some(name) => ClaimName::parse(&name).map_err(|why| format!("{setting}: {why}")),
        None => Ok(usual),
    };
    let source = match &jwks {
        Some(place) => Source::parse(place).map_err(|why| format!("JWKS: {why}"))?,
        None => Source::discover(&issuer).map_err(|why| {
            format!("JWKS is not set, and the issuer's name is no address to find the key set by: {why}")
        })?,
    };
    let roles = match roles_claim {
        Some(name) => Some(claim("ROLES_CLAIM", Some(name), usual.name.clone())?),
        None => None,
    };
    let memberships: Result<Vec<MembershipRule>, String> =
        memberships.unwrap_or_default().into_iter().map(rule).collect();
    let memberships = memberships.map_err(|why| format!("MEMBERSHIPS: {why}"))?;
    if roles.is_none() && !memberships.is_empty() {
        return Err("MEMBERSHIPS is set without ROLES_CLAIM: set both or neither".to_owned());
    }
    let client = ClientSettings::parse(client_id, client_secret, client_scopes.unwrap_or_default())?;
    if client.is_some() && !matches!(source, Source::Discovery(_)) {
        return Err(format!(
            "CLIENT_ID needs the issuer's description: leave JWKS unset, or set it to {}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        ));
    }
    Ok(IssuerSettings {
        audiences: audiences(audience)?,
        source,
        client,
        claims: ClaimMapping {
            audience: claim("AUDIENCE_CLAIM", audience_claim, usual.audience)?,
            email: claim("EMAIL_CLAIM", email_claim, usual.email)?,
            email_verified: claim("EMAIL_VERIFIED_CLAIM", email_verified_claim, usual.email_verified)?,
            is_email_trusted: email_trusted.unwrap_or_default(),
            email_domains: domains(email_domains.unwrap_or_default())?,
            name: claim("NAME_CLAIM", name_claim, usual.name)?,
            roles,
            memberships,
        },
        issuer,
    })
}

fn audiences(given: Option<OneOrMore>) -> Result<Vec<String>, String> {
    let list = match given {
        None => vec![AUDIENCE.to_owned()],
        Some(OneOrMore::One(one)) => vec![one],
        Some(OneOrMore::More(list)) => list,
    };
    if list.is_empty() || list.iter().any(String::is_empty) {
        return Err("AUDIENCE: name at least one audience, none of them empty".to_owned());
    }
    Ok(list)
}

fn domains(given: Vec<String>) -> Result<Vec<String>, String> {
    let check = |domain: String| match domain.trim().to_lowercase() {
        domain if is_domain(&domain) => Ok(domain),
        domain => Err(format!("EMAIL_DOMAINS: {domain:?} is no domain; write it as example.org")),
    };
    given.into_iter().map(check).collect()
}

fn rule(MembershipEntry { value, customer, role }: MembershipEntry) -> Result<MembershipRule, String> {
    if value.is_empty() {
        return Err("a value is empty".to_owned());
    }
    let customer: CustomerId =
        customer.parse().map_err(|_| format!("{customer:?} is no customer: write its UUID"))?;
    Ok(MembershipRule { value, customer, role: parse_role(&role)? })
}

/// Parses the name of a role, in any case.
///
/// # Errors
/// The names that are accepted.
pub fn parse_role(role: &str) -> Result<Role, String> {
    match role.to_ascii_uppercase().as_str() {
        "VIEWER" => Ok(Role::Viewer),
        "EDITOR" => Ok(Role::Editor),
        "ADMIN" => Ok(Role::Admin),
        _ => Err("the role must be VIEWER, EDITOR or ADMIN".to_owned()),
    }
}

/// Opens the signing key, and creates it if it's missing.
///
/// # Errors
/// [`StartError`] when the key can't be used.
pub fn signing_key(common: &Common) -> Result<LocalIssuer, StartError> {
    let file = common.signing_key().map_err(StartError::Setting)?;
    if common.signing_key.is_none() {
        let folder = data_dir(common)?;
        if !file.exists() {
            data_folder::note_first_start(&folder)?;
        }
    }
    Ok(LocalIssuer::open(&file)?)
}
