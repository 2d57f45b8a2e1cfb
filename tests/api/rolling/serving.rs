//! Instances as processes, each on a fixed port.

use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use crate::support::{
    app::key_file,
    cluster::{Database, folder::Folder},
    log,
};

/// The program of this build.
pub(super) const PROGRAM: &str = env!("CARGO_BIN_EXE_agent-registry");
/// How long to wait for an event: many times what it takes.
const DEADLINE: Duration = Duration::from_secs(60);

/// One instance; killed when it is dropped.
pub(super) struct Serving {
    pub(super) address: SocketAddr,
    /// The database's URLs as its owner and as the service's role.
    urls: [String; 2],
    folder: Folder,
    process: Child,
}

impl Serving {
    /// Starts an instance on this database, which it migrates as the owner.
    pub(super) fn start(database: &Database) -> Self {
        Self::of(PROGRAM, database)
    }

    /// Starts an instance of this program.
    pub(super) fn of(program: &str, database: &Database) -> Self {
        // The port was free a moment ago; nothing else binds this one.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = Folder::new();
        let urls = [database.owner_url.clone(), database.url.clone()];
        let process = spawn(program, address, &urls, &folder);
        Self { address, urls, folder, process }
    }

    /// Waits until it is ready. Returns how long that took.
    pub(super) async fn ready(&mut self) -> Duration {
        let began = Instant::now();
        let url = format!("http://{}/readyz", self.address);
        while !reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(began.elapsed() < DEADLINE, "the instance does not become ready");
            assert!(self.process.try_wait().unwrap().is_none(), "the instance has exited");
            sleep(Duration::from_millis(20)).await;
        }
        began.elapsed()
    }

    /// Stops it with SIGTERM and waits. Returns its exit status, and how long that took.
    pub(super) async fn stop(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return (status, began.elapsed());
            }
            assert!(began.elapsed() < DEADLINE, "the instance does not stop");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Starts it again on the same port.
    pub(super) fn again(&mut self) {
        self.again_as(PROGRAM);
    }

    /// Starts it again on the same port, as an instance of this program.
    pub(super) fn again_as(&mut self, program: &str) {
        self.process = spawn(program, self.address, &self.urls, &self.folder);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(program: &str, address: SocketAddr, [owner_url, url]: &[String; 2], folder: &Folder) -> Child {
    let mut command = Command::new(program);
    for setting in ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS"] {
        command.env_remove(setting);
    }
    let command = command
        .arg("serve")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log::pipe("service"))
        .env("LOG", "warn");
    let command = command
        .env("DATABASE_URL", url)
        .env("MIGRATE_DATABASE_URL", owner_url)
        .env("LISTEN", address.to_string());
    command.env("DATA_DIR", folder.join("data")).env("SIGNING_KEY", key_file()).spawn().unwrap()
}
