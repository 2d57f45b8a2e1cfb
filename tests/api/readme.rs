//! Checks the README: its examples run in order, and whatever it names exists.
//!
//! An example is a `graphql` block. A string field in its response, such as `customerId`, is the variable
//! `$customerId` of later examples. A `json` block with `data` right after an example is its response, where `…`
//! stands for any text. Without one, the example must succeed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use agent_registry::cli::Cli;
use clap::{Command, CommandFactory, Parser};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value};

use crate::support::{Answer, App, caller::Client};

const README: &str = include_str!("../../README.md");
/// The placeholder for any text in a response.
const ANY: &str = "…";
/// The placeholder for a shell variable's value: some customer's id.
const SOME_ID: &str = "0198c6f4-0000-7000-8000-000000000000";

/// A fenced block with its language.
struct Block {
    language: &'static str,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = README.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block { language, text: text.join("\n") });
        }
    }
    blocks
}

/// The rows of the table below this heading, split into cells, without its head.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let heading = format!("## {heading}");
    let below = README.lines().skip_while(|line| **line != heading);
    let rows = below.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<&str>> =
        rows.skip(2).map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect();
    assert!(!rows.is_empty(), "no table below {heading}");
    rows
}

/// The texts between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Whether a response matches the one in the README.
fn is_shown(shown: &Value, answer: &Value) -> bool {
    match (shown, answer) {
        (Value::String(any), Value::String(_)) if any == ANY => true,
        (Value::Object(shown), Value::Object(answer)) => {
            shown.len() == answer.len()
                && shown
                    .iter()
                    .all(|(key, value)| answer.get(key).is_some_and(|answer| is_shown(value, answer)))
        }
        (Value::Array(shown), Value::Array(answer)) => {
            shown.len() == answer.len()
                && shown.iter().zip(answer).all(|(shown, answer)| is_shown(shown, answer))
        }
        _ => shown == answer,
    }
}

/// Stores the response's strings as variables for later examples.
fn remember(answer: &Value, known: &mut Map<String, Value>) {
    match answer {
        Value::Object(fields) => {
            for (name, value) in fields {
                if value.is_string() {
                    known.insert(name.clone(), value.clone());
                }
                remember(value, known);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| remember(value, known)),
        _ => {}
    }
}

/// All `userErrors` lists in a response.
fn user_errors(answer: &Value) -> Vec<&Value> {
    match answer {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| if name == "userErrors" { vec![value] } else { user_errors(value) })
            .collect(),
        _ => Vec::new(),
    }
}

/// The variables that this example declares, from the known ones.
fn variables(example: &str, known: &Map<String, Value>) -> Value {
    let head = example.split('{').next().unwrap_or_default();
    let names = head.split('$').skip(1).filter_map(|rest| rest.split(':').next());
    let bound = names.map(|name| {
        let value = known.get(name).unwrap_or_else(|| panic!("no earlier answer names {name}:\n{example}"));
        (name.to_owned(), value.clone())
    });
    Value::Object(bound.collect())
}

/// Runs all examples as the README's reader, `me`. Returns the subscriptions with their variables, and the known
/// variables.
async fn tour(me: &Client) -> (Vec<(String, Value)>, Map<String, Value>) {
    let (mut known, mut subscriptions) = (Map::new(), Vec::new());
    let blocks = blocks();
    let mut blocks = blocks.iter().peekable();
    while let Some(block) = blocks.next() {
        if block.language != "graphql" {
            continue;
        }
        let example = &block.text;
        let variables = variables(example, &known);
        if example.starts_with("subscription") {
            subscriptions.push((example.clone(), variables));
            continue;
        }
        let Answer { body, .. } = me.gql(example, variables).await;
        assert_eq!(body.get("errors"), None, "{example}\n{body}");
        let shown = blocks.next_if(|next| next.language == "json" && next.text.contains("\"data\""));
        match shown {
            Some(shown) => {
                let shown: Value = serde_json::from_str(&shown.text).unwrap();
                assert!(is_shown(&shown, &body), "{example}\nshould return {shown}\nand returns {body}");
            }
            None => {
                for errors in user_errors(&body) {
                    assert_eq!(errors, &Value::Array(Vec::new()), "{example}");
                }
            }
        }
        remember(&body, &mut known);
    }
    (subscriptions, known)
}

