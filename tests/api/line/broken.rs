//! Bodies that end early, and bodies with malformed chunks.

use tokio::io::AsyncWriteExt;

use super::{line, rest, say};
use crate::support::App;

#[tokio::test]
async fn a_body_that_ends_early_or_has_malformed_chunks_is_answered_400() {
    let app = App::start().await;
    let operator = app.operator().await;
    let token = operator.token.as_deref().unwrap();
    for (path, kind) in [("/graphql", "application/json"), ("/v1/agents", "application/problem+json")] {
        for (frame, sent) in [
            ("content-length: 100", "{\"query\""),
            ("transfer-encoding: chunked", "8\r\n{\"query\"\r\n"),
            ("transfer-encoding: chunked", "zz\r\n{\"query\"\r\n"),
        ] {
            let mut line = line(&app).await;
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
                 content-type: application/json\r\n{frame}\r\n\r\n"
            );
            say(&mut line, &format!("{head}{sent}")).await;
            // The client sends no more, but still reads.
            line.shutdown().await.unwrap();
            let answer = rest(&mut line).await;
            assert!(answer.starts_with("HTTP/1.1 400"), "{path} {sent:?}: {answer}");
            assert!(answer.contains(kind) && answer.contains("incomplete"), "{path} {sent:?}: {answer}");
        }
    }
}
