//! The web console in a real browser, against a service that embeds it. The scripts are in `console/scripts`.

use agent_registry::{
    domain::member::Role,
    graphql::{TrustedDocuments, front},
};
use async_graphql::parser::{parse_query, types::OperationType};
use serde_json::{Map, Value, json};
use tokio::process::Command;

use crate::{
    environment::create,
    session::new_link,
    support::{
        App, Calls,
        app::Setup,
        caller::{Client, Operator},
        node::console_script,
        proof::count,
        wait::in_time,
    },
};

/// How long a script may take. The longest one opens more than fifty pages, beside all other tests.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(600);

/// Runs a script that signs in as this operator, and returns what it printed. Panics unless it succeeds.
async fn run(app: &App, name: &str, arguments: &[&str], with: impl FnOnce(&mut Command)) -> String {
    let mut script = console_script(name);
    let link = new_link(app, "olga", true).await;
    script.args(arguments).env("REGISTRY_URL", &app.base);
    script.env("REGISTRY_SIGN_IN", format!("{}{link}", app.base)).stderr(std::process::Stdio::piped());
    with(&mut script);
    let output = in_time(name, DEADLINE, script.output()).await.expect("node");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", text(&output.stderr));
    printed
}

/// A customer with something on each page, and one with nothing.
async fn furnish(app: &App, operator: &Operator) {
    let customer = operator.customer("City of Springfield").await;
    operator.customer("Town of Ogdenville").await;
    create(operator, &customer, "staging").await;
    let vera = app.set_member(&customer, "vera", Role::Viewer).await;
    for name in ["Permit helper", "Waste calendar", "Tax desk"] {
        let agent = operator.agent(&customer, name).await;
        let mut versions = Vec::new();
        for prompt in ["You help.", "You help, and cite the law.", "You help, and cite the code."] {
            versions.push(operator.publish(&agent, prompt).await);
        }
        operator.activate(&agent, &versions[1]).await;
        let own = json!({ "agentId": agent, "ownerId": vera });
        operator
            .gql(
                "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { userErrors { code } } }",
                json!({ "input": own }),
            )
            .await;
    }
    let things = "mutation ($c: ID!) {
        createApiKey(input: { customerId: $c, name: \"Portal\", scopes: [AGENTS_READ] }) { userErrors { code } }
        inviteMember(input: { customerId: $c, email: \"ada@example.org\", role: EDITOR }) { userErrors { code } }
        createServiceToken(input: { name: \"Gateway\", scopes: [CONFIGS_READ] }) { userErrors { code } } }";
    let made = operator.gql(things, json!({ "c": customer })).await;
    assert_eq!(made.body.get("errors"), None, "{}", made.body);
}

async fn use_it(scroll_bars: &str) {
    let app = App::start().await;
    app.operator().await;
    let member = app.stranger();
    let printed = run(&app, "scenario.mjs", &["--scroll-bars", scroll_bars], |script| {
        script.env("REGISTRY_MEMBER_TOKEN", member.token.as_deref().unwrap());
        script.env("REGISTRY_MEMBER_SUBJECT", "stranger");
    })
    .await;
    let (ran, skipped): (Vec<&str>, Vec<&str>) = printed
        .lines()
        .filter(|line| line.starts_with("ok  ") || line.starts_with("--  "))
        .partition(|line| line.starts_with("ok  "));
    assert!(ran.len() > 14 && skipped.is_empty(), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_do_with_it_works() {
    use_it("no").await;
}

/// Scroll bars change what libraries measure and insert, which the policy must permit too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_do_with_it_works_with_scroll_bars() {
    use_it("yes").await;
}

/// Each page in both themes; with `PROOF`, at both widths in each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_accessible() {
    let app = App::start().await;
    furnish(&app, &app.operator().await).await;
    let arguments = &["--short"][..count(1, 0)];
    let printed = run(&app, "axe.mjs", arguments, |_| ()).await;
    assert!(printed.contains("axe found nothing on 29 pages"), "{printed}");
}

/// A value for a variable of this type.
fn value(of: &str, customer: &str) -> Value {
    match of {
        "ID!" => json!(customer),
        "[ID!]!" => json!([customer]),
        "String!" => json!("UTC"),
        "[String!]!" => json!(["production"]),
        "Int!" => json!(100),
        "Boolean!" => json!(true),
        "DateTime!" => json!("2026-11-01T00:00:00Z"),
        "VersionContentInput!" => json!({ "systemPrompt": "You help.", "modelName": "m" }),
        _ if !of.ends_with('!') => Value::Null,
        other => panic!("no value of {other}"),
    }
}

/// With a manifest of its own, the service runs the console's documents too, and each is within the cost of the smallest
/// plan. Returns how many queries there are.
async fn queries_run(client: &Client, customer: &str) -> usize {
    let documents: Map<String, Value> =
        serde_json::from_str(agent_registry::http::console_documents().expect("a built console")).unwrap();
    let mut queries = 0;
    for document in documents.values().map(|document| document.as_str().unwrap()) {
        let parsed = parse_query(document).unwrap();
        let (_, operation) = parsed.operations.iter().next().unwrap();
        if operation.node.ty != OperationType::Query {
            continue;
        }
        let definitions = operation.node.variable_definitions.iter().map(|definition| &definition.node);
        let values = definitions.filter(|definition| definition.default_value.is_none()).map(|definition| {
            (definition.name.node.to_string(), value(&definition.var_type.node.to_string(), customer))
        });
        let answer = client.gql(document, Value::Object(values.collect())).await;
        let code = answer.code();
        let is_run =
            !matches!(code, Some("QUERY_TOO_COMPLEX" | "DOCUMENT_NOT_TRUSTED" | "GRAPHQL_VALIDATION_FAILED"));
        assert!(is_run && answer.status.as_u16() == 200, "{document}: {}", answer.body);
        queries += 1;
    }
    queries
}

#[tokio::test]
async fn with_a_manifest_of_its_own_the_console_works_on() {
    let parse = |list: &str| TrustedDocuments::parse(list, &front().unwrap()).unwrap();
    let console = parse(agent_registry::http::console_documents().expect("a built console"));
    const CREATE: &str =
        "mutation ($name: String!) { createCustomer(input: { name: $name }) { customer { id } } }";
    let own = parse(&json!({ "create": CREATE }).to_string());
    let app = App::set_up(Setup { trusted_documents: Some(own.and(console)), ..Setup::default() }).await;
    let operator = app.operator().await;
    let made = operator.gql(CREATE, json!({ "name": "City" })).await;
    let customer = made.text("/createCustomer/customer/id");
    let viewer = app.member(&customer, Role::Viewer).await;
    assert!(queries_run(&viewer, &customer).await > 40);
    assert!(queries_run(&operator, &customer).await > 40);
    let foreign = viewer.gql("{ viewer { name } }", Value::Null).await;
    assert_eq!(foreign.code(), Some("DOCUMENT_NOT_TRUSTED"));
}

/// The program of the book about dashboards, as the book says to build it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_books_dashboard_compiles_and_shows_agents() {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Permit helper").await;
    let version = operator.publish(&agent, "You help.").await;
    let mut script = console_script("book.mjs");
    let token = operator.token.clone().unwrap();
    script.args(["--run", &format!("{}/graphql", app.base), &token, &customer]);
    let mut program = script.stdout(std::process::Stdio::piped()).spawn().expect("node");
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut printed = Vec::new();
    in_time("the dashboard shows the activation", DEADLINE, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            printed.push(line);
            if printed.len() == 1 {
                operator.activate(&agent, &version).await;
            }
            if printed.last().is_some_and(|line| line == "Permit helper production: 1") {
                return;
            }
        }
        panic!("the dashboard ended: {printed:?}");
    })
    .await;
}
