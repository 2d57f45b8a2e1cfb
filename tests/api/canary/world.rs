//! Two customers with rows of every kind, each full of its own marker.

use agent_registry::domain::{
    Caller, KeyScope,
    auth::jwt::{LOCAL_ISSUER, TokenSubject},
    member::Role,
    session::SignInPlace,
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    ask::ProbeRequest,
    known_values::{KnownValues, Rows, rows},
    leak_detector::{LeakDetector, RecordedResponse, send_and_record},
    schema::{Barred, Schema},
};
use crate::support::{
    App, Calls,
    app::Setup,
    caller::{Client, Member, Operator, Program},
};

/// Markers that don't occur by chance.
pub(super) const THEIRS: &str = "zqxjkvbwfp";
pub(super) const OURS: &str = "wvyhgqzkxm";
/// The name of the outsider that is a service token, limited to our customer.
pub(super) const GATEWAY: &str = "gateway";

/// A customer and its callers.
pub(super) struct Side {
    pub(super) marker: &'static str,
    pub(super) customer: String,
    pub(super) admin: Member,
    pub(super) editor: Member,
    pub(super) viewer: Member,
    pub(super) key: Program,
    /// What another customer's caller might know of it.
    pub(super) guess: KnownValues,
}

/// A service with both customers.
pub(super) struct World {
    pub(super) app: App,
    pub(super) operator: Operator,
    pub(super) schema: Schema,
    pub(super) theirs: Side,
    pub(super) ours: Side,
}

/// A caller that must learn nothing of the other customer, and the fields that it may not read at its own.
pub(super) struct Outsider {
    pub(super) name: &'static str,
    pub(super) client: Client,
    pub(super) barred: Barred,
    /// The fields that an API key may not read: every caller may read the others.
    pub(super) lean: Barred,
}

/// The input for a version of this customer.
pub(super) fn version(agent: &str, marker: &str, number: usize) -> Value {
    json!({
        "agentId": agent, "systemPrompt": format!("{marker} prompt {number}\n"), "message": format!("{marker} {number}"),
        "modelName": format!("{marker}-model"), "modelParameters": { marker: { "stop": [marker, number] } },
        "tools": [{ "name": format!("{marker}-tool"), "description": format!("{marker} tool"),
            "inputSchema": { "type": "object", "description": marker, "properties": { marker: { "type": "string" } } } }],
        "extensions": { format!("urn:{marker}"): { marker: [marker, number] } },
    })
}

impl Side {
    async fn new(app: &App, operator: &Operator, marker: &'static str) -> Self {
        let customer = operator.customer(&format!("{marker}-customer")).await;
        let plan =
            "mutation ($id: ID!) { setPlan(input: { customerId: $id, plan: ENTERPRISE }) { revision } }";
        operator.gql(plan, json!({ "id": customer })).await.text("/setPlan/revision");
        let admin = member(app, operator, &customer, marker, Role::Admin).await;
        let editor = member(app, &admin, &customer, marker, Role::Editor).await;
        let viewer = member(app, &admin, &customer, marker, Role::Viewer).await;
        invite(&admin, &customer, &format!("open@{marker}.example"), Role::Viewer).await;
        let make =
            "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }";
        let scopes: Vec<String> =
            KeyScope::ALL.iter().map(|scope| scope.as_str().replace(':', "_").to_uppercase()).collect();
        let input = json!({ "customerId": customer, "name": format!("{marker} key"), "scopes": scopes });
        let made = admin.gql(make, json!({ "input": input })).await;
        let rotate = "mutation ($id: ID!) { rotateApiKey(input: { apiKeyId: $id }) { secret } }";
        let rotated = admin.gql(rotate, json!({ "id": made.text("/createApiKey/apiKey/id") })).await;
        let key = Program(app.bearer(&rotated.text("/rotateApiKey/secret")));
        let user = editor.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id");
        let input = json!({ "customerId": customer, "key": marker, "name": format!("{marker} environment"),
            "onBreaking": "ALLOW", "allowedModels": [format!("{marker}-model")] });
        crate::environment::create_input(&admin, input).await.text("/createEnvironment/revision");
        for number in 0..3 {
            let create =
                "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } } }";
            let input = json!({ "customerId": customer, "name": format!("{marker}-agent-{number}"),
                "description": format!("{marker} agent {number}"), "ownerId": user });
            let agent = editor.gql(create, json!({ "input": input })).await.text("/createAgent/agent/id");
            if number == 1 {
                continue;
            }
            for number in 1..=2 {
                let made = editor.publish_input(version(&agent, marker, number)).await;
                let version = made.text("/publishVersion/version/id");
                key.activate(&agent, &version).await.text("/activateVersion/revision");
                let input = json!({ "agentId": agent, "versionId": version, "environment": marker });
                key.activate_input(input).await.text("/activateVersion/revision");
            }
            if number == 2 {
                let archive = "mutation ($id: ID!) { archiveAgent(input: { agentId: $id }) { revision } }";
                editor.gql(archive, json!({ "id": agent })).await.text("/archiveAgent/revision");
            }
        }
        sign_in(app, marker).await;
        let rows = rows(&app.database.admin_url, &customer).await;
        let mut guess = KnownValues::of(&rows, &customer, marker, String::new());
        // The active version comes first.
        guess.versions.swap(0, 1);
        // So does the owner of the agents.
        let owner = guess.users.iter().position(|id| *id == user).unwrap();
        guess.users.swap(0, owner);
        let config = admin.get(&format!("/internal/agents/{}/active", guess.agents[0])).await;
        guess.tag = config.header("etag").unwrap().to_owned();
        Self { marker, customer, admin, editor, viewer, key, guess }
    }
}

