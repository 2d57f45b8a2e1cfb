//! One-time addresses: a button spends one, once, within 15 minutes.

use agent_registry::domain::{Caller, Error, auth::jwt::LOCAL_ISSUER, member::Role};
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::browser::{Browser, cookie_of, new_link, press};
use crate::support::{App, caller::Answer};

/// The number of sessions and of operators in the database.
async fn counts(app: &App) -> (i64, i64) {
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let counts = "SELECT (SELECT count(*) FROM registry.sessions), (SELECT count(*) FROM registry.operators)";
    sqlx::query_as(counts).fetch_one(&mut admin).await.unwrap()
}

#[tokio::test]
async fn the_button_of_a_link_signs_in_once_and_makes_an_operator() {
    let app = App::start().await;
    let path = new_link(&app, "me", true).await;
    assert_eq!(counts(&app).await, (0, 0), "nobody is an operator before the click");
    let answer = Answer::of(press(&app.base, &path)).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, Some("/")));
    let port = app.address().split_once(':').unwrap().1;
    let set = answer.header("set-cookie").unwrap();
    assert!(set.starts_with(&format!("session-{port}=arc_")), "{set}");
    assert!(set.ends_with("; Path=/; Max-Age=86400; HttpOnly; SameSite=Strict"), "{set}");
    let first = cookie_of(&answer);
    assert_eq!(counts(&app).await, (1, 1));

    let again = Answer::of(press(&app.base, &path)).await;
    assert_eq!((again.status.as_u16(), again.header("set-cookie")), (404, None));
    assert_eq!(counts(&app).await, (1, 1), "it was spent");

    let browser = Browser::operator(&app, "me").await;
    assert_ne!(browser.cookie, first);
    let answer = browser
        .gql("{ viewer { name kind isOperator sessions { isCurrent network client } } }", Value::Null)
        .await;
    let session = |is_current| json!({ "isCurrent": is_current, "network": "127.0.0.0/24", "client": null });
    let viewer = json!({
        "name": "me", "kind": "OPERATOR", "isOperator": true, "sessions": [session(true), session(false)],
    });
    assert_eq!(answer.at("/viewer"), &viewer);
}

#[tokio::test]
async fn of_two_clicks_at_once_one_signs_in() {
    let app = App::start().await;
    let path = new_link(&app, "me", true).await;
    let clicks = (0..8).map(|_| Answer::of(press(&app.base, &path)));
    let answers = futures_util::future::join_all(clicks).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404, 404, 404, 404, 404, 404, 404]);
    assert_eq!(counts(&app).await, (1, 1));
}

#[tokio::test]
async fn looking_at_a_link_spends_nothing() {
    let app = App::start().await;
    let path = new_link(&app, "me", true).await;
    for _ in 0..3 {
        let page = app.anonymous().get(&path).await;
        assert_eq!((page.status.as_u16(), page.header("set-cookie")), (200, None));
        let page = page.body.as_str().unwrap().to_owned();
        assert!(page.contains("<form method=\"post\">") && !page.contains("<script"), "{page}");
    }
    let head = Answer::of(app.anonymous().request(reqwest::Method::HEAD, &path)).await;
    assert_eq!(head.status, 200);
    assert_eq!(counts(&app).await, (0, 0));
    assert_eq!(Answer::of(press(&app.base, &path)).await.status, 303);
}

#[tokio::test]
async fn a_form_of_another_page_spends_nothing() {
    let app = App::start().await;
    let path = new_link(&app, "me", true).await;
    let post = || super::browser::client().post(format!("{}{path}", app.base));
    for request in [
        post(),
        post().header("sec-fetch-site", "cross-site").header("origin", "https://evil.example"),
        post().header("sec-fetch-site", "same-site").header("origin", &app.base),
        post().header("sec-fetch-site", "none"),
        post().header("sec-fetch-site", "same-origin").header("origin", "null"),
        post().header("sec-fetch-site", "same-origin").header("origin", "https://evil.example"),
    ] {
        let answer = Answer::of(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (403, None));
    }
    assert_eq!(counts(&app).await, (0, 0));
    assert_eq!(Answer::of(press(&app.base, &path)).await.status, 303, "it is still there");
}

#[tokio::test]
async fn a_link_is_good_for_fifteen_minutes() {
    let app = App::start().await;
    let (early, late) = (new_link(&app, "me", true).await, new_link(&app, "me", true).await);
    app.clock.shift(TimeDelta::seconds(14 * 60 + 59));
    assert_eq!(Answer::of(press(&app.base, &early)).await.status, 303);
    app.clock.shift(TimeDelta::seconds(2));
    let page = app.anonymous().get(&late).await;
    assert_eq!(page.status, 404);
    assert!(page.body.as_str().unwrap().contains("agent-registry console"), "{}", page.body);
    assert_eq!(Answer::of(press(&app.base, &late)).await.status, 404);
    assert_eq!(counts(&app).await, (1, 1));
}

#[tokio::test]
async fn a_made_up_link_is_none_in_any_spelling() {
    let app = App::start().await;
    let path = new_link(&app, "me", true).await;
    for path in [
        path.to_uppercase().replace("/AUTH/LINK/", "/auth/link/"),
        format!("{path}00"),
        "/auth/link/x".into(),
    ] {
        assert_eq!(app.anonymous().get(&path).await.status, 404, "{path}");
        assert_eq!(Answer::of(press(&app.base, &path)).await.status, 404, "{path}");
    }
    assert_eq!(counts(&app).await, (0, 0));
}

#[tokio::test]
async fn only_the_platform_makes_links_and_only_for_users_it_knows() {
    let app = App::start().await;
    let customer = app.operator().await.customer("City").await;
    app.set_member(&customer, "ada", Role::Viewer).await;
    let make = async |caller: &Caller, subject: &str| {
        app.registry.create_sign_in_link(caller, (LOCAL_ISSUER, subject), false).await.map(drop)
    };
    let system = Caller::system("test");
    assert!(matches!(make(&system, "nobody").await, Err(Error::NotFound("user"))));
    assert!(matches!(make(&system, "a\nb").await, Err(Error::Invalid { .. })));
    let token = app.user("ada", None).token.unwrap();
    let ada = app.registry.authenticate(&token, &system.origin).await.unwrap();
    assert!(matches!(make(&ada, "ada").await, Err(Error::Forbidden(_))));
    assert!(make(&system, "ada").await.is_ok());
    let answer = Browser::sign_in(&app, "ada")
        .await
        .gql("{ viewer { kind memberships { role } } }", Value::Null)
        .await;
    assert_eq!(answer.at("/viewer"), &json!({ "kind": "USER", "memberships": [{ "role": "VIEWER" }] }));
}
