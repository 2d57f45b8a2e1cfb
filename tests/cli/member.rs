//! Members and identities on the command line.

use super::{Home, serve::Serving};

const VIEWER: &str = "{ viewer { displayName memberships { role customer { id } } } }";

/// Signs a token for this subject.
fn token(home: &Home, subject: &str, name: &str) -> String {
    home.last(&["token", "user", "--subject", subject, "--name", name])
}

#[tokio::test]
async fn a_member_is_added_and_signs_in_by_a_further_identity() {
    let home = Home::new("member");
    let city = home.last(&["customer", "create", "--name", "City"]);
    let added =
        home.last(&["member", "add", "--customer", &city, "--subject", "machine", "--role", "EDITOR"]);
    let user = added.strip_prefix("machine is a member; the user's id is ").unwrap().to_owned();
    let linked = home.last(&["member", "link", "--user", &user, "--subject", "machine-2"]);
    assert_eq!(linked, format!("machine-2 of urn:agent-registry:local signs in as the user {user}"));
    let serving = Serving::start_with(&home, &[]);
    serving.ready().await;
    for (subject, name) in [("machine", "Builder"), ("machine-2", "Second builder")] {
        let answer = serving.gql(&token(&home, subject, name), VIEWER).await;
        assert_eq!(answer["data"]["viewer"]["memberships"][0]["role"], "EDITOR", "{answer}");
        assert_eq!(answer["data"]["viewer"]["memberships"][0]["customer"]["id"], *city);
        assert_eq!(answer["data"]["viewer"]["displayName"], name, "a token's name shows at once");
    }
    assert!(serving.stop().1);
}

#[tokio::test]
async fn what_names_nobody_adds_and_links_nothing() {
    let home = Home::new("member-refused");
    let city = home.last(&["customer", "create", "--name", "City"]);
    let nobody = "00000000-0000-7000-8000-000000000000";
    for (args, says) in [
        (["add", "--customer", nobody, "--subject", "eve", "--role", "ADMIN"].as_slice(), "no such customer"),
        (&["add", "--customer", &city, "--subject", "", "--role", "ADMIN"], "subject"),
        (
            &["add", "--customer", &city, "--subject", "eve", "--role", "ADMIN", "--issuer", "urn:else"],
            "issuer",
        ),
        (&["link", "--user", nobody, "--subject", "eve"], "no such user"),
        (&["link", "--email", "no@city.example", "--subject", "eve"], "no user has the address"),
        (&["link", "--email", "nobody", "--subject", "eve"], "email"),
    ] {
        let (code, complaint) = home.complaint(&[&["member"], args].concat());
        assert!(code != 0 && complaint.contains(says), "{args:?}: {code} {complaint}");
    }
    let serving = Serving::start_with(&home, &[]);
    serving.ready().await;
    let answer = serving.gql(&token(&home, "eve", "Eve"), VIEWER).await;
    assert_eq!(answer["data"]["viewer"]["memberships"], serde_json::json!([]), "{answer}");
    assert!(serving.stop().1);
}
