//! Service tokens: the credentials of the platform's own services, the Gateway and the Orchestrator.

use std::collections::BTreeSet;

use sea_orm::Set;
use serde_json::json;

use super::{
    Caller, Changed, Error, Registry, Result, ServiceScope,
    auth::key::{Key, Kind},
    change::ChangeAction,
    idempotency::{Retold, Subject},
    policy::{self, Action},
    right::OpenTxn,
    text,
};
use crate::{
    db::Entry,
    entity::{change::last_of_platform, service_token as row},
    id::ServiceTokenId,
};

pub use row::Model as ServiceToken;

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

impl Retold for ServiceToken {
    fn subject(&self) -> Subject {
        Subject::row(self.id)
    }

    async fn again(txn: &OpenTxn, subject: Subject) -> Result<Self> {
        txn.allow(Action::ManagePlatform).await?;
        txn.one(row::by_id(subject.id.into())).await?.ok_or(Error::NotFound("service token"))
    }
}

impl Retold for NewServiceToken {
    fn subject(&self) -> Subject {
        self.token.subject()
    }

    async fn again(txn: &OpenTxn, subject: Subject) -> Result<Self> {
        Ok(Self { token: ServiceToken::again(txn, subject).await?, secret: None })
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
        input: CreateServiceToken,
    ) -> Result<Changed<NewServiceToken>> {
        policy::allow(caller, Action::ManagePlatform)?;
        let CreateServiceToken { name, scopes } = input;
        text::name("name", &name)?;
        if scopes.is_empty() {
            return Err(Error::invalid("scopes", "give at least one scope"));
        }
        let id: ServiceTokenId = self.clock.id();
        let key = Key::new(Kind::Service, id.into(), self.clock.secret());
        let token = ServiceToken {
            id,
            name,
            secret_hash: key.secret_hash().to_vec(),
            scopes: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            created_at: self.clock.now(),
            revoked_at: None,
        };
        let made = self
            .write(caller, move |txn| async move {
                let txn = txn.platform(Action::ManagePlatform).await?;
                txn.insert(row::ActiveModel::from(token.clone())).await?;
                let after = json!({ "after": { "name": token.name, "scopes": token.scopes } });
                txn.record(
                    Entry::platform(ChangeAction::ServiceTokenCreated).subject(token.id).details(after),
                );
                Ok(NewServiceToken { token, secret: Some(key.to_string()) })
            })
            .await?;
        made.changed()
    }

    /// All service tokens, oldest first, without their secrets.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator.
    pub async fn service_tokens(&self, caller: &Caller) -> Result<Vec<ServiceToken>> {
        policy::allow(caller, Action::ManagePlatform)?;
        Ok(self.reading(caller).view.all(row::all()).await?)
    }

    /// Revokes a service token.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator; [`Error::NotFound`].
    pub async fn revoke_service_token(
        &self,
        caller: &Caller,
        id: ServiceTokenId,
    ) -> Result<Changed<ServiceToken>> {
        policy::allow(caller, Action::ManagePlatform)?;
        let now = self.clock.now();
        let made = self
            .write(caller, move |txn| async move {
                let txn = txn.platform(Action::ManagePlatform).await?;
                let before = txn.one(row::locked(id)).await?.ok_or(Error::NotFound("service token"))?;
                if before.revoked_at.is_some() {
                    let last = last_of_platform(id.into(), ChangeAction::ServiceTokenRevoked);
                    return Ok((before, super::since(&txn, last).await?));
                }
                let after =
                    txn.update(row::ActiveModel { revoked_at: Set(Some(now)), ..before.into() }).await?;
                let details = json!({ "before": { "revoked_at": null }, "after": { "revoked_at": now } });
                txn.record(Entry::platform(ChangeAction::ServiceTokenRevoked).subject(id).details(details));
                Ok((after, 0))
            })
            .await?;
        Ok(made.or_since())
    }
}
