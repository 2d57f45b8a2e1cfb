//! The downloads and the upload of the console: the same as over REST, by the session of a browser and by nothing else.

use agent_registry::domain::member::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::browser::{Browser, client};
use crate::support::{
    App, Calls,
    caller::{Answer, Operator},
};

const LINE: &str = "{\"agent\":\"Uploaded\",\"versions\":[{\"system_prompt\":\"x\"}]}\n";

/// A customer with an agent that serves, its ADMIN at a browser, and an operator.
pub(super) struct City {
    pub(super) app: App,
    pub(super) operator: Operator,
    pub(super) customer: String,
    pub(super) agent: String,
    pub(super) admin: Browser,
}

impl City {
    pub(super) async fn new() -> Self {
        let app = App::start().await;
        let operator = app.operator().await;
        let customer = operator.customer("City").await;
        let plan = "mutation ($id: ID!) { setPlan(input: { customerId: $id, plan: PRO }) { revision } }";
        operator.gql(plan, json!({ "id": customer })).await.text("/setPlan/revision");
        let agent = operator.agent(&customer, "Helper").await;
        let version = operator.publish(&agent, "Hello").await;
        operator.activate(&agent, &version).await.text("/activateVersion/revision");
        app.set_member(&customer, "ada", Role::Admin).await;
        let admin = Browser::sign_in(&app, "ada").await;
        Self { app, operator, customer, agent, admin }
    }

    pub(super) fn path(&self, file: &str) -> String {
        format!("/console/download/customers/{}/{file}", self.customer)
    }

    fn upload_path(&self, options: &str) -> String {
        format!("/console/upload/customers/{}{options}", self.customer)
    }

    /// Each route: a method, a path, and whether the request has a file.
    fn routes(&self) -> [(Method, String, bool); 4] {
        [
            (Method::GET, self.path("audit"), false),
            (Method::GET, self.path("audit.csv"), false),
            (Method::GET, self.path("export"), false),
            (Method::POST, self.upload_path(""), true),
        ]
    }

    async fn revision(&self) -> i64 {
        self.app.registry.head().await.unwrap().revision.0
    }

    async fn sign_in(&self, subject: &str, customer: &str, role: Role) -> Browser {
        self.app.set_member(customer, subject, role).await;
        Browser::sign_in(&self.app, subject).await
    }
}

/// Sends a request again while the answer before is still being ended: a caller has one stream at a time.
pub(super) async fn whole(request: impl Fn() -> RequestBuilder) -> Answer {
    for _ in 0..100 {
        let answer = Answer::of(request()).await;
        if answer.status != 429 {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("each answer was 429");
}

pub(super) fn text(answer: &Answer) -> String {
    assert_eq!(answer.status, 200);
    answer.body.as_str().unwrap_or_else(|| panic!("{} is no text", answer.body)).to_owned()
}

fn with_file(request: RequestBuilder, file: &str) -> RequestBuilder {
    request.header("content-type", "application/x-ndjson").body(file.to_owned())
}

pub(super) fn assert_refused(what: &str, answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status.as_u16(), &answer.body["code"]),
        (status, &json!(code)),
        "{what}: {}",
        answer.body
    );
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
    assert_eq!(answer.header("vary"), Some("Cookie"), "{what}");
    assert!(
        answer.body["detail"].as_str().is_some_and(|detail| detail.contains(' ')),
        "{what}: {}",
        answer.body
    );
}

#[tokio::test]
async fn a_session_downloads_what_a_token_does() {
    let city = City::new().await;
    let token = city.app.user("ada", None);
    // The first request of a token may update the profile, which is an entry of the log.
    token.gql("{ viewer { name } }", Value::Null).await.at("/viewer");
    let files = [
        ("audit", "audit.ndjson", "application/x-ndjson"),
        ("export", "agents.jsonl", "application/x-ndjson"),
        ("export?environment=production", "agents.jsonl", "application/x-ndjson"),
    ];
    for (file, name, kind) in files {
        let by_session = whole(|| city.admin.request(Method::GET, &city.path(file))).await;
        let rest = format!("/v1/customers/{}/{file}", city.customer);
        let by_token = whole(|| token.request(Method::GET, &rest)).await;
        assert_eq!(by_session.status, 200);
        assert_eq!(
            (&by_session.body, by_session.header("content-type")),
            (&by_token.body, Some(kind)),
            "{file}"
        );
        let disposition = format!("attachment; filename=\"{name}\"");
        assert_eq!(by_session.header("content-disposition"), Some(disposition.as_str()));
        assert_eq!(
            (by_session.header("cache-control"), by_session.header("vary")),
            (Some("no-store"), Some("Cookie"))
        );
        assert_eq!(by_token.header("vary"), Some("Authorization"));
    }
    let csv = whole(|| city.admin.request(Method::GET, &city.path("audit.csv"))).await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"audit.csv\""));
    assert_eq!((csv.header("cache-control"), csv.header("vary")), (Some("no-store"), Some("Cookie")));
    for file in ["audit", "audit.csv", "export"] {
        // A link names the page in no `Origin`.
        let link = || city.admin.bare(Method::GET, &city.path(file)).header("sec-fetch-site", "same-origin");
        assert_eq!(whole(link).await.status, 200, "{file}");
        let head = Answer::of(city.admin.request(Method::HEAD, &city.path(file))).await;
        assert_eq!((head.status.as_u16(), &head.body), (200, &json!("")), "{file}");
        let post = Answer::of(city.admin.request(Method::POST, &city.path(file))).await;
        assert_eq!(post.status, 405, "{file}");
    }
}

