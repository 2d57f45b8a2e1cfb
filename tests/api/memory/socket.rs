//! Messages in both directions on sockets, and events.

use std::collections::HashSet;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{MIB, SHARE, World, prompts};
use crate::support::{
    Calls,
    socket::{Frame, Socket},
    wait::until,
};

const PROTOCOL: &str = "graphql-transport-ws";

/// Before sign-in, a message of 20 KiB is the largest, and a client that doesn't read its pong isn't read either.
#[tokio::test]
async fn before_sign_in_a_message_is_small() {
    let world = World::new().await;
    let ping = |bytes: usize| json!({ "type": "ping", "payload": { "p": "x".repeat(bytes) } }).to_string();
    let mut socket = Socket::connect(&world.app.base, PROTOCOL).await;
    for _ in 0..3 {
        socket.raw(Message::text(ping(19 * 1024))).await;
        let Frame::Message(pong) = socket.next().await else { panic!("closed") };
        assert_eq!(
            (&pong["type"], pong["payload"]["p"].as_str().unwrap().len()),
            (&json!("pong"), 19 * 1024)
        );
    }
    socket.try_raw(Message::text(ping(40 * 1024))).await;
    assert_eq!(socket.next().await, Frame::Closed(1009, "Message too big".to_owned()));
    // Nor is it in parts, with control frames between them.
    let mut socket = Socket::connect(&world.app.base, PROTOCOL).await;
    for part in frames(&ping(40 * 1024), 1024) {
        socket.try_raw(part).await;
        socket.try_raw(Message::Ping(vec![0; 125].into())).await;
    }
    assert_eq!(socket.next().await, Frame::Closed(1009, "Message too big".to_owned()));
    world.all_is_returned().await;
}

/// The frames of a message that is sent in parts of this size.
fn frames(text: &str, size: usize) -> Vec<Message> {
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    };
    let parts: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
    let frame = |(nth, part): (usize, &&[u8])| {
        let data = if nth == 0 { Data::Text } else { Data::Continue };
        Message::Frame(Frame::message(part.to_vec(), OpCode::Data(data), nth + 1 == parts.len()))
    };
    parts.iter().enumerate().map(frame).collect()
}

