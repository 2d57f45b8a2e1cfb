//! `GET /problems/{name}`: explains a problem, with a section of `docs/problems.md`, which is compiled in. A problem's
//! `type` is a reference to this path.

use std::sync::LazyLock;

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

use super::openapi::{problems::refusals, schemas};
use crate::{
    domain::Error,
    http::{
        AppState,
        caller::RequestId,
        negotiate::static_body::StaticBody,
        problem::{Problem, ProblemKind},
    },
};

/// The explanations: one section a problem, under the heading `## name`.
const TEXT: &str = include_str!("../../../docs/problems.md");

refusals!(Refusals = &[ProblemKind::NotFound, ProblemKind::PreconditionFailed][..]);

/// Explain a problem.
///
/// Says what the problem means, what to do about it, and whether to retry. The text is for people.
#[utoipa::path(
    get, path = "/problems/{name}", operation_id = "explainProblem", tag = "service",
    params(
        ("name" = schemas::ProblemName, Path, description = "The last segment of the problem's `type`."),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the copy that the client has."),
    ),
    responses(
        (status = 200, description = "The explanation, as Markdown.", content_type = "text/plain", body = String,
            headers(("ETag" = String, description = "The entity tag of this text."), ("Cache-Control" = String, description = "`no-cache`: revalidate before each use."))),
        (status = 304, description = "The client's copy is current.", headers(("ETag" = String, description = "The entity tag of this text."))),
        Refusals,
    ),
)]
pub async fn problem(
    State(state): State<AppState>,
    name: Result<Path<String>, PathRejection>,
    RequestId(id): RequestId,
    request: HeaderMap,
) -> Response {
    let found = name.ok().and_then(|Path(name)| BODIES.iter().find(|(known, _)| *known == name));
    let Some((_, body)) = found else {
        return Problem::new(&Error::NotFound("problem"), &id).into_response();
    };
    let kept = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    body.answer(&state.tasks, &request, &id, kept).await
}

/// The names and texts of the sections, in the order of the file.
fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEXT.split("\n## ").skip(1).map(|text| (text.lines().next().unwrap_or_default(), text))
}

/// The sections as they are served.
static BODIES: LazyLock<Vec<(&str, StaticBody)>> =
    LazyLock::new(|| sections().map(|(name, text)| (name, StaticBody::new(text))).collect());

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::problem;

    #[test]
    fn each_problem_is_explained_and_nothing_else_is() {
        let explained: Vec<_> = sections().map(|(name, _)| name).collect();
        let there: BTreeSet<_> = problem::names().collect();
        assert_eq!(explained.iter().copied().collect::<BTreeSet<_>>(), there);
        assert_eq!(explained.len(), there.len(), "each once");
    }

    #[test]
    fn an_explanation_tells_status_and_title_as_they_are() {
        for kind in ProblemKind::ALL {
            let Some(name) = kind.name() else {
                // With `about:blank`, the title is the status's reason phrase (RFC 9457, section 4.2.1).
                let phrase = kind.status().canonical_reason().unwrap().replace("Payload", "Content");
                assert_eq!(kind.title(), phrase);
                continue;
            };
            let (_, text) = sections().find(|(known, _)| *known == name).unwrap();
            let line = format!("**{}**, with status {}.", kind.title(), kind.status().as_u16());
            assert!(text.contains(&line), "{name} lacks {line:?}");
            assert!(text.contains("\nRetry: "), "{name} does not say whether to try again");
        }
    }
}
