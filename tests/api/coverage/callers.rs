//! The callers of the authorization tables, by name. `coverage` and `matrix` ask as each of them.

use agent_registry::domain::{KeyScope, ServiceScope, member::Role};

use crate::support::{
    App,
    caller::{Client, Operator},
};

/// All callers, in the order of the matrix's letters, one group a block. Questions are about the customer of
/// `viewer`, `editor` and `admin`. `their …` are people of another customer, and its key with all scopes. `key …`
/// is a key of the customer, `service …` a service token, each with that one scope. `our service` and `their service`
/// are service tokens with all scopes that are limited to the customer, and to the other one.
pub(crate) const CALLERS: &[&[&str]] = &[
    &[ANONYMOUS, "stranger"],
    &["viewer", "editor", "admin"],
    &["their viewer", "their editor", "their admin"],
    &["operator", "service configs:read", "service activations:watch"],
    &[
        "key agents:read",
        "key agents:write",
        "key versions:publish",
        "key versions:activate",
        "key configs:read",
        "key activations:watch",
        "key changes:read",
    ],
    &["their key"],
    &["our service", THEIR_SERVICE],
];

/// The caller without a credential. It gets 401 everywhere, so it's in no row of the table.
pub(crate) const ANONYMOUS: &str = "anonymous";

/// The service token that is limited to another customer. Most fields need a scope that no service token can have.
pub(crate) const THEIR_SERVICE: &str = "their service";

/// People without a relation to the customer.
pub(crate) const OUTSIDE_PEOPLE: &[&str] = &["stranger", "their viewer", "their editor", "their admin"];

/// All callers without a relation to the customer. They must not be able to distinguish its objects from missing
/// ones.
pub(crate) const OUTSIDERS: &[&str] =
    &["stranger", "their viewer", "their editor", "their admin", "their key"];

/// The customer's people.
pub(crate) const MEMBERS: &[&str] = &["viewer", "editor", "admin"];

/// The callers with a credential.
pub(crate) fn with_credential() -> Vec<&'static str> {
    CALLERS.concat().into_iter().filter(|name| *name != ANONYMOUS).collect()
}

/// Makes the caller of this name. `city` is the customer that questions are about, `town` the other one.
pub(crate) async fn make(app: &App, operator: &Operator, [city, town]: [&str; 2], name: &str) -> Client {
    let key = |name: &str| KeyScope::ALL.into_iter().find(|scope| scope.as_str() == name).unwrap();
    let service = |name: &str| ServiceScope::ALL.into_iter().find(|scope| scope.as_str() == name).unwrap();
    match name.split_once(' ').unwrap_or((name, "")) {
        (ANONYMOUS, _) => app.anonymous().0,
        ("stranger", _) => app.stranger().0,
        ("operator", _) => operator.0.clone(),
        ("service", scope) => app.service([service(scope)]).await.0,
        ("our", "service") => app.limited_gateway([city]).await.0,
        ("their", "service") => app.limited_gateway([town]).await.0,
        ("key", scope) => app.program(city, [key(scope)]).await.0,
        ("their", "key") => app.program(town, KeyScope::ALL).await.0,
        ("their", name) => app.member(town, role(name)).await.0,
        (name, _) => app.member(city, role(name)).await.0,
    }
}

fn role(name: &str) -> Role {
    match name {
        "viewer" => Role::Viewer,
        "editor" => Role::Editor,
        "admin" => Role::Admin,
        _ => panic!("no role {name}"),
    }
}

#[test]
fn each_scope_has_a_caller() {
    let named = CALLERS.concat();
    for scope in KeyScope::ALL {
        assert!(named.contains(&format!("key {}", scope.as_str()).as_str()), "{}", scope.as_str());
    }
    for scope in ServiceScope::ALL {
        assert!(named.contains(&format!("service {}", scope.as_str()).as_str()), "{}", scope.as_str());
    }
}
