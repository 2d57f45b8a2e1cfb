//! Members: which user is a member of which customer, and in which role.

use sea_orm::Set;
use serde_json::json;

use super::{
    BoundedCount, Caller, Error, Outcome, Page, PageArgs, Reading, Registry, Result, WriteResult,
    change::ChangeAction,
    idempotency::{ReplayIds, Replayable},
    limit::{self, QuotaKind},
    policy::{self, Action},
    right::{GrantedTxn, OpenTxn},
};
use crate::{
    db::ChangeRecord,
    entity::{change::last_of_row, membership, user},
    id::{CustomerId, UserId},
};

pub use membership::{Model as Membership, Role};

/// A membership to create or to change.
#[derive(Clone, Debug)]
pub struct SetMember {
    /// The customer.
    pub customer_id: CustomerId,
    /// The issuer of the user's tokens.
    pub issuer: String,
    /// The user's name at the issuer; 1 to 255 characters.
    pub subject: String,
    /// The user's e-mail address, used when a profile has to be created.
    pub email: Option<String>,
    /// The role at this customer.
    pub role: Role,
}

/// A member's new role.
#[derive(Clone, Debug)]
pub struct ChangeMemberRole {
    /// The customer.
    pub customer_id: CustomerId,
    /// The member's user.
    pub user_id: UserId,
    /// The new role.
    pub role: Role,
}

impl Replayable for Membership {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.user_id).and(self.customer_id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let customer = subject.customer(txn, Action::ManageMembers, "member").await?;
        txn.one(membership::of(customer, subject.id.into())).await?.ok_or(Error::NotFound("member"))
    }
}

/// A member that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The user.
    pub user_id: UserId,
    /// The customer.
    pub customer_id: CustomerId,
}

impl Replayable for Removed {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.user_id).and(self.customer_id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let customer_id = subject.customer(txn, Action::RemoveMembers, "member").await?;
        Ok(Self { user_id: subject.id.into(), customer_id })
    }
}

impl Registry {
    /// Makes a user a member, or gives a member another role, without an invitation. Creates the user's profile if
    /// there is none.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is the platform, [`Error::NotFound`], [`Error::Invalid`],
    /// [`Error::LimitReached`], [`Error::LastAdmin`].
    pub async fn set_member(&self, caller: &Caller, input: SetMember) -> Result<WriteResult<Membership>> {
        policy::allow(caller, Action::ManagePlatform)?;
        let SetMember { customer_id, issuer, subject, email, role } = input;
        super::user::check_subject(&subject)?;
        let (now, fresh) = (self.clock().now(), self.clock().id::<UserId>());
        self.write(caller, move |txn| async move {
            let (txn, customer) = txn.customer(Action::ManageMembers, customer_id, "customer").await?;
            let profile = user::ActiveModel {
                id: Set(fresh),
                issuer: Set(issuer.clone()),
                subject: Set(subject.clone()),
                email: Set(email),
                name: Set(None),
                created_at: Set(now),
            };
            if txn.insert_new(profile).await? {
                txn.record(ChangeRecord::platform(ChangeAction::UserCreated).subject(fresh));
            }
            let user = txn.one(user::by_subject(&issuer, &subject)).await?.ok_or(Error::NotFound("user"))?;
            match txn.one(membership::locked(customer_id, user.id)).await? {
                Some(before) => assign(&txn, before, role).await,
                None => {
                    limit::check_quota(&txn, &customer, QuotaKind::Members, 1, now).await?;
                    let member = Membership { customer_id, user_id: user.id, role, created_at: now };
                    Ok(Outcome::Changed(enter(&txn, member).await?))
                }
            }
        })
        .await
    }

    /// Gives a member another role. Sockets and streams that need the previous role end within a second.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer or the member, [`Error::Forbidden`] unless the caller is an ADMIN there or
    /// the platform, [`Error::Suspended`], [`Error::LastAdmin`].
    pub async fn change_member_role(
        &self,
        caller: &Caller,
        input: ChangeMemberRole,
    ) -> Result<WriteResult<Membership>> {
        let ChangeMemberRole { customer_id, user_id, role } = input;
        policy::allow_on(caller, Action::ManageMembers, customer_id, "customer")?;
        self.write(caller, move |txn| async move {
            let (txn, _) = txn.customer(Action::ManageMembers, customer_id, "customer").await?;
            let before = txn.one(membership::locked(customer_id, user_id)).await?;
            assign(&txn, before.ok_or(Error::NotFound("member"))?, role).await
        })
        .await
    }

