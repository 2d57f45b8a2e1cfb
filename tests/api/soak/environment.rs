//! The environment of a soak: a Postgres that can be restarted, and instances of the service as processes, each
//! behind a proxy.

use std::{
    fs::File,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use embedded_postgres::{Embedded, OWNER, Options, SERVICE, SUPERUSER};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::Mutex;

use super::proxy::{Proxy, Target};
use crate::support::{
    app::key_file,
    cluster::folder::{Folder, options},
    log::show_if_failing,
};

/// How long to wait for a start: many times what it takes.
const DEADLINE: Duration = Duration::from_secs(120);
/// Polling interval.
const LOOK: Duration = Duration::from_millis(20);

const SETTINGS: [&str; 5] = ["DATABASE_URL", "MIGRATE_DATABASE_URL", "SIGNING_KEY", "JWT_ISSUER", "JWT_JWKS"];

/// A Postgres that can be restarted.
pub(super) struct Postgres {
    options: Options,
    first: Embedded,
    again: Mutex<Vec<Embedded>>,
}

impl Postgres {
    async fn start(folder: &Folder) -> Self {
        // Durable, so that a cluster that doesn't start again isn't replaced.
        let options = Options { durable: true, ..options(folder.join("pg"), true) };
        let first = Embedded::attach_or_start(&options).await.unwrap();
        Self { options, first, again: Mutex::default() }
    }

    /// The URL as the service's role.
    pub(super) fn service_url(&self) -> String {
        self.first.url(SERVICE, SERVICE)
    }

    /// The URL as superuser.
    pub(super) fn admin_url(&self) -> String {
        self.first.url(SUPERUSER, SERVICE)
    }

    fn socket(&self) -> PathBuf {
        let is_socket =
            |path: &PathBuf| path.extension().is_some_and(|end| end.to_str().is_some_and(is_port));
        let files = std::fs::read_dir(self.first.socket_dir()).unwrap();
        files.map(|file| file.unwrap().path()).find(is_socket).unwrap()
    }

    /// Stops it immediately, waits for `down`, and starts it again.
    pub(super) async fn restart(&self, down: Duration) {
        let pid = self.first.postmaster().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::QUIT).unwrap();
        let started = Instant::now();
        while self.first.postmaster().is_some() {
            assert!(started.elapsed() < DEADLINE, "Postgres does not stop");
            tokio::time::sleep(LOOK).await;
        }
        tokio::time::sleep(down).await;
        self.again.lock().await.push(Embedded::attach_or_start(&self.options).await.unwrap());
    }

    async fn leave(self) {
        for embedded in self.again.into_inner().into_iter().chain([self.first]) {
            embedded.leave().await.unwrap();
        }
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

/// One instance of the service.
pub(super) struct Node {
    /// The proxy between clients and the instance.
    pub(super) door: Proxy,
    /// The proxy between the instance and Postgres, if there is one.
    pub(super) line: Option<Proxy>,
    home: PathBuf,
    database_url: String,
    owner_url: String,
    process: Mutex<Child>,
}

impl Node {
    async fn start(folder: &Folder, number: usize, postgres: &Postgres, is_behind_wire: bool) -> Self {
        let home = folder.join(&format!("node-{number}"));
        std::fs::create_dir(&home).unwrap();
        std::fs::set_permissions(&home, PermissionsExt::from_mode(0o711)).unwrap();
        let line =
            if is_behind_wire { Some(Proxy::start(Target::Socket(postgres.socket())).await) } else { None };
        let owner_url = postgres.first.url(OWNER, SERVICE);
        let database_url = match &line {
            Some(line) => format!("postgres://{SERVICE}@{}/{SERVICE}?sslmode=disable", line.address),
            None => postgres.service_url(),
        };
        let (process, port) = launch(&home, &database_url, &owner_url).await;
        let door = Proxy::start(Target::Port(port)).await;
        Self { door, line, home, database_url, owner_url, process: Mutex::new(process) }
    }

    /// Sends this signal to the process.
    pub(super) async fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&*self.process.lock().await), signal).unwrap();
    }

    /// Ends the process with this signal, waits for its exit and for `down`, and starts another in its place.
    pub(super) async fn replace(&self, signal: Signal, down: Duration) {
        let mut process = self.process.lock().await;
        kill_process(Pid::from_child(&process), signal).unwrap();
        let started = Instant::now();
        while process.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < DEADLINE, "the instance does not stop");
            tokio::time::sleep(LOOK).await;
        }
        tokio::time::sleep(down).await;
        let (again, port) = launch(&self.home, &self.database_url, &self.owner_url).await;
        *process = again;
        self.door.lead_to(Target::Port(port));
    }

    /// The log of all its processes.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(log(&self.home)).unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let process = self.process.get_mut();
        let _ = process.kill();
        let _ = process.wait();
        show_if_failing(&log(&self.home));
    }
}

fn log(home: &Path) -> PathBuf {
    home.join("serve.log")
}

/// Starts the service and waits until it is ready. Returns the process and its port.
async fn launch(home: &Path, database_url: &str, owner_url: &str) -> (Child, u16) {
    let file = File::options().create(true).append(true).open(log(home)).unwrap();
    let started = Instant::now();
    loop {
        // The port was free a moment ago; nothing else binds this one.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent-registry"));
        for setting in SETTINGS {
            command.env_remove(setting);
        }
        command
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file.try_clone().unwrap());
        command.env("DATABASE_URL", database_url).env("MIGRATE_DATABASE_URL", owner_url);
        command
            .env("DATA_DIR", home)
            .env("SIGNING_KEY", key_file())
            .env("LISTEN", format!("127.0.0.1:{port}"));
        let mut process = command.env("LOG", "info,sqlx=warn").spawn().unwrap();
        while process.try_wait().unwrap().is_none() {
            let ready = reqwest::Client::new().get(format!("http://127.0.0.1:{port}/readyz"));
            let ready = ready.timeout(Duration::from_secs(2)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return (process, port);
            }
            assert!(started.elapsed() < DEADLINE, "the service does not become ready");
            tokio::time::sleep(LOOK).await;
        }
        // The process exits when the database is down, so start it again.
        assert!(started.elapsed() < DEADLINE, "the service does not start");
    }
}

/// The whole environment.
pub(super) struct SoakEnvironment {
    pub(super) nodes: Vec<Node>,
    pub(super) postgres: Postgres,
    _folder: Folder,
}

impl SoakEnvironment {
    /// Starts Postgres and this many instances. The last one reaches Postgres through a proxy.
    pub(super) async fn start(instances: usize) -> Self {
        let folder = Folder::new();
        let postgres = Postgres::start(&folder).await;
        let nodes =
            (0..instances).map(|number| Node::start(&folder, number, &postgres, number + 1 == instances));
        let nodes = futures_util::future::join_all(nodes).await;
        Self { nodes, postgres, _folder: folder }
    }

    /// The URLs of the instances, through their proxies.
    pub(super) fn bases(&self) -> Vec<String> {
        self.nodes.iter().map(|node| format!("http://{}", node.door.address)).collect()
    }

    pub(super) async fn end(self) {
        drop(self.nodes);
        self.postgres.leave().await;
    }
}
