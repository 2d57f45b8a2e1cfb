//! Heads, bodies and answers over HTTP.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{BUDGET, MIB, SHARE, World, body, post, prompts};
use crate::{
    line::{head, line, say},
    support::{Calls, wait::until},
};

/// Answers of eight mebibytes, of which nothing is read: the share has room for one. The others wait, and are
/// refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_reads_take_no_more_than_a_share() {
    let world = World::new().await;
    let asked = body(&prompts(16), &json!({ "agent": world.agent }));
    let asked = post(&world.greedy, "/graphql", asked.len()) + &asked;
    let mut lines = Vec::new();
    for _ in 0..6 {
        let mut line = line(&world.app).await;
        say(&mut line, &asked).await;
        lines.push(line);
    }
    until("an answer is made", || world.used("callers") >= 8 * MIB).await;
    world.others_are_answered().await;
    let heads = join_all(lines.iter_mut().map(head)).await;
    assert!(world.used("callers") <= SHARE, "{}", world.used("callers"));
    let (served, refused): (Vec<_>, Vec<_>) = heads.iter().partition(|head| head.starts_with("HTTP/1.1 200"));
    assert!(!served.is_empty() && refused.len() >= 4, "{heads:?}");
    for head in refused {
        assert!(head.starts_with("HTTP/1.1 429") && head.contains("retry-after: 1"), "{head}");
    }
    drop(lines);
    world.all_is_returned().await;
    let again = world.greedy.gql(&prompts(16), json!({ "agent": world.agent })).await;
    assert_eq!(again.text("/agent/f15/systemPrompt").len(), 512 * 1024);
    world.all_is_returned().await;
}

/// Answers that are read at once are all served, however many are asked for together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_reads_is_served_one_answer_after_the_other() {
    let world = World::new().await;
    let ask = async || world.greedy.gql(&prompts(12), json!({ "agent": world.agent })).await;
    for answer in join_all((0..3).map(|_| ask())).await {
        assert_eq!(answer.text("/agent/f11/systemPrompt").len(), 512 * 1024);
    }
    world.all_is_returned().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_do_not_come_take_no_more_than_a_share() {
    let world = World::new().await;
    let head_before = world.app.registry.head().await.unwrap();
    let mut lines = Vec::new();
    for path in ["/graphql", "/v1/agents/01a20326-e777-71ce-9264-eefdca7dad0e/versions"].repeat(4) {
        let mut line = line(&world.app).await;
        say(&mut line, &post(&world.greedy, path, 4 * MIB)).await;
        line.write_all(b"{").await.unwrap();
        lines.push(line);
    }
    until("a body is read", || world.used("callers") >= 12 * MIB).await;
    world.others_are_answered().await;
    let mut refused = 0;
    for answered in join_all(lines.iter_mut().map(head)).await {
        // The one body that is read doesn't come in time.
        let is_refused = answered.starts_with("HTTP/1.1 429") && answered.contains("retry-after: 1");
        refused += usize::from(is_refused);
        assert!(is_refused || answered.starts_with("HTTP/1.1 408"), "{answered}");
    }
    assert!(refused >= 6 && world.used("callers") <= SHARE, "{refused}");
    drop(lines);
    world.all_is_returned().await;
    assert_eq!(world.app.registry.head().await.unwrap(), head_before);
}

