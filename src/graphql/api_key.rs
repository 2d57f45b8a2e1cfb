//! API keys in the graph: credentials of a customer's own programs.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{
    context::{Lens, request},
    error::{Outcome, UserError, settle},
    page::connection,
    plain::Plain,
    scalar::{DateTime, Revision, id, to_id},
    user::Actor,
};
use crate::{
    domain::{self, Error, Page, PageArgs, api_key as verbs, policy::Action},
    id::{ApiKeyId, CustomerId},
};

/// A credential of a customer's own programs. The key itself is shown once, when it is made.
#[derive(Clone)]
pub struct ApiKey {
    row: Arc<verbs::ApiKey>,
    lens: Lens,
}

/// A credential of a customer's own programs. The key itself is shown once, when it is made.
#[Object]
impl ApiKey {
    /// Its UUID.
    async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// What it is for.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// What it may do, such as `agents:read`.
    async fn scopes(&self) -> &[String] {
        &self.row.scopes
    }

    /// Who made it.
    async fn created_by(&self) -> Actor {
        Actor::new(self.row.created_by_kind, self.row.created_by_id, self.lens.clone())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// From when on it is not accepted; null when it does not end by itself.
    async fn expires_at(&self) -> Option<DateTime> {
        self.row.expires_at.map(Into::into)
    }

    /// When it was last accepted, to the minute; null when it never was.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.row.last_used_at.map(Into::into)
    }

    /// When it was revoked; null when it was not.
    async fn revoked_at(&self) -> Option<DateTime> {
        self.row.revoked_at.map(Into::into)
    }

    /// The UUID of the key that took over when this one was rotated; null when it was not.
    async fn replaced_by_id(&self) -> Option<ID> {
        self.row.replaced_by.map(to_id)
    }
}

/// What a list of API keys counts.
pub struct Count {
    lens: Lens,
    customer: CustomerId,
}

async fn count(of: &Count) -> async_graphql::Result<u64> {
    Ok(of.lens.api_key_counts.load(of.customer).await?.map_or(0, |count| *count))
}

impl Plain for ApiKey {}

connection!(
    /// A page of API keys.
    ApiKeyConnection, ApiKeyEdge, ApiKey, |node: &ApiKey| node.row.id, count, Count
);

impl ApiKeyConnection {
    pub(super) async fn of_customer(
        lens: &Lens,
        customer: CustomerId,
        args: PageArgs<ApiKeyId>,
    ) -> async_graphql::Result<Self> {
        lens.allow_on(Action::ReadKeys, customer)?;
        let page = lens.api_key_pages.load((customer, args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| ApiKey { row: Arc::clone(row), lens: lens.clone() })
        });
        Ok(Self::new(page, Count { lens: lens.clone(), customer }))
    }
}

/// What an API key may do, at its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::KeyScope")]
pub enum ApiKeyScope {
    /// `agents:read`: reads agents, versions and activations.
    AgentsRead,
    /// `agents:write`: creates, changes, archives and restores agents.
    AgentsWrite,
    /// `versions:publish`: publishes versions.
    VersionsPublish,
    /// `versions:activate`: activates, rolls back and deactivates.
    VersionsActivate,
    /// `configs:read`: reads active configurations.
    ConfigsRead,
    /// `activations:watch`: watches activations and configurations.
    ActivationsWatch,
    /// `changes:read`: reads the audit.
    ChangesRead,
}

/// A new API key.
#[derive(Clone, Debug, InputObject)]
pub struct CreateApiKeyInput {
    /// Whose it is.
    customer_id: ID,
    /// What it is for, such as `deploy pipeline`: 1 to 200 characters.
    name: String,
    /// What it may do: at least one.
    scopes: Vec<ApiKeyScope>,
    /// From when on it is not accepted; never when left out.
    expires_at: Option<DateTime>,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, the same input
    /// with the same key isn't written twice: the payload then holds the object as it is now and the first write's
    /// revision, but never a secret.
    idempotency_key: Option<String>,
}

/// Which API key is to have a successor.
#[derive(Clone, Debug, InputObject)]
pub struct RotateApiKeyInput {
    /// Which one.
    api_key_id: ID,
    /// For how many seconds the old key is accepted beside the new one: at most 604800, a week; an hour when left out.
    overlap_seconds: Option<i32>,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, the same input
    /// with the same key isn't written twice: the payload then holds the object as it is now and the first write's
    /// revision, but never a secret.
    idempotency_key: Option<String>,
}

