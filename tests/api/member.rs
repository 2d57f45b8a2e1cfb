//! Members: invited by e-mail address, joined with a token that has the address verified, roles changed by ADMINs,
//! removed at once.

use std::time::Duration;

use agent_registry::domain::{
    auth::jwt::{LocalIssuer, TokenSubject},
    member::Role,
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, App, Calls, app::key_file, caller::Client};

const INVITE: &str = "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) {
    invitation { id email role invitedBy { kind } } revision userErrors { code field } } }";
const ROLE: &str = "mutation ($input: ChangeMemberRoleInput!) { changeMemberRole(input: $input) {
    membership { role user { id } customer { name } } revision userErrors { code message } } }";
const REMOVE: &str = "mutation ($input: RemoveMemberInput!) { removeMember(input: $input) {
    userId revision userErrors { code message } } }";
const MEMBERS: &str = "query ($id: ID!) { customer(id: $id) {
    members { totalCount nodes { role email user { id } } } invitations { totalCount nodes { id email role } } } }";
const ME: &str =
    "{ viewer { user { id email } memberships { role customer { name } permissions } permissions } }";

async fn invite(caller: &Client, customer: &str, email: &str, role: &str) -> Answer {
    caller.gql(INVITE, json!({ "input": { "customerId": customer, "email": email, "role": role } })).await
}

async fn set_role(caller: &Client, customer: &str, user: &str, role: &str) -> Answer {
    caller.gql(ROLE, json!({ "input": { "customerId": customer, "userId": user, "role": role } })).await
}

async fn remove(caller: &Client, customer: &str, user: &str) -> Answer {
    caller.gql(REMOVE, json!({ "input": { "customerId": customer, "userId": user } })).await
}

async fn user_of(caller: &Client) -> String {
    caller.gql(ME, Value::Null).await.text("/viewer/user/id")
}

#[tokio::test]
async fn whoever_is_invited_comes_in_with_the_address_verified() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let admin = app.member(&customer, Role::Admin).await;
    let invited = invite(&admin, &customer, "Ada@Example.org", "EDITOR").await;
    assert_eq!(invited.at("/inviteMember/invitation/email"), "ada@example.org");
    assert_eq!(invited.at("/inviteMember/invitation/invitedBy/kind"), "USER");
    // Inviting again changes nothing; with another role it is rejected.
    assert_eq!(invite(&admin, &customer, "ada@example.org", "EDITOR").await.body, invited.body);
    let other = invite(&admin, &customer, "ada@example.org", "ADMIN").await;
    assert_eq!(
        other.at("/inviteMember/userErrors/0"),
        &json!({ "code": "ALREADY_EXISTS", "field": "email" })
    );

    let head = app.registry.head().await.unwrap();
    let stranger = app.user("eve", Some("eve@example.org"));
    assert_eq!(stranger.gql(ME, Value::Null).await.at("/viewer/memberships"), &json!([]));
    assert_eq!(app.registry.head().await.unwrap(), head, "a valid token alone creates nothing");

    let ada = app.user("ada", Some("ADA@example.org"));
    let me = ada.gql(ME, Value::Null).await;
    assert_eq!(me.at("/viewer/memberships/0/role"), "EDITOR");
    assert_eq!(me.at("/viewer/memberships/0/customer/name"), "City");
    assert_eq!(me.at("/viewer/user/email"), "ada@example.org");
    assert_eq!(app.registry.head().await.unwrap().revision, head.revision.next());
    let members = admin.gql(MEMBERS, json!({ "id": customer })).await;
    assert_eq!(members.at("/customer/invitations/totalCount"), 0);
    assert_eq!(members.at("/customer/members/totalCount"), 2);
    ada.agent_by(&customer).await;
    // A member's own sign-in accepts nothing more: an invitation to its address is for a further identity.
    let again = invite(&admin, &customer, "ada@example.org", "VIEWER").await;
    assert_eq!(again.at("/inviteMember/userErrors"), &json!([]));
    let me = ada.gql(ME, Value::Null).await;
    assert_eq!(me.at("/viewer/memberships/0/role"), "EDITOR");
    let members = admin.gql(MEMBERS, json!({ "id": customer })).await;
    assert_eq!(members.at("/customer/members/totalCount"), 2);
    assert_eq!(members.at("/customer/invitations/totalCount"), 0, "it was dropped");
}

trait CreatesAnAgent {
    async fn agent_by(&self, customer: &str);
}

impl CreatesAnAgent for Client {
    async fn agent_by(&self, customer: &str) {
        let create = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } userErrors { code } } }";
        let made =
            self.gql(create, json!({ "input": { "customerId": customer, "name": "By a newcomer" } })).await;
        assert_eq!(made.at("/createAgent/userErrors"), &json!([]));
    }
}

