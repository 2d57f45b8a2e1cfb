//! Exports and imports over REST: the same files and rules as on the command line, streamed both ways.

use std::time::Duration;

use agent_registry::{
    domain::{KeyScope, member::Role},
    share::ShareHolder,
};
use insta::assert_snapshot;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::{City, assert_problem};
use crate::support::{
    Answer,
    caller::{Client, Member},
    wait::{eventually, within},
};

fn path(customer: &str, verb: &str) -> String {
    format!("/v1/customers/{customer}/{verb}")
}

async fn import(client: &Client, customer: &str, options: &str, file: &str) -> Answer {
    let request = client.request(Method::POST, &format!("{}{options}", path(customer, "import")));
    Answer::of(request.header("content-type", "application/x-ndjson").body(file.to_owned())).await
}

async fn export(client: &Client, customer: &str) -> String {
    let response = client.request(Method::GET, &path(customer, "export")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    response.text().await.unwrap()
}

/// The lines of a report, without ids.
fn reports(text: &str) -> Vec<Value> {
    let read = |line| serde_json::from_str::<Value>(line).unwrap();
    text.lines().map(read).collect()
}

fn reported(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200);
    match &answer.body {
        Value::String(text) => reports(text),
        // One line is JSON.
        one => vec![one.clone()],
    }
}

fn simple(agent: &str, prompts: &[&str]) -> String {
    let versions: Vec<Value> = prompts.iter().map(|prompt| json!({ "system_prompt": prompt })).collect();
    format!("{}\n", json!({ "agent": agent, "versions": versions }))
}

async fn admin(city: &City) -> Member {
    city.app.member(&city.customer, Role::Admin).await
}

