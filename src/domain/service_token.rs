//! Service tokens: the credentials of the platform's own services, the Gateway and the Orchestrator.

use std::collections::{BTreeSet, HashMap};

use sea_orm::Set;
use serde_json::json;

use super::{
    Caller, Error, Input, Outcome, Reading, Registry, Result, ServiceScope, WriteResult,
    auth::opaque_token::{OpaqueToken, TokenKind},
    change::ChangeAction,
    idempotency::{ReplayIds, Replayable},
    policy::{self, Action},
    right::OpenTxn,
    text,
};
use crate::{
    db::ChangeRecord,
    entity::{change::last_of_platform, service_token},
    id::ServiceTokenId,
};

pub use service_token::Model as ServiceToken;

/// The fields of a new service token.
#[derive(Clone, Debug)]
pub struct CreateServiceToken {
    /// The purpose, such as `gateway`; 1 to 200 characters.
    pub name: String,
    /// The token's scopes; at least one.
    pub scopes: BTreeSet<ServiceScope>,
}

/// A new service token with its secret, which is returned only once.
#[derive(Clone, Debug)]
pub struct NewServiceToken {
    /// The row.
    pub token: ServiceToken,
    /// The bearer token; `None` when an idempotent write is replayed.
    pub secret: Option<String>,
}

impl Replayable for ServiceToken {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        txn.allow(Action::ManagePlatform).await?;
        txn.one(service_token::by_id(subject.id.into())).await?.ok_or(Error::NotFound("service token"))
    }
}

impl Replayable for NewServiceToken {
    fn replay_ids(&self) -> ReplayIds {
        self.token.replay_ids()
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        Ok(Self { token: ServiceToken::replay(txn, subject).await?, secret: None })
    }
}

impl Registry {
    /// Creates a service token.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator; [`Error::Invalid`] for its name or scopes.
    pub async fn create_service_token(
        &self,
        caller: &Caller,
        input: impl Into<Input<CreateServiceToken>>,
    ) -> Result<WriteResult<NewServiceToken>> {
        policy::allow(caller, Action::ManagePlatform)?;
        let (CreateServiceToken { name, scopes }, mut errors) = input.into().open();
        let name = errors.take(text::normal_name("name", &name)).unwrap_or_default();
        if scopes.is_empty() {
            errors.note(Err(Error::invalid("scopes", "give at least one scope")));
        }
        errors.into_result()?;
        let id: ServiceTokenId = self.clock().id();
        let key = OpaqueToken::new(TokenKind::Service, id.into(), self.clock().secret());
        let token = ServiceToken {
            id,
            name,
            secret_hash: key.secret_hash().to_vec(),
            scopes: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            created_at: self.clock().now(),
            revoked_at: None,
        };
        self.write(caller, move |txn| async move {
            let txn = txn.platform(Action::ManagePlatform).await?;
            txn.insert(service_token::ActiveModel::from(token.clone())).await?;
            let after = json!({ "after": { "name": token.name, "scopes": token.scopes } });
            txn.record(
                ChangeRecord::platform(ChangeAction::ServiceTokenCreated).subject(token.id).details(after),
            );
            Ok(Outcome::Changed(NewServiceToken { token, secret: Some(key.to_string()) }))
        })
        .await
    }

    /// All service tokens, oldest first, without their secrets.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator.
    pub async fn service_tokens(&self, caller: &Caller) -> Result<Vec<ServiceToken>> {
        policy::allow(caller, Action::ManagePlatform)?;
        Ok(self.reading(caller).view.all(service_token::all()).await?)
    }

    /// The names of these service tokens: for the platform. Other readers get none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn service_token_names(
        &self,
        reading: &Reading,
        ids: &[ServiceTokenId],
    ) -> Result<HashMap<ServiceTokenId, String>> {
        if policy::allow(&reading.caller, Action::ManagePlatform).is_err() {
            return Ok(HashMap::new());
        }
        let rows = reading.view.all(service_token::by_ids(ids)).await?;
        Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// Revokes a service token.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator; [`Error::NotFound`].
    pub async fn revoke_service_token(
        &self,
        caller: &Caller,
        id: ServiceTokenId,
    ) -> Result<WriteResult<ServiceToken>> {
        policy::allow(caller, Action::ManagePlatform)?;
        let now = self.clock().now();
        self.write(caller, move |txn| async move {
            let txn = txn.platform(Action::ManagePlatform).await?;
            let before = txn.one(service_token::locked(id)).await?.ok_or(Error::NotFound("service token"))?;
            if before.revoked_at.is_some() {
                let last = last_of_platform(id.into(), ChangeAction::ServiceTokenRevoked);
                return Ok(Outcome::Unchanged {
                    value: before,
                    since: super::write::since(&txn, last).await?,
                });
            }
            let after = txn
                .update(service_token::ActiveModel { revoked_at: Set(Some(now)), ..before.into() })
                .await?;
            let details = json!({ "before": { "revoked_at": null }, "after": { "revoked_at": now } });
            txn.record(
                ChangeRecord::platform(ChangeAction::ServiceTokenRevoked).subject(id).details(details),
            );
            Ok(Outcome::Changed(after))
        })
        .await
    }
}
