//! The problems that an endpoint answers, as responses by their statuses.

use std::collections::BTreeMap;

use utoipa::openapi::{
    Content, Header, HeaderBuilder, Object, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder,
    path::Operation,
    schema::{SchemaType, Type},
};

use crate::http::problem::{Kind, MEDIA_TYPE};

/// What may be wrong at every endpoint that wants a credential.
pub const ANYWHERE: &[Kind] =
    &[Kind::BadParameters, Kind::Unauthenticated, Kind::RateLimited, Kind::Internal, Kind::Unavailable];
/// What may be wrong with a body besides.
pub const OF_BODIES: &[Kind] =
    &[Kind::MalformedBody, Kind::RequestTimeout, Kind::ContentTooLarge, Kind::UnsupportedMediaType];

/// Makes of lists of problems what a handler's description can name.
macro_rules! refusals {
    ($name:ident = $($kinds:expr),+) => {
        pub(super) struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> $crate::http::routes::openapi::refusal::Responses {
                $crate::http::routes::openapi::refusal::of(&[$($kinds),+].concat())
            }
        }
    };
}

pub(in crate::http) use refusals;

/// Responses by their statuses.
pub type Responses = BTreeMap<String, RefOr<Response>>;

/// The responses for these problems.
pub fn of(kinds: &[Kind]) -> Responses {
    let mut texts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let statuses: Vec<_> = kinds.iter().map(|kind| kind.status()).collect();
    for (kind, status) in kinds.iter().zip(&statuses) {
        texts.entry(status.as_str()).or_default().push(format!("{} (`{}`)", kind.title(), kind.uri()));
    }
    texts.into_iter().map(|(status, texts)| (status.to_owned(), response(status, &texts).into())).collect()
}

/// Adds the responses for these problems to what an endpoint answers.
pub fn add(operation: &mut Operation, kinds: &[Kind]) {
    for (status, added) in of(kinds) {
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
            response.header("WWW-Authenticate", header("Which credential is wanted (RFC 6750).", text()))
        }
        "429" | "503" => {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
            response.header("Retry-After", header("After how many seconds to try again.", seconds.build()))
        }
        _ => response,
    }
    .build()
}

/// A header of a response.
pub fn header(description: &str, schema: Object) -> Header {
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}

/// A header's text.
pub fn text() -> Object {
    Object::with_type(SchemaType::Type(Type::String))
}
