//! Open invitations as the invited person sees them: what each waits for.

use super::{
    Caller, Principal, Registry, Result, UserPrincipal, customer::BillingStatus, limit::LimitedResource,
    member::Role,
};
use crate::{
    clock::Instant,
    db::{LeaseClass, Scope},
    entity::invitation,
};

/// What an invitation waits for, besides the next sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationBlock {
    /// The issuer hasn't verified the address.
    EmailNotVerified,
    /// The customer has as many members as its plan allows.
    LimitReached,
    /// The customer is suspended.
    Suspended,
    /// The customer is canceled.
    Canceled,
}

/// An invitation that hasn't made the invited person a member yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingInvitation {
    /// The customer's name and the role; `None` until the person's address is verified.
    pub place: Option<(String, Role)>,
    /// When the invitation expires.
    pub expires_at: Instant,
    /// What it waits for. `None` when the next sign-in accepts it.
    pub blocked_by: Option<InvitationBlock>,
}

impl PendingInvitation {
    fn of(row: invitation::PendingRow, is_verified: bool) -> Self {
        let invitation::PendingRow { customer_name, plan, billing_status, members, role, expires_at } = row;
        let blocked_by = match billing_status {
            _ if !is_verified => Some(InvitationBlock::EmailNotVerified),
            BillingStatus::Suspended => Some(InvitationBlock::Suspended),
            BillingStatus::Canceled => Some(InvitationBlock::Canceled),
            BillingStatus::Trialing | BillingStatus::Active | BillingStatus::PastDue => {
                let is_full = LimitedResource::Members.check(plan, members.saturating_add(1)).is_err();
                is_full.then_some(InvitationBlock::LimitReached)
            }
        };
        Self { place: is_verified.then_some((customer_name, role)), expires_at, blocked_by }
    }
}

impl Registry {
    /// The open invitations to the reader's address. Whose they are is known only to a reader whose address is verified.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`] when the database is.
    pub async fn pending_invitations(&self, caller: &Caller) -> Result<Vec<PendingInvitation>> {
        let Principal::User(UserPrincipal { email: Some(email), email_verified, .. }) = &caller.principal
        else {
            return Ok(Vec::new());
        };
        // Invitations to a customer that the reader isn't a member of are outside of its own scope.
        let view = self.db().view(Scope::Auth, caller.share_holder(), LeaseClass::Nested);
        let rows = view.all(invitation::pending(email, self.clock().now())).await?;
        Ok(rows.into_iter().map(|row| PendingInvitation::of(row, *email_verified)).collect())
    }
}
