//! Settings that are more than a value: checked, and what they name read, before any database is started, so that a wrong
//! one is told at once.

use std::path::PathBuf;

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
    graphql::TrustedDocuments,
    http::{LineLimits, Origin, Origins, SocketLimits, TLS_LOOK, Tls},
};

/// The settings of `serve` that can be wrong.
#[derive(Debug)]
pub struct Checked {
    issuer: Issuer,
    trusted_documents: Option<TrustedDocuments>,
    tls: Option<Tls>,
    origins: Origins,
}

impl Checked {
    /// Those of this command line.
    ///
    /// # Errors
    /// [`StartError`] when one can't be used.
    pub async fn read(common: &Common, serve: &Serve) -> Result<Self, StartError> {
        let (trusted_documents, tls, origins) = (trusted_documents(serve)?, tls(serve)?, origins(serve)?);
        if let Some(trusted) = &trusted_documents {
            tracing::info!(documents = trusted.count(), "no other documents are run");
        }
        Ok(Self { issuer: issuer(common).await?, trusted_documents, tls, origins })
    }

    /// All settings of a service on this database.
    #[must_use]
    pub fn settings(self, serve: &Serve, database: &Database) -> Settings {
        let Self { issuer, trusted_documents, tls, origins } = self;
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
            refusals_per_minute: serve.refusals_per_minute,
            proxies: serve.trusted_proxies.iter().copied().collect(),
            retention: serve.retention,
            trusted_documents,
            is_second_wall_alone: false,
            poll: feed::POLL,
        }
    }
}

/// Who vouches for users: an outside issuer when one is set, else the signing key in the data folder.
///
/// # Errors
/// [`StartError`] when a setting, the key or the key set can't be used.
pub async fn issuer(common: &Common) -> Result<Issuer, StartError> {
    let (name, keys) = match (&common.jwt_issuer, &common.jwt_jwks) {
        (None, None) => return Ok(Issuer::Local(signing_key(common)?)),
        (Some(name), Some(keys)) => (name, keys),
        (Some(_), None) => {
            return Err(StartError::Setting("JWT_ISSUER is set, and JWT_JWKS is not".to_owned()));
        }
        (None, Some(_)) => {
            return Err(StartError::Setting("JWT_JWKS is set, and JWT_ISSUER is not".to_owned()));
        }
    };
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
    TrustedDocuments::parse(&text).map(Some).map_err(|err| wrong(err.to_string()))
}

/// TLS, when a certificate and its key are set.
///
/// # Errors
/// [`StartError`] when one of the two is missing or can't be used.
fn tls(serve: &Serve) -> Result<Option<Tls>, StartError> {
    let wrong = |why: String| StartError::Setting(why);
    match (&serve.tls_cert, &serve.tls_key) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(wrong("TLS_CERT is set, and TLS_KEY is not".to_owned())),
        (None, Some(_)) => Err(wrong("TLS_KEY is set, and TLS_CERT is not".to_owned())),
        (Some(chain), Some(key)) => {
            let tls = Tls::open(PathBuf::clone(chain), PathBuf::clone(key));
            tls.map(Some).map_err(|err| wrong(format!("TLS_CERT and TLS_KEY: {err}")))
        }
    }
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
