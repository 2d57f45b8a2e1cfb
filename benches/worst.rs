//! Measures the most expensive documents, accepted and rejected: the service's processor time per request, minus
//! that of `{ __typename }`; the part of the document front in it; and the additional memory. `cargo bench --bench
//! worst`.

#![expect(clippy::disallowed_methods, reason = "benchmarks parse only the service's own responses")]

#[allow(dead_code, reason = "each benchmark uses a part of it")]
mod serving;

use std::time::{Duration, Instant};

use graphql_front::Front;
use serde_json::{Value, json};
use serving::{Failure, Serving};

/// The duration of each measurement. Requests are sent one at a time.
const TURN: Duration = Duration::from_secs(2);
/// The minimum number of requests per measurement.
const TIMES_MIN: u32 = 5;

fn many(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect::<Vec<_>>().join(" ")
}

fn nested(open: &str, middle: &str, close: &str, times: usize) -> String {
    open.repeat(times) + middle + &close.repeat(times)
}

/// A document of `count` fragments, each of which spreads the next one `times` times.
fn chain(count: usize, times: usize, last: &str) -> String {
    let links = many(count, |nth| {
        format!("fragment F{nth} on Query {{ {} }}", format!("...F{} ", nth + 1).repeat(times))
    });
    format!("{{ ...F0 }} {links} fragment F{count} on Query {{ {last} }}")
}

/// Documents within the limits, each at one or several limits. They run, or fail validation.
fn accepted(agent: &str) -> Vec<(&'static str, String, Value)> {
    let none = Value::Null;
    let literal = |inner: String| {
        format!("query ($id: ID!) {{ agent(id: $id) {{ id }} nodes(ids: [{inner}]) {{ __typename }} }}")
    };
    let variables = |inner: Value| json!({ "id": agent, "ids": inner });
    let prompts = "query ($id: ID!) { agent(id: $id) { versions(first: 100) { nodes { number modelName message contentHash } } } }";
    let types = "__schema { types { name description fields { name description args { name type { name ofType { name } } } type { name ofType { name } } } } }";
    vec![
        ("fields of one name, merged", format!("{{ __schema {{ {} }} }}", "description ".repeat(4_900)), none.clone()),
        ("merges at the limit", format!("{{ __schema {{ {} }} }}", many(600, |_| format!("types {{ {} }}", "name ".repeat(7)))), none.clone()),
        ("one field that is unknown, 7,900 times", format!("{{ viewer {{ {} }} }}", "x ".repeat(4_900)), none.clone()),
        ("fields that are all unknown", format!("{{ viewer {{ {} }} }}", many(4_900, |nth| format!("x{nth}"))), none.clone()),
        ("long names that are unknown", format!("{{ viewer {{ {} }} }}", many(4_900, |nth| format!("{:x<120}{nth}", "x"))), none.clone()),
        ("fields that can not be merged", format!("{{ viewer {{ {} }} }}", many(98, |nth| format!("a: name a: isOperator b{nth}: name"))), none.clone()),
        ("unknown arguments", format!("{{ viewer {{ {} }} }}", many(60, |_| format!("name({})", many(32, |nth| format!("x{nth}: 1"))))), none.clone()),
        ("the same with as many merges as may be", format!("{{ viewer {{ {} }} }}", format!("name({}) ", many(32, |nth| format!("x{nth}: 1"))).repeat(80)), none.clone()),
        ("unknown directives", format!("{{ viewer {{ {} }} }}", many(50, |nth| format!("a{nth}: name @d{nth}"))), none.clone()),
        ("directives that skip", format!("{{ viewer {{ {} }} }}", many(50, |_| "name @skip(if: true)".to_owned())), none.clone()),
        ("aliases", format!("{{ __schema {{ {} }} }}", many(100, |nth| format!("a{nth}: description"))), none.clone()),
        ("the schema, aliased at the limit of cost", format!("{{ {} }}", many(12, |nth| format!("a{nth}: {types}"))), none.clone()),
        ("fragments at the limit", chain(29, 1, &format!("__schema {{ {} }}", "description ".repeat(4_000))), none.clone()),
        ("fragments that multiply", chain(9, 2, "__typename"), none.clone()),
        ("fragments that are not used", format!("{{ __typename }} {}", many(99, |nth| format!("fragment F{nth} on Query {{ {} }}", "__typename ".repeat(70)))), none.clone()),
        ("operations that are not run", many(10, |nth| format!("query Q{nth} {{ ...F }}")) + &format!(" fragment F on Query {{ __schema {{ {} }} }}", "description ".repeat(450)), none.clone()),
        ("deep selections", nested("{ __schema { types { fields { type { ofType { ofType { ofType", " { name } ", "} } } } } }", 1).to_string() + "}", none.clone()),
        ("inline fragments", format!("{{ {} }}", "...{ ...{ __typename } } ".repeat(400)), none.clone()),
        ("a literal of 7,900 tokens", literal("\"x\" ".repeat(7_900)), variables(none.clone())),
        ("a literal of 1 MiB", literal(format!("\"{}\"", "x".repeat(1_048_000))), variables(none.clone())),
        ("a literal of 1 MiB of escapes", literal(format!("\"{}\"", "\\u00e9".repeat(174_000))), variables(none.clone())),
        ("a block string of 1 MiB of lines", literal(format!("\"\"\"{}\"\"\"", " x\n".repeat(349_000))), variables(none.clone())),
        ("a comment of 1 MiB", format!("{{ __typename #{}\n }}", "x".repeat(1_048_000)), none.clone()),
        ("a deep literal", format!("{{ nodes(ids: {}) {{ __typename }} }}", nested("[", "1", "]", 36)), none.clone()),
        ("objects in a literal", format!("mutation {{ createAgent(input: {{ {} }}) {{ revision }} }}", many(2_600, |nth| format!("x{nth}: 1"))), none.clone()),
        ("variables that nobody uses", format!("query ({}) {{ __typename }}", many(2_600, |nth| format!("$x{nth}: Int"))), none.clone()),
        ("49,000 values in the variables", "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }".to_owned(), variables(json!(vec!["x"; 49_000]))),
        ("ids that nobody has", "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }".to_owned(), variables(json!(vec!["01a20326-e777-71ce-9264-eefdca7dad0e"; 100]))),
        ("a hundred versions", prompts.to_owned(), variables(none.clone())),
        ("pages within pages", "{ customers(first: 100) { nodes { name agents(first: 100) { nodes { name description createdAt } } } } }".to_owned(), none),
    ]
}

