//! Profiles in the GraphQL schema: a person's own name, and further identities to sign in by.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    error::{MutationResult, UserError, into_mutation_result},
    scalar::Revision,
    user::User,
};
use crate::{
    domain::{Input, InputErrors, identity::LinkIdentity},
    graphql::engine::context::request,
};

/// Your own profile.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateProfileInput {
    /// The display name: 1 to 200 characters. Null, or left out, takes the name in your tokens again.
    name: Option<String>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// A user, and the identity to link to it.
#[derive(Clone, Debug, InputObject)]
pub struct LinkIdentityInput {
    /// The UUID of the user.
    user_id: ID,
    /// The issuer of the identity's tokens: their `iss` claim, unchanged.
    issuer: String,
    /// The name at the issuer: the `sub` claim, 1 to 255 characters.
    subject: String,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The result of `updateProfile`.
#[derive(SimpleObject)]
pub struct UpdateProfilePayload {
    /// Your profile after the change; null if there are `userErrors`.
    user: Option<User>,
    /// The commit that set this name, an earlier one if it was set already; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the profile wasn't changed; empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `linkIdentity`.
#[derive(SimpleObject)]
pub struct LinkIdentityPayload {
    /// The user with its new identity; null if there are `userErrors`.
    user: Option<User>,
    /// The commit that linked the identity, an earlier one if it was linked already; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the identity wasn't linked; empty on success.
    user_errors: Vec<UserError>,
}

/// The root fields of `Mutation` that change profiles.
#[derive(Default)]
pub struct ProfileMutation;

#[Object]
impl ProfileMutation {
    /// Changes your own display name. Fails with NOT_FOUND if you have no profile yet, which an accepted invitation or
    /// an operator's first write creates. FORBIDDEN for programs.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your new name.")] input: UpdateProfileInput,
    ) -> async_graphql::Result<UpdateProfilePayload> {
        let (request, UpdateProfileInput { name, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.update_profile(&caller, Input::new(name, errors)).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let view = request.fresh_view();
        let user = value.map(|row| User::new(Arc::new(row), view));
        Ok(UpdateProfilePayload { user, revision, user_errors })
    }

    /// Links a further identity to a user, so that both sign in as the same person, with the same rights. Fails with
    /// ALREADY_EXISTS if the identity is another user's. For operators.
    async fn link_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user and the identity.")] input: LinkIdentityInput,
    ) -> async_graphql::Result<LinkIdentityPayload> {
        let (request, LinkIdentityInput { user_id, issuer, subject, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let input = LinkIdentity { user_id: errors.id("userId", &user_id), issuer, subject };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.link_identity(&caller, Input::new(input, errors)).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let view = request.fresh_view();
        let user = value.map(|row| User::new(Arc::new(row), view));
        Ok(LinkIdentityPayload { user, revision, user_errors })
    }
}
