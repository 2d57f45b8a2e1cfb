//! Identities: one person signs in by several names, and a profile follows its tokens.

use std::time::Duration;

use agent_registry::domain::{
    Caller,
    auth::jwt::{LOCAL_ISSUER, TokenSubject},
    member::Role,
};
use serde_json::{Value, json};

use crate::support::{App, caller::Client};

const ME: &str = "{ viewer { displayName isOperator user { id name email identities { issuer subject } }
    memberships { role customer { id } } } }";
const LINK: &str = "mutation ($input: LinkIdentityInput!) { linkIdentity(input: $input) {
    user { id identities { subject } } revision userErrors { code field } } }";
const ADD: &str = "mutation ($input: AddMemberInput!) { addMember(input: $input) {
    membership { id source role user { id name email } } revision userErrors { code field } } }";
const INVITE: &str = "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) {
    invitation { id } userErrors { code field } } }";
const PENDING: &str =
    "{ viewer { pendingInvitations { customerName role expiresAt blockedBy } memberships { role } } }";
const PROFILE: &str = "mutation ($name: String) { updateProfile(input: { name: $name }) {
    user { id name } revision userErrors { code } } }";

fn token(app: &App, subject: &str, email: Option<&str>, name: Option<&str>) -> Client {
    let subject = TokenSubject {
        subject: subject.to_owned(),
        email: email.map(str::to_owned),
        name: name.map(str::to_owned),
    };
    app.bearer(&app.registry.mint(subject, Duration::from_secs(600)).unwrap())
}

async fn revision(app: &App) -> i64 {
    app.registry.head().await.unwrap().revision.0
}

async fn link(by: &Client, user: &str, subject: &str) -> Value {
    let input = json!({ "userId": user, "issuer": LOCAL_ISSUER, "subject": subject });
    by.gql(LINK, json!({ "input": input })).await.at("/linkIdentity").clone()
}

async fn invite(by: &Client, customer: &str, email: &str, role: &str) -> Value {
    let input = json!({ "customerId": customer, "email": email, "role": role });
    by.gql(INVITE, json!({ "input": input })).await.at("/inviteMember/userErrors").clone()
}

#[tokio::test]
async fn a_linked_identity_is_the_same_person_at_once() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let user = app.set_member(&customer, "ada", Role::Admin).await;
    // The new identity has signed in before, and the service remembers that it has no right.
    let new = token(&app, "ada-of-the-provider", None, None);
    assert_eq!(new.gql(ME, Value::Null).await.at("/viewer/user"), &Value::Null);
    let linked = link(&operator, &user, "ada-of-the-provider").await;
    assert_eq!(
        linked["user"]["identities"],
        json!([{ "subject": "ada" }, { "subject": "ada-of-the-provider" }])
    );
    for client in [&new, &app.user("ada", None)] {
        let me = client.gql(ME, Value::Null).await;
        assert_eq!(me.text("/viewer/user/id"), user);
        assert_eq!(me.text("/viewer/memberships/0/role"), "ADMIN");
        assert_eq!(me.at("/viewer/user/identities").as_array().unwrap().len(), 2);
    }
    // A right that is lost is lost to both, also inside a write.
    let agent = new_agent(&new, &customer).await;
    assert_eq!(agent, json!([]));
    app.set_member(&customer, "other", Role::Admin).await;
    app.set_member(&customer, "ada", Role::Viewer).await;
    assert!(new.gql(&create(&customer), Value::Null).await.code() == Some("FORBIDDEN"));
    // Linking again changes nothing, and returns the same.
    let before = revision(&app).await;
    assert_eq!(link(&operator, &user, "ada-of-the-provider").await, linked);
    assert_eq!(revision(&app).await, before);
}

fn create(customer: &str) -> String {
    format!(
        "mutation {{ createAgent(input: {{ customerId: \"{customer}\", name: \"Helper\" }}) {{ userErrors {{ code }} }} }}"
    )
}

async fn new_agent(client: &Client, customer: &str) -> Value {
    client.gql(&create(customer), Value::Null).await.at("/createAgent/userErrors").clone()
}

#[tokio::test]
async fn an_identity_of_somebody_else_is_not_linked() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let ada = app.set_member(&customer, "ada", Role::Editor).await;
    let bob = app.set_member(&customer, "bob", Role::Admin).await;
    let nobody = uuid::Uuid::now_v7().to_string();
    let before = revision(&app).await;
    for (user, subject, code, field) in [
        (&ada, "bob", "ALREADY_EXISTS", json!("subject")),
        (&nobody, "new", "NOT_FOUND", Value::Null),
        (&ada, "", "INVALID", json!("subject")),
    ] {
        let refused = link(&operator, user, subject).await;
        assert_eq!(refused["userErrors"], json!([{ "code": code, "field": field }]), "{subject}");
    }
    let admin = app.user("bob", None);
    let input = json!({ "input": { "userId": bob, "issuer": LOCAL_ISSUER, "subject": "new" } });
    assert_eq!(admin.gql(LINK, input).await.code(), Some("FORBIDDEN"));
    assert_eq!(revision(&app).await, before);
    assert_eq!(app.user("new", None).gql(ME, Value::Null).await.at("/viewer/user"), &Value::Null);
}

