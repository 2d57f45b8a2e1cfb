//! `GET /openapi.json`: what REST can do, in its own words (OpenAPI 3.1).
//!
//! Each handler carries its description, and is mounted with it, so that no endpoint is there without. What all of them
//! have in common is added here.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Components, OpenApi as Document, RefOr, Schema,
        path::{Operation, PathItem},
        schema::{SchemaType, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
        server::Server,
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{explain, health, rest};
use crate::http::{
    Door,
    caller::RequestId,
    negotiate::etag,
    problem::{Kind, Problem},
    server::host::PublicUrl,
};

pub mod refusal;
pub mod shape;

use refusal::refusals;

/// The name of the one way to say who asks.
const BEARER: &str = "bearer";

/// What the description says of itself, and what its parts share.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Agent Registry",
        description = "The source of truth for AI agents in a multi-tenant system. This is its small REST API: for the \
            runtime, and for simple clients. All else is in its GraphQL API, at `/graphql`.\n\n\
            Each `GET` answers `HEAD` too. Another method is answered 405 with `Allow`, and a path that is not there 404. \
            What went wrong is told as `application/problem+json` (RFC 9457), whose `type` leads to an explanation. A \
            client may name its request by an `X-Request-Id` of 1 to 64 letters, digits, `-`, `_` and `.`; a name that is \
            not one is not taken over. A body is at most 4 MiB, and 100,000 values. What has \
            an `ETag` is compared with `If-Match` too.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "agents", description = "What a customer runs."),
        (name = "audit", description = "Who did what."),
        (name = "runtime", description = "What gateways ask."),
        (name = "service", description = "The service itself. No credential is wanted."),
    ),
    components(schemas(Problem)),
    modifiers(&Shared),
)]
struct Skeleton;

/// What the parts share.
struct Shared;

impl Modify for Shared {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_with(Components::new);
        components.schemas.extend(shape::all());
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "A user's JWT, a customer's API key (`ark_…`) or a service token (`ars_…`), in the header `Authorization`.",
        ));
        components.add_security_scheme(BEARER, SecurityScheme::Http(scheme.build()));
    }
}

/// The routes that tell what the API is, and need no credential.
pub fn told() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(serve)).routes(routes!(explain::problem))
}

/// The routes that tell how the service is, and need no credential.
pub fn watched() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
}

/// The description of all of them.
#[must_use]
pub fn document() -> Document {
    let mut document = Skeleton::openapi();
    document.merge(told().into_openapi());
    document.merge(watched().into_openapi());
    document.merge(rest::described().into_openapi());
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            refusal::add(operation, &[Kind::BadHost, Kind::Misdirected]);
            name_each_answer(operation);
            keep_to_its_caller(operation);
            // Said of each, so that nobody takes what needs no credential for forgotten.
            operation.security.get_or_insert_default();
            without_nulls(operation);
        }
    }
    document
}

/// The description as text, of a service under its public address; otherwise its paths are relative to where it was
/// read (OpenAPI 3.1, section 4.8.5).
#[must_use]
pub fn text(public_url: Option<&PublicUrl>) -> String {
    let mut document = document();
    document.servers = Some(vec![Server::new(public_url.map_or("/", PublicUrl::as_str))]);
    // It is made of maps with names as keys, which always can be written.
    document.to_pretty_json().map(|text| text + "\n").unwrap_or_default()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post].into_iter().filter_map(Option::as_mut)
}

/// Every answer carries its request's name.
fn name_each_answer(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let name = refusal::header("The name of the request, as in the log.", refusal::text());
            response.headers.insert("X-Request-Id".to_owned(), name.into());
        }
    }
}

/// What is answered to a credential is its holder's alone, as `rest` says of each such answer.
fn keep_to_its_caller(operation: &mut Operation) {
    if operation.security.is_none() {
        return;
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && matches!(status.as_bytes().first(), Some(b'2' | b'3'))
        {
            let said = |text| RefOr::from(refusal::header(text, refusal::text()));
            response.headers.insert("Vary".to_owned(), said("`Authorization`."));
            response.headers.entry("Cache-Control".to_owned()).or_insert_with(|| said("`no-store`."));
        }
    }
}

/// A parameter that may be left out is never null: there is no null in addresses and headers.
fn without_nulls(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        match &mut parameter.schema {
            Some(RefOr::T(Schema::OneOf(either))) => {
                let shape = either.items.iter().find(|item| matches!(item, RefOr::Ref(_))).cloned();
                parameter.schema = shape.or_else(|| parameter.schema.take());
            }
            Some(RefOr::T(Schema::Object(object))) => {
                if let SchemaType::Array(types) = &object.schema_type
                    && let [one, Type::Null] | [Type::Null, one] = types.as_slice()
                {
                    object.schema_type = SchemaType::Type(one.clone());
                }
            }
            _ => {}
        }
    }
}

/// The description as it is served, with its entity tag.
#[derive(Clone, Debug)]
pub struct Description {
    body: Bytes,
    etag: String,
}

impl Description {
    /// The description of a service under this address.
    #[must_use]
    pub fn new(public_url: Option<&PublicUrl>) -> Self {
        let body = Bytes::from(text(public_url));
        Self { etag: etag::of(&body), body }
    }
}

refusals!(Refusals = &[Kind::PreconditionFailed][..]);

/// This description.
///
/// It is the same for everyone, until another version of the service is started.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "getOpenApi", tag = "service",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of what is known already.")),
    responses(
        (status = 200, description = "The description, in OpenAPI 3.1.", content_type = "application/json", body = Object,
            headers(("ETag" = String, description = "The tag of this text."), ("Cache-Control" = String, description = "`no-cache`: ask each time."))),
        (status = 304, description = "It is what is known already.", headers(("ETag" = String, description = "The tag of this text."))),
        Refusals,
    ),
)]
pub async fn serve(State(door): State<Door>, RequestId(id): RequestId, request: HeaderMap) -> Response {
    let Description { body, etag } = &door.description;
    let kept = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    etag::answer(&request, &id, etag, kept, body.clone())
}
