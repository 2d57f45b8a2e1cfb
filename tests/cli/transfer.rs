//! Imports and exports of files on the command line.

use std::process::Command;

use super::{Home, PROGRAM, PROMPTS};

#[test]
fn an_import_that_the_plan_has_no_room_for_does_not_begin() {
    let home = Home::new("room");
    let customer = home.last(&["customer", "create", "--name", "City"]);
    let line = |name: usize, versions: usize| {
        let versions = vec![serde_json::json!({ "system_prompt": "p" }); versions];
        serde_json::json!({ "agent": format!("Agent {name}"), "versions": versions }).to_string()
    };
    let (many, long) = (home.path("many.jsonl"), home.path("long.jsonl"));
    let lines: Vec<String> = (0..501).map(|name| line(name, 1)).collect();
    std::fs::write(&many, lines.join("\n")).unwrap();
    std::fs::write(&long, [line(0, 1), line(1, 501)].join("\n")).unwrap();
    for (file, complaint) in [
        (&many, "plan allows 500 agents"),
        (&long, "line 2, agent \"Agent 1\": the customer's plan allows 500 versions"),
    ] {
        let (code, said) = home.complaint(&["import", file, "--customer", &customer]);
        assert!(code == 1 && said.contains(complaint), "{said}");
    }
    assert_eq!(home.output_of(&["export", "--customer", &customer]), "", "nothing was stored");
    // Existing agents aren't counted twice. A pipe is read like a file.
    std::fs::write(&many, lines[..500].join("\n")).unwrap();
    let pipe = |file: &str| {
        let mut command = Command::new(PROGRAM);
        let input = std::fs::File::open(file).unwrap();
        let command =
            command.args(["import", "-", "--customer", &customer]).env("DATA_DIR", &home.0).stdin(input);
        String::from_utf8(command.env("LOG", "warn").output().unwrap().stdout).unwrap()
    };
    assert!(pipe(&many).starts_with("agents created 500"));
    assert!(pipe(&many).starts_with("agents created 0, updated 0, unchanged 500"));
}

#[test]
fn files_of_other_registries_are_converted_and_what_cannot_be_is_said() {
    let home = Home::new("foreign");
    let customer = home.last(&["customer", "create", "--name", "City"]);
    let file = home.path("langfuse.json");
    let prompts = serde_json::json!([
        { "name": "critic", "version": 2, "prompt": "Be strict.", "labels": ["production"], "config": { "model": "gpt-4o" } },
        { "name": "chat", "version": 1, "prompt": [{ "role": "user", "content": "Hi" }] },
    ]);
    std::fs::write(&file, prompts.to_string()).unwrap();
    let import = |more: &[&'static str]| {
        let mut args = vec!["import", &file, "--customer", &customer, "--format", "langfuse"];
        args.extend(more);
        args.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let args = import(&[]);
    let (code, told) = home.complaint(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(code, 1);
    assert!(
        told.contains("record 2, prompt \"chat\" version 1: the chat prompt has no system message"),
        "{told}"
    );
    let run = |more: &[&'static str]| {
        let args = import(more);
        home.last(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let expected = "agents created 1, updated 0, unchanged 0; versions published 1";
    assert_eq!(run(&["--skip-bad", "--dry-run"]), format!("dry run: {expected}"));
    assert_eq!(home.output_of(&["export", "--customer", &customer]), "", "nothing was stored");
    assert_eq!(run(&["--skip-bad"]), expected);
    let exported = home.output_of(&["export", "--customer", &customer, "--agent", "critic"]);
    assert!(exported.starts_with(r#"{"active":1,"agent":"critic""#), "{exported}");
    assert!(exported.contains(r#""message":"Langfuse version 2","model_name":"gpt-4o""#), "{exported}");
    let (code, told) = home.complaint(&["export", "--customer", &customer, "--agent", "nobody"]);
    assert!(code == 1 && told.contains("no agent with the name or id \"nobody\""), "{told}");

    // Bad lines of our own format.
    let lines = home.path("lines.jsonl");
    std::fs::write(&lines, "[1]\n{\"agent\": \"Good\", \"versions\": []}\n").unwrap();
    let (code, told) = home.complaint(&["import", &lines, "--customer", &customer]);
    assert!(code == 1 && told.contains("write one agent a line"), "{told}");
    let done = home.last(&["import", &lines, "--customer", &customer, "--skip-bad"]);
    assert_eq!(done, "agents created 1, updated 0, unchanged 0; versions published 0; lines skipped 1");
}

#[test]
fn an_export_replaces_files_and_nothing_else() {
    let home = Home::new("export");
    let customer = home.last(&["customer", "create", "--name", "City"]);
    home.output_of(&["import", PROMPTS, "--customer", &customer]);
    let whole = home.output_of(&["export", "--customer", &customer]);
    let (file, link, pipe) = (home.path("file"), home.path("link"), home.path("pipe"));
    std::fs::write(&file, "before").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    home.output_of(&["export", "--customer", &customer, "--output", &link]);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink(), "the link is still a link");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), whole);
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).unwrap()
    });
    home.output_of(&["export", "--customer", &customer, "--output", &pipe]);
    assert_eq!(reader.join().unwrap(), whole, "the pipe's reader gets the export");
    assert!(!std::fs::metadata(&pipe).unwrap().is_file(), "the pipe is still a pipe");
}
