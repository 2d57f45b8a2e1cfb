//! API keys in the GraphQL schema: credentials of a customer's own programs.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use futures_util::future::try_join_all;

use super::{
    actor::Actor,
    error::{MutationResult, UserError, into_mutation_result, to_graphql_error},
    page::{API_KEYS, connection},
    scalar::{DateTime, Revision, to_id},
};
use crate::{
    domain::{
        self, BoundedCount, Error, Input, InputErrors, Page, PageArgs, api_key, page::ListId, policy::Action,
    },
    graphql::engine::context::{RequestView, request},
    id::{ApiKeyId, CustomerId},
};

/// A credential of a customer's own program. Its secret is shown only once, by the mutation that creates the key.
#[derive(Clone)]
pub struct ApiKey {
    row: Arc<api_key::ApiKey>,
    view: RequestView,
}

/// A credential of a customer's own program. Its secret is shown only once, by the mutation that creates the key.
#[Object]
impl ApiKey {
    /// The key's UUID, which never changes.
    pub(super) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// The name that its creator gave it: 1 to 200 characters, not unique.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// What the key may do at its customer, spelled as `agents:read` (see `ApiKeyScope`).
    #[graphql(deprecation = "Use grantedScopes, which has the values of the input.")]
    async fn scopes(&self) -> &[String] {
        &self.row.scopes
    }

    /// What the key may do at its customer.
    async fn granted_scopes(&self) -> async_graphql::Result<Vec<ApiKeyScope>> {
        let scopes = self.row.scopes.iter().map(|scope| scope.parse::<domain::KeyScope>());
        let scopes: Result<Vec<_>, _> = scopes.map(|scope| scope.map(Into::into)).collect();
        scopes.map_err(|err| to_graphql_error(&Error::Internal(err.into())))
    }

    /// The keys of the environments that the key reaches; null if it reaches all.
    async fn environments(&self) -> async_graphql::Result<Option<Vec<String>>> {
        let Some(ids) = &self.row.environment_ids else { return Ok(None) };
        let found = try_join_all(ids.iter().map(|id| self.view.environment((*id).into()))).await?;
        let mut keys: Vec<String> =
            found.into_iter().flatten().map(|found| found.row.key.to_string()).collect();
        keys.sort_unstable();
        Ok(Some(keys))
    }

    /// The user or operator who created the key.
    async fn created_by(&self) -> Actor {
        Actor::new(self.row.created_by_kind, self.row.created_by_id, self.view.clone())
    }

    /// When the key was created.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When the key stops being accepted; null if it doesn't expire. Rotating the key sets this to the end of the
    /// overlap.
    async fn expires_at(&self) -> Option<DateTime> {
        self.row.expires_at.map(Into::into)
    }

    /// When the key was last accepted, updated at most once a minute; null if never.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.row.last_used_at.map(Into::into)
    }

    /// When the key was revoked; null if it wasn't.
    async fn revoked_at(&self) -> Option<DateTime> {
        self.row.revoked_at.map(Into::into)
    }

    /// The UUID of the successor that rotating the key created; null if it wasn't rotated.
    async fn replaced_by_id(&self) -> Option<ID> {
        self.row.replaced_by.map(to_id)
    }
}

impl RequestView {
    /// The API key with this id; `None` if there is none, and for callers who may not read it.
    pub(in crate::graphql) async fn api_key(&self, id: ApiKeyId) -> async_graphql::Result<Option<ApiKey>> {
        Ok(self.loaders().api_keys.load(id).await?.map(|row| ApiKey { row, view: self.clone() }))
    }
}

/// What `totalCount` counts: all API keys that one customer has ever had.
pub struct Count {
    view: RequestView,
    customer: CustomerId,
}

async fn count(of: &Count) -> async_graphql::Result<BoundedCount> {
    Ok(of.view.loaders().api_key_counts.load(of.customer).await?.map(|count| *count).unwrap_or_default())
}

connection!(
    /// A page of API keys.
    ApiKeyConnection, ApiKeyEdge, ApiKey, |node: &ApiKey| node.row.id, count, Count
);

impl ApiKeyConnection {
    pub(in crate::graphql) async fn of_customer(
        view: &RequestView,
        customer: CustomerId,
        args: PageArgs<ApiKeyId>,
    ) -> async_graphql::Result<Self> {
        view.allow_on(Action::ReadKeys, customer)?;
        let page = view.loaders().api_key_pages.load((customer, args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| ApiKey { row: Arc::clone(row), view: view.clone() })
        });
        Ok(Self::new(page, ListId::below(API_KEYS, customer), Count { view: view.clone(), customer }))
    }
}

/// What an API key may do at its customer. A key has no right that isn't listed in its scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::KeyScope")]
pub enum ApiKeyScope {
    /// `agents:read`: read the customer, its agents, versions and activations, and export them as a file.
    AgentsRead,
    /// `agents:write`: create, update, archive and restore agents.
    AgentsWrite,
    /// `versions:publish`: publish versions.
    VersionsPublish,
    /// `versions:activate`: activate, roll back and deactivate. Together with `agents:write` and `versions:publish`,
    /// import agents from a file.
    VersionsActivate,
    /// `configs:read`: read active configurations.
    ConfigsRead,
    /// `activations:watch`: subscribe to activations and, together with `configs:read`, to configurations.
    ActivationsWatch,
    /// `changes:read`: read and watch the customer's audit log, and see who did something.
    ChangesRead,
}

