//! The world of a soak: customers with agents, writers and subscribers.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use agent_registry::domain::{KeyScope, member::Role};
use serde_json::json;

use super::record::{Field, Subscriber};
use crate::support::{Calls, app::Instance};

/// The number of initial versions of each agent.
const VERSIONS: usize = 2;

/// A customer and the tokens that write for it.
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) agents: Vec<Agent>,
    /// Tokens of its editor and of an API key.
    pub(super) writers: Vec<String>,
}

/// An agent and its versions.
pub(super) struct Agent {
    pub(super) id: String,
    pub(super) versions: Mutex<Vec<String>>,
}

/// The world of a soak.
pub(super) struct World {
    /// The URLs of the instances.
    pub(super) bases: Vec<String>,
    pub(super) customers: Vec<Customer>,
    /// An operator's token.
    pub(super) operator: String,
    pub(super) watchers: Vec<Subscriber>,
    /// The newest revision that was acknowledged to any caller.
    newest: AtomicI64,
}

/// The environments of each customer; the first one is the default.
pub(super) const ENVIRONMENTS: [&str; 3] = ["production", "staging", "dev"];

impl World {
    /// Makes the world through this instance. Clients reach the instances at `bases`.
    pub(super) async fn make(instance: &Instance, bases: Vec<String>, agents: usize) -> Arc<Self> {
        let operator = instance.operator().await;
        let mut customers = Vec::new();
        for name in ["Ankara", "Bern", "Cairo"] {
            let id = operator.customer(name).await;
            let plan = "mutation ($input: SetPlanInput!) { setPlan(input: $input) { userErrors { code } } }";
            operator
                .gql(plan, json!({ "input": { "customerId": id, "plan": "ENTERPRISE" } }))
                .await
                .at("/setPlan");
            for key in &ENVIRONMENTS[1..] {
                crate::environment::create(&operator, &id, key).await;
            }
            let mut own = Vec::new();
            for number in 0..agents {
                let agent = operator.agent(&id, &format!("{name} {number}")).await;
                let mut versions = Vec::new();
                for number in 0..VERSIONS {
                    versions.push(operator.publish(&agent, &format!("{agent} {number}")).await);
                }
                for environment in ENVIRONMENTS {
                    let input =
                        json!({ "agentId": agent, "versionId": versions[0], "environment": environment });
                    operator.activate_input(input).await.text("/activateVersion/revision");
                }
                own.push(Agent { id: agent, versions: Mutex::new(versions) });
            }
            let writes = [
                KeyScope::AgentsRead,
                KeyScope::AgentsWrite,
                KeyScope::VersionsPublish,
                KeyScope::VersionsActivate,
            ];
            let (editor, program) =
                (instance.member(&id, Role::Editor).await, instance.program(&id, writes).await);
            let writers = [editor.token.clone(), program.token.clone()].into_iter().flatten().collect();
            customers.push(Customer { id, agents: own, writers });
        }
        let watchers = watchers(instance, &customers).await;
        let newest = AtomicI64::new(instance.registry.head().await.unwrap().revision.0);
        let operator = operator.token.clone().unwrap();
        Arc::new(Self { bases, customers, operator, watchers, newest })
    }

    /// All agents.
    pub(super) fn agents(&self) -> impl Iterator<Item = &Agent> {
        self.customers.iter().flat_map(|customer| &customer.agents)
    }

    /// Records that this revision was acknowledged.
    pub(super) fn acknowledge(&self, revision: i64) {
        self.newest.fetch_max(revision, Ordering::SeqCst);
    }

    /// The newest revision that was acknowledged so far.
    pub(super) fn newest(&self) -> i64 {
        self.newest.load(Ordering::SeqCst)
    }
}

/// Subscribers: each kind of caller and each field, with and without filters.
async fn watchers(instance: &Instance, customers: &[Customer]) -> Vec<Subscriber> {
    let [ankara, bern, cairo] = customers else { panic!("three customers") };
    let gateway = instance.gateway().await.token.clone().unwrap();
    let of = |customers: &[&Customer]| Some(customers.iter().map(|customer| customer.id.clone()).collect());
    let key = async |customer: &Customer| {
        let scopes = [KeyScope::ConfigsRead, KeyScope::ActivationsWatch, KeyScope::ChangesRead];
        instance.program(&customer.id, scopes).await.token.clone().unwrap()
    };
    let first = |customers: &[&Customer], count: usize| -> Option<BTreeSet<String>> {
        let agents = customers.iter().flat_map(|customer| &customer.agents[..count]);
        Some(agents.map(|agent| agent.id.clone()).collect())
    };
    // A user who is ADMIN of two customers.
    let both = instance.member(&ankara.id, Role::Admin).await;
    let subject = format!("admin-of-{}", ankara.id);
    instance.set_member(&bern.id, &subject, Role::Admin).await;
    let both = both.token.clone().unwrap();
    let (key_of_ankara, key_of_cairo) = (key(ankara).await, key(cairo).await);
    let who = |name: &str, token: &str, field| Subscriber {
        name: format!("{name} at {}", Field::name(field)),
        token: token.to_owned(),
        field,
        sees: None,
        customer: None,
        agents: None,
        environment: ENVIRONMENTS[0],
        forgets: false,
    };
    let (activations, configs) = (Field::Activations, Field::Configs);
    let mut all = vec![
        who("gateway", &gateway, activations),
        who("gateway", &gateway, configs),
        Subscriber { environment: "staging", ..who("gateway of staging", &gateway, configs) },
        Subscriber { environment: "staging", ..who("gateway of staging", &gateway, activations) },
        Subscriber {
            environment: "dev",
            sees: of(&[ankara, bern]),
            ..who("member of two in dev", &both, configs)
        },
        Subscriber { forgets: true, ..who("forgetful gateway", &gateway, configs) },
        Subscriber { customer: Some(bern.id.clone()), ..who("gateway of one customer", &gateway, configs) },
        Subscriber {
            agents: first(&[ankara, cairo], 2),
            ..who("gateway of some agents", &gateway, activations)
        },
        Subscriber { agents: first(&[bern, cairo], 2), ..who("gateway of some agents", &gateway, configs) },
        Subscriber { sees: of(&[ankara, bern]), ..who("member of two", &both, activations) },
        Subscriber { sees: of(&[ankara, bern]), ..who("member of two", &both, configs) },
        Subscriber {
            sees: of(&[ankara, bern]),
            customer: Some(bern.id.clone()),
            ..who("member of two for one", &both, activations)
        },
        Subscriber { sees: of(&[ankara]), ..who("key", &key_of_ankara, activations) },
        Subscriber {
            sees: of(&[cairo]),
            agents: first(&[cairo], 3),
            ..who("key for some agents", &key_of_cairo, configs)
        },
    ];
    let sdl = agent_registry::graphql::types_sdl();
    let (_, subscriptions) = sdl.split_once("type Subscription {").unwrap();
    if subscriptions.split("\n}").next().is_some_and(|fields| fields.contains("changes(")) {
        all.push(Subscriber { sees: of(&[ankara, bern]), ..who("member of two", &both, Field::Changes) });
        all.push(Subscriber { sees: of(&[ankara]), ..who("key", &key_of_ankara, Field::Changes) });
        all.push(Subscriber {
            sees: of(&[ankara, bern]),
            ..who("member of two", &both, Field::CustomerEvents)
        });
    }
    all
}
