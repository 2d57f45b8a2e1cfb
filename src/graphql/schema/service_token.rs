//! Service tokens in the GraphQL schema: credentials of the platform's own services.

use std::{collections::BTreeSet, sync::Arc};

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{
    actor::Actor,
    error::{MutationResult, UserError, into_mutation_result, to_graphql_error},
    scalar::{DateTime, Revision, to_id},
};
use crate::{
    domain::{self, Error, Input, InputErrors, change, service_token},
    graphql::engine::context::{RequestView, request},
    id::{CustomerId, ServiceTokenId},
};

/// A credential of one of the platform's own services, such as a gateway; valid for all customers, or for those that it
/// is limited to. Its secret is shown only once, by the mutation that creates the token.
#[derive(Clone)]
pub struct ServiceToken {
    row: Arc<service_token::ServiceToken>,
    view: RequestView,
}

impl ServiceToken {
    pub(super) fn new(row: Arc<service_token::ServiceToken>, view: RequestView) -> Self {
        Self { row, view }
    }

    /// What orders the list of tokens.
    pub(super) fn key(&self) -> ServiceTokenId {
        self.row.id
    }
}

/// A credential of one of the platform's own services, such as a gateway; valid for all customers, or for those that it
/// is limited to. Its secret is shown only once, by the mutation that creates the token.
#[Object]
impl ServiceToken {
    /// The token's UUID, which never changes.
    pub(super) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// The name that an operator gave it: 1 to 200 characters, not unique.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// What the token may do, spelled as `configs:read`.
    #[graphql(deprecation = "Use grantedScopes, which has the values of the input.")]
    async fn scopes(&self) -> &[String] {
        &self.row.scopes
    }

    /// What the token may do at its customers.
    async fn granted_scopes(&self) -> async_graphql::Result<Vec<ServiceScope>> {
        let scopes = self.row.scopes.iter().map(|scope| scope.parse::<domain::ServiceScope>());
        let scopes: Result<Vec<_>, _> = scopes.map(|scope| scope.map(Into::into)).collect();
        scopes.map_err(|err| to_graphql_error(&Error::Internal(err.into())))
    }

    /// The UUIDs of the only customers that the token is valid for, erased ones included; null for all customers.
    async fn customer_ids(&self) -> Option<Vec<ID>> {
        self.row.customer_ids.as_ref().map(|customers| customers.iter().map(|id| to_id(*id)).collect())
    }

    /// The keys of the environments that the token reaches, the same for every customer; null if it reaches all.
    async fn environments(&self) -> Option<&[String]> {
        self.row.environments.as_deref()
    }

    /// The operator who created the token, or whose rotation did. SYSTEM for the command line, and for tokens older than
    /// this field whose entry in the audit log was deleted.
    async fn created_by(&self) -> async_graphql::Result<Actor> {
        let creator = match self.row.creator() {
            Some(creator) => Some(creator),
            None => {
                let logged = self.view.loaders().service_token_creators.load(self.row.id).await?;
                logged.map(|actor| (actor.kind, actor.id))
            }
        };
        let (kind, id) = creator.unwrap_or((change::ActorKind::System, None));
        Ok(Actor::new(kind, id, self.view.clone()))
    }

    /// When the token was created.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When the token stops being accepted; null if it doesn't expire. Rotating the token sets this to the end of the
    /// overlap.
    async fn expires_at(&self) -> Option<DateTime> {
        self.row.expires_at.map(Into::into)
    }

    /// When the token was last accepted, updated at most once a minute; null if never.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.row.last_used_at.map(Into::into)
    }

    /// When the token was revoked; null if it wasn't.
    async fn revoked_at(&self) -> Option<DateTime> {
        self.row.revoked_at.map(Into::into)
    }

    /// The UUID of the successor that rotating the token created; null if it wasn't rotated.
    async fn replaced_by_id(&self) -> Option<ID> {
        self.row.replaced_by.map(to_id)
    }
}

impl RequestView {
    /// The service token with this id; `None` if there is none, and for callers that aren't the platform.
    pub(in crate::graphql) async fn service_token(
        &self,
        id: ServiceTokenId,
    ) -> async_graphql::Result<Option<ServiceToken>> {
        let row = self.loaders().service_tokens.load(id).await?;
        Ok(row.map(|row| ServiceToken { row, view: self.clone() }))
    }
}

/// What a service token may do, at all customers or at those that it is limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::ServiceScope")]
pub enum ServiceScope {
    /// `configs:read`: read the customers' active configurations.
    ConfigsRead,
    /// `activations:watch`: subscribe to the customers' activations and, together with `configs:read`, to their
    /// configurations.
    ActivationsWatch,
}

