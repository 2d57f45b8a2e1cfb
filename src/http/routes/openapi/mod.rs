//! `GET /openapi.json`: the OpenAPI 3.1 document of the REST API.
//!
//! Each handler carries its own description and is mounted together with it, so no endpoint lacks one. This module adds
//! what all endpoints share: headers, the host check's problems and the security requirement.

use std::sync::Arc;

use axum::{
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

use crate::http::{
    self, AppState,
    caller::RequestId,
    negotiate::static_body::StaticBody,
    problem::{Problem, ProblemKind},
    server::host::PublicUrl,
};

pub mod problems;
pub mod schemas;

use problems::refusals;

/// The name of the only security scheme.
const BEARER: &str = "bearer";

/// The document without its paths.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Agent Registry",
        description = "The Agent Registry is the source of truth for the definitions of AI agents in a multi-tenant system. \
            This small REST API serves the runtime and simple clients. Everything else is in the GraphQL API, at \
            `/graphql`.\n\n\
            Each path with `GET` supports `HEAD` too. An unsupported method returns 405 with `Allow`, an unknown path \
            404. Errors are `application/problem+json` (RFC 9457), whose `type` is a reference to an explanation. \
            Clients may set a request's id with `X-Request-Id`: 1 to 64 letters, digits, `-`, `_` and `.`; any other \
            value is replaced by a generated id. A body is limited to 4 MiB and 100,000 JSON values. Endpoints that \
            return an `ETag` support `If-Match` too.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "agents", description = "The agents of a customer, and their versions."),
        (name = "audit", description = "The audit log of a customer."),
        (name = "runtime", description = "Active configurations, for gateways."),
        (name = "service", description = "The service itself. These endpoints need no credential."),
    ),
    components(schemas(Problem)),
    modifiers(&SharedComponents),
)]
struct BaseDocument;

/// Adds the shared schemas and the security scheme.
struct SharedComponents;

impl Modify for SharedComponents {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_with(Components::new);
        components.schemas.extend(schemas::all());
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "A user's JWT, a customer's API key (`ark_…`) or a service token (`ars_…`), in the header `Authorization`.",
        ));
        components.add_security_scheme(BEARER, SecurityScheme::Http(scheme.build()));
    }
}

/// The whole document, without servers.
#[must_use]
pub fn document() -> Document {
    let mut document = BaseDocument::openapi();
    for endpoints in [http::documentation_endpoints(), http::monitoring_endpoints(), http::rest_endpoints()] {
        document.merge(endpoints.into_openapi());
    }
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            problems::add(operation, &[ProblemKind::BadHost, ProblemKind::Misdirected]);
            add_request_id(operation);
            add_cache_headers(operation);
            // Explicit for each operation: an empty list says that no credential is needed.
            operation.security.get_or_insert_default();
            remove_nulls(operation);
        }
    }
    document
}

/// The document as JSON. Its server is the public URL if one is set. Otherwise it is `/`, relative to where the
/// document was read (OpenAPI 3.1, section 4.8.5).
#[must_use]
pub fn text(public_url: Option<&PublicUrl>) -> String {
    let mut document = document();
    document.servers = Some(vec![Server::new(public_url.map_or("/", PublicUrl::as_str))]);
    // All keys are strings, so serialising can't fail.
    document.to_pretty_json().map(|text| text + "\n").unwrap_or_default()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post].into_iter().filter_map(Option::as_mut)
}

/// Adds `X-Request-Id` to each response of an operation.
fn add_request_id(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let name = problems::header("The request's id, as in the service's log.", problems::text());
            response.headers.insert("X-Request-Id".to_owned(), name.into());
        }
    }
}

/// Adds `Vary: Authorization` and `Cache-Control: no-store` to the 2xx and 3xx responses of an operation that needs a
/// credential. `rest::require_auth` sets them.
fn add_cache_headers(operation: &mut Operation) {
    if operation.security.is_none() {
        return;
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && matches!(status.as_bytes().first(), Some(b'2' | b'3'))
        {
            let said = |text| RefOr::from(problems::header(text, problems::text()));
            response.headers.insert("Vary".to_owned(), said("Differs by `Authorization`."));
            response
                .headers
                .entry("Cache-Control".to_owned())
                .or_insert_with(|| said("Never cached: `no-store`."));
        }
    }
}

/// Removes `null` from the schemas of parameters, which utoipa derives from `Option`: URLs and headers have no null.
fn remove_nulls(operation: &mut Operation) {
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

/// The document as it is served, with its entity tag. Clones share one.
#[derive(Clone, Debug)]
pub struct Description(Arc<StaticBody>);

impl Description {
    /// Renders the document of a service with this public URL.
    #[must_use]
    pub fn new(public_url: Option<&PublicUrl>) -> Self {
        Self(Arc::new(StaticBody::new(text(public_url))))
    }
}

refusals!(Refusals = &[ProblemKind::PreconditionFailed][..]);

/// Get this document.
///
/// It is the same for all callers, and changes only with the version of the service.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "getOpenApi", tag = "service",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of the copy that the client has.")),
    responses(
        (status = 200, description = "The OpenAPI 3.1 document.", content_type = "application/json", body = Object,
            headers(("ETag" = String, description = "The entity tag of this document."), ("Cache-Control" = String, description = "`no-cache`: revalidate before each use."))),
        (status = 304, description = "The client's copy is current.", headers(("ETag" = String, description = "The entity tag of this document."))),
        Refusals,
    ),
)]
pub async fn serve(State(state): State<AppState>, RequestId(id): RequestId, request: HeaderMap) -> Response {
    let Description(body) = &state.description;
    let kept = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    body.answer(&state.tasks, &request, &id, kept).await
}
