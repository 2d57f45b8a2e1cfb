//! Members: which user works for which customer, and as what.

use sea_orm::Set;
use serde_json::json;

use super::{
    Caller, Changed, Error, Page, PageArgs, Reading, Registry, Result,
    change::ChangeAction,
    idempotency::{Retold, Subject},
    limit::{self, Counted},
    policy::{self, Action},
    right::OpenTxn,
};
use crate::{
    db::{Entry, Txn},
    entity::{change::last_of_row, membership as row, user},
    id::{CustomerId, UserId},
};

pub use row::{Model as Membership, Role};

/// Who is to be a member of what, and as what.
#[derive(Clone, Debug)]
pub struct SetMember {
    /// Where.
    pub customer_id: CustomerId,
    /// Who vouches for the subject.
    pub issuer: String,
    /// Its name at the issuer, 1 to 255 characters.
    pub subject: String,
    /// Its address, for a profile that has to be made.
    pub email: Option<String>,
    /// As what.
    pub role: Role,
}

/// Which member is to have which role.
#[derive(Clone, Debug)]
pub struct ChangeMemberRole {
    /// Where.
    pub customer_id: CustomerId,
    /// Who.
    pub user_id: UserId,
    /// As what.
    pub role: Role,
}

impl Retold for Membership {
    fn subject(&self) -> Subject {
        Subject::row(self.user_id).and(self.customer_id)
    }

    async fn again(txn: &OpenTxn, subject: Subject) -> Result<Self> {
        let customer = subject.customer(txn, Action::ManageMembers, "member").await?;
        txn.one(row::of(customer, subject.id.into())).await?.ok_or(Error::NotFound("member"))
    }
}

/// A member that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Who.
    pub user_id: UserId,
    /// From where.
    pub customer_id: CustomerId,
}

impl Retold for Removed {
    fn subject(&self) -> Subject {
        Subject::row(self.user_id).and(self.customer_id)
    }

    async fn again(txn: &OpenTxn, subject: Subject) -> Result<Self> {
        let customer_id = subject.customer(txn, Action::RemoveMembers, "member").await?;
        Ok(Self { user_id: subject.id.into(), customer_id })
    }
}