#[tokio::test]
async fn many_sign_ins_at_once_accept_an_invitation_once() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    invite(&operator, &customer, "ada@example.org", "VIEWER").await;
    let before = app.registry.head().await.unwrap().revision.0;
    let ada = app.user("ada", Some("ada@example.org"));
    let answers = futures_util::future::join_all((0..12).map(|_| ada.gql(ME, Value::Null))).await;
    for answer in answers {
        assert_eq!(answer.at("/viewer/memberships/0/role"), "VIEWER");
    }
    assert_eq!(app.registry.head().await.unwrap().revision.0, before + 1);
}

#[tokio::test]
async fn an_invitation_ends_and_can_be_taken_back() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let (ada, bob) = (app.user("ada", Some("ada@example.org")), app.user("bob", Some("bob@example.org")));
    let made = invite(&operator, &customer, "bob@example.org", "VIEWER").await;
    let revoke = "mutation ($id: ID!) { revokeInvitation(input: { invitationId: $id }) { invitationId userErrors { code } } }";
    let id = made.text("/inviteMember/invitation/id");
    let taken_back = operator.gql(revoke, json!({ "id": id })).await;
    assert_eq!(taken_back.at("/revokeInvitation/invitationId"), &json!(id));
    assert_eq!(
        operator.gql(revoke, json!({ "id": id })).await.text("/revokeInvitation/userErrors/0/code"),
        "NOT_FOUND"
    );
    assert_eq!(bob.gql(ME, Value::Null).await.at("/viewer/memberships"), &json!([]));

    invite(&operator, &customer, "ada@example.org", "VIEWER").await;
    app.clock.shift(TimeDelta::days(15));
    let (operator, ada) =
        (app.operator().await, app.user("ada", ada.token.is_some().then_some("ada@example.org")));
    assert_eq!(ada.gql(ME, Value::Null).await.at("/viewer/memberships"), &json!([]));
    let list = operator.gql(MEMBERS, json!({ "id": customer })).await;
    assert_eq!(list.at("/customer/invitations/nodes"), &json!([]));
    // An expired invitation can be replaced.
    invite(&operator, &customer, "ada@example.org", "EDITOR").await;
    assert_eq!(ada.gql(ME, Value::Null).await.at("/viewer/memberships/0/role"), "EDITOR");
}

#[tokio::test]
async fn no_bad_address_is_invited_and_nobody_but_admins_invites() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let (admin, editor) =
        (app.member(&customer, Role::Admin).await, app.member(&customer, Role::Editor).await);
    let head = app.registry.head().await.unwrap();
    let long = format!("{}@example.org", "x".repeat(250));
    let wrong = ["", " ", "ada", "@example.org", "ada@", "a da@example.org", "ada@example.org\n\0", &long];
    let not_one = ["a@x,b@x", "a@@x", "mailto:a@x", "a@x.", "Ada <a@x>"];
    for email in wrong.into_iter().chain(not_one) {
        let refused = invite(&admin, &customer, email, "VIEWER").await;
        assert_eq!(refused.text("/inviteMember/userErrors/0/code"), "INVALID", "{email:?}");
    }
    assert_eq!(invite(&editor, &customer, "ada@example.org", "VIEWER").await.code(), Some("FORBIDDEN"));
    let elsewhere = operator.customer("Town").await;
    let head = head.revision.next();
    let foreign = invite(&admin, &elsewhere, "ada@example.org", "VIEWER").await;
    assert_eq!(foreign.text("/inviteMember/userErrors/0/code"), "NOT_FOUND");
    assert_eq!(app.registry.head().await.unwrap().revision, head);
}

#[tokio::test]
async fn the_last_admin_stays_one() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let (admin, editor) =
        (app.member(&customer, Role::Admin).await, app.member(&customer, Role::Editor).await);
    let (admin_id, editor_id) = (user_of(&admin).await, user_of(&editor).await);
    let head = app.registry.head().await.unwrap();
    for caller in [&*admin, &*operator] {
        let lower = set_role(caller, &customer, &admin_id, "EDITOR").await;
        assert_eq!(lower.text("/changeMemberRole/userErrors/0/code"), "CONFLICT");
        let out = remove(caller, &customer, &admin_id).await;
        assert_eq!(out.text("/removeMember/userErrors/0/code"), "CONFLICT");
    }
    assert_eq!(app.registry.head().await.unwrap(), head);
    let raised = set_role(&admin, &customer, &editor_id, "ADMIN").await;
    assert_eq!(raised.at("/changeMemberRole/membership/role"), "ADMIN");
    assert_eq!(
        set_role(&admin, &customer, &editor_id, "ADMIN").await.body,
        raised.body,
        "the role is set already"
    );
    // Of two admins who leave concurrently, one stays.
    let (one, other) =
        tokio::join!(remove(&admin, &customer, &admin_id), remove(&editor, &customer, &editor_id));
    let gone =
        [one, other].iter().filter(|answer| answer.at("/removeMember/userErrors") == &json!([])).count();
    assert_eq!(gone, 1);
    let members = operator.gql(MEMBERS, json!({ "id": customer })).await;
    assert_eq!(members.at("/customer/members/nodes/0/role"), "ADMIN");
    assert_eq!(members.at("/customer/members/totalCount"), 1);
}

