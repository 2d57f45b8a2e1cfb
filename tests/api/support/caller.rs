//! Clients, one type for each kind of caller.

use std::{fmt, ops::Deref, sync::Arc, time::Duration};

use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use super::{socket::Socket, wait::in_time};

/// Deadline for any response; longer than the service lets a request take.
const DEADLINE: Duration = Duration::from_secs(120);

/// A client of the service, with or without a token.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) base: String,
    pub(crate) token: Option<String>,
    http: reqwest::Client,
}

/// A status that prints its response's body too, so that a failed assertion says why.
#[derive(Clone)]
pub(crate) struct Status {
    code: StatusCode,
    body: Arc<str>,
}

impl Status {
    pub(crate) fn new(code: StatusCode, body: &str) -> Self {
        Self { code, body: body.into() }
    }

    pub(crate) fn as_u16(&self) -> u16 {
        self.code.as_u16()
    }

    pub(crate) fn is_success(&self) -> bool {
        self.code.is_success()
    }
}

impl PartialEq for Status {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl PartialEq<u16> for Status {
    fn eq(&self, code: &u16) -> bool {
        self.code == *code
    }
}

impl PartialEq<StatusCode> for Status {
    fn eq(&self, code: &StatusCode) -> bool {
        self.code == *code
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {:.1000}", self.code, self.body)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: Status,
    pub(crate) headers: HeaderMap,
    /// The body, without the cost of its operation: what is left to spend differs from answer to answer.
    pub(crate) body: Value,
    /// The `extensions.cost` of the body, or null.
    pub(crate) cost: Value,
}

/// Removes the cost of an operation from its result, and returns it.
pub(crate) fn take_cost(result: &mut Value) -> Value {
    let Some(extensions) = result.get_mut("extensions").and_then(Value::as_object_mut) else {
        return Value::Null;
    };
    // The body of a version over REST has extensions of its own.
    let Some(cost) = extensions.remove("cost") else { return Value::Null };
    if extensions.is_empty() {
        result.as_object_mut().unwrap().remove("extensions");
    }
    cost
}

/// The text of responses without the points that are left, which differ from answer to answer.
pub(crate) fn without_points_left(text: &str) -> String {
    let mut parts = text.split("\"remaining\":");
    let first = parts.next().unwrap().to_owned();
    let is_digit = |letter: char| letter.is_ascii_digit();
    parts.fold(first, |text, part| text + "\"remaining\":" + part.trim_start_matches(is_digit))
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = in_time("an answer", DEADLINE, request.send()).await;
        let response = response.unwrap_or_else(|err| panic!("no answer came: {err:?}"));
        let (code, headers) = (response.status(), response.headers().clone());
        let text = in_time("the whole of an answer", DEADLINE, response.text()).await;
        let text = text.unwrap_or_else(|err| panic!("{code}, and no whole body: {err:?}"));
        let status = Status::new(code, &text);
        let mut body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        let cost = take_cost(&mut body);
        Self { status, headers, body, cost }
    }

    /// Returns the value at this JSON pointer below `data`. Panics when the response has errors or no such value.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        assert_eq!(self.body.get("errors"), None, "{}", self.body);
        self.body["data"].pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {}", self.body))
    }

    /// Same as [`Answer::at`], as text.
    pub(crate) fn text(&self, pointer: &str) -> String {
        self.at(pointer)
            .as_str()
            .unwrap_or_else(|| panic!("no text at {pointer} in {}", self.body))
            .to_owned()
    }

    /// The code of the first entry of `errors`; none without errors.
    pub(crate) fn code(&self) -> Option<&str> {
        self.body.pointer("/errors/0/extensions/code").and_then(Value::as_str)
    }

    /// The error that `WWW-Authenticate` names. Empty when the challenge has no error, none without a challenge.
    pub(crate) fn challenge(&self) -> Option<&str> {
        match self.header("www-authenticate")?.strip_prefix("Bearer")? {
            "" => Some(""),
            parameters => parameters.strip_prefix(" error=\"")?.split('"').next(),
        }
    }

    /// Returns a header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Client {
    pub(crate) fn new(base: String, token: Option<String>) -> Self {
        Self { base, token, http: reqwest::Client::new() }
    }

    /// Builds a request to this path, with the token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn gql(&self, query: &str, variables: Value) -> Answer {
        self.post("/graphql", json!({ "query": query, "variables": variables })).await
    }

    /// Opens a WebSocket and authenticates it.
    pub(crate) async fn socket(&self) -> Socket {
        Socket::open(&self.base, self.token.as_deref()).await
    }
}

/// Mutations and queries that most tests need.
pub(crate) trait Calls: Deref<Target = Client> {
    /// Creates an agent. Returns its id.
    async fn agent(&self, customer: &str, name: &str) -> String {
        let mutation = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } } }";
        let input = json!({ "input": { "customerId": customer, "name": name } });
        self.gql(mutation, input).await.text("/createAgent/agent/id")
    }

    /// Publishes a version with this prompt. Returns its id.
    async fn publish(&self, agent: &str, prompt: &str) -> String {
        let input = json!({ "agentId": agent, "systemPrompt": prompt, "modelName": "gpt-4-turbo" });
        self.publish_input(input).await.text("/publishVersion/version/id")
    }

    async fn publish_input(&self, input: Value) -> Answer {
        let mutation = "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) {
            version { id number } revision userErrors { code message field } } }";
        self.gql(mutation, json!({ "input": input })).await
    }

    async fn activate(&self, agent: &str, version: &str) -> Answer {
        self.activate_input(json!({ "agentId": agent, "versionId": version })).await
    }

    async fn activate_input(&self, input: Value) -> Answer {
        let mutation = "mutation ($input: ActivateVersionInput!) { activateVersion(input: $input) {
            agent { activeVersion { id number } } activation { id reason cursor } revision userErrors { code message field } } }";
        self.gql(mutation, json!({ "input": input })).await
    }

    /// The number of the active version, or null.
    async fn active_number(&self, agent: &str) -> Value {
        let query = "query ($id: ID!) { agent(id: $id) { activeVersion { number } } }";
        self.gql(query, json!({ "id": agent }))
            .await
            .at("/agent/activeVersion")
            .get("number")
            .cloned()
            .unwrap_or_default()
    }
}

macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub(crate) struct $name(pub(crate) Client);

        impl Deref for $name {
            type Target = Client;

            fn deref(&self) -> &Client {
                &self.0
            }
        }
    )*};
}

callers! {
    /// A client without a token.
    Anonymous;
    /// A user, who is a member of some customer or of none.
    Member;
    /// An operator of the platform.
    Operator;
    /// An API key of a customer.
    Program;
    /// A service token of the platform.
    Gateway;
}

impl Calls for Member {}
impl Calls for Operator {}
impl Calls for Program {}

impl Operator {
    /// Replaces the HTTP client.
    pub(crate) fn with(self, http: reqwest::Client) -> Self {
        Self(Client { http, ..self.0 })
    }

    /// Creates a customer. Returns its id.
    pub(crate) async fn customer(&self, name: &str) -> String {
        let mutation =
            "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } } }";
        self.gql(mutation, json!({ "input": { "name": name } })).await.text("/createCustomer/customer/id")
    }
}
