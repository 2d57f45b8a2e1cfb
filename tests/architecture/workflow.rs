//! The workflows of CI: each action is pinned by a commit, so that a moved tag can't change what runs.

use std::path::Path;

/// The lines that use an action without a full commit hash and the version in a comment.
fn unpinned(workflow: &str) -> Vec<&str> {
    let used = workflow.lines().map(|line| line.trim().trim_start_matches("- "));
    let used = used.filter_map(|line| line.strip_prefix("uses: "));
    used.filter(|action| {
        let pinned = action.split_once('@').and_then(|(_, pin)| pin.split_once(" # v"));
        !pinned.is_some_and(|(hash, version)| {
            hash.len() == 40
                && hash.chars().all(|digit| digit.is_ascii_hexdigit())
                && version.starts_with(|digit: char| digit.is_ascii_digit())
        })
    })
    .collect()
}

#[test]
fn every_action_is_pinned_by_its_commit() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows");
    let mut seen = 0;
    for entry in walkdir::WalkDir::new(folder) {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|end| end == "yml" || end == "yaml") {
            assert_eq!(unpinned(&std::fs::read_to_string(&path).unwrap()), [""; 0], "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 0, "no workflows were found");
    let hash = "3d3c42e5aac5ba805825da76410c181273ba90b1";
    let planted = format!(
        "- uses: a/b@v7\n  uses: a/b@{hash}\n- uses: a/b@3d3c42e # v7.0.1\n- uses: a/b@{hash} # v7.0.1\n"
    );
    assert_eq!(unpinned(&planted).len(), 3);
}