#[tokio::test]
async fn a_file_is_uploaded_after_a_dry_run() {
    let city = City::new().await;
    let before = city.revision().await;
    let upload = |options: &str| {
        let request = city.admin.request(Method::POST, &city.upload_path(options));
        Answer::of(with_file(request, LINE))
    };
    let summary =
        |answer: &Answer| -> Value { serde_json::from_str(text(answer).lines().last().unwrap()).unwrap() };
    let dry = upload("?dry_run=true&environment=production").await;
    let said = summary(&dry);
    assert_eq!((&said["summary"]["dry_run"], &said["summary"]["created"]), (&json!(true), &json!(1)));
    assert_eq!(city.revision().await, before, "a dry run stores nothing");
    assert_eq!(upload("?dry_run=maybe").await.status, 422);
    assert_eq!(upload("?customer_id=1").await.status, 400);
    assert_eq!(city.revision().await, before);
    let path = city.upload_path("");
    let wet = whole(|| with_file(city.admin.request(Method::POST, &path), LINE)).await;
    assert_eq!(summary(&wet)["summary"]["created"], 1);
    let rows = city.table(&city.admin, "?actions=AGENT_CREATED,VERSION_PUBLISHED").await;
    assert_eq!((rows[0][6].as_str(), rows[0][10].as_str()), ("Uploaded", "CONSOLE"));
}

#[tokio::test]
async fn only_the_session_of_a_page_of_the_service_counts() {
    let city = City::new().await;
    let token = city.app.user("ada", None).token.unwrap();
    let key = city.app.program(&city.customer, agent_registry::domain::KeyScope::ALL).await;
    let ended = Browser::sign_in(&city.app, "ada").await;
    assert_eq!(ended.sign_out().await.status, 200);
    let before = city.revision().await;
    for (method, path, has_file) in city.routes() {
        let url = format!("{}{path}", city.app.base);
        let no_cookie = || {
            let request = client().request(method.clone(), &url);
            request.header("sec-fetch-site", "same-origin").header("origin", &city.app.base)
        };
        let bare = || city.admin.bare(method.clone(), &path);
        let secret = city.admin.cookie.split_once('=').unwrap().1;
        let requests = [
            ("no session", no_cookie()),
            ("a user's token", no_cookie().bearer_auth(&token)),
            ("an API key", no_cookie().bearer_auth(key.token.as_deref().unwrap())),
            ("a session as a bearer token", no_cookie().bearer_auth(secret)),
            ("a session that has ended", ended.request(method.clone(), &path)),
            ("a client that says nothing", bare()),
            (
                "another site",
                bare().header("sec-fetch-site", "cross-site").header("origin", "https://evil.example"),
            ),
            ("another port of this host", bare().header("sec-fetch-site", "same-site")),
            ("an address in the address bar", bare().header("sec-fetch-site", "none")),
            (
                "another origin",
                bare().header("sec-fetch-site", "same-origin").header("origin", "https://evil.example"),
            ),
            (
                "a page without an origin",
                bare().header("sec-fetch-site", "same-origin").header("origin", "null"),
            ),
            (
                "a token in the address",
                city.admin.request(method.clone(), &format!("{path}?access_token={token}")),
            ),
        ];
        for (what, request) in requests {
            let request = if has_file { with_file(request, LINE) } else { request };
            assert_refused(&format!("{what}, {path}"), &Answer::of(request).await, 401, "UNAUTHENTICATED");
        }
    }
    assert_eq!(city.revision().await, before, "nothing was stored");
}

#[tokio::test]
async fn the_rights_are_those_of_the_user() {
    let city = City::new().await;
    let town = city.operator.customer("Town").await;
    let callers = [
        (city.sign_in("vera", &city.customer, Role::Viewer).await, 403, "FORBIDDEN"),
        (city.sign_in("ed", &city.customer, Role::Editor).await, 403, "FORBIDDEN"),
        (city.sign_in("tom", &town, Role::Admin).await, 404, "NOT_FOUND"),
    ];
    let before = city.revision().await;
    for (method, path, has_file) in city.routes() {
        for (browser, status, code) in &callers {
            let request = browser.request(method.clone(), &path);
            let request = if has_file { with_file(request, LINE) } else { request };
            assert_refused(&path, &Answer::of(request).await, *status, code);
        }
        let path = path.replace(&city.customer, "nonsense");
        let request = city.admin.request(method.clone(), &path);
        let request = if has_file { with_file(request, LINE) } else { request };
        assert_refused(&path, &Answer::of(request).await, 404, "NOT_FOUND");
    }
    let plain = city.admin.request(Method::POST, &city.upload_path("")).header("content-type", "text/plain");
    assert_refused("a form", &Answer::of(plain.body(LINE)).await, 415, "BAD_REQUEST");
    assert_eq!(city.revision().await, before, "nothing was stored");
    let suspend =
        "mutation ($c: ID!) { setBillingStatus(input: { customerId: $c, status: SUSPENDED }) { revision } }";
    city.operator.gql(suspend, json!({ "c": city.customer })).await.text("/setBillingStatus/revision");
    let before = city.revision().await;
    let refused = with_file(city.admin.request(Method::POST, &city.upload_path("")), LINE);
    assert_refused("a suspended customer", &Answer::of(refused).await, 403, "SUSPENDED");
    assert_eq!(city.revision().await, before, "nothing was stored");
    let operator = Browser::sign_in(&city.app, "olga").await;
    assert!(!city.table(&operator, "").await.is_empty());
}
