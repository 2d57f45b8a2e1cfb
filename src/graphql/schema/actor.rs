//! Actors in the GraphQL schema: the callers that did something.

use async_graphql::{ID, Object};
use uuid::Uuid;

use super::{
    api_key::ApiKey,
    error::{Nullable, linked, nullable},
    scalar::to_id,
    service_token::ServiceToken,
    user::{ActorKind, User},
};
use crate::{
    domain::{
        Principal, change,
        policy::{self, Action},
    },
    graphql::engine::context::RequestView,
};

/// The caller that did something.
#[derive(Clone)]
pub struct Actor {
    kind: change::ActorKind,
    id: Option<Uuid>,
    view: RequestView,
}

impl Actor {
    pub(in crate::graphql) fn new(kind: change::ActorKind, id: Option<Uuid>, view: RequestView) -> Self {
        Self { kind, id, view }
    }

    /// The name that the reader may see, if there is one.
    async fn visible_name(&self) -> async_graphql::Result<Option<String>> {
        let Some(id) = self.id else { return Ok(None) };
        let loaders = self.view.loaders();
        Ok(match self.kind {
            change::ActorKind::User | change::ActorKind::Operator => {
                let may_see = policy::allow(self.view.caller(), Action::ReadPeople).is_ok();
                let user = if may_see { self.view.user(id.into()).await? } else { None };
                user.as_ref().and_then(User::visible_name).map(str::to_owned)
            }
            change::ActorKind::ApiKey => match &self.view.caller().principal {
                Principal::ApiKey(key) if key.id == id.into() => Some(key.name.clone()),
                _ => loaders.api_key_names.load(id.into()).await?.map(|name| name.to_string()),
            },
            change::ActorKind::Service => match &self.view.caller().principal {
                Principal::Service(service) if service.id == id.into() => Some(service.name.clone()),
                _ => loaders.service_token_names.load(id.into()).await?.map(|name| name.to_string()),
            },
            change::ActorKind::System => None,
        })
    }
}

/// The caller that did something.
#[Object]
impl Actor {
    /// The kind of caller; it decides what `id` names.
    async fn kind(&self) -> ActorKind {
        self.kind.into()
    }

    /// The UUID of the user, API key or service token. Null for SYSTEM. Service tokens, and API keys without
    /// `changes:read`, see only their own.
    async fn id(&self) -> Option<ID> {
        let caller = self.view.caller();
        let is_oneself = self.id.is_some() && caller.actor().id == self.id;
        let may_see = is_oneself || policy::allow(caller, Action::ReadPeople).is_ok();
        self.id.filter(|_| may_see).map(to_id)
    }

    /// For people: a person's name or address, the name of an API key or service token, else the kind of caller. Never
    /// empty.
    async fn display_name(&self) -> async_graphql::Result<String> {
        let name = self.visible_name().await?;
        Ok(name.unwrap_or_else(|| self.kind.label().to_owned()))
    }

    /// The person who did it. Null for programs and the system, for people who share no customer with you, and for
    /// callers who may not see people.
    async fn user(&self) -> Nullable<User> {
        nullable(async {
            match (self.kind, self.id) {
                (change::ActorKind::User | change::ActorKind::Operator, Some(id)) => {
                    self.view.user(id.into()).await
                }
                (
                    change::ActorKind::User
                    | change::ActorKind::Operator
                    | change::ActorKind::ApiKey
                    | change::ActorKind::Service
                    | change::ActorKind::System,
                    _,
                ) => Ok(None),
            }
        })
        .await
    }

    /// The API key that did it. Null for others, and for callers who may not read the key.
    async fn api_key(&self) -> Nullable<ApiKey> {
        let key = self.id.filter(|_| self.kind == change::ActorKind::ApiKey);
        linked(key, |id| self.view.api_key(id.into())).await
    }

    /// The service token that did it. Null for others, and for everyone but operators.
    async fn service_token(&self) -> Nullable<ServiceToken> {
        let token = self.id.filter(|_| self.kind == change::ActorKind::Service);
        linked(token, |id| self.view.service_token(id.into())).await
    }
}
