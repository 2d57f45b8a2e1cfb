//! People and operators in the GraphQL schema, as operators see and change them.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    error::{MutationResult, UserError, into_mutation_result, to_graphql_error},
    page::{USERS, connection, page_args},
    scalar::{Revision, to_id},
    user::User,
};
use crate::{
    domain::{
        self, BoundedCount, Error, Input, InputErrors, operator::OperatorToAdd, page::ListId, user_list,
    },
    graphql::engine::context::{RequestView, request},
};

/// Conditions on people; all given ones must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct UserFilter {
    /// Only people whose address contains this text of at most 200 characters, in any case; an empty one filters nothing.
    email_contains: Option<String>,
    /// Only people whose display name contains this text of at most 200 characters, in any case; an empty one filters
    /// nothing.
    name_contains: Option<String>,
    /// True: only operators. False: only people who aren't operators.
    is_operator: Option<bool>,
}

impl From<UserFilter> for user_list::UserFilter {
    fn from(filter: UserFilter) -> Self {
        let UserFilter { email_contains, name_contains, is_operator } = filter;
        Self { email_contains, name_contains, is_operator }
    }
}

/// What `totalCount` counts: the people that the filter matches.
pub struct UserCount {
    view: RequestView,
    filter: user_list::UserFilter,
}

async fn count(UserCount { view, filter }: &UserCount) -> async_graphql::Result<BoundedCount> {
    let counted = view.registry().count_users(view.reading(), filter).await;
    counted.map_err(|err| to_graphql_error(&err))
}

connection!(
    /// A page of people.
    UserConnection, UserEdge, User, User::key, count, UserCount
);

/// The root field of `Query` that lists people.
#[derive(Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// The people with a profile, oldest first: those who have signed in and written something, accepted an invitation, or
    /// were added as members. For operators.
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only matching people; all if left out.")] filter: Option<UserFilter>,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> async_graphql::Result<UserConnection> {
        let list = ListId::all(USERS);
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        let filter = user_list::UserFilter::from(filter.unwrap_or_default());
        let view = request(ctx)?.view();
        let page = view.registry().users(view.reading(), &filter, &args).await;
        let page = page.map_err(|err| to_graphql_error(&err))?;
        let page = page.map(|row| User::new(Arc::new(row), view.clone()));
        Ok(UserConnection::new(page, list, UserCount { view, filter }))
    }
}

/// The person to make an operator: `userId` alone, or `issuer` and `subject`.
#[derive(Clone, Debug, InputObject)]
pub struct AddOperatorInput {
    /// The UUID of a user with a profile.
    user_id: Option<ID>,
    /// The issuer of the person's tokens: their `iss` claim, unchanged.
    issuer: Option<String>,
    /// The person's name at the issuer: the `sub` claim, 1 to 255 characters. The person needs no profile yet.
    subject: Option<String>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The operator to remove.
#[derive(Clone, Debug, InputObject)]
pub struct RemoveOperatorInput {
    /// The UUID of the user.
    user_id: ID,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The result of `addOperator`.
#[derive(SimpleObject)]
pub struct AddOperatorPayload {
    /// The person; null if there are `userErrors`, and for a person without a profile.
    user: Option<User>,
    /// The commit that made the person an operator, an earlier one if the person was one already; null if there are
    /// `userErrors`.
    revision: Option<Revision>,
    /// Why the person wasn't made an operator; empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `removeOperator`.
#[derive(SimpleObject)]
pub struct RemoveOperatorPayload {
    /// The UUID of the user; null if there are `userErrors`.
    user_id: Option<ID>,
    /// The commit that removed the operator, an earlier one if the user was none already; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the operator wasn't removed; empty on success.
    user_errors: Vec<UserError>,
}

/// Reads which person an input names.
fn person(
    user_id: Option<&ID>,
    issuer: Option<String>,
    subject: Option<String>,
    errors: &mut InputErrors,
) -> OperatorToAdd {
    let named = match (user_id, issuer, subject) {
        (Some(id), None, None) => Ok(OperatorToAdd::User(errors.id("userId", id))),
        (None, Some(issuer), Some(subject)) => Ok(OperatorToAdd::Name { issuer, subject }),
        _ => Err(Error::invalid("userId", "give userId alone, or issuer and subject")),
    };
    let nobody = OperatorToAdd::User(uuid::Uuid::nil().into());
    errors.take(named).unwrap_or(nobody)
}

/// The root fields of `Mutation` that add and remove operators.
#[derive(Default)]
pub struct OperatorMutation;

#[Object]
impl OperatorMutation {
    /// Makes a person an operator, with all rights at all customers. For operators.
    async fn add_operator(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person to add, by user id or by issuer and subject.")] input: AddOperatorInput,
    ) -> async_graphql::Result<AddOperatorPayload> {
        let (request, AddOperatorInput { user_id, issuer, subject, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let person = person(user_id.as_ref(), issuer, subject, &mut errors);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.make_operator(&caller, Input::new(person, errors)).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let (view, user) = (request.fresh_view(), value.and_then(|added| added.user));
        let user = user.map(|row: domain::user::User| User::new(Arc::new(row), view));
        Ok(AddOperatorPayload { user, revision, user_errors })
    }

    /// Removes an operator; the person's sessions lose these rights within a second. Fails with CONFLICT for the last
    /// operator. For operators.
    async fn remove_operator(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The operator to remove; the person stays a user.")] input: RemoveOperatorInput,
    ) -> async_graphql::Result<RemoveOperatorPayload> {
        let (request, RemoveOperatorInput { user_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let user = errors.id("userId", &user_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.unmake_operator(&caller, Input::new(user, errors)).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        Ok(RemoveOperatorPayload { user_id: value.map(|removed| to_id(removed.user)), revision, user_errors })
    }
}
