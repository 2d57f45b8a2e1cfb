//! Finds where a file runs the program: its arguments, its settings, and the secrets that it can read. Judges each run.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Help, PORT, STOPS_WITHIN};

/// One place that runs the program.
#[derive(Clone, Debug)]
pub(super) struct ProgramRun {
    /// The file, and the name of the service or container in it.
    pub(super) place: String,
    pub(super) arguments: Vec<String>,
    pub(super) settings: BTreeMap<String, String>,
    /// The files that the program can read.
    pub(super) secrets: Vec<String>,
    /// The seconds between SIGTERM and SIGKILL, less what passes before SIGTERM. `None` for a run that ends by itself.
    pub(super) stop: Option<u64>,
    /// Why the program has more rights than it needs.
    pub(super) excess: Vec<&'static str>,
}

impl ProgramRun {
    pub(super) fn command(&self) -> &str {
        self.arguments.first().map_or("", String::as_str)
    }

    /// The faults, a line each: names that don't exist, and values that don't fit.
    pub(super) fn faults(&self) -> Vec<String> {
        let place = &self.place;
        let Some(help) = Help::of(self.command()) else {
            return vec![format!("{place}: no such command: {:?}", self.arguments)];
        };
        let mut faults: Vec<String> = self.excess.iter().map(|why| (*why).to_owned()).collect();
        let flags = self.arguments.iter().skip(1);
        let unknown = flags.filter(|flag| !help.flags.contains(*flag));
        faults.extend(unknown.map(|flag| format!("no such flag: {flag}")));
        for (name, value) in &self.settings {
            if !help.settings.contains(name) {
                faults.push(format!("no such setting: {name}"));
            }
            if (name.ends_with("_FILE") || name == "SIGNING_KEY") && !self.secrets.contains(value) {
                faults.push(format!("{name} names a file that isn't there: {value}"));
            }
            if name == "LISTEN" && !value.ends_with(&format!(":{PORT}")) {
                faults.push(format!("another port than {PORT}: {value}"));
            }
            if value.contains("://") && name.contains("DATABASE_URL") {
                faults.push(format!("{name} has the URL itself; name a file"));
            }
        }
        let has = |name: &str| self.settings.contains_key(name);
        if !has("DATABASE_URL_FILE") {
            faults.push("no DATABASE_URL_FILE".to_owned());
        }
        // The owner's URL is for the run that migrates, and for no other.
        if has("MIGRATE_DATABASE_URL_FILE") != (self.command() == "migrate") {
            faults.push("the owner's URL belongs to `migrate` alone".to_owned());
        }
        if self.command() == "serve" && !self.arguments.iter().any(|flag| flag == "--no-migrate") {
            faults.push("`serve` without --no-migrate".to_owned());
        }
        if self.command() == "serve" && self.stop.is_none_or(|seconds| seconds < STOPS_WITHIN) {
            faults.push(format!("{:?} seconds to stop; the service takes up to {STOPS_WITHIN}", self.stop));
        }
        faults.into_iter().map(|fault| format!("{place}: {fault}")).collect()
    }
}

/// The text of a scalar, or nothing.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

fn seconds(text: &str) -> Option<u64> {
    text.strip_suffix('s').and_then(|number| number.parse().ok())
}

/// The services of a compose file that run the image.
pub(super) fn in_compose(file: &Value) -> Vec<ProgramRun> {
    let services = file["services"].as_object().unwrap().iter();
    let ours = services.filter(|(_, service)| text(&service["image"]).starts_with("agent-registry:"));
    let runs = ours.map(|(name, service)| {
        let settings = service["environment"].as_object().into_iter().flatten();
        let secrets = texts(&service["secrets"]).into_iter();
        let declared = secrets.filter(|secret| file["secrets"][secret]["file"].is_string());
        let excess = [
            (service["read_only"] != true, "its root can be written to"),
            (texts(&service["cap_drop"]) != ["ALL"], "it keeps capabilities"),
            (texts(&service["security_opt"]) != ["no-new-privileges:true"], "it may gain rights"),
        ];
        ProgramRun {
            place: format!("deploy/compose.yaml: {name}"),
            arguments: texts(&service["command"]),
            settings: settings.map(|(name, value)| (name.clone(), text(value))).collect(),
            secrets: declared.map(|secret| format!("/run/secrets/{secret}")).collect(),
            stop: service["stop_grace_period"].as_str().and_then(seconds),
            excess: whys(&excess),
        }
    });
    runs.collect()
}

