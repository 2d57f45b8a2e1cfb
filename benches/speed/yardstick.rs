//! The framework yardstick: bare axum that returns a constant, served by this program in a process of its own.

use std::{net::SocketAddr, process::Stdio};

use axum::{
    Router,
    body::{Body, Bytes},
    routing::get,
};
use futures_util::StreamExt;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

use super::Failure;

/// The environment variable that makes this program serve the yardstick. Its value is the size of the constant, in
/// bytes.
const SIZE: &str = "YARDSTICK_BYTES";

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
    let body = Bytes::from("x".repeat(size.parse()?));
    let answer = body.clone();
    // A POST reads all of its body, without storing it.
    let post = async move |asked: Body| {
        asked.into_data_stream().for_each(async |piece| drop(piece)).await;
        answer.clone()
    };
    let router = Router::new().route("/constant", get(move || async move { body }).post(post));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(true)
}
