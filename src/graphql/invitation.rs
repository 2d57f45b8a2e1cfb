//! Invitations in the graph: who is to work for a customer and has not come yet.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{
    context::{Lens, request},
    error::{Outcome, UserError, settle},
    page::connection,
    plain::Plain,
    scalar::{DateTime, Revision, id, to_id},
    user::{Actor, Role},
};
use crate::{
    domain::{Page, PageArgs, invitation as verbs, policy::Action},
    id::{CustomerId, InvitationId},
};

/// An open invitation to work for a customer.
#[derive(Clone)]
pub struct Invitation {
    row: Arc<verbs::Invitation>,
    lens: Lens,
}

/// An open invitation to work for a customer.
#[Object]
impl Invitation {
    /// Its UUID.
    async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// Whom: an address, in lower case. Who signs in with a token in which its issuer has verified it becomes a member.
    async fn email(&self) -> &str {
        &self.row.email
    }

    /// As what.
    async fn role(&self) -> Role {
        self.row.role.into()
    }

    /// Who invited it.
    async fn invited_by(&self) -> Actor {
        Actor::new(self.row.invited_by_kind, self.row.invited_by_id, self.lens.clone())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// Until when it can be accepted.
    async fn expires_at(&self) -> DateTime {
        self.row.expires_at.into()
    }
}

/// What a list of invitations counts.
pub struct Count {
    lens: Lens,
    customer: CustomerId,
}

async fn count(of: &Count) -> async_graphql::Result<u64> {
    Ok(of.lens.invitation_counts.load(of.customer).await?.map_or(0, |count| *count))
}

impl Plain for Invitation {}

connection!(
    /// A page of open invitations.
    InvitationConnection, InvitationEdge, Invitation, |node: &Invitation| node.row.id, count, Count
);

impl InvitationConnection {
    pub(super) async fn of_customer(
        lens: &Lens,
        customer: CustomerId,
        args: PageArgs<InvitationId>,
    ) -> async_graphql::Result<Self> {
        lens.allow_on(Action::ReadMembers, customer)?;
        let page = lens.invitation_pages.load((customer, args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| Invitation { row: Arc::clone(row), lens: lens.clone() })
        });
        Ok(Self::new(page, Count { lens: lens.clone(), customer }))
    }
}

/// Whom to invite.
#[derive(Clone, Debug, InputObject)]
pub struct InviteMemberInput {
    /// Where to.
    customer_id: ID,
    /// Whom: an address; its case does not matter.
    email: String,
    /// As what.
    role: Role,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, the same input
    /// with the same key isn't written twice: the payload then holds the object as it is now and the first write's
    /// revision, but never a secret.
    idempotency_key: Option<String>,
}

/// Which invitation to take back.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeInvitationInput {
    /// Which one.
    invitation_id: ID,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. For 24 hours, the same input
    /// with the same key isn't written twice: the payload then holds the object as it is now and the first write's
    /// revision, but never a secret.
    idempotency_key: Option<String>,
}

/// What inviting came to.
#[derive(SimpleObject)]
pub struct InviteMemberPayload {
    /// The invitation; null when none was made.
    invitation: Option<Invitation>,
    /// The commit that made it.
    revision: Option<Revision>,
    /// Why none was made; empty when one was.
    user_errors: Vec<UserError>,
}

/// What taking an invitation back came to.
#[derive(SimpleObject)]
pub struct RevokeInvitationPayload {
    /// The invitation that is open no longer; null when it was not taken back.
    invitation_id: Option<ID>,
    /// The commit that took it back.
    revision: Option<Revision>,
    /// Why it was not taken back; empty when it was.
    user_errors: Vec<UserError>,
}

/// Their mutations.
#[derive(Default)]
pub struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Invites somebody to work for a customer: who signs in within 14 days with a token in which its issuer has verified
    /// this address becomes a member. Nobody is written to. For its ADMINs and operators.
    async fn invite_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, where to, and as what.")] input: InviteMemberInput,
    ) -> async_graphql::Result<InviteMemberPayload> {
        let (request, InviteMemberInput { customer_id, email, role, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let customer_id = id("customerId", &customer_id)?;
            let input = verbs::InviteMember { customer_id, email, role: role.into() };
            request.registry.invite_member(&request.once(ctx, idempotency_key)?, input).await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        let lens = request.fresh();
        let invitation = value.map(|row| Invitation { row: Arc::new(row), lens });
        Ok(InviteMemberPayload { invitation, revision, user_errors })
    }

    /// Takes an open invitation back. For its customer's ADMINs and operators.
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeInvitationInput,
    ) -> async_graphql::Result<RevokeInvitationPayload> {
        let (request, RevokeInvitationInput { invitation_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            request
                .registry
                .revoke_invitation(&request.once(ctx, idempotency_key)?, id("invitationId", &invitation_id)?)
                .await
        };
        let Outcome { value, revision, user_errors } = settle(answer.await)?;
        let invitation_id = value.map(|withdrawn| to_id(withdrawn.id));
        Ok(RevokeInvitationPayload { invitation_id, revision, user_errors })
    }
}
