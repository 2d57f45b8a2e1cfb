//! The problems that an endpoint can return, as OpenAPI responses grouped by status.

use std::collections::BTreeMap;

use utoipa::openapi::{
    Content, Header, HeaderBuilder, Object, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder,
    path::Operation,
    schema::{SchemaType, Type},
};

use crate::http::problem::{MEDIA_TYPE, ProblemKind};

/// The problems of every endpoint that needs a credential.
pub const COMMON_PROBLEMS: &[ProblemKind] = &[
    ProblemKind::BadParameters,
    ProblemKind::Unauthenticated,
    ProblemKind::RateLimited,
    ProblemKind::Internal,
    ProblemKind::Unavailable,
];
/// The additional problems of every endpoint that takes a body.
pub const BODY_PROBLEMS: &[ProblemKind] = &[
    ProblemKind::MalformedBody,
    ProblemKind::RequestTimeout,
    ProblemKind::ContentTooLarge,
    ProblemKind::UnsupportedMediaType,
];

/// Declares a type for the `responses(…)` of a handler, from lists of problems.
macro_rules! refusals {
    ($name:ident = $($kinds:expr),+) => {
        pub(super) struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> $crate::http::routes::openapi::problems::Responses {
                $crate::http::routes::openapi::problems::responses(&[$($kinds),+].concat())
            }
        }
    };
}

pub(in crate::http) use refusals;

/// Responses by status code.
pub type Responses = BTreeMap<String, RefOr<Response>>;

/// Groups these problems by status into responses. A description lists the titles and types of its problems.
pub fn responses(kinds: &[ProblemKind]) -> Responses {
    let mut texts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let statuses: Vec<_> = kinds.iter().map(|kind| kind.status()).collect();
    for (kind, status) in kinds.iter().zip(&statuses) {
        texts.entry(status.as_str()).or_default().push(format!("{} (`{}`)", kind.title(), kind.uri()));
    }
    texts.into_iter().map(|(status, texts)| (status.to_owned(), response(status, &texts).into())).collect()
}

/// Adds the responses for these problems to an operation. Merges the descriptions where a status is there already.
pub fn add(operation: &mut Operation, kinds: &[ProblemKind]) {
    for (status, added) in responses(kinds) {
        match (operation.responses.responses.get_mut(&status), added) {
            (Some(RefOr::T(there)), RefOr::T(added)) => {
                there.description = format!("{}; {}", there.description, added.description);
            }
            (_, added) => {
                operation.responses.responses.insert(status, added);
            }
        }
    }
}

fn response(status: &str, texts: &[String]) -> Response {
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    let response = ResponseBuilder::new().description(texts.join("; ")).content(MEDIA_TYPE, problem);
    match status {
        "401" => {
            response.header("WWW-Authenticate", header("The scheme, and an error if any (RFC 6750).", text()))
        }
        "429" | "503" => {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
            response.header(
                "Retry-After",
                header("The seconds to wait before the next attempt.", seconds.build()),
            )
        }
        _ => response,
    }
    .build()
}

/// A header of a response.
pub fn header(description: &str, schema: Object) -> Header {
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}

/// The schema of a header whose value is a string.
pub fn text() -> Object {
    Object::with_type(SchemaType::Type(Type::String))
}