#[tokio::test]
async fn an_operator_is_one_by_each_identity_until_it_is_removed() {
    let app = App::start().await;
    let operator = app.operator().await;
    operator.customer("City").await;
    let olga = operator.gql(ME, Value::Null).await.text("/viewer/user/id");
    link(&operator, &olga, "olga-2").await;
    let second = app.user("olga-2", None);
    assert_eq!(second.gql(ME, Value::Null).await.at("/viewer/isOperator"), true);
    let create = "mutation { createCustomer(input: { name: \"Town\" }) { userErrors { code } } }";
    assert_eq!(second.gql(create, Value::Null).await.at("/createCustomer/userErrors"), &json!([]));
    app.registry.remove_operator(&Caller::system("test"), LOCAL_ISSUER, "olga").await.unwrap();
    app.caught_up().await;
    let before = revision(&app).await;
    for client in [&operator.0, &second] {
        assert_eq!(client.gql(create, Value::Null).await.code(), Some("FORBIDDEN"));
    }
    assert_eq!(revision(&app).await, before);
}

/// Moving to an identity provider: the members of old are invited by the addresses that they have.
#[tokio::test]
async fn an_invitation_to_a_members_address_adds_the_new_identity() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    assert_eq!(invite(&operator, &customer, "ada@example.org", "ADMIN").await, json!([]));
    let old = token(&app, "ada", Some("ada@example.org"), Some("Ada"));
    let user = old.gql(ME, Value::Null).await.text("/viewer/user/id");
    assert_eq!(invite(&operator, &customer, "ADA@example.org", "VIEWER").await, json!([]));
    let new = token(&app, "ada-of-the-provider", Some("ada@example.org"), None);
    let me = new.gql(ME, Value::Null).await;
    assert_eq!(
        (me.text("/viewer/user/id"), me.text("/viewer/memberships/0/role")),
        (user, "ADMIN".to_owned())
    );
    let members =
        "query ($id: ID!) { customer(id: $id) { members { totalCount } invitations { totalCount } } }";
    let counted = operator.gql(members, json!({ "id": customer })).await;
    assert_eq!(
        counted.at("/customer"),
        &json!({ "members": { "totalCount": 1 }, "invitations": { "totalCount": 0 } })
    );
}

/// An ADMIN decides about its own customer only: a member of two is not handed over by one of them.
#[tokio::test]
async fn an_invitation_hands_over_nobody_who_has_rights_elsewhere() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (city, town) = (operator.customer("City").await, operator.customer("Town").await);
    for customer in [&city, &town] {
        assert_eq!(invite(&operator, customer, "ada@example.org", "ADMIN").await, json!([]));
    }
    let old = token(&app, "ada", Some("ada@example.org"), None);
    let user = old.gql(ME, Value::Null).await.text("/viewer/user/id");
    assert_eq!(invite(&old, &city, "ada@example.org", "VIEWER").await, json!([]));
    let me = token(&app, "mallory", Some("ada@example.org"), None).gql(ME, Value::Null).await;
    assert_ne!(me.text("/viewer/user/id"), user);
    assert_eq!(me.at("/viewer/memberships"), &json!([{ "role": "VIEWER", "customer": { "id": city } }]));
}

