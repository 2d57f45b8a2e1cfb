//! The data of the matrix: two customers, callers of all kinds, and an object of each type with all fields set.

use std::time::Duration;

use agent_registry::{
    domain::{auth::jwt::TokenSubject, member::Role},
    http::SocketLimits,
};
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use crate::{
    coverage::callers::{self, CALLERS},
    support::{
        App, Calls,
        caller::{Client, Member, Operator, without_points_left},
        socket::Socket,
    },
};

pub(super) struct World {
    pub(super) app: App,
    /// In the order of [`CALLERS`].
    pub(super) callers: Vec<(&'static str, Client)>,
    /// An open subscription, so that the list of watchers has an entry.
    _watching: Socket,
    /// The words in `<…>`: each with an id that exists and one that doesn't.
    words: Vec<(&'static str, String, String)>,
}

/// A response as received.
pub(super) struct RawResponse {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl RawResponse {
    pub(super) fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::String(self.text.clone()))
    }
}

impl World {
    pub(super) async fn new() -> Self {
        // The watching client is silent for as long as the test takes.
        let sockets = SocketLimits { silence: Duration::from_secs(3600), ..SocketLimits::default() };
        let app = App::with(sockets).await;
        let operator = app.operator().await;
        let city = operator.customer("City").await;
        let town = operator.customer("Town").await;
        for customer in [&city, &town] {
            let plan =
                "mutation ($id: ID!) { setPlan(input: { customerId: $id, plan: ENTERPRISE }) { revision } }";
            operator.gql(plan, json!({ "id": customer })).await.at("/setPlan/revision");
        }
        let external = "mutation ($id: ID!) { updateCustomer(input: { customerId: $id, externalId: \"city-1\" }) { revision } }";
        operator.gql(external, json!({ "id": city })).await.at("/updateCustomer/revision");
        let admin = app.member(&city, Role::Admin).await;
        let environment = environments(&admin, &city).await;
        let (maker, user) = maker(&app, &operator, &city).await;
        let key = worn_key(&app, &admin, &city).await;
        let token = worn_token(&operator, &city).await;
        let invitation = invite(&admin, &city, "expected@example.org", "VIEWER").await;
        let [agent, spare, archived] = [
            serve(&maker, &user, &city, "Helper"),
            serve(&maker, &user, &city, "Spare"),
            serve(&maker, &user, &city, "Old"),
        ];
        let (agent, spare, archived) = (agent.await, spare.await, archived.await);
        let archive =
            "mutation ($id: ID!) { archiveAgent(input: { agentId: $id }) { agent { archivedAt } } }";
        maker.gql(archive, json!({ "id": archived.agent })).await.text("/archiveAgent/agent/archivedAt");
        let (frozen, frozen_version) = frozen(&app, &operator, &city).await;
        let words = [
            ("customer", city.clone()),
            ("agent", agent.agent),
            ("version", agent.version),
            ("activation", agent.activation),
            ("cursor", agent.cursor),
            ("spare", spare.agent),
            ("archived", archived.agent),
            ("user", user),
            ("key", key),
            ("token", token),
            ("invitation", invitation),
            ("frozen", frozen),
            ("frozenVersion", frozen_version),
            ("environment", environment),
        ];
        let never = |number: usize| format!("01890000-0000-7000-8000-{number:012}");
        let words = words.into_iter().enumerate().map(|(number, (word, is))| (word, is, never(number)));
        let mut words: Vec<_> = words.collect();
        words.push(("name", "City".to_owned(), "Nowhere".to_owned()));
        let yesterday = agent_registry::clock::Clock::default().now() - chrono::TimeDelta::days(1);
        let yesterday = agent_registry::clock::to_text(yesterday);
        words.push(("yesterday", yesterday.clone(), yesterday));
        let mut callers = Vec::new();
        for name in CALLERS.concat() {
            callers.push((name, callers::make(&app, &operator, [&city, &town], name).await));
        }
        let (_, watcher) = callers.iter().find(|(name, _)| *name == "key activations:watch").unwrap();
        let mut watching = watcher.socket().await;
        let query = "subscription ($customer: ID, $agents: [ID!]) { activations(customerId: $customer, agentIds: $agents) { id } }";
        let agents = [&words[1].1];
        watching.subscribe("watching", query, json!({ "customer": city, "agents": agents })).await;
        while app.watchers() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        report(&app, (&words[1].1, &words[2].1)).await;
        Self { app, callers, _watching: watching, words }
    }