/// A body without a length is reserved as if it had the largest.
#[tokio::test]
async fn a_body_without_a_length_is_read_within_the_share_too() {
    let world = World::new().await;
    let token = world.greedy.token.as_deref().unwrap();
    let begun = format!(
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{{\r\n"
    );
    let mut line = line(&world.app).await;
    say(&mut line, &begun).await;
    until("the largest body is reserved", || world.used("callers") == 12 * MIB).await;
    let rest = "\"query\":\"{ viewer { name } }\"}";
    say(&mut line, &format!("{:x}\r\n{rest}\r\n0\r\n\r\n", rest.len())).await;
    assert!(head(&mut line).await.starts_with("HTTP/1.1 200"));
    drop(line);
    world.all_is_returned().await;
}

/// Each control character is written as six bytes, and counts as such.
#[tokio::test]
async fn an_answer_counts_as_it_is_written() {
    let world = World::new().await;
    let operator = world.app.operator().await;
    operator.publish(&world.agent, &"\u{1}".repeat(512 * 1024)).await;
    let asked = |count: usize| prompts(count).replace("number: 1", "number: 2");
    let few = world.greedy.gql(&asked(4), json!({ "agent": world.agent })).await;
    assert_eq!(few.text("/agent/f3/systemPrompt").len(), 512 * 1024);
    let many = world.greedy.gql(&asked(63), json!({ "agent": world.agent })).await;
    assert!(
        many.code().is_some_and(|code| ["QUERY_TOO_COMPLEX", "RATE_LIMITED"].contains(&code)),
        "{many:.300?}"
    );
    world.all_is_returned().await;
}

/// Large heads that do not end take their memory from the share of their address. Small ones need none.
#[tokio::test]
async fn heads_that_do_not_end_take_no_more_than_a_share() {
    let world = World::new().await;
    let begun = format!("GET /livez HTTP/1.1\r\nhost: localhost\r\nx-filler: {}", "x".repeat(40 * 1024));
    let mut lines = Vec::new();
    for _ in 0..40 {
        let mut line = line(&world.app).await;
        // The service stops reading, and the connection's buffers take a part of it.
        let _ = tokio::time::timeout(std::time::Duration::from_millis(50), line.write_all(begun.as_bytes()))
            .await;
        lines.push(line);
    }
    until("heads are read", || world.used("addresses") > 0).await;
    assert!(world.used("addresses") <= BUDGET / 16);
    world.others_are_answered().await;
    let alive = world.app.anonymous().get("/livez").await;
    assert_eq!(alive.status, 200);
    drop(lines);
    world.all_is_returned().await;
    // A large head is answered as before, and its connection ends.
    let mut line = line(&world.app).await;
    say(&mut line, &format!("{begun}\r\n\r\n")).await;
    let answered = head(&mut line).await;
    assert!(answered.starts_with("HTTP/1.1 200") && answered.contains("connection: close"), "{answered}");
    drop(line);
    world.all_is_returned().await;
}

/// Configurations are read from memory, and many are in flight at once if nobody takes them. Each of these has three
/// mebibytes, because its prompt is all control characters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configurations_that_nobody_reads_take_no_more_than_a_share() {
    let world = World::new().await;
    let (operator, gateway) = (world.app.operator().await, world.app.gateway().await);
    let input = json!({ "agentId": world.agent, "systemPrompt": "\u{1}".repeat(512 * 1024), "modelName": "m", "activate": true });
    operator.publish_input(input).await;
    let token = gateway.token.as_deref().unwrap();
    let asked = format!(
        "GET /internal/agents/{}/active HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n",
        world.agent
    );
    let mut lines = Vec::new();
    for _ in 0..12 {
        let mut line = line(&world.app).await;
        say(&mut line, &asked).await;
        lines.push(line);
    }
    let heads = join_all(lines.iter_mut().map(head)).await;
    assert!(world.used("platform") <= SHARE, "{}", world.used("platform"));
    let served = heads.iter().filter(|head| head.starts_with("HTTP/1.1 200")).count();
    assert!((5..12).contains(&served), "{served}");
    assert!(heads.iter().all(|head| head.starts_with("HTTP/1.1 200") || head.starts_with("HTTP/1.1 429")));
    world.others_are_answered().await;
    drop(lines);
    world.all_is_returned().await;
}

/// What doesn't fit a share even if nothing else is in flight is refused for good, as a query and as an event.
#[tokio::test]
async fn an_answer_that_never_fits_is_refused_for_good() {
    let world = World::new().await;
    let operator = world.app.operator().await;
    let input = json!({ "agentId": world.agent, "systemPrompt": "x".repeat(512 * 1024), "modelName": "m", "activate": true });
    operator.publish_input(input).await;
    let answer = world.greedy.gql(&prompts(32), json!({ "agent": world.agent })).await;
    assert_eq!((answer.code(), answer.body.get("data")), (Some("QUERY_TOO_COMPLEX"), None), "{answer:.300?}");
    let fields: String = (0..32).map(|nth| format!("f{nth}: version {{ systemPrompt }} ")).collect();
    let mut socket = world.greedy.socket().await;
    let query = format!("subscription {{ activations(after: \"0\") {{ {fields} }} }}");
    socket.subscribe("1", &query, Value::Null).await;
    assert_eq!(socket.event().await["errors"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX");
    drop(socket);
    world.all_is_returned().await;
}