#[tokio::test]
async fn a_member_is_added_by_its_subject_without_an_address() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (city, town) = (operator.customer("City").await, operator.customer("Town").await);
    let (admin, editor) = (app.member(&city, Role::Admin).await, app.member(&city, Role::Editor).await);
    let machine = app.user("system:serviceaccount:ci:publisher", None);
    assert_eq!(machine.gql(ME, Value::Null).await.at("/viewer/memberships"), &json!([]));
    let add = async |by: &Client, customer: &str, subject: &str, role: &str| {
        let input = json!({ "customerId": customer, "subject": subject, "role": role });
        by.gql(ADD, json!({ "input": input })).await
    };
    let added = add(&admin, &city, "system:serviceaccount:ci:publisher", "EDITOR").await;
    let membership = added.at("/addMember/membership");
    assert_eq!((&membership["source"], &membership["role"]), (&json!("MANUAL"), &json!("EDITOR")));
    let user = membership["user"]["id"].as_str().unwrap();
    assert_eq!(membership["id"], format!("{city}.{user}"));
    assert_eq!(new_agent(&machine, &city).await, json!([]));
    // A machine of another customer too, by its ADMIN, who can't see it yet.
    let theirs = app.member(&town, Role::Admin).await;
    let added = add(&theirs, &town, "system:serviceaccount:ci:publisher", "VIEWER").await;
    assert_eq!(added.text("/addMember/membership/user/id"), user);
    // Not a person, whose name and address that ADMIN would see.
    assert_eq!(invite(&admin, &city, "ada@example.org", "VIEWER").await, json!([]));
    token(&app, "ada", Some("ada@example.org"), Some("Ada")).gql(ME, Value::Null).await.at("/viewer/user/id");
    let before = revision(&app).await;
    let refused = add(&theirs, &town, "ada", "VIEWER").await;
    assert_eq!(refused.text("/addMember/userErrors/0/code"), "ALREADY_EXISTS");
    assert!(!refused.body.to_string().contains("example.org"), "{}", refused.body);
    assert_eq!(add(&editor, &city, "new", "VIEWER").await.code(), Some("FORBIDDEN"));
    assert_eq!(add(&theirs, &city, "new", "VIEWER").await.text("/addMember/userErrors/0/code"), "NOT_FOUND");
    let input =
        json!({ "customerId": city, "issuer": "https://else.invalid", "subject": "new", "role": "VIEWER" });
    let refused = admin.gql(ADD, json!({ "input": input })).await;
    assert_eq!(refused.at("/addMember/userErrors"), &json!([{ "code": "INVALID", "field": "issuer" }]));
    assert_eq!(revision(&app).await, before);
}

#[tokio::test]
async fn a_profile_follows_its_tokens_at_most_hourly() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    app.set_member(&customer, "ada", Role::Editor).await;
    // A name that came after the first write shows.
    let ada = token(&app, "ada", Some("Ada@Example.org"), Some("Ada"));
    let me = ada.gql(ME, Value::Null).await;
    assert_eq!(me.at("/viewer/user/name"), "Ada");
    assert_eq!(
        (me.at("/viewer/user/email"), me.at("/viewer/displayName")),
        (&json!("ada@example.org"), &json!("Ada"))
    );
    let name = async |client: &Client| client.gql(ME, Value::Null).await.at("/viewer/user/name").clone();
    let renamed = token(&app, "ada", Some("ada@example.org"), Some("Ada L."));
    let before = revision(&app).await;
    assert_eq!((name(&renamed).await, revision(&app).await), (json!("Ada"), before), "too early");
    app.clock.shift(chrono::TimeDelta::minutes(61));
    let renamed = token(&app, "ada", Some("ada@example.org"), Some("Ada L."));
    name(&renamed).await;
    crate::support::wait::eventually("the new name is taken over", async || name(&renamed).await == "Ada L.")
        .await;
    // Her own choice wins, until she takes it back.
    let chosen = renamed.gql(PROFILE, json!({ "name": "Countess" })).await;
    assert_eq!(chosen.at("/updateProfile/user/name"), "Countess");
    assert_eq!(name(&renamed).await, "Countess");
    let before = revision(&app).await;
    let again = renamed.gql(PROFILE, json!({ "name": "Countess" })).await;
    assert_eq!((again.body, revision(&app).await), (chosen.body, before));
    renamed.gql(PROFILE, json!({ "name": null })).await.at("/updateProfile/revision");
    assert_eq!(name(&renamed).await, "Ada L.");
    let before = revision(&app).await;
    let refused = renamed.gql(PROFILE, json!({ "name": " " })).await;
    assert_eq!(refused.text("/updateProfile/userErrors/0/code"), "INVALID");
    let refused = app.stranger().gql(PROFILE, json!({ "name": "Nobody" })).await;
    assert_eq!(refused.text("/updateProfile/userErrors/0/code"), "NOT_FOUND");
    assert_eq!(app.gateway().await.gql(PROFILE, json!({ "name": "Gate" })).await.code(), Some("FORBIDDEN"));
    assert_eq!(revision(&app).await, before + 1, "the gateway's token alone");
}

