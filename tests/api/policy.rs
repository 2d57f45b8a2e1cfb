//! The policy's whole table: who may do what, at a customer of its own, at another's, and for the platform.

use std::collections::BTreeMap;

use agent_registry::{
    clock::Clock,
    domain::{
        Caller, ErrorCode, Principal, ServicePrincipal, ServiceScope, UserPrincipal,
        member::Role,
        policy::{Action, allow, allow_on},
    },
    id::CustomerId,
};

fn user(operator: bool, place: Option<(CustomerId, Role)>) -> Caller {
    let clock = Clock::default();
    let principal = UserPrincipal {
        id: clock.id(),
        has_profile: true,
        issuer: "issuer".to_owned(),
        subject: "subject".to_owned(),
        email: None,
        name: None,
        operator,
        memberships: BTreeMap::from_iter(place),
        expires_at: clock.now(),
    };
    Caller { principal: Principal::User(principal), request_id: String::new() }
}

fn service(scopes: &[ServiceScope]) -> Caller {
    let principal = ServicePrincipal {
        id: Clock::default().id(),
        name: "gateway".to_owned(),
        scopes: scopes.iter().copied().collect(),
    };
    Caller { principal: Principal::Service(principal), request_id: String::new() }
}

/// One letter an answer: yes, Forbidden, Not found.
fn letter(caller: &Caller, action: Action, customer: CustomerId) -> char {
    match allow_on(caller, action, customer, "customer").map_err(|err| err.code()) {
        Ok(()) => {
            allow(caller, action).expect("what is allowed on a customer is allowed at all");
            'y'
        }
        Err(ErrorCode::Forbidden) => 'F',
        Err(ErrorCode::NotFound) => 'N',
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn its_table_is_this_one() {
    let (own, other): (CustomerId, CustomerId) = (Clock::default().id(), Clock::default().id());
    let callers = [
        user(false, Some((own, Role::Viewer))),
        user(false, Some((own, Role::Editor))),
        user(false, Some((own, Role::Admin))),
        user(false, Some((other, Role::Admin))),
        user(false, None),
        user(true, None),
        service(&[ServiceScope::ConfigsRead]),
        service(&[ServiceScope::ActivationsWatch]),
        service(&[]),
        Caller::system("test"),
    ];
    let mut table = String::new();
    for action in Action::ALL {
        let row: String = callers.iter().map(|caller| letter(caller, action, own)).collect();
        table.push_str(&format!("{row} {action:?}\n"));
    }
    // VIEWER, EDITOR, ADMIN of it, ADMIN of another, of none, operator, configs:read, activations:watch, no scope, system
    insta::assert_snapshot!(table, @r"
    FFFFFyFFFy CreateCustomer
    FFFFFyFFFy ManagePlatform
    FFFFFyFFFy ManageBilling
    FFyNNyFFFy UpdateCustomer
    FFyNNyFFFy ManageMembers
    yyyNNyFFFy ReadAgents
    yyyNNyyyFy ReadServing
    yyyNNyFFFy ReadPeople
    FyyNNyFFFy WriteAgents
    yyyNNyyFFy ReadConfigs
    yyyNNyFyFy WatchActivations
    ");
}