/// Documents that are rejected, each as late or as large as possible.
fn refused() -> Vec<(&'static str, String, Value)> {
    let large = "x".repeat(1_048_000);
    let documents = vec![
        ("bytes: a body of 2 MiB", format!("{{ a # {large}{large} }}")),
        ("bytes: a body of 1 MiB", format!("{{ a # {large} {} }}", "x".repeat(1_000))),
        ("tokens", format!("{{ {} }}", "a ".repeat(8_100))),
        ("tokens, of 1 MiB", format!("{{ {} }}", format!("{:x<120} ", "a").repeat(8_600))),
        ("nesting", format!("{{ a(b: {}", "[".repeat(41))),
        ("nesting, after a string of 1 MiB", format!("{{ a(b: \"{large}\") {}", "[".repeat(41))),
        ("a string of 1 MiB that does not end", format!("{{ a(b: \"{large}")),
        ("comments of one character, 1 MiB", format!("{} ]", "#\n".repeat(524_000))),
        ("does not parse, at its first token", "]".repeat(8_000)),
        ("does not parse, at its last token", format!("{{ {} ]", "a ".repeat(7_900))),
        ("does not parse, at its last argument", format!("{{ a({} ]", "a:1 ".repeat(2_600))),
        ("does not parse, after 1 MiB of escapes", format!("{{ a(b: \"{}\" ]", "\\n".repeat(524_000))),
        ("root fields", format!("{{ {} }}", "a ".repeat(7_900))),
        ("aliases", format!("{{ a {{ {} }} }}", "a:a ".repeat(2_600))),
        ("directives", format!("{{ a {{ {} }} }}", "a@a ".repeat(2_600))),
        ("arguments", format!("{{ a({}) }}", "a:1 ".repeat(2_600))),
        ("depth", format!("{{ {} {} }}", "a ".repeat(7_800), nested("{ a", "", "}", 20))),
        ("fragments", format!("{{ a }} {}", many(1_100, |nth| format!("fragment F{nth} on A {{ a }}")))),
        ("operations", many(1_900, |nth| format!("query Q{nth} {{ a }}"))),
        ("expanded fields", chain(90, 20, "a")),
        (
            "a cycle",
            format!(
                "{{ ...F0 }} {} fragment F99 on Query {{ ...F0 }}",
                many(99, |nth| format!(
                    "fragment F{nth} on Query {{ {} }}",
                    format!("...F{} ", nth + 1).repeat(18)
                ))
            ),
        ),
        ("cost", format!("{{ {} }}", "a(first: 9999) { nodes { b c d e f g h i j k l } } ".repeat(19))),
        ("an unknown field", "{ viewer { nothing } }".to_owned()),
    ];
    let nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }";
    let by_variables = [
        ("values in the variables: 50,001", json!({ "ids": vec!["x"; 50_000] })),
        ("values in the variables: 700,000 in a body of 3 MiB", json!({ "ids": vec!["x"; 700_000] })),
        ("a variable of another type", json!({ "ids": { "a": 1 } })),
        ("a variable that is missing", json!({})),
    ];
    let documents = documents.into_iter().map(|(name, query)| (name, query, Value::Null));
    documents.chain(by_variables.map(|(name, variables)| (name, nodes.to_owned(), variables))).collect()
}

