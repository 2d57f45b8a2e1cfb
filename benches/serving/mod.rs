//! The service under test: the real program, in its own process with its own private Postgres, removed at the end.

use std::{
    error::Error,
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use agent_registry::config::{Common, Identity, LogFormat};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

/// The error of a benchmark.
pub type Failure = Box<dyn Error + Send + Sync>;

const PROGRAM: &str = env!("CARGO_BIN_EXE_agent-registry");
/// The time limit for readiness.
const DEADLINE: Duration = Duration::from_secs(60);

/// A running service.
pub struct Serving {
    process: Child,
    folder: PathBuf,
    base: String,
    token: String,
    http: Client,
    /// The time from the last start to readiness.
    pub ready_after: Duration,
}

impl Serving {
    /// Starts a service, and waits until it is ready.
    ///
    /// # Errors
    /// When it doesn't become ready in time.
    pub async fn start(name: &str) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("agent-registry-bench-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(&folder, open)?;
        // The port was free a moment ago; nothing else is expected to take it.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let base = format!("http://127.0.0.1:{port}");
        let process = spawn(&folder, &base)?;
        let mut serving = Self {
            process,
            folder,
            base,
            token: String::new(),
            http: Client::new(),
            ready_after: Duration::ZERO,
        };
        serving.wait().await?;
        serving.token = serving.made(&["token", "user", "--subject", "bench", "--operator"])?;
        Ok(serving)
    }

    /// Runs a command that creates a token, and returns the token.
    fn made(&self, arguments: &[&str]) -> Result<String, Failure> {
        let token = Command::new(PROGRAM).args(arguments).env("DATA_DIR", &self.folder).output()?;
        let token = String::from_utf8(token.stdout)?;
        Ok(token.lines().last().ok_or("no token")?.to_owned())
    }

    /// Creates a token of a user who is no member of any customer.
    ///
    /// # Errors
    /// When the command fails.
    pub fn stranger_token(&self) -> Result<String, Failure> {
        self.made(&["token", "user", "--subject", "stranger"])
    }

    /// The settings of a command on the service's data, which logs errors only.
    pub fn command_settings(&self) -> Common {
        Common {
            database_url: None,
            database_url_file: None,
            migrate_database_url: None,
            migrate_database_url_file: None,
            wait_for_database: Duration::from_secs(5),
            data_dir: Some(self.folder.clone()),
            signing_key: None,
            identity: Identity::default(),
            postgres_bin: None,
            log_format: LogFormat::Text,
            log: "error".to_owned(),
        }
    }

    /// Restarts the service's process.
    ///
    /// # Errors
    /// When it doesn't become ready in time.
    pub async fn restart(&mut self) -> Result<(), Failure> {
        self.stop();
        self.process = spawn(&self.folder, &self.base)?;
        self.wait().await
    }

    /// Waits until the service is ready.
    async fn wait(&mut self) -> Result<(), Failure> {
        let (began, address) = (Instant::now(), format!("{}/readyz", self.base));
        while !self.http.get(&address).send().await.is_ok_and(|ready| ready.status() == 200) {
            if began.elapsed() > DEADLINE {
                return Err("the service didn't become ready in time".into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.ready_after = began.elapsed();
        Ok(())
    }

    fn stop(&mut self) {
        let pid = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.process.wait();
    }

    /// Returns the data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the service's metrics, in Prometheus' format.
    ///
    /// # Errors
    /// When they can't be read.
    pub async fn metrics(&self) -> Result<String, Failure> {
        Ok(self.http.get(format!("{}/metrics", self.base)).send().await?.text().await?)
    }

    /// Returns the resident memory of the service's process, in bytes.
    ///
    /// # Errors
    /// When `/proc` can't be read.
    pub fn memory(&self) -> Result<u64, Failure> {
        self.status("VmRSS:")
    }

    /// Returns a value of the process' `/proc` status, in bytes.
    fn status(&self, name: &str) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line =
            status.lines().find_map(|line| line.strip_prefix(name)).ok_or("the status lacks this value")?;
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes * 1024)
    }

    /// Makes a GraphQL request with an operator's token.
    pub fn post(&self, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}/graphql", self.base)).bearer_auth(&self.token).json(body)
    }

    /// Runs a document as an operator and returns the response.
    ///
    /// # Errors
    /// When the request fails or the response isn't JSON.
    pub async fn gql(&self, query: &str, variables: Value) -> Result<Value, Failure> {
        let body = json!({ "query": query, "variables": variables });
        Ok(self.post(&body).send().await?.json().await?)
    }

    /// Returns an operator's token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the address that the service listens on.
    ///
    /// # Errors
    /// Never: the address is valid.
    pub fn address(&self) -> Result<std::net::SocketAddr, Failure> {
        Ok(self.base.trim_start_matches("http://").parse()?)
    }

    /// Creates a service token.
    ///
    /// # Errors
    /// When the command fails.
    pub fn service_token(&self) -> Result<String, Failure> {
        let scopes = ["--scope", "configs:read", "--scope", "activations:watch"];
        self.made(&[&["token", "service", "--name", "bench"], scopes.as_slice()].concat())
    }

    /// Returns the size of an agent's configuration, in bytes.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn body_size(&self, agent: &str, token: &str) -> Result<usize, Failure> {
        let asked = self.http.get(format!("{}/internal/agents/{agent}/active", self.base)).bearer_auth(token);
        Ok(asked.send().await?.error_for_status()?.bytes().await?.len())
    }

    /// Returns the peak memory of the process since the last call, in bytes, and resets it.
    ///
    /// # Errors
    /// When `/proc` can't be read or written.
    pub fn memory_peak(&self) -> Result<u64, Failure> {
        let peak = self.status("VmHWM:")?;
        std::fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5")?;
        Ok(peak)
    }

    /// Returns the processor time of the process, over all running threads.
    ///
    /// # Errors
    /// When `/proc` can't be read.
    pub fn cpu(&self) -> Result<Duration, Failure> {
        let mut all = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            // A thread may end between listing and reading.
            let stat = std::fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
            all += stat.split(' ').next().and_then(|time| time.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(all))
    }
}

/// Starts the service with this data folder and address.
fn spawn(folder: &Path, base: &str) -> Result<Child, Failure> {
    let log = File::options().create(true).append(true).open(folder.join("serve.log"))?;
    Ok(Command::new(PROGRAM)
        .args(["serve", "--listen", base.trim_start_matches("http://")])
        .env("DATA_DIR", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()?)
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
