//! Keys with a special meaning in serde_json, on each input of JSON: they're rejected, nothing is stored, and the
//! service keeps running.

use agent_registry::{
    domain::{
        Caller,
        audit::ExcerptVerifier,
        transfer::{ImportAgents, ImportOptions, Line},
    },
    graphql::TrustedDocuments,
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    rest::City,
    support::{
        Answer, Calls,
        caller::Client,
        socket::{Frame, Socket},
    },
};

const RAW: &str = "$serde_json::private::RawValue";
const NUMBER: &str = "$serde_json::private::Number";
/// The depth that serde_json reads, minus the levels that a request adds.
const DEPTH: usize = 121;

/// A string in a string, 50 times, each as deep as serde_json reads. If it were followed, the stack would overflow,
/// because no depth limit sees more than one level.
pub(crate) fn bomb() -> String {
    (0..50).fold("1".to_owned(), |inner, _| {
        let inner = inner.replace('\\', "\\u005c").replace('"', "\\u0022");
        format!("{}{{\"{RAW}\":\"{inner}\"}}{}", "[".repeat(DEPTH), "]".repeat(DEPTH))
    })
}

/// A string that would hide its number of values.
fn hidden() -> String {
    format!("{{\"{RAW}\":\"[{}0]\"}}", "{},".repeat(460_000))
}

