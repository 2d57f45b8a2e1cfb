//! Checks the files below `deploy/` against the binary and the documents: every setting, flag, port, path and secret that
//! they name exists. `deploy/planted.rs` plants mistakes and checks that each is found. Starts no engine and no service.

#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests read what Python has parsed of our own files")]

#[path = "deploy/image.rs"]
mod image;
#[path = "deploy/planted.rs"]
mod planted;
#[path = "deploy/program_run.rs"]
mod program_run;
#[path = "deploy/tools.rs"]
mod tools;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use program_run::ProgramRun;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_agent-registry");
/// The port of the service in every file.
const PORT: u64 = 8080;
/// The seconds within which the service stops: eight for requests that are running, and then its connections.
const STOPS_WITHIN: u64 = 10;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|err| panic!("{path}: {err}"))
}

/// The documents of a YAML file, as PyYAML reads them: YAML 1.1, like Kubernetes and Compose.
fn yaml(path: &str) -> Vec<Value> {
    let python = root().join("tests/.venv/bin/python");
    assert!(python.exists(), "run `scripts/setup test`, as `make test` does");
    let program =
        "import json, sys, yaml; json.dump(list(yaml.safe_load_all(open(sys.argv[1]))), sys.stdout)";
    let output = Command::new(python).args(["-c", program, path]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The paths of the files below `deploy/` that end so, without the secrets that somebody has made.
fn files(end: &str) -> Vec<String> {
    let walk = walkdir::WalkDir::new(root().join("deploy")).sort_by_file_name().into_iter();
    let walk =
        walk.filter_entry(|entry| entry.file_name() != "secrets").map(|entry| entry.unwrap().into_path());
    let paths = walk.filter(|path| path.is_file());
    let paths = paths.map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
    paths.filter(|path| path.ends_with(end)).collect()
}

/// The settings and flags of a command, from its `--help`.
struct Help {
    settings: BTreeSet<String>,
    flags: BTreeSet<String>,
}

impl Help {
    /// `None` when there is no such command.
    fn of(command: &str) -> Option<Help> {
        let output = Command::new(PROGRAM).args([command, "--help"]).stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let settings = text.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next());
        let words = text.lines().map(str::trim).filter(|line| line.starts_with('-'));
        let words = words.flat_map(|line| line.split([' ', ',']));
        let flags = words.filter(|word| word.starts_with("--")).map(str::to_owned).collect();
        output.status.success().then(|| Help { settings: settings.map(str::to_owned).collect(), flags })
    }
}

/// All places where the files run the program.
fn runs() -> Vec<ProgramRun> {
    let compose = yaml("deploy/compose.yaml");
    let compose = program_run::in_compose(&compose[0]);
    let units = files(".service").into_iter().map(|path| program_run::in_unit(&path, &read(&path)));
    let kubernetes = ["deploy/kubernetes/base", "deploy/kubernetes/migrate"].into_iter().flat_map(|folder| {
        let documents = files(".yaml").into_iter().filter(|path| path.starts_with(folder));
        let documents: Vec<Value> = documents.flat_map(|path| yaml(&path)).collect();
        program_run::in_kubernetes(folder, &documents, &made_secrets(&read("deploy/README.md")))
    });
    compose.into_iter().chain(units).chain(kubernetes).collect()
}

/// The keys of each secret of Kubernetes that the commands of the README make.
fn made_secrets(readme: &str) -> BTreeMap<String, Vec<String>> {
    let commands = readme.lines().filter_map(|line| line.strip_prefix("kubectl create secret generic "));
    let made = commands.map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default().to_owned();
        (name, words.filter_map(|word| word.strip_prefix("--from-file=")).map(str::to_owned).collect())
    });
    made.collect()
}

/// The words of a text that are written as settings are, and that no command knows.
fn unknown_settings<'a>(text: &'a str, known: &BTreeSet<String>) -> Vec<&'a str> {
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
    words.filter(|word| word.contains('_') && word.len() > 3 && !known.contains(*word)).collect()
}

#[test]
fn each_run_names_what_exists() {
    let runs = runs();
    let commands: Vec<&str> = runs.iter().map(ProgramRun::command).collect();
    let count = |command: &str| commands.iter().filter(|one| **one == command).count();
    assert_eq!((count("serve"), count("migrate"), runs.len()), (4, 3, 7), "{commands:?}");
    let faults: Vec<String> = runs.iter().flat_map(ProgramRun::faults).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_readme_names_what_exists() {
    let readme = read("deploy/README.md");
    let known: BTreeSet<String> =
        ["serve", "migrate"].into_iter().flat_map(|command| Help::of(command).unwrap().settings).collect();
    assert_eq!(unknown_settings(&readme, &known), [""; 0]);
    let commands = readme.split("agent-registry console ").skip(1);
    let console = Help::of("console").unwrap();
    let flags = commands.filter_map(|rest| rest.split_whitespace().next());
    let flags: Vec<&str> = flags.collect();
    assert!(flags.len() > 2 && flags.iter().all(|flag| console.flags.contains(*flag)), "{flags:?}");
    let words = readme.split([' ', '\n', '`']).map(|word| word.trim_end_matches(['.', ',', ':', ';']));
    for path in words.filter(|word| word.starts_with("deploy/") && *word != "deploy/compose/secrets") {
        assert!(root().join(path).exists(), "{path}");
    }
    for link in readme.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
        assert!(root().join("deploy").join(link).exists(), "{link}");
    }
}

