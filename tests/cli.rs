//! Tests of the program on the command line: the real binary, with a private Postgres in its own folder.

#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests parse the service's own responses")]

#[expect(dead_code, reason = "the service's tests use all of this module")]
#[path = "api/support/cluster.rs"]
mod cluster;
#[path = "cli/console.rs"]
mod console;
#[path = "cli/environment.rs"]
mod environment;
#[path = "cli/exit_code.rs"]
mod exit_code;
#[path = "cli/gone.rs"]
mod gone;
#[path = "cli/issuer.rs"]
mod issuer;
#[path = "cli/member.rs"]
mod member;
#[path = "cli/migrating.rs"]
mod migrating;
#[path = "cli/password.rs"]
mod password;
#[path = "cli/plan.rs"]
mod plan;
#[path = "cli/pooler.rs"]
mod pooler;
#[expect(dead_code, reason = "the service's tests use all of this module")]
#[path = "api/support/proxy.rs"]
mod proxy;
#[path = "cli/replica.rs"]
mod replica;
#[path = "cli/secret.rs"]
mod secret;
#[path = "cli/serve.rs"]
mod serve;
#[path = "cli/start.rs"]
mod start;
#[path = "cli/token.rs"]
mod token;
#[path = "cli/transfer.rs"]
mod transfer;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_agent-registry");
const PROMPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/prompts.jsonl");
const SETTINGS: [&str; 24] = [
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "MIGRATE_DATABASE_URL",
    "MIGRATE_DATABASE_URL_FILE",
    "WAIT_FOR_DATABASE",
    "NO_MIGRATE",
    "TOKEN_FILE",
    "SIGNING_KEY",
    "LISTEN",
    "JWT_ISSUER",
    "JWT_AUDIENCE",
    "JWT_ISSUERS",
    "JWT_JWKS",
    "JWT_CLIENT_ID",
    "JWT_CLIENT_SECRET",
    "JWT_CLIENT_SECRET_FILE",
    "JWT_CLIENT_SCOPES",
    "TRUSTED_DOCUMENTS",
    "TLS_CERT",
    "TLS_KEY",
    "CORS_ORIGINS",
    "PUBLIC_URL",
    "ALLOWED_HOSTS",
    "CONNECTIONS",
];

/// A temporary data folder, removed when it is dropped. The Postgres server's user can enter it when the tests run as root.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let home = std::env::temp_dir().join(format!("ar-cli-{name}-{}", std::process::id()));
        std::fs::create_dir(&home).unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(&home, open).unwrap();
        Self(home)
    }

    fn run(&self, args: &[&str]) -> Output {
        self.run_with(&[], args)
    }

    /// Runs the program with these settings in its environment.
    fn run_with(&self, settings: &[(&str, &str)], args: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        for setting in SETTINGS {
            command.env_remove(setting);
        }
        let command = command.args(args).stdin(Stdio::null()).env("DATA_DIR", &self.0).env("LOG", "warn");
        command.envs(settings.iter().copied()).output().unwrap()
    }

    /// Runs the program, which must succeed. Returns its output.
    fn output_of(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the program, which must succeed. Returns the last line of its output.
    fn last(&self, args: &[&str]) -> String {
        self.output_of(args).lines().last().unwrap().to_owned()
    }

    /// Runs the program, which must fail. Returns its exit code and its error output.
    fn complaint(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(args);
        assert!(output.stdout.is_empty(), "{args:?} printed something");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        // A service that was killed leaves its marker beside the folder.
        if let Some(name) = self.0.file_name().and_then(std::ffi::OsStr::to_str) {
            let _ = std::fs::remove_file(self.0.with_file_name(format!(".{name}.agent-registry")));
        }
    }
}

#[test]
fn every_command_explains_itself() {
    let home = Home::new("help");
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    let mut seen = 0;
    while let Some(command) = open.pop() {
        let mut args: Vec<&str> = command.iter().map(String::as_str).collect();
        args.push("--help");
        let help = home.output_of(&args);
        assert!(help.contains("Usage:"), "{help}");
        seen += 1;
        let listed = help.split_once("Commands:\n").map_or("", |(_, list)| list);
        for line in listed.lines().take_while(|line| !line.is_empty()) {
            let name = line.split_whitespace().next().unwrap();
            if line.starts_with("  ") && !line.starts_with("   ") && name != "help" {
                open.push([command.clone(), vec![name.to_owned()]].concat());
            }
        }
    }
    assert!(seen >= 15, "only {seen} commands were found");
}

