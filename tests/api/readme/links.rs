//! Every relative link of a document leads to a file, and its anchor to a heading.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::book::{BOOK, INDEX};

/// The documents whose links are followed.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let outside = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "deploy/README.md"]
        .into_iter()
        .map(|name| root.join(name));
    let inside = walkdir::WalkDir::new(root.join("docs")).into_iter().map(|entry| entry.unwrap().into_path());
    outside.chain(inside.filter(|path| path.extension().is_some_and(|end| end == "md"))).collect()
}

/// The lines of a document outside its fenced blocks.
fn prose(text: &str) -> Vec<&str> {
    let mut is_code = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        !is_fence && !is_code
    });
    lines.collect()
}

/// The text without its code spans.
fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect()
}

/// The relative links of a document.
fn links(text: &str) -> Vec<String> {
    let prose = without_code(&prose(text).join("\n"));
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    links.filter(|link| !link.contains("://")).map(str::to_owned).collect()
}

/// The anchors of a document's headings, made as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for line in prose(text).into_iter().filter(|line| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let anchor: String = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let twin = (1..).map(|nth| format!("{anchor}-{nth}")).find(|twin| !anchors.contains(twin));
        anchors.insert(if anchors.contains(&anchor) { twin.unwrap_or_default() } else { anchor });
    }
    anchors
}

#[test]
fn every_link_leads_somewhere() {
    let mut lost = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target =
                if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            let has_anchor = || fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(anchor));
            if !target.exists() || !(anchor.is_empty() || has_anchor()) {
                lost.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(lost.is_empty(), "links that lead nowhere: {lost:#?}");
}

#[test]
fn the_index_has_each_page() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = files.filter(|name| name.ends_with(".md") && name != "README.md").collect();
    let pages = BOOK.map(|page| page.path.trim_start_matches("docs/").to_owned()).into();
    assert_eq!(files, pages, "the tests know each page");
    let listed: BTreeSet<String> = links(INDEX.text).into_iter().collect();
    assert_eq!(files.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new(), "the index lists each");
}

#[test]
fn anchors_are_those_of_github() {
    let text = "# A `gap`\n## What's it? (1…n)\n## Same\n## Same\n```\n# code\n```\n";
    let anchors: Vec<String> = anchors(text).into_iter().collect();
    assert_eq!(anchors, ["a-gap", "same", "same-1", "whats-it-1n"]);
}