    /// The query with ids that exist.
    pub(super) fn with_existing_ids(&self, query: &str) -> String {
        self.words.iter().fold(query.to_owned(), |query, (word, is, _)| {
            query.replace(&format!("<{word}>"), &json!(is).to_string())
        })
    }

    /// The query with ids that don't exist.
    pub(super) fn with_missing_ids(&self, query: &str) -> String {
        self.words.iter().fold(query.to_owned(), |query, (word, _, never)| {
            query.replace(&format!("<{word}>"), &json!(never).to_string())
        })
    }

    pub(super) async fn ask(&self, client: &Client, query: &str) -> RawResponse {
        loop {
            let request = client.request(Method::POST, "/graphql").json(&json!({ "query": query }));
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status(), response.headers().clone());
            let text = response.text().await.unwrap();
            if status != StatusCode::TOO_MANY_REQUESTS {
                return RawResponse { status, headers, text };
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The response without request ids, dates and object ids.
    pub(super) fn normalized(&self, heard: &RawResponse) -> String {
        let mut all = format!("{}\n", heard.status);
        for (name, value) in &heard.headers {
            if !["x-request-id", "date", "content-length"].contains(&name.as_str()) {
                all.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
            }
        }
        all.push_str(&without_points_left(&heard.text));
        if let Some(request) = heard.headers.get("x-request-id") {
            all = all.replace(request.to_str().unwrap(), "<request>");
        }
        self.words.iter().fold(all, |all, (word, is, never)| {
            let word = format!("<{word}>");
            all.replace(is.as_str(), &word).replace(never.as_str(), &word)
        })
    }
}

/// A gateway that has applied the log's head, and refuses what this agent serves.
async fn report(app: &App, (agent, version): (&str, &str)) {
    let head = app.registry.head().await.unwrap().revision.to_string();
    let input = json!({ "gatewayName": "gw-1", "revision": head, "region": "eu-1", "build": "abc", "rejections": [
        { "agentId": agent, "versionId": version, "revision": head, "code": "UNKNOWN_TOOL", "message": "why" } ] });
    let report =
        "mutation ($input: ReportServingInput!) { reportServing(input: $input) { reportedRevision } }";
    let gateway = app.gateway().await;
    gateway.gql(report, json!({ "input": input })).await.text("/reportServing/reportedRevision");
}

/// An agent with an active version, at a suspended customer in which the same users have the same roles.
async fn frozen(app: &App, operator: &Operator, city: &str) -> (String, String) {
    let customer = operator.customer("Frozen").await;
    for role in [Role::Viewer, Role::Editor, Role::Admin] {
        app.set_member(&customer, &format!("{role:?}-of-{city}").to_lowercase(), role).await;
    }
    let agent = operator.agent(&customer, "Frozen").await;
    let version = operator.publish(&agent, "frozen {{place}}").await;
    operator.activate(&agent, &version).await;
    let suspend = "mutation ($id: ID!) { setBillingStatus(input: { customerId: $id, status: SUSPENDED }) { revision } }";
    operator.gql(suspend, json!({ "id": customer })).await.at("/setBillingStatus/revision");
    (agent, version)
}

async fn invite(by: &Client, customer: &str, email: &str, role: &str) -> String {
    let invite =
        "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id } } }";
    let input = json!({ "customerId": customer, "email": email, "role": role });
    by.gql(invite, json!({ "input": input })).await.text("/inviteMember/invitation/id")
}

/// An EDITOR with a name and an e-mail address, who makes all objects that users make; and its user's id.
async fn maker(app: &App, operator: &Operator, city: &str) -> (Member, String) {
    let email = "ursula@example.org";
    invite(operator, city, email, "EDITOR").await;
    let subject = TokenSubject {
        subject: "ursula".to_owned(),
        email: Some(email.to_owned()),
        name: Some("Ursula".to_owned()),
    };
    let token = app.registry.mint(subject, Duration::from_secs(3600)).unwrap();
    let maker = Member(app.bearer(&token));
    let user = maker.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id");
    (maker, user)
}

/// A key that was used, rotated and revoked, and has an expiry.
async fn worn_key(app: &App, admin: &Member, city: &str) -> String {
    let make =
        "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } secret } }";
    let input = json!({
        "customerId": city, "name": "worn", "scopes": ["AGENTS_READ"], "expiresAt": "2099-01-01T00:00:00Z", "environments": ["staging"],
    });
    let made = admin.gql(make, json!({ "input": input })).await;
    let (key, secret) = (made.text("/createApiKey/apiKey/id"), made.text("/createApiKey/secret"));
    app.bearer(&secret).gql("{ viewer { name } }", Value::Null).await.text("/viewer/name");
    let wear = "mutation ($id: ID!) { rotateApiKey(input: { apiKeyId: $id }) { previous { replacedById } }
        revokeApiKey(input: { apiKeyId: $id }) { apiKey { revokedAt } } }";
    admin.gql(wear, json!({ "id": key })).await.text("/revokeApiKey/apiKey/revokedAt");
    key
}

/// A service token that is limited to the customer, was rotated and revoked, and has an expiry.
async fn worn_token(operator: &Operator, city: &str) -> String {
    let make = "mutation ($input: CreateServiceTokenInput!) { createServiceToken(input: $input) { serviceToken { id } } }";
    let input = json!({
        "name": "worn", "scopes": ["CONFIGS_READ"], "customerIds": [city], "expiresAt": "2099-01-01T00:00:00Z",
        "environments": ["staging"],
    });
    let made = operator.gql(make, json!({ "input": input })).await;
    let token = made.text("/createServiceToken/serviceToken/id");
    let wear = "mutation ($id: ID!) { rotateServiceToken(input: { serviceTokenId: $id }) { previous { replacedById } }
        revokeServiceToken(input: { serviceTokenId: $id }) { serviceToken { revokedAt } } }";
    operator.gql(wear, json!({ "id": token })).await.text("/revokeServiceToken/serviceToken/revokedAt");
    token
}

/// Two environments: one with all rules, whose id is returned, and an archived one.
async fn environments(admin: &Member, city: &str) -> String {
    let mut ids = Vec::new();
    for key in ["staging", "closed"] {
        let input = json!({ "customerId": city, "key": key, "name": key, "promoteFrom": "production", "minSoakSeconds": 1,
            "allowedModels": ["gpt-4-turbo"] });
        let made = crate::environment::create_input(admin, input).await;
        ids.push(made.text("/createEnvironment/environment/id"));
    }
    let archive = "mutation ($id: ID!) { archiveEnvironment(input: { environmentId: $id }) { environment { archivedAt } } }";
    admin.gql(archive, json!({ "id": ids[1] })).await.text("/archiveEnvironment/environment/archivedAt");
    ids.swap_remove(0)
}

struct Served {
    agent: String,
    version: String,
    activation: String,
    /// The cursor of the activation before.
    cursor: String,
}

/// An agent whose active second version differs from the first in every field.
async fn serve(maker: &Member, owner: &str, city: &str, name: &str) -> Served {
    let agent = maker.agent(city, name).await;
    let update =
        "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { agent { owner { id } } } }";
    let input = json!({ "agentId": agent, "description": "as it is", "ownerId": owner });
    maker.gql(update, json!({ "input": input })).await.text("/updateAgent/agent/owner/id");
    let tool = |name: &str, text: &str| {
        json!({
            "name": name, "description": text, "inputSchema": { "type": "object" }, "title": text, "outputSchema": true, "annotations": {},
            "icons": [{}], "execution": {}, "strict": true, "_meta": {}, "additional": { "other": text },
        })
    };
    let mut switched = Vec::new();
    for (number, tools) in
        [[tool("gone", "-"), tool("kept", "once")], [tool("kept", "now"), tool("new", "+")]]
            .into_iter()
            .enumerate()
    {
        let input = json!({
            "agentId": agent, "systemPrompt": format!("prompt {number} {{{{place}}}}"), "modelName": format!("model {number}"),
            "modelParameters": { "temperature": number }, "message": "why", "tools": tools,
            "extensions": { "org.example.number": number },
        });
        let version = maker.publish_input(input).await.text("/publishVersion/version/id");
        let answer = maker.activate(&agent, &version).await;
        let activation = |name: &str| answer.text(&format!("/activateVersion/activation/{name}"));
        switched.push((version, activation("id"), activation("cursor")));
    }
    let (_, _, cursor) = switched.remove(0);
    let (version, activation, _) = switched.remove(0);
    Served { agent, version, activation, cursor }
}
