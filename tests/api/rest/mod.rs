//! The REST API: its five main endpoints.

use agent_registry::domain::{ServiceScope, member::Role};
use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, App, Calls,
    caller::{Member, Operator},
};

mod config;
mod described;
mod fuzz;
mod transfer;
mod wrong;

/// An id that no row has.
const NOBODY: &str = "01a20326-e777-71ce-9264-eefdca7dad0e";

/// A customer, its editor, an operator and an agent.
pub(crate) struct City {
    pub(crate) app: App,
    pub(crate) operator: Operator,
    pub(crate) customer: String,
    pub(crate) editor: Member,
    pub(crate) agent: String,
}

impl City {
    pub(crate) async fn new() -> Self {
        let app = App::start().await;
        let operator = app.operator().await;
        let customer = operator.customer("City").await;
        let editor = app.member(&customer, Role::Editor).await;
        let agent = editor.agent(&customer, "Helper").await;
        Self { app, operator, customer, editor, agent }
    }

    pub(crate) fn versions(&self) -> String {
        format!("/v1/agents/{}/versions", self.agent)
    }

    pub(crate) fn active(&self) -> String {
        format!("/internal/agents/{}/active", self.agent)
    }

    pub(crate) async fn revision(&self) -> i64 {
        self.app.registry.head().await.unwrap().revision.0
    }

    /// Publishes and activates a version over REST.
    pub(crate) async fn serve(&self, prompt: &str) -> Answer {
        let body = json!({ "system_prompt": prompt, "model_name": "gpt-4-turbo", "activate": true });
        let answer = self.editor.post(&self.versions(), body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer
    }
}

/// Asserts a problem with this status and code that reveals no internals.
pub(crate) fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("vary"), Some("Authorization"));
    assert_eq!(answer.body["status"], status);
    assert_eq!(answer.body["code"], code, "{}", answer.body);
    assert_eq!(answer.body["request_id"].as_str(), answer.header("x-request-id"));
    let text = answer.body.to_string();
    for inside in ["SELECT", "registry.", "sqlx", "serde", "unwrap", "Error("] {
        assert!(!text.contains(inside), "{inside} in {text}");
    }
}

