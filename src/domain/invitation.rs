//! Invitations to become a member of a customer, by e-mail address. An invitation is accepted by the first token
//! whose issuer has verified that address.

use chrono::TimeDelta;
use serde_json::json;

use super::{
    BoundedCount, Caller, Error, Input, Outcome, Page, PageArgs, Reading, Registry, Result, WriteResult,
    change::ChangeAction,
    email::normalize_email,
    idempotency::{ReplayIds, Replayable, require_allowed},
    joining::linkable_member,
    limit::{self, QuotaKind},
    member::Role,
    policy::{self, Action},
    right::{GrantedTxn, OpenTxn},
};
use crate::{
    db::{Actor, ChangeRecord, View},
    entity::{change::last_of_row, invitation},
    id::{CustomerId, InvitationId},
};

pub use invitation::Model as Invitation;

/// How long an invitation stays open.
const OPEN_FOR: TimeDelta = TimeDelta::days(14);

/// An invitation to send.
#[derive(Clone, Debug)]
pub struct InviteMember {
    /// The customer to become a member of.
    pub customer_id: CustomerId,
    /// The e-mail address; its case doesn't matter.
    pub email: String,
    /// The role that the member will have.
    pub role: Role,
}

impl Replayable for Invitation {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let found = txn.one(invitation::by_id(txn.tenant_filter(), subject.id.into())).await?;
        require_allowed(found, txn, Action::ManageMembers, "invitation", |row| row.customer_id).await
    }
}

/// An invitation that was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevokedInvitation {
    /// The invitation's id.
    pub id: InvitationId,
    /// The invitation's customer.
    pub customer_id: CustomerId,
}

impl Replayable for RevokedInvitation {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.id).and(self.customer_id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let customer_id = subject.customer(txn, Action::RemoveMembers, "invitation").await?;
        Ok(Self { id: subject.id.into(), customer_id })
    }
}

impl Registry {
    /// Invites a person. The person becomes a member of the customer when signing in with a token whose issuer has
    /// verified this address. If a member has the address already, the person signs in as that member from then on, in
    /// the member's role. No e-mail is sent: the inviter must tell the person.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer, [`Error::Forbidden`] unless the caller is an ADMIN there or the platform,
    /// [`Error::Suspended`], [`Error::Invalid`] for the address, [`Error::AlreadyExists`] when the address has an open
    /// invitation with another role, [`Error::LimitReached`].
    pub async fn invite_member(
        &self,
        caller: &Caller,
        input: impl Into<Input<InviteMember>>,
    ) -> Result<WriteResult<Invitation>> {
        let (InviteMember { customer_id, email, role }, errors) = input.into().open();
        errors.allow_on(caller, Action::ManageMembers, customer_id, "customer")?;
        // Trimmed because a person has typed it. Addresses in tokens are compared without trimming.
        let email = errors.and(normalize_email(email.trim()))?;
        let (now, id) = (self.clock().now(), self.clock().id());
        self.write(caller, move |txn| async move {
            let (txn, customer) = txn.customer(Action::ManageMembers, customer_id, "customer").await?;
            // The identity that accepts is linked to such a member, and takes no further seat.
            let is_for_member = linkable_member(&txn, customer_id, &email).await?.is_some();
            match txn.one(invitation::of_customer(customer_id, &email)).await? {
                Some(open) if open.expires_at > now && open.role == role => {
                    let change = ChangeAction::InvitationCreated;
                    let last = last_of_row(customer_id, open.id.into(), change);
                    return Ok(Outcome::Unchanged {
                        value: open,
                        since: super::write::since(&txn, last).await?,
                    });
                }
                Some(open) if open.expires_at > now => {
                    return Err(taken(
                        "this address has an open invitation with another role; revoke that first",
                    ));
                }
                Some(late) => withdraw(&txn, &late).await?,
                None => {}
            }
            let seats = usize::from(!is_for_member);
            limit::check_quota(&txn, &customer, QuotaKind::Members, seats, now).await?;
            let Actor { kind, id: by } = txn.actor();
            let invitation = Invitation {
                id,
                customer_id,
                email,
                role,
                invited_by_kind: kind,
                invited_by_id: by,
                created_at: now,
                expires_at: now + OPEN_FOR,
            };
            txn.insert(invitation::ActiveModel::from(invitation.clone())).await?;
            // Without the address: the log must not contain personal data.
            let after = json!({ "after": { "role": sea_orm::ActiveEnum::to_value(&role) } });
            let entry = ChangeRecord::of(ChangeAction::InvitationCreated, customer_id).subject(id);
            txn.record(entry.details(after));
            Ok(Outcome::Changed(invitation))
        })
        .await
    }

