//! The WebSocket: `graphql-transport-ws`, by enisdenjo/graphql-ws's PROTOCOL.md.

mod ends;
mod handshake;
mod protocol;
mod rights;
mod stuck;
mod table;
mod watch;

use std::time::Duration;

use agent_registry::http::SocketLimits;
use serde_json::{Value, json};

pub(crate) use crate::support::wait::until;
use crate::support::{Calls, app::Instance, caller::Operator, socket::Frame};

/// Limits ten to a hundred times as short as the defaults.
pub(crate) fn impatient() -> SocketLimits {
    SocketLimits {
        init: Duration::from_millis(300),
        beat: Duration::from_millis(50),
        ..SocketLimits::default()
    }
}

fn message(message: Value) -> Frame {
    Frame::Message(message)
}

/// The code of the first error of an `error` message for this id.
pub(crate) fn refusal(frame: Frame, id: &str) -> String {
    match frame {
        Frame::Message(message) if message["type"] == "error" && message["id"] == id => {
            message["payload"][0]["extensions"]["code"].as_str().unwrap().to_owned()
        }
        other => panic!("no refusal of {id}: {other:?}"),
    }
}

/// A customer's agent with two inactive versions, and an operator.
pub(crate) struct Scene {
    pub(crate) operator: Operator,
    pub(crate) customer: String,
    pub(crate) agent: String,
    pub(crate) versions: [String; 2],
    turn: std::cell::Cell<usize>,
}

impl Scene {
    pub(crate) async fn on(app: &Instance) -> Self {
        Self::by(app.operator().await).await
    }

    /// Same, made by this operator.
    pub(crate) async fn by(operator: Operator) -> Self {
        let customer = operator.customer("City").await;
        let agent = operator.agent(&customer, "Helper").await;
        let versions = [operator.publish(&agent, "one").await, operator.publish(&agent, "two").await];
        Self { operator, customer, agent, versions, turn: 0.into() }
    }

    /// Activates the two versions in turn, `times` times. Returns the revisions.
    pub(crate) async fn activate(&self, times: usize) -> Vec<String> {
        let mut revisions = Vec::new();
        for _ in 0..times {
            let version = &self.versions[self.turn.replace(self.turn.get() + 1) % 2];
            let answer = self.operator.activate(&self.agent, version).await;
            revisions.push(answer.text("/activateVersion/revision"));
        }
        revisions
    }
}

pub(crate) const ACTIVATIONS: &str = "subscription ($customer: ID, $agents: [ID!], $after: Cursor) {
    activations(customerId: $customer, agentIds: $agents, after: $after) {
        revision cursor reason agent { id } version { number systemPrompt } } }";
pub(crate) const NAMES: &str = "{ customers { nodes { name } } }";

/// A `subscribe` message.
fn subscribe(id: &str, query: &str) -> Value {
    json!({ "id": id, "type": "subscribe", "payload": { "query": query } })
}