#[test]
fn a_bad_setting_is_one_line_and_exit_code_2() {
    let home = Home::new("setting");
    let customer = "01a20326-e777-71ce-9264-eefdca7dad0e";
    for args in [
        &["import", "/nowhere.jsonl", "--customer", customer][..],
        &["import", "/tmp", "--customer", customer],
        &["export", "--customer", customer, "--output", "/nowhere/at/all"],
        &["demo", "--url", "ftp://127.0.0.1"],
        &["serve", "--trusted-documents", "/nowhere.json"],
        &["serve", "--trusted-documents", "/tmp"],
        &["serve", "--trusted-documents", PROMPTS],
        &["serve", "--tls-cert", PROMPTS],
        &["serve", "--tls-key", PROMPTS],
        &["serve", "--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.pem"],
        &["serve", "--tls-cert", PROMPTS, "--tls-key", PROMPTS],
        &["serve", "--public-url", "registry.example.org"],
        &["serve", "--public-url", "https://registry.example.org/path"],
        &["console", "--public-url", "registry.example.org"],
        &["console", "--public-url", "https://registry.example.org/path"],
        &["serve", "--allowed-hosts", "https://registry.example.org"],
        &["serve", "--allowed-hosts", "registry.example.org:443"],
        &["serve", "--cors-origins", "*"],
        &["serve", "--cors-origins", "https://app.example.org,app.example.org"],
    ] {
        let (code, told) = home.complaint(args);
        assert_eq!((code, told.lines().count()), (2, 1), "{args:?}: {told}");
        assert!(told.starts_with("agent-registry: "), "{told}");
    }
    for args in [
        &["export", "--customer", "me"][..],
        &["export"],
        &["serve", "--listen", "nowhere"],
        &["serve", "--database-connections", "1"],
        &["serve", "--connections", "0"],
        &["schema", "--log-format", "xml"],
        &["token", "user", "--subject", "me", "--ttl", "25h"],
        &["token", "user", "--subject", "me", "--ttl", "5hh"],
        &["migrate", "--database-url", "mysql://x"],
        &["migrate", "--database-url", "nonsense"],
        &["serve", "--log", "agent_registry=loud"],
        &["operator", "list", "--signing-key", "/dev/null"],
        &["import", PROMPTS, "--customer", customer, "--exact", "--activate"],
        &["import", PROMPTS, "--customer", customer, "--format", "csv"],
        &["nonsense"],
        &["serve", "--nonsense"],
    ] {
        let (code, told) = home.complaint(args);
        assert_eq!((code, told.lines().count()), (2, 1), "{args:?}: {told}");
        assert!(told.starts_with("agent-registry: "), "{told}");
    }
    let nobody = [
        "migrate",
        "--wait-for-database",
        "0s",
        "--database-url",
        "postgres://me:secret@127.0.0.1:9/registry",
    ];
    let (code, told) = home.complaint(&nobody);
    assert_eq!(code, 5);
    assert!(told.contains("Connection refused") && !told.contains("secret"), "{told}");
}

#[test]
fn the_schema_is_the_one_in_the_repository() {
    let home = Home::new("schema");
    let written = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql"));
    assert_eq!(home.output_of(&["schema"]), written.unwrap());
}

#[test]
fn customers_tokens_import_and_export() {
    let home = Home::new("work");
    let city = home.last(&["customer", "create", "--name", "City"]);
    let town = home.last(&["customer", "create", "--name", "Town"]);
    assert_eq!(home.output_of(&["customer", "list"]), format!("{city}\tCity\n{town}\tTown\n"));

    let secret = home.last(&["token", "service", "--name", "gateway", "--scope", "activations:watch"]);
    assert!(secret.starts_with("ars_"), "{secret}");

    let done = home.last(&["import", PROMPTS, "--customer", &city]);
    assert_eq!(done, "agents created 12, updated 0, unchanged 0; versions published 34");
    let done = home.last(&["import", PROMPTS, "--customer", &city, "--activate"]);
    assert_eq!(done, "agents created 0, updated 0, unchanged 12; versions published 0");
    let file = home.path("export.jsonl");
    assert_eq!(home.output_of(&["export", "--customer", &city, "--output", &file]), "");
    let exported = std::fs::read_to_string(&file).unwrap();
    assert_eq!(home.output_of(&["export", "--customer", &city]), exported);
    home.output_of(&["import", &file, "--customer", &town]);
    assert_eq!(home.output_of(&["export", "--customer", &town]), exported);

    // A rejected export leaves the file as it was, and no temporary file.
    let (code, told) = home.complaint(&["export", "--customer", &city.replace('0', "1"), "--output", &file]);
    assert_eq!((code, told.contains("no such customer")), (1, true), "{told}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), exported);
    let left = std::fs::read_dir(&home.0).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        left.iter().all(|name| !name.to_string_lossy().starts_with(".agent-registry-export")),
        "{left:?}"
    );
}

