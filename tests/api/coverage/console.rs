//! The routes that need the session of a browser: with the session of each kind of person, and with every other credential.

use agent_registry::domain::member::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::{World, route_outcome, table::SESSION_ROUTES};
use crate::{session::Browser, support::Answer};

/// A browser of each kind of person, by the name in the table.
async fn browsers(world: &World) -> Vec<(&'static str, Browser)> {
    let town = world.operator.customer("Far").await;
    let mut browsers = vec![("operator", Browser::sign_in(&world.app, "olga").await)];
    for (name, customer, role) in [
        ("viewer", &world.customer, Role::Viewer),
        ("editor", &world.customer, Role::Editor),
        ("admin", &world.customer, Role::Admin),
        ("their viewer", &town, Role::Viewer),
        ("their editor", &town, Role::Editor),
        ("their admin", &town, Role::Admin),
    ] {
        let subject = format!("{name} at a browser");
        world.app.set_member(customer, &subject, role).await;
        browsers.push((name, Browser::sign_in(&world.app, &subject).await));
    }
    browsers
}

fn with_body(request: RequestBuilder, body: &str) -> RequestBuilder {
    if body.is_empty() {
        return request;
    }
    request.header("content-type", "application/json").body(body.to_owned())
}

#[tokio::test]
async fn every_route_of_a_session() {
    let world = World::new().await;
    let browsers = browsers(&world).await;
    let mut wrong = Vec::new();
    for (method, route, body, access) in SESSION_ROUTES {
        let (method, path): (Method, _) = (method.parse().unwrap(), route.replace("{id}", &world.customer));
        for (name, browser) in &browsers {
            let body = body.replace("UNIQUE", &json!(format!("{route} {name}")).to_string());
            let before = world.revision().await;
            let answer = Answer::of(with_body(browser.request(method.clone(), &path), &body)).await;
            let (actual, expected) = (route_outcome(&answer), access.outcome(name));
            if actual != expected {
                wrong.push(format!("{route} as {name}: {actual}, and not {expected}, {}", answer.body));
            }
            if actual != "ok" && world.revision().await != before {
                wrong.push(format!("{route} as {name}: rejected, and changed something"));
            }
        }
        let before = world.revision().await;
        for (name, client) in &world.callers {
            let body = body.replace("UNIQUE", &json!(format!("{route} {name}")).to_string());
            let request = with_body(client.request(method.clone(), &path), &body);
            let answer = Answer::of(request.header("sec-fetch-site", "same-origin")).await;
            if route_outcome(&answer) != "UNAUTHENTICATED" {
                wrong.push(format!("{route} by the token of {name}: {}, {}", answer.status, answer.body));
            }
        }
        if world.revision().await != before {
            wrong.push(format!("{route} by a token changed something"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
