//! The table of the policy: what each caller may do to its own customer, to another one, and on the platform.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};

use agent_registry::{
    clock::Clock,
    domain::{
        Caller, EnvironmentFilter, ErrorCode, KeyPrincipal, KeyScope, Principal, ServicePrincipal,
        ServiceScope, UserPrincipal,
        customer::Plan,
        member::Role,
        policy::{Action, allow, allow_on, is_platform, tenant_filter},
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
        email_verified: false,
        name: None,
        operator,
        memberships: BTreeMap::from_iter(place),
        plan: Plan::Free,
        expires_at: clock.now(),
        session: None,
        sync_at: None,
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
        environments: EnvironmentFilter::All,
    };
    Caller { principal: Principal::ApiKey(principal), ..Caller::system("test") }
}

fn service(scopes: &[ServiceScope]) -> Caller {
    service_at(None, scopes)
}

/// A service token that is limited to these customers, with all scopes.
fn limited(customers: impl IntoIterator<Item = CustomerId>) -> Caller {
    service_at(Some(customers.into_iter().collect()), &ServiceScope::ALL)
}

fn service_at(customers: Option<BTreeSet<CustomerId>>, scopes: &[ServiceScope]) -> Caller {
    let principal = ServicePrincipal {
        id: Clock::default().id(),
        name: "gateway".to_owned(),
        scopes: scopes.iter().copied().collect(),
        customers,
        environments: EnvironmentFilter::All,
        expires_at: None,
    };
    Caller { principal: Principal::Service(principal), ..Caller::system("test") }
}

/// The policy's answer as a letter: y for yes, F for Forbidden, N for Not found.
fn letter(caller: &Caller, action: Action, customer: CustomerId) -> char {
    match allow_on(caller, action, customer, "customer").map_err(|err| err.code()) {
        Ok(()) => {
            allow(caller, action).expect("an action that is allowed on a customer is allowed in general");
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
        limited([own]),
        limited([other]),
        limited([]),
        Caller::system("test"),
    ];
    let mut table = String::new();
    for action in Action::ALL {
        let row = |callers: &[Caller]| -> String {
            callers.iter().map(|caller| letter(caller, action, own)).collect()
        };
        table.push_str(&format!("{} {} {} {action:?}\n", row(&users), row(&keys), row(&others)));
    }
    // Columns: VIEWER, EDITOR, ADMIN of the customer; ADMIN of another, member of none, operator; one of its keys
    // with each scope in turn; its key without scopes, another customer's key with all scopes; configs:read,
    // activations:watch, no scope; all scopes, limited to the customer, to another one, to none; system.
    insta::assert_snapshot!(table, @r"
    FFFFFy FFFFFFF FFFFFFFFy CreateCustomer
    FFFFFy FFFFFFF FFFFFFFFy ManagePlatform
    FFFFFy FFFFFFF FFFFFFFFy ManageBilling
    FFFFFy FFFFFFF FFFFFFFFy EraseCustomer
    FFyNNy FFFFFFF FFFFFFFFy UpdateCustomer
    yyyNNy FFFFFFF FFFFFFFFy ReadBilling
    FFyNNy FFFFFFF FFFFFFFFy ReadMembers
    FFyNNy FFFFFFF FFFFFFFFy ManageMembers
    FFyNNy FFFFFFF FFFFFFFFy RemoveMembers
    FFyNNy FFFFFFF FFFFFFFFy ReadKeys
    FFyNNy FFFFFFF FFFFFFFFy ManageKeys
    FFyNNy FFFFFFF FFFFFFFFy RevokeKeys
    yyyNNy yFFFFFF FNFFFFFFy ReadAgents
    yyyNNy yyyyyyy FNyyFyNNy ReadServing
    yyyNNy yFFFyyF FNyFFyNNy ReadContent
    yyyNNy yyyyyyF FNFFFFFFy ReadNotes
    yyyNNy FFFFFFy FNFFFFFFy ReadPeople
    FFyNNy FFFFFFF FFFFFFFFy ManageEnvironments
    FyyNNy FyFFFFF FNFFFFFFy WriteAgents
    FyyNNy FFyFFFF FNFFFFFFy PublishVersions
    FyyNNy FFFyFFF FNFFFFFFy ActivateVersions
    FFyNNy yFFFFFF FNFFFFFFy ExportAgents
    FFyNNy FFFFFFF FNFFFFFFy ImportAgents
    yyyNNy FFFFyFF FNyFFyNNy ReadConfigs
    yyyNNy FFFFFyF FNFyFyNNy WatchActivations
    FFyNNy FFFFFFy FNFFFFFFy ReadChanges
    FFFFFy FFFFFFF FFFFFFFFy ReadGateways
    ");
}

/// A caller covers another one when it has at least the same rights.
#[test]
fn rights_are_compared_whole() {
    let (own, other): (CustomerId, CustomerId) = (Clock::default().id(), Clock::default().id());
    let viewer = || user(false, Some((own, Role::Viewer)));
    let admin = || user(false, Some((own, Role::Admin)));
    assert!(admin().covers(&viewer()) && viewer().covers(&viewer()));
    assert!(!viewer().covers(&admin()));
    assert!(!user(false, Some((other, Role::Admin))).covers(&viewer()));
    assert!(user(true, None).covers(&admin()) && !admin().covers(&user(true, None)));
    let (all, one) = (key(own, &KeyScope::ALL), key(own, &[KeyScope::AgentsRead]));
    assert!(all.covers(&one) && !one.covers(&all) && !all.covers(&viewer()));
    let (both, first) = (limited([own, other]), limited([own]));
    assert!(service(&ServiceScope::ALL).covers(&both) && !both.covers(&service(&ServiceScope::ALL)));
    assert!(both.covers(&first) && !first.covers(&both) && !limited([other]).covers(&first));
}

/// A list contains the rows of exactly those customers whose rows the caller may read one by one. It is rejected
/// when the caller may read no customer's.
#[test]
fn reach_is_where_it_is_allowed() {
    let (own, other): (CustomerId, CustomerId) = (Clock::default().id(), Clock::default().id());
    let callers = [
        user(false, Some((own, Role::Viewer))),
        user(false, Some((own, Role::Editor))),
        user(false, Some((own, Role::Admin))),
        user(false, None),
        user(true, None),
        key(own, &[]),
        key(own, &KeyScope::ALL),
        service(&[]),
        service(&ServiceScope::ALL),
        limited([own]),
        limited([own, other]),
        limited([]),
        Caller::system("test"),
    ];
    for caller in &callers {
        for action in Action::ALL {
            let letters = [own, other].map(|customer| letter(caller, action, customer));
            match tenant_filter(caller, action) {
                Ok(reach) => {
                    let held = [own, other].map(|customer| reach.admits(customer));
                    assert_eq!(held, letters.map(|letter| letter == 'y'), "{action:?} by {caller:?}");
                }
                Err(err) => {
                    assert_eq!(
                        (err.code(), letters),
                        (ErrorCode::Forbidden, ['F', 'F']),
                        "{action:?} by {caller:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn operators_and_the_service_itself_are_the_platform() {
    let own = Clock::default().id();
    assert!(is_platform(&user(true, None)) && is_platform(&Caller::system("test")));
    for other in
        [user(false, Some((own, Role::Admin))), key(own, &KeyScope::ALL), service(&ServiceScope::ALL)]
    {
        assert!(!is_platform(&other), "{other:?}");
    }
}
