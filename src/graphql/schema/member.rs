//! Members in the GraphQL schema: which user is a member of which customer, in which role.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{
    customer::Customer,
    error::{MutationResult, Nullable, UserError, into_mutation_result, nullable, to_graphql_error},
    page::{MEMBERS, connection},
    scalar::{DateTime, Revision, to_id},
    user::{Role, User},
};
use crate::{
    domain::{BoundedCount, Error, Input, InputErrors, Page, PageArgs, member, page::ListId, policy::Action},
    graphql::engine::context::{RequestView, request},
    id::{CustomerId, UserId},
};

/// What gave a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum MembershipSource {
    /// A person: an invitation, an ADMIN or an operator.
    Manual,
    /// Roles or groups in the tokens of the user's identity provider. They change CLAIM memberships alone; a person who
    /// changes the role makes it MANUAL.
    Claim,
}

/// A user's membership of a customer, with the role that the user holds there.
#[derive(Clone)]
pub struct Membership {
    row: Arc<member::Membership>,
    view: RequestView,
}

/// A user's membership of a customer, with the role that the user holds there.
#[Object]
impl Membership {
    /// Identifies the membership for clients' caches. `node` doesn't know it.
    async fn id(&self) -> ID {
        ID(format!("{}.{}", self.row.customer_id, self.row.user_id))
    }

    /// Whether a person gave the membership, or the identity provider's roles.
    async fn source(&self) -> MembershipSource {
        match self.row.claim_issuer {
            None => MembershipSource::Manual,
            Some(_) => MembershipSource::Claim,
        }
    }

    /// The customer that the user is a member of.
    async fn customer(&self) -> async_graphql::Result<Customer> {
        let customer = self.view.customer(self.row.customer_id).await?;
        customer.ok_or_else(|| to_graphql_error(&Error::NotFound("customer")))
    }

    /// The user who is the member.
    async fn user(&self) -> async_graphql::Result<User> {
        let user = self.view.user(self.row.user_id).await?;
        user.ok_or_else(|| to_graphql_error(&Error::NotFound("user")))
    }

    /// The member's e-mail address; null if unknown. For the customer's ADMINs and operators.
    async fn email(&self) -> Nullable<String> {
        nullable(async {
            self.view.allow_on(Action::ReadMembers, self.row.customer_id)?;
            Ok(self.view.loaders().users.load(self.row.user_id).await?.and_then(|user| user.email.clone()))
        })
        .await
    }

    /// The member's role at this customer, which decides the rights there.
    async fn role(&self) -> Role {
        self.row.role.into()
    }

    /// When the user became a member.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

/// What `totalCount` counts: the members of one customer.
pub struct Count {
    view: RequestView,
    customer: CustomerId,
}

async fn count(of: &Count) -> async_graphql::Result<BoundedCount> {
    Ok(of.view.loaders().member_counts.load(of.customer).await?.map(|count| *count).unwrap_or_default())
}

connection!(
    /// A page of members.
    MembershipConnection, MembershipEdge, Membership, |node: &Membership| node.row.user_id, count, Count
);

impl MembershipConnection {
    pub(in crate::graphql) async fn of_customer(
        view: &RequestView,
        customer: CustomerId,
        args: PageArgs<UserId>,
    ) -> async_graphql::Result<Self> {
        view.allow_on(Action::ReadMembers, customer)?;
        let page = view.loaders().member_pages.load((customer, args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| Membership { row: Arc::clone(row), view: view.clone() })
        });
        Ok(Self::new(page, ListId::below(MEMBERS, customer), Count { view: view.clone(), customer }))
    }
}

