//! Validates the settings of `serve` and reads the files that they name, before a database is started. So a wrong
//! setting is reported at once.

use super::{Database, Settings, StartError, issuer};
use crate::{
    clock::Clock,
    config::{Common, Serve},
    domain::auth::{Issuer, oidc::CALLBACK_PATH},
    feed,
    graphql::{self, TrustedDocuments},
    http::{
        AllowedHost, ConnectionLimits, Hosts, Origin, Origins, PublicUrl, SocketLimits, TLS_RELOAD_INTERVAL,
        Tls,
    },
};

/// A mebibyte, in bytes.
const MIB: usize = 1024 * 1024;

/// The settings of `serve` that need more than parsing: validated, with their files read.
#[derive(Debug)]
pub struct ValidatedSettings {
    issuer: Issuer,
    trusted_documents: Option<TrustedDocuments>,
    tls: Option<Tls>,
    origins: Origins,
    hosts: Hosts,
}

impl ValidatedSettings {
    /// Validates the settings of a command line.
    ///
    /// # Errors
    /// [`StartError`] when a setting is invalid.
    pub async fn read(common: &Common, serve: &Serve) -> Result<Self, StartError> {
        let (trusted_documents, tls, origins) = (trusted_documents(serve)?, tls(serve)?, origins(serve)?);
        let hosts = hosts(serve)?;
        if let Some(trusted) = &trusted_documents {
            tracing::info!(documents = trusted.count(), "only trusted documents are run");
        }
        let issuer = issuer(common).await?;
        check_callback(&issuer, &hosts)?;
        Ok(Self { issuer, trusted_documents, tls, origins, hosts })
    }

    /// Returns all settings of a service on this database.
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
            lines: ConnectionLimits { connections: serve.connections, ..ConnectionLimits::default() },
            tls,
            tls_look: TLS_RELOAD_INTERVAL,
            origins,
            hosts,
            refusals_per_minute: serve.refusals_per_minute,
            proxies: serve.trusted_proxies.iter().copied().collect(),
            retention: serve.retention,
            config_memory: usize::try_from(serve.config_memory).unwrap_or(usize::MAX).saturating_mul(MIB),
            memory_budget: usize::try_from(serve.memory_budget).unwrap_or(usize::MAX).saturating_mul(MIB),
            trusted_documents,
            is_row_level_security_only: false,
            poll: feed::POLL,
        }
    }
}

/// Returns two settings that require each other, or `None` when neither is set.
///
/// # Errors
/// [`StartError`] when one is missing.
fn required_together<'a, T, U>(
    (first_name, first): (&str, &'a Option<T>),
    (second_name, second): (&str, &'a Option<U>),
) -> Result<Option<(&'a T, &'a U)>, StartError> {
    let lacks = |is: &str, is_not: &str| {
        StartError::Setting(format!("{is} is set without {is_not}: set both or neither"))
    };
    match (first, second) {
        (None, None) => Ok(None),
        (Some(first), Some(second)) => Ok(Some((first, second))),
        (Some(_), None) => Err(lacks(first_name, second_name)),
        (None, Some(_)) => Err(lacks(second_name, first_name)),
    }
}

/// Reads the allowlist of documents, if one is set.
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

/// Reads the TLS certificate and its key, if they are set.
///
/// # Errors
/// [`StartError`] when one of the two is missing or can't be used.
fn tls(serve: &Serve) -> Result<Option<Tls>, StartError> {
    let both = required_together(("TLS_CERT", &serve.tls_cert), ("TLS_KEY", &serve.tls_key))?;
    let Some((chain, key)) = both else { return Ok(None) };
    let tls = Tls::open(chain.clone(), key.clone());
    tls.map(Some).map_err(|err| StartError::Setting(format!("TLS_CERT and TLS_KEY: {err}")))
}

/// Parses the origins allowed by CORS.
///
/// # Errors
/// [`StartError`] when one isn't an origin.
fn origins(serve: &Serve) -> Result<Origins, StartError> {
    let read = |text: &String| {
        let origin = text.parse::<Origin>();
        origin.map_err(|why| StartError::Setting(format!("CORS_ORIGINS: {text:?}: {why}")))
    };
    serve.cors_origins.iter().map(read).collect()
}

/// Checks that browsers can come back from an issuer with a client id.
///
/// # Errors
/// [`StartError`] when `PUBLIC_URL` is missing, or is plain http to another machine, where cookies can be read on the
/// way.
fn check_callback(issuer: &Issuer, hosts: &Hosts) -> Result<(), StartError> {
    if issuer.outside().iter().all(|issuer| issuer.client().is_none()) {
        return Ok(());
    }
    let wrong = |why: String| Err(StartError::Setting(why));
    match hosts.public_url() {
        None => wrong(format!(
            "JWT_CLIENT_ID is set without PUBLIC_URL: browsers come back from the issuer to PUBLIC_URL{CALLBACK_PATH}; set both"
        )),
        Some(url) if url.is_private() => Ok(()),
        Some(url) => wrong(format!(
            "PUBLIC_URL: {:?}: signing in needs TLS: write it as https://…, or leave JWT_CLIENT_ID unset",
            url.as_str()
        )),
    }
}

/// Parses the hosts for which requests are accepted. Any host is accepted when the service listens beyond loopback and
/// neither `PUBLIC_URL` nor `ALLOWED_HOSTS` is set.
///
/// # Errors
/// [`StartError`] when one isn't a host.
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
            "requests for any host are accepted: set PUBLIC_URL or ALLOWED_HOSTS to the hosts that clients use"
        );
    }
    Ok(hosts)
}
