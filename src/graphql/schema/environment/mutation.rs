//! The mutations of environments: create, update, archive and restore.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::{BreakingPolicy, Environment};
use crate::{
    domain::{
        self, Input, InputErrors, WriteResult,
        environment::{self, EnvironmentRules},
    },
    graphql::{
        engine::context::{Request, request},
        schema::{
            agent::{not_null, patch},
            error::{MutationResult, UserError, into_mutation_result},
            scalar::Revision,
            user::Role,
        },
    },
};

/// A new environment. Activations there are held to its rules.
#[derive(Clone, Debug, InputObject)]
pub struct CreateEnvironmentInput {
    /// The UUID of the customer that the environment will belong to.
    customer_id: ID,
    /// The name in arguments and inputs: `^[a-z][a-z0-9-]{0,31}$`, unique within the customer. It never changes.
    key: String,
    /// The name for people: 1 to 200 characters.
    name: String,
    /// The place in lists, ascending; after the last one if left out.
    rank: Option<i32>,
    /// The key of the environment in which a version must have been active before it may serve here. Any version may if
    /// left out.
    promote_from: Option<String>,
    /// For how many seconds it must have been active there: at most 31536000 (a year), 0 if left out. Needs
    /// `promoteFrom`.
    min_soak_seconds: Option<i32>,
    /// What happens to an activation whose impact is UNKNOWN, NARROWED or REMOVED. CONFIRM if left out, so such an
    /// activation needs `planHash` and `confirm`, and an import of one fails.
    #[graphql(default_with = "BreakingPolicy::Confirm")]
    on_breaking: BreakingPolicy,
    /// The only models that versions may use here: 1 to 100 names. Every model if left out.
    allowed_models: Option<Vec<String>>,
    /// The lowest role that may activate, roll back and deactivate here: EDITOR or ADMIN.
    #[graphql(default_with = "Role::Editor")]
    activate_role: Role,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The fields of an environment to change. A field that is left out stays as it is; null removes `promoteFrom` and `allowedModels`.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateEnvironmentInput {
    /// The UUID of the environment to change.
    environment_id: ID,
    /// The new name: 1 to 200 characters. Not null.
    name: MaybeUndefined<String>,
    /// The new place in lists. Not null.
    rank: MaybeUndefined<i32>,
    /// The key of the environment in which a version must have been active before; null lets any version serve here, and
    /// sets `minSoakSeconds` to 0.
    promote_from: MaybeUndefined<String>,
    /// For how many seconds it must have been active there: at most 31536000 (a year). Not null.
    min_soak_seconds: MaybeUndefined<i32>,
    /// What happens to a plan whose impact is UNKNOWN, NARROWED or REMOVED. Not null.
    on_breaking: MaybeUndefined<BreakingPolicy>,
    /// The only models that versions may use here: 1 to 100 names; null allows every model.
    allowed_models: MaybeUndefined<Vec<String>>,
    /// The lowest role that may activate, roll back and deactivate here: EDITOR or ADMIN. Not null.
    activate_role: MaybeUndefined<Role>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The environment to archive: not the default one, and nothing may serve there.
#[derive(Clone, Debug, InputObject)]
pub struct ArchiveEnvironmentInput {
    /// The UUID of the environment to archive.
    environment_id: ID,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The environment to restore.
#[derive(Clone, Debug, InputObject)]
pub struct RestoreEnvironmentInput {
    /// The UUID of the environment to restore.
    environment_id: ID,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// Defines the payload of a mutation of environments.
macro_rules! payload {
    ($(#[$doc:meta])* $Payload:ident) => {
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub struct $Payload {
            /// The environment after the write; null if there are `userErrors`.
            environment: Option<Environment>,
            /// The commit that brought the environment into this state, an earlier one if nothing had to change; null if there
            /// are `userErrors`.
            revision: Option<Revision>,
            /// Why nothing was changed; empty on success, also if nothing had to change.
            user_errors: Vec<UserError>,
        }

        impl $Payload {
            fn of(
                request: &Request,
                answer: domain::Result<WriteResult<environment::Environment>>,
            ) -> async_graphql::Result<Self> {
                let MutationResult { value, revision, user_errors } = into_mutation_result(answer)?;
                let view = request.fresh_view();
                let environment = value.map(|row| Environment { row: Arc::new(row), view });
                Ok(Self { environment, revision, user_errors })
            }
        }
    };
}

payload!(
    /// The result of `createEnvironment`.
    CreateEnvironmentPayload
);
payload!(
    /// The result of `updateEnvironment`.
    UpdateEnvironmentPayload
);
payload!(
    /// The result of `archiveEnvironment`.
    ArchiveEnvironmentPayload
);
payload!(
    /// The result of `restoreEnvironment`.
    RestoreEnvironmentPayload
);

/// The root fields of `Mutation` that manage environments.
#[derive(Default)]
pub struct EnvironmentMutation;

#[Object]
impl EnvironmentMutation {
    /// Creates an environment, in which nothing serves yet. For the customer's ADMINs and operators. Fails with
    /// LIMIT_REACHED beyond the plan, which doesn't count archived ones.
    async fn create_environment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new environment's fields.")] input: CreateEnvironmentInput,
    ) -> async_graphql::Result<CreateEnvironmentPayload> {
        let request = request(ctx)?;
        let CreateEnvironmentInput {
            customer_id,
            key,
            name,
            rank,
            promote_from,
            min_soak_seconds,
            on_breaking,
            allowed_models,
            activate_role,
            idempotency_key,
        } = input;
        let answer = async {
            let mut errors = InputErrors::default();
            let rules = EnvironmentRules {
                rank,
                promote_from: Some(promote_from),
                min_soak_seconds,
                on_breaking: Some(on_breaking.into()),
                allowed_models: Some(allowed_models),
                activate_role: Some(activate_role.into()),
            };
            let customer_id = errors.id("customerId", &customer_id);
            let input = environment::CreateEnvironment { customer_id, key, name, rules };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.create_environment(&caller, Input::new(input, errors)).await
        };
        CreateEnvironmentPayload::of(request, answer.await)
    }

    /// Updates an environment's name, rank or rules; its key never changes. For the customer's ADMINs and operators.
    async fn update_environment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The environment, and the fields to change.")] input: UpdateEnvironmentInput,
    ) -> async_graphql::Result<UpdateEnvironmentPayload> {
        let request = request(ctx)?;
        let UpdateEnvironmentInput {
            environment_id,
            name,
            rank,
            promote_from,
            min_soak_seconds,
            on_breaking,
            allowed_models,
            activate_role,
            idempotency_key,
        } = input;
        let answer = async {
            let mut errors = InputErrors::default();
            let rules = EnvironmentRules {
                rank: errors.take(not_null("rank", rank)).flatten(),
                promote_from: patch(promote_from),
                min_soak_seconds: errors.take(not_null("minSoakSeconds", min_soak_seconds)).flatten(),
                on_breaking: errors.take(not_null("onBreaking", on_breaking)).flatten().map(Into::into),
                allowed_models: patch(allowed_models),
                activate_role: errors.take(not_null("activateRole", activate_role)).flatten().map(Into::into),
            };
            let input = environment::UpdateEnvironment {
                id: errors.id("environmentId", &environment_id),
                name: errors.take(not_null("name", name)).flatten(),
                rules,
            };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.update_environment(&caller, Input::new(input, errors)).await
        };
        UpdateEnvironmentPayload::of(request, answer.await)
    }

    /// Archives an environment that serves nothing. Its key stays reserved. For the customer's ADMINs and operators. Fails
    /// with INVALID for `production`, while an agent serves there, and while another environment promotes from it.
    async fn archive_environment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The environment to archive.")] input: ArchiveEnvironmentInput,
    ) -> async_graphql::Result<ArchiveEnvironmentPayload> {
        let (request, ArchiveEnvironmentInput { environment_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let id = errors.id("environmentId", &environment_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.archive_environment(&caller, id).await
        };
        ArchiveEnvironmentPayload::of(request, answer.await)
    }

    /// Restores an archived environment, in which nothing serves. For the customer's ADMINs and operators. Fails with
    /// LIMIT_REACHED beyond the plan.
    async fn restore_environment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The environment to restore.")] input: RestoreEnvironmentInput,
    ) -> async_graphql::Result<RestoreEnvironmentPayload> {
        let (request, RestoreEnvironmentInput { environment_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let id = errors.id("environmentId", &environment_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.restore_environment(&caller, id).await
        };
        RestoreEnvironmentPayload::of(request, answer.await)
    }
}
