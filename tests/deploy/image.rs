//! The Containerfile: its last stage runs what the binary has, and the build gets each file that the sources include.

use std::path::{Component, Path, PathBuf};

use super::{Help, PORT, files, read, root, yaml};

/// The words after an instruction, at each of its places in the last stage.
fn last_stage<'a>(containerfile: &'a str, instruction: &str) -> Vec<&'a str> {
    let stage = containerfile.rsplit("\nFROM ").next().unwrap_or_default();
    let lines = stage.lines().filter_map(|line| line.strip_prefix(instruction));
    lines.filter_map(|rest| rest.strip_prefix(' ')).collect()
}

#[test]
fn the_image_runs_what_exists() {
    let file = read("deploy/container/Containerfile");
    let help = Help::of("serve").unwrap();
    let settings = last_stage(&file, "ENV");
    assert_eq!(settings, [format!("LISTEN=0.0.0.0:{PORT}")]);
    assert!(help.settings.contains("LISTEN"));
    assert_eq!(last_stage(&file, "EXPOSE"), [PORT.to_string()]);
    assert_eq!(last_stage(&file, "CMD"), [r#"["serve"]"#]);
    assert_eq!(last_stage(&file, "ENTRYPOINT"), [r#"["/usr/local/bin/agent-registry"]"#]);
    assert_eq!(last_stage(&file, "RUN"), [""; 0], "the base image has no shell");
    // An image with a health check needs a command for it.
    assert_eq!(last_stage(&file, "HEALTHCHECK").is_empty(), Help::of("health").is_none());
    let user = last_stage(&file, "USER").concat();
    for pod in ["base/deployment.yaml", "migrate/job.yaml"] {
        let object = yaml(&format!("deploy/kubernetes/{pod}")).remove(0);
        let number = |name: &str| {
            object.pointer(&format!("/spec/template/spec/securityContext/{name}")).unwrap().as_u64().unwrap()
        };
        assert_eq!(format!("{}:{}", number("runAsUser"), number("runAsGroup")), user, "{pod}");
    }
}

#[test]
fn all_files_name_this_release() {
    let (file, version) = (read("deploy/container/Containerfile"), env!("CARGO_PKG_VERSION"));
    assert!(file.contains(&format!("\nARG VERSION={version}\n")));
    let toolchain = read("rust-toolchain.toml");
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap();
    assert!(file.contains(&format!("\nARG RUST_VERSION={}\n", channel.trim_matches('"'))));
    for path in files(".yaml").into_iter().chain(["deploy/README.md".to_owned()]) {
        let text = read(&path);
        let tags = text
            .split("agent-registry:")
            .skip(1)
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let tags = tags.chain(text.split("newTag: ").skip(1));
        for tag in tags.filter_map(|rest| rest.split_whitespace().next()) {
            assert_eq!(tag, version, "{path}");
        }
    }
}

/// The path without `..`, from the root of the repository.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            normal.pop();
        } else {
            normal.push(part);
        }
    }
    normal
}

/// The paths that a source of the program includes, with the beginning of a path that a macro completes.
fn included(file: &Path, source: &str) -> Vec<PathBuf> {
    let folder = file.parent().unwrap();
    let calls = source.match_indices("include_").map(|(at, _)| &source[at..]);
    let calls = calls.filter(|rest| rest.starts_with("include_str!(") || rest.starts_with("include_bytes!("));
    let names = calls.filter_map(|rest| rest.split('"').nth(1));
    names.map(|name| normal(&folder.join(name))).collect()
}

/// Whether an entry of the list of files lets this path into the build.
fn is_let_in(dockerignore: &str, path: &Path) -> bool {
    let mut entries = dockerignore.lines().filter_map(|line| line.strip_prefix('!'));
    dockerignore.lines().any(|line| line == "*") && entries.any(|entry| path.starts_with(entry))
}

#[test]
fn the_build_gets_each_file_that_it_includes() {
    let list = read(".dockerignore");
    let mut seen = 0;
    for folder in ["src", "crates", "migration/src"] {
        for entry in walkdir::WalkDir::new(root().join(folder)) {
            let path = entry.unwrap().into_path();
            let file = path.strip_prefix(root()).unwrap().to_path_buf();
            let is_test =
                file.ends_with("tests.rs") || file.components().any(|part| part.as_os_str() == "tests");
            if file.extension().is_some_and(|end| end == "rs") && !is_test {
                for included in included(&file, &std::fs::read_to_string(&path).unwrap()) {
                    assert!(
                        is_let_in(&list, &included),
                        "{} includes {}",
                        file.display(),
                        included.display()
                    );
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 5, "{seen} includes were found");
    for file in ["Cargo.toml", "Cargo.lock", "build.rs", "src/main.rs", "assets/console", "benches"] {
        assert!(is_let_in(&list, Path::new(file)), "{file}");
    }
    for secret in [".git", "target", "deploy/compose/secrets/signing-key.pem", "data"] {
        assert!(!is_let_in(&list, Path::new(secret)), "{secret}");
    }
}
