//! The routes of a sign-in at a real provider: to the provider, back, and to a session with the rights of the claims.

use agent_registry::{
    domain::auth::{Issuer, jwks::OutsideIssuer},
    http::Hosts,
};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{
    super::{World, provider::Provider},
    CALLBACK, PUBLIC_URL, parameter, settings,
};
use crate::{
    session::browser::{client, cookie_of},
    support::{
        App,
        app::{Instance, Setup},
        caller::Answer,
    },
};

/// A registry with a public URL, at which people sign in by this provider. A customer has invited ada.
async fn world(provider: &Provider) -> World {
    let before = App::start().await;
    let operator = before.operator().await;
    let customer = operator.customer("City").await;
    let invite =
        "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { userErrors { code } } }";
    let input = json!({ "customerId": customer, "email": "ada@city.example", "role": "EDITOR" });
    operator.gql(invite, json!({ "input": input })).await.at("/inviteMember/userErrors");
    let keys =
        OutsideIssuer::new(settings(&provider.issuer, "registry", Some("a secret: with +/=%"))).unwrap();
    let hosts = Hosts::new([127, 0, 0, 1].into(), Some(PUBLIC_URL.parse().unwrap()), Vec::new());
    let issuer = Some(Issuer::Outside(vec![keys.clone()]));
    let App { database, first } = before;
    first.stop().await;
    let first = Instance::start(&database.url, Setup { issuer, hosts, ..Setup::default() }).await;
    World { app: App { database, first }, keys }
}

/// A request of a browser that has the public URL open.
fn ask(world: &World, method: Method, path: &str) -> RequestBuilder {
    client().request(method, format!("{}{path}", world.app.base)).header("host", "localhost:8080")
}

/// Goes to the provider, signs this person in there, and comes back. Returns the path of the callback and the cookie.
async fn visit(world: &World, provider: &mut Provider, person: &str) -> (String, String) {
    let start = Answer::of(ask(world, Method::GET, "/auth/sign-in?return_to=/c/city")).await;
    assert_eq!(start.status, 303);
    let set = start.header("set-cookie").unwrap();
    assert!(set.starts_with("signin-8080=") && set.contains("Max-Age=600; HttpOnly; SameSite=Lax"), "{set}");
    let address = start.header("location").unwrap();
    let callback = provider.ask(&format!("visit {person} {address}")).await;
    let query = callback.as_str().unwrap().strip_prefix(CALLBACK).unwrap().to_owned();
    (format!("/auth/callback?{query}"), cookie_of(&start))
}

#[tokio::test]
async fn a_browser_goes_to_the_provider_and_comes_back_with_a_session() {
    let mut provider = Provider::start().await;
    let world = world(&provider).await;
    // From another name of this machine, the browser is sent to the public one first.
    let elsewhere = Answer::of(client().get(format!("{}/auth/sign-in?return_to=/c", world.app.base))).await;
    let there = "http://localhost:8080/auth/sign-in?return_to=%2Fc&redirected=true";
    assert_eq!((elsewhere.status.as_u16(), elsewhere.header("location")), (303, Some(there)));

    let (path, cookie) = visit(&world, &mut provider, "ada").await;
    let page = Answer::of(ask(&world, Method::GET, &path).header("cookie", &cookie)).await;
    assert_eq!(page.status, 200, "a page: browsers send no Strict cookie with a redirect from elsewhere");
    let text = page.body.as_str().unwrap();
    assert!(text.contains("<meta http-equiv=\"refresh\" content=\"0;url=/c/city\">"), "{text}");
    let cookies: Vec<&str> =
        page.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap()).collect();
    let [session, spent] = cookies[..] else { panic!("{cookies:?}") };
    assert!(session.starts_with("session-8080=arc_") && session.ends_with("; SameSite=Strict"), "{session}");
    assert!(spent.starts_with("signin-8080=; Path=/; Max-Age=0;"), "{spent}");

    let session = session.split(';').next().unwrap();
    let own = |path: &str| {
        let request = ask(&world, Method::POST, path).header("cookie", session);
        request.header("sec-fetch-site", "same-origin").header("origin", PUBLIC_URL)
    };
    let query = "{ viewer { displayName memberships { role } sessions { isCurrent } } }";
    let me = Answer::of(own("/graphql").json(&json!({ "query": query }))).await;
    let expected = json!({
        "displayName": "ada of the provider", "memberships": [{ "role": "EDITOR" }], "sessions": [{ "isCurrent": true }],
    });
    assert_eq!(me.at("/viewer"), &expected);

    // The same address signs nobody in again.
    let again = Answer::of(ask(&world, Method::GET, &path).header("cookie", &cookie)).await;
    assert_eq!(
        (again.status.as_u16(), again.header("set-cookie").unwrap().contains("session")),
        (400, false)
    );
    let out = Answer::of(own("/auth/sign-out")).await;
    let text = out.body.as_str().unwrap();
    assert!(out.status == 200 && text.contains("Sign out there too"), "{text}");
    assert!(text.contains(&provider.issuer.replace('&', "&amp;")), "{text}");
    let me = Answer::of(own("/graphql").json(&json!({ "query": query }))).await;
    assert_eq!(me.status, 401);
}

#[tokio::test]
async fn a_callback_of_another_browser_or_a_stranger_has_no_session() {
    let mut provider = Provider::start().await;
    let world = world(&provider).await;
    let (path, cookie) = visit(&world, &mut provider, "ada").await;
    let twice = format!("{cookie}; {cookie}");
    for cookie in ["other=1", "signin-8080=x", "__Host-signin=x", &twice] {
        let page = Answer::of(ask(&world, Method::GET, &path).header("cookie", cookie)).await;
        assert_eq!(page.status, 400, "{cookie}");
        assert!(!page.header("set-cookie").unwrap().contains("session"), "{cookie}");
    }
    // Nobody has given bob a right.
    let (path, cookie) = visit(&world, &mut provider, "bob").await;
    let page = Answer::of(ask(&world, Method::GET, &path).header("cookie", &cookie)).await;
    let text = page.body.as_str().unwrap();
    assert!(page.status == 403 && text.contains("nobody has given you access"), "{text}");
    assert_eq!(
        parameter(&format!("http://x{path}"), "state").map(|state| text.contains(&state)),
        Some(false)
    );
    let mut admin = PgConnection::connect(&world.app.database.admin_url).await.unwrap();
    let stored = "SELECT (SELECT count(*) FROM registry.sessions), (SELECT count(*) FROM registry.users WHERE subject = 'bob')";
    let stored: (i64, i64) = sqlx::query_as(stored).fetch_one(&mut admin).await.unwrap();
    assert_eq!(stored, (0, 0));
}
