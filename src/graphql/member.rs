//! Members in the graph: who works for a customer, and as what.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    context::{Lens, request},
    customer::Customer,
    error::{Nullable, Outcome, UserError, nullable, refuse, settle},
    page::connection,
    plain::Plain,
    scalar::{DateTime, Revision, id, to_id},
    user::{Role, User},
};
use crate::{
    domain::{Error, Page, PageArgs, member as verbs, policy::Action},
    id::{CustomerId, UserId},
};

/// A user's place at a customer.
#[derive(Clone)]
pub struct Membership {
    row: Arc<verbs::Membership>,
    lens: Lens,
}

/// A user's place at a customer.
#[Object]
impl Membership {
    /// Where.
    async fn customer(&self) -> async_graphql::Result<Customer> {
        let customer = self.lens.customer(self.row.customer_id).await?;
        customer.ok_or_else(|| refuse(&Error::NotFound("customer")))
    }

    /// Who.
    async fn user(&self) -> async_graphql::Result<User> {
        let user = self.lens.user(self.row.user_id).await?;
        user.ok_or_else(|| refuse(&Error::NotFound("user")))
    }

    /// Its address, when known.
    async fn email(&self) -> Nullable<String> {
        nullable(async {
            self.lens.allow_on(Action::ReadMembers, self.row.customer_id)?;
            Ok(self.lens.users.load(self.row.user_id).await?.and_then(|user| user.email.clone()))
        })
        .await
    }

    /// As what.
    async fn role(&self) -> Role {
        self.row.role.into()
    }

    /// Since when.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

/// What a list of members counts.
pub struct Count {
    lens: Lens,
    customer: CustomerId,
}

async fn count(of: &Count) -> async_graphql::Result<u64> {
    Ok(of.lens.member_counts.load(of.customer).await?.map_or(0, |count| *count))
}

impl Plain for Membership {}

connection!(
    /// A page of members.
    MembershipConnection, MembershipEdge, Membership, |node: &Membership| node.row.user_id, count, Count
);

impl MembershipConnection {
    pub(super) async fn of_customer(
        lens: &Lens,
        customer: CustomerId,
        args: PageArgs<UserId>,
    ) -> async_graphql::Result<Self> {
        lens.allow_on(Action::ReadMembers, customer)?;
        let page = lens.member_pages.load((customer, args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| Membership { row: Arc::clone(row), lens: lens.clone() })
        });
        Ok(Self::new(page, Count { lens: lens.clone(), customer }))
    }
}

/// Which member is to have which role.
#[derive(Clone, Debug, InputObject)]
pub struct ChangeMemberRoleInput {
    /// Where.
    customer_id: ID,
    /// Who: a user's id.
    user_id: ID,
    /// As what from now on.
    role: Role,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, the same input
    /// with the same key isn't written twice: the payload then holds the object as it is now and the first write's
    /// revision, but never a secret.
    idempotency_key: Option<String>,
}

/// Whose work for a customer is to end.
#[derive(Clone, Debug, InputObject)]
pub struct RemoveMemberInput {
    /// Where.
    customer_id: ID,
    /// Who: a user's id.
    user_id: ID,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, the same input
    /// with the same key isn't written twice: the payload then holds the object as it is now and the first write's
    /// revision, but never a secret.
    idempotency_key: Option<String>,
}

/// What giving a role came to.
#[derive(SimpleObject)]
pub struct ChangeMemberRolePayload {
    /// The member as it is now; null when it was not changed.
    membership: Option<Membership>,
    /// The commit that made it so.
    revision: Option<Revision>,
    /// Why it was not changed; empty when it was.
    user_errors: Vec<UserError>,
}

/// What removing a member came to.
#[derive(SimpleObject)]
pub struct RemoveMemberPayload {
    /// The user that is no member any more; null when it was not removed.
    user_id: Option<ID>,
    /// The commit that removed it.
    revision: Option<Revision>,
    /// Why it was not removed; empty when it was.
    user_errors: Vec<UserError>,
}

/// Their mutations.
#[derive(Default)]
pub struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Gives a member another role. What it has begun with a higher one ends within a second. A customer's last ADMIN stays
    /// one. For its ADMINs and operators.
    async fn change_member_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which member, and which role.")] input: ChangeMemberRoleInput,
    ) -> async_graphql::Result<ChangeMemberRolePayload> {
        let (request, ChangeMemberRoleInput { customer_id, user_id, role, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let input = verbs::ChangeMemberRole {
                customer_id: id("customerId", &customer_id)?,
                user_id: id("userId", &user_id)?,
                role: role.into(),
            };
            request.registry.change_member_role(&request.once(ctx, idempotency_key)?, input).await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        let lens = request.fresh();
        let membership = value.map(|row| Membership { row: Arc::new(row), lens });
        Ok(ChangeMemberRolePayload { membership, revision, user_errors })
    }

    /// Ends a user's work for a customer: it sees nothing of it any more, what it has begun ends within a second, and its
    /// agents there have no owner. A customer's last ADMIN stays one. For its ADMINs and operators.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which member.")] input: RemoveMemberInput,
    ) -> async_graphql::Result<RemoveMemberPayload> {
        let (request, RemoveMemberInput { customer_id, user_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let (customer, user) = (id("customerId", &customer_id)?, id("userId", &user_id)?);
            request.registry.remove_member(&request.once(ctx, idempotency_key)?, customer, user).await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        let user_id = value.map(|removed| to_id(removed.user_id));
        Ok(RemoveMemberPayload { user_id, revision, user_errors })
    }
}