#[tokio::test]
async fn an_agent_is_created_read_and_listed() {
    let city = City::new().await;
    let made =
        city.editor.post("/v1/agents", json!({ "name": "Clerk", "description": "Answers letters" })).await;
    assert_eq!(made.status, 201);
    let path = made.header("location").unwrap().to_owned();
    assert_eq!(path, format!("/v1/agents/{}", made.body["id"].as_str().unwrap()));
    assert_eq!(made.body["customer_id"], city.customer.as_str());
    assert_eq!(made.header("cache-control"), Some("no-store"));
    assert_json_snapshot!(made.body, { ".id" => "[id]", ".customer_id" => "[id]", ".created_at" => "[time]" }, @r#"
    {
      "activated_at": null,
      "active_version_id": null,
      "active_version_number": null,
      "archived_at": null,
      "created_at": "[time]",
      "customer_id": "[id]",
      "description": "Answers letters",
      "id": "[id]",
      "latest_version_number": 0,
      "name": "Clerk",
      "owner_id": null
    }
    "#);
    let read = city.editor.get(&path).await;
    assert_eq!((read.status.as_u16(), &read.body), (200, &made.body));
    let list = city.editor.get("/v1/agents?name=Clerk&archived=false").await;
    assert_eq!(list.body, json!({ "agents": [made.body], "next": null }));
}

#[tokio::test]
async fn a_version_is_published_and_served() {
    let city = City::new().await;
    let body = json!({
        "system_prompt": "Be kind.\u{e9}", "model_name": "gpt-4-turbo", "model_parameters": { "temperature": 0.2 },
        "tools": [{ "name": "search", "description": "Finds", "input_schema": { "type": "object" } }, { "name": "end" }],
        "message": "First", "activate": true, "expected_latest_number": 0,
    });
    let made = city.editor.post(&city.versions(), body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_json_snapshot!(made.body, { ".id" => "[id]", ".agent_id" => "[id]", ".created_at" => "[time]" }, @r#"
    {
      "agent_id": "[id]",
      "bytes_hash": "bbda818571de45b8b4f4355c15fad5d1489876c65f1d7f47e4cd85084e586162",
      "content_hash": "1cea2fde1953f20d7d07e1addd527f7b09aea43225c11a20ddd2bd8e9f2d70ac",
      "created_at": "[time]",
      "extensions": {},
      "id": "[id]",
      "is_active": true,
      "is_new": true,
      "message": "First",
      "model_name": "gpt-4-turbo",
      "model_parameters": {
        "temperature": 0.2
      },
      "number": 1,
      "revision": 5,
      "system_prompt": "Be kind.é",
      "tools": [
        {
          "description": "Finds",
          "input_schema": {
            "type": "object"
          },
          "name": "search"
        },
        {
          "name": "end"
        }
      ],
      "warnings": []
    }
    "#);

    let gateway = city.app.gateway().await;
    let active = gateway.get(&city.active()).await;
    assert_eq!(active.status, 200, "{}", active.body);
    assert_json_snapshot!(active.body, {
        ".agent_id" => "[id]", ".customer_id" => "[id]", ".version_id" => "[id]", ".activated_at" => "[time]",
    }, @r#"
    {
      "activated_at": "[time]",
      "agent_id": "[id]",
      "bytes_hash": "bbda818571de45b8b4f4355c15fad5d1489876c65f1d7f47e4cd85084e586162",
      "content_hash": "1cea2fde1953f20d7d07e1addd527f7b09aea43225c11a20ddd2bd8e9f2d70ac",
      "customer_id": "[id]",
      "environment_key": "production",
      "extensions": {},
      "model_name": "gpt-4-turbo",
      "model_parameters": {
        "temperature": 0.2
      },
      "name": "Helper",
      "revision": 5,
      "system_prompt": "Be kind.é",
      "tools": [
        {
          "description": "Finds",
          "input_schema": {
            "type": "object"
          },
          "name": "search"
        },
        {
          "name": "end"
        }
      ],
      "version_id": "[id]",
      "version_number": 1
    }
    "#);
    assert_eq!(active.body["version_id"], made.body["id"]);
    assert_eq!(active.body["revision"], made.body["revision"]);

    let agent = city.editor.get(&format!("/v1/agents/{}", city.agent)).await.body;
    assert_eq!(agent["active_version_id"], made.body["id"]);
    assert_eq!(agent["active_version_number"], 1);
    assert_eq!(agent["latest_version_number"], 1);
    assert_eq!(agent["activated_at"], active.body["activated_at"]);
    let listed = city.editor.get("/v1/agents").await.body;
    assert_eq!(listed["agents"], json!([agent]));
}

#[tokio::test]
async fn pages_hold_each_agent_once() {
    let city = City::new().await;
    for number in 0..24 {
        city.editor.agent(&city.customer, &format!("Agent {number}")).await;
    }
    let town = city.operator.customer("Town").await;
    city.operator.agent(&town, "Elsewhere").await;
    for limit in [1, 7, 25, 100] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = city.editor.get(&format!("/v1/agents?limit={limit}{after}")).await.body;
            let agents = page["agents"].as_array().unwrap();
            assert!(agents.len() <= limit);
            seen.extend(agents.iter().map(|agent| agent["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(seen.len(), 25);
        assert!(seen.is_sorted_by(|one, next| one < next), "oldest first, each once");
    }
    let count = async |path: &str| city.operator.get(path).await.body["agents"].as_array().unwrap().len();
    assert_eq!(count("/v1/agents").await, 20);
    assert_eq!(count("/v1/agents?limit=100").await, 26);
    assert_eq!(count(&format!("/v1/agents?customer_id={town}")).await, 1);
    assert_eq!(count("/v1/agents?archived=true").await, 0);
    let foreign = city.editor.get(&format!("/v1/agents?customer_id={town}")).await;
    assert_eq!(foreign.body, json!({ "agents": [], "next": null }));
    // GraphQL has the same cursors.
    let graph = city.editor.gql("{ agents(first: 3) { pageInfo { endCursor } } }", Value::Null).await;
    let rest = city.editor.get("/v1/agents?limit=3").await;
    assert_eq!(graph.at("/agents/pageInfo/endCursor"), &rest.body["next"]);
}

#[tokio::test]
async fn roles_decide_and_what_may_not_be_seen_is_not_there() {
    let city = City::new().await;
    city.serve("Hello").await;
    let town = city.operator.customer("Town").await;
    let foreign = city.app.member(&town, Role::Admin).await;
    let viewer = city.app.member(&city.customer, Role::Viewer).await;
    let gateway = city.app.gateway().await;
    let watcher = city.app.service([ServiceScope::ActivationsWatch]).await;
    let version = json!({ "system_prompt": "", "model_name": "m" });
    let agent = format!("/v1/agents/{}", city.agent);
    let before = city.revision().await;

    assert_problem(&viewer.post("/v1/agents", json!({ "name": "Mine" })).await, 403, "FORBIDDEN");
    assert_problem(&viewer.post(&city.versions(), version.clone()).await, 403, "FORBIDDEN");
    for path in [agent.as_str(), city.active().as_str(), "/v1/agents"] {
        assert_eq!(viewer.get(path).await.status, 200, "{path}");
        assert_eq!(city.operator.get(path).await.status, 200, "{path}");
    }
    let into = json!({ "name": "Mine", "customer_id": city.customer });
    assert_problem(&foreign.post("/v1/agents", into).await, 404, "NOT_FOUND");
    assert_problem(&foreign.post(&city.versions(), version.clone()).await, 404, "NOT_FOUND");
    let bytes = async |path: String| {
        let request = foreign.request(Method::GET, &path).header("x-request-id", "same");
        let response = request.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    };
    for path in [agent.clone(), city.active()] {
        let (theirs, none) = (bytes(path.clone()).await, bytes(path.replace(&city.agent, NOBODY)).await);
        assert_eq!(theirs.0, 404);
        assert_eq!(theirs, none);
    }

    for service in [&gateway, &watcher] {
        assert_problem(&service.post("/v1/agents", json!({ "name": "Mine" })).await, 403, "FORBIDDEN");
        assert_problem(&service.post(&city.versions(), version.clone()).await, 403, "FORBIDDEN");
        assert_problem(&service.get("/v1/agents").await, 403, "FORBIDDEN");
        assert_problem(&service.get(&agent).await, 403, "FORBIDDEN");
    }
    assert_eq!(gateway.get(&city.active()).await.status, 200);
    assert_problem(&watcher.get(&city.active()).await, 403, "FORBIDDEN");
    assert_eq!(city.revision().await, before);
}

#[tokio::test]
async fn the_customer_may_be_left_out_where_there_is_one() {
    let city = City::new().await;
    let before = city.revision().await;
    let body = json!({ "name": "Whose" });
    for caller in [&*city.operator, &*city.app.stranger()] {
        let answer = caller.post("/v1/agents", body.clone()).await;
        assert_problem(&answer, 422, "INVALID");
        assert_eq!(answer.body["field"], "customer_id");
    }
    assert_eq!(city.revision().await, before);
    let named = json!({ "name": "Whose", "customer_id": city.customer });
    assert_eq!(city.operator.post("/v1/agents", named.clone()).await.status, 201);
    let twin = city.editor.post("/v1/agents", body).await;
    assert_problem(&twin, 409, "ALREADY_EXISTS");
    assert_eq!(twin.body["field"], "name");
}
