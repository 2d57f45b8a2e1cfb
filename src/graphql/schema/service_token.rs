//! Service tokens in the GraphQL schema: credentials of the platform's own services.

use std::collections::BTreeSet;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{
    error::{MutationResult, UserError, into_mutation_result},
    scalar::{DateTime, Revision, to_id},
};
use crate::{
    domain::{self, Input, InputErrors, service_token},
    graphql::engine::context::request,
};

/// A credential of one of the platform's own services, such as a gateway; valid for all customers. Its secret is
/// shown only once, when it is created.
#[derive(SimpleObject)]
pub struct ServiceToken {
    /// The token's UUID, which never changes.
    id: ID,
    /// The name that an operator gave it: 1 to 200 characters, not unique.
    name: String,
    /// What the token may do, spelled as `configs:read` (see `ServiceScope`).
    scopes: Vec<String>,
    /// When the token was created. Service tokens don't expire.
    created_at: DateTime,
    /// When the token was revoked; null while it's accepted.
    revoked_at: Option<DateTime>,
}

impl From<service_token::ServiceToken> for ServiceToken {
    fn from(row: service_token::ServiceToken) -> Self {
        let service_token::ServiceToken { id, name, secret_hash: _, scopes, created_at, revoked_at } = row;
        Self {
            id: to_id(id),
            name,
            scopes,
            created_at: created_at.into(),
            revoked_at: revoked_at.map(Into::into),
        }
    }
}

/// What a service token may do, at all customers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::ServiceScope")]
pub enum ServiceScope {
    /// `configs:read`: read the active configurations of all customers.
    ConfigsRead,
    /// `activations:watch`: subscribe to the activations of all customers and, together with `configs:read`, to
    /// their configurations.
    ActivationsWatch,
}

/// The fields of a new service token.
#[derive(Clone, Debug, InputObject)]
pub struct CreateServiceTokenInput {
    /// A name that says which service uses it, such as `gateway`: 1 to 200 characters.
    name: String,
    /// What the token may do: at least one scope.
    scopes: Vec<ServiceScope>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The service token to revoke.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeServiceTokenInput {
    /// The UUID of the token to revoke.
    service_token_id: ID,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The result of `createServiceToken`.
#[derive(SimpleObject)]
pub struct CreateServiceTokenPayload {
    /// The new token without its secret; null if there are `userErrors`.
    service_token: Option<ServiceToken>,
    /// The bearer token. The service stores only a hash, so save it now. Null after an error, and when an
    /// idempotency key is sent again.
    secret: Option<String>,
    /// The commit that created the token; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why no token was created; empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `revokeServiceToken`.
#[derive(SimpleObject)]
pub struct RevokeServiceTokenPayload {
    /// The revoked token; null if there are `userErrors`.
    service_token: Option<ServiceToken>,
    /// The commit that revoked the token, an earlier one if it was revoked already; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the token wasn't revoked; empty on success.
    user_errors: Vec<UserError>,
}

/// The root fields of `Mutation` that create and revoke service tokens.
#[derive(Default)]
pub struct ServiceTokenMutation;

#[Object]
impl ServiceTokenMutation {
    /// Creates a credential for one of the platform's own services. For operators.
    async fn create_service_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new token's fields.")] input: CreateServiceTokenInput,
    ) -> async_graphql::Result<CreateServiceTokenPayload> {
        let (request, CreateServiceTokenInput { name, scopes, idempotency_key }) = (request(ctx)?, input);
        let scopes: BTreeSet<domain::ServiceScope> = scopes.into_iter().map(Into::into).collect();
        let answer = async {
            let mut errors = InputErrors::default();
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            let input = Input::new(service_token::CreateServiceToken { name, scopes }, errors);
            request.registry.create_service_token(&caller, input).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let (service_token, secret) =
            value.map(|service_token::NewServiceToken { token, secret }| (token.into(), secret)).unzip();
        Ok(CreateServiceTokenPayload { service_token, secret: secret.flatten(), revision, user_errors })
    }

    /// Revokes a service token at once. For operators.
    async fn revoke_service_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token to revoke.")] input: RevokeServiceTokenInput,
    ) -> async_graphql::Result<RevokeServiceTokenPayload> {
        let (request, RevokeServiceTokenInput { service_token_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let token = errors.id("serviceTokenId", &service_token_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.revoke_service_token(&caller, token).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        Ok(RevokeServiceTokenPayload { service_token: value.map(Into::into), revision, user_errors })
    }
}