/// The README's reader: an operator called `me`.
async fn reader(app: &App) -> Client {
    let caller = agent_registry::domain::Caller::system("test");
    let issuer = agent_registry::domain::auth::jwt::LOCAL_ISSUER;
    app.registry.add_operator(&caller, issuer, "me").await.unwrap();
    app.user("me", None)
}

#[tokio::test]
async fn its_examples_run_in_their_order() {
    let app = App::start().await;
    let me = reader(&app).await;
    let (_, known) = tour(&me).await;
    for name in ["customerId", "agentId", "firstId", "secondId"] {
        assert!(known.contains_key(name), "the tour names {name}");
    }
}

#[tokio::test]
async fn its_subscription_replays_the_tour() {
    let app = App::start().await;
    let me = reader(&app).await;
    let (subscriptions, _) = tour(&me).await;
    assert!(!subscriptions.is_empty(), "a subscription is shown");
    for (example, variables) in subscriptions {
        let mut socket = me.socket().await;
        socket.subscribe("1", &example, variables).await;
        if example.contains("configs(") {
            for kind in ["SNAPSHOT", "BOOKMARK"] {
                let event = socket.event().await;
                assert_eq!(event.get("errors"), None, "{event}");
                assert_eq!(event["data"]["configs"]["kind"], kind);
            }
            continue;
        }
        if example.contains("changes(") {
            for action in ["CUSTOMER_CREATED", "AGENT_CREATED", "VERSION_PUBLISHED", "AGENT_ACTIVATED"] {
                let event = socket.event().await;
                assert_eq!(event.get("errors"), None, "{event}");
                assert_eq!(event["data"]["changes"]["action"], action);
            }
            continue;
        }
        for reason in ["PUBLISH", "ACTIVATE", "ROLLBACK"] {
            let event = socket.event().await;
            assert_eq!(event.get("errors"), None, "{event}");
            assert_eq!(event["data"]["activations"]["reason"], reason);
        }
    }
}

#[tokio::test]
async fn what_it_has_curl_watch_comes() {
    let app = App::start().await;
    let me = reader(&app).await;
    tour(&me).await;
    let shown = blocks().into_iter().find(|block| block.text.contains("Accept: text/event-stream")).unwrap();
    let (_, body) = shown.text.split_once("-d '").unwrap();
    let body: Value = serde_json::from_str(body.split('\'').next().unwrap()).unwrap();
    let mut events = me.events(body["query"].as_str().unwrap(), Value::Null).await;
    for reason in ["PUBLISH", "ACTIVATE", "ROLLBACK"] {
        assert_eq!(events.event().await["data"]["activations"]["reason"], reason);
    }
}