/// The member to add, by issuer and subject.
#[derive(Clone, Debug, InputObject)]
pub struct AddMemberInput {
    /// The UUID of the customer.
    customer_id: ID,
    /// The issuer of the member's tokens: their `iss` claim. The service's only issuer when left out.
    issuer: Option<String>,
    /// The member's name at the issuer: the `sub` claim, 1 to 255 characters.
    subject: String,
    /// The role that the member has from now on.
    role: Role,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The result of `addMember`.
#[derive(SimpleObject)]
pub struct AddMemberPayload {
    /// The membership; null if there are `userErrors`.
    membership: Option<Membership>,
    /// The commit that added the member, an earlier one if it had the role already; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the member wasn't added; empty on success.
    user_errors: Vec<UserError>,
}

/// The member, and the new role.
#[derive(Clone, Debug, InputObject)]
pub struct ChangeMemberRoleInput {
    /// The UUID of the customer.
    customer_id: ID,
    /// The UUID of the member's user.
    user_id: ID,
    /// The role from now on.
    role: Role,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The member to remove.
#[derive(Clone, Debug, InputObject)]
pub struct RemoveMemberInput {
    /// The UUID of the customer.
    customer_id: ID,
    /// The UUID of the member's user.
    user_id: ID,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The result of `changeMemberRole`.
#[derive(SimpleObject)]
pub struct ChangeMemberRolePayload {
    /// The membership after the change; null if there are `userErrors`.
    membership: Option<Membership>,
    /// The commit that set this role, an earlier one if it was set already; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the role wasn't changed; empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `removeMember`.
#[derive(SimpleObject)]
pub struct RemoveMemberPayload {
    /// The UUID of the user who was removed; null if there are `userErrors`.
    user_id: Option<ID>,
    /// The commit that removed the member; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the member wasn't removed; empty on success.
    user_errors: Vec<UserError>,
}

/// The root fields of `Mutation` that change and remove members.
#[derive(Default)]
pub struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Makes a person or a machine a member at once, by issuer and subject, where tokens contain no address;
    /// `inviteMember` is for addresses. A member gets the role. Fails with LIMIT_REACHED beyond the plan,
    /// and for ADMINs with ALREADY_EXISTS for a person whom other customers know. For the customer's ADMINs and
    /// operators.
    async fn add_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The customer, the member and the role.")] input: AddMemberInput,
    ) -> async_graphql::Result<AddMemberPayload> {
        let (request, AddMemberInput { customer_id, issuer, subject, role, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let customer_id = errors.id("customerId", &customer_id);
            let input = member::AddMember { customer_id, issuer, subject, role: role.into() };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.add_member(&caller, Input::new(input, errors)).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let view = request.fresh_view();
        let membership = value.map(|row| Membership { row: Arc::new(row), view });
        Ok(AddMemberPayload { membership, revision, user_errors })
    }

    /// Gives a member another role. Subscriptions that a lower role doesn't allow end within a second. Fails with
    /// CONFLICT for the customer's last ADMIN. For its ADMINs and operators.
    async fn change_member_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member, and the new role.")] input: ChangeMemberRoleInput,
    ) -> async_graphql::Result<ChangeMemberRolePayload> {
        let (request, ChangeMemberRoleInput { customer_id, user_id, role, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let input = member::ChangeMemberRole {
                customer_id: errors.id("customerId", &customer_id),
                user_id: errors.id("userId", &user_id),
                role: role.into(),
            };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.change_member_role(&caller, input).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let view = request.fresh_view();
        let membership = value.map(|row| Membership { row: Arc::new(row), view });
        Ok(ChangeMemberRolePayload { membership, revision, user_errors })
    }

    /// Ends a user's membership: the user loses all access to the customer, its subscriptions to the customer end
    /// within a second, and the agents that the user owned have no owner. Fails with CONFLICT for the customer's
    /// last ADMIN. For its ADMINs and operators.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member to remove.")] input: RemoveMemberInput,
    ) -> async_graphql::Result<RemoveMemberPayload> {
        let (request, RemoveMemberInput { customer_id, user_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let (customer, user) = (errors.id("customerId", &customer_id), errors.id("userId", &user_id));
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.remove_member(&caller, customer, user).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let user_id = value.map(|removed| to_id(removed.user_id));
        Ok(RemoveMemberPayload { user_id, revision, user_errors })
    }
}
