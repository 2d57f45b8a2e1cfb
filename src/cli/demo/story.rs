//! The demo's steps. All of them use the service's public API.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use registry_client::{Session, Subscription};

use super::{
    super::{Failure, progress::bar},
    PROMPTS,
    report::{Receipt, Report},
};
use crate::{
    clock::Clock,
    domain::transfer::{Line, LineVersion},
};

/// The time limit for receiving an event.
const DEADLINE: Duration = Duration::from_secs(10);
/// The model of versions without one, which the demo's prompts are.
const MODEL: &str = "gpt-4-turbo";

const CREATE_CUSTOMER: &str = "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) {
    customer { id } revision userErrors { code message } } }";
const CREATE_TOKEN: &str = "mutation ($input: CreateServiceTokenInput!) { createServiceToken(input: $input) {
    serviceToken { id } secret userErrors { code message } } }";
const REVOKE_TOKEN: &str = "mutation ($input: RevokeServiceTokenInput!) { revokeServiceToken(input: $input) {
    userErrors { code message } } }";
const CREATE_AGENT: &str = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) {
    agent { id } userErrors { code message } } }";
const PUBLISH: &str = "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) {
    version { id } userErrors { code message } } }";
const ACTIVATE: &str = "mutation ($input: ActivateVersionInput!) { activateVersion(input: $input) {
    activation { id } userErrors { code message } } }";
const WATCH: &str = "subscription ($customer: ID!, $after: Cursor!) {
    activations(customerId: $customer, after: $after) { id agent { name } version { number systemPrompt } } }";

/// Runs the demo against the service at `url`, with this operator's token.
pub(super) async fn run(url: &str, token: &str) -> Result<Report, Failure> {
    let lines = PROMPTS.lines().map(|line| Line::read(line.as_bytes())).collect::<Result<Vec<_>, _>>()?;
    let versions: usize = lines.iter().map(|line| line.versions.len()).sum();
    let admin = Session::connect(url, token).await?;
    let name = format!("Demo City {}", Clock::default().now().format("%Y-%m-%d %H:%M:%S"));
    let made = mutate(&admin, "createCustomer", CREATE_CUSTOMER, json!({ "name": name })).await?;
    let customer = text(&made, "/customer/id")?;
    let input = json!({ "name": "demo watcher", "scopes": ["ACTIVATIONS_WATCH", "CONFIGS_READ"] });
    let service_token = mutate(&admin, "createServiceToken", CREATE_TOKEN, input).await?;
    let watcher = Session::connect(url, &text(&service_token, "/secret")?).await?;
    // `after` is explicit, so that the subscription misses nothing, however late the service starts it.
    let after = text(&made, "/revision")?;
    let mut events = watcher.subscribe(WATCH, json!({ "customer": customer, "after": after }))?;

    let bar = bar(versions as u64, "{wide_bar} {pos}/{len} versions, {msg}");
    let mut report = Report::new(url, &customer, &name);
    for line in lines {
        bar.set_message(line.head.agent.clone());
        let input = json!({ "customerId": customer, "name": line.head.agent });
        let agent = text(&mutate(&admin, "createAgent", CREATE_AGENT, input).await?, "/agent/id")?;
        for (version, number) in line.versions.into_iter().zip(1..) {
            let receipt =
                publish_and_receive(&admin, &mut events, &agent, &line.head.agent, version, number).await?;
            report.add(receipt);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let input = json!({ "serviceTokenId": text(&service_token, "/serviceToken/id")? });
    mutate(&admin, "revokeServiceToken", REVOKE_TOKEN, input).await?;
    Ok(report)
}

/// Publishes one version, activates it, and waits until the subscriber receives the activation.
async fn publish_and_receive(
    admin: &Session,
    events: &mut Subscription,
    agent: &str,
    name: &str,
    version: LineVersion,
    number: i64,
) -> Result<Receipt, Failure> {
    let prompt = version.system_prompt;
    let message = version.published_at.map(|at| format!("As first published at {at}"));
    let model = version.model_name.unwrap_or_else(|| MODEL.to_owned());
    let input = json!({ "agentId": agent, "systemPrompt": prompt, "modelName": model, "message": message });
    let id = text(&mutate(admin, "publishVersion", PUBLISH, input).await?, "/version/id")?;
    let sent = Instant::now();
    let done =
        mutate(admin, "activateVersion", ACTIVATE, json!({ "agentId": agent, "versionId": id })).await?;
    let acknowledged = Instant::now();
    let activation = text(&done, "/activation/id")?;
    let event = match timeout(DEADLINE, events.next()).await {
        Err(_) => None,
        Ok(event) => Some(event.ok_or_else(|| Failure::Demo("the subscription ended".to_owned()))??),
    };
    let arrived = event.as_ref().map(|event| event.at);
    let got =
        event.map(|event| event.data.get("activations").map(json_reader::Json::to_serde).unwrap_or_default());
    let expected = json!({
        "id": activation, "agent": { "name": name }, "version": { "number": number, "systemPrompt": prompt },
    });
    Ok(Receipt {
        agent: name.to_owned(),
        number,
        bytes: prompt.len(),
        is_expected: got == Some(expected),
        since_sent: arrived.map(|at| millis(sent, at)),
        since_acknowledged: arrived.map(|at| millis(acknowledged, at)),
    })
}

/// Milliseconds between two instants; negative when `to` precedes `from`.
fn millis(from: Instant, to: Instant) -> f64 {
    let forth = to.saturating_duration_since(from).as_secs_f64();
    let back = from.saturating_duration_since(to).as_secs_f64();
    (forth - back) * 1000.0
}

/// Runs a mutation of one field and returns its payload.
///
/// # Errors
/// When the payload has `userErrors`.
async fn mutate(session: &Session, field: &str, document: &str, input: Value) -> Result<Value, Failure> {
    let mut data = session.query(document, json!({ "input": input })).await?;
    let payload = data.get_mut(field).map(Value::take).unwrap_or_default();
    match payload.pointer("/userErrors/0") {
        None => Ok(payload),
        Some(refusal) => Err(Failure::Demo(format!("{field} failed: {refusal}"))),
    }
}

fn text(value: &Value, pointer: &str) -> Result<String, Failure> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| Failure::Demo(format!("the response has no {pointer}: {value}")))
}