#[tokio::test]
async fn who_did_something_has_a_name_for_people() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let (admin, viewer) =
        (app.member(&customer, Role::Admin).await, app.member(&customer, Role::Viewer).await);
    assert_eq!(invite(&admin, &customer, "ada@example.org", "EDITOR").await, json!([]));
    assert_eq!(invite(&admin, &customer, "bob@example.org", "EDITOR").await, json!([]));
    let ada = token(&app, "ada", Some("ada@example.org"), Some("Ada"));
    let bob = token(&app, "bob", Some("bob@example.org"), None);
    let program = app.program(&customer, agent_registry::domain::KeyScope::ALL).await;
    let query = "query ($id: ID!) { agent(id: $id) { versions { nodes { createdBy { displayName } } } } }";
    for (by, to_viewer, to_operator) in [
        (&ada, "Ada", "Ada"),
        (&bob, "User", "bob@example.org"),
        (&program.0, "program", "program"),
        (&operator.0, "Operator", "Operator"),
    ] {
        let create = create(&customer)
            .replace("Helper", to_operator)
            .replace("{ userErrors", "{ agent { id } userErrors");
        let agent = by.gql(&create, Value::Null).await.text("/createAgent/agent/id");
        let publish = json!({ "agentId": agent, "systemPrompt": "p", "modelName": "m" });
        let mutation =
            "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) { revision } }";
        by.gql(mutation, json!({ "input": publish })).await.at("/publishVersion/revision");
        for (reader, expected) in [(&viewer.0, to_viewer), (&operator.0, to_operator)] {
            let shown = reader.gql(query, json!({ "id": agent })).await;
            assert_eq!(shown.text("/agent/versions/nodes/0/createdBy/displayName"), expected);
        }
    }
}

#[tokio::test]
async fn a_viewer_sees_what_its_invitations_wait_for() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (city, town) = (operator.customer("City").await, operator.customer("Town").await);
    for customer in [&city, &town] {
        assert_eq!(invite(&operator, customer, "ada@example.org", "EDITOR").await, json!([]));
    }
    app.set_billing_status(&city, "SUSPENDED").await;
    // The town's plan has become smaller than the number of its members.
    for number in 0..10 {
        let subject = format!("person-{number}");
        if number < 9 {
            app.set_member(&town, &subject, Role::Viewer).await;
        } else {
            set_member_by_sql(&app, &town, &subject).await;
        }
    }
    let before = revision(&app).await;
    let ada = token(&app, "ada", Some("ada@example.org"), None);
    let answer = ada.gql(PENDING, Value::Null).await;
    let mut pending = answer.at("/viewer/pendingInvitations").as_array().unwrap().clone();
    for invitation in &mut pending {
        assert!(invitation["expiresAt"].is_string());
        invitation.as_object_mut().unwrap().remove("expiresAt");
    }
    assert_eq!(
        json!(pending),
        json!([
            { "customerName": "City", "role": "EDITOR", "blockedBy": "SUSPENDED" },
            { "customerName": "Town", "role": "EDITOR", "blockedBy": "LIMIT_REACHED" },
        ])
    );
    assert_eq!(answer.at("/viewer/memberships"), &json!([]));
    assert_eq!(revision(&app).await, before);
    // Nobody else sees them.
    for other in [token(&app, "bob", Some("bob@example.org"), None), app.user("ada", None)] {
        assert_eq!(other.gql(PENDING, Value::Null).await.at("/viewer/pendingInvitations"), &json!([]));
    }
    app.set_billing_status(&city, "CANCELED").await;
    let canceled = ada.gql(PENDING, Value::Null).await;
    assert_eq!(canceled.at("/viewer/pendingInvitations")[0]["blockedBy"], "CANCELED");
    // The customer is active again: the next sign-in accepts.
    app.set_billing_status(&city, "ACTIVE").await;
    let again = token(&app, "ada", Some("ada@example.org"), Some("Ada")).gql(PENDING, Value::Null).await;
    assert_eq!(again.at("/viewer/memberships"), &json!([{ "role": "EDITOR" }]));
    assert_eq!(again.at("/viewer/pendingInvitations").as_array().unwrap().len(), 1);
}

/// Makes a member beyond what the plan allows, as a smaller plan would.
async fn set_member_by_sql(app: &App, customer: &str, subject: &str) {
    use sqlx::Connection;
    let mut admin = sqlx::PgConnection::connect(&app.database.admin_url).await.unwrap();
    // The trigger that adds the identity runs with the owner's rights, within row-level security.
    sqlx::raw_sql("SET registry.scope = 'platform'").execute(&mut admin).await.unwrap();
    let user = uuid::Uuid::now_v7().to_string();
    sqlx::query("INSERT INTO registry.users (id, issuer, subject, created_at) VALUES ($1::text::uuid, 'i', $2, now())")
        .bind(&user)
        .bind(subject)
        .execute(&mut admin)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO registry.memberships (customer_id, user_id, role, created_at) VALUES ($1::text::uuid, $2::text::uuid, 'VIEWER', now())",
    )
    .bind(customer)
    .bind(&user)
    .execute(&mut admin)
    .await
    .unwrap();
    admin.close().await.unwrap();
}