#[tokio::test]
async fn who_leaves_owns_nothing_there_any_more() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (customer, town) = (operator.customer("City").await, operator.customer("Town").await);
    let editor = app.member(&customer, Role::Editor).await;
    let user = user_of(&editor).await;
    let agent = editor.agent(&customer, "Helper").await;
    let own = "mutation ($agent: ID!, $user: ID!) { updateAgent(input: { agentId: $agent, ownerId: $user }) {
        agent { owner { id agents { totalCount nodes { name } } } } userErrors { code } } }";
    let owned = editor.gql(own, json!({ "agent": agent, "user": user })).await;
    assert_eq!(owned.at("/updateAgent/agent/owner/agents/nodes/0/name"), "Helper");
    // An owner must be a member of the agent's customer.
    let other = user_of(&*app.member(&town, Role::Editor).await).await;
    let refused = editor.gql(own, json!({ "agent": agent, "user": other })).await;
    assert_eq!(refused.text("/updateAgent/userErrors/0/code"), "INVALID");

    assert_eq!(remove(&operator, &customer, &user).await.at("/removeMember/userErrors"), &json!([]));
    let owner = "query ($id: ID!) { agent(id: $id) { owner { id } } }";
    assert_eq!(operator.gql(owner, json!({ "id": agent })).await.at("/agent/owner"), &Value::Null);
    assert_eq!(editor.gql(owner, json!({ "id": agent })).await.at("/agent"), &Value::Null);
    let again = remove(&operator, &customer, &user).await;
    assert_eq!(again.text("/removeMember/userErrors/0/code"), "NOT_FOUND");
}

#[tokio::test]
async fn a_viewer_is_told_what_it_may_do() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let viewer = app.member(&customer, Role::Viewer).await;
    let me = viewer.gql(ME, Value::Null).await;
    let expected = [
        "READ_BILLING",
        "READ_AGENTS",
        "READ_SERVING",
        "READ_CONTENT",
        "READ_NOTES",
        "READ_PEOPLE",
        "READ_CONFIGS",
        "WATCH_ACTIVATIONS",
    ];
    assert_eq!(me.at("/viewer/permissions"), &json!(expected));
    assert_eq!(me.at("/viewer/memberships/0/permissions"), &json!(expected));
    let all = operator.gql(ME, Value::Null).await;
    assert_eq!(all.at("/viewer/permissions").as_array().unwrap().len(), 27);
    assert_eq!(app.stranger().gql(ME, Value::Null).await.at("/viewer/permissions"), &json!([]));
}

#[tokio::test]
async fn an_address_is_its_own_in_lower_case_too() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    // A letter that becomes two in lower case, and a sign that becomes a plain k, as in another user's address.
    for email in ["İ".repeat(200) + "@example.org", "min\u{212a}@example.org".to_owned()] {
        let refused = invite(&operator, &customer, &email, "VIEWER").await;
        assert_eq!(refused.text("/inviteMember/userErrors/0/code"), "INVALID");
    }
    invite(&operator, &customer, "mink@example.org", "ADMIN").await;
    // The service signs no token for such an address. One that it has signed earlier accepts nothing.
    let lookalike = || TokenSubject {
        subject: "other".to_owned(),
        email: Some("min\u{212a}@example.org".to_owned()),
        name: None,
    };
    assert!(app.registry.mint(lookalike(), Duration::from_secs(600)).is_err());
    let issuer = LocalIssuer::open(&key_file()).unwrap();
    let other = app.bearer(&issuer.mint(&app.clock, lookalike(), Duration::from_secs(600)).unwrap());
    assert_eq!(other.gql(ME, Value::Null).await.at("/viewer/memberships"), &json!([]));
    let jurgen = invite(&operator, &customer, "JÜRGEN@example.org", "VIEWER").await;
    assert_eq!(jurgen.text("/inviteMember/invitation/email"), "jürgen@example.org");
}