/// Which API key to refuse from now on.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeApiKeyInput {
    /// Which one.
    api_key_id: ID,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, the same input
    /// with the same key isn't written twice: the payload then holds the object as it is now and the first write's
    /// revision, but never a secret.
    idempotency_key: Option<String>,
}

/// What making an API key came to.
#[derive(SimpleObject)]
pub struct CreateApiKeyPayload {
    /// The key's record; null when it was not made.
    api_key: Option<ApiKey>,
    /// The key itself, this once.
    secret: Option<String>,
    /// The commit that made it.
    revision: Option<Revision>,
    /// Why it was not made; empty when it was.
    user_errors: Vec<UserError>,
}

/// What rotating an API key came to.
#[derive(SimpleObject)]
pub struct RotateApiKeyPayload {
    /// The new key's record; null when none was made.
    api_key: Option<ApiKey>,
    /// The new key itself, this once.
    secret: Option<String>,
    /// The old key's record, with its end.
    previous: Option<ApiKey>,
    /// The commit that made it so.
    revision: Option<Revision>,
    /// Why it was not rotated; empty when it was.
    user_errors: Vec<UserError>,
}

/// What revoking an API key came to.
#[derive(SimpleObject)]
pub struct RevokeApiKeyPayload {
    /// The key's record as it is now; null when it was not revoked.
    api_key: Option<ApiKey>,
    /// The commit that made it so.
    revision: Option<Revision>,
    /// Why it was not revoked; empty when it was.
    user_errors: Vec<UserError>,
}

/// Their mutations.
#[derive(Default)]
pub struct ApiKeyMutation;

#[Object]
impl ApiKeyMutation {
    /// Makes a credential for a customer's own programs. For its ADMINs and operators.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new key.")] input: CreateApiKeyInput,
    ) -> async_graphql::Result<CreateApiKeyPayload> {
        let (request, CreateApiKeyInput { customer_id, name, scopes, expires_at, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let scopes: BTreeSet<domain::KeyScope> = scopes.into_iter().map(Into::into).collect();
            let customer_id = id("customerId", &customer_id)?;
            let expires_at = expires_at.map(DateTime::instant);
            let input = verbs::CreateApiKey { customer_id, name, scopes, expires_at };
            request.registry.create_api_key(&request.once(ctx, idempotency_key)?, input).await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        let (api_key, secret) = shown(request.fresh(), value);
        Ok(CreateApiKeyPayload { api_key, secret, revision, user_errors })
    }

    /// Makes a successor of an API key, with the same name, scopes and end; the old one is accepted for a while beside it.
    /// For its customer's ADMINs and operators.
    async fn rotate_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and for how long both are accepted.")] input: RotateApiKeyInput,
    ) -> async_graphql::Result<RotateApiKeyPayload> {
        let (request, RotateApiKeyInput { api_key_id, overlap_seconds, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let overlap = match overlap_seconds.map(u64::try_from) {
                None => verbs::OVERLAP_DEFAULT,
                Some(Ok(seconds)) => Duration::from_secs(seconds),
                Some(Err(_)) => {
                    return Err(Error::invalid("overlapSeconds", "overlapSeconds must not be negative"));
                }
            };
            request
                .registry
                .rotate_api_key(&request.once(ctx, idempotency_key)?, id("apiKeyId", &api_key_id)?, overlap)
                .await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        let (made, old) = value.unzip();
        let lens = request.fresh();
        let previous = old.map(|row| ApiKey { row: Arc::new(row), lens: lens.clone() });
        let (api_key, secret) = shown(lens, made);
        Ok(RotateApiKeyPayload { api_key, secret, previous, revision, user_errors })
    }

    /// Makes an API key be refused from now on; what was begun with it ends within a second. For its customer's ADMINs and
    /// operators.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeApiKeyInput,
    ) -> async_graphql::Result<RevokeApiKeyPayload> {
        let (request, RevokeApiKeyInput { api_key_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            request
                .registry
                .revoke_api_key(&request.once(ctx, idempotency_key)?, id("apiKeyId", &api_key_id)?)
                .await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        let lens = request.fresh();
        let api_key = value.map(|row| ApiKey { row: Arc::new(row), lens });
        Ok(RevokeApiKeyPayload { api_key, revision, user_errors })
    }
}

/// A key that was just made, as its payload shows it.
fn shown(lens: Lens, made: Option<verbs::NewApiKey>) -> (Option<ApiKey>, Option<String>) {
    let shown = |verbs::NewApiKey { api_key, secret }| (ApiKey { row: Arc::new(api_key), lens }, secret);
    let (api_key, secret) = made.map(shown).unzip();
    (api_key, secret.flatten())
}
