//! The framework yardstick: bare axum and async-graphql that return a constant, served by this program in a process
//! of its own.

use std::{net::SocketAddr, process::Stdio};

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    routing::{get, post},
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

use super::Failure;

/// The environment variable that makes this program serve the yardstick. Its value is the size of the constant, in
/// bytes.
const SIZE: &str = "YARDSTICK_BYTES";

struct Query(String);

#[Object]
impl Query {
    async fn constant(&self) -> &str {
        &self.0
    }
}

type Constant = Schema<Query, EmptyMutation, EmptySubscription>;

/// A running yardstick.
pub struct Yardstick {
    pub address: SocketAddr,
    _process: Child,
}

impl Yardstick {
    /// Starts a process that serves constants of this size.
    pub async fn start(bytes: usize) -> Result<Self, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .env(SIZE, bytes.to_string())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = process.stdout.take().ok_or("no output")?;
        let line = BufReader::new(out).lines().next_line().await?.ok_or("the yardstick's process ended")?;
        Ok(Self { address: line.parse()?, _process: process })
    }
}

/// Serves the yardstick until killed, if [`SIZE`] is set. Otherwise returns `false`.
pub async fn serve_if_asked() -> Result<bool, Failure> {
    let Ok(size) = std::env::var(SIZE) else { return Ok(false) };
    let text = "x".repeat(size.parse()?);
    let schema: Constant = Schema::new(Query(text.clone()), EmptyMutation, EmptySubscription);
    let body = Bytes::from(text);
    let router = Router::new()
        .route("/constant", get(move || async move { body }).post(async |asked: Bytes| drop(asked)))
        .route(
            "/graphql",
            post(async |State(schema): State<Constant>, Json(asked): Json<Value>| {
                let query = asked.get("query").and_then(Value::as_str).unwrap_or_default();
                Json(schema.execute(query).await)
            }),
        )
        .with_state(schema);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(true)
}
