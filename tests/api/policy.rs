//! The policy's whole table: who may do what, at a customer of its own, at another's, and for the platform.

use std::collections::BTreeMap;

use agent_registry::{
    clock::Clock,
    domain::{
        Caller, ErrorCode, KeyPrincipal, KeyScope, Principal, ServicePrincipal, ServiceScope, UserPrincipal,
        customer::Plan,
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
        plan: Plan::Free,
        expires_at: clock.now(),
    };
    Caller { principal: Principal::User(principal), ..Caller::system("test") }
}

fn key(customer_id: CustomerId, scopes: &[KeyScope]) -> Caller {
    let principal = KeyPrincipal {
        id: Clock::default().id(),
        customer_id,
        name: "program".to_owned(),
        scopes: scopes.iter().copied().collect(),
        plan: Plan::Free,
        expires_at: None,
    };
    Caller { principal: Principal::ApiKey(principal), ..Caller::system("test") }
}

fn service(scopes: &[ServiceScope]) -> Caller {
    let principal = ServicePrincipal {
        id: Clock::default().id(),
        name: "gateway".to_owned(),
        scopes: scopes.iter().copied().collect(),
    };
    Caller { principal: Principal::Service(principal), ..Caller::system("test") }
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
    let users = [
        user(false, Some((own, Role::Viewer))),
        user(false, Some((own, Role::Editor))),
        user(false, Some((own, Role::Admin))),
        user(false, Some((other, Role::Admin))),
        user(false, None),
        user(true, None),
    ];
    let keys = KeyScope::ALL.map(|scope| key(own, &[scope]));
    let others = [
        key(own, &[]),
        key(other, &KeyScope::ALL),
        service(&[ServiceScope::ConfigsRead]),
        service(&[ServiceScope::ActivationsWatch]),
        service(&[]),
        Caller::system("test"),
    ];
    let mut table = String::new();
    for action in Action::ALL {
        let row = |callers: &[Caller]| -> String {
            callers.iter().map(|caller| letter(caller, action, own)).collect()
        };
        table.push_str(&format!("{} {} {} {action:?}\n", row(&users), row(&keys), row(&others)));
    }
    // VIEWER, EDITOR, ADMIN of it, ADMIN of another, of none, operator; a key of it with each scope in turn; a key of it
    // without, another's with all; configs:read, activations:watch, no scope, system
    insta::assert_snapshot!(table, @r"
    FFFFFy FFFFFFF FFFFFy CreateCustomer
    FFFFFy FFFFFFF FFFFFy ManagePlatform
    FFFFFy FFFFFFF FFFFFy ManageBilling
    FFFFFy FFFFFFF FFFFFy EraseCustomer
    FFyNNy FFFFFFF FFFFFy UpdateCustomer
    yyyNNy FFFFFFF FFFFFy ReadBilling
    FFyNNy FFFFFFF FFFFFy ReadMembers
    FFyNNy FFFFFFF FFFFFy ManageMembers
    FFyNNy FFFFFFF FFFFFy RemoveMembers
    FFyNNy FFFFFFF FFFFFy ReadKeys
    FFyNNy FFFFFFF FFFFFy ManageKeys
    FFyNNy FFFFFFF FFFFFy RevokeKeys
    yyyNNy yFFFFFF FNFFFy ReadAgents
    yyyNNy yyyyyyy FNyyFy ReadServing
    yyyNNy yFFFyyF FNyFFy ReadContent
    yyyNNy yyyyyyF FNFFFy ReadNotes
    yyyNNy FFFFFFy FNFFFy ReadPeople
    FyyNNy FyFFFFF FNFFFy WriteAgents
    FyyNNy FFyFFFF FNFFFy PublishVersions
    FyyNNy FFFyFFF FNFFFy ActivateVersions
    yyyNNy FFFFyFF FNyFFy ReadConfigs
    yyyNNy FFFFFyF FNFyFy WatchActivations
    FFyNNy FFFFFFy FNFFFy ReadChanges
    ");
}

/// What somebody could do, it can do with more rights; and with fewer, it can be seen.
#[test]
fn rights_are_compared_whole() {
    let (own, other): (CustomerId, CustomerId) = (Clock::default().id(), Clock::default().id());
    let viewer = || user(false, Some((own, Role::Viewer)));
    let admin = || user(false, Some((own, Role::Admin)));
    assert!(admin().may_what(&viewer()) && viewer().may_what(&viewer()));
    assert!(!viewer().may_what(&admin()));
    assert!(!user(false, Some((other, Role::Admin))).may_what(&viewer()));
    assert!(user(true, None).may_what(&admin()) && !admin().may_what(&user(true, None)));
    let (all, one) = (key(own, &KeyScope::ALL), key(own, &[KeyScope::AgentsRead]));
    assert!(all.may_what(&one) && !one.may_what(&all) && !all.may_what(&viewer()));
}