async fn invite(admin: &Client, customer: &str, email: &str, role: Role) {
    let invite =
        "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id } } }";
    let role = format!("{role:?}").to_uppercase();
    let input = json!({ "customerId": customer, "email": email, "role": role });
    admin.gql(invite, json!({ "input": input })).await.text("/inviteMember/invitation/id");
}

/// A user who was invited and has joined.
async fn member(app: &App, admin: &Client, customer: &str, marker: &str, role: Role) -> Member {
    let what = format!("{role:?}").to_lowercase();
    let email = format!("{what}@{marker}.example");
    invite(admin, customer, &email, role).await;
    let subject = TokenSubject {
        subject: format!("{marker}-{what}"),
        email: Some(email),
        name: Some(format!("{marker} {what}")),
    };
    let token = app.registry.mint(subject, std::time::Duration::from_secs(3600)).unwrap();
    let member = Member(app.bearer(&token));
    member.gql("{ viewer { user { id name } } }", Value::Null).await.text("/viewer/user/name");
    member
}

/// A session of the editor at the console.
async fn sign_in(app: &App, marker: &str) {
    let (system, subject) = (Caller::system("test"), format!("{marker}-editor"));
    let link = app.registry.create_sign_in_link(&system, (LOCAL_ISSUER, &subject), false).await.unwrap();
    let place = SignInPlace { origin: system.origin, client: Some(format!("{marker} on Linux")) };
    app.registry.spend_sign_in_link(&link.secret, place).await.unwrap().unwrap();
}

impl World {
    pub(super) async fn new(setup: Setup) -> Self {
        let app = App::set_up(setup).await;
        let operator = app.operator().await;
        let theirs = Side::new(&app, &operator, THEIRS).await;
        let ours = Side::new(&app, &operator, OURS).await;
        Self { app, operator, schema: Schema::read(), theirs, ours }
    }

    /// All rows of the other customer, and all of ours.
    pub(super) async fn rows(&self) -> [Rows; 2] {
        let url = &self.app.database.admin_url;
        [rows(url, &self.theirs.customer).await, rows(url, &self.ours.customer).await]
    }

    /// An [`LeakDetector`] for all data that the other customer has now.
    pub(super) async fn ear(&self) -> LeakDetector {
        let Side { admin, editor, viewer, key, .. } = &self.theirs;
        let tokens = [&admin.0, &editor.0, &viewer.0, &key.0].map(|client| client.token.clone().unwrap());
        let [theirs, ours] = self.rows().await;
        LeakDetector::new(THEIRS, &theirs, &ours, &tokens)
    }

    /// Sends the request, and retries when the rate limit rejects it.
    pub(super) async fn send_and_record(&self, client: &Client, ask: &ProbeRequest) -> RecordedResponse {
        loop {
            let heard = send_and_record(client, ask).await;
            if heard.status != 429 {
                return heard;
            }
            self.app.clock.shift(TimeDelta::seconds(5));
        }
    }

    /// Our members, our key, a user of no customer, and a service token that is limited to us.
    pub(super) async fn outsiders(&self) -> Vec<Outsider> {
        let Side { admin, editor, viewer, key, .. } = &self.ours;
        let mut outsiders = Vec::new();
        for (name, client) in
            [("admin", &admin.0), ("editor", &editor.0), ("viewer", &viewer.0), ("key", &key.0)]
        {
            let (client, barred) = (client.clone(), self.barred(client).await);
            outsiders.push(Outsider { name, client, barred, lean: Barred::new() });
        }
        assert!(outsiders[0].barred.is_empty(), "an admin sees all: {:?}", outsiders[0].barred);
        let barred = outsiders[2].barred.clone();
        let lean = outsiders[3].barred.clone();
        outsiders.push(Outsider {
            name: "stranger",
            client: self.app.stranger().0,
            barred,
            lean: lean.clone(),
        });
        outsiders.push(Outsider {
            name: GATEWAY,
            client: self.app.limited_gateway([self.ours.customer.as_str()]).await.0,
            barred: Barred::new(),
            lean: lean.clone(),
        });
        outsiders.iter_mut().for_each(|outsider| outsider.lean.clone_from(&lean));
        outsiders
    }

    /// The fields that this member or key of ours may not read.
    async fn barred(&self, client: &Client) -> Barred {
        let mut barred = Barred::new();
        for _ in 0..50 {
            let (node, viewer) =
                (self.schema.selection("Node", 2, &barred), self.schema.selection("Viewer", 2, &barred));
            let query = format!("query ($ids: [ID!]!) {{ nodes(ids: $ids) {node} viewer {viewer} }}");
            let KnownValues { customer, agents, versions, activations, users, .. } = &self.ours.guess;
            let ids = [customer, &agents[0], &versions[0], &activations[0], &users[0]];
            let answer = client.gql(&query, json!({ "ids": ids })).await;
            let Some(errors) = answer.body["errors"].as_array() else {
                return barred;
            };
            for error in errors {
                let path = error["path"].as_array().unwrap_or_else(|| panic!("{error}"));
                barred.extend(self.schema.at_path(path));
            }
        }
        panic!("no end of refusals: {barred:?}");
    }
}
