//! Checks which features of serde_json the build enables. Some features give a special meaning to keys in the
//! input. Before a new one is listed here, `json-reader` must reject its key.

use std::process::Command;

/// Features that `json-reader` rejects the keys of, and features without special keys.
const KNOWN: &[&str] = &["alloc", "default", "float_roundtrip", "raw_value", "std"];

/// Parses the output of `cargo tree`: the features of the service's own serde_json, and those of the build-time
/// one.
fn features(printed: &str) -> Vec<&str> {
    let lines = printed.lines().filter_map(|line| line.strip_prefix("serde_json "));
    lines.flat_map(|features| features.split(',')).filter(|name| !name.is_empty()).collect()
}

#[test]
fn serde_json_has_no_feature_that_is_not_known_here() {
    let mut tree = Command::new(env!("CARGO"));
    let tree = tree.args(["tree", "--offline", "--package", "agent-registry", "--edges", "normal,build"]);
    let tree = tree.args(["--invert", "serde_json", "--depth", "0", "--format", "{lib} {f}"]);
    let printed = tree.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let printed = String::from_utf8(printed.stdout).unwrap();
    let unknown: Vec<&str> = features(&printed).into_iter().filter(|name| !KNOWN.contains(name)).collect();
    assert!(unknown.is_empty(), "serde_json has features that `KNOWN` doesn't list: {unknown:?}");
    // `raw_value` is on, so serde_json itself would give its key a special meaning. That's why `json-reader`
    // rejects it.
    assert!(features(&printed).contains(&"raw_value"), "{printed}");
    let planted = features("serde_json arbitrary_precision,std\n\nserde_json default\n");
    assert_eq!(planted, ["arbitrary_precision", "std", "default"]);
}