/// The run of a systemd unit.
pub(super) fn in_unit(path: &str, unit: &str) -> ProgramRun {
    let values = |key: &str| -> Vec<String> {
        let lines = unit.lines().filter_map(|line| line.split_once('='));
        lines.filter(|(name, _)| *name == key).map(|(_, value)| value.to_owned()).collect()
    };
    let start = values("ExecStart").concat();
    let settings = values("Environment").into_iter();
    let settings = settings
        .filter_map(|line| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())));
    let credentials = values("LoadCredential").into_iter();
    let credentials =
        credentials.filter_map(|line| line.split_once(':').map(|(name, _)| format!("%d/{name}")));
    let is = |key: &str, value: &str| values(key) == [value];
    let excess = [
        (!is("DynamicUser", "yes"), "its user stays"),
        (!is("CapabilityBoundingSet", ""), "it keeps capabilities"),
        (!is("NoNewPrivileges", "yes"), "it may gain rights"),
        (!is("ProtectSystem", "strict"), "it can write to the system"),
    ];
    ProgramRun {
        place: path.to_owned(),
        arguments: start.split_whitespace().skip(1).map(str::to_owned).collect(),
        settings: settings.collect(),
        secrets: credentials.collect(),
        stop: values("TimeoutStopSec").first().and_then(|value| seconds(value)),
        excess: whys(&excess),
    }
}

/// The containers of a folder's deployments and jobs. `made` has the keys of each secret that exists.
pub(super) fn in_kubernetes(
    folder: &str,
    documents: &[Value],
    made: &BTreeMap<String, Vec<String>>,
) -> Vec<ProgramRun> {
    let generated =
        documents.iter().flat_map(|one| one["configMapGenerator"].as_array().into_iter().flatten());
    let maps: BTreeMap<String, Vec<String>> =
        generated.map(|map| (text(&map["name"]), texts(&map["literals"]))).collect();
    let pods = documents.iter().filter_map(|one| one.pointer("/spec/template/spec").map(|pod| (one, pod)));
    let runs = pods.map(|(object, pod)| {
        let container = &pod["containers"][0];
        let literals = container["envFrom"].as_array().into_iter().flatten();
        let literals =
            literals.filter_map(|source| maps.get(source.pointer("/configMapRef/name")?.as_str()?));
        let literals = literals.flatten().filter_map(|line| line.split_once('='));
        let literals = literals.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let named = container["env"].as_array().into_iter().flatten();
        let named = named.map(|one| (text(&one["name"]), text(&one["value"])));
        let pause = container.pointer("/lifecycle/preStop/sleep/seconds").and_then(Value::as_u64);
        let grace = pod["terminationGracePeriodSeconds"].as_u64();
        ProgramRun {
            place: format!("{folder}: {}", text(&object["kind"])),
            arguments: texts(&container["args"]),
            settings: literals.chain(named).collect(),
            secrets: mounted(pod, made),
            stop: grace.map(|grace| grace.saturating_sub(pause.unwrap_or_default())),
            excess: whys(&beyond_restricted(pod)),
        }
    });
    runs.collect()
}

/// The files of secrets that a pod's first container sees.
fn mounted(pod: &Value, made: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mounts = pod["containers"][0]["volumeMounts"].as_array().into_iter().flatten();
    let files = mounts.flat_map(|mount| {
        let mut volumes = pod["volumes"].as_array().into_iter().flatten();
        let volume = volumes.find(|volume| volume["name"] == mount["name"]);
        let secret = volume.and_then(|volume| volume.pointer("/secret/secretName")?.as_str());
        let keys = secret.and_then(|secret| made.get(secret)).into_iter().flatten();
        keys.map(|key| format!("{}/{key}", text(&mount["mountPath"]))).collect::<Vec<_>>()
    });
    files.collect()
}

/// The rules of the security standard `restricted`, and what the pods promise beyond it.
fn beyond_restricted(pod: &Value) -> [(bool, &'static str); 8] {
    let at = |path: &str| pod.pointer(path).cloned().unwrap_or_default();
    let container = |path: &str| at(&format!("/containers/0/{path}"));
    [
        (at("/securityContext/runAsNonRoot") != true, "it may be root"),
        (at("/securityContext/seccompProfile/type") != "RuntimeDefault", "it has all system calls"),
        (container("securityContext/allowPrivilegeEscalation") != false, "it may gain rights"),
        (texts(&container("securityContext/capabilities/drop")) != ["ALL"], "it keeps capabilities"),
        (container("securityContext/readOnlyRootFilesystem") != true, "its root can be written to"),
        (at("/automountServiceAccountToken") != false, "it has a token of Kubernetes"),
        (container("resources/limits/memory").is_null(), "it has no limit of memory"),
        (container("resources/requests/memory").is_null(), "it has no request for memory"),
    ]
}

fn whys(rules: &[(bool, &'static str)]) -> Vec<&'static str> {
    rules.iter().filter(|(is_broken, _)| *is_broken).map(|(_, why)| *why).collect()
}
