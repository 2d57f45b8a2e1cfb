//! Import and export: an export has the same bytes as its import, and a repeated import changes nothing.

use agent_registry::{
    domain::{
        Caller, Error, Registry,
        transfer::{
            ExportAgents, ImportAgents, ImportError, ImportOptions, Imported, Line, LineOutcome, LineReport,
        },
    },
    id::CustomerId,
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::io::AsyncBufRead;

use crate::{
    limit::{fill, set_plan},
    support::{App, Calls},
};

mod any;
mod batch;
mod foreign;
mod id;
mod large;
mod options;
mod race;
mod refused;
mod released;
mod spelling;

const DEMO: &str = include_str!("../../assets/demo/prompts.jsonl");

/// A customer, imported to and exported as on the command line.
struct Desk {
    app: App,
    customer: CustomerId,
}

impl Desk {
    async fn open() -> Self {
        let app = App::start().await;
        let customer = app.operator().await.customer("City").await.parse().unwrap();
        Self { app, customer }
    }

    async fn import(&self, file: &str) -> Result<Imported, ImportError> {
        import(&self.app.registry, &system(), self.input(), &mut file.as_bytes()).await
    }

    fn input(&self) -> ImportAgents {
        self.with(ImportOptions::default())
    }

    fn with(&self, options: ImportOptions) -> ImportAgents {
        ImportAgents::new(self.customer, "gpt-4-turbo", options)
    }

    /// Imports with these options, and returns the counts and the reports.
    async fn report(
        &self,
        options: ImportOptions,
        file: &str,
    ) -> (Result<Imported, ImportError>, Vec<String>) {
        let (input, mut reports) = (self.with(options), Vec::new());
        let mut from = file.as_bytes();
        let import = self.app.registry.import(&system(), input, &mut from).await.unwrap();
        let done = import.run(&mut |some, _| reports.extend(some.iter().map(told))).await;
        (done, reports)
    }

    async fn export(&self) -> String {
        export(&self.app.registry, self.customer).await
    }

    async fn head(&self) -> i64 {
        self.app.registry.head().await.unwrap().revision.0
    }
}

fn system() -> Caller {
    Caller::system("test")
}

/// A report as one line of text.
fn told(report: &LineReport) -> String {
    let LineReport { line, agent, id, outcome, versions, notes } = report;
    let failure = match outcome {
        LineOutcome::Failed(err) => format!(": {}", err.in_snake_case().1),
        LineOutcome::Created | LineOutcome::Updated | LineOutcome::Unchanged => String::new(),
    };
    assert_eq!(id.is_none(), matches!(outcome, LineOutcome::Failed(_)));
    let agent = agent.as_deref().unwrap_or("?");
    let notes: String = notes.iter().map(|note| format!("; {note}")).collect();
    format!("{line} {agent} {} +{versions}{failure}{notes}", outcome.as_str())
}

async fn import(
    registry: &Registry,
    caller: &Caller,
    input: ImportAgents,
    from: &mut (dyn AsyncBufRead + Send + Unpin),
) -> Result<Imported, ImportError> {
    let import = registry.import(caller, input, from).await.map_err(ImportError::before_lines)?;
    import.run(&mut |_, _| {}).await
}

async fn export(registry: &Registry, customer: CustomerId) -> String {
    export_some(registry, customer, &[]).await.unwrap()
}

async fn export_some(registry: &Registry, customer_id: CustomerId, agents: &[&str]) -> Result<String, Error> {
    let agents = agents.iter().map(|agent| (*agent).to_owned()).collect();
    let input = ExportAgents { customer_id, environment: None, agents, memory: None };
    let (mut export, mut file) = (registry.export(&system(), input).await?, Vec::new());
    while let Some(piece) = export.next().await? {
        assert!(!piece.is_empty());
        file.extend(piece);
    }
    Ok(String::from_utf8(file).unwrap())
}

fn lines(file: &str) -> Vec<Line> {
    file.lines().map(|line| Line::read(line.as_bytes()).unwrap()).collect()
}

fn simple(agent: &str, prompts: &[&str]) -> String {
    let versions: Vec<Value> = prompts.iter().map(|prompt| json!({ "system_prompt": prompt })).collect();
    format!("{}\n", json!({ "agent": agent, "versions": versions }))
}

#[tokio::test]
async fn real_histories_come_back_byte_for_byte() {
    let desk = Desk::open().await;
    let (given, before) = (lines(DEMO), desk.head().await);
    let versions: usize = given.iter().map(|line| line.versions.len()).sum();
    let done = desk.import(DEMO).await.unwrap();
    let expected = Imported { created: 12, versions: versions as u64, ..Imported::default() };
    assert_eq!(done, expected);
    assert_eq!(desk.head().await, before + 1, "few agents are one commit");

    let file = desk.export().await;
    let got = lines(&file);
    assert!(got.is_sorted_by(|a, b| a.head.agent.as_bytes() < b.head.agent.as_bytes()));
    for line in given {
        let back = got.iter().find(|back| back.head.agent == line.head.agent).unwrap();
        let prompts = |line: &Line| {
            line.versions.iter().map(|version| version.system_prompt.clone()).collect::<Vec<_>>()
        };
        assert_eq!(prompts(back), prompts(&line));
        for (back, given) in back.versions.iter().zip(&line.versions) {
            let read = |text: &Option<String>| {
                chrono::DateTime::parse_from_rfc3339(text.as_deref().unwrap()).unwrap()
            };
            assert_eq!(read(&back.published_at), read(&given.published_at));
            assert_eq!(back.published_at.as_ref().unwrap().len(), "2026-01-31T12:00:00.000000Z".len());
        }
    }
}

#[tokio::test]
async fn a_second_import_changes_nothing() {
    let desk = Desk::open().await;
    desk.import(DEMO).await.unwrap();
    let (before, file) = (desk.head().await, desk.export().await);
    for again in [DEMO, &file] {
        let done = desk.import(again).await.unwrap();
        assert_eq!(done, Imported { unchanged: 12, ..Imported::default() });
        assert_eq!(desk.head().await, before);
    }
    assert_eq!(desk.export().await, file);
}

#[tokio::test]
async fn an_export_imports_and_exports_to_the_same_bytes() {
    let desk = Desk::open().await;
    let operator = desk.app.operator().await;
    let (home, away) = (desk.customer.to_string(), operator.customer("Town").await);
    desk.import(DEMO).await.unwrap();
    let serving = operator.agent(&home, "Serving").await;
    for prompt in ["one", "two\r\n\u{2028}\u{feff}🦀", ""] {
        let version = operator.publish(&serving, prompt).await;
        if prompt == "one" {
            operator.activate(&serving, &version).await;
        }
    }
    let input = json!({ "agentId": serving, "systemPrompt": "tools", "modelName": "m", "message": "why\nnot",
        "modelParameters": { "b": 1.50, "a": { "ü": [null, true, 1e300, -0.0, 9007199254740991_i64] } },
        "tools": [{ "name": "t", "inputSchema": { "type": "object", "properties": { "z": {}, "a": {} } } }] });
    assert_eq!(operator.publish_input(input).await.at("/publishVersion/userErrors"), &json!([]));
    let full = json!({ "agent": "Away", "description": "put away\t", "archived": true, "versions": [] });
    desk.import(&format!("{full}\n")).await.unwrap();

    let file = desk.export().await;
    let opening = format!(
        r#"{{"active":1,"agent":"Serving","archived":false,"description":null,"id":"{serving}","versions":[{{"message":null,"model_name""#
    );
    assert!(file.contains(&opening), "{file}");
    assert!(
        file.contains(r#"{"active":null,"agent":"Away","archived":true,"description":"put away\t","id":"#)
    );
    let there: CustomerId = away.parse().unwrap();
    let input = ImportAgents { customer_id: there, ..desk.input() };
    import(&desk.app.registry, &system(), input, &mut file.as_bytes()).await.unwrap();
    assert_eq!(export(&desk.app.registry, there).await, file);
}

#[tokio::test]
async fn a_longer_history_adds_what_is_new() {
    let desk = Desk::open().await;
    desk.import(&simple("A", &["1", "2"])).await.unwrap();
    let done = desk.import(&simple("A", &["1", "2", "3"])).await.unwrap();
    assert_eq!(done, Imported { updated: 1, versions: 1, ..Imported::default() });
    let all = lines(&desk.export().await);
    assert_eq!(all[0].versions.len(), 3);
}

#[tokio::test]
async fn a_differing_history_is_refused_and_nothing_of_it_stored() {
    let desk = Desk::open().await;
    desk.import(&simple("A", &["1", "2"])).await.unwrap();
    let (before, file) = (desk.head().await, desk.export().await);
    let err = desk.import(&(simple("B", &["b"]) + &simple("A", &["1", "other", "3"]))).await.unwrap_err();
    assert_eq!(
        err.to_string(),
        "line 2, agent \"A\": version 2 differs from the one in the registry in its prompt, model, parameters, tools or extensions; \
         1 agent was imported before it"
    );
    assert_eq!(desk.head().await, before + 1);
    let err = desk.import(&simple("A", &["1"])).await.unwrap_err();
    assert!(err.to_string().contains("has version 2 of this agent"), "{err}");
    let again = ImportAgents { model_name: "another".to_owned(), ..desk.input() };
    let err = import(&desk.app.registry, &system(), again, &mut simple("A", &["1", "2"]).as_bytes()).await;
    assert!(err.unwrap_err().to_string().contains("version 1 differs from the one in the registry"));
    assert!(desk.export().await.starts_with(&file));
}

#[tokio::test]
async fn state_is_restored_and_last_versions_serve_only_when_asked() {
    let desk = Desk::open().await;
    let active = |file: &str| {
        lines(file)
            .iter()
            .map(|line| (line.head.agent.clone(), line.head.active.flatten()))
            .collect::<Vec<_>>()
    };
    let named = json!({ "agent": "B", "active": 1, "versions": [{ "system_prompt": "1" }, { "system_prompt": "2" }] });
    let away = json!({ "agent": "C", "archived": true, "versions": [{ "system_prompt": "1" }] });
    let file = simple("A", &["1", "2"]) + &format!("{named}\n{away}\n");
    desk.import(&simple("A", &["1"])).await.unwrap();
    let input = || desk.with(ImportOptions { activate: true, ..ImportOptions::default() });
    import(&desk.app.registry, &system(), input(), &mut file.as_bytes()).await.unwrap();
    let expected = [("A".to_owned(), None), ("B".to_owned(), Some(1)), ("C".to_owned(), None)];
    assert_eq!(active(&desk.export().await), expected, "A exists already, C is archived");
    import(&desk.app.registry, &system(), input(), &mut simple("D", &["1", "2"]).as_bytes()).await.unwrap();
    assert_eq!(active(&desk.export().await)[3].1, Some(2));
    let back = json!({ "agent": "C", "archived": false, "active": 1, "description": "d", "versions": [{ "system_prompt": "1" }] });
    desk.import(&back.to_string()).await.unwrap();
    let got = lines(&desk.export().await);
    let head = &got[2].head;
    assert_eq!((head.archived, head.active), (Some(false), Some(Some(1))));
    assert_eq!(head.description, Some(Some("d".to_owned())));
    let before = desk.head().await;
    assert_eq!(desk.import(&back.to_string()).await.unwrap().unchanged, 1);
    assert_eq!(desk.head().await, before);
}

/// Rows above a smaller plan's limit stay. An import that adds nothing is accepted.
#[tokio::test]
async fn what_adds_nothing_needs_no_room() {
    let desk = Desk::open().await;
    let operator = desk.app.operator().await;
    let customer = desk.customer.to_string();
    let plan = async |plan| set_plan(&operator, &customer, plan).await;
    let prompts: Vec<String> = (1..=502).map(|number| format!("prompt {number}")).collect();
    let prompts: Vec<&str> = prompts.iter().map(String::as_str).collect();
    let (has, more) = (simple("Helper", &prompts[..501]), simple("Helper", &prompts));
    plan("PRO").await;
    desk.import(&has).await.unwrap();
    plan("FREE").await;
    fill(&desk.app, &customer, 500).await;

    let room = async |file: &str| {
        let registry = &desk.app.registry;
        registry.check_room_to_import(&system(), &desk.input(), &mut file.as_bytes()).await
    };
    room(&has).await.unwrap();
    assert_eq!(desk.import(&has).await.unwrap().unchanged, 1);
    let known = simple("Filler 1", &["one"]);
    room(&known).await.unwrap();
    assert_eq!(desk.import(&known).await.unwrap().versions, 1);
    let head = desk.head().await;
    for (file, limited) in [(&more, "500 versions"), (&simple("New", &["one"]), "500 agents")] {
        for refused in [room(file).await.unwrap_err(), desk.import(file).await.unwrap_err()] {
            assert!(refused.to_string().contains(limited), "{refused}");
        }
    }
    assert_eq!(desk.head().await, head);
}

/// Agents are imported in batches. The result is the same as line by line.
#[tokio::test]
async fn many_agents_are_few_commits_and_come_to_the_same() {
    let desk = Desk::open().await;
    let operator = desk.app.operator().await;
    let away = operator.customer("Town").await.parse().unwrap();
    let line = |nth: usize| {
        let versions: Vec<Value> =
            (0..nth % 5).map(|version| json!({ "system_prompt": format!("{nth} {version}") })).collect();
        let mut line = json!({ "agent": format!("Agent {nth:03}"), "versions": versions });
        if nth.is_multiple_of(7) {
            line["archived"] = json!(true);
        } else if nth % 5 > 2 {
            line["active"] = json!(2);
        }
        format!("{line}\n")
    };
    let (file, some): (String, String) =
        ((0..100).map(line).collect(), (0..100).step_by(3).map(line).collect());
    let before = desk.head().await;
    // A third of the agents exists already, some of them archived.
    desk.import(&some).await.unwrap();
    let done = desk.import(&file).await.unwrap();
    assert_eq!((done.created, done.unchanged), (66, 34));
    assert!(desk.head().await - before <= 10, "{} commits", desk.head().await - before);

    for nth in 0..100 {
        let input = ImportAgents { customer_id: away, ..desk.input() };
        import(&desk.app.registry, &system(), input, &mut line(nth).as_bytes()).await.unwrap();
    }
    let untimed = |file: &str| {
        let mut all = lines(file);
        all.iter_mut().flat_map(|line| &mut line.versions).for_each(|version| version.published_at = None);
        // The ids differ, because these files have none.
        all.iter_mut().for_each(|line| line.head.id = None);
        all
    };
    assert_eq!(untimed(&desk.export().await), untimed(&export(&desk.app.registry, away).await));
    let mut session = PgConnection::connect(&desk.app.database.admin_url).await.unwrap();
    assert_eq!(crate::log::first_broken(&mut session).await, None);
}

/// A bad line doesn't affect the lines before it, and no line after it is stored, wherever it is in a batch.
#[tokio::test]
async fn what_comes_before_a_bad_line_is_imported() {
    let desk = Desk::open().await;
    desk.import(&simple("Known", &["1", "2"])).await.unwrap();
    let good: Vec<String> = (0..10).map(|nth| simple(&format!("Good {nth}"), &["1"])).collect();
    let file = good[..7].concat() + &simple("Known", &["1", "other"]) + &good[7..].concat();
    let err = desk.import(&file).await.unwrap_err();
    assert_eq!((err.line, err.agent.as_deref(), err.done.created), (8, Some("Known"), 7));
    let there = lines(&desk.export().await);
    let names: Vec<&str> = there.iter().map(|line| line.head.agent.as_str()).collect();
    let expected: Vec<String> = (0..7).map(|nth| format!("Good {nth}")).collect();
    assert_eq!(names[..7], expected);
    assert_eq!(names[7..], ["Known"]);
}
