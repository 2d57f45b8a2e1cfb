//! A browser at the console: it sends the session's cookie and the headers by which browsers name the page.

use agent_registry::domain::{Caller, auth::jwt::LOCAL_ISSUER};
use reqwest::{Method, RequestBuilder, redirect::Policy};
use serde_json::{Value, json};

use crate::support::{
    app::Instance,
    caller::Answer,
    events::{EVENTS, Events},
    socket::{Frame, Socket},
};

/// A browser that is signed in.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) base: String,
    /// The pair of the cookie: its name and value.
    pub(crate) cookie: String,
    pub(super) http: reqwest::Client,
}

/// An HTTP client that follows no redirect.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).build().unwrap()
}

/// A new one-time address for this subject, without the base. With `makes_operator`, for an operator.
pub(crate) async fn new_link(app: &Instance, subject: &str, makes_operator: bool) -> String {
    let who = (LOCAL_ISSUER, subject);
    let made = app.registry.create_sign_in_link(&Caller::system("test"), who, makes_operator).await.unwrap();
    format!("/auth/link/{}", made.secret)
}

/// The request of the button on the page with this path.
pub(crate) fn press(base: &str, path: &str) -> RequestBuilder {
    let request = client().post(format!("{base}{path}"));
    request.header("sec-fetch-site", "same-origin").header("origin", base)
}

/// The pair of the cookie that an answer sets.
pub(crate) fn cookie_of(answer: &Answer) -> String {
    answer.header("set-cookie").expect("a cookie").split(';').next().unwrap().to_owned()
}

impl Browser {
    /// Signs this subject in by a one-time address. It must have a profile already.
    pub(crate) async fn sign_in(app: &Instance, subject: &str) -> Self {
        Self::by_link(app, &new_link(app, subject, false).await).await
    }

    /// Signs this subject in and makes it an operator.
    pub(crate) async fn operator(app: &Instance, subject: &str) -> Self {
        Self::by_link(app, &new_link(app, subject, true).await).await
    }

    async fn by_link(app: &Instance, path: &str) -> Self {
        let answer = Answer::of(press(&app.base, path)).await;
        assert_eq!(answer.status, 303);
        Self { base: app.base.clone(), cookie: cookie_of(&answer), http: client() }
    }

    /// Builds a request with the cookie, and without the headers that name the page.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).header("cookie", &self.cookie)
    }

    /// Builds a request that one of the service's own pages sends.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("sec-fetch-site", "same-origin").header("origin", &self.base)
    }

    /// Sends an operation from one of the service's own pages.
    pub(crate) async fn gql(&self, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables });
        Answer::of(self.request(Method::POST, "/graphql").json(&body)).await
    }

    /// Opens an event stream from one of the service's own pages.
    pub(crate) async fn events(&self, query: &str) -> Events {
        let request = self.request(Method::POST, "/graphql").header("accept", EVENTS);
        Events::of(request.json(&json!({ "query": query }))).await
    }

    /// Opens a socket with this `Origin`, and sends `connection_init` without a credential.
    pub(crate) async fn upgrade(&self, origin: Option<&str>) -> Result<Socket, u16> {
        let mut headers =
            vec![("sec-websocket-protocol", "graphql-transport-ws"), ("cookie", self.cookie.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let mut socket = Socket::upgrade(&self.base, &headers).await?;
        socket.send(json!({ "type": "connection_init" })).await;
        Ok(socket)
    }

    /// Opens a socket from one of the service's own pages, and authenticates it.
    pub(crate) async fn socket(&self) -> Socket {
        let mut socket = self.upgrade(Some(&self.base)).await.unwrap();
        assert_eq!(socket.next().await, Frame::Message(json!({ "type": "connection_ack" })));
        socket
    }

    /// The id of the session.
    pub(crate) async fn session(&self) -> String {
        let answer = self.gql("{ viewer { sessions { id isCurrent } } }", Value::Null).await;
        let sessions = answer.at("/viewer/sessions").as_array().unwrap().clone();
        let current = sessions.iter().find(|session| session["isCurrent"] == true).unwrap();
        current["id"].as_str().unwrap().to_owned()
    }

    /// Signs out by the button.
    pub(crate) async fn sign_out(&self) -> Answer {
        Answer::of(self.request(Method::POST, "/auth/sign-out")).await
    }
}
