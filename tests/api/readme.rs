//! The README and the book below `docs/`: their examples run, in their order, and what they name exists.

mod book;
mod links;
mod shell;
mod tour;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use agent_registry::cli::Cli;
use clap::{Command, CommandFactory};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{Answer, App, wait::until};
use book::{BOOK, DEPENDENCIES, GUIDE, OPERATIONS, PROMISES, QUESTIONS, README, REFERENCE, SECURITY};
use book::{cells, quoted};
use tour::{reader, tour};

/// The languages of fenced blocks. Tests run the first four, and parse `json`.
const LANGUAGES: [&str; 6] = ["graphql", "sh", "js", "ts", "json", "text"];

#[test]
fn the_readme_is_short() {
    assert!(README.text.chars().count() <= 20_000, "{} characters", README.text.chars().count());
    assert!(README.text.lines().count() <= 210, "{} lines", README.text.lines().count());
}

#[test]
fn each_page_says_what_it_is_for() {
    for page in BOOK.iter().filter(|page| page.path != "docs/problems.md") {
        let opening = page.text.split("\n## ").next().unwrap();
        assert!(opening.contains("\n\nThis page "), "{} opens with what it is for", page.path);
    }
}

#[test]
fn each_block_is_of_a_language_that_is_checked() {
    for page in [README].into_iter().chain(BOOK) {
        for block in page.blocks() {
            assert!(LANGUAGES.contains(&block.language), "{}: {}", page.path, block.language);
            if block.language == "json" {
                let values = serde_json::Deserializer::from_str(&block.text).into_iter::<Value>();
                values.for_each(|value| assert!(value.is_ok(), "{}: {}", page.path, block.text));
            }
        }
    }
}

#[tokio::test]
async fn the_readmes_examples_run() {
    let app = App::start().await;
    let me = reader(&app).await;
    let toured = tour(&me, &[README]).await;
    assert!(toured.known.contains_key("customerId"), "it creates a customer");
}

#[tokio::test]
async fn the_readmes_subscription_is_sent_what_happens() {
    let app = App::start().await;
    let me = reader(&app).await;
    let shown = README.blocks().into_iter().find(|block| block.text.starts_with("subscription")).unwrap();
    let mut socket = me.socket().await;
    socket.subscribe("1", &shown.text, Value::Null).await;
    until("it listens", || app.watchers() == 1).await;
    tour(&me, &[GUIDE]).await;
    for reason in ["PUBLISH", "ACTIVATE", "ROLLBACK"] {
        assert_eq!(socket.event().await["data"]["activations"]["reason"], reason);
    }
}

#[tokio::test]
async fn the_books_examples_run_in_their_order() {
    let app = App::start().await;
    let me = reader(&app).await;
    let toured = tour(&me, &BOOK).await;
    for name in ["customerId", "agentId", "firstId", "secondId"] {
        assert!(toured.known.contains_key(name), "the guide names {name}");
    }
}

#[tokio::test]
async fn its_subscriptions_replay_the_tour() {
    let app = App::start().await;
    let me = reader(&app).await;
    let toured = tour(&me, &BOOK).await;
    assert!(toured.subscriptions.len() >= 4, "subscriptions are shown");
    for (example, variables) in toured.subscriptions {
        let mut socket = me.socket().await;
        socket.subscribe("1", &example, variables).await;
        let (field, name, values): (&str, &str, &[&str]) = if example.contains("configs(") {
            ("configs", "kind", &["SNAPSHOT", "BOOKMARK"])
        } else if example.contains("changes(") {
            let actions = &["CUSTOMER_CREATED", "AGENT_CREATED", "VERSION_PUBLISHED", "AGENT_ACTIVATED"];
            ("changes", "action", actions)
        } else if example.contains("customerEvents(") {
            ("customerEvents", "action", &["CUSTOMER_CREATED", "AGENT_CREATED", "VERSION_PUBLISHED"])
        } else {
            ("activations", "reason", &["PUBLISH", "ACTIVATE", "ROLLBACK"])
        };
        for value in values {
            let event = socket.event().await;
            assert_eq!(event.get("errors"), None, "{event}");
            assert_eq!(&event["data"][field][name], value);
        }
    }
}

#[tokio::test]
async fn its_endpoints_are_there() {
    let app = App::start().await;
    let me = reader(&app).await;
    let known = tour(&me, &[GUIDE]).await.known;
    for row in REFERENCE.table("Endpoints") {
        for endpoint in quoted(row[0]) {
            let (method, path) = endpoint.split_once(' ').unwrap();
            let id = if path.contains("/customers/") { &known["customerId"] } else { &known["agentId"] };
            let path = path.replace("{id}", id.as_str().unwrap()).replace("{name}", "not-found");
            let path = path.replace("{version_id}", known["firstId"].as_str().unwrap());
            let method: Method = method.parse().unwrap();
            let answer = Answer::of(me.request(method.clone(), &path)).await;
            let is_served = ![404, 405].contains(&answer.status.as_u16());
            // `/metrics` is 404 when another service of this process has the recorder.
            assert!(is_served || path == "/metrics", "{endpoint} returns {}", answer.status);
            let answer = Answer::of(app.anonymous().request(method, &path)).await;
            assert_eq!(
                answer.status == StatusCode::UNAUTHORIZED,
                row[2] == "yes",
                "{endpoint} without a credential returns {}",
                answer.status
            );
        }
    }
}