/// The fields of a new service token.
#[derive(Clone, Debug, InputObject)]
pub struct CreateServiceTokenInput {
    /// A name that says which service uses it, such as `gateway`: 1 to 200 characters.
    name: String,
    /// What the token may do: at least one scope.
    scopes: Vec<ServiceScope>,
    /// The UUIDs of the only customers that the token will be valid for, 1 to 100; all customers if left out, later ones
    /// included.
    customer_ids: Option<Vec<ID>>,
    /// The keys of the environments that the token will reach, the same for every customer: 1 to 100; all if left out.
    /// Anything in other environments is not there for the token.
    environments: Option<Vec<String>>,
    /// When the token stops being accepted, in the future; it doesn't expire if left out.
    expires_at: Option<DateTime>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The service token to rotate, and the overlap.
#[derive(Clone, Debug, InputObject)]
pub struct RotateServiceTokenInput {
    /// The UUID of the token to rotate.
    service_token_id: ID,
    /// For how many seconds the old token is still accepted: 0 to 604800 (a week), 3600 if left out. It never
    /// outlives its own `expiresAt`.
    overlap_seconds: Option<i32>,
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

/// The result of `rotateServiceToken`.
#[derive(SimpleObject)]
pub struct RotateServiceTokenPayload {
    /// The new token without its secret; null if there are `userErrors`.
    service_token: Option<ServiceToken>,
    /// The new bearer token. The service stores only a hash, so save it now. Null after an error, and when an
    /// idempotency key is sent again.
    secret: Option<String>,
    /// The old token, with its new `expiresAt`; null if there are `userErrors`.
    previous: Option<ServiceToken>,
    /// The commit that rotated the token; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the token wasn't rotated; empty on success.
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

/// The root fields of `Mutation` that create, rotate and revoke service tokens.
#[derive(Default)]
pub struct ServiceTokenMutation;

#[Object]
impl ServiceTokenMutation {
    /// Creates a credential for one of the platform's own services, for all customers or for some. For operators.
    async fn create_service_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new token's fields.")] input: CreateServiceTokenInput,
    ) -> async_graphql::Result<CreateServiceTokenPayload> {
        let (
            request,
            CreateServiceTokenInput { name, scopes, customer_ids, environments, expires_at, idempotency_key },
        ) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let mut customer = |id: &ID| errors.id::<CustomerId>("customerIds", id);
            let input = service_token::CreateServiceToken {
                name,
                scopes: scopes.into_iter().map(Into::into).collect(),
                customer_ids: customer_ids.map(|ids| ids.iter().map(&mut customer).collect::<BTreeSet<_>>()),
                environments,
                expires_at: expires_at.map(DateTime::instant),
            };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.create_service_token(&caller, Input::new(input, errors)).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let (service_token, secret) = payload_fields(request.fresh_view(), value);
        Ok(CreateServiceTokenPayload { service_token, secret, revision, user_errors })
    }

    /// Creates a successor with the same name, scopes, customers, environments and expiry; the old token is still accepted for the
    /// overlap. At most two tokens of such a line are accepted: rotating the successor revokes the oldest. For operators.
    async fn rotate_service_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token to rotate, and the overlap.")] input: RotateServiceTokenInput,
    ) -> async_graphql::Result<RotateServiceTokenPayload> {
        let (request, RotateServiceTokenInput { service_token_id, overlap_seconds, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let id = errors.id("serviceTokenId", &service_token_id);
            let input =
                service_token::RotateServiceToken { id, overlap_seconds: overlap_seconds.map(i64::from) };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.rotate_service_token(&caller, Input::new(input, errors)).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let (made, old) = value.unzip();
        let view = request.fresh_view();
        let previous = old.map(|row| ServiceToken { row: Arc::new(row), view: view.clone() });
        let (service_token, secret) = payload_fields(view, made);
        Ok(RotateServiceTokenPayload { service_token, secret, previous, revision, user_errors })
    }

    /// Revokes a service token at once; subscriptions that use it end within a second. For operators.
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
        let view = request.fresh_view();
        let service_token = value.map(|row| ServiceToken { row: Arc::new(row), view });
        Ok(RevokeServiceTokenPayload { service_token, revision, user_errors })
    }
}

/// Splits a new token into the two fields of a payload: the token without its secret, and the secret.
fn payload_fields(
    view: RequestView,
    made: Option<service_token::NewServiceToken>,
) -> (Option<ServiceToken>, Option<String>) {
    let payload_fields = |service_token::NewServiceToken { token, secret }| {
        (ServiceToken { row: Arc::new(token), view }, secret)
    };
    let (token, secret) = made.map(payload_fields).unzip();
    (token, secret.flatten())
}