impl Registry {
    /// Makes a user a member, or gives a member another role, without an invitation. Makes its profile if it has none.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is the platform, [`Error::NotFound`], [`Error::Invalid`],
    /// [`Error::LimitReached`], [`Error::LastAdmin`].
    pub async fn set_member(&self, caller: &Caller, input: SetMember) -> Result<Changed<Membership>> {
        policy::allow(caller, Action::ManagePlatform)?;
        let SetMember { customer_id, issuer, subject, email, role } = input;
        super::user::check_subject(&subject)?;
        let (now, fresh) = (self.clock.now(), self.clock.id::<UserId>());
        let made = self
            .write(caller, move |txn| async move {
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
                    txn.record(Entry::platform(ChangeAction::UserCreated).subject(fresh));
                }
                let user =
                    txn.one(user::by_subject(&issuer, &subject)).await?.ok_or(Error::NotFound("user"))?;
                match txn.one(row::locked(customer_id, user.id)).await? {
                    Some(before) => assign(&txn, before, role).await,
                    None => {
                        limit::room_for(&txn, &customer, Counted::Members, 1, now).await?;
                        let member = Membership { customer_id, user_id: user.id, role, created_at: now };
                        Ok((enter(&txn, member).await?, 0))
                    }
                }
            })
            .await?;
        Ok(made.or_since())
    }

    /// Gives a member another role. What it had begun with more is ended within a second.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer or the member, [`Error::Forbidden`] unless the caller is an ADMIN there or
    /// the platform, [`Error::Suspended`], [`Error::LastAdmin`].
    pub async fn change_member_role(
        &self,
        caller: &Caller,
        input: ChangeMemberRole,
    ) -> Result<Changed<Membership>> {
        let ChangeMemberRole { customer_id, user_id, role } = input;
        policy::allow_on(caller, Action::ManageMembers, customer_id, "customer")?;
        let made = self
            .write(caller, move |txn| async move {
                let (txn, _) = txn.customer(Action::ManageMembers, customer_id, "customer").await?;
                let before = txn.one(row::locked(customer_id, user_id)).await?;
                assign(&txn, before.ok_or(Error::NotFound("member"))?, role).await
            })
            .await?;
        Ok(made.or_since())
    }

    /// Ends a user's work for a customer: at once it sees nothing of it any more, and owns none of its agents.
    ///
    /// # Errors
    /// As [`Registry::change_member_role`], but not [`Error::Suspended`] unless the customer is erased: this only takes away.
    pub async fn remove_member(
        &self,
        caller: &Caller,
        customer_id: CustomerId,
        user_id: UserId,
    ) -> Result<Changed<Removed>> {
        policy::allow_on(caller, Action::RemoveMembers, customer_id, "customer")?;
        let made = self
            .write(caller, move |txn| async move {
                let (txn, _) = txn.customer(Action::RemoveMembers, customer_id, "customer").await?;
                let before = txn.one(row::locked(customer_id, user_id)).await?;
                let before = before.ok_or(Error::NotFound("member"))?;
                keep_an_admin(&txn, &before).await?;
                txn.delete(row::delete(customer_id, Some(user_id))).await?;
                let details = json!({ "before": name(before.role), "after": null });
                let entry = Entry::of(ChangeAction::MemberRemoved, customer_id).subject(user_id);
                txn.record(entry.details(details));
                Ok(Removed { user_id, customer_id })
            })
            .await?;
        made.changed()
    }

    /// The same page of members, by their users' ids, of each of these customers.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for an API key or a service. Customers whose members the reader may not see have none here.
    pub async fn members_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
        page: &PageArgs<UserId>,
    ) -> Result<Vec<(CustomerId, Page<Membership>)>> {
        let visible = super::permitted(reading, Action::ReadMembers, customers)?;
        let rows = reading.view.all(row::page_each(&visible, &page.slice())).await?;
        Ok(super::page_each(customers, rows, |member| member.customer_id, page))
    }

    /// How many members each of these customers has.
    ///
    /// # Errors
    /// As [`Registry::members_of_each`].
    pub async fn count_members_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
    ) -> Result<Vec<(CustomerId, u64)>> {
        let visible = super::permitted(reading, Action::ReadMembers, customers)?;
        let rows = reading.view.pairs(row::count_each(&visible)).await?;
        Ok(super::zero_filled(customers, rows))
    }
}

/// Makes a user, who is none yet, a member of a locked customer.
pub(super) async fn enter(txn: &Txn, member: Membership) -> Result<Membership> {
    let details = json!({ "before": null, "after": name(member.role) });
    let entry = Entry::of(ChangeAction::MemberSet, member.customer_id).subject(member.user_id);
    txn.insert(row::ActiveModel::from(member.clone())).await?;
    txn.record(entry.details(details));
    Ok(member)
}

/// Gives a locked member this role; answers since when it has it, if it had it already.
async fn assign(txn: &Txn, before: Membership, role: Role) -> Result<(Membership, i64)> {
    let (customer, user) = (before.customer_id, before.user_id);
    if before.role == role {
        let last = last_of_row(customer, user.into(), ChangeAction::MemberSet);
        return Ok((before, super::since(txn, last).await?));
    }
    keep_an_admin(txn, &before).await?;
    let details = json!({ "before": name(before.role), "after": name(role) });
    let after = txn.update(row::ActiveModel { role: Set(role), ..before.into() }).await?;
    txn.record(Entry::of(ChangeAction::MemberSet, customer).subject(user).details(details));
    Ok((after, 0))
}

/// Refuses when this member of a locked customer is its last ADMIN.
async fn keep_an_admin(txn: &Txn, member: &Membership) -> Result<()> {
    if member.role == Role::Admin
        && txn.one(row::other_admins(member.customer_id, member.user_id)).await?.is_none()
    {
        return Err(Error::LastAdmin);
    }
    Ok(())
}

fn name(role: Role) -> String {
    sea_orm::ActiveEnum::to_value(&role)
}