#[test]
fn the_demo_shows_the_main_job() {
    let home = Home::new("demo");
    // No process listens on port 1.
    let report = home.output_of(&["demo", "--url", "http://127.0.0.1:1"]);
    assert!(report.contains("34 of 34 activations were received as expected"), "{report}");
    assert!(
        report.contains("Chess Player                          2 versions; version 2 serves"),
        "{report}"
    );
    let (_, audit) = report.split_once("/c/").unwrap();
    let (customer, _) = audit.split_once('\n').unwrap();
    let exported = home.output_of(&["export", "--customer", customer]);
    let agents: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(agents.len(), 12);
    for agent in agents {
        assert_eq!(agent["active"], agent["versions"].as_array().unwrap().len());
    }
}

#[test]
fn what_is_refused_half_way_is_not_done_half() {
    let home = Home::new("half");
    let nobody = "01a20326-e777-71ce-9264-eefdca7dad0e:ADMIN";
    let (code, told) =
        home.complaint(&["token", "user", "--subject", "mallory", "--operator", "--member", nobody]);
    assert_eq!((code, told.trim()), (1, "agent-registry: there is no such customer"));
    assert_eq!(home.output_of(&["operator", "list"]), "");
}

#[test]
fn who_stops_reading_causes_no_panic() {
    let home = Home::new("pipe");
    let shell = format!("{PROGRAM} schema | true; {PROGRAM} schema > /dev/full");
    let output = Command::new("sh").args(["-c", &shell]).env("DATA_DIR", &home.0).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!told.contains("panicked"), "{told}");
    if Path::new("/dev/full").exists() {
        assert!(told.contains("No space left"), "a failed write is reported: {told}");
    }
}

#[test]
fn the_log_is_proved_sealed_and_followed_offline() {
    let home = Home::new("audit");
    let customer = home.last(&["customer", "create", "--name", "City"]);
    let heads = home.path("heads");
    std::fs::write(&heads, home.output_of(&["audit", "head"])).unwrap();
    home.output_of(&["import", PROMPTS, "--customer", &customer]);
    let told = home.output_of(&["audit", "verify", "--head", &heads]);
    assert!(
        told.contains("entries verified") && told.contains("each serves the version that was activated last"),
        "{told}"
    );
    let excerpt = home.path("audit.ndjson");
    home.output_of(&["audit", "export", "--customer", &customer, "--output", &excerpt]);
    let offline = home.output_of(&["audit", "verify", "--file", &excerpt, "--head", &heads]);
    assert!(offline.contains(&customer), "{offline}");
    let whole = std::fs::read_to_string(&excerpt).unwrap();
    assert_eq!(home.output_of(&["audit", "export", "--customer", &customer]), whole);
    // A broken chain is reported in one line, with exit code 3. An unreadable file exits with 2.
    std::fs::write(&excerpt, whole.replace("agent.created", "agent.updated")).unwrap();
    let (code, said) = home.complaint(&["audit", "verify", "--file", &excerpt]);
    assert!(code == 3 && said.starts_with("agent-registry: BROKEN: "), "{code} {said}");
    std::fs::write(&excerpt, &whole[..whole.len() / 2]).unwrap();
    let (code, said) = home.complaint(&["audit", "verify", "--file", &excerpt]);
    assert!(code == 3 && said.contains("BROKEN"), "{code} {said}");
    std::fs::write(&heads, "nonsense").unwrap();
    for args in [
        &["audit", "verify", "--head", &heads][..],
        &["audit", "verify", "--head", "/nowhere/at/all"],
        &["audit", "verify", "--file", "/nowhere/at/all"],
    ] {
        let (code, said) = home.complaint(args);
        assert_eq!(code, 2, "{args:?}: {said}");
    }
    let nobody = "01a20326-e777-71ce-9264-eefdca7dad0e";
    let (code, said) = home.complaint(&["audit", "export", "--customer", nobody]);
    assert_eq!((code, said.trim()), (1, "agent-registry: there is no such customer"));
}
