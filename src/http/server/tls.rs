//! TLS with rustls, from two PEM files. They are reloaded while the service runs, so a renewed certificate needs no
//! restart.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::sleep;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::{CryptoProvider, aws_lc_rs},
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{self, PemObject},
        },
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
    server::TlsStream,
};

use super::connection::Connection;
use crate::task::lock;

/// The interval at which the files are checked for changes.
pub const TLS_RELOAD_INTERVAL: Duration = Duration::from_secs(30);

/// The files can't be used for TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("{0}: {1}")]
    Read(PathBuf, io::Error),
    /// The file has no certificate.
    #[error("{0}: the file has no certificate in PEM")]
    NoCertificate(PathBuf),
    /// A certificate in the file is malformed or unusable.
    #[error("{0}: the certificate can't be read: {1}")]
    Certificate(PathBuf, String),
    /// The file has no private key, or one that rustls can't use.
    #[error("{0}: the file has no usable private key in PEM: {1}")]
    Key(PathBuf, String),
    /// The key doesn't belong to the certificate.
    #[error("the private key in {1} doesn't belong to the first certificate in {0}")]
    Mismatch(PathBuf, PathBuf),
}

/// The contents of the two files.
#[derive(PartialEq, Eq)]
struct Pems {
    chain: Vec<u8>,
    key: Vec<u8>,
}

/// The certificate for new connections. A reload replaces it.
#[derive(Debug)]
struct CurrentCertificate(Mutex<Arc<CertifiedKey>>);

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&lock(&self.0)))
    }
}

/// The server side of TLS. Clones share the certificate.
#[derive(Clone)]
pub struct Tls {
    files: Arc<(PathBuf, PathBuf)>,
    /// The contents of the files at the last check.
    seen: Arc<Mutex<Pems>>,
    shown: Arc<CurrentCertificate>,
    provider: Arc<CryptoProvider>,
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// Loads the certificate chain, leaf first, and the private key.
    ///
    /// # Errors
    /// [`TlsError`] if a file can't be read or used, or the key doesn't belong to the certificate.
    pub fn open(chain: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let read = |file: &Path| std::fs::read(file).map_err(|err| TlsError::Read(file.to_owned(), err));
        let pems = Pems { chain: read(&chain)?, key: read(&key)? };
        let files = Arc::new((chain, key));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let shown = Arc::new(CurrentCertificate(Mutex::new(Arc::new(load_pair(&provider, &files, &pems)?))));
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|err| TlsError::Key(files.1.clone(), err.to_string()))?;
        let mut config = config.with_no_client_auth().with_cert_resolver(Arc::clone(&shown) as _);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { files, seen: Arc::new(Mutex::new(pems)), shown, provider, acceptor })
    }

    /// Runs the TLS handshake with a client.
    pub(in crate::http) async fn handshake(
        &self,
        connection: Connection,
    ) -> io::Result<TlsStream<Connection>> {
        self.acceptor.accept(connection).await
    }

    /// Checks the files at each interval, forever. Unusable files change nothing: while a pair is being replaced,
    /// its two files don't match for a moment.
    pub async fn reload_periodically(self, every: Duration) {
        loop {
            sleep(every).await;
            match self.reload().await {
                Ok(false) => {}
                Ok(true) => {
                    tracing::info!("reloaded the certificate: new connections use the new one")
                }
                Err(err) => tracing::warn!(error = %err, "keeping the previous certificate"),
            }
        }
    }

    /// Reloads the files if they have changed since the last check. Returns whether they have. Unusable contents are
    /// remembered too, so they are reported once.
    async fn reload(&self) -> Result<bool, TlsError> {
        let (chain, key) = &*self.files;
        let read = async |file: &Path| {
            tokio::fs::read(file).await.map_err(|err| TlsError::Read(file.to_owned(), err))
        };
        let pems = Pems { chain: read(chain).await?, key: read(key).await? };
        let mut seen = lock(&self.seen);
        if *seen == pems {
            return Ok(false);
        }
        let found = load_pair(&self.provider, &self.files, &pems);
        *seen = pems;
        *lock(&self.shown.0) = Arc::new(found?);
        Ok(true)
    }
}

/// Parses the certificate chain and the key, and checks that they belong together.
fn load_pair(
    provider: &CryptoProvider,
    files: &(PathBuf, PathBuf),
    pems: &Pems,
) -> Result<CertifiedKey, TlsError> {
    let (chain_file, key_file) = files;
    let certificate = |err: String| TlsError::Certificate(chain_file.clone(), err);
    let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&pems.chain).collect();
    let chain = chain.map_err(|err| certificate(err.to_string()))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(chain_file.clone()));
    }
    let unusable = |err: String| TlsError::Key(key_file.clone(), err);
    let key = PrivateKeyDer::from_pem_slice(&pems.key).map_err(|err| unusable(err.to_string()))?;
    let key = provider.key_provider.load_private_key(key).map_err(|err| unusable(err.to_string()))?;
    let pair = CertifiedKey::new(chain, key);
    match pair.keys_match() {
        Ok(()) => Ok(pair),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err(TlsError::Mismatch(chain_file.clone(), key_file.clone()))
        }
        Err(err) => Err(certificate(err.to_string())),
    }
}
