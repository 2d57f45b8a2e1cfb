//! Invitations in the GraphQL schema: addresses that become members when their owners sign in.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{
    actor::Actor,
    error::{MutationResult, UserError, into_mutation_result},
    page::{INVITATIONS, connection},
    scalar::{DateTime, Revision, to_id},
    user::Role,
};
use crate::{
    domain::{
        BoundedCount, Input, InputErrors, Page, PageArgs, invitation, page::ListId, pending_invitation,
        policy::Action,
    },
    graphql::engine::context::{PublicUrl, RequestView, request},
    id::{CustomerId, InvitationId},
};

/// An open invitation to become a member of a customer.
#[derive(Clone)]
pub struct Invitation {
    row: Arc<invitation::Invitation>,
    view: RequestView,
}

/// An open invitation to become a member of a customer.
#[Object]
impl Invitation {
    /// The invitation's UUID, which never changes.
    pub(super) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// The invited e-mail address, in lower case. A user becomes a member by signing in with a token whose issuer
    /// has verified this address.
    async fn email(&self) -> &str {
        &self.row.email
    }

    /// The role that the new member will have.
    async fn role(&self) -> Role {
        self.row.role.into()
    }

    /// The user or operator who created the invitation.
    async fn invited_by(&self) -> Actor {
        Actor::new(self.row.invited_by_kind, self.row.invited_by_id, self.view.clone())
    }

    /// When the invitation was created.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When the invitation expires, 14 days after it was created.
    async fn expires_at(&self) -> DateTime {
        self.row.expires_at.into()
    }

    /// The console's page that signs in and accepts, to send to the invited person. It holds no secret: only a token with
    /// the verified address accepts. Null without PUBLIC_URL.
    async fn accept_url(&self, ctx: &Context<'_>) -> Option<String> {
        let PublicUrl(url) = ctx.data_opt()?;
        url.as_ref().map(|url| format!("{url}/invitations/{}", self.row.id))
    }
}

impl RequestView {
    /// The open invitation with this id; `None` if there is none, and for callers who may not read it.
    pub(in crate::graphql) async fn invitation(
        &self,
        id: InvitationId,
    ) -> async_graphql::Result<Option<Invitation>> {
        Ok(self.loaders().invitations.load(id).await?.map(|row| Invitation { row, view: self.clone() }))
    }
}

/// What an invitation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "pending_invitation::InvitationBlock")]
pub enum InvitationBlock {
    /// The issuer of your token hasn't verified your address.
    EmailNotVerified,
    /// The customer has as many members as its plan allows.
    LimitReached,
    /// The customer is suspended.
    Suspended,
    /// The customer is canceled.
    Canceled,
}

/// An invitation to your address that has not made you a member yet.
#[derive(Clone, Debug, SimpleObject)]
pub struct PendingInvitation {
    /// The name of the customer that has invited you. Null until your address is verified.
    customer_name: Option<String>,
    /// The role that you will have. Null until your address is verified.
    role: Option<Role>,
    /// When the invitation expires.
    expires_at: DateTime,
    /// What the invitation waits for. Null if your next sign-in accepts it.
    blocked_by: Option<InvitationBlock>,
}

impl From<pending_invitation::PendingInvitation> for PendingInvitation {
    fn from(pending: pending_invitation::PendingInvitation) -> Self {
        let pending_invitation::PendingInvitation { place, expires_at, blocked_by } = pending;
        let (customer_name, role) =
            place.map_or((None, None), |(name, role)| (Some(name), Some(role.into())));
        Self { customer_name, role, expires_at: expires_at.into(), blocked_by: blocked_by.map(Into::into) }
    }
}

/// What `totalCount` counts: the open invitations of one customer.
pub struct Count {
    view: RequestView,
    customer: CustomerId,
}

async fn count(of: &Count) -> async_graphql::Result<BoundedCount> {
    Ok(of.view.loaders().invitation_counts.load(of.customer).await?.map(|count| *count).unwrap_or_default())
}

connection!(
    /// A page of open invitations.
    InvitationConnection, InvitationEdge, Invitation, |node: &Invitation| node.row.id, count, Count
);

impl InvitationConnection {
    pub(in crate::graphql) async fn of_customer(
        view: &RequestView,
        customer: CustomerId,
        args: PageArgs<InvitationId>,
    ) -> async_graphql::Result<Self> {
        view.allow_on(Action::ReadMembers, customer)?;
        let page = view.loaders().invitation_pages.load((customer, args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| Invitation { row: Arc::clone(row), view: view.clone() })
        });
        Ok(Self::new(page, ListId::below(INVITATIONS, customer), Count { view: view.clone(), customer }))
    }
}

/// The address to invite, and the role.
#[derive(Clone, Debug, InputObject)]
pub struct InviteMemberInput {
    /// The UUID of the customer to join.
    customer_id: ID,
    /// The e-mail address, such as `ada@example.org`: at most 254 characters, in any case.
    email: String,
    /// The role that the new member will have.
    role: Role,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The invitation to revoke.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeInvitationInput {
    /// The UUID of the open invitation.
    invitation_id: ID,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The result of `inviteMember`.
#[derive(SimpleObject)]
pub struct InviteMemberPayload {
    /// The invitation, the open one if the address was invited in this role already; null if there are
    /// `userErrors`.
    invitation: Option<Invitation>,
    /// The commit that created the invitation; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why no invitation was created; empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `revokeInvitation`.
#[derive(SimpleObject)]
pub struct RevokeInvitationPayload {
    /// The UUID of the revoked invitation; null if there are `userErrors`.
    invitation_id: Option<ID>,
    /// The commit that revoked the invitation; null if there are `userErrors`.
    revision: Option<Revision>,
    /// Why the invitation wasn't revoked; empty on success.
    user_errors: Vec<UserError>,
}

/// The root fields of `Mutation` that create and revoke invitations.
#[derive(Default)]
pub struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Invites an e-mail address: its owner becomes a member by signing in within 14 days with a token whose issuer
    /// has verified the address. If a member has the address, its owner signs in as that member from then on, in the
    /// member's role. No e-mail is sent; tell them yourself. For the customer's ADMINs and operators. Fails with
    /// ALREADY_EXISTS for an open invitation in another role, and with LIMIT_REACHED beyond the plan.
    async fn invite_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The customer, the address and the role.")] input: InviteMemberInput,
    ) -> async_graphql::Result<InviteMemberPayload> {
        let (request, InviteMemberInput { customer_id, email, role, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let customer_id = errors.id("customerId", &customer_id);
            let input = invitation::InviteMember { customer_id, email, role: role.into() };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.invite_member(&caller, Input::new(input, errors)).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let view = request.fresh_view();
        let invitation = value.map(|row| Invitation { row: Arc::new(row), view });
        Ok(InviteMemberPayload { invitation, revision, user_errors })
    }

    /// Revokes an open invitation. Fails with NOT_FOUND if it was accepted or revoked before. For the customer's
    /// ADMINs and operators.
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation to revoke.")] input: RevokeInvitationInput,
    ) -> async_graphql::Result<RevokeInvitationPayload> {
        let (request, RevokeInvitationInput { invitation_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let invitation = errors.id("invitationId", &invitation_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.revoke_invitation(&caller, invitation).await
        };
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer.await)?;
        let invitation_id = value.map(|withdrawn| to_id(withdrawn.id));
        Ok(RevokeInvitationPayload { invitation_id, revision, user_errors })
    }
}
