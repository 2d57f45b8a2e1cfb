//! The `sh` and `js` blocks: each line is a command that is known here, and what asks the service is run.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use agent_registry::{
    cli::Cli,
    domain::{Caller, ServiceScope, service_token::CreateServiceToken},
};
use clap::{CommandFactory, Parser};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Command,
};

use super::{
    book::{BOOK, GATEWAYS, GUIDE, Page, README},
    tour::{Toured, reader, tour},
};
use crate::support::{App, node::script, wait::within};

/// The service's own program, as the pages call it.
const PROGRAM: &str = "target/release/agent-registry";
/// The address of the service, as the pages have it.
const BASE: &str = "127.0.0.1:8080";
/// The placeholder for a shell variable's value: some customer's id.
const SOME_ID: &str = "0198c6f4-0000-7000-8000-000000000000";

fn pages() -> impl Iterator<Item = Page> {
    [README].into_iter().chain(BOOK)
}

/// The blocks of a page in this language.
fn texts(page: Page, language: &str) -> Vec<String> {
    page.blocks().into_iter().filter(|block| block.language == language).map(|block| block.text).collect()
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
    for text in pages().flat_map(|page| texts(page, "sh")) {
        for (at, program) in text.match_indices(PROGRAM) {
            let line = text[at + program.len()..].lines().next().unwrap_or_default();
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

/// Checks a line that neither the service's program nor a request is.
fn check_tool(page: Page, line: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    let line = line.split(" # ").next().unwrap_or_default().trim();
    let line = line.strip_prefix("cd tests && ").unwrap_or(line);
    let words: Vec<&str> = line.split_whitespace().filter(|word| !word.contains('=')).collect();
    let is_known = match words.as_slice() {
        ["make", target, ..] => read("Makefile").contains(&format!("\n{target}:")),
        ["cargo", "test" | "bench", ..] => true,
        ["node", file, ..] => root.join(file).is_file(),
        ["npm", "run", "-s", name, ..] => read("tests/package.json").contains(&format!("\"{name}\":")),
        ["echo", "$TOKEN"] => true,
        _ => false,
    };
    assert!(is_known, "{}: no test knows how to check the line `{line}`", page.path);
}

#[test]
fn its_tools_are_there() {
    for page in pages() {
        for text in texts(page, "sh") {
            if is_request(&text) {
                continue;
            }
            let lines = text.lines().map(str::trim);
            let lines = lines.filter(|line| !line.is_empty() && !line.contains(PROGRAM));
            lines.for_each(|line| check_tool(page, line));
        }
    }
}

/// Whether a block sends a request, and so can be run.
fn is_request(text: &str) -> bool {
    text.contains("curl ") || text.contains("gql ")
}

/// A block as the test runs it: against this service, without the program's own lines and without values to fill in.
fn runnable(text: &str, app: &App) -> String {
    let lines = text.lines().filter(|line| !line.contains(PROGRAM) && !line.contains("=…"));
    lines.map(|line| line.replace("http://127.0.0.1:8080", &app.base)).collect::<Vec<_>>().join("\n")
}

/// Runs requests in a shell, in which a status of 400 or more is a failure.
async fn run(script: &str, folder: &Path, variables: &[(&str, String)]) -> Output {
    let script = format!("set -eu\ncurl() {{ command curl --fail-with-body \"$@\"; }}\n{script}\n");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).current_dir(folder).kill_on_drop(true);
    shell.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    within("the shell ends", shell.output()).await.expect("sh")
}

/// A folder of its own for the files that requests write.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("readme-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The variables of the shell after the commands that the test leaves out.
async fn variables(app: &App, token: &str, toured: &Toured) -> Vec<(&'static str, String)> {
    let id = |name: &str| toured.known[name].as_str().unwrap().to_owned();
    let ada = app.user("ada", Some("ada@example.org")).token.unwrap();
    vec![
        ("TOKEN", token.to_owned()),
        ("ADA", ada),
        ("GATEWAY", gateway(app).await),
        ("CUSTOMER_ID", id("customerId")),
        ("CUSTOMER", id("customerId")),
        ("AGENT", id("agentId")),
        ("VERSION", id("firstId")),
    ]
}

/// The token that the guide's gateway has.
async fn gateway(app: &App) -> String {
    let input = CreateServiceToken::for_all("gateway", ServiceScope::ALL);
    let made = app.registry.create_service_token(&Caller::system("test"), input).await.unwrap();
    made.value.secret.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_requests_run_in_a_shell() {
    let app = App::start().await;
    let me = reader(&app).await;
    let toured = tour(&me, &BOOK).await;
    let variables = variables(&app, me.token.as_deref().unwrap(), &toured).await;
    let folder = folder();
    let defines = texts(GUIDE, "sh").into_iter().find(|text| text.starts_with("gql()")).unwrap();
    let (define, _) = defines.split_once("\n}\n").unwrap();
    let define = format!("{}\n}}\n", runnable(define, &app));
    let mut count = 0;
    for page in pages() {
        // `curl -N` does not end: `what_it_has_curl_watch_comes` has it.
        let blocks =
            texts(page, "sh").into_iter().filter(|text| is_request(text) && !text.contains("curl -N"));
        for text in blocks {
            let script = runnable(&text, &app);
            let output = run(&format!("{define}{script}"), &folder, &variables).await;
            let said = String::from_utf8_lossy(&output.stdout);
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {text}\n{said}\n{complaint}", page.path);
            for answer in said.lines().filter(|line| line.starts_with("{\"data\"")) {
                let answer: Value = serde_json::from_str(answer).unwrap();
                assert!(answer["data"].is_object() && answer.get("errors").is_none(), "{text}\n{answer}");
            }
            assert!(!said.contains("\"errors\""), "{}: {text}\n{said}", page.path);
            count += 1;
        }
    }
    let excerpt = fs::read_to_string(folder.join("audit.ndjson")).unwrap();
    assert!(excerpt.lines().count() > 2, "{excerpt}");
    fs::remove_dir_all(folder).unwrap();
    assert!(count >= 5, "{count} blocks send requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_has_curl_watch_comes() {
    let app = App::start().await;
    let me = reader(&app).await;
    tour(&me, &[GUIDE]).await;
    let shown = texts(GUIDE, "sh").into_iter().find(|text| text.contains("curl -N")).unwrap();
    let (_, body) = shown.split_once("-d '").unwrap();
    let body: Value = serde_json::from_str(body.split('\'').next().unwrap()).unwrap();
    let mut events = me.events(body["query"].as_str().unwrap(), Value::Null).await;
    for reason in ["PUBLISH", "ACTIVATE", "ROLLBACK"] {
        assert_eq!(events.event().await["data"]["activations"]["reason"], reason);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_program_for_node_prints_each_activation() {
    let app = App::start().await;
    let me = reader(&app).await;
    tour(&me, &[GUIDE]).await;
    let shown = texts(GATEWAYS, "js");
    assert_eq!(pages().map(|page| texts(page, "js").len()).sum::<usize>(), shown.len());
    for program in shown {
        let address = app.base.strip_prefix("http://").unwrap();
        let mut node = script(".", "--input-type=module");
        node.env("GATEWAY", gateway(&app).await).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut node = node.spawn().expect("node");
        let mut stdin = node.stdin.take().unwrap();
        stdin.write_all(program.replace(BASE, address).as_bytes()).await.unwrap();
        drop(stdin);
        let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
        for reason in ["PUBLISH", "ACTIVATE", "ROLLBACK"] {
            let line = within("a line", lines.next_line()).await.unwrap().expect("a line");
            let event: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(event["reason"], reason, "{line}");
        }
    }
}
