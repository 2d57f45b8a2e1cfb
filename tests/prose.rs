//! Checks the words of the house: comments, descriptions, documents and commit subjects use plain forms.
//! CONTRIBUTING.md has the rules; `prose/form.rs` lists the forms that this test rejects, each with a plain
//! alternative. It reads files and starts nothing but `scripts/subjects`. The tests of `prose/planted.rs` show that
//! each form is caught.

#![cfg(test)]

#[path = "prose/form.rs"]
mod form;
#[path = "prose/planted.rs"]
mod planted;
#[path = "prose/source.rs"]
mod source;
#[path = "prose/text.rs"]
mod text;

use std::{
    path::Path,
    process::{Command, Stdio},
};

use source::Kind;

/// The fewest words that say something about a field or an argument which its name and type don't.
const FEWEST_WORDS: usize = 3;

/// Folders and files with prose of ours.
const PLACES: [&str; 12] = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "schema.graphql",
    "docs",
    "deploy",
    "src",
    "crates",
    "migration",
    "tests",
    "benches",
    "fuzz/fuzz_targets",
];

/// Folders in [`PLACES`] that others' files are installed into.
const FOREIGN: [&str; 4] = ["node_modules", ".venv", "target", "__generated__"];

/// The files with prose, by their paths from the root, with `/` between folders.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for place in PLACES {
        let walk = walkdir::WalkDir::new(root.join(place)).sort_by_file_name().into_iter();
        let is_ours = |name: &std::ffi::OsStr| !FOREIGN.iter().any(|foreign| name == *foreign);
        for entry in walk.filter_entry(|entry| is_ours(entry.file_name())) {
            let path = entry.expect("a file or folder of the repository").into_path();
            let file = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            if Kind::of(&file).is_some() {
                files.push((file, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}

/// The faults of one file, a line each: where, what, and what to write instead.
fn faults(file: &str, text: &str) -> Vec<String> {
    let kind = Kind::of(file).expect("a file with prose");
    let found = source::passages(kind, text).into_iter().flat_map(|passage| form::found(&passage));
    found.map(|(line, what)| format!("{file}:{line}: {what}")).collect()
}

/// The descriptions of a schema that have fewer than [`FEWEST_WORDS`] words.
fn short_descriptions(file: &str, text: &str) -> Vec<String> {
    let kind = Kind::of(file).expect("a schema");
    let descriptions = source::descriptions(kind, text).into_iter();
    let short = descriptions.filter(|(_, words)| words.split_whitespace().count() < FEWEST_WORDS);
    short.map(|(line, words)| format!("{file}:{line}: \"{words}\"")).collect()
}

#[test]
fn the_prose_is_plain() {
    let files = files();
    for needed in ["README.md", "schema.graphql", "docs/openapi.json", "src/lib.rs", "tests/api/main.rs"] {
        assert!(files.iter().any(|(file, _)| file == needed), "{needed} was not read");
    }
    let faults: Vec<String> = files.iter().flat_map(|(file, text)| faults(file, text)).collect();
    assert!(faults.is_empty(), "{} sentences to write in plain words:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_description_says_something() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut short = Vec::new();
    for file in ["schema.graphql", "docs/openapi.json"] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let kind = Kind::of(file).unwrap();
        assert!(source::descriptions(kind, &text).len() > 100, "{file}: its descriptions were not found");
        short.extend(short_descriptions(file, &text));
    }
    let count = short.len();
    assert!(
        short.is_empty(),
        "{count} descriptions of fewer than {FEWEST_WORDS} words:\n{}",
        short.join("\n")
    );
}

/// Runs `scripts/subjects`; returns whether it found nothing, and what it printed.
fn subjects(args: &[&str], input: &str) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/subjects");
    let mut command = Command::new(script);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("scripts/subjects");
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_subjects_of_commits_are_imperative_and_short() {
    let (is_well, said) = subjects(&[], "");
    assert!(is_well, "{said}");
    if !said.is_empty() {
        println!("{said}");
    }
}
