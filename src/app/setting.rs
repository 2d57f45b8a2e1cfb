//! Settings that are more than a value: checked, and what they name read, before any database is started, so that a wrong
//! one is told at once.

use super::{Database, Settings, StartError, data_dir};
use crate::{
    clock::Clock,
    config::{Common, Serve},
    domain::auth::{
        Issuer,
        jwks::{JwksError, OutsideIssuer, Source},
        jwt::LocalIssuer,
    },
    feed,
    graphql::{self, TrustedDocuments},
    http::{AllowedHost, Hosts, LineLimits, Origin, Origins, PublicUrl, SocketLimits, TLS_LOOK, Tls},
};

/// A mebibyte, in bytes.
const MIB: usize = 1024 * 1024;

/// The settings of `serve` that can be wrong.
#[derive(Debug)]
pub struct Checked {
    issuer: Issuer,
    trusted_documents: Option<TrustedDocuments>,
    tls: Option<Tls>,
    origins: Origins,
    hosts: Hosts,
}

impl Checked {
    /// Those of this command line.
    ///
    /// # Errors
    /// [`StartError`] when one can't be used.
    pub async fn read(common: &Common, serve: &Serve) -> Result<Self, StartError> {
        let (trusted_documents, tls, origins) = (trusted_documents(serve)?, tls(serve)?, origins(serve)?);
        let hosts = hosts(serve)?;
        if let Some(trusted) = &trusted_documents {
            tracing::info!(documents = trusted.count(), "no other documents are run");
        }
        Ok(Self { issuer: issuer(common).await?, trusted_documents, tls, origins, hosts })
    }

    /// All settings of a service on this database.
    #[must_use]
    pub fn settings(self, serve: &Serve, database: &Database) -> Settings {
        let Self { issuer, trusted_documents, tls, origins, hosts } = self;
        Settings {
            database_url: database.url.clone(),
            connections: serve.database_connections,
            listen: serve.listen,
            issuer,
            clock: Clock::default(),
            sockets: SocketLimits::default(),
            lines: LineLimits { connections: serve.connections, ..LineLimits::default() },
            tls,
            tls_look: TLS_LOOK,
            origins,
            hosts,
            refusals_per_minute: serve.refusals_per_minute,
            proxies: serve.trusted_proxies.iter().copied().collect(),
            retention: serve.retention,
            config_memory: usize::try_from(serve.config_memory).unwrap_or(usize::MAX).saturating_mul(MIB),
            trusted_documents,
            is_row_level_security_only: false,
            poll: feed::POLL,
        }
    }
}

/// Two settings that are nothing without each other; none when neither is set.
///
/// # Errors
/// [`StartError`] when one is missing.
fn both<'a, T, U>(
    (first_name, first): (&str, &'a Option<T>),
    (second_name, second): (&str, &'a Option<U>),
) -> Result<Option<(&'a T, &'a U)>, StartError> {
    let lacks = |is: &str, is_not: &str| StartError::Setting(format!("{is} is set, and {is_not} is not"));
    match (first, second) {
        (None, None) => Ok(None),
        (Some(first), Some(second)) => Ok(Some((first, second))),
        (Some(_), None) => Err(lacks(first_name, second_name)),
        (None, Some(_)) => Err(lacks(second_name, first_name)),
    }
}

/// Who vouches for users: an outside issuer when one is set, else the signing key in the data folder.
///
/// # Errors
/// [`StartError`] when a setting, the key or the key set can't be used.
pub async fn issuer(common: &Common) -> Result<Issuer, StartError> {
    let both = both(("JWT_ISSUER", &common.jwt_issuer), ("JWT_JWKS", &common.jwt_jwks))?;
    let Some((name, keys)) = both else { return Ok(Issuer::Local(signing_key(common)?)) };
    let source = Source::parse(keys).map_err(|why| StartError::Setting(format!("JWT_JWKS: {why}")))?;
    let outside = OutsideIssuer::new(name.clone(), common.jwt_audience.clone(), source)?;
    match outside.refresh().await {
        Ok(()) => {}
        // It may be down while we start; it is asked again, and keys that are known by then stay.
        Err(err @ JwksError::Fetch(..)) => tracing::warn!(error = %err, "no user's token can be checked yet"),
        Err(err) => return Err(err.into()),
    }
    Ok(Issuer::Outside(outside))
}

/// The documents that may be run, when a file lists them.
///
/// # Errors
/// [`StartError`] when the file can't be used.
fn trusted_documents(serve: &Serve) -> Result<Option<TrustedDocuments>, StartError> {
    let Some(file) = &serve.trusted_documents else {
        return Ok(None);
    };
    let wrong = |why: String| StartError::Setting(format!("TRUSTED_DOCUMENTS: {}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|err| wrong(err.to_string()))?;
    let front = graphql::front()?;
    TrustedDocuments::parse(&text, &front).map(Some).map_err(|err| wrong(err.to_string()))
}

/// TLS, when a certificate and its key are set.
///
/// # Errors
/// [`StartError`] when one of the two is missing or can't be used.
fn tls(serve: &Serve) -> Result<Option<Tls>, StartError> {
    let both = both(("TLS_CERT", &serve.tls_cert), ("TLS_KEY", &serve.tls_key))?;
    let Some((chain, key)) = both else { return Ok(None) };
    let tls = Tls::open(chain.clone(), key.clone());
    tls.map(Some).map_err(|err| StartError::Setting(format!("TLS_CERT and TLS_KEY: {err}")))
}

/// The origins whose pages may ask.
///
/// # Errors
/// [`StartError`] when one is none.
fn origins(serve: &Serve) -> Result<Origins, StartError> {
    let read = |text: &String| {
        let origin = text.parse::<Origin>();
        origin.map_err(|why| StartError::Setting(format!("CORS_ORIGINS: {text:?}: {why}")))
    };
    serve.cors_origins.iter().map(read).collect()
}

/// The hosts that are answered for. A service that other machines reach, and that knows no name of its own, answers for any.
///
/// # Errors
/// [`StartError`] when one is none.
fn hosts(serve: &Serve) -> Result<Hosts, StartError> {
    let public_url = serve.public_url.as_ref().map(|text| {
        let url = text.parse::<PublicUrl>();
        url.map_err(|why| StartError::Setting(format!("PUBLIC_URL: {text:?}: {why}")))
    });
    let named = serve.allowed_hosts.iter().map(|text| {
        let host = text.parse::<AllowedHost>();
        host.map_err(|why| StartError::Setting(format!("ALLOWED_HOSTS: {text:?}: {why}")))
    });
    let hosts = Hosts::new(serve.listen.ip(), public_url.transpose()?, named.collect::<Result<_, _>>()?);
    if hosts.is_open() {
        tracing::warn!(
            listen = %serve.listen,
            "requests for any host are answered: name the hosts that clients use in PUBLIC_URL or ALLOWED_HOSTS"
        );
    }
    Ok(hosts)
}

/// The signing key, made if there was none.
///
/// # Errors
/// [`StartError`] when it can't be used.
pub fn signing_key(common: &Common) -> Result<LocalIssuer, StartError> {
    if common.signing_key.is_none() {
        data_dir(common)?;
    }
    let file = common.signing_key().map_err(StartError::Setting)?;
    Ok(LocalIssuer::open(&file)?)
}