/// The cost of a request.
struct Cost {
    /// The service's processor time per request.
    cpu: Duration,
    /// The time from the request to the response.
    wall: Duration,
    /// The service's additional memory at its peak, in bytes.
    memory: u64,
    answer: String,
}

async fn each(serving: &Serving, body: &Value) -> Result<Cost, Failure> {
    serving.memory_peak()?;
    let resident = serving.memory_peak()?;
    let (began, before) = (Instant::now(), serving.cpu()?);
    let (mut times, mut answer) = (0, String::new());
    while times < TIMES_MIN || began.elapsed() < TURN {
        answer = serving.post(body).send().await?.text().await?;
        times += 1;
    }
    let (cpu, wall) = (serving.cpu()?.saturating_sub(before) / times, began.elapsed() / times);
    Ok(Cost { cpu, wall, memory: serving.memory_peak()?.saturating_sub(resident), answer })
}

/// The shortest of several processing times of the document front, whether it accepts or rejects.
fn checked(front: &Front, query: &str, variables: &Value) -> Duration {
    let given = json_reader::Json::from(variables.clone());
    let once = || {
        let began = Instant::now();
        let _ =
            front.check(query.into()).and_then(|document| front.prepare(&document, None, given.as_object()));
        began.elapsed()
    };
    (0..9).map(|_| once()).min().unwrap_or_default()
}

fn result_of(text: &str) -> String {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    match answer.pointer("/errors/0/extensions/code").and_then(Value::as_str) {
        Some(code) => code.to_owned(),
        None if answer.get("data").is_some() => "data".to_owned(),
        None => format!("{text:.40}"),
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let front = agent_registry::graphql::front()?;
    let serving = Serving::start("worst").await?;
    let agent = scene(&serving).await?;
    let base = each(&serving, &json!({ "query": "{ __typename }" })).await?.cpu;
    println!("{{ __typename }}: {base:.2?} of processor time, subtracted below");
    for (title, documents) in [("refused", refused()), ("accepted", accepted(&agent))] {
        let (mut worst, mut most) = ((Duration::ZERO, ""), (0, ""));
        println!(
            "\n{title}: processor time, the document front's part of it, time until the response, memory, bytes of request and response, result"
        );
        for (name, query, variables) in documents {
            let body = json!({ "query": query, "variables": variables });
            let Cost { cpu, wall, memory, answer } = each(&serving, &body).await?;
            let (cpu, memory) = (cpu.saturating_sub(base), memory / (1024 * 1024));
            println!(
                "{cpu:>9.2?} {:>9.2?} {wall:>9.2?} {memory:>4} MiB {:>8} {:>8}  {name}: {}",
                checked(&front, &query, &variables),
                body.to_string().len(),
                answer.len(),
                result_of(&answer)
            );
            worst = worst.max((cpu, name));
            most = most.max((memory, name));
        }
        println!("worst {title}: {:.2?}, {}; {} MiB, {}", worst.0, worst.1, most.0, most.1);
    }
    Ok(())
}

/// Creates customers, agents and versions. Returns an agent with a hundred versions.
async fn scene(serving: &Serving) -> Result<String, Failure> {
    let text = |answer: &Value, at: &str| {
        let text = answer.pointer(at).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| Failure::from(format!("no {at} in {answer}")))
    };
    let mut last = String::new();
    for customer in 0..20 {
        let query =
            "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } } }";
        let input = json!({ "input": { "name": format!("City {customer}") } });
        let id = text(&serving.gql(query, input).await?, "/data/createCustomer/customer/id")?;
        let plan = "mutation ($input: SetPlanInput!) { setPlan(input: $input) { revision } }";
        serving.gql(plan, json!({ "input": { "customerId": id, "plan": "ENTERPRISE" } })).await?;
        for agent in 0..20 {
            let query =
                "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } } }";
            let input = json!({ "input": { "customerId": id, "name": format!("Agent {agent}"), "description": "x".repeat(200) } });
            last = text(&serving.gql(query, input).await?, "/data/createAgent/agent/id")?;
        }
    }
    for version in 0..100 {
        let query =
            "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) { version { id } } }";
        let input = json!({ "input": {
            "agentId": last, "modelName": "m", "systemPrompt": format!("Version {version}. {}", "Long. ".repeat(100)) } });
        text(&serving.gql(query, input).await?, "/data/publishVersion/version/id")?;
    }
    Ok(last)
}