/// Many small control frames take no allowance: an idle client's pongs are read for ever.
#[tokio::test]
async fn control_frames_never_use_up_what_a_message_may_have() {
    let world = World::new().await;
    let mut socket = Socket::open(&world.app.base, world.greedy.token.as_deref()).await;
    for _ in 0..400 {
        socket.raw(Message::Pong(vec![0; 125].into())).await;
    }
    socket.raw(Message::text("{\"type\":\"ping\"}")).await;
    assert_eq!(socket.next().await, Frame::Message(json!({ "type": "pong" })));
    assert_eq!(world.used("callers"), 0, "no large message was expected");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pongs_that_nobody_reads_are_one() {
    let world = World::new().await;
    let token = world.greedy.token.as_deref();
    let mut socket = Socket::open_with_small_buffer(&world.app.base, token).await;
    let ping = json!({ "type": "ping", "payload": { "p": "x".repeat(3 * MIB) } }).to_string();
    let mut sent = 0;
    // The service stops reading, so that sending stops too.
    while sent < 20 {
        let taken = socket.raw(Message::text(ping.clone()));
        if tokio::time::timeout(std::time::Duration::from_secs(1), taken).await.is_err() {
            break;
        }
        sent += 1;
    }
    assert!(sent < 20, "{sent}");
    assert!(world.used("callers") <= SHARE, "{}", world.used("callers"));
    world.others_are_answered().await;
    drop(socket);
    world.all_is_returned().await;
}

/// A large message comes in whole, or in frames, and its answer in frames too.
#[tokio::test]
async fn a_large_message_is_read_after_its_memory_was_reserved() {
    let world = World::new().await;
    let mut socket = Socket::open(&world.app.base, world.greedy.token.as_deref()).await;
    let query = format!("{{ viewer {{ name }} }} # {}", "x".repeat(900 * 1024));
    let message = json!({ "id": "1", "type": "subscribe", "payload": { "query": query } }).to_string();
    for parts in [vec![Message::text(message.clone())], frames(&message, 10_000)] {
        for part in parts {
            socket.raw(part).await;
        }
        assert_eq!(socket.event().await["data"]["viewer"]["name"], "program");
        assert!(matches!(socket.next().await, Frame::Message(end) if end["type"] == "complete"));
        until("its memory is returned", || world.used("callers") == 0).await;
    }
}

/// Operations with answers of eight mebibytes, of which nothing is read for a while: the share has room for one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_on_one_socket_take_no_more_than_a_share() {
    let world = World::new().await;
    let token = world.greedy.token.as_deref();
    let mut socket = Socket::open_with_small_buffer(&world.app.base, token).await;
    for nth in 0..8 {
        socket.subscribe(&nth.to_string(), &prompts(16), json!({ "agent": world.agent })).await;
    }
    until("an answer is made", || world.used("callers") >= 8 * MIB).await;
    let mut most = 0;
    for _ in 0..50 {
        most = most.max(world.used("callers"));
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(most <= SHARE, "{most}");
    world.others_are_answered().await;
    let (mut ended, mut served) = (HashSet::new(), 0);
    while ended.len() < 8 {
        let Frame::Message(message) = socket.next().await else { panic!("closed") };
        let id = message["id"].as_str().unwrap().to_owned();
        match message["type"].as_str().unwrap() {
            "next" => served += 1,
            "complete" => drop(ended.insert(id)),
            _ => {
                assert_eq!(message["payload"][0]["extensions"]["code"], "RATE_LIMITED");
                ended.insert(id);
            }
        }
    }
    assert!(served >= 1, "{served}");
    world.all_is_returned().await;
}

/// Subscriptions that catch up, of which nothing is read: each keeps its position, and no event that nobody takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_nobody_reads_take_no_more_than_a_share() {
    let world = World::new().await;
    let operator = world.app.operator().await;
    for nth in 0..3 {
        let prompt = format!("{nth}{}", "x".repeat(500 * 1024));
        let input =
            json!({ "agentId": world.agent, "systemPrompt": prompt, "modelName": "m", "activate": true });
        operator.publish_input(input).await;
    }
    let token = world.greedy.token.as_deref();
    let mut socket = Socket::open_with_small_buffer(&world.app.base, token).await;
    // Each has another document, so that none shares what is rendered.
    for nth in 0..40 {
        let query =
            format!("subscription {{ activations(after: \"0\") {{ s{nth}: version {{ systemPrompt }} }} }}");
        socket.subscribe(&nth.to_string(), &query, Value::Null).await;
    }
    until("events are rendered", || world.used("callers") > SHARE / 2).await;
    assert!(world.used("callers") <= SHARE, "{}", world.used("callers"));
    world.others_are_answered().await;
    let mut told = [0; 40];
    while told.iter().sum::<usize>() < 120 {
        let Frame::Message(message) = socket.next().await else { panic!("closed") };
        assert_eq!((message["type"].as_str(), message["payload"].get("errors")), (Some("next"), None));
        told[message["id"].as_str().unwrap().parse::<usize>().unwrap()] += 1;
    }
    assert_eq!(told, [3; 40]);
    drop(socket);
    world.all_is_returned().await;
}

/// A handshake with a large head takes memory of its address's share until the connection is a socket.
#[tokio::test]
async fn a_socket_does_not_keep_the_memory_of_its_handshake() {
    let world = World::new().await;
    let filler = "x".repeat(40 * 1024);
    let headers = [("sec-websocket-protocol", PROTOCOL), ("x-filler", filler.as_str())];
    let mut socket = Socket::upgrade(&world.app.base, &headers).await.unwrap();
    let bearer = format!("Bearer {}", world.greedy.token.as_deref().unwrap());
    socket.send(json!({ "type": "connection_init", "payload": { "Authorization": bearer } })).await;
    assert_eq!(socket.next().await, Frame::Message(json!({ "type": "connection_ack" })));
    until("the memory of the head is returned", || world.used("addresses") == 0).await;
}
