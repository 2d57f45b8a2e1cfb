//! `If-Match` and `If-None-Match` (RFC 9110, section 13), on every path with an entity tag.

use agent_registry::domain::{ServiceScope, member::Role};
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, App, Calls};

#[tokio::test]
async fn conditions_hold_at_every_tag_and_if_match_comes_first() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let editor = app.member(&customer, Role::Editor).await;
    let agent = editor.agent(&customer, "Helper").await;
    let version = editor.publish(&agent, "You help.").await;
    editor.activate(&agent, &version).await;
    let gateway = app.service([ServiceScope::ConfigsRead]).await;
    let active = format!("/internal/agents/{agent}/active");
    // From the second request on, a service token's configuration takes the fast path.
    assert_eq!(gateway.get(&active).await.status, 200);
    let pinned = format!("/internal/agents/{agent}/versions/{version}");
    for path in
        [active.as_str(), &pinned, "/openapi.json", "/problems/not-found", "/graphiql", "/graphiql/boot.js"]
    {
        let plain = gateway.get(path).await;
        let tag = plain.header("etag").unwrap().to_owned();
        let (weak, several) = (format!("W/{tag}"), format!("\"other\", {tag}"));
        for (if_match, if_none_match, status) in [
            (Some("\"other\""), None, 412),
            (Some(weak.as_str()), None, 412),
            (Some("\"other\""), Some(tag.as_str()), 412),
            (Some("\"other\""), Some("\"other\""), 412),
            (Some(tag.as_str()), None, 200),
            (Some(several.as_str()), None, 200),
            (Some("*"), None, 200),
            (Some("*"), Some(tag.as_str()), 304),
            (Some(tag.as_str()), Some(weak.as_str()), 304),
            (None, Some("*"), 304),
            (None, Some("\"other\""), 200),
        ] {
            for method in [Method::GET, Method::HEAD] {
                let mut request = gateway.request(method.clone(), path);
                for (name, value) in [("if-match", if_match), ("if-none-match", if_none_match)] {
                    request = value.into_iter().fold(request, |request, value| request.header(name, value));
                }
                let answer = Answer::of(request).await;
                let what = format!("{method} {path} {if_match:?} {if_none_match:?}");
                assert_eq!(answer.status, status, "{what}");
                match status {
                    304 => {
                        assert_eq!(answer.header("etag"), Some(tag.as_str()), "{what}");
                        // A 304 has no body, so its length would be that of what isn't sent (section 8.6).
                        assert_eq!(answer.header("content-length"), None, "{what}");
                        assert_eq!(answer.header("content-type"), None, "{what}");
                    }
                    412 => {
                        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
                        if method == Method::GET {
                            assert_eq!(answer.body["title"], "Precondition Failed", "{what}");
                        }
                    }
                    _ if method == Method::GET => assert_eq!(answer.body, plain.body, "{what}"),
                    _ => {
                        assert_eq!(answer.header("content-length"), plain.header("content-length"), "{what}");
                        assert_eq!(answer.body, json!(""), "{what}");
                    }
                }
            }
        }
    }
}
