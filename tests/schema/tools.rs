//! Checks the schema with npm's tools, in the versions of tests/package.json.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Runs Node in this folder of the repository. Returns whether it succeeded, and what it printed.
fn node(folder: &str, args: &[&str]) -> (bool, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(root.join("tests/node_modules").exists(), "run `npm ci` in tests, as `make test` does");
    let mut command = Command::new("node");
    command.current_dir(root.join(folder)).args(args).stderr(Stdio::inherit());
    let output = command.output().expect("node");
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn graphql_eslint_finds_nothing() {
    let eslint = "tests/node_modules/eslint/bin/eslint.js";
    let config = "tests/conformance/eslint.config.mjs";
    let documents = "tests/conformance/clients/scenario.graphql";
    let found = node(".", &[eslint, "--config", config, "--max-warnings", "0", "schema.graphql", documents]);
    assert_eq!(found, (true, String::new()));
}

#[test]
fn generated_typescript_compiles() {
    let said = node("tests/conformance/typed", &["codegen.mjs"]);
    assert_eq!(said, (true, String::new()));
    let found = node("tests/conformance/typed", &["../../node_modules/typescript/bin/tsc", "-p", "."]);
    assert_eq!(found, (true, String::new()));
}

#[test]
fn redocly_finds_nothing_in_the_description_of_rest() {
    let lint = |description: &str| node("tests/conformance", &["redocly.mjs", description]);
    assert_eq!(lint("../../docs/openapi.json"), (true, String::new()));
    let planted = include_str!("../../docs/openapi.json").replacen(
        "\"url\": \"/\"",
        "\"url\": \"https://example.com\"",
        1,
    );
    let planted = planted.replacen("\"security\": []", "\"x-security\": []", 1);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("redocly.json");
    std::fs::write(&file, planted).unwrap();
    let (is_well, said) = lint(file.to_str().unwrap());
    assert!(
        !is_well && said.contains("no-server-example.com") && said.contains("security-defined"),
        "{said}"
    );
}

#[test]
fn what_breaks_clients_is_named_in_the_changelog() {
    let (is_well, said) = node("tests/conformance", &["--test", "--test-reporter=tap", "breaking.test.mjs"]);
    assert!(is_well && said.contains("# pass 13\n"), "{said}");
    let schemas = ["--released", "released.graphql", "--schema", "../../schema.graphql"];
    let changelog = ["--changelog", "../../CHANGELOG.md"];
    let unnamed = node("tests/conformance", &[&["breaking.mjs"], &schemas[..], &changelog].concat());
    assert_eq!(
        unnamed,
        (true, String::new()),
        "name the change in CHANGELOG.md by its coordinate, see docs/conformance.md"
    );
}

#[test]
fn the_cases_judged_by_graphql_js_are_what_is_generated() {
    let tests = ["--test", "--test-reporter=tap", "differential.test.mjs"];
    let (is_well, said) = node("tests/conformance/differential", &tests);
    assert!(is_well && said.contains("# pass 11\n"), "{said}");
}
