//! Service tokens in the graph.

use std::collections::BTreeSet;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{
    context::request,
    error::{Outcome, UserError, settle},
    scalar::{DateTime, Revision, id, to_id},
};
use crate::domain::{self, service_token as verbs};

/// A credential of one of the platform's own services. The token itself is shown once, when it is made.
#[derive(SimpleObject)]
pub struct ServiceToken {
    /// Its UUID.
    id: ID,
    /// What it is for.
    name: String,
    /// What it may do.
    scopes: Vec<String>,
    /// When it was made.
    created_at: DateTime,
    /// When it ceased to be accepted; null while it is.
    revoked_at: Option<DateTime>,
}

impl From<verbs::ServiceToken> for ServiceToken {
    fn from(row: verbs::ServiceToken) -> Self {
        let verbs::ServiceToken { id, name, secret_hash: _, scopes, created_at, revoked_at } = row;
        Self {
            id: to_id(id),
            name,
            scopes,
            created_at: created_at.into(),
            revoked_at: revoked_at.map(Into::into),
        }
    }
}

/// What a service token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::ServiceScope")]
pub enum ServiceScope {
    /// `configs:read`: reads all customers' active configurations.
    ConfigsRead,
    /// `activations:watch`: watches all customers' activations.
    ActivationsWatch,
}

/// A new service token.
#[derive(Clone, Debug, InputObject)]
pub struct CreateServiceTokenInput {
    /// What it is for, such as `gateway`: 1 to 200 characters.
    name: String,
    /// What it may do: at least one.
    scopes: Vec<ServiceScope>,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, the same input
    /// with the same key isn't written twice: the payload then holds the object as it is now and the first write's
    /// revision, but never a secret.
    idempotency_key: Option<String>,
}

/// Which service token to refuse from now on.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeServiceTokenInput {
    /// Which one.
    service_token_id: ID,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, the same input
    /// with the same key isn't written twice: the payload then holds the object as it is now and the first write's
    /// revision, but never a secret.
    idempotency_key: Option<String>,
}

/// What making a service token came to.
#[derive(SimpleObject)]
pub struct CreateServiceTokenPayload {
    /// The token's record; null when it was not made.
    service_token: Option<ServiceToken>,
    /// The token itself, this once.
    secret: Option<String>,
    /// The commit that made it.
    revision: Option<Revision>,
    /// Why it was not made; empty when it was.
    user_errors: Vec<UserError>,
}

/// What revoking a service token came to.
#[derive(SimpleObject)]
pub struct RevokeServiceTokenPayload {
    /// The token's record as it is now; null when there is none.
    service_token: Option<ServiceToken>,
    /// The commit that made it so.
    revision: Option<Revision>,
    /// Why it was not revoked; empty when it was.
    user_errors: Vec<UserError>,
}

/// Its mutations.
#[derive(Default)]
pub struct ServiceTokenMutation;

#[Object]
impl ServiceTokenMutation {
    /// Makes a credential for one of the platform's own services. For operators.
    async fn create_service_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new token.")] input: CreateServiceTokenInput,
    ) -> async_graphql::Result<CreateServiceTokenPayload> {
        let (request, CreateServiceTokenInput { name, scopes, idempotency_key }) = (request(ctx)?, input);
        let scopes: BTreeSet<domain::ServiceScope> = scopes.into_iter().map(Into::into).collect();
        let answer = async {
            let input = verbs::CreateServiceToken { name, scopes };
            request.registry.create_service_token(&request.once(ctx, idempotency_key)?, input).await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        let (service_token, secret) =
            value.map(|verbs::NewServiceToken { token, secret }| (token.into(), secret)).unzip();
        Ok(CreateServiceTokenPayload { service_token, secret: secret.flatten(), revision, user_errors })
    }

    /// Makes a service token be refused from now on. For operators.
    async fn revoke_service_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeServiceTokenInput,
    ) -> async_graphql::Result<RevokeServiceTokenPayload> {
        let (request, RevokeServiceTokenInput { service_token_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            request
                .registry
                .revoke_service_token(
                    &request.once(ctx, idempotency_key)?,
                    id("serviceTokenId", &service_token_id)?,
                )
                .await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        Ok(RevokeServiceTokenPayload { service_token: value.map(Into::into), revision, user_errors })
    }
}
