//! Captures the plan of each statement that a service runs. Postgres sends it in a notice (`auto_explain`), and a
//! proxy takes the notice out of the stream. So the test sees the statement as it was sent, planned and run, with
//! its values.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    task::JoinHandle,
};

use super::plan::ExecutedStatement;
use crate::support::cluster::{Database, cluster};

/// A proxy to a database that captures plans.
pub(super) struct PlanCapture {
    /// The database's URL through the proxy, as the service's role.
    pub(super) url: String,
    seen: Arc<Mutex<CapturedPlans>>,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct CapturedPlans {
    ran: Vec<ExecutedStatement>,
    /// Whether each connection is outside a transaction. Postgres may send a plan as late as that, when the
    /// statement's portal is closed.
    idle: HashMap<usize, bool>,
}

impl PlanCapture {
    /// Starts a proxy to this database, and turns `auto_explain` on.
    pub(super) async fn on(database: &Database) -> Self {
        let mut admin = PgConnection::connect(&database.admin_url).await.unwrap();
        for (setting, value) in [
            ("session_preload_libraries", "auto_explain"),
            ("auto_explain.log_min_duration", "0"),
            ("auto_explain.log_analyze", "on"),
            ("auto_explain.log_buffers", "on"),
            ("auto_explain.log_timing", "off"),
            ("auto_explain.log_nested_statements", "on"),
            ("auto_explain.log_format", "json"),
            ("auto_explain.log_level", "notice"),
        ] {
            let set = format!("ALTER DATABASE {} SET {setting} = '{value}'", database.name());
            sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut admin).await.unwrap();
        }
        admin.close().await.unwrap();
        let (place, settings) = database.url.split_once('?').unwrap();
        let port = settings.split('&').find_map(|setting| setting.strip_prefix("port=")).unwrap();
        let socket = cluster().await.socket_dir().join(format!(".s.PGSQL.{port}"));
        let (address, seen, listening) = listen(socket).await;
        let url = format!("{}?sslmode=disable", place.replace("@localhost/", &format!("@{address}/")));
        Self { url, seen, listening }
    }

    /// Returns the statements run since the last call, when all connections are outside transactions.
    pub(super) async fn ran(&self) -> Vec<ExecutedStatement> {
        let begun = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let mut seen = self.seen.lock().unwrap();
            if seen.idle.values().all(|idle| *idle) {
                return std::mem::take(&mut seen.ran);
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "a transaction does not end");
        }
    }
}

impl Drop for PlanCapture {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(socket: PathBuf) -> (SocketAddr, Arc<Mutex<CapturedPlans>>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::<Mutex<CapturedPlans>>::default();
    let noted = Arc::clone(&seen);
    let listening = tokio::spawn(async move {
        for nth in 0.. {
            let Ok((client, _)) = listener.accept().await else { return };
            client.set_nodelay(true).unwrap();
            let server = UnixStream::connect(&socket).await.unwrap();
            tokio::spawn(carry(client, server, nth, Arc::clone(&noted)));
        }
    });
    (address, seen, listening)
}

async fn carry(client: TcpStream, server: UnixStream, nth: usize, seen: Arc<Mutex<CapturedPlans>>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let asked = async {
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
            // The connection is busy until the server says that it is ready.
            seen.lock().unwrap().idle.insert(nth, false);
            if to_server.write_all(&bytes[..length]).await.is_err() {
                break;
            }
        }
    };
    let answered = async {
        // A message of Postgres: its kind in a byte, and its length in four bytes, which include themselves.
        let mut head = [0; 5];
        while from_server.read_exact(&mut head).await.is_ok() {
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
            let mut body = vec![0; length - 4];
            if from_server.read_exact(&mut body).await.is_err() {
                break;
            }
            if head[0] == b'N'
                && let Some(ran) = notice(&body)
            {
                seen.lock().unwrap().ran.push(ran);
                continue;
            }
            if head[0] == b'Z' {
                seen.lock().unwrap().idle.insert(nth, body == b"I");
            }
            if to_client.write_all(&head).await.is_err() || to_client.write_all(&body).await.is_err() {
                break;
            }
        }
    };
    tokio::select! { () = asked => {}, () = answered => {} }
    seen.lock().unwrap().idle.remove(&nth);
}

/// Parses the plan in a notice, if it has one: the field `M` is `duration: … plan:` and the JSON.
fn notice(body: &[u8]) -> Option<ExecutedStatement> {
    let message = body.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"M"))?;
    let (_, plan) = std::str::from_utf8(message).ok()?.split_once("plan:")?;
    Some(ExecutedStatement::of(&serde_json::from_str(plan).unwrap()))
}
