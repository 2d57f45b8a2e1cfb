//! Checks the rules of docs/architecture.md: which layer may import which, and what only one layer may use. The
//! sources are parsed with `syn`, so `super::`, braces, globs, aliases, paths in expressions and the tokens inside
//! a macro all count. `architecture/planted.rs` plants each kind of violation and checks that it is found.

#![cfg(test)]

#[path = "architecture/features.rs"]
mod features;
#[path = "architecture/planted.rs"]
mod planted;
#[path = "architecture/source.rs"]
mod source;
#[path = "architecture/source_tree.rs"]
mod source_tree;
#[path = "architecture/workflow.rs"]
mod workflow;

use std::path::Path;

use source_tree::SourceTree;

/// Every layer, and the layers that it may import. `db::listen` means only that module of `db`.
#[rustfmt::skip]
const ALLOWED: &[(&str, &[&str])] = &[
    ("main",      &["cli"]),
    ("lib",       &[]),
    ("cli",       &["app", "config", "telemetry", "domain", "feed"]),
    ("app",       &["config", "telemetry", "entity", "db", "domain", "feed", "graphql", "http"]),
    ("config",    &[]),
    ("telemetry", &["config"]),
    ("cache",     &[]),
    ("id",        &[]),
    ("environment_key", &[]),
    ("clock",     &[]),
    ("task",      &[]),
    ("share",     &[]),
    ("entity",    &[]),
    ("db",        &["entity"]),
    ("domain",    &["entity", "db"]),
    ("feed",      &["domain", "db::listen"]),
    ("graphql",   &["domain", "feed"]),
    ("http",      &["domain", "feed", "graphql"]),
    ("migration", &[]),
];

/// What every layer may import too.
const SHARED: &[&str] = &["cache", "id", "environment_key", "clock", "task", "share"];

/// The crates of the web layers, of the database, and of migrations.
const WEB: &[&str] = &["axum", "async_graphql", "async_graphql_axum", "tower_http"];
const SQL: &[&str] = &["sea_orm", "sqlx", "sea_orm_migration"];
const TABLES: &[&str] = &["migration", "sea_orm_migration"];

/// The crates that a layer never names.
#[rustfmt::skip]
const BANNED: &[(&str, &[&[&str]])] = &[
    ("config",    &[WEB, SQL, TABLES]),
    ("telemetry", &[SQL, TABLES]),
    ("cache",     &[WEB, SQL, TABLES]),
    ("id",        &[WEB, TABLES]),
    ("environment_key", &[WEB, TABLES]),
    ("clock",     &[WEB, SQL, TABLES]),
    ("task",      &[WEB, SQL, TABLES]),
    ("share",     &[WEB, SQL, TABLES]),
    ("entity",    &[WEB, TABLES]),
    ("db",        &[WEB]),
    ("domain",    &[WEB, TABLES]),
    ("feed",      &[WEB, TABLES]),
    ("graphql",   &[&["axum", "async_graphql_axum", "tower_http"], SQL, TABLES]),
    ("http",      &[SQL, TABLES]),
    ("migration", &[WEB, &["agent_registry"]]),
];

/// What only one layer may use: its name, the layers, and the paths that mean it (`*` ends a prefix).
#[rustfmt::skip]
const HOMES: &[(&str, &[&str], &[&str])] = &[
    ("the environment", &["config"], &["env::var*", "env::set_var", "env::remove_var", "#arg::env"]),
    ("the time",        &["clock"],  &["Utc::now", "Local::now", "SystemTime::now", "Uuid::now_*"]),
    ("randomness",      &["clock"],  &["Uuid::new_v4", "rand::*", "getrandom::*", "fastrand::*"]),
    ("spawning",        &["task"],   &["tokio::spawn", "tokio::task::spawn*", "task::JoinSet", "TaskTracker::new",
                                       "Handle::current", "Handle::try_current",
                                       "thread::spawn", "thread::scope", "thread::Builder"]),
    ("the selects",     &["entity"], &["Entity::find*", "EntityTrait::find*"]),
    ("printing",        &["cli", "main"], &["println!", "eprintln!", "print!", "eprint!", "dbg!",
                                            "std::print*", "std::eprint*"]),
];

/// Looks `layer` up in a table.
fn rule<T: Copy>(rules: &[(&str, T)], layer: &str) -> Option<T> {
    rules.iter().find(|(name, _)| *name == layer).map(|(_, rule)| *rule)
}

#[test]
fn the_arrows_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "migration/src", "tests"] {
        let walk = walkdir::WalkDir::new(root.join(folder)).into_iter();
        for entry in walk.filter_entry(|entry| entry.file_name() != "node_modules") {
            let path = entry.unwrap().into_path();
            if path.extension().is_some_and(|end| end == "rs") {
                let file = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                files.push((file, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(files.iter().any(|(file, _)| file == "src/lib.rs"), "no sources were found");
    let faults = SourceTree::build(&files).faults();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// The calls of the domain that don't check the right to write, and the files that contain them: a write is started, a
/// permit is granted, and a profile is created before the right is confirmed.
const UNCHECKED: &[(&str, &[&str])] = &[
    ("db.write(", &["src/domain/write.rs"]),
    ("db().write(", &["src/domain/write.rs"]),
    (".permit(", &["src/domain/right/"]),
    (".make_profile(", &["src/domain/right/", "src/domain/write.rs", "src/domain/joining.rs"]),
];

/// Whether this source of the domain contains a call of [`UNCHECKED`] outside that call's files.
fn opens_a_write(file: &str, text: &str) -> bool {
    let code: String = text.split_whitespace().collect();
    UNCHECKED
        .iter()
        .any(|(call, homes)| code.contains(call) && !homes.iter().any(|home| file.starts_with(home)))
}

#[test]
fn no_verb_writes_past_the_right_to_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for entry in walkdir::WalkDir::new(root.join("src/domain")) {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|end| end == "rs") {
            let file = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            assert!(!opens_a_write(&file, &std::fs::read_to_string(&path).unwrap()), "{file}");
            seen += 1;
        }
    }
    assert!(seen > 30);
    for planted in [
        "self.db().write(scope, author, work)",
        "self\n  .db()\n  .write(scope)",
        "let db = self.db(); db.write(scope, author, work)",
        "txn.permit(Permit::Platform)",
        "txn.make_profile(&user, now)",
    ] {
        assert!(opens_a_write("src/domain/agent.rs", planted), "{planted}");
    }
    assert!(opens_a_write("src/domain/right/lock.rs", "self.db().write(scope, author, work)"));
    assert!(opens_a_write("src/domain/write.rs", "txn.permit(Permit::Platform)"));
    assert!(!opens_a_write("src/domain/agent.rs", "self.write(caller, work)"));
}