    /// Removes a member: the user loses access to the customer at once, and its agents there have no owner.
    ///
    /// # Errors
    /// As [`Registry::change_member_role`], but [`Error::Suspended`] only for an erased customer: this only removes a
    /// right.
    pub async fn remove_member(
        &self,
        caller: &Caller,
        customer_id: CustomerId,
        user_id: UserId,
    ) -> Result<WriteResult<Removed>> {
        policy::allow_on(caller, Action::RemoveMembers, customer_id, "customer")?;
        self.write(caller, move |txn| async move {
            let (txn, _) = txn.customer(Action::RemoveMembers, customer_id, "customer").await?;
            let before = txn.one(membership::locked(customer_id, user_id)).await?;
            let before = before.ok_or(Error::NotFound("member"))?;
            keep_an_admin(&txn, &before).await?;
            txn.delete(membership::delete(customer_id, Some(user_id))).await?;
            let details = json!({ "before": name(before.role), "after": null });
            let entry = ChangeRecord::of(ChangeAction::MemberRemoved, customer_id).subject(user_id);
            txn.record(entry.details(details));
            Ok(Outcome::Changed(Removed { user_id, customer_id }))
        })
        .await
    }

    /// For each of these customers, the same page of members, in the order of their users' ids.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for an API key or a service token. Customers whose members the reader may not read get an
    /// empty page.
    pub async fn members_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
        page: &PageArgs<UserId>,
    ) -> Result<Vec<(CustomerId, Page<Membership>)>> {
        let visible = super::permitted(reading, Action::ReadMembers, customers)?;
        let rows = reading.view.all(membership::page_each(&visible, &page.keyset_page())).await?;
        Ok(super::page_each(customers, rows, |member| member.customer_id, page))
    }

    /// For each of these customers, how many members it has.
    ///
    /// # Errors
    /// As [`Registry::members_of_each`].
    pub async fn count_members_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
    ) -> Result<Vec<(CustomerId, BoundedCount)>> {
        let visible = super::permitted(reading, Action::ReadMembers, customers)?;
        let rows = reading.view.all(membership::count_each(&visible)).await?;
        Ok(super::zero_filled(customers, rows))
    }
}

/// Makes a user a member of a locked customer, where it isn't one yet.
pub(super) async fn enter(txn: &GrantedTxn, member: Membership) -> Result<Membership> {
    let details = json!({ "before": null, "after": name(member.role) });
    let entry = ChangeRecord::of(ChangeAction::MemberSet, member.customer_id).subject(member.user_id);
    txn.insert(membership::ActiveModel::from(member.clone())).await?;
    txn.record(entry.details(details));
    Ok(member)
}

/// Gives a locked member this role. When the member has it already, returns the revision of the commit that set it.
async fn assign(txn: &GrantedTxn, before: Membership, role: Role) -> Result<Outcome<Membership>> {
    let (customer, user) = (before.customer_id, before.user_id);
    if before.role == role {
        let last = last_of_row(customer, user.into(), ChangeAction::MemberSet);
        return Ok(Outcome::Unchanged { value: before, since: super::write::since(txn, last).await? });
    }
    keep_an_admin(txn, &before).await?;
    let details = json!({ "before": name(before.role), "after": name(role) });
    let after = txn.update(membership::ActiveModel { role: Set(role), ..before.into() }).await?;
    txn.record(ChangeRecord::of(ChangeAction::MemberSet, customer).subject(user).details(details));
    Ok(Outcome::Changed(after))
}

/// Fails when this member of a locked customer is its last ADMIN.
async fn keep_an_admin(txn: &GrantedTxn, member: &Membership) -> Result<()> {
    if member.role == Role::Admin
        && txn.one(membership::other_admins(member.customer_id, member.user_id)).await?.is_none()
    {
        return Err(Error::LastAdmin);
    }
    Ok(())
}

fn name(role: Role) -> String {
    sea_orm::ActiveEnum::to_value(&role)
}