#[test]
fn ports_and_paths_are_those_of_the_documents() {
    assert!(read("docs/operations.md").contains(&format!("| `LISTEN` | 127.0.0.1:{PORT} |")));
    assert!(read("docs/operations.md").contains("waits up to eight seconds"), "see STOPS_WITHIN");
    let reference = read("docs/reference.md");
    let compose = yaml("deploy/compose.yaml").remove(0);
    let ready = compose.pointer("/services/ready/healthcheck/test/1").unwrap().as_str().unwrap();
    assert!(ready.contains(&format!(":{PORT}/readyz")), "{ready}");
    for instance in ["registry-1", "registry-2"] {
        assert!(ready.contains(instance), "{ready}");
        let port = compose.pointer(&format!("/services/{instance}/ports/0")).unwrap().as_str().unwrap();
        assert!(port.starts_with("127.0.0.1:") && port.ends_with(&format!(":{PORT}")), "{port}");
    }
    let deployment = yaml("deploy/kubernetes/base/deployment.yaml").remove(0);
    let container = deployment.pointer("/spec/template/spec/containers/0").unwrap();
    assert_eq!(container.pointer("/ports/0/containerPort").unwrap(), PORT);
    let name = container.pointer("/ports/0/name").unwrap();
    for (probe, path) in [("startup", "/livez"), ("liveness", "/livez"), ("readiness", "/readyz")] {
        let asked = container.pointer(&format!("/{probe}Probe/httpGet")).unwrap();
        assert_eq!((&asked["path"], &asked["port"]), (&Value::from(path), name), "{probe}");
        assert!(reference.contains(&format!("| `GET {path}` |")), "{path}");
    }
    // The start may take as long as it waits for the database.
    let waits = |field: &str| container.pointer(&format!("/startupProbe/{field}")).unwrap().as_u64().unwrap();
    assert!(waits("periodSeconds") * waits("failureThreshold") > 60);
    let service = yaml("deploy/kubernetes/base/service.yaml").remove(0);
    assert_eq!(service.pointer("/spec/ports/0/targetPort").unwrap(), name);
    let policy = yaml("deploy/kubernetes/base/networkpolicy.yaml").remove(0);
    assert_eq!(policy.pointer("/spec/ingress/0/ports/0/port").unwrap(), PORT);
}

#[test]
fn all_selectors_find_the_pods() {
    let deployment = yaml("deploy/kubernetes/base/deployment.yaml").remove(0);
    let labels = deployment.pointer("/spec/template/metadata/labels").unwrap();
    assert_eq!(deployment.pointer("/spec/selector/matchLabels").unwrap(), labels);
    for spread in
        deployment.pointer("/spec/template/spec/topologySpreadConstraints").unwrap().as_array().unwrap()
    {
        assert_eq!(spread.pointer("/labelSelector/matchLabels").unwrap(), labels);
    }
    for (file, selector) in [
        ("service", "/spec/selector"),
        ("poddisruptionbudget", "/spec/selector/matchLabels"),
        ("networkpolicy", "/spec/podSelector/matchLabels"),
    ] {
        let object = yaml(&format!("deploy/kubernetes/base/{file}.yaml")).remove(0);
        assert_eq!(object.pointer(selector).unwrap(), labels, "{file}");
    }
    let job = yaml("deploy/kubernetes/migrate/job.yaml").remove(0);
    let labels = job.pointer("/spec/template/metadata/labels").unwrap();
    let policy = yaml("deploy/kubernetes/migrate/networkpolicy.yaml").remove(0);
    assert_eq!(policy.pointer("/spec/podSelector/matchLabels").unwrap(), labels);
}

#[test]
fn the_roles_are_those_of_the_documents() {
    let creates = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("CREATE ")).map(str::to_owned).collect()
    };
    let documents = read("docs/operations.md");
    let shown = documents.split("### Who migrates").next().unwrap();
    let made = read("deploy/compose/roles.sql").replace(":'owner_password'", "'…'");
    let made = made.replace(":'serving_password'", "'…'");
    assert_eq!(creates(&made), creates(shown));
    assert_eq!(creates(shown).len(), 3);
}
