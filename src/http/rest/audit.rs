//! `GET /v1/customers/{id}/audit`: a customer's excerpt of the log, line by line, for `audit verify --file`.

use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;

use super::{CustomerPath, refuse};
use crate::http::{Door, caller::Authenticated, problem::Problem};

/// `GET /v1/customers/{id}/audit`.
pub(super) async fn excerpt(
    State(door): State<Door>,
    Authenticated(caller): Authenticated,
    CustomerPath(id): CustomerPath,
) -> Result<Response, Problem> {
    let excerpt = door.registry.excerpt(&caller, id).await.map_err(refuse(&caller))?;
    // One that fails on the way is cut off, and lacks the line at its end.
    let lines = stream::unfold(Some(excerpt), |excerpt| async move {
        let mut excerpt = excerpt?;
        match excerpt.next().await {
            Ok(lines) => lines.map(|lines| (Ok(lines), Some(excerpt))),
            Err(err) => {
                tracing::warn!(error = %err, "an excerpt was cut off");
                Some((Err(err), None))
            }
        }
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    let saved = [(header::CONTENT_DISPOSITION, "attachment; filename=\"audit.ndjson\"")];
    Ok((kind, saved, Body::from_stream(lines)).into_response())
}