/// The fields of a new API key.
#[derive(Clone, Debug, InputObject)]
pub struct CreateApiKeyInput {
    /// The UUID of the customer that the key will belong to.
    customer_id: ID,
    /// A name that says what the key is for, such as `deploy pipeline`: 1 to 200 characters.
    name: String,
    /// What the key may do: at least one scope.
    scopes: Vec<ApiKeyScope>,
    /// When the key stops being accepted, in the future; it doesn't expire if left out.
    expires_at: Option<DateTime>,
    /// The keys of the environments that the key reaches, 1 to 100; all if left out. Anything in other environments is not
    /// there for the key. Not with `AGENTS_WRITE` and `CHANGES_READ`, which reach every environment.
    environments: Option<Vec<String>>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The API key to rotate, and the overlap.
#[derive(Clone, Debug, InputObject)]
pub struct RotateApiKeyInput {
    /// The UUID of the key to rotate.
    api_key_id: ID,
    /// For how many seconds the old key is still accepted: 0 to 604800 (a week), 3600 if left out. It never
    /// outlives its own `expiresAt`.
    overlap_seconds: Option<i32>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The API key to revoke.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeApiKeyInput {
    /// The UUID of the key to revoke.
    api_key_id: ID,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The result of `createApiKey`.
#[derive(SimpleObject)]
pub struct CreateApiKeyPayload {
    /// The new key without its secret; null if there are `userErrors`.
    api_key: Option<ApiKey>,
    /// The bearer token. The service stores only a hash, so save it now. Null after an error, and when an
    /// idempotency key is sent again.
    secret: Option<String>,
    /// The commit that created the key; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why no key was created; empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `rotateApiKey`.
#[derive(SimpleObject)]
pub struct RotateApiKeyPayload {
    /// The new key without its secret; null if there are `userErrors`.
    api_key: Option<ApiKey>,
    /// The new key's bearer token. The service stores only a hash, so save it now. Null after an error, and when an
    /// idempotency key is sent again.
    secret: Option<String>,
    /// The old key, with its new `expiresAt`; null if there are `userErrors`.
    previous: Option<ApiKey>,
    /// The commit that rotated the key; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the key wasn't rotated; empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `revokeApiKey`.
#[derive(SimpleObject)]
pub struct RevokeApiKeyPayload {
    /// The revoked key; null if there are `userErrors`.
    api_key: Option<ApiKey>,
    /// The commit that revoked the key, an earlier one if it was revoked already; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the key wasn't revoked; empty on success.
    user_errors: Vec<UserError>,
}

/// The root fields of `Mutation` that create, rotate and revoke API keys.
#[derive(Default)]
pub struct ApiKeyMutation;

#[Object]
impl ApiKeyMutation {
    /// Creates an API key for a program of the customer. For its ADMINs and operators. Fails with LIMIT_REACHED
    /// beyond the plan, which counts the keys that are accepted.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new key's fields.")] input: CreateApiKeyInput,
    ) -> async_graphql::Result<CreateApiKeyPayload> {
        let (
            request,
            CreateApiKeyInput { customer_id, name, scopes, expires_at, environments, idempotency_key },
        ) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let input = api_key::CreateApiKey {
                customer_id: errors.id("customerId", &customer_id),
                name,
                scopes: scopes.into_iter().map(Into::into).collect(),
                expires_at: expires_at.map(DateTime::instant),
                environments,
            };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.create_api_key(&caller, Input::new(input, errors)).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let (api_key, secret) = payload_fields(request.fresh_view(), value);
        Ok(CreateApiKeyPayload { api_key, secret, revision, user_errors })
    }

    /// Creates a successor with the same name, scopes and expiry; the old key is still accepted for the overlap. At
    /// most two keys of such a line are accepted: rotating the successor revokes the oldest. For the customer's
    /// ADMINs and operators.
    async fn rotate_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The key to rotate, and the overlap.")] input: RotateApiKeyInput,
    ) -> async_graphql::Result<RotateApiKeyPayload> {
        let (request, RotateApiKeyInput { api_key_id, overlap_seconds, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let id = errors.id("apiKeyId", &api_key_id);
            let input = api_key::RotateApiKey { id, overlap_seconds: overlap_seconds.map(i64::from) };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.rotate_api_key(&caller, Input::new(input, errors)).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let (made, old) = value.unzip();
        let view = request.fresh_view();
        let previous = old.map(|row| ApiKey { row: Arc::new(row), view: view.clone() });
        let (api_key, secret) = payload_fields(view, made);
        Ok(RotateApiKeyPayload { api_key, secret, previous, revision, user_errors })
    }

    /// Revokes an API key at once, for suspended customers too; subscriptions that use it end within a second. For
    /// the customer's ADMINs and operators.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The key to revoke.")] input: RevokeApiKeyInput,
    ) -> async_graphql::Result<RevokeApiKeyPayload> {
        let (request, RevokeApiKeyInput { api_key_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let id = errors.id("apiKeyId", &api_key_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.revoke_api_key(&caller, id).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let view = request.fresh_view();
        let api_key = value.map(|row| ApiKey { row: Arc::new(row), view });
        Ok(RevokeApiKeyPayload { api_key, revision, user_errors })
    }
}

/// Splits a new key into the two fields of a payload: the key without its secret, and the secret.
fn payload_fields(view: RequestView, made: Option<api_key::NewApiKey>) -> (Option<ApiKey>, Option<String>) {
    let payload_fields =
        |api_key::NewApiKey { api_key, secret }| (ApiKey { row: Arc::new(api_key), view }, secret);
    let (api_key, secret) = made.map(payload_fields).unzip();
    (api_key, secret.flatten())
}
