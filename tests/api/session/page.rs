//! The pages of the console and of signing in: their policy, and who gets which.

use std::path::Path;

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::browser::{Browser, client, new_link};
use crate::support::{App, caller::Answer};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Whether this build has the console's files.
fn has_console() -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/console/index.html").exists()
}

/// A request of a browser that opens an address.
fn open(app: &App, path: &str) -> RequestBuilder {
    let request = client().get(format!("{}{path}", app.base));
    request.header("accept", "text/html,*/*;q=0.8").header("sec-fetch-mode", "navigate")
}

#[tokio::test]
async fn the_pages_of_signing_in_have_the_strict_policy_and_no_script() {
    let app = App::start().await;
    let link = new_link(&app, "me", true).await;
    for path in [link.as_str(), "/auth/link/none", "/auth/sign-in", "/auth/callback?code=x&state=y"] {
        let page = Answer::of(open(&app, path)).await;
        assert_eq!(page.header("content-security-policy"), Some(POLICY), "{path}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        // With `no-referrer`, a browser would send `Origin: null` with the form.
        assert_eq!(page.header("referrer-policy"), Some("same-origin"), "{path}");
        let text = page.body.as_str().unwrap();
        assert!(text.contains("<html lang=\"en\">") && text.contains("<h1>"), "{text}");
        assert!(!text.contains("<script") && !text.contains("style="), "{text}");
        if page.status != 200 {
            assert_eq!(page.status, 404, "{path}");
        }
    }
    let style = app.anonymous().get("/auth/page.css").await;
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    let page = Answer::of(open(&app, "/auth/sign-in")).await;
    assert!(page.body.as_str().unwrap().contains("agent-registry console"), "{}", page.body);
}

#[tokio::test]
async fn a_program_gets_the_explorer_and_a_browser_the_console() {
    let app = App::start().await;
    for request in [client().get(&app.base), client().get(&app.base).header("accept", "application/json")] {
        let answer = Answer::of(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (307, Some("graphiql")));
        assert_eq!(answer.header("vary"), Some("accept"));
    }
    let explorer = app.anonymous().get("/graphiql").await;
    assert!(explorer.body.as_str().unwrap().contains("<a href=\"./\">Console</a>"), "{}", explorer.body);
    let missing = app.anonymous().get("/console/assets/nothing.js").await;
    assert_eq!((missing.status.as_u16(), &missing.body["code"]), (404, &json!("NOT_FOUND")));
    let problem = app.anonymous().get("/nowhere").await;
    assert_eq!((problem.status.as_u16(), &problem.body["code"]), (404, &json!("NOT_FOUND")));
    if !has_console() {
        return;
    }
    for path in
        ["/", "/c", "/c/x/agents/y/versions/14", "/settings", "/sign-in", "/platform/gateways", "/nowhere"]
    {
        let page = Answer::of(open(&app, path)).await;
        let status = if path == "/nowhere" { 404 } else { 200 };
        assert_eq!(page.status, status, "{path}");
        assert_eq!(page.header("content-security-policy"), Some(POLICY), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-cache"), "{path}");
        let text = page.body.as_str().unwrap();
        for (at, _) in text.match_indices("/console/assets/") {
            let name = text[at..].split('"').next().unwrap();
            let file = client().get(format!("{}{name}", app.base)).header("accept-encoding", "br");
            let file = file.send().await.unwrap();
            assert_eq!(file.status().as_u16(), 200, "{name}");
            assert_eq!(file.headers()["cache-control"], "public, max-age=31536000, immutable", "{name}");
        }
    }
}

#[tokio::test]
async fn a_page_learns_whom_the_session_stands_for() {
    let app = App::start().await;
    let who = app.anonymous().get("/auth/session").await;
    assert_eq!((who.status.as_u16(), &who.body), (200, &json!({ "name": null })));
    let browser = Browser::operator(&app, "me").await;
    let who = Answer::of(browser.request(Method::GET, "/auth/session")).await;
    assert_eq!((&who.body, who.header("cache-control")), (&json!({ "name": "me" }), Some("no-store")));
    let other = browser.bare(Method::GET, "/auth/session").header("sec-fetch-site", "cross-site");
    assert_eq!(Answer::of(other).await.body, json!({ "name": null }), "of another page");
}

#[tokio::test]
async fn signing_out_takes_a_form_of_the_services_own_page() {
    let app = App::start().await;
    let browser = Browser::operator(&app, "me").await;
    let out = || browser.bare(Method::POST, "/auth/sign-out");
    for request in
        [out(), out().header("sec-fetch-site", "cross-site").header("origin", "https://evil.example")]
    {
        let answer = Answer::of(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (403, None));
    }
    let get = Answer::of(browser.request(Method::GET, "/auth/sign-out")).await;
    assert_eq!(get.status, 405);
    assert_eq!(browser.gql("{ viewer { name } }", json!(null)).await.at("/viewer/name"), "me");
    assert_eq!(browser.sign_out().await.status, 200);
}
