//! TLS: real clients, unusable files, and a renewed certificate.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use agent_registry::http::{ConnectionLimits, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::Certificate;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName},
        version::{TLS12, TLS13},
    },
};

use super::{DEADLINE, line, rest, say};
use crate::{
    socket::{ACTIVATIONS, Scene, impatient, until},
    support::{App, app::Setup, socket::Socket},
};

/// The certificate authority of a test, and the folder of its files.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("agent-registry-tls-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Issues a certificate for 127.0.0.1 and its key, both as PEM.
    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// Writes this pair to the service's files.
    fn write(&self, (chain, key): &(String, String)) {
        std::fs::write(self.file("cert.pem"), chain).unwrap();
        std::fs::write(self.file("key.pem"), key).unwrap();
    }

    fn open(&self) -> Tls {
        Tls::open(self.file("cert.pem"), self.file("key.pem")).unwrap()
    }

    async fn serve(&self, setup: Setup) -> App {
        self.write(&self.issue());
        App::set_up(Setup { tls: Some(self.open()), ..setup }).await
    }

    /// A client that trusts only this authority.
    fn client(&self) -> reqwest::Client {
        let root = Certificate::from_pem(self.issuer.pem().as_bytes()).unwrap();
        reqwest::Client::builder().tls_certs_only([root]).build().unwrap()
    }

    /// Connects to the service. Returns the stream, and the certificate that the service presented.
    async fn connect(&self, app: &App) -> (TlsStream<TcpStream>, CertificateDer<'static>) {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = config.with_protocol_versions(&[&TLS12, &TLS13]).unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TcpStream::connect(app.address()).await.unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned();
        (stream, shown)
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_sockets_and_streams_go_over_it() {
    let authority = Authority::new("doors");
    let app = authority.serve(Setup { sockets: impatient(), ..Setup::default() }).await;
    assert!(app.base.starts_with("https://"));
    let (operator, http) = (app.operator().await, authority.client());
    let token = operator.token.clone().unwrap();
    let gql = async |query: &str| {
        let request = http.post(format!("{}/graphql", app.base)).bearer_auth(&token);
        let answer = request.json(&json!({ "query": query })).send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()
    };
    let made = gql("mutation { createCustomer(input: { name: \"City\" }) { revision } }").await;
    assert!(made["data"]["createCustomer"]["revision"].is_string(), "{made}");

    let (stream, _) = authority.connect(&app).await;
    let mut socket = Socket::open_over(stream, &app.base, &token).await;
    socket.subscribe("1", ACTIVATIONS, json!({})).await;
    let events = http
        .post(format!("{}/graphql", app.base))
        .bearer_auth(&token)
        .header("accept", "text/event-stream")
        .json(&json!({ "query": ACTIVATIONS }))
        .send();
    let events = events.await.unwrap();
    until("both watch", || app.watchers() == 2).await;
    let scene = Scene::by(operator.with(http.clone())).await;
    scene.activate(1).await;
    assert!(socket.event().await["data"]["activations"]["revision"].is_string());
    // A client's disconnect is noticed over TLS too.
    drop(events);
    until("the stream's subscription has ended", || app.watchers() == 1).await;
    drop(socket);
    until("the socket's subscription has ended", || app.watchers() == 0).await;

    // A plain connection gets no HTTP response.
    let mut plain = line(&app).await;
    say(&mut plain, "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let told = rest(&mut plain).await;
    assert!(!told.contains("HTTP/1.1"), "{told}");
    assert!(
        reqwest::get(format!("{}/livez", app.base)).await.is_err(),
        "no other authority signed the certificate"
    );
    app.first.stop().await;
}

#[tokio::test]
async fn a_handshake_that_does_not_come_in_time_ends_the_line_and_holds_up_nobody() {
    let head_within = Duration::from_millis(500);
    let authority = Authority::new("slow");
    let lines = ConnectionLimits { head: head_within, ..ConnectionLimits::default() };
    let app = authority.serve(Setup { lines, ..Setup::default() }).await;
    let began = Instant::now();
    let (mut silent, mut begun) = (line(&app).await, line(&app).await);
    say(&mut begun, "\u{16}\u{3}\u{1}").await;
    let (mut beside, _) = authority.connect(&app).await;
    tokio::io::AsyncWriteExt::write_all(&mut beside, b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut beside, &mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    assert_eq!((rest(&mut silent).await, rest(&mut begun).await), (String::new(), String::new()));
    assert!(began.elapsed() >= head_within, "a connection was ended too early");
    assert!(began.elapsed() < DEADLINE);
}

#[tokio::test]
async fn a_certificate_that_was_renewed_is_shown_without_a_restart_and_a_broken_one_is_not() {
    let authority = Authority::new("renewed");
    let app = authority.serve(Setup::default()).await;
    let first = authority.connect(&app).await.1;
    let client = authority.client();
    assert!(client.get(format!("{}/livez", app.base)).send().await.is_ok());
    // First only half of the next pair is there, then an unreadable file.
    let next = authority.issue();
    std::fs::write(authority.file("cert.pem"), &next.0).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(authority.connect(&app).await.1, first);
    std::fs::remove_file(authority.file("key.pem")).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(authority.connect(&app).await.1, first);

    authority.write(&next);
    let began = Instant::now();
    while authority.connect(&app).await.1 == first {
        assert!(began.elapsed() < DEADLINE, "the new certificate is not presented");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Open connections continue.
    assert!(client.get(format!("{}/livez", app.base)).send().await.is_ok());
}

#[test]
fn files_that_can_not_be_used_are_told_apart() {
    let authority = Authority::new("files");
    let pair = authority.issue();
    authority.write(&pair);
    let open = |chain: &str, key: &str| {
        let told = Tls::open(authority.file(chain), authority.file(key)).unwrap_err().to_string();
        told.replace(&format!("{}{}", authority.folder.display(), std::path::MAIN_SEPARATOR), "")
    };
    std::fs::write(authority.file("other.pem"), authority.issue().1).unwrap();
    std::fs::write(authority.file("empty.pem"), "").unwrap();
    std::fs::write(
        authority.file("broken.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    assert_eq!(open("none.pem", "key.pem"), "none.pem: No such file or directory (os error 2)");
    assert_eq!(open("cert.pem", "none.pem"), "none.pem: No such file or directory (os error 2)");
    assert_eq!(open("empty.pem", "key.pem"), "empty.pem: the file has no certificate in PEM");
    assert_eq!(open("key.pem", "key.pem"), "key.pem: the file has no certificate in PEM");
    assert!(open("broken.pem", "key.pem").starts_with("broken.pem: the certificate can't be read: "));
    assert!(open("cert.pem", "cert.pem").starts_with("cert.pem: the file has no usable private key in PEM"));
    let told = open("cert.pem", "other.pem");
    assert_eq!(told, "the private key in other.pem doesn't belong to the first certificate in cert.pem");
    assert!(Path::new(&authority.file("cert.pem")).exists());
    drop(authority.open());
}