#[tokio::test]
async fn its_endpoints_are_there() {
    let app = App::start().await;
    let me = reader(&app).await;
    let (_, known) = tour(&me).await;
    for row in table("Endpoints") {
        for endpoint in quoted(row[0]) {
            let (method, path) = endpoint.split_once(' ').unwrap();
            let id = if path.contains("/customers/") { &known["customerId"] } else { &known["agentId"] };
            let path = path.replace("{id}", id.as_str().unwrap()).replace("{name}", "not-found");
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

/// Splits a shell command into words, with an id in place of each variable.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for character in command.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
            _ => word.push(character),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    let filled = words.into_iter().map(|word| match word.split_once('$') {
        Some((before, variable)) => {
            let end = variable.find(|c: char| !c.is_ascii_uppercase());
            let after = end.and_then(|end| variable.get(end..)).unwrap_or_default();
            format!("{before}{SOME_ID}{after}")
        }
        None => word,
    });
    filled.collect()
}

#[test]
fn its_commands_are_known() {
    let mut checked = BTreeSet::new();
    for block in blocks().iter().filter(|block| block.language == "sh") {
        for (at, program) in block.text.match_indices("target/release/agent-registry") {
            let line = block.text[at + program.len()..].lines().next().unwrap_or_default();
            let command = line.split(['|', ')', '#', '>']).next().unwrap_or_default();
            let arguments = [vec!["agent-registry".to_owned()], words(command)].concat();
            Cli::try_parse_from(&arguments).unwrap_or_else(|err| panic!("{command}: {err}"));
            checked.extend(arguments.get(1).cloned());
        }
    }
    let known = Cli::command();
    let known: BTreeSet<String> =
        known.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    assert_eq!(checked, known, "each command is shown");
}

/// The settings of a command: flag, variable and default.
fn settings(command: &Command) -> BTreeSet<(String, String, String)> {
    let arguments = command.get_arguments().filter_map(|argument| {
        let variable = argument.get_env()?.to_str()?.to_owned();
        let told = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let told = told
            .split_once("[default: ")
            .and_then(|(_, rest)| rest.split_once(']'))
            .map(|(default, _)| default.to_owned());
        let default =
            argument.get_default_values().first().and_then(|default| default.to_str()).map(str::to_owned);
        let default = default.or(told).unwrap_or_else(|| "none".to_owned());
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
    let shown = table("Settings").into_iter().map(|row| {
        // The table explains a missing default after `none: `.
        let default = row[2].split(':').next().filter(|default| *default == "none");
        let default = default.unwrap_or(row[2]).to_owned();
        (quoted(row[0]).concat(), quoted(row[1]).concat(), default)
    });
    assert_eq!(shown.collect::<BTreeSet<_>>(), known);
}

/// The direct dependencies in a manifest.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest)).unwrap();
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
    let known: BTreeSet<String> = [
        "Cargo.toml",
        "crates/graphql-front/Cargo.toml",
        "crates/json-reader/Cargo.toml",
        "migration/Cargo.toml",
    ]
    .into_iter()
    .flat_map(dependencies)
    .collect();
    let rows = table("Dependencies");
    let shown: BTreeSet<String> = rows.iter().map(|row| quoted(row[0]).concat()).collect();
    assert_eq!(shown, known);
    assert!(rows.iter().all(|row| row[1].len() > 10));
}

#[test]
fn its_proofs_are_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files =
        ["crates", "tests", "src"].into_iter().flat_map(|folder| walkdir::WalkDir::new(root.join(folder)));
    let sources: String = files
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "rs"))
        .map(|entry| fs::read_to_string(entry.path()).unwrap())
        .collect();
    let security = include_str!("../../docs/security.md");
    let below =
        security.lines().skip_while(|line| *line != "## Promises").filter(|line| line.starts_with("| "));
    let rows: Vec<(&str, &str)> = below
        .map(|row| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells[2].starts_with('`'))
        .map(|cells| (cells[0], cells[2]))
        .collect();
    assert!(rows.len() > 40, "docs/security.md must name its proofs");
    let shown = table("What never breaks").into_iter().map(|row| (row[0], row[2]));
    let missing: BTreeMap<&str, &str> = shown
        .chain(rows)
        .flat_map(|(promise, proofs)| quoted(proofs).into_iter().map(move |proof| (proof, promise)))
        .filter(|(proof, _)| !sources.contains(&format!("fn {proof}(")))
        .collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn what_it_links_to_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for link in README.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        match link.strip_prefix('#') {
            Some(anchor) => {
                let heading =
                    |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                let is_there = README.lines().any(|line| line.starts_with("## ") && heading(line) == anchor);
                assert!(is_there, "no heading {link}");
            }
            None => assert!(root.join(link).exists(), "no file {link}"),
        }
    }
}
