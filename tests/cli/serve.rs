//! `serve` on the command line: it keeps secrets out of its log, survives a crash of its Postgres, and stops on
//! request.

use std::{
    fs::File,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{Home, PROGRAM, SETTINGS};

/// How long to wait for an event: many times what it takes.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);

/// A running service; killed when it is dropped.
pub(super) struct Serving {
    process: Child,
    pub(super) base: String,
    log: PathBuf,
}

impl Serving {
    pub(super) fn start(home: &Home) -> Self {
        Self::start_with(home, &[])
    }

    /// Starts it with these settings in its environment.
    pub(super) fn start_with(home: &Home, settings: &[(&str, &str)]) -> Self {
        Self::start_at(home, "127.0.0.1", settings)
    }

    /// Starts it with these settings, listening on this address.
    fn start_at(home: &Home, address: &str, settings: &[(&str, &str)]) -> Self {
        // The port was free a moment ago; nothing else binds this one.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = File::options().create(true).append(true).open(home.path("serve.log")).unwrap();
        let mut command = Command::new(PROGRAM);
        for setting in SETTINGS {
            command.env_remove(setting);
        }
        let command = command.arg("serve").stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let command =
            command.env("DATA_DIR", &home.0).env("LOG", "trace").env("LISTEN", format!("{address}:{port}"));
        let command = command.envs(settings.iter().copied());
        let (base, log) = (format!("http://127.0.0.1:{port}"), home.path("serve.log").into());
        Self { process: command.spawn().unwrap(), base, log }
    }

    /// Waits until `/readyz` succeeds.
    pub(super) async fn ready(&self) {
        let started = Instant::now();
        while !reqwest::get(format!("{}/readyz", self.base))
            .await
            .is_ok_and(|answer| answer.status().is_success())
        {
            assert!(started.elapsed() < DEADLINE, "the service does not become ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn gql(&self, token: &str, query: &str) -> Value {
        let request = reqwest::Client::new().post(format!("{}/graphql", self.base)).bearer_auth(token);
        let answer = request.json(&json!({ "query": query })).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Stops it with SIGTERM. Returns how long that took, and whether the exit code was 0.
    pub(super) fn stop(mut self) -> (Duration, bool) {
        let started = Instant::now();
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        let status = self.process.wait().unwrap();
        (started.elapsed(), status.success())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // The level is `trace`, so print only the end.
        if std::thread::panicking()
            && let Ok(log) = std::fs::read_to_string(&self.log)
        {
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(200)..];
            println!("the end of {}:\n{}", self.log.display(), last.join("\n"));
        }
    }
}

/// The id of the private Postgres's first process.
fn postmaster(home: &Home) -> Option<Pid> {
    let file = std::fs::read_to_string(home.path("postgres/data/postmaster.pid")).ok()?;
    Pid::from_raw(file.lines().next()?.trim().parse().ok()?)
}

#[tokio::test]
async fn no_secret_is_in_its_log_however_much_it_says() {
    let home = Home::new("secrets");
    let serving = Serving::start(&home);
    serving.ready().await;
    let user = home.last(&["token", "user", "--subject", "me", "--operator"]);
    let service = home.last(&["token", "service", "--name", "gateway", "--scope", "configs:read"]);
    let make = "mutation { createServiceToken(input: { name: \"x\", scopes: [CONFIGS_READ] }) { secret } }";
    let made = serving.gql(&user, make).await;
    let made = made.pointer("/data/createServiceToken/secret").and_then(Value::as_str).unwrap().to_owned();
    let made_up = format!("{}0", &user[..user.len() - 1]);
    for token in [&user, &service, &made, &made_up] {
        serving.gql(token, "{ viewer { name } }").await;
    }
    reqwest::get(format!("{}/readyz?token={user}", serving.base)).await.unwrap();
    assert!(serving.stop().1);
    let log = std::fs::read_to_string(home.path("serve.log")).unwrap();
    assert!(log.contains("DEBUG") && log.contains("answered"), "the log is verbose");
    for secret in [&user, &service, &made] {
        // The secret part: a token's signature, or the secret part of a key.
        let tail = &secret[secret.len() - 40..];
        assert!(!log.contains(tail), "a secret is in the log");
    }
    let key = std::fs::read_to_string(home.path("signing-key.pem")).unwrap();
    assert!(!log.contains(key.lines().nth(1).unwrap()), "the signing key is in the log");
}

#[tokio::test]
async fn it_runs_the_trusted_documents_and_no_others() {
    let home = Home::new("trusted");
    let list = home.path("documents.json");
    let viewer = "{ viewer { name } }";
    std::fs::write(&list, json!({ "viewer": viewer }).to_string()).unwrap();
    let serving = Serving::start_with(&home, &[("TRUSTED_DOCUMENTS", &list)]);
    serving.ready().await;
    let token = home.last(&["token", "user", "--subject", "me"]);
    let answer = serving.gql(&token, viewer).await;
    assert_eq!(answer.pointer("/data/viewer/name"), Some(&json!("me")), "{answer}");
    let answer = serving.gql(&token, "{ __schema { queryType { name } } }").await;
    let code = answer.pointer("/errors/0/extensions/code");
    assert_eq!((code, answer.get("data")), (Some(&json!("DOCUMENT_NOT_TRUSTED")), None), "{answer}");
    assert!(serving.stop().1);
}

#[tokio::test]
async fn it_answers_for_its_own_hosts_and_warns_when_it_knows_none() {
    const WARNING: &str = "requests for any host are accepted";
    let home = Home::new("hosts");
    let named = [("PUBLIC_URL", "https://registry.example.org"), ("ALLOWED_HOSTS", "a.example, *.b.example")];
    let hosts =
        ["localhost", "registry.example.org", "a.example:8080", "x.b.example", "10.1.2.3", "evil.example"];
    for (address, settings, statuses, warns) in [
        ("127.0.0.1", &[][..], [200, 421, 421, 421, 421, 421], false),
        ("127.0.0.1", &named, [200, 200, 200, 200, 421, 421], false),
        ("0.0.0.0", &named, [200, 200, 200, 200, 200, 421], false),
        ("0.0.0.0", &[], [200; 6], true),
    ] {
        let serving = Serving::start_at(&home, address, settings);
        serving.ready().await;
        let mut told = Vec::new();
        for host in hosts {
            let asked = reqwest::Client::new().get(format!("{}/livez", serving.base)).header("host", host);
            told.push(asked.send().await.unwrap().status().as_u16());
        }
        assert_eq!(told, statuses, "{address} {settings:?}");
        assert!(serving.stop().1);
        let log = std::fs::read_to_string(home.path("serve.log")).unwrap();
        assert_eq!(log.contains(WARNING), warns, "{address} {settings:?}");
    }
}

#[tokio::test]
async fn it_outlives_its_postgres_and_its_own_violent_end() {
    let home = Home::new("killed");
    let serving = Serving::start(&home);
    serving.ready().await;
    let token = home.last(&["token", "user", "--subject", "me", "--operator"]);
    let count = "{ customers { totalCount } }";
    let create = "mutation { createCustomer(input: { name: \"City\" }) { revision } }";
    let acknowledged = serving.gql(&token, create).await;
    assert!(
        acknowledged.pointer("/data/createCustomer/revision").is_some_and(Value::is_string),
        "{acknowledged}"
    );

    // The service's Postgres is killed. The service restarts it, and acknowledged writes are there.
    let first = postmaster(&home).unwrap();
    kill_process(first, Signal::KILL).unwrap();
    let started = Instant::now();
    while postmaster(&home).is_none_or(|now| now == first) {
        assert!(started.elapsed() < DEADLINE, "Postgres is not restarted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    serving.ready().await;
    let answer = loop {
        let answer = serving.gql(&token, count).await;
        if answer.get("errors").is_none() {
            break answer;
        }
        // A connection from before may fail once, with a retryable error.
        assert_eq!(answer.pointer("/errors/0/extensions/code"), Some(&json!("UNAVAILABLE")), "{answer}");
        assert!(started.elapsed() < DEADLINE, "the service does not recover");
    };
    assert_eq!(answer.pointer("/data/customers/totalCount"), Some(&json!(1)));

    // The service itself is killed. The next one adopts the Postgres left behind, and stops it at its own end.
    drop(serving);
    assert!(postmaster(&home).is_some());
    let again = Serving::start(&home);
    again.ready().await;
    assert_eq!(again.gql(&token, count).await.pointer("/data/customers/totalCount"), Some(&json!(1)));
    let (_, well) = again.stop();
    assert!(well);
    assert_eq!(postmaster(&home), None, "the last service stops Postgres");
}