#[tokio::test]
async fn an_export_over_rest_imports_elsewhere_to_the_same_bytes() {
    let city = City::new().await;
    city.serve("Hello \u{1f980}").await;
    let admin = admin(&city).await;
    let file = export(&admin, &city.customer).await;
    let expected =
        format!(r#"{{"active":1,"agent":"Helper","archived":false,"description":null,"id":"{}""#, city.agent);
    assert!(file.starts_with(&expected) && file.ends_with("]}\n"), "{file}");
    let town = city.operator.customer("Town").await;
    let there = city.app.member(&town, Role::Admin).await;
    let done = reported(&import(&there, &town, "", &file).await);
    assert_eq!(done[0]["result"], "created");
    assert_eq!(done[1]["summary"]["versions"], 1);
    assert_eq!(export(&there, &town).await, file);
    let again = reported(&import(&there, &town, "", &file).await);
    assert_eq!((&again[0]["result"], &again[1]["summary"]["unchanged"]), (&json!("unchanged"), &json!(1)));
    // A program with the scopes may do both.
    let scopes =
        [KeyScope::AgentsRead, KeyScope::AgentsWrite, KeyScope::VersionsPublish, KeyScope::VersionsActivate];
    let program = city.app.program(&town, scopes).await;
    assert_eq!(export(&program, &town).await, file);
    assert_eq!(reported(&import(&program, &town, "", &file).await)[1]["summary"]["unchanged"], 1);
    let changes = "query ($c: ID!) { changes(customerId: $c, first: 100) { nodes { channel action } } }";
    let log = there.gql(changes, json!({ "c": town })).await;
    let entries = log.at("/changes/nodes").as_array().unwrap();
    assert!(
        entries.iter().any(|entry| *entry == json!({ "channel": "REST", "action": "VERSION_PUBLISHED" })),
        "{entries:?}"
    );
}

#[tokio::test]
async fn each_line_is_reported() {
    let city = City::new().await;
    let (admin, before) = (admin(&city).await, city.revision().await);
    let file = [
        simple("One", &["1"]),
        simple(" ", &["1"]),
        json!({ "agent": "Helper", "versions": [{ "systemPrompt": "x", "modelName": "" }] }).to_string()
            + "\n",
        simple("Two", &["1", "2"]),
    ];
    let shown = |answer: &Answer| {
        let mut lines = reported(answer);
        lines.iter_mut().filter(|line| line["id"].is_string()).for_each(|line| line["id"] = json!("ID"));
        lines.iter().map(|line| format!("{line}\n")).collect::<String>()
    };
    let stopped = import(&admin, &city.customer, "?dry_run=true", &file.concat()).await;
    assert_snapshot!(shown(&stopped), @r#"
    {"agent":"One","error":null,"id":"ID","line":1,"notes":[],"result":"created","versions":1}
    {"agent":" ","error":{"code":"INVALID","field":"agent","message":"agent must not be blank"},"id":null,"line":2,"notes":[],"result":"failed","versions":0}
    {"summary":{"complete":false,"created":1,"dry_run":true,"error":null,"failed":1,"unchanged":0,"updated":0,"versions":1}}
    "#);
    assert_eq!(city.revision().await, before, "a dry run stores nothing");
    let skipped = import(&admin, &city.customer, "?skip_bad=true&model=m", &file.concat()).await;
    assert_snapshot!(shown(&skipped), @r#"
    {"agent":"One","error":null,"id":"ID","line":1,"notes":[],"result":"created","versions":1}
    {"agent":" ","error":{"code":"INVALID","field":"agent","message":"agent must not be blank"},"id":null,"line":2,"notes":[],"result":"failed","versions":0}
    {"agent":"Helper","error":{"code":"INVALID","field":"model_name","message":"version 1: model_name must not be blank"},"id":null,"line":3,"notes":[],"result":"failed","versions":0}
    {"agent":"Two","error":null,"id":"ID","line":4,"notes":[],"result":"created","versions":2}
    {"summary":{"complete":true,"created":2,"dry_run":false,"error":null,"failed":2,"unchanged":0,"updated":0,"versions":3}}
    "#);
    assert_eq!(export(&admin, &city.customer).await.lines().count(), 3);
    let long = json!({ "agent": "Long", "versions": [{ "system_prompt": "x".repeat(512 * 1024 + 1), "model_name": "" }] });
    let report = reported(&import(&admin, &city.customer, "", &format!("{long}\n")).await);
    let message = "version 1: system_prompt is too large: 524289 bytes, at most 524288; version 1: model_name must not be blank";
    assert_eq!(report[0]["error"], json!({ "code": "TOO_LARGE", "field": null, "message": message }));
    let long = json!({ "agent": "Long", "versions": [{ "system_prompt": "x".repeat(512 * 1024 + 1) }] });
    let report = reported(&import(&admin, &city.customer, "", &format!("{long}\n")).await);
    assert_eq!(report[0]["error"]["field"], "system_prompt");
}

#[tokio::test]
async fn what_may_not_be_imported_has_a_status_and_stores_nothing() {
    let city = City::new().await;
    let admin = admin(&city).await;
    let (file, target) = (simple("A", &["1"]), path(&city.customer, "import"));
    let before = city.revision().await;
    for (options, status, code) in [
        ("?dry_run=1", 422, "INVALID"),
        ("?exact=true&activate=true", 422, "INVALID"),
        ("?model=%20", 422, "INVALID"),
        ("?force=true", 400, "BAD_REQUEST"),
    ] {
        assert_problem(&import(&admin, &city.customer, options, &file).await, status, code);
    }
    for (name, value) in
        [("content-type", "text/plain"), ("content-type", "application/x-ndjson; charset=utf-16")]
    {
        let request = admin.request(Method::POST, &target).header(name, value).body(file.clone());
        assert_problem(&Answer::of(request).await, 415, "BAD_REQUEST");
    }
    let zipped = admin.request(Method::POST, &target).header("content-type", "application/x-ndjson");
    assert_problem(
        &Answer::of(zipped.header("content-encoding", "gzip").body("x")).await,
        415,
        "BAD_REQUEST",
    );
    assert_problem(&import(&city.editor, &city.customer, "", &file).await, 403, "FORBIDDEN");
    assert_problem(&city.editor.get(&path(&city.customer, "export")).await, 403, "FORBIDDEN");
    assert_eq!(city.revision().await, before);
    let suspend = "mutation ($c: ID!) { setBillingStatus(input: { customerId: $c, status: SUSPENDED }) { userErrors { code } } }";
    city.operator.gql(suspend, json!({ "c": city.customer })).await;
    let before = city.revision().await;
    assert_problem(&import(&admin, &city.customer, "", &file).await, 403, "SUSPENDED");
    assert_eq!(export(&admin, &city.customer).await.lines().count(), 1, "what it has, it may take with it");
    assert_eq!(city.revision().await, before);
}

/// A connection that sends its body piece by piece.
struct Upload {
    answer: BufReader<TcpStream>,
}

impl Upload {
    async fn begin(client: &Client, path: &str) -> Self {
        let host = client.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/x-ndjson\r\n\
             transfer-encoding: chunked\r\n\r\n",
            client.token.as_deref().unwrap()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        Self { answer: BufReader::new(stream) }
    }

    async fn send(&mut self, text: &str) {
        let chunk = format!("{:x}\r\n{text}\r\n", text.len());
        self.answer.get_mut().write_all(chunk.as_bytes()).await.unwrap();
    }

    /// Reads until a line has this text.
    async fn read_to(&mut self, text: &str) -> String {
        let mut all = String::new();
        let read = async {
            loop {
                let mut line = String::new();
                assert!(self.answer.read_line(&mut line).await.unwrap() > 0, "no {text:?} in {all}");
                all.push_str(&line);
                if line.contains(text) {
                    return;
                }
            }
        };
        within(text, read).await;
        all
    }
}

#[tokio::test]
async fn a_line_is_imported_and_reported_while_the_next_ones_arrive() {
    let city = City::new().await;
    let admin = admin(&city).await;
    let mut upload = Upload::begin(&admin, &path(&city.customer, "import")).await;
    // More than one transaction takes.
    let many: String = (0..40).map(|nth| simple(&format!("Agent {nth:02}"), &["1"])).collect();
    upload.send(&many).await;
    let head = upload.read_to("Agent 31").await;
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(!head.contains("summary"), "{head}");
    let second = import(&admin, &city.customer, "", &simple("Other", &[])).await;
    assert_eq!((second.status.as_u16(), &second.body["code"]), (429, &json!("RATE_LIMITED")));
    upload.send(&simple("Last", &["1", "2"])).await;
    upload.send("").await;
    let rest = upload.read_to("summary").await;
    assert!(rest.contains(r#""complete":true,"dry_run":false,"created":41"#), "{rest}");
    assert_eq!(export(&admin, &city.customer).await.lines().count(), 42);
    eventually("the next import may begin", async || {
        import(&admin, &city.customer, "", &simple("Other", &[])).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn who_hangs_up_leaves_whole_agents_only() {
    let city = City::new().await;
    let admin = admin(&city).await;
    let large: Vec<Value> =
        (0..4).map(|nth| json!({ "system_prompt": nth.to_string().repeat(500_000) })).collect();
    let line = json!({ "agent": "Large", "versions": large }).to_string();
    for cut in [line.len() / 3, line.len() - 1] {
        let mut upload = Upload::begin(&admin, &path(&city.customer, "import")).await;
        upload.send(&simple("Whole", &["1"])).await;
        upload.send(&line[..cut]).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(upload);
        let (door, holder) = (&city.app.door, ShareHolder::Customer(city.customer.parse().unwrap()));
        eventually("its memory and its disk space are returned", async || {
            let used = |budget: &agent_registry::share::MemoryBudget| {
                budget.used_bytes().iter().map(|(_, bytes)| bytes).sum::<usize>()
            };
            let free = door.import_disk.share(holder.clone()).try_reserve(1).is_ok();
            used(&door.import_disk) == 0 && used(&door.budget) == 0 && free
        })
        .await;
        let there = export(&admin, &city.customer).await;
        assert!(there.contains("\"Whole\"") && !there.contains("\"Large\""), "{there:.300}");
    }
    let done = reported(&import(&admin, &city.customer, "", &line).await);
    assert_eq!(done.last().unwrap()["summary"]["versions"], 4, "the same line, whole");
}

#[tokio::test]
async fn an_import_counts_on_the_callers_disk_space_and_says_when_it_is_used_up() {
    let city = City::new().await;
    let (admin, before) = (admin(&city).await, city.revision().await);
    let disk = city.app.door.import_disk.share(ShareHolder::Customer(city.customer.parse().unwrap()));
    let (mut taken, mib) = (Vec::new(), 1024 * 1024);
    while let Ok(more) = disk.try_reserve(mib) {
        taken.push(more);
    }
    let large = json!([{ "system_prompt": "x".repeat(500_000) }, { "system_prompt": "y".repeat(500_000) },
        { "system_prompt": "z".repeat(500_000) }]);
    let line = json!({ "agent": "Large", "versions": large }).to_string();
    let done = reported(&import(&admin, &city.customer, "", &line).await);
    assert_eq!(done[0]["error"]["code"], "UNAVAILABLE", "{done:?}");
    assert_eq!(done[1]["summary"]["complete"], false);
    assert_eq!(city.revision().await, before);
    assert_eq!(
        reported(&import(&admin, &city.customer, "", &simple("Small", &["1"])).await)[0]["result"],
        "created"
    );
}

#[tokio::test]
async fn bodies_are_read_in_the_spelling_of_graphql_too() {
    let city = City::new().await;
    let made = city.operator.post("/v1/agents", json!({ "customerId": city.customer, "name": "New" })).await;
    assert_eq!(made.status, 201);
    let version = json!({ "systemPrompt": "p", "modelName": "m", "modelParameters": { "n": 1 },
        "expectedLatestNumber": 0, "tools": [{ "name": "t", "inputSchema": { "type": "object" } }] });
    let published = city.editor.post(&city.versions(), version.clone()).await;
    assert_eq!(published.status, 201);
    assert_eq!(published.body["tools"][0]["inputSchema"], json!({ "type": "object" }));
    assert_eq!(
        (&published.body["system_prompt"], &published.body["model_parameters"]["n"]),
        (&json!("p"), &json!(1))
    );
    let before = city.revision().await;
    assert_problem(&city.editor.post(&city.versions(), version).await, 409, "CONFLICT");
    let both = json!({ "systemPrompt": "p", "system_prompt": "p", "modelName": "m" });
    assert_problem(&city.editor.post(&city.versions(), both).await, 422, "INVALID");
    let blank = city.editor.post(&city.versions(), json!({ "systemPrompt": "p", "modelName": " " })).await;
    assert_problem(&blank, 422, "INVALID");
    assert_eq!(
        (&blank.body["field"], &blank.body["detail"]),
        (&json!("model_name"), &json!("model_name must not be blank"))
    );
    assert_eq!(city.revision().await, before);
}