/// Values that serde_json would read as other values.
fn values() -> Vec<String> {
    vec![
        format!(r#"{{"{RAW}":"1"}}"#),
        format!(r#"[{{"a":{{"{NUMBER}":"1"}}}}]"#),
        r#"{"\u0024serde_json::private::RawValue":"1"}"#.to_owned(),
        bomb(),
        hidden(),
    ]
}

/// Asserts that nothing was stored and that the process still answers.
async fn serves_on(city: &City, revision: i64, what: &str) {
    let what = what.chars().take(100).collect::<String>();
    assert_eq!(city.operator.gql("{ __typename }", Value::Null).await.code(), None, "{what}");
    assert_eq!(city.revision().await, revision, "{what}");
}

#[test]
fn the_bomb_is_what_it_should_be() {
    let bomb = bomb();
    assert!((30_000..50_000).contains(&bomb.len()), "{} bytes", bomb.len());
    // serde_json follows two levels in this build, so the keys here are the right ones.
    let two = format!(r#"{{"{RAW}":"[{{\u0022{RAW}\u0022:\u0022[7]\u0022}}]"}}"#);
    assert_eq!(serde_json::from_str::<Value>(&two).unwrap(), json!([[7]]));
}

#[tokio::test]
async fn no_request_over_http_is_read_by_a_key() {
    let city = City::new().await;
    let revision = city.revision().await;
    let query = "query ($x: JSON) { __typename }";
    for value in values() {
        let members = [
            format!(r#""variables":{{"x":{value}}}"#),
            format!(r#""extensions":{{"x":{value}}}"#),
            format!(r#""other":{value}"#),
        ];
        for members in members {
            let body = format!(r#"{{"query":"{query}",{members}}}"#);
            for accept in ["application/json", "application/graphql-response+json", "text/event-stream"] {
                let request = city.operator.request(Method::POST, "/graphql").header("accept", accept);
                let answer = Answer::of(json_body(request, body.clone())).await;
                let what = format!("{accept} {body:.100}");
                assert_eq!((answer.status.as_u16(), answer.code()), (400, Some("BAD_USER_INPUT")), "{what}");
                assert!(answer.body.to_string().contains("reserved"), "{what}: {}", answer.body);
                serves_on(&city, revision, &what).await;
            }
        }
        let version = |members: &str| format!(r#"{{"system_prompt":"","model_name":"m",{members}}}"#);
        let bodies = [
            version(&format!(r#""model_parameters":{{"a":{value}}}"#)),
            version(&format!(r#""tools":[{{"name":"t","input_schema":{value}}}]"#)),
            version(&format!(r#""other":{value}"#)),
        ];
        for body in bodies {
            let request = city.editor.request(Method::POST, &city.versions());
            let answer = Answer::of(json_body(request, body.clone())).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body["code"]),
                (400, &json!("BAD_REQUEST")),
                "{body:.100}"
            );
            assert!(answer.body["detail"].as_str().unwrap().contains("reserved"), "{}", answer.body);
            serves_on(&city, revision, &body).await;
        }
        if value.len() > 4_000 {
            continue;
        }
        for parameter in ["variables", "extensions"] {
            let given = format!(r#"{{"x":{value}}}"#);
            let parameters = [("query", query), (parameter, &given)];
            let url = reqwest::Url::parse_with_params("http://a/graphql", parameters).unwrap();
            let path = format!("/graphql?{}", url.query().unwrap());
            let answer = Answer::of(city.operator.request(Method::GET, &path)).await;
            assert_eq!((answer.status.as_u16(), answer.code()), (400, Some("BAD_USER_INPUT")), "{parameter}");
            assert!(answer.body.to_string().contains(&format!("`{parameter}`")), "{}", answer.body);
            serves_on(&city, revision, parameter).await;
        }
    }
}

fn json_body(request: reqwest::RequestBuilder, body: String) -> reqwest::RequestBuilder {
    request.header("content-type", "application/json").body(body)
}

#[tokio::test]
async fn no_message_of_a_socket_is_read_by_a_key() {
    let city = City::new().await;
    let revision = city.revision().await;
    for value in values() {
        let messages = [
            format!(r#"{{"type":"ping","payload":{{"x":{value}}}}}"#),
            format!(r#"{{"type":"connection_init","payload":{{"x":{value}}}}}"#),
            format!(
                r#"{{"type":"subscribe","id":"1","payload":{{"query":"{{a}}","variables":{{"x":{value}}}}}}}"#
            ),
            format!(r#"{{"type":{value}}}"#),
        ];
        for (message, is_signed_in) in
            messages.into_iter().flat_map(|text| [(text.clone(), false), (text, true)])
        {
            let mut socket = match is_signed_in {
                true => city.operator.socket().await,
                false => Socket::connect(&city.app.base, "graphql-transport-ws").await,
            };
            socket.raw(Message::text(message.clone())).await;
            let end = socket.next().await;
            match end {
                Frame::Closed(4400, reason) => assert!(reason.contains("reserved"), "{reason}"),
                // It isn't read at all: before sign-in, a message is small.
                Frame::Closed(1009, _) if !is_signed_in && message.len() > 16 * 1024 => {}
                end => panic!("{message:.100}: {end:?}"),
            }
            serves_on(&city, revision, &message).await;
        }
    }
}

#[tokio::test]
async fn no_file_is_read_by_a_key() {
    let city = City::new().await;
    let revision = city.revision().await;
    let input = || ImportAgents::new(city.customer.parse().unwrap(), "m", ImportOptions::default());
    for value in values() {
        for members in [
            format!(r#""model_parameters":{{"a":{value}}}"#),
            format!(r#""tools":[{{"name":"t","input_schema":{value}}}]"#),
        ] {
            let line = format!(r#"{{"agent":"A","versions":[{{"system_prompt":"",{members}}}]}}"#);
            let refused = Line::read(line.as_bytes()).unwrap_err().to_string();
            assert!(refused.contains("reserved") && refused.contains("versions[0]."), "{refused}");
            let system = Caller::system("test");
            let mut file = line.as_bytes();
            let import = city.app.registry.import(&system, input(), &mut file).await.unwrap();
            assert_eq!(import.run(&mut |_, _| {}).await.unwrap_err().line, 1);
            serves_on(&city, revision, &line).await;
        }
        let list = format!(r#"{{"format":{value}}}"#);
        let refused = TrustedDocuments::parse(&list, &agent_registry::graphql::front().unwrap())
            .unwrap_err()
            .to_string();
        assert!(refused.contains("reserved") && refused.lines().count() == 1, "{refused}");
        let line = format!(r#"{{"hashes":[{value}]}}"#);
        assert!(ExcerptVerifier::new(Vec::new()).take(&line).unwrap_err().to_string().contains("reserved"));
    }
}

/// Such a row can exist only if an older release stored it.
#[tokio::test]
async fn a_key_that_is_stored_is_served_as_it_is_and_nothing_else_comes_of_it() {
    let city = City::new().await;
    let good = city.editor.agent(&city.customer, "Other").await;
    for agent in [&city.agent, &good] {
        let version = city.editor.publish(agent, "Hello").await;
        city.editor.activate(agent, &version).await;
    }
    let mut admin = PgConnection::connect(&city.app.database.admin_url).await.unwrap();
    sqlx::raw_sql("SET session_replication_role = replica").execute(&mut admin).await.unwrap();
    let update =
        "UPDATE registry.agent_versions SET model_parameters = $1::text::jsonb, model_parameters_text = NULL,
        tools_text = NULL, served_bytes = NULL WHERE agent_id = $2::text::uuid";
    let stored = format!(r#"{{"a":{}}}"#, bomb());
    sqlx::query(update).bind(stored).bind(&city.agent).execute(&mut admin).await.unwrap();
    // A new instance, which has nothing in memory.
    let fresh = city.app.another().await;
    // As text, because this client's parser would follow the key.
    let ask = |agent: &str| {
        let client = Client::new(fresh.base.clone(), city.editor.token.clone());
        let query = format!(r#"{{ agent(id: "{agent}") {{ activeVersion {{ modelParameters }} }} }}"#);
        let request = client.request(Method::POST, "/graphql").json(&json!({ "query": query }));
        async move { request.send().await.unwrap().text().await.unwrap() }
    };
    let served = ask(&city.agent).await;
    assert!(
        served.contains(r#"{"$serde_json::private::RawValue":""#) && served.len() > 10_000,
        "{served:.300}"
    );
    assert!(!served.contains("errors"), "{served:.300}");
    let expected = r#"{"data":{"agent":{"activeVersion":{"modelParameters":{}}}},"extensions":{"cost":"#;
    assert!(ask(&good).await.starts_with(expected));
    fresh.stop().await;
}

#[tokio::test]
async fn a_doubled_key_is_refused_with_its_path() {
    let city = City::new().await;
    let revision = city.revision().await;
    let schema = r#""tools":[{"name":"t","input_schema":{"a":1,"b":2,"a":3}}]"#;
    let body = format!(r#"{{"system_prompt":"","model_name":"m",{schema}}}"#);
    let answer = Answer::of(json_body(city.editor.request(Method::POST, &city.versions()), body)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["code"]), (400, &json!("BAD_REQUEST")));
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(detail.contains("\"a\" occurs twice") && detail.contains("`tools[0].input_schema`"), "{detail}");
    let literal = r#"mutation { publishVersion(input: {agentId: \"a\", systemPrompt: \"\", modelName: \"m\", modelParameters: {k: 1, k: 2}}) { revision } }"#;
    let body = format!(r#"{{"query":"{literal}"}}"#);
    let answer = Answer::of(json_body(city.editor.request(Method::POST, "/graphql"), body)).await;
    assert_eq!(answer.code(), Some("BAD_USER_INPUT"), "{}", answer.body);
    let text = answer.body.to_string();
    assert!(text.contains("`k` is given twice") && text.contains("input.modelParameters"), "{text}");
    let members = r#""model_parameters":{"a":{"k":1,"\u006b":2}}"#;
    let body = format!(r#"{{"system_prompt":"","model_name":"m",{members}}}"#);
    let answer = Answer::of(json_body(city.editor.request(Method::POST, &city.versions()), body)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["code"]), (400, &json!("BAD_REQUEST")));
    let detail = answer.body["detail"].as_str().unwrap();
    assert!(detail.contains("\"k\" occurs twice") && detail.contains("`model_parameters.a`"), "{detail}");
    let line = format!(r#"{{"agent":"A","versions":[{{"system_prompt":"",{members}}}]}}"#);
    let refused = Line::read(line.as_bytes()).unwrap_err().to_string();
    assert!(
        refused.contains("\"k\" occurs twice") && refused.contains("`versions[0].model_parameters.a`"),
        "{refused}"
    );
    let body = r#"{"query":"query ($x: JSON) { __typename }","variables":{"x":{"k":1,"k":2}}}"#;
    let answer =
        Answer::of(json_body(city.operator.request(Method::POST, "/graphql"), body.to_owned())).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, Some("BAD_USER_INPUT")));
    assert!(answer.body.to_string().contains("`variables.x`"), "{}", answer.body);
    serves_on(&city, revision, "doubled").await;
}