/// The settings of a command: flag, variable and default.
fn settings(command: &Command) -> BTreeSet<(String, String, String)> {
    let arguments = command.get_arguments().filter_map(|argument| {
        let variable = argument.get_env()?.to_str()?.to_owned();
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let described = help
            .split_once("[default: ")
            .and_then(|(_, rest)| rest.split_once(']'))
            .map(|(default, _)| default.to_owned());
        let default =
            argument.get_default_values().first().and_then(|default| default.to_str()).map(str::to_owned);
        let default = default.or(described).unwrap_or_else(|| "none".to_owned());
        Some((format!("--{}", argument.get_long()?), variable, default))
    });
    arguments.collect()
}

#[test]
fn its_settings_are_those_of_help() {
    let cli = Cli::command();
    let mut known = settings(&cli);
    for command in cli.get_subcommands() {
        known.extend(settings(command));
    }
    let shown = OPERATIONS.table("Settings").into_iter().map(|row| {
        // The table explains a missing default after `none: `.
        let default = row[2].split(':').next().filter(|default| *default == "none");
        let default = default.unwrap_or(row[2]).to_owned();
        (quoted(row[0]).concat(), quoted(row[1]).concat(), default)
    });
    assert_eq!(shown.collect::<BTreeSet<_>>(), known);
}

/// The direct dependencies in a manifest.
fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(manifest).unwrap();
    let mut is_within = false;
    let mut names = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with('[') {
            is_within = line.ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| is_within) {
            names.insert(name.to_owned());
        }
    }
    names
}

#[test]
fn each_dependency_has_its_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let folders = crates.chain([root.to_path_buf(), root.join("migration")]);
    let manifests = folders.map(|folder| folder.join("Cargo.toml")).filter(|manifest| manifest.exists());
    let known: BTreeSet<String> = manifests.flat_map(|manifest| dependencies(&manifest)).collect();
    let rows = DEPENDENCIES.table("Why each is there");
    let shown: BTreeSet<String> = rows.iter().map(|row| quoted(row[0]).concat()).collect();
    assert_eq!(shown, known);
    assert!(rows.iter().all(|row| row[1].len() > 10));
}

#[test]
fn its_proofs_are_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["crates", "migration", "tests", "src"]
        .into_iter()
        .flat_map(|folder| walkdir::WalkDir::new(root.join(folder)));
    let sources: String = files
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "rs"))
        .map(|entry| fs::read_to_string(entry.path()).unwrap())
        .collect();
    let below = SECURITY.text.lines().skip_while(|line| *line != "## Promises");
    let rows = below.filter(|line| line.starts_with("| ")).map(cells);
    let security: Vec<_> =
        rows.filter(|cells| cells.get(2).is_some_and(|cell| cell.starts_with('`'))).collect();
    assert!(security.len() > 40, "docs/security.md must name its proofs");
    let promises = PROMISES.table("The promises");
    assert!(promises.len() >= 37, "the table of promises is whole");
    let kept = PROMISES.table("What is given is what is kept");
    let missing: BTreeMap<&str, &str> = promises
        .iter()
        .chain(&kept)
        .chain(&security)
        .flat_map(|row| quoted(row[2]).into_iter().map(|proof| (proof, row[0])))
        .filter(|(proof, _)| !sources.contains(&format!("fn {proof}(")))
        .collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn each_question_names_a_function_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let prose: Vec<String> = QUESTIONS.prose().split_whitespace().map(str::to_owned).collect();
    let prose = prose.join(" ");
    // `src/domain/write.rs` `fn write`
    let places: Vec<(&str, &str)> = prose
        .match_indices("` `fn ")
        .map(|(at, between)| {
            let file = prose[..at].rsplit('`').next().unwrap();
            let name = prose[at + between.len()..].split('`').next().unwrap();
            (file, name)
        })
        .collect();
    assert!(places.len() >= 10, "the questions are answered by functions");
    let lost: Vec<_> = places
        .into_iter()
        .filter(|(file, name)| {
            let source = fs::read_to_string(root.join(file)).unwrap_or_default();
            !["(", "<"].iter().any(|after| source.contains(&format!("fn {name}{after}")))
        })
        .collect();
    assert!(lost.is_empty(), "no such functions: {lost:#?}");
}
