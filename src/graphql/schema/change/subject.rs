//! The object that an entry of the audit log is about.

use async_graphql::Union;

use crate::{
    domain::change::ChangedObject,
    graphql::{
        engine::context::RequestView,
        schema::{
            activation::Activation, api_key::ApiKey, environment::Environment, invitation::Invitation,
            service_token::ServiceToken, user::User,
        },
    },
};

/// What an entry of the log is about, besides its agent and version.
#[derive(Clone, Union)]
pub enum ChangeSubject {
    /// The record of an activation or deactivation.
    Activation(Activation),
    /// An API key.
    ApiKey(ApiKey),
    /// An environment.
    Environment(Environment),
    /// An open invitation.
    Invitation(Invitation),
    /// A service token.
    ServiceToken(ServiceToken),
    /// A person.
    User(User),
}

impl RequestView {
    /// The object that an entry is about, as it is now; `None` if it is gone, or the reader may not see it.
    pub(super) async fn change_subject(
        &self,
        object: ChangedObject,
    ) -> async_graphql::Result<Option<ChangeSubject>> {
        Ok(match object {
            ChangedObject::Activation(id) => self.activation(id).await?.map(ChangeSubject::Activation),
            ChangedObject::ApiKey(id) => self.api_key(id).await?.map(ChangeSubject::ApiKey),
            ChangedObject::Environment(id) => self.environment(id).await?.map(ChangeSubject::Environment),
            ChangedObject::Invitation(id) => self.invitation(id).await?.map(ChangeSubject::Invitation),
            ChangedObject::ServiceToken(id) => self.service_token(id).await?.map(ChangeSubject::ServiceToken),
            ChangedObject::User(id) => self.user(id).await?.map(ChangeSubject::User),
        })
    }
}
