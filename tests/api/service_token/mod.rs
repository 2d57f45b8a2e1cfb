//! Service tokens: limited to customers, with an end, and rotated with an overlap.

use serde_json::{Value, json};

use crate::support::{
    Answer, Calls,
    caller::{Client, Operator},
};

mod ends;
mod limited;
mod made;
mod walls;

const CREATE: &str = "mutation ($input: CreateServiceTokenInput!) { createServiceToken(input: $input) {
    serviceToken { id name grantedScopes customerIds createdBy { kind displayName } expiresAt revokedAt replacedById }
    secret revision userErrors { code field message } } }";
const ROTATE: &str = "mutation ($input: RotateServiceTokenInput!) { rotateServiceToken(input: $input) {
    serviceToken { id name grantedScopes customerIds createdBy { kind displayName } expiresAt } secret
    previous { id expiresAt replacedById revokedAt } revision userErrors { code field message } } }";
const ME: &str = "{ viewer { kind name scopes expiresAt } }";
/// An id that no row has.
const NOBODY: &str = "01a20326-e777-71ce-9264-eefdca7dad0e";

async fn create(operator: &Operator, input: Value) -> Answer {
    let mut whole = json!({ "name": "gateway", "scopes": ["CONFIGS_READ", "ACTIVATIONS_WATCH"] });
    whole.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
    operator.gql(CREATE, json!({ "input": whole })).await
}

async fn rotate(operator: &Operator, input: Value) -> Answer {
    operator.gql(ROTATE, json!({ "input": input })).await
}

/// Whether the token is accepted.
async fn is_accepted(client: &Client) -> bool {
    let status = client.gql(ME, Value::Null).await.status;
    assert!(status == 200 || status == 401, "{status:?}");
    status == 200
}

/// A customer with one agent, which serves a prompt with the customer's name.
struct Served {
    name: &'static str,
    customer: String,
    agent: String,
}

impl Served {
    async fn new(operator: &Operator, name: &'static str) -> Self {
        let customer = operator.customer(name).await;
        let agent = operator.agent(&customer, &format!("{name} agent")).await;
        let served = Self { name, customer, agent };
        served.serve(operator).await;
        served
    }

    /// Publishes and activates a version. Returns its id.
    async fn serve(&self, operator: &Operator) -> String {
        let version = operator.publish(&self.agent, &format!("{} prompt", self.name)).await;
        operator.activate(&self.agent, &version).await.text("/activateVersion/revision");
        version
    }

    fn path(&self) -> String {
        format!("/internal/agents/{}/active", self.agent)
    }
}
