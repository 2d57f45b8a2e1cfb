//! Connections of one address before sign-in, and of one caller.

use std::time::Duration;

use agent_registry::{domain::KeyScope, http::ConnectionLimits};
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

use crate::{
    line::{head, line, say},
    support::{App, app::Setup, caller::Client, socket::Socket},
};

const LIVEZ: &str = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";
const SOON: Duration = Duration::from_millis(300);

async fn app(of_one_address: usize, of_one_caller: usize) -> App {
    let lines = ConnectionLimits { of_one_address, of_one_caller, ..ConnectionLimits::default() };
    App::set_up(Setup { lines, ..Setup::default() }).await
}

fn get(client: &Client) -> String {
    let token = client.token.as_deref().unwrap();
    format!("GET /v1/agents HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n")
}

/// Whether nothing arrives for a while.
async fn is_unanswered(line: &mut TcpStream) -> bool {
    timeout(SOON, line.read_u8()).await.is_err()
}

/// The connections of an address wait for one another until a caller signs in on them. None is refused.
#[tokio::test]
async fn an_address_waits_for_its_own_connections_before_sign_in() {
    let app = app(3, 100).await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let program = app.program(&customer, [KeyScope::AgentsRead]).await;
    let (mut first, mut second, mut third) = (line(&app).await, line(&app).await, line(&app).await);
    for line in [&mut first, &mut second, &mut third] {
        say(line, LIVEZ).await;
        assert!(head(line).await.starts_with("HTTP/1.1 200"));
    }
    let mut fourth = line(&app).await;
    say(&mut fourth, LIVEZ).await;
    assert!(is_unanswered(&mut fourth).await);
    // A connection on which a caller has signed in makes room.
    let mut byte = [0; 3];
    first.read_exact(&mut byte).await.unwrap();
    assert_eq!(&byte, b"ok\n");
    say(&mut first, &get(&program)).await;
    assert!(head(&mut first).await.starts_with("HTTP/1.1 200"));
    assert!(head(&mut fourth).await.starts_with("HTTP/1.1 200"));
    // So does one that ends, and a socket whose caller signs in.
    let mut fifth = line(&app).await;
    say(&mut fifth, LIVEZ).await;
    assert!(is_unanswered(&mut fifth).await);
    drop((second, third));
    assert!(head(&mut fifth).await.starts_with("HTTP/1.1 200"));
    let _socket = Socket::open(&app.base, program.token.as_deref()).await;
    let mut sixth = line(&app).await;
    say(&mut sixth, LIVEZ).await;
    assert!(head(&mut sixth).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_caller_has_so_many_connections_and_others_have_theirs() {
    let app = app(100, 2).await;
    let operator = app.operator().await;
    let (city, village) = (operator.customer("City").await, operator.customer("Village").await);
    let (greedy, second_key) =
        (app.program(&city, [KeyScope::AgentsRead]).await, app.program(&city, [KeyScope::AgentsRead]).await);
    let other = app.program(&village, [KeyScope::AgentsRead]).await;
    let ask = async |client: &Client| {
        let mut line = line(&app).await;
        say(&mut line, &get(client)).await;
        (head(&mut line).await, line)
    };
    let (first, second) = (ask(&greedy).await, ask(&greedy).await);
    assert!(first.0.starts_with("HTTP/1.1 200") && second.0.starts_with("HTTP/1.1 200"));
    let (refused, _line) = ask(&second_key).await;
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("retry-after: 1"), "{refused}");
    let (served, _line) = ask(&other).await;
    assert!(served.starts_with("HTTP/1.1 200"), "{served}");
    drop(first);
    let (served, _line) = ask(&second_key).await;
    assert!(served.starts_with("HTTP/1.1 200"), "{served}");
}
