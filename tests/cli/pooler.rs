//! PgBouncer in front of Postgres: session pooling works, with its default settings and where it drops the session's;
//! transaction and statement pooling are refused in words, before anything is written.

use std::{
    net::TcpListener,
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use embedded_postgres::{OWNER, SERVICE};

use super::{
    Home,
    cluster::{Database, cluster},
    serve::{DEADLINE, Serving},
    start::{empty, refused, relations},
};

/// A running PgBouncer; ended when it is dropped.
struct Pooler {
    process: Child,
    port: u16,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The name of the user who owns this file.
fn owner(file: &str) -> String {
    let owner = std::fs::metadata(file).unwrap().uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let mut named = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let line = named.find(|line| line.get(2) == Some(&owner.as_str())).expect("a user of this id");
    line[0].to_owned()
}

impl Pooler {
    async fn start(home: &Home, database: &Database, mode: &str, more: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let socket = cluster().await.socket_dir().display().to_string();
        let (file, users) = (home.path(&format!("{mode}.ini")), home.path("users.txt"));
        std::fs::write(&users, format!("\"{SERVICE}\" \"\"\n\"{OWNER}\" \"\"\n")).unwrap();
        // PgBouncer refuses to run as root, and only its owner may enter the folder of the server's socket.
        let is_root = rustix::process::geteuid().is_root();
        let user = if is_root { format!("user = {}\n", owner(&socket)) } else { String::new() };
        let text = format!(
            "[databases]\n{name} = host={socket} port=5432 dbname={name}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {users}\npool_mode = {mode}\n\
             default_pool_size = 40\n{user}{more}\n",
            name = database.name()
        );
        std::fs::write(&file, text).unwrap();
        for file in [&file, &users] {
            std::fs::set_permissions(file, PermissionsExt::from_mode(0o644)).unwrap();
        }
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/usr/local/sbin";
        let process = Command::new("pgbouncer")
            .env("PATH", path)
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer: `scripts/setup test` installs it");
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < DEADLINE, "PgBouncer doesn't listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { process, port }
    }

    fn url(&self, role: &str, database: &Database) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{}?sslmode=disable", self.port, database.name())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_pooling_serves_with_the_settings_of_the_session() {
    let home = Home::new("pooled");
    // Its default refuses the startup options; the others drop them without a word.
    for more in
        ["", "ignore_startup_parameters = options", "ignore_startup_parameters = options,extra_float_digits"]
    {
        let database = empty().await;
        let pooler = Pooler::start(&home, &database, "session", more).await;
        let (url, owner_url) = (pooler.url(SERVICE, &database), pooler.url(OWNER, &database));
        let settings = [("DATABASE_URL", url.as_str()), ("MIGRATE_DATABASE_URL", &owner_url)];
        let serving = Serving::start_with(&home, &settings);
        serving.ready().await;
        let token = home.run_with(&settings, &["token", "user", "--subject", "me", "--operator"]);
        let token = String::from_utf8(token.stdout).unwrap().lines().last().unwrap().to_owned();
        let create = "mutation { createCustomer(input: { name: \"City\" }) { revision } }";
        let made = serving.gql(&token, create).await;
        assert!(made["data"]["createCustomer"]["revision"].is_string(), "{more}: {made}");
        let count = serving.gql(&token, "{ customers { totalCount } }").await;
        assert_eq!(count["data"]["customers"]["totalCount"], 1, "{more}: {count}");
        assert!(serving.stop().1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transaction_and_statement_pooling_are_refused_and_nothing_is_written() {
    let home = Home::new("pooling");
    for mode in ["transaction", "statement"] {
        for more in ["", "ignore_startup_parameters = options", "server_round_robin = 1"] {
            let database = empty().await;
            let pooler = Pooler::start(&home, &database, mode, more).await;
            let (url, owner_url) = (pooler.url(SERVICE, &database), pooler.url(OWNER, &database));
            // The owner's connection alone is pooled, or the service's alone, or both.
            for (url, owner_url) in
                [(&url, &owner_url), (&url, &database.owner_url), (&database.url, &owner_url)]
            {
                let settings = [("DATABASE_URL", url.as_str()), ("MIGRATE_DATABASE_URL", owner_url)];
                for command in [["serve"].as_slice(), &["migrate"], &["customer", "list"]] {
                    let (_, complaint) = refused(&home, &settings, command);
                    assert!(
                        complaint.contains("Use session pooling"),
                        "{mode} {more} {command:?}: {complaint}"
                    );
                }
            }
            assert_eq!(relations(&database.admin_url).await, Vec::<String>::new(), "{mode} {more}");
        }
    }
}