    /// Revokes an open invitation.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such invitation, [`Error::Forbidden`] unless the caller is an ADMIN of
    /// its customer or the platform, [`Error::Suspended`].
    pub async fn revoke_invitation(
        &self,
        caller: &Caller,
        id: InvitationId,
    ) -> Result<WriteResult<RevokedInvitation>> {
        policy::allow(caller, Action::RemoveMembers)?;
        self.write(caller, move |txn| async move {
            let missing = || Error::NotFound("invitation");
            let customer =
                txn.one(invitation::by_id(txn.tenant_filter(), id)).await?.ok_or_else(missing)?.customer_id;
            let (txn, _) = txn.customer(Action::RemoveMembers, customer, "invitation").await?;
            let open = txn.one(invitation::locked(txn.tenant_filter(), id)).await?.ok_or_else(missing)?;
            withdraw(&txn, &open).await?;
            Ok(Outcome::Changed(RevokedInvitation { id, customer_id: customer }))
        })
        .await
    }

    /// For each of these customers, the same page of open invitations, oldest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for an API key or a service token. Customers whose members the reader may not read get an
    /// empty page.
    pub async fn invitations_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
        page: &PageArgs<InvitationId>,
    ) -> Result<Vec<(CustomerId, Page<Invitation>)>> {
        let visible = super::permitted(reading, Action::ReadMembers, customers)?;
        let rows = reading
            .view
            .all(invitation::page_each(&visible, &page.keyset_page(), self.clock().now()))
            .await?;
        Ok(super::page_each(customers, rows, |invitation| invitation.customer_id, page))
    }

    /// The open invitations with these ids. For references from other objects. Leaves out those that the reader may not
    /// read.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn invitations_by_ids(
        &self,
        reading: &Reading,
        ids: &[InvitationId],
    ) -> Result<Vec<Invitation>> {
        let Ok(tenants) = reading.tenant_filter(Action::ReadMembers) else { return Ok(Vec::new()) };
        Ok(reading.view.all(invitation::open_by_ids(&tenants, ids, self.clock().now())).await?)
    }

    /// For each of these customers, how many open invitations it has.
    ///
    /// # Errors
    /// As [`Registry::invitations_of_each`].
    pub async fn count_invitations_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
    ) -> Result<Vec<(CustomerId, BoundedCount)>> {
        let visible = super::permitted(reading, Action::ReadMembers, customers)?;
        let rows = reading.view.all(invitation::count_each(&visible, self.clock().now())).await?;
        Ok(super::zero_filled(customers, rows))
    }

    /// The open invitations for an address that the issuer of its owner's token has verified.
    pub(super) async fn invited(&self, view: &View, email: &str) -> Result<Vec<Invitation>> {
        match normalize_email(email) {
            Ok(email) => Ok(view.all(invitation::of_email(&email, self.clock().now())).await?),
            Err(_) => Ok(Vec::new()),
        }
    }
}

async fn withdraw(txn: &GrantedTxn, invitation: &Invitation) -> Result<()> {
    txn.delete(invitation::delete(invitation.id)).await?;
    withdrawn(txn, invitation);
    Ok(())
}

/// Records that an invitation isn't open any more.
pub(super) fn withdrawn(txn: &GrantedTxn, invitation: &Invitation) {
    let entry = ChangeRecord::of(ChangeAction::InvitationRevoked, invitation.customer_id);
    let role = sea_orm::ActiveEnum::to_value(&invitation.role);
    txn.record(entry.subject(invitation.id).details(json!({ "before": { "role": role } })));
}

fn taken(message: &'static str) -> Error {
    Error::AlreadyExists { field: "email", message }
}
