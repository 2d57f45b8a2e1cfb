//! A rendered event is shared only among subscribers with equal rights.

use agent_registry::domain::{KeyScope, member::Role};
use serde_json::{Value, json};

use super::City;
use crate::support::socket::Socket;

/// Subscribes on all sockets, causes one event, and returns it as each socket received it.
async fn events<const N: usize>(city: &City, mut sockets: [Socket; N], query: &str) -> [Value; N] {
    for socket in &mut sockets {
        city.watch(socket, 1, query, &json!({})).await;
    }
    city.activate(0).await;
    let mut events = [const { Value::Null }; N];
    for (event, socket) in events.iter_mut().zip(&mut sockets) {
        *event = socket.event().await;
    }
    events
}

/// Tries both orders, because the first subscriber's event would be the shared one.
#[tokio::test]
async fn two_roles_with_one_document_are_each_sent_their_own() {
    let query = "subscription { activations { revision agent { customer { members { totalCount } } } } }";
    for is_admin_first in [true, false] {
        let city = City::new().await;
        let admin = city.app.member(&city.customer, Role::Admin).await.socket().await;
        let viewer = city.app.member(&city.customer, Role::Viewer).await.socket().await;
        let sockets = if is_admin_first { [admin, viewer] } else { [viewer, admin] };
        let events = events(&city, sockets, query).await;
        let (admin, viewer) =
            if is_admin_first { (&events[0], &events[1]) } else { (&events[1], &events[0]) };
        assert_eq!(admin.get("errors"), None, "{admin}");
        let count = admin.pointer("/data/activations/agent/customer/members/totalCount");
        assert_eq!(count, Some(&json!(2)), "{admin}");
        let customer = viewer.pointer("/data/activations/agent/customer");
        assert_eq!(customer, Some(&json!({ "members": null })), "{viewer}");
    }
}

#[tokio::test]
async fn two_keys_with_one_document_are_each_sent_what_their_scopes_open() {
    let query = "subscription { activations { revision agent { name versions { totalCount } } } }";
    for is_reader_first in [true, false] {
        let city = City::new().await;
        let watch = [KeyScope::ActivationsWatch];
        let reads = [KeyScope::ActivationsWatch, KeyScope::AgentsRead];
        let reader = city.app.program(&city.customer, reads).await.socket().await;
        let watcher = city.app.program(&city.customer, watch).await.socket().await;
        let sockets = if is_reader_first { [reader, watcher] } else { [watcher, reader] };
        let events = events(&city, sockets, query).await;
        let (reader, watcher) =
            if is_reader_first { (&events[0], &events[1]) } else { (&events[1], &events[0]) };
        assert_eq!(reader.get("errors"), None, "{reader}");
        assert_eq!(reader["data"]["activations"]["agent"]["versions"], json!({ "totalCount": 2 }));
        assert_eq!(watcher["errors"][0]["extensions"]["code"], "FORBIDDEN", "{watcher}");
    }
}

/// A user can read fields of itself that others of the same role can't, such as its own address.
#[tokio::test]
async fn two_people_of_one_role_are_each_sent_themselves() {
    let query = "subscription { activations { revision activatedBy { user { email } } } }";
    let city = City::new().await;
    let mut sockets = Vec::new();
    for subject in ["ada", "bob"] {
        let email = format!("{subject}@example.org");
        let invite =
            "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id } } }";
        let input = json!({ "customerId": city.customer, "email": email, "role": "EDITOR" });
        city.operator.gql(invite, json!({ "input": input })).await.text("/inviteMember/invitation/id");
        let client = city.app.user(subject, Some(&email));
        client.gql("{ viewer { name } }", Value::Null).await.at("/viewer");
        sockets.push(client);
    }
    let [ada, bob] = sockets.as_slice() else { panic!("two people") };
    let (mut hers, mut his) = (ada.socket().await, bob.socket().await);
    for socket in [&mut hers, &mut his] {
        city.watch(socket, 1, query, &json!({})).await;
    }
    let activate = "mutation ($input: ActivateVersionInput!) { activateVersion(input: $input) { revision } }";
    let input = json!({ "agentId": city.agent, "versionId": city.versions[0] });
    ada.gql(activate, json!({ "input": input })).await.text("/activateVersion/revision");
    let (hers, his) = (hers.event().await, his.event().await);
    let email = "/data/activations/activatedBy/user/email";
    assert_eq!(hers.pointer(email), Some(&json!("ada@example.org")), "{hers}");
    assert!(!his.to_string().contains("ada@example.org"), "{his}");
}
